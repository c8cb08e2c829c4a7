"""zchat with a pipe on stdin: commands one after the other, plain output, exit codes."""

import os
import shlex
import signal
import subprocess

import pytest

from support.broker import program
from zchat_terminal import SCRIPT_S, Person, start_script
from zmq_cli import assert_help_in_one_voice, assert_one_voice

PASSWORD = "correct horse 42"


@pytest.fixture
def person(town, tmp_path):
    """Somebody whose device the town's accounts trust."""
    return Person(town.broker, tmp_path / "known", town.keys)


@pytest.fixture
def stranger(town, tmp_path):
    """Somebody whose device nobody knows."""
    return Person(town.broker, tmp_path / "stranger")


@pytest.fixture
def watcher(town):
    """Somebody who sees who comes and goes."""
    return town.join(public_events=True)


def begin(script):
    """Its first line, which makes it log in."""
    script.stdin.write("ping\n")
    script.stdin.flush()


def test_commands_run_in_order_and_the_session_ends_with_the_script(person, town, watcher):
    user, friend = town.name(), watcher
    lines = [f"send {friend.user} number {n}" for n in range(50)]
    done = person.script([*lines, "# a comment", "", "who"], user, check=0)
    friend.wait_text("number 49")
    assert friend.texts() == [f"number {n}" for n in range(50)]
    assert done.stdout == f"{friend.user}\n"
    assert done.stderr == ""
    friend.wait_presence(user, False)


def test_an_empty_script_shows_what_was_missed(person, town):
    user, friend = town.name(), town.join()
    friend.message(user, "for later\nand more")
    done = person.script([], user, check=0)
    assert done.stdout.splitlines() == ["— while you were away: 1 message —",
                                        f"{friend.user}: for later", "        and more",
                                        "— end of what you missed —"]
    assert person.script([], user, check=0).stdout == ""


@pytest.mark.parametrize("lines, status", [
    (["since never"], 2),
    (["since 99999999999999999999"], 2),
    (["no-such-command"], 2),
    (["send"], 2),
    (["send {self} hello"], 2),
    (["revoke 77"], 5),
    (["send no.such.user hello"], 5),
    (["close"], 5),
    (["block {friend}", "send {friend} hello"], 6),
    (["block {friend}", "block {friend}"], 7),
    (["ping", "login"], 7),
    (["recv 1 1"], 124),
])
def test_a_failure_gives_its_exit_code_and_line(person, town, lines, status):
    user, friend = town.name(), town.join()
    lines = [line.format(self=user, friend=friend.user) for line in lines]
    done = person.script([*lines, "ping"], user, check=status)
    assert done.stderr.startswith(f"zchat: line {len(lines)}: "), done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "answered in" in done.stdout


def test_the_first_failure_decides(person, town):
    done = person.script(["send no.such.user hello", "since x"], town.name(), check=5)
    assert [line[:14] for line in done.stderr.splitlines()] == ["zchat: line 1:", "zchat: line 2:"]


def test_a_new_account_by_script(stranger, town):
    name, friend = town.fresh_name(), town.join()
    secret = stranger.password_file(PASSWORD)
    done = stranger.script([f"register {name}", f"send {friend.user} new here"], None,
                           "--password-file", secret, check=0)
    friend.wait_text("new here")
    assert PASSWORD not in done.stdout + done.stderr
    stranger.script([f"register {name}"], None, "--password-file", secret, check=7)
    stranger.script(["devices"], name, check=0)


def test_a_wrong_password_ends_the_script(stranger, town):
    secret = stranger.password_file("wrong")
    done = stranger.script(["ping"], town.name(), "--password-file", secret, check=4)
    assert done.stdout == "" and done.stderr.startswith("zchat: wrong name or password")


def test_no_password_is_never_asked_for(stranger, town):
    done = stranger.script(["ping"], town.name(), check=4)
    assert "--password-file" in done.stderr
    stranger.script(["ping"], town.name(), "--password-file", "/nonexistent", check=3)


def test_changing_the_password_by_script(stranger, town):
    name = town.fresh_name()
    old = stranger.password_file(PASSWORD)
    new = stranger.password_file("another 43", "new-password")
    stranger.script([f"register {name}", f"passwd {new}"], None, "--password-file", old,
                    "--no-trust", check=0)
    stranger.script([], name, "--password-file", old, check=4)
    stranger.script([], name, "--password-file", new, check=0)


def test_commands_before_a_login_are_refused(person):
    done = person.script(["ping", "who"], None, check=4)
    assert done.stderr.startswith("zchat: line 2: ")


def test_login_as_one_after_the_other(person, town):
    alice, bob = town.names(2)
    friend = town.join()
    person.script([f"login {alice}", f"send {friend.user} a", "logout", f"login {bob}",
                   f"send {friend.user} b"], None, check=0)
    friend.wait_text("b")
    assert [event.message.sender for event in friend.inbox] == [alice, bob]


def test_a_conversation_by_script(person, town):
    friend = town.join()
    person.script([f"chat {friend.user}", "hello there", "/close", "ping"], town.name(), check=0)
    friend.wait_text("hello there")


def test_recv_waits_for_messages(person, town):
    user, friend = town.name(), town.join()
    script = start_script(person, user)
    script.stdin.write(f"send {friend.user} ready\nrecv 2 30\nsend {friend.user} done\n")
    script.stdin.close()
    friend.wait_text("ready")
    friend.message(user, "one")
    assert "done" not in friend.texts()
    friend.message(user, "two")
    friend.wait_text("done")
    assert script.wait(SCRIPT_S) == 0
    assert script.stdout.read() == f"{friend.user}: one\n{friend.user}: two\n"


def test_output_comes_at_once(person, town, watcher):
    user, friend = town.name(), watcher
    script = start_script(person, user)
    begin(script)
    friend.wait_presence(user, True)
    friend.message(user, "early")
    assert f"{friend.user}: early\n" in (script.stdout.readline(), script.stdout.readline())
    script.stdin.close()
    assert script.wait(SCRIPT_S) == 0


def test_a_broken_pipe_ends_it_quietly(person, town, watcher):
    user, friend = town.name(), watcher
    reader, writer = os.pipe()
    script = start_script(person, user, stdout=writer)
    os.close(writer)
    begin(script)
    friend.wait_presence(user, True)
    os.close(reader)
    friend.message(user, "nobody reads this")
    assert script.wait(SCRIPT_S) == 0
    assert script.stderr.read() == ""
    friend.wait_presence(user, False)
    again = person.script([], user, check=0)
    assert "nobody reads this" in again.stdout


def test_an_interrupt_ends_it(person, town, watcher):
    user, friend = town.name(), watcher
    script = start_script(person, user)
    begin(script)
    friend.wait_presence(user, True)
    script.send_signal(signal.SIGINT)
    assert script.wait(SCRIPT_S) == 130
    friend.wait_presence(user, False)


def test_an_unknown_broker_is_not_trusted_unasked(stranger):
    done = stranger.script(["ping"], None, known=False, check=3)
    assert "--trust-new" in done.stderr
    stranger.script(["ping"], None, "--trust-new", known=False, check=0)
    stranger.script(["ping"], None, known=False, check=0)


def test_no_broker_there(stranger):
    done = subprocess.run([program("zchat"), "127.0.0.1:1"], input="ping\n", text=True,
                          capture_output=True, timeout=SCRIPT_S, env=stranger.environment)
    assert done.returncode == 3
    assert "127.0.0.1:1" in done.stderr


def test_a_line_that_is_too_long(person, town):
    done = person.script(["send bob " + "x" * 200000, "ping"], town.name(), check=2)
    assert done.stderr.startswith("zchat: line 1: ")
    assert len(done.stderr.splitlines()) == 1 and "answered in" in done.stdout


def run_bytes(person, user, script):
    return subprocess.run(person.command(user), input=script, capture_output=True,
                          timeout=SCRIPT_S, env=person.environment)


@pytest.mark.parametrize("text, says", [
    (b"first\0second", b"NUL byte"), (b"\0", b"NUL byte"), (b"caf\xe9", b"not UTF-8"),
    (b"\xed\xa0\x80", b"not UTF-8"), (b"cut \xf0\x9f\x91", b"not UTF-8")])
def test_a_line_that_is_no_text_is_not_sent(person, town, text, says):
    friend = town.join()
    script = b"send %s %s\nsend %s last\n" % (friend.user.encode(), text, friend.user.encode())
    done = run_bytes(person, town.name(), script)
    friend.wait_text("last")
    assert friend.texts() == ["last"]
    assert done.returncode == 2 and done.stderr.startswith(b"zchat: line 1: ") and says in done.stderr


def test_a_comment_or_a_blank_line_with_a_nul_byte_is_refused(person, town):
    for line in (b"# a\0b\n", b" \0\n", b"\0"):
        assert run_bytes(person, town.name(), line).returncode == 2


def test_a_byte_order_mark_and_line_ends_of_other_systems_are_passed_over(person, town):
    friend = town.join()
    done = run_bytes(person, town.name(), b"\xef\xbb\xbfsend %s hi\r\nping\r\n" % friend.user.encode())
    friend.wait_text("hi")
    assert done.returncode == 0 and friend.texts() == ["hi"]


def test_escape_sequences_in_a_script_reach_nobody(person, town):
    friend = town.join()
    run_bytes(person, town.name(), b"send %s \x1b[31mred\x1b[0m\x07\n" % friend.user.encode())
    friend.wait_text("red")


@pytest.mark.parametrize("secret, status, says", [
    (PASSWORD + "\r\n", 0, ""), ("\ufeff" + PASSWORD + "\n", 0, ""), (PASSWORD, 0, ""),
    (PASSWORD + "\n\n", 0, ""), (PASSWORD + "\0\n", 3, "NUL"), ("\n", 3, "empty"),
    ("", 3, "empty"), ("x" * 5000, 3, "long")])
def test_password_files_are_read_as_by_all_programs(stranger, town, secret, status, says):
    name, path = town.fresh_name(), stranger.password_file(PASSWORD)
    stranger.script([f"register {name}"], None, "--password-file", path, "--no-trust", check=0)
    path.write_bytes(secret.encode())
    done = stranger.script(["ping"], name, "--password-file", path, "--no-trust", check=status)
    assert says in done.stderr


# ---- descriptors ----


def shell(person, user, redirection, script="ping\n"):
    words = " ".join(shlex.quote(word) for word in person.command(user))
    return subprocess.run(["sh", "-c", f"{words} {redirection}"], input=script, text=True,
                          capture_output=True, timeout=SCRIPT_S, env=person.environment)


@pytest.mark.parametrize("redirection, says", [
    ("<&-", "standard input is closed"), (">&-", "standard output is closed"),
    ("<&- >&-", "standard input is closed"), ("> /dev/full", "cannot write to standard output"),
    ("< /", "cannot read the script")])
def test_a_missing_stream_is_an_error_with_a_text(person, town, redirection, says):
    done = shell(person, town.name(), redirection)
    assert done.returncode == 3, done
    assert done.stderr.startswith("zchat: ") and says in done.stderr
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("option", ["--help", "--version"])
@pytest.mark.parametrize("redirection", [">&-", "> /dev/full"])
def test_what_could_not_be_printed_is_no_success(option, redirection):
    done = subprocess.run(["sh", "-c", f"{shlex.quote(str(program('zchat')))} {option} {redirection}"],
                          text=True, capture_output=True, timeout=SCRIPT_S)
    assert done.returncode == 3 and done.stderr.startswith("zchat: cannot write to standard output: ")


@pytest.mark.parametrize("redirection", ["2>&-", "<&- >&- 2>&-"])
def test_without_stderr_nothing_else_is_written_to_in_its_place(person, town, redirection):
    done = shell(person, town.name(), redirection)
    assert done.returncode == (0 if redirection == "2>&-" else 3) and done.stderr == ""
    again = person.script(["ping"], town.name(), check=0)
    assert again.stderr == ""


def test_the_environment_says_where_and_who(person, town):
    user = town.name()
    environment = dict(person.environment, ZCHAT_SERVER=town.broker.address, ZCHAT_USER=user,
                       ZCHAT_SERVER_KEY=town.broker.server_key)
    done = subprocess.run([program("zchat")], input="devices\n", text=True, capture_output=True,
                          timeout=SCRIPT_S, env=environment)
    assert done.returncode == 0 and "this one" in done.stdout


@pytest.mark.parametrize("options", [["--nonsense"], ["-x"], ["a", "b"], ["--presence", "maybe"],
                                     ["--user"], ["--trust-new=yes"], ["@host"], ["user@"]])
def test_bad_usage(options):
    done = subprocess.run([program("zchat"), *options], input="", text=True, capture_output=True,
                          timeout=SCRIPT_S)
    assert done.returncode == 2 and done.stderr.startswith("zchat: ") and done.stdout == ""
    assert_one_voice(done.stderr)


def test_the_help_of_the_commands_speaks_as_the_other_programs_do(person, town):
    out = person.script(["help all", "help"], town.name(), check=0).stdout
    assert "\n  private take USER [PATH]" in out
    assert_help_in_one_voice(out)


def test_version_and_help():
    for option, text in (("--version", "zchat 0."), ("--help", "usage: zchat")):
        done = subprocess.run([program("zchat"), option], text=True, capture_output=True,
                              timeout=SCRIPT_S)
        assert done.returncode == 0 and done.stdout.startswith(text)
        assert_help_in_one_voice(done.stdout)
