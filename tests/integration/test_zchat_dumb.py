"""zchat where rows only follow each other: TERM=dumb, as for a screen reader, and low terminals."""

import os
import re

import pytest

from zchat_terminal import Person, Terminal

SIZES = [(80, 24), (40, 12)]
# What moves the cursor only in its row, ends the row, or rings.
ALLOWED = set(b"\r\n\b\a")


@pytest.fixture
def open_line(town, tmp_path):
    """Opens a terminal, logged in, with a friend: (terminal, friend, user)."""
    opened = []

    def start(columns, rows, *options, term="dumb", **environment):
        user, friend = town.name(), town.join()
        person = Person(town.broker, tmp_path / f"person-{len(opened)}", town.keys, **environment)
        command = ["env", f"TERM={term}", *person.command(
            user, "--presence", "off", "--timestamps", "off", *options)]
        opened.append(Terminal(command, person.environment, columns=columns, rows=rows))
        opened[-1].wait_last("zchat>")
        return opened[-1], friend, user

    yield start
    for terminal in opened:
        terminal.close()


def controls(terminal):
    """The control bytes that were written so far."""
    return {byte for byte in terminal.raw if byte < 0x20 or byte == 0x7F}


def wait_written(terminal, text):
    terminal.wait(lambda: text.encode() in terminal.raw, repr(text))


# ---- no sequences ----

@pytest.mark.parametrize("columns, rows", SIZES)
def test_nothing_but_rows_is_written(open_line, columns, rows):
    terminal, friend, user = open_line(columns, rows, EDITOR="true", VISUAL="false")
    terminal.enter("help")
    terminal.enter("nonsense")
    wait_written(terminal, "there is no command")
    friend.message(user, f"hello {user}, here are two rows\nof a text that is rather long, 日本語")
    wait_written(terminal, "日本語")
    friend.broadcast(f"to all and {user}")
    wait_written(terminal, "(to all)")
    terminal.enter(f"chat {friend.user}")
    wait_written(terminal, "what you type goes to")
    terminal.type("a text that has more characters than fit in a row of forty")
    wait_written(terminal, "row of forty")
    terminal.key("M-Enter")
    terminal.type("and a second row")
    terminal.key("Home", "End", "BSpace", "C-l", "Left", "C-a", "C-e")
    friend.message(user, "while it is typed")
    wait_written(terminal, "while it is typed")
    terminal.resize(columns - 5, rows)
    terminal.key("C-x", "C-e")
    terminal.type("w")
    terminal.key("Enter")
    friend.wait_text("a text that has more characters than fit in a row of forty\nand a second row")
    terminal.key("C-r")
    terminal.type("char")
    wait_written(terminal, "reverse-i-search")
    terminal.key("C-g", "C-u")
    terminal.type("/re")
    terminal.key("Tab", "Tab")
    wait_written(terminal, "register")
    terminal.key("C-c")
    terminal.enter("/history")
    terminal.enter("/logout")
    wait_written(terminal, "is logged out")
    terminal.key("C-d")
    terminal.wait_exit(0)
    assert controls(terminal) <= ALLOWED
    assert "ended with status" not in terminal.text()  # the editor was $EDITOR


@pytest.mark.parametrize("columns, rows", SIZES)
def test_questions_and_passwords_are_plain_rows(town, tmp_path, columns, rows):
    person = Person(town.broker, tmp_path, town.keys)
    name = town.fresh_name()
    command = ["env", "TERM=dumb", *person.command(None, "--presence", "off")]
    with Terminal(command, person.environment, columns=columns, rows=rows) as terminal:
        terminal.wait_last("name:")
        terminal.enter(name)
        terminal.wait_last(f"{name}'s password:")
        terminal.enter("open sesame 7")
        terminal.wait_for(f"register {name} as a new account? (yes/no)")
        terminal.wait_last(">")
        terminal.enter("yes")
        terminal.wait_match("the same password again:")
        terminal.enter("open sesame 7")
        terminal.wait_for(f"you are {name}")
        terminal.wait_last("zchat>")
        assert controls(terminal) <= ALLOWED and b"sesame" not in terminal.raw


def test_rows_that_were_written_stay(open_line):
    """Whatever is typed and arrives, each row above is as it was, in the order of its arrival."""
    terminal, friend, user = open_line(40, 12)
    terminal.type("a line that is longer than a row of forty characters")
    wait_written(terminal, "characters")
    for number in range(30):
        friend.message(user, f"message {number}.")
        terminal.type("x")
        terminal.key("BSpace")
    wait_written(terminal, "message 29.")
    rows = [row for row in terminal.all_lines() if "message" in row]
    assert rows == [f"{friend.user}: message {number}." for number in range(30)]


@pytest.mark.parametrize("typed", ["short", "a line that is longer than a row of forty characters"])
def test_what_is_being_typed_is_shown_again_after_each_arrival(open_line, typed):
    terminal, friend, user = open_line(40, 12)
    terminal.type(typed)
    terminal.wait(lambda: terminal.last().endswith(typed[-20:]), "the line")
    before = terminal.last()
    for number in range(3):
        friend.message(user, f"message {number}.")
        rows = [f"{friend.user}: message {number}.", before]
        terminal.wait(lambda rows=rows: terminal.all_lines()[-2:] == rows, f"{rows}")


# ---- a flood, with all that zchat does about messages ----

@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_typing_goes_on_through_a_thousand_messages(open_line, tmp_path, term):
    """They mention the user, and a command is run for them: it is never waited for."""
    terminal, friend, user = open_line(40, 12, "--on-message", f"echo >> {tmp_path}/ran; sleep 1000",
                                       term=term)
    words = "the quick brown fox jumps over it, 日本語, and so on".split()
    terminal.type(f"send {friend.user}")
    for number in range(1000):
        friend.message(user, f"{user} {number}.")
        if number % 100 == 50:
            terminal.type(f" {words[number // 100]}")
    terminal.wait(lambda: f"{user} 999." in terminal.text(), "the last message")
    terminal.key("Enter")
    friend.wait_text(" ".join(words[:10]))
    shown = re.findall(rf"^{friend.user}: {user} (\d+)\.$", terminal.text(), re.M)
    assert shown == [str(number) for number in range(1000)]
    terminal.wait(lambda: terminal.raw.count(b"\a") >= 1, "the bell")
    assert terminal.raw.count(b"\a") <= 3  # one for a burst; a pause on a busy machine makes two
    assert (tmp_path / "ran").exists() and b"\x1b" in terminal.raw or term == "dumb"
    assert term == "xterm" or controls(terminal) <= ALLOWED
    terminal.enter("quit")  # which ends its commands, too
    terminal.wait_exit(0)


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_a_thousand_messages_wait_for_the_editor(open_line, tmp_path, term):
    os.mkfifo(tmp_path / "go")
    editor = tmp_path / "editor"
    editor.write_text(f"#!/bin/sh\necho EDITOR; read go < {tmp_path}/go; echo edited > \"$1\"\n")
    editor.chmod(0o755)
    terminal, friend, user = open_line(40, 12, term=term, EDITOR=str(editor), VISUAL="")
    terminal.key("C-x", "C-e")
    terminal.wait_for("EDITOR")
    for number in range(1000):
        friend.message(user, f"m {number}.")
    assert "m 0." not in terminal.text()
    (tmp_path / "go").write_text("go\n")
    terminal.wait_for("m 999.")
    terminal.wait_last("zchat> edited")
    shown = re.findall(rf"^{friend.user}: m (\d+)\.$", terminal.text(), re.M)
    assert shown == [str(number) for number in range(1000)]


@pytest.mark.parametrize("term", ["dumb", "xterm"])
def test_two_rows_of_a_text_are_undisturbed_on_a_low_screen(open_line, term):
    terminal, friend, user = open_line(40, 12, term=term)
    terminal.type(f"send {friend.user} one")
    terminal.wait_for("one")
    terminal.key("M-Enter")
    for number in range(20):
        friend.message(user, f"message {number}.")
        terminal.type("x")
    terminal.wait_for("message 19.")
    terminal.key("Enter")
    friend.wait_text("one\n" + "x" * 20)
