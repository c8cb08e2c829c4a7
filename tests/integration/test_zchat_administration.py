"""zchat: what administrators say to all."""

import pytest

from support.town import ADMIN
from zchat_terminal import Person, Terminal


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
