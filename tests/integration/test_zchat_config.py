"""zchat.conf, which options it takes and what overrides it; and zchat --forget."""

import os
import subprocess

import pytest

from support.broker import program
from zchat_terminal import SCRIPT_S, Person, Terminal
from zmq_cli import assert_one_voice


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path, town.keys)


def configure(person, text):
    (person.config / "zchat.conf").write_text(text)


def run(person, *words, **environment):
    return subprocess.run([program("zchat"), *words], input="devices\n", text=True, capture_output=True,
                          timeout=SCRIPT_S, env=dict(person.environment, **environment))


def place(town):
    return town.broker.address.removeprefix("tcp://")


def test_the_file_says_where_and_who(person, town):
    configure(person, f"# home\nserver = {place(town)}\nuser = {town.name()}\n"
                      f"server-key = {town.broker.server_key}\n")
    done = run(person)
    assert done.returncode == 0 and "this one" in done.stdout


def logged_in_as(person, *words, **environment):
    """Who a script without a password would be: the account is unknown, and named in the error."""
    error = run(person, *words, **environment).stderr
    assert "a password is needed" in error
    return error.split(": ")[1]


def test_the_command_line_overrides_the_environment_and_that_the_file(person, town):
    configure(person, f"user = from.file\nserver = {place(town)}\nserver-key = {town.broker.server_key}\n")
    assert logged_in_as(person) == "from.file"
    assert logged_in_as(person, place(town)) == "from.file"
    assert logged_in_as(person, ZCHAT_USER="from.environment") == "from.environment"
    assert logged_in_as(person, f"from.place@{place(town)}", ZCHAT_USER="other") == "from.place"
    assert logged_in_as(person, "-u", "from.flag", f"from.place@{place(town)}") == "from.flag"


def test_the_file_may_name_the_server_and_the_command_line_another(person, town):
    configure(person, "server = 127.0.0.1:1\n")
    done = run(person)
    assert done.returncode == 3 and "127.0.0.1:1" in done.stderr
    user = town.name()
    done = run(person, "--server", place(town), "--server-key", town.broker.server_key, "-u", user)
    assert done.returncode == 0


def test_a_password_file_is_relative_to_the_folder_of_the_file(person, town):
    (person.config / "pw").write_text("wrong\n")
    (person.config / "pw").chmod(0o600)
    configure(person, "password-file = pw\nuser = stranger\n")
    done = run(person, place(town), "--server-key", town.broker.server_key)
    assert done.returncode == 4 and "wrong name or password" in done.stderr


@pytest.mark.parametrize("text, says", [
    ("colour = on", "zchat.conf:1: colour is no key of this file"),
    ("\n\ntimestamps = maybe", "zchat.conf:3: timestamps wants"),
    ("just words", 'is no "key = value"'), ("[context work]", "[context work] begins a section"),
    ("[open", "lacks its closing bracket"), ("config-dir = /", "is no key of this file"),
    ("forget = localhost", "is no key of this file"), ("user =", "user"), ("user = a\0b", "NUL"),
])
def test_a_fault_is_named_with_its_line(person, text, says):
    configure(person, text)
    done = run(person, "localhost:1")
    assert done.returncode == 2 and says in done.stderr and done.stdout == ""
    assert_one_voice(done.stderr)


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: os.mkfifo(path),
                                  lambda path: path.symlink_to("/dev/zero"),
                                  lambda path: path.write_bytes(b"#" * 300_000)])
def test_a_file_that_cannot_be_one_is_an_error(person, make):
    make(person.config / "zchat.conf")
    done = run(person, "localhost:1")
    assert done.returncode == 3 and "zchat.conf" in done.stderr


def test_the_help_needs_no_good_file_but_says_so(person):
    configure(person, "nonsense")
    done = run(person, "--help")
    assert done.returncode == 2 and "zchat.conf:1" in done.stderr


@pytest.mark.parametrize("key, values", [("timestamps", ["on", "off"]), ("presence", ["auto", "on", "off"]),
                                         ("history", ["on", "off", "all"]), ("no-trust", ["yes", "no"]),
                                         ("private-address", ["127.0.0.1"]), ("bell", ["on", "off"]),
                                         ("on-message", ["cat > /dev/null; true"])])
def test_the_options_of_a_session_may_stand_in_it(person, town, key, values):
    for value in values:
        configure(person, f"{key} = {value}\n")
        person.script(["ping"], town.name(), check=0)


# ---- pins ----


def test_forget_makes_room_for_a_new_key(person, town):
    with Terminal(person.command(None, "--trust-new", known=False), person.environment) as terminal:
        terminal.wait_match(r"name.*:$")
    done = run(person, "--forget", place(town))
    assert done.returncode == 0 and f"forgot {place(town)}, whose key was" in done.stderr
    assert town.broker.server_key not in (person.config / "known_brokers").read_text()
    done = run(person, "--forget", place(town))
    assert done.returncode == 5
    assert_one_voice(done.stderr)


def test_forget_wants_a_host(person):
    done = run(person, "--forget", "a b")
    assert done.returncode == 2 and '"a b"' in done.stderr
