"""zchat calls whoever is elsewhere: the bell, a command of theirs, their name marked in texts."""

import os
import re
import select
import subprocess
import time

import pytest

from support.patience import WAIT_S
from zchat_terminal import Person, Terminal, start_script

BELL = b"\a"
MARK = b"\x1b[7m"


@pytest.fixture
def user(town):
    return town.name()


@pytest.fixture
def friend(town):
    return town.join()


@pytest.fixture
def make_terminal(town, tmp_path):
    """Opens terminals, logged in; all end with the test."""
    opened = []

    def make(user, *options, **environment):
        person = Person(town.broker, tmp_path / f"terminal-{len(opened)}", town.keys)
        changes = [f"{name}={value}" for name, value in environment.items()]
        command = ["env", *changes,
                   *person.command(user, "--presence", "off", "--timestamps", "off", *options)]
        opened.append(Terminal(command, person.environment, columns=100))
        opened[-1].person = person
        opened[-1].wait_for(f"you are {user} at")
        return opened[-1]

    yield make
    for terminal in opened:
        terminal.close()


class Hook:
    """A command for --on-message that notes how it was called, and says so through a pipe."""

    def __init__(self, folder, then="true"):
        self.folder = folder
        folder.mkdir()
        os.mkfifo(folder / "told")
        self.told = os.open(folder / "told", os.O_RDWR)
        script = folder / "hook"
        script.write_text(f"""#!/bin/sh
cd {folder}
mkdir $$
cat > $$/text
tr '\\0' '\\n' < /proc/$$/cmdline > $$/words
env > $$/environment
echo noise; echo noise >&2; (echo noise > /dev/tty) 2> /dev/null
echo $$ > told
{then}
""")
        script.chmod(0o755)
        self.command = str(script)
        self.pids = []

    def _call(self, pid):
        folder = self.folder / str(pid)
        lines = (folder / "environment").read_text().splitlines()
        call = dict(line.split("=", 1) for line in lines if line.startswith("ZCHAT_MESSAGE_"))
        return call | {name: (folder / name).read_text() for name in ("text", "words")}

    def wait(self, count):
        """Waits for so many calls in all; what each got: its variables, "text" and "words"."""
        while len(self.pids) < count:
            assert select.select([self.told], [], [], WAIT_S)[0], f"{len(self.pids)} calls"
            self.pids += [int(pid) for pid in os.read(self.told, 4096).split()]
        return [self._call(pid) for pid in self.pids]


def bells(terminal):
    return terminal.raw.count(BELL)


def shown(terminal, text):
    """The text is on the screen, and all output up to it was looked at."""
    terminal.wait_for(text)
    terminal.wait(lambda: text.encode() in terminal.raw, "the output")


def test_a_message_rings_once_and_a_burst_once(make_terminal, user, friend):
    terminal = make_terminal(user)
    for number in range(20):
        friend.message(user, f"message {number}.")
    shown(terminal, "message 19.")
    terminal.wait(lambda: bells(terminal) == 1, "the bell")
    terminal.enter("who")
    terminal.wait_match(f"^{friend.user}$")
    friend.message(user, "after a typed line")
    terminal.wait(lambda: bells(terminal) == 2, "another bell")


def test_no_bell_for_the_open_conversation_but_for_others(make_terminal, town, user, friend):
    terminal = make_terminal(user)
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    friend.message(user, "in the conversation")
    shown(terminal, "in the conversation")
    assert bells(terminal) == 0
    other = town.join()
    other.message(user, "from elsewhere")
    terminal.wait(lambda: bells(terminal) == 1, "the bell")


@pytest.mark.parametrize("text, rings", [("to {}: come", True), ("to {}x", False)])
def test_a_broadcast_rings_if_it_mentions_me(make_terminal, user, friend, text, rings):
    terminal = make_terminal(user)
    friend.broadcast(text.format(user.upper()))
    shown(terminal, "(to all)")
    friend.broadcast("the last one")
    shown(terminal, "the last one")
    assert bells(terminal) == rings


def test_a_post_in_a_followed_thread_rings_if_it_mentions_me(make_terminal, town, user):
    terminal, title, poster = make_terminal(user), town.fresh_name(), town.name()
    script = Person(town.broker, terminal.person.folder / "poster", town.keys)
    script.script([f"CRT {title}"], poster, check=0)
    terminal.enter(f"thread follow {title}")
    terminal.wait_for("from now on")
    terminal.enter(f"MSG {title} I am {user} myself")
    terminal.wait_for("posted as 1")
    script.script([f"MSG {title} nobody"], poster, check=0)
    shown(terminal, "nobody")
    assert bells(terminal) == 0
    script.script([f"MSG {title} ask {user}."], poster, check=0)
    shown(terminal, "ask ")
    terminal.wait(lambda: bells(terminal) == 1, "the bell")


def test_an_invitation_rings_even_in_a_conversation(make_terminal, town, user, tmp_path):
    terminal, inviter = make_terminal(user), town.name()
    terminal.enter(f"chat {inviter}")
    terminal.wait_last(f"{inviter}>")
    person = Person(town.broker, tmp_path / "inviter", town.keys)
    with start_script(person, inviter) as script:
        script.stdin.write(f"private start {user}\n")
        script.stdin.flush()
        shown(terminal, "invites you")
        terminal.wait(lambda: bells(terminal) == 1, "the bell")
        script.kill()


def test_what_was_missed_rings_once_and_runs_nothing(make_terminal, town, user, friend, tmp_path):
    hook = Hook(tmp_path / "hook")
    for number in range(30):
        friend.message(user, f"missed {number}.")
    terminal = make_terminal(user, "--on-message", hook.command)
    shown(terminal, "end of what you missed")
    terminal.wait(lambda: bells(terminal) == 1, "the bell")
    friend.message(user, "after that")
    call, = hook.wait(1)
    assert call["text"] == "after that"


def test_no_bell_without_the_wish_or_with_dnd(make_terminal, town, user, friend, tmp_path):
    hook = Hook(tmp_path / "hook")
    silent = make_terminal(user, "--bell", "off")
    terminal = make_terminal(user, "--on-message", hook.command)
    terminal.enter("dnd on")
    terminal.wait_for("you are not disturbed")
    friend.message(user, "in vain")
    shown(terminal, "in vain")
    shown(silent, "in vain")
    terminal.enter("dnd maybe")
    terminal.wait_for('dnd wants on or off, not "maybe"')
    terminal.enter("dnd")
    terminal.wait(lambda: terminal.text().count("you are not disturbed") == 2, "the state")
    assert bells(terminal) == 0
    terminal.enter("dnd OFF")
    terminal.wait_for("you are called")
    friend.message(user, "heard again")
    terminal.wait(lambda: bells(terminal) == 1, "the bell")
    call, = hook.wait(1)
    assert call["text"] == "heard again"
    shown(silent, "heard again")
    assert bells(silent) == 0


def test_the_command_gets_the_text_and_who_sent_it(make_terminal, user, friend, tmp_path):
    hook = Hook(tmp_path / "hook")
    terminal = make_terminal(user, "--on-message", hook.command)
    text = "$(touch /tmp/x) `id` \"'\n日本語 " + "x" * 9000
    friend.message(user, text)
    call, = hook.wait(1)
    assert call["text"] == text and "日本語" not in call["words"] and "xxx" not in call["words"]
    assert (call["ZCHAT_MESSAGE_KIND"], call["ZCHAT_MESSAGE_FROM"], call["ZCHAT_MESSAGE_TO"],
            call["ZCHAT_MESSAGE_THREAD"]) == ("message", friend.user, user, "")
    assert abs(int(call["ZCHAT_MESSAGE_TIME"]) - time.time()) < 60
    friend.broadcast(f"hello {user}")
    assert sorted(call["ZCHAT_MESSAGE_KIND"] for call in hook.wait(2)) == ["broadcast", "message"]
    terminal.enter("dnd")
    shown(terminal, "you are called")
    assert "noise" not in terminal.text()


def is_running(pid):
    try:
        return open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


def children(terminal):
    """The children of zchat: {pid: state}."""
    shell = terminal.tmux("display-message", "-p", "#{pane_pid}").strip()
    zchat, = subprocess.run(["pgrep", "-P", shell, "-x", "zchat"], capture_output=True,
                            text=True).stdout.split()
    lines = subprocess.run(["ps", "-o", "pid=,state=", "--ppid", zchat], capture_output=True,
                           text=True).stdout.splitlines()
    return zchat, dict(line.split() for line in lines)


def test_few_commands_run_at_once_and_none_is_left(make_terminal, user, friend, tmp_path):
    hook = Hook(tmp_path / "hook", "exec sleep 1000")
    terminal = make_terminal(user, "--on-message", hook.command)
    for number in range(10):
        friend.message(user, f"message {number}.")
    hook.wait(4)
    shown(terminal, "message 9.")
    terminal.enter("help quit")
    terminal.wait_for("log out and leave")
    assert len(hook.pids) == 4 and len(children(terminal)[1]) == 4
    hook.wait(8)  # those that hang are ended
    shown(terminal, "the command of --on-message: it was ended after 10 s")
    terminal.key("C-d")
    terminal.wait_exit(0)
    assert not any(is_running(pid) for pid in hook.pids)


def test_more_than_can_wait_are_told(make_terminal, user, friend, tmp_path):
    hook = Hook(tmp_path / "hook", "exec sleep 1000")
    terminal = make_terminal(user, "--on-message", hook.command)
    for number in range(50):
        friend.message(user, f"message {number}.")
    shown(terminal, "message 49.")
    assert terminal.text().count("it was not run for some messages") == 1


def test_a_command_that_fails_is_told_once_and_leaves_no_zombie(make_terminal, user, friend,
                                                               tmp_path):
    hook = Hook(tmp_path / "hook", "exit 3")
    terminal = make_terminal(user, "--on-message", hook.command)
    for number in range(12):
        friend.message(user, f"message {number}.")
    hook.wait(12)
    shown(terminal, "the command of --on-message: it ended with status 3")
    terminal.wait(lambda: children(terminal)[1] == {}, "the end of all children")
    terminal.enter("dnd")
    shown(terminal, "you are called")
    assert terminal.text().count("it ended with status 3") == 1


def test_a_command_that_is_not_there_is_told(make_terminal, user, friend):
    terminal = make_terminal(user, "--on-message", "/nowhere/hook")
    friend.message(user, "hello")
    shown(terminal, "the command of --on-message: it ended with status 127")


def test_an_empty_command_is_refused(town, user, tmp_path):
    done = Person(town.broker, tmp_path, town.keys).script([], user, "--on-message", "")
    assert done.returncode == 2 and "on-message" in done.stderr


# ---- one's own name in texts ----

def test_my_name_is_marked_where_it_is_a_word(make_terminal, user, friend):
    terminal = make_terminal(user)
    friend.message(user, f"{user.upper()} and x{user}, {user}さん\n{user}: é{user}")
    shown(terminal, f"é{user}")
    marked = re.findall(rb"\x1b\[7m([^\x1b]*)\x1b\[0m", terminal.raw)
    assert marked == [user.upper().encode(), user.encode(), user.encode()]


@pytest.mark.parametrize("environment", [{"TERM": "dumb"}, {"NO_COLOR": "1"}])
def test_nothing_is_marked_where_no_colours_are(make_terminal, user, friend, environment):
    terminal = make_terminal(user, **environment)
    friend.message(user, f"hello {user}")
    shown(terminal, f"hello {user}")
    terminal.wait(lambda: bells(terminal) == 1, "the bell")
    assert MARK not in terminal.raw


def test_neither_bell_nor_mark_goes_into_a_file(town, user, friend, tmp_path):
    person, log = Person(town.broker, tmp_path, town.keys), tmp_path / "log"
    words = " ".join(f"'{word}'" for word in person.command(user))
    with Terminal(["sh", "-c", f"{words} > {log}"], person.environment) as terminal:
        terminal.wait_last("zchat>")
        friend.message(user, f"hello {user}")
        terminal.enter(f"send {friend.user} typed")
        friend.wait_text("typed")
        terminal.key("C-d")
        terminal.wait_exit(0)
    assert f"hello {user}\n".encode() in log.read_bytes()
    assert BELL not in log.read_bytes() and b"\x1b" not in log.read_bytes()


def cpu_seconds(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def test_a_text_of_very_many_lines_is_no_work(make_terminal, user, friend):
    terminal = make_terminal(user)
    pid = children(terminal)[0]
    before = cpu_seconds(pid)
    for number in range(10):
        friend.message(user, "\n" * 16000 + f"end {number}.")
    shown(terminal, "end 9.")
    assert cpu_seconds(pid) - before < 2
