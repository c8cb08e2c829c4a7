"""zchat in a terminal: first contact, new accounts, passwords, logging out and in again."""

import re

import pytest

from support.client import Keys
from zchat_terminal import Person, Terminal

PASSWORD = "correct horse 42"
TOWN_ARGS = ("--block-duration", "60")


@pytest.fixture
def person(town, tmp_path):
    """Somebody whose device nobody knows."""
    return Person(town.broker, tmp_path)


@pytest.fixture
def friend(town, tmp_path):
    """Somebody whose device the town's accounts trust."""
    return Person(town.broker, tmp_path / "friend", town.keys)


def start(person, user=None, *options, **more):
    return Terminal(person.command(user, *options, **more), person.environment)


def register(terminal, name, password=PASSWORD):
    """Through the offer of a new account."""
    terminal.wait_for(f"{name}'s password:")
    terminal.enter(password)
    terminal.wait_for(f"register {name} as a new account?")
    terminal.enter("yes")
    terminal.wait_for("the same password again:")
    terminal.enter(password)
    terminal.wait_for(f"you are {name}")


def test_an_unknown_broker_is_shown_and_asked_about(person, town):
    with start(person, known=False) as terminal:
        terminal.wait_match("fingerprint is\n +([0-9a-f]{4} ){7}[0-9a-f]{4}$")
        terminal.enter("maybe")
        terminal.wait_for("please type yes or no:")
        terminal.enter("yes")
        terminal.wait_last("name:")
    with start(person, known=False) as terminal:
        terminal.wait_last("name:")
        assert "fingerprint" not in terminal.text()


def test_an_unknown_broker_may_be_refused(person):
    with start(person, known=False) as terminal:
        terminal.wait_for("(yes/no)")
        terminal.enter("no")
        terminal.wait_exit(3)


def test_trust_new_asks_nothing(person):
    with start(person, None, "--trust-new", known=False) as terminal:
        terminal.wait_last("name:")


def test_a_changed_key_is_refused_and_both_are_shown(person, town):
    with start(person, None, "--trust-new", known=False) as terminal:
        terminal.wait_last("name:")
    known = person.config / "known_brokers"
    text = known.read_text()
    other = Keys().public.decode()
    assert town.broker.server_key in text
    known.write_text(text.replace(town.broker.server_key, other))
    with start(person, known=False) as terminal:
        terminal.wait_exit(3)
        assert len(re.findall("(?:[0-9a-f]{4} ?){8}", terminal.text())) == 2


def test_a_new_account_is_offered_and_the_password_never_shown(person, town):
    name = town.fresh_name()
    with start(person) as terminal:
        terminal.wait_last("name:")
        terminal.enter(name)
        register(terminal, name)
        terminal.enter("devices")
        terminal.wait_for("this one")
        assert PASSWORD not in terminal.text()
        assert PASSWORD.encode() not in terminal.raw
    assert PASSWORD not in person.history.read_text()
    with start(person, name) as terminal:
        terminal.wait_for(f"you are {name}")
        assert "password" not in terminal.text()


def test_the_offer_takes_yes_in_any_case_and_asks_again_if_it_is_neither(person, town):
    name = town.fresh_name()
    with start(person, name) as terminal:
        terminal.wait_for(f"{name}'s password:")
        terminal.key("Enter")
        terminal.wait_for(f"register {name} as a new account?")
        terminal.enter("yse")
        terminal.wait_last("please type yes or no:")
        terminal.enter("Yes")
        terminal.wait_last(f"{name}'s new password:")


def test_the_machine_s_user_is_the_name_if_none_is_typed(person, town):
    name = town.fresh_name()
    person.environment["USER"] = name
    with start(person) as terminal:
        terminal.wait_last(f"name [{name}]:")
        terminal.key("Enter")
        register(terminal, name)


@pytest.mark.parametrize("user", ["", "two words", "esc\x1b[2J", "x" * 80])
def test_a_machine_s_user_that_is_no_name_is_not_proposed(person, user):
    person.environment["USER"] = user
    with start(person) as terminal:
        terminal.wait_last("name:")


def test_who_was_here_before_and_mistypes_is_told_how_to_register_but_not_asked(person, town):
    first, second = town.fresh_name(), town.fresh_name()
    with start(person, first) as terminal:
        register(terminal, first)
        terminal.enter("quit")
        terminal.wait_exit(0)
    with start(person, second) as terminal:
        terminal.wait_for(f"{second}'s password:")
        terminal.enter("mistyped")
        terminal.wait_for("wrong name or password")
        terminal.wait_last(f"{second}'s password:")
        assert "(yes/no)" not in terminal.text()
        assert f"if you are new here: an empty password makes {second} a new account" in terminal.text().replace("\n", " ")
        terminal.key("Enter")
        terminal.wait_for(f"register {second} as a new account?")
        terminal.enter("yes")
        terminal.wait_last(f"{second}'s new password:")
        terminal.enter(PASSWORD)
        terminal.wait_for("the same password again:")
        terminal.enter(PASSWORD)
        terminal.wait_for(f"you are {second}")


def test_two_different_passwords_register_nothing(person, town):
    name = town.fresh_name()
    with start(person, name) as terminal:
        terminal.wait_for("password:")
        terminal.enter("one")
        terminal.wait_for("new account?")
        terminal.enter("yes")
        terminal.wait_for("again:")
        terminal.enter("another")
        terminal.wait_for("the two passwords differ")
        terminal.wait_last(f"{name}'s new password:")


def test_without_trust_the_password_is_asked_each_time(person, town):
    name = town.fresh_name()
    with start(person, name, "--no-trust") as terminal:
        register(terminal, name)
    with start(person, name) as terminal:
        terminal.wait_for("password:")
        terminal.enter(PASSWORD)
        terminal.wait_for(f"you are {name}")


def test_three_wrong_passwords_show_how_long_it_is_locked(person, friend, town):
    name = town.name()
    with start(person, name) as terminal:
        terminal.wait_for("password:")
        terminal.enter("wrong 1")
        terminal.wait_for("new account?")
        terminal.enter("no")
        for number in (2, 3, 4):
            terminal.wait(lambda: terminal.last() == f"{name}'s password:"
                          or "locked" in terminal.text(), "the next try")
            if "locked" in terminal.text():
                break
            terminal.enter(f"wrong {number}")
        terminal.wait_match(r"locked.*\d+ s")
        terminal.wait_last("[logged out] zchat>")


def test_logging_out_and_in_again_as_somebody_else(friend, town):
    alice, bob = town.names(2)
    carol = town.join()
    with start(friend, alice) as terminal:
        terminal.wait_for(f"you are {alice}")
        terminal.enter(f"chat {carol.user}")
        terminal.enter("/XIT")
        terminal.wait_last("[logged out] zchat>")
        terminal.enter("who")
        terminal.enter(f"login {bob}")
        terminal.wait_for(f"you are {bob}")
        terminal.enter(f"send {carol.user} it is me")
        message = carol.wait_text("it is me").message
        assert message.sender == bob
        terminal.enter("login")
        terminal.wait_for(f"you are logged in as {bob}")
        terminal.enter("logout")
        terminal.wait_last("[logged out] zchat>")
        terminal.enter("login")
        terminal.wait_last(f"name [{bob}]:")
        terminal.enter("")
        terminal.wait_last("zchat>")


def test_a_plain_line_goes_nowhere_without_a_session(friend, town):
    alice, bob = town.names(2)
    with start(friend, alice) as terminal:
        terminal.wait_for(f"you are {alice}")
        terminal.enter(f"chat {bob}")
        terminal.wait_last(f"{bob}>")
        terminal.enter("/devices")
        terminal.wait_for("this one")
        terminal.enter("/revoke 1")
        terminal.wait_last(f"[logged out] {bob}>")
        terminal.enter("are you there")
        terminal.wait_for(f"not sent to {bob}: you are not logged in")


def test_changing_the_password(person, town):
    name = town.fresh_name()
    with start(person, name, "--no-trust") as terminal:
        register(terminal, name)
        terminal.enter("passwd")
        for question, answer in (("old password:", PASSWORD), ("new password:", "new one 7"),
                                 ("the new password again:", "new one 7")):
            terminal.wait_last(question)
            terminal.enter(answer)
        terminal.wait_for("the password is changed")
        terminal.enter("logout")
        terminal.wait_last("[logged out] zchat>")
        terminal.enter(f"login {name}")
        terminal.wait_last(f"{name}'s password:")
        terminal.enter("new one 7")
        terminal.wait_last("zchat>")


def test_a_line_with_a_password_is_not_kept(friend, town):
    with start(friend, town.name()) as terminal:
        terminal.wait_last("zchat>")
        terminal.enter(f"login bob {PASSWORD}")
        terminal.wait_for("usage: login")
        terminal.enter("help devices")
        terminal.wait_for("without a password")
        terminal.key("Up", "Up")
        terminal.wait_last("zchat> help devices")
    assert PASSWORD not in friend.history.read_text()


def test_ctrl_c_at_the_first_question_leaves(person):
    with start(person) as terminal:
        terminal.wait_last("name:")
        terminal.key("C-c")
        terminal.wait_exit(130)


def test_ctrl_c_at_a_later_question_gives_up_only_that(friend, town):
    with start(friend, town.name()) as terminal:
        terminal.wait_last("zchat>")
        terminal.enter("logout")
        terminal.wait_last("[logged out] zchat>")
        terminal.enter(f"login {town.fresh_name()}")
        terminal.wait_match("password:$")
        terminal.key("C-c")
        terminal.wait_last("[logged out] zchat>")


def test_messages_that_arrive_leave_a_password_question_alone(friend, town):
    user, bob = town.name(), town.join()
    with start(friend, user, "--presence", "off") as terminal:
        terminal.wait_last("zchat>")
        terminal.enter("passwd")
        terminal.wait_last("old password:")
        terminal.type("sec")
        bob.message(user, "hello there")
        terminal.wait_match(f"{bob.user}: hello there\nold password:$")
        terminal.enter("ret")
        terminal.wait_last("new password:")


def test_an_idle_session_ends_and_may_begin_again(town_factory, tmp_path):
    town = town_factory("--timeout", "3", accounts=2)
    person = Person(town.broker, tmp_path, town.keys)
    user = town.name()
    with start(person, user) as terminal:
        terminal.wait_for(f"you are {user}")
        terminal.wait_last("[logged out] zchat>")
        terminal.wait_for("login lets you in again")
        terminal.enter("login")
        terminal.wait_last(f"name [{user}]:")
        terminal.enter("")
        terminal.wait_last("zchat>")


def test_no_broker_there_is_said_at_once(person):
    command = person.command("alice")[:-1] + ["127.0.0.1:1"]
    with Terminal(command, person.environment) as terminal:
        terminal.wait_exit(3)
        assert "127.0.0.1:1" in terminal.text()


def test_a_session_too_many_is_refused(town_factory, tmp_path):
    town = town_factory("--sessions-per-user", "1", accounts=2)
    person = Person(town.broker, tmp_path, town.keys)
    user = town.join().user
    with start(person, user) as terminal:
        terminal.wait_for("already online")
        terminal.wait_last("[logged out] zchat>")
