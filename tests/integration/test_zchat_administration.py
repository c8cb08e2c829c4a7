"""zchat: what administrators say to all, and do to accounts."""

import pytest

from support.client import Keys
from support.town import ADMIN, refused
from zchat_terminal import Person, Terminal

OLD, NEW = "correct horse", "another horse"


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path / "person", town.keys)


@pytest.fixture
def open_terminal(person):
    """Starts zchat for an account on the same machine; all end with the test."""
    terminals = []

    def start(user, *options, columns=100):
        command = person.command(user, "--timestamps", "off", "--presence", "off", *options)
        terminals.append(Terminal(command, person.environment, columns=columns))
        terminals[-1].wait_for(f"you are {user}")
        terminals[-1].wait_last("zchat>")
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def test_an_announcement_is_shown_with_its_administrator_even_to_who_blocks_them(open_terminal, town):
    admin, alice = open_terminal(ADMIN), open_terminal(town.name())
    alice.enter(f"block {ADMIN}")
    alice.wait_for(f"{ADMIN} is blocked")
    alice.type("half a line")
    admin.enter("announce the broker moves at noon")
    admin.wait_for("announced to 1 person")
    alice.wait_match(rf"^announcement from {ADMIN}: the broker moves at noon$")
    alice.wait_last("zchat> half a line")
    admin.wait_match(rf"^announcement from {ADMIN}: the broker moves at noon$")


def test_a_member_who_announces_is_told_why_not(person, town):
    friend = town.join(public_events=True)
    done = person.script(["announce hear me"], town.name(), check=6)
    assert "not announced: only an administrator may do this" in done.stderr
    friend.ping()
    assert not any(event.HasField("notice") for event in friend.events)


def test_tab_and_help_know_it(open_terminal, town):
    terminal = open_terminal(town.name())
    terminal.type("ann")
    terminal.key("Tab")
    terminal.wait_last("zchat> announce")
    terminal.key("C-u")
    terminal.enter("help announce")
    terminal.wait_for("to everyone who is online, by an administrator")
    terminal.enter("announce")
    terminal.wait_for("usage: announce TEXT")


# ---- accounts ----


@pytest.fixture
def account(town):
    """An account with a password, and the keys of the device that it trusts."""
    keys, name = Keys(), town.fresh_name()
    town.guest(keys).register(name, OLD)
    return name, keys


def enter(town, user, password="", keys=None):
    client = town.guest(keys)
    client.login(user, password)
    return client


def test_an_account_is_locked_and_unlocked(open_terminal, town, account):
    name, keys = account
    admin, client = open_terminal(ADMIN), enter(town, name, keys=keys)
    admin.enter(f"user lock {name}")
    admin.wait_for(f"{name} is locked; 1 of its sessions ended")
    assert "administrator" in client.wait_ended().text
    refused("AUTH", enter, town, name, keys=keys)
    admin.enter(f"user unlock {name.upper()}")
    admin.wait_for(f"{name} is unlocked")
    enter(town, name, keys=keys)


def test_a_password_is_reset_in_a_dialogue(open_terminal, person, town, account):
    name, _ = account
    admin = open_terminal(ADMIN)
    admin.enter(f"user reset {name}")
    admin.wait_last(f"new password of {name}:")
    admin.enter(NEW)
    admin.wait_last("the new password again:")
    admin.enter(NEW + "!")
    admin.wait_for("the two passwords differ; nothing is changed")
    enter(town, name, OLD)
    admin.enter(f"user reset {name}")
    for question in (f"new password of {name}:", "the new password again:"):
        admin.wait_last(question)
        admin.enter(NEW)
    admin.wait_for(f"{name} has the new password and trusts no device")
    enter(town, name, NEW)
    assert NEW not in admin.text()


def test_a_script_resets_a_password_from_a_file(person, town, account):
    name, _ = account
    file = person.password_file(NEW, "new")
    done = person.script([f"user reset {name}"], ADMIN, check=2)
    assert "user reset USER FILE" in done.stderr
    person.script([f"user reset {name} {file}"], ADMIN, check=0)
    enter(town, name, NEW)


def test_the_right_of_an_administrator_is_given_and_taken(person, town):
    alice = town.join()
    done = person.script([f"user admin {alice.user}"], ADMIN, check=0)
    assert f"{alice.user} is an administrator" in done.stdout + done.stderr
    alice.announce("now")
    person.script([f"user admin {alice.user} --revoke"], ADMIN, check=0)
    refused("FORBIDDEN", alice.announce, "no more")
    person.script([f"user admin {alice.user} --forever"], ADMIN, check=2)


@pytest.mark.parametrize("verb, status", [("lock", 6), ("unlock", 6), ("admin", 6), ("reset", 6)])
def test_a_member_may_do_none_of_it(person, town, verb, status):
    file, friend = person.password_file(NEW, "new"), town.join()
    line = f"user {verb} {friend.user}" + (f" {file}" if verb == "reset" else "")
    assert "only an administrator may do this" in person.script([line], town.name(), check=status).stderr
    friend.who()
