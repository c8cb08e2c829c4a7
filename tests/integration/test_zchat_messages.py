"""zchat in a terminal: what is shown of messages, broadcasts, people; conversations and counts."""

import re

import pytest

from support.client import new_id
from zchat_terminal import Person, Terminal

ESCAPE = "\x1b[31mred\x1b[0m \x1b]0;title\x07 \x9b2J \u202eright\u200b end"


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path, town.keys)


@pytest.fixture
def user(town):
    return town.name()


@pytest.fixture
def open_terminal(person, user):
    """Starts zchat in a terminal, logged in; all end with the test."""
    terminals = []

    def start(*options, **environment):
        terminals.append(Terminal(person.command(user, *options),
                                  dict(person.environment, **environment)))
        terminals[-1].wait_for(f"you are {user}")
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


@pytest.fixture
def terminal(open_terminal):
    return open_terminal("--timestamps", "off", "--presence", "off")


def test_messages_and_broadcasts_are_told_apart(terminal, town, user):
    friend = town.join()
    friend.message(user, "for you")
    friend.broadcast("for everyone")
    terminal.wait_match(f"^{friend.user}: for you$")
    terminal.wait_match(rf"^{friend.user} \(to all\): for everyone$")


def test_send_delivers_and_says_only_when_it_is_stored(terminal, town):
    friend, away = town.join(), town.name()
    terminal.enter(f"send {friend.user} good   morning")
    friend.wait_text("good   morning")
    terminal.enter(f"/message {away} one")
    terminal.wait_match(f"^{away} is away; stored for later$")
    terminal.enter(f"send {away} two")
    terminal.enter("ping")
    terminal.wait_for("answered in")
    assert terminal.text().count("stored for later") == 1


def test_what_the_broker_refuses_is_said(terminal, town, user):
    nobody = town.fresh_name()
    terminal.enter(f"send {nobody} hi")
    terminal.wait_for(f"not sent to {nobody}: ")
    terminal.enter("since nonsense")
    terminal.wait_for("since wants a whole number of seconds")
    terminal.enter("send")
    terminal.wait_for("usage: send USER TEXT")
    terminal.enter("no-such-thing")
    terminal.wait_for('there is no command "no-such-thing"')


def test_lines_of_one_text_are_indented(terminal, town, user):
    friend = town.join()
    friend.message(user, f"first\n{user}: forged")
    terminal.wait_match(f"^{friend.user}: first\n +{user}: forged$")


def test_the_time_stands_before_a_message(open_terminal, town, user):
    terminal, friend = open_terminal("--timestamps", "on"), town.join()
    friend.message(user, "now")
    terminal.wait_match(rf"^\d\d:\d\d {friend.user}: now$")


def test_escape_sequences_of_others_are_harmless(terminal, town, user):
    friend = town.join()
    terminal.type("safe")
    friend.message(user, ESCAPE)
    friend.broadcast(ESCAPE)
    terminal.wait(lambda: len(re.findall(r"red .*end$", terminal.text(), re.M)) == 2, "both texts")
    terminal.wait_last("zchat> safe")
    for part in (b"\x1b[31mred", b"title\x07", b"\xc2\x9b", "\u202e".encode(), "\u200b".encode()):
        assert part not in terminal.raw


def test_a_conversation_takes_plain_lines(terminal, town, user):
    friend = town.join()
    terminal.enter(f"chat {friend.user.upper()}")
    terminal.wait_last(f"{friend.user}>")
    terminal.enter("who are you")
    friend.wait_text("who are you")
    terminal.enter("//not a command")
    friend.wait_text("/not a command")
    terminal.enter("/who")
    terminal.wait_match(f"^{friend.user}$")
    friend.message(user, "me")
    terminal.wait_match(f"^{friend.user}: me$")
    terminal.wait_last(f"{friend.user}>")
    terminal.enter("/close")
    terminal.wait_last("zchat>")
    assert friend.texts() == ["who are you", "/not a command", "me"]


def test_messages_of_others_are_counted_in_the_prompt(terminal, town, user):
    bob, carol, dave = town.join_many(3)
    terminal.enter(f"chat {bob.user}")
    terminal.wait_last(f"{bob.user}>")
    carol.message(user, "one")
    carol.message(user, "two")
    terminal.wait_last(f"[{carol.user}:2] {bob.user}>")
    dave.message(user, "three")
    bob.message(user, "from the partner")
    terminal.wait_last(f"[{carol.user}:2 {dave.user}:1] {bob.user}>")
    terminal.enter(f"/send {carol.user} yes?")
    terminal.wait_last(f"[{dave.user}:1] {bob.user}>")
    terminal.enter(f"/chat {dave.user}")
    terminal.wait_last(f"{dave.user}>")


def test_what_was_missed_comes_first_and_is_counted(open_terminal, town, user):
    friend = town.join()
    for text in ("one", "two", "three"):
        friend.message(user, text)
    terminal = open_terminal("--timestamps", "off")
    terminal.wait_match(f"^— while you were away: 3 messages —\n{friend.user}: one\n"
                        f"{friend.user}: two\n{friend.user}: three\n— end of what you missed —$")


def test_many_missed_messages_come_in_order(open_terminal, town, user):
    friend = town.join()
    friend.batch([("send_message", dict(id=new_id(), to=user, text=f"number {n}"))
                  for n in range(700)])
    terminal = open_terminal("--timestamps", "off")
    terminal.wait_for("— end of what you missed —")
    assert "while you were away: more than 500 messages" in terminal.text()
    shown = re.findall(r": number (\d+)$", terminal.text(), re.M)
    assert shown == [str(n) for n in range(700)]


def test_what_was_shown_is_read(open_terminal, town, user):
    friend = town.join()
    friend.message(user, "once")
    first = open_terminal("--timestamps", "off")
    first.wait_for(f"{friend.user}: once")
    friend.message(user, "twice")
    first.wait_for(f"{friend.user}: twice")
    first.key("C-d")
    first.wait_exit(0)
    second = open_terminal()
    second.enter("inbox")
    second.wait_for("no new messages")
    assert "once" not in second.text() and "while you were away" not in second.text()
    second.enter("inbox 2")
    second.wait_match(f"{friend.user}: once\n.*{friend.user}: twice$")


def test_what_one_sent_from_another_device_is_marked(terminal, town, user):
    friend = town.join()
    other_device = town.join(user)
    other_device.message(friend.user, "from my phone")
    terminal.wait_match(f"^me → {friend.user}: from my phone$")
    terminal.enter(f"send {friend.user} from here")
    terminal.enter("ping")
    terminal.wait_for("answered in")
    assert ": from here" not in terminal.text()


def join_alone(town, user=None):
    """Somebody who is in when the terminal of the test before has left."""
    friend = town.join(user)
    friend.wait(lambda: not friend.who(), what="that nobody else is there")
    return friend


def open_and_look(open_terminal, town, *options):
    """A terminal that was told who is there: whoever comes now is news."""
    there = join_alone(town)
    terminal = open_terminal(*options)
    terminal.wait_for(f"online: {there.user}")
    return terminal


def test_presence_on_tells_each_change(open_terminal, town):
    terminal = open_and_look(open_terminal, town, "--presence", "on", "--timestamps", "off")
    name = town.name()
    friend = town.join(name)
    terminal.wait_match(rf"^\* {name} is here$")
    friend.logout()
    terminal.wait_match(rf"^\* {name} left$")


def test_presence_auto_gathers_arrivals(open_terminal, town):
    terminal = open_and_look(open_terminal, town, "--timestamps", "off")
    friends = town.join_many(6)
    found = terminal.wait_match(r"^\* (.*) are here$")
    assert found[1] == f"{friends[0].user}, {friends[1].user}, {friends[2].user} and 3 others"


def test_presence_auto_is_silent_about_a_reconnect(open_terminal, town):
    names = town.names(2)
    back, gone = join_alone(town, names[0]), town.join(names[1])
    terminal = open_terminal("--timestamps", "off")
    terminal.wait_for(f"online: {names[0]}, {names[1]}")
    back.logout()
    back.login(names[0])
    gone.logout()
    found = terminal.wait_match(r"^\* (.*) left$")
    assert found[1] == names[1]
    assert "is here" not in terminal.text()


def test_who_arrives_is_not_announced_after_what_he_says(open_terminal, town, user):
    terminal = open_and_look(open_terminal, town, "--timestamps", "off")
    friend = town.join()
    friend.message(user, "at once")
    terminal.wait_match(f"^{friend.user}: at once$")
    late = town.join()
    terminal.wait_match(rf"^\* {late.user} is here$")
    assert not re.search(rf"at once\n(.*\n)*\* .*{friend.user}", terminal.text())


def test_colours_are_for_terminals_that_want_them(open_terminal, town, user):
    friend = town.join()
    for environment, coloured in (({}, True), ({"NO_COLOR": "1"}, False)):
        terminal = open_terminal(**environment)
        friend.message(user, "colour?")
        terminal.wait_for(f"{friend.user}: colour?")
        terminal.wait(lambda: b"colour?" in terminal.raw, "the output")
        assert (re.search(rb"\x1b\[[0-9;]*m", terminal.raw) is not None) == coloured


def test_a_dumb_terminal_works(person, user, town):
    friend = town.join()
    command = ["env", "TERM=dumb", *person.command(user, "--presence", "off")]
    with Terminal(command, person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.type("half")
        terminal.wait_last("zchat> half")
        friend.message(user, "plain")
        terminal.wait_for(f"{friend.user}: plain")
        terminal.wait_last("zchat> half")
        assert b"\x1b" not in terminal.raw


def test_output_may_go_to_a_file_while_somebody_types(person, user, town, tmp_path):
    friend, log = town.join(), tmp_path / "log"
    words = " ".join(f"'{word}'" for word in person.command(user))
    with Terminal(["sh", "-c", f"{words} > {log}"], person.environment) as terminal:
        terminal.wait_last("zchat>")
        friend.message(user, "for the file")
        terminal.enter(f"send {friend.user} typed")
        friend.wait_text("typed")
        terminal.enter("since x")
        terminal.wait_for("zchat: since wants")
        terminal.key("C-d")
        terminal.wait_exit(0)
    assert f"{friend.user}: for the file\n" in log.read_text()
    assert "\x1b" not in log.read_text()


def test_a_script_at_a_terminal_stays_plain(person, user, town):
    friend = town.join()
    friend.message(user, "hello")
    words = " ".join(f"'{word}'" for word in person.command(user))
    with Terminal(["sh", "-c", f"echo ping | {words}"], person.environment) as terminal:
        terminal.wait_exit(0)
        terminal.wait_match(f"^{friend.user}: hello$")
        assert b"\x1b" not in terminal.raw
