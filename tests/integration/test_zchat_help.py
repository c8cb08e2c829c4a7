"""zchat: help that fits a screen, what is said of mistyped commands, and other programs' words for leaving."""

import re

import pytest

from zchat_terminal import Person, Terminal

ROWS, COLUMNS = 24, 80


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path / "person", town.keys)


@pytest.fixture
def terminal(person, town):
    user = town.name()
    with Terminal(person.command(user, "--timestamps", "off", "--presence", "off"), person.environment,
                  columns=COLUMNS, rows=ROWS) as terminal:
        terminal.wait_for(f"you are {user}")
        terminal.wait_last("zchat>")
        yield terminal


def shown(person, town, *lines):
    return person.script(lines, town.name(), check=0).stdout


def groups(text):
    return re.findall(r"^([a-z]+)  ", text, re.M)


def name_of(row):
    """The name of the command in a row of "help all" whose command has arguments; None: it has none."""
    words = row.split()
    name = words[0]
    if words[0] in ("thread", "file", "private", "user"):
        name = " ".join(words[:2])
    following = row.split()[len(name.split())]
    return name if following[0] == "[" or re.fullmatch(r"[A-Z]+(\.\.\.)?", following) else None


def test_the_help_fits_a_screen_and_names_every_command(terminal, person, town):
    terminal.enter("help")
    terminal.wait_for("a command begins with /")
    terminal.wait_last("zchat>")
    text = terminal.text()
    assert "zchat> help\nmessages" in text
    every = shown(person, town, "help all")
    for row in every.splitlines():
        assert row.split()[0] in text


def test_each_group_explains_all_of_its_commands_on_a_screen(person, town):
    text = shown(person, town, "help")
    assert "threads" in groups(text) and "private" in groups(text)
    rows = []
    for group in groups(text):
        lines = shown(person, town, f"help {group}").splitlines()
        assert 0 < len(lines) < ROWS
        rows += lines
    assert sorted(rows) == sorted(shown(person, town, "help all").splitlines())


def test_the_help_of_a_command_with_arguments_ends_with_an_example(person, town):
    user = town.name()
    named = {name_of(row) for row in shown(person, town, "help all").splitlines()} - {None}
    assert {"send", "thread edit", "file put", "private start", "since"} <= named
    for name in sorted(named):
        lines = person.script([f"help {name}"], user, check=0).stdout.splitlines()
        assert len(lines) == 2 and lines[1].startswith(f"  for example: {name}"), (name, lines)


@pytest.mark.parametrize("typed, meant", [
    ("snd bob hi", "send"), ("hlep", "help"), ("mgs bob hi", "send"), ("qeury bob", "chat"), ("brodcast x", "broadcast"), ("massage bob hi", "send"),
    ("woh", "who"), ("qiut", "quit"), ("logotu", "logout"),
])
def test_a_mistyped_command_gets_a_suggestion(person, town, typed, meant):
    done = person.script([typed], town.name(), check=2)
    assert f"did you mean {meant}?" in done.stderr


@pytest.mark.parametrize("typed", ["hi", "xy", "good morning everybody", "ok"])
def test_what_resembles_no_command_gets_none(person, town, typed):
    done = person.script([typed], town.name(), check=2)
    assert "did you mean" not in done.stderr and "help lists them" in done.stderr


@pytest.mark.parametrize("typed, meant", [("thread raed x", "thread read"), ("file putt a b", "file put")])
def test_a_mistyped_second_word_gets_a_suggestion(person, town, typed, meant):
    done = person.script([typed], town.name(), check=2)
    assert f"did you mean {meant}?" in done.stderr


def test_the_first_word_of_several_names_lists_the_second_ones(person, town):
    done = person.script(["thread"], town.name(), check=2)
    assert "thread what? list, create, read" in done.stderr


def test_a_usage_error_says_that_blanks_need_quotes(person, town):
    done = person.script(["thread create a b"], town.name(), check=2)
    assert 'usage: thread create T; what has blanks in it is quoted: "' in done.stderr
    done = person.script(["who is there"], town.name(), check=2)
    assert done.stderr.rstrip().endswith("usage: who")


@pytest.mark.parametrize("word", ["exit", "bye", "quit", "EXIT"])
def test_other_words_for_leaving(terminal, word):
    terminal.enter(word)
    terminal.wait_exit(0)


def test_a_question_mark_is_help(terminal):
    terminal.enter("?")
    terminal.wait_for("a command begins with /")


@pytest.mark.parametrize("line, command", [("who", "who"), ("exit", "quit"), ("thread list", "thread list"),
                                           ("  blocked ", "blocked")])
def test_a_message_that_is_exactly_a_command_gets_a_hint(terminal, town, line, command):
    friend = town.join()
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    terminal.enter(line)
    friend.wait_text(line)
    terminal.wait_for(f"that went to {friend.user}; the command is /{command}")


@pytest.mark.parametrize("line", ["who is there", "send me the plan", "?", "exits"])
def test_a_message_that_is_more_than_a_command_gets_no_hint(terminal, town, line):
    friend = town.join()
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    terminal.enter(line)
    friend.wait_text(line)
    terminal.enter("/ping")
    terminal.wait_match(r"answered in \d+ ms")
    assert "the command is" not in terminal.text()
