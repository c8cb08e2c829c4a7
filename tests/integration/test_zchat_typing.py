"""zchat in a terminal: what is typed is never disturbed by what arrives."""

import os

import pytest

from zchat_terminal import Person, Terminal

LONG = "send someone a line that is certainly longer than one row of this narrow terminal, 日本語 too"


@pytest.fixture
def scene(town, tmp_path):
    """Somebody's terminal, logged in, and a friend who writes: (terminal, friend, user)."""
    user = town.name()
    friend = town.join()
    person = Person(town.broker, tmp_path, town.keys)
    with Terminal(person.command(user, "--presence", "off"), person.environment) as terminal:
        terminal.wait_last("zchat>")
        yield terminal, friend, user


def test_a_short_line_stays_as_it_is(scene):
    terminal, friend, user = scene
    terminal.type("send bob half a sen")
    terminal.wait_last("zchat> send bob half a sen")
    friend.message(user, "knock knock")
    terminal.wait_for(f"{friend.user}: knock knock")
    terminal.wait_last("zchat> send bob half a sen")
    terminal.type("tence")
    terminal.wait_last("zchat> send bob half a sentence")
    assert terminal.text().count("half a sen") == 1


def test_a_wrapped_line_with_wide_characters_stays_as_it_is(scene):
    terminal, friend, user = scene
    terminal.type(LONG)
    terminal.wait_last("zchat> " + LONG)
    for number in range(5):
        friend.message(user, f"message {number}, and so long that it takes more than one row itself")
    terminal.wait_for("message 4")
    terminal.wait_last("zchat> " + LONG)
    assert terminal.text().count("certainly longer") == 1
    for number in range(5):
        assert terminal.text().count(f"{friend.user}: message {number}") == 1


def test_the_cursor_stays_where_it_is(scene):
    terminal, friend, user = scene
    terminal.type(LONG)
    terminal.wait_last("zchat> " + LONG)
    terminal.key("Home")
    friend.message(user, "anything")
    terminal.wait_for(f"{friend.user}: anything")
    terminal.type("X")
    terminal.wait_last("zchat> X" + LONG)
    assert terminal.cursor()[0] == len("zchat> X")


def test_a_full_row_stays_as_it_is(scene):
    terminal, friend, user = scene
    full = "x" * (60 - len("zchat> "))
    terminal.type(full)
    terminal.wait_last("zchat> " + full)
    friend.message(user, "at the margin")
    terminal.wait_for(f"{friend.user}: at the margin")
    terminal.type("yz")
    terminal.wait_last("zchat> " + full + "yz")
    assert terminal.text().count(full) == 1


def test_a_search_in_the_history_goes_on(scene):
    terminal, friend, user = scene
    terminal.enter("help who")
    terminal.wait_for("who is online")
    terminal.key("C-r")
    terminal.type("lp w")
    terminal.wait_last("(reverse-i-search)`lp w': help who")
    friend.message(user, "while searching")
    terminal.wait_for(f"{friend.user}: while searching")
    terminal.wait_last("(reverse-i-search)`lp w': help who")
    terminal.type("ho")
    terminal.wait_last("(reverse-i-search)`lp who': help who")
    terminal.key("C-e")
    terminal.wait_last("zchat> help who")


def test_the_prompt_changes_only_after_a_search(scene, town):
    terminal, friend, user = scene
    terminal.enter(f"chat {town.name()}")
    terminal.wait_match("^user.*> $|^user.*>$")
    terminal.key("C-r")
    terminal.wait_match(r"^\(reverse-i-search\)`': *$")
    friend.message(user, "unread")
    terminal.wait_for(f"{friend.user}: unread")
    assert terminal.last().startswith("(reverse-i-search)`'"), terminal.text()
    terminal.key("C-g")
    terminal.wait(lambda: terminal.last().startswith(f"[{friend.user}:1] user."), "the count")


@pytest.mark.parametrize("columns", [40, 90, 33])
def test_a_resized_line_stays_as_it_is(scene, columns):
    terminal, friend, user = scene
    terminal.type(LONG)
    terminal.wait_last("zchat> " + LONG)
    terminal.resize(columns)
    terminal.type("!")
    terminal.wait_last("zchat> " + LONG + "!")
    friend.message(user, "after it")
    terminal.wait_for(f"{friend.user}: after it")
    terminal.wait_last("zchat> " + LONG + "!")
    assert terminal.text().count("certainly longer") == 1
    assert "help lists the commands" in terminal.text()


def test_a_pasted_text_of_two_lines_is_one_message(scene):
    terminal, friend, user = scene
    terminal.tmux("set-buffer", f"send {friend.user} one\ntwo")
    terminal.tmux("paste-buffer", "-p", "-r")
    terminal.wait_for("two")
    terminal.key("Enter")
    friend.wait_text("one\ntwo")


def test_tab_completes_commands_and_names(scene, town):
    terminal, friend, user = scene
    terminal.type("broad")
    terminal.key("Tab")
    terminal.wait_last("zchat> broadcast")
    terminal.key("C-u")
    stem, last = friend.user[:-1], friend.user[-1]
    terminal.enter("who")
    terminal.wait_match(f"^{friend.user}$")
    terminal.type("send u")
    terminal.key("Tab")
    terminal.type("hi")
    terminal.wait_last(f"zchat> send {stem}{last} hi")


def test_tab_lists_what_fits_and_leaves_the_line(scene):
    terminal, friend, user = scene
    terminal.type("re")
    terminal.key("Tab", "Tab")
    terminal.wait_match("^receipts +recv +register +reply +retract +revoke$")
    terminal.wait_last("zchat> re")
    friend.message(user, "between two tabs")
    terminal.wait_for("between two tabs")
    terminal.type("g")
    terminal.key("Tab")
    terminal.wait_last("zchat> register")


def test_tab_offers_only_blocked_names_to_unblock(scene, town):
    terminal, friend, user = scene
    other = town.name()
    terminal.enter(f"block {other}")
    terminal.wait_for(f"{other} is blocked")
    terminal.type("unblock u")
    terminal.key("Tab")
    terminal.type("!")
    terminal.wait_last(f"zchat> unblock {other} !")


def test_ctrl_c_clears_the_line_and_twice_leaves(scene):
    terminal, friend, user = scene
    terminal.type("no, rather not")
    terminal.wait_last("zchat> no, rather not")
    terminal.key("C-c")
    terminal.wait_last("zchat>")
    terminal.enter("ping")
    terminal.wait_for("answered in")
    terminal.key("C-c")
    terminal.wait_for("another Ctrl-C leaves")
    terminal.key("C-c")
    terminal.wait_exit(130)


def test_ctrl_d_on_an_empty_line_leaves(scene):
    terminal, friend, user = scene
    terminal.type("x")
    terminal.key("C-a", "C-d")
    terminal.wait_last("zchat>")
    terminal.key("C-d")
    terminal.wait_exit(0)


def test_a_stopped_program_comes_back(town, tmp_path):
    user, friend = town.name(), town.join()
    person = Person(town.broker, tmp_path, town.keys)
    with Terminal(["bash", "--norc", "-i"], person.environment) as terminal:
        terminal.wait_for("bash-")
        terminal.enter(" ".join(person.command(user, "--presence", "off", "--server-key",
                                               "'" + town.broker.server_key + "'", known=False)))
        terminal.wait_last("zchat>")
        terminal.type("half")
        terminal.wait_last("zchat> half")
        terminal.key("C-z")
        terminal.wait_for("Stopped")
        friend.message(user, "while it slept")
        terminal.enter("fg")
        terminal.wait_for("while it slept")
        terminal.wait_last("zchat> half")
        terminal.type(" and half")
        terminal.wait_last("zchat> half and half")


def test_the_history_outlives_the_program(town, tmp_path):
    person = Person(town.broker, tmp_path, town.keys)
    command = person.command(town.name())
    with Terminal(command, person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.enter("help devices")
        terminal.wait_for("without a password")
        terminal.key("C-d")
        terminal.wait_exit(0)
    assert person.history.stat().st_mode & 0o777 == 0o600
    with Terminal(command, person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.key("Up")
        terminal.wait_last("zchat> help devices")


def test_a_damaged_line_of_the_history_does_not_come_back_as_another_one(town, tmp_path):
    person = Person(town.broker, tmp_path, town.keys)
    command = person.command(town.name())
    with Terminal(command, person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.enter("help devices")
        terminal.wait_for("without a password")
        terminal.key("C-d")
        terminal.wait_exit(0)
    with open(person.history, "ab") as history:
        history.write(b"broadcast all\0 of it\nwho\xff\n\n")
    with Terminal(command, person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.key("Up")
        terminal.wait_last("zchat> help devices")


def test_a_pipe_in_the_place_of_the_history_is_not_waited_for(town, tmp_path):
    person = Person(town.broker, tmp_path, town.keys)
    command = person.command(town.name())
    with Terminal(command, person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.enter("help devices")
        terminal.wait_for("without a password")
        terminal.key("C-d")
        terminal.wait_exit(0)
    path = person.history
    path.unlink()
    os.mkfifo(path, 0o600)
    with Terminal(command, person.environment) as terminal:
        terminal.wait_for("what you type is not kept for the next time")


def test_a_full_disk_is_told_once_and_leaves_no_half_lines_in_the_history(town, tmp_path):
    """The limit of the file's size stands for the disk: a short line fits, and half of a long one."""
    person = Person(town.broker, tmp_path, town.keys)
    command = person.command(town.name())
    limited = ["sh", "-c", 'trap "" XFSZ; ulimit -f 1; exec "$@"', "sh", *command]
    with Terminal(limited, person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.enter("help devices")
        terminal.wait_for("without a password")
        for number in range(3):
            terminal.enter(f"help {'x' * 1100}{number}")
            terminal.wait(lambda: terminal.text().count("there is no command") == number + 1, "the answer")
        terminal.enter("help who")
        terminal.wait_for("who is online")
        assert terminal.text().count("what you type is not kept for the next time") == 1
        terminal.key("C-d")
        terminal.wait_exit(0)
    assert person.history.read_text() == "help devices\nhelp who\n"
