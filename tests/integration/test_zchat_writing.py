"""zchat and what is being written: newlines in a text, the user's editor, a line that is kept."""

import os
import signal
import subprocess

import pytest

from zchat_terminal import Person, Terminal


@pytest.fixture
def open_line(town, tmp_path):
    """Opens a terminal, logged in, with a friend: (terminal, friend, user)."""
    opened = []

    def start(*options, columns=80, rows=24, **environment):
        user, friend = town.name(), town.join()
        person = Person(town.broker, tmp_path / f"person-{len(opened)}", town.keys, **environment)
        command = person.command(user, "--presence", "off", "--timestamps", "off", *options)
        terminal = Terminal(command, person.environment, columns=columns, rows=rows)
        opened.append(terminal)
        terminal.wait_last("zchat>")
        return terminal, friend, user

    yield start
    for terminal in opened:
        terminal.close()


class Editor:
    """An editor of which each test says what it does: `script` is for sh, with the file as $1."""

    def __init__(self, folder, script):
        self.temporary = folder / "temporary"
        self.temporary.mkdir()
        path = folder / "editor"
        path.write_text(f"#!/bin/sh\n{script}\n")
        path.chmod(0o755)
        self.environment = {"VISUAL": str(path), "TMPDIR": str(self.temporary)}

    def left(self):
        return list(self.temporary.iterdir())


# ---- several rows in one text ----

@pytest.mark.parametrize("key", ["C-j", "M-Enter"])
def test_a_key_begins_a_new_row_and_enter_sends_all(open_line, key):
    terminal, friend, _ = open_line()
    terminal.type(f"send {friend.user} one")
    terminal.wait_last(f"zchat> send {friend.user} one")
    terminal.key(key)
    terminal.wait(lambda: terminal.cursor()[0] == 0, "the new row")
    terminal.type("two")
    terminal.wait_last("two")
    terminal.key("Enter")
    friend.wait_text("one\ntwo")
    assert friend.texts() == ["one\ntwo"]


def test_a_newline_typed_in_haste_begins_a_row(open_line):
    """Keys that come together, on a slow connection, are not a line: some came before."""
    terminal, friend, _ = open_line()
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    terminal.type("o")
    terminal.wait_last(f"{friend.user}> o")
    terminal.type("ne\ntwo\nthree")
    terminal.wait_last("three")
    terminal.key("Enter")
    friend.wait_text("one\ntwo\nthree")


@pytest.mark.parametrize("ending", ["\n", "\r"])
def test_lines_that_come_together_are_lines(open_line, ending):
    terminal, friend, _ = open_line()
    terminal.type(f"send {friend.user} one{ending}send {friend.user} two{ending}")
    friend.wait_text("two")
    assert friend.texts() == ["one", "two"]


def test_lines_typed_ahead_before_the_start_are_lines(town, tmp_path):
    """The shell's terminal makes a newline of each Enter."""
    user, friend = town.name(), town.join()
    person = Person(town.broker, tmp_path, town.keys)
    go = tmp_path / "go"
    os.mkfifo(go)
    command = ["sh", "-c", f"echo ready; read go < {go}; exec \"$@\"", "sh", *person.command(user)]
    with Terminal(command, person.environment) as terminal:
        terminal.wait_for("ready")
        terminal.enter(f"send {friend.user} typed ahead")
        terminal.wait_for("typed ahead")
        go.write_text("go\n")
        friend.wait_text("typed ahead")


def test_a_newline_ends_an_answer(town, tmp_path):
    user = town.name()
    person = Person(town.broker, tmp_path, town.keys)
    with Terminal(person.command(), person.environment) as terminal:
        terminal.wait_last("name:")
        terminal.type(user)
        terminal.wait_last(f"name: {user}")
        terminal.key("C-j")
        terminal.wait_for(f"you are {user} at")


def test_pasted_rows_are_one_text_whatever_ends_them(open_line):
    terminal, friend, _ = open_line()
    terminal.tmux("set-buffer", f"send {friend.user} one\ntwo\nthree")
    terminal.tmux("paste-buffer", "-p", "-r")
    terminal.wait_last("three")
    assert friend.texts() == []
    terminal.key("Enter")
    friend.wait_text("one\ntwo\nthree")


# ---- the editor ----

def test_the_editor_gets_the_line_and_gives_it_back(open_line, tmp_path):
    editor = Editor(tmp_path, f"""
        stat -c '%a %F' "$1" "$(dirname "$1")" > {tmp_path}/modes
        cp "$1" {tmp_path}/text
        printf 'draft' > "$1~"
        printf 'edited 日本語\\n\\nlast\\n' > "$1"; test -t 0 && test -t 1 && test -t 2""")
    terminal, friend, _ = open_line(**editor.environment)
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    terminal.type("a draft")
    terminal.wait_last(f"{friend.user}> a draft")
    terminal.key("C-x", "C-e")
    terminal.wait_for("edited 日本語")
    terminal.wait_last("last")
    assert (tmp_path / "text").read_text() == "a draft\n"
    assert (tmp_path / "modes").read_text() == "600 regular file\n700 directory\n"
    assert editor.left() == [] and friend.texts() == []
    terminal.type("!")
    terminal.key("Enter")
    friend.wait_text("edited 日本語\n\nlast!")


@pytest.mark.parametrize("script, told", [
    ("printf '\\377' > \"$1\"", "the text is not UTF-8; the line is as it was"),
    ("printf 'a\\000b' > \"$1\"", "the text is not UTF-8; the line is as it was"),
    ("head -c 70000 /dev/zero | tr '\\0' x > \"$1\"",
     "the text has more than 64 KiB; the line is as it was"),
    ("rm \"$1\"", "the editor left no text; the line is as it was"),
    ("rm \"$1\"; mkfifo \"$1\"", "the editor left no text; the line is as it was"),
    ("rm \"$1\"; ln -s /etc/passwd \"$1\"", "the editor left no text; the line is as it was"),
    ("echo lost > \"$1\"; exit 3", "ended with status 3; the line is as it was"),
    ("kill -9 $$", "; the line is as it was"),
])
def test_what_goes_wrong_in_the_editor_leaves_the_line(open_line, tmp_path, script, told):
    editor = Editor(tmp_path, script)
    terminal, friend, _ = open_line(**editor.environment)
    terminal.type(f"send {friend.user} kept")
    terminal.wait_last(f"zchat> send {friend.user} kept")
    terminal.key("C-x", "C-e")
    terminal.wait(lambda: told in terminal.text().replace("\n", ""), told)
    terminal.wait_last(f"zchat> send {friend.user} kept")
    assert editor.left() == []
    terminal.key("Enter")
    friend.wait_text("kept")


def test_an_editor_that_is_not_there_is_told(open_line, tmp_path):
    terminal, _, _ = open_line(VISUAL="/nowhere/editor")
    terminal.type("kept")
    terminal.key("C-x", "C-e")
    terminal.wait_for('the editor "/nowhere/editor" ended with status 127')
    terminal.wait_last("zchat> kept")


def test_no_place_for_the_text_is_told(open_line):
    terminal, _, _ = open_line(VISUAL="true", TMPDIR="/nowhere")
    terminal.type("kept")
    terminal.key("C-x", "C-e")
    terminal.wait_for("there is no place for the text (/nowhere/zchat-")
    terminal.wait_last("zchat> kept")


def test_editor_may_have_options_and_an_empty_text_is_one(open_line, tmp_path):
    editor = Editor(tmp_path, '[ "$1" = --wait ] && : > "$2"')
    environment = dict(editor.environment, VISUAL=editor.environment["VISUAL"] + " --wait")
    terminal, _, _ = open_line(**environment)
    terminal.type("to be emptied")
    terminal.wait_last("zchat> to be emptied")
    terminal.key("C-x", "C-e")
    terminal.wait_last("zchat>")


def test_what_arrives_meanwhile_is_shown_afterwards(open_line, tmp_path):
    os.mkfifo(tmp_path / "go")
    editor = Editor(tmp_path, f"trap '' INT; printf 'EDITOR'; read go < {tmp_path}/go; echo edited > \"$1\"")
    terminal, friend, user = open_line(**editor.environment)
    terminal.key("C-x", "C-e")
    terminal.wait_for("EDITOR")
    for number in range(100):
        friend.message(user, f"meanwhile {number}.")
    terminal.key("C-c")  # is the editor's, which ignores it here
    terminal.resize(70, 20)
    assert "meanwhile" not in terminal.text()
    (tmp_path / "go").write_text("go\n")
    terminal.wait_for("meanwhile 99.")
    terminal.wait_last("zchat> edited")
    assert terminal.text().count("meanwhile") == 100


def test_the_end_of_zchat_ends_the_editor(open_line, tmp_path):
    editor = Editor(tmp_path, f"echo $$ > {tmp_path}/pid; echo EDITOR; exec sleep 1000")
    terminal, _, _ = open_line(**editor.environment)
    terminal.key("C-x", "C-e")
    terminal.wait_for("EDITOR")
    shell = terminal.tmux("display-message", "-p", "#{pane_pid}").strip()
    zchat = subprocess.run(["pgrep", "-P", shell, "-x", "zchat"], capture_output=True, text=True)
    os.kill(int(zchat.stdout), signal.SIGTERM)
    terminal.wait_exit(130)
    assert editor.left() == []
    status = subprocess.run(["ps", "-o", "state=", "-p", (tmp_path / "pid").read_text().strip()],
                            capture_output=True, text=True)
    assert status.stdout.strip() in ("", "Z")


def test_ctrl_z_in_the_editor_stops_both_and_they_go_on(town, tmp_path):
    editor = Editor(tmp_path, "echo EDITOR; kill -TSTP 0; echo edited > \"$1\"")
    user = town.name()
    person = Person(town.broker, tmp_path / "person", town.keys, **editor.environment)
    words = " ".join(f"'{word}'" for word in person.command(user, "--presence", "off"))
    with Terminal(["bash", "--norc", "-i"], person.environment) as terminal:
        terminal.wait_match("^bash")
        terminal.enter("PS1='shell$ '")
        terminal.wait_last("shell$")
        terminal.enter(words)
        terminal.wait_last("zchat>")
        terminal.key("C-x", "C-e")
        terminal.wait_match("Stopped")
        terminal.wait_last("shell$")
        terminal.enter("fg")
        terminal.wait_last("zchat> edited")


# ---- a line that is kept ----

def test_a_draft_survives_a_lost_connection(town_factory, tmp_path):
    town = town_factory(accounts=3)
    user = town.name()
    person = Person(town.broker, tmp_path, town.keys)
    with Terminal(person.command(user, "--presence", "off"), person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.type("half a li")
        terminal.wait_last("zchat> half a li")
        town.broker.kill()
        terminal.wait_last("[offline] zchat> half a li")
        terminal.type("ne")
        terminal.wait_last("[offline] zchat> half a line")
        town.broker.start(town.broker.port)
        terminal.wait_for("connected again", timeout=40)
        terminal.wait_last("zchat> half a line")


def test_a_draft_survives_a_question(town_factory, tmp_path):
    """The question comes when the broker is back, while the next line is being typed."""
    town = town_factory(accounts=3)
    user = town.name()
    town.broker.add_user("carol", password="open sesame 7")
    person = Person(town.broker, tmp_path, town.keys)
    with Terminal(person.command(user, "--presence", "off"), person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.enter("logout")
        terminal.wait_last("[logged out] zchat>")
        town.broker.kill()
        terminal.wait_last("[offline] zchat>")
        terminal.enter("login carol")
        terminal.wait_for("sent when it is back")
        terminal.type("a draft, 日本語")
        terminal.wait_last("[offline] zchat> a draft, 日本語")
        town.broker.start(town.broker.port)
        terminal.wait_last("carol's password:")
        terminal.enter("open sesame 7")
        terminal.wait_for("you are carol at")
        terminal.wait_last("zchat> a draft, 日本語")
        terminal.key("BSpace")
        terminal.wait_last("zchat> a draft, 日本")
        assert terminal.text().count("connected again") == 1
        town.broker.kill()
        terminal.wait_last("[offline] zchat> a draft, 日本")
        assert terminal.text().count("connection lost") == 2
