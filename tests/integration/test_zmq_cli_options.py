"""zmq-cli: options, the environment, contexts and the configuration file; help; terminals."""

import os
import subprocess

import pexpect
import pytest

from support.broker import program
from support.patience import WAIT_S
from zmq_cli import Cli, clean_environment


@pytest.fixture
def folder(config_dirs):
    return config_dirs("options")


@pytest.fixture
def cli(town, folder):
    """Knows the broker, but no user."""
    return Cli(town.broker, folder, None, town.keys)


def configure(folder, text):
    (folder / "zmq-cli.conf").write_text(text)


def user_of(cli, *words, **environment):
    """Who a call logs in as."""
    return cli.ok(*words, "login", **environment).one["user"]


# How a call is read.

def test_options_stand_before_or_after_the_verb_in_every_form(town, cli):
    name = town.name()
    for words in (["-u", name, "login"], ["login", "-u", name], [f"-u{name}", "login"],
                  ["login", "--user", name], [f"--user={name}", "login"], ["-qvu", name, "login"]):
        assert cli.ok(*words).one["user"] == name


@pytest.mark.parametrize("words", [
    [], ["--json"], ["dance"], ["--no-such", "ping"], ["-z", "ping"], ["ping", "extra"],
    ["who", "--ack"], ["--follow", "ping"], ["ping", "--timeout"], ["ping", "--timeout", "0"],
    ["ping", "--timeout", "soon"], ["ping", "--timeout", "-1"], ["ping", "--json=yes"],
    ["ping", "--user", ""], ["recv", "--count", "0"], ["recv", "--wait", "x"], ["ping", "--"],
    ["send", "bob"], ["block"], ["revoke"], ["since"], ["ping", "-s"], ["who"],
])
def test_wrong_usage_is_exit_2(cli, words):
    if words[-1:] == ["--"]:
        words = words + ["extra"]
    cli.fails(2, "INVALID", *words)
    cli.options = []
    done = cli(*words) if "--json" not in words else cli(*words[1:])
    assert done.status == 2 and done.out == "" and done.err.startswith("zmq-cli: "), done


@pytest.fixture
def pair(town, folder):
    """Somebody who sends, and reads what was sent: pair(words...) is the text that arrived."""
    cli = Cli(town.broker, folder, town.name(), town.keys, json_lines=False)
    other = town.name()

    def send(*words, stdin=""):
        done = cli.ok(*(other if word == "USER" else word for word in words), stdin=stdin)
        texts = [line["text"] for line in
                 Cli(town.broker, folder, other, town.keys).ok("recv", "--drain").lines]
        return done, texts

    return send


def test_options_stand_between_and_behind_the_words_of_a_text(pair):
    for words in (["send", "USER", "-", "--json"], ["send", "USER", "--json", "-"],
                  ["send", "USER", "hi", "--json"], ["send", "--json", "USER", "hi"],
                  ["send", "USER", "--json", "--", "hi"]):
        done, texts = pair(*words, stdin="hi\n")
        assert texts == ["hi"] and done.one["status"], done
    assert pair("send", "USER", "one", "-q", "two")[1] == ["one two"]


def test_behind_two_dashes_everything_is_text(pair):
    for words, text in ((["--", "-"], "-"), (["--", "--json"], "--json"), (["a", "--", "-b"], "a -b"),
                        (["--", "--", "-x"], "-- -x"), (["--", "-", "-"], "- -"), (["-", "x"], "- x")):
        assert pair("send", "USER", *words)[1] == [text]


@pytest.mark.parametrize("word, nearest", [
    ("--jsno", "--json"), ("--time-out", "--timeout"), ("--require-onlin", "--require-online"),
    ("--users=x", "--user")])
def test_an_option_that_is_none_is_a_usage_error_with_the_nearest_one(cli, word, nearest):
    for words in (["send", "bob", "hi", word], ["send", word, "bob", "hi"]):
        error = cli.fails(2, "INVALID", *words)
        assert nearest in error["message"] and "--help" in error["message"]


def test_a_dash_that_begins_a_text_is_a_usage_error_that_says_how(cli):
    for word in ("-_-", "--far-from-any", "-5"):
        assert "put -- before" in cli.fails(2, "INVALID", "send", "bob", word)["message"]


def test_a_verb_that_is_none_is_told_with_the_nearest_one(cli):
    assert "send" in cli.fails(2, "INVALID", "sned", "bob", "hi")["message"]
    assert "thread list" in cli.fails(2, "INVALID", "thread", "lst")["message"]
    assert "did you mean" not in cli.fails(2, "INVALID", "abracadabra")["message"]


def test_help_is_had_behind_a_text_too(cli):
    assert cli.ok("send", "bob", "hi", "--help").out.startswith("zmq-cli [OPTIONS] send")


def test_a_user_is_needed_and_the_error_says_how(cli):
    error = cli.fails(2, "INVALID", "who")
    assert "--user" in error["message"] and "ZCHAT_USER" in error["message"]


def test_help_has_the_verbs_own_options_alone_and_version_is_short(cli):
    assert "--exec COMMAND" in cli.ok("recv", "-h").out
    assert "--exec" not in cli.ok("send", "--help").out
    assert cli.ok("--version").out == "zmq-cli 0.1.0\n"


# Where a value comes from.

def test_flag_beats_environment_beats_context_beats_file(town, folder, cli):
    flag, environment, context, file = town.names(4)
    configure(folder, f"user = {file}\n[context work]\n  user = {context}\n")
    assert user_of(cli) == file
    assert user_of(cli, "--context", "work") == context
    assert user_of(cli, ZCHAT_CONTEXT="work") == context
    assert user_of(cli, "--context", "work", ZCHAT_USER=environment) == environment
    assert user_of(cli, "--context", "work", "-u", flag, ZCHAT_USER=environment) == flag


def test_the_file_may_choose_the_context(town, folder, cli):
    one, two = town.names(2)
    configure(folder, f"context = home\n[context home]\nuser={one}\n[context work]\nuser={two}\n")
    assert user_of(cli) == one
    assert user_of(cli, "--context", "work") == two
    assert user_of(cli, ZCHAT_CONTEXT="work") == two


def test_the_file_may_hold_everything_a_call_needs(town, folder, cli):
    configure(folder, f"# where\n\nserver = {town.broker.address}\r\n"
              f"server-key = {town.broker.server_key}\n\tuser = {town.name()}\njson = yes\n"
              "timeout = 7.5\nquiet = no\n")
    bare = Cli(None, folder, json_lines=False)
    assert bare.ok("login").one["user"]


def test_a_password_file_stands_beside_the_configuration(town, folder, cli, tmp_path):
    configure(folder, "password-file = secret\n")
    (folder / "secret").write_text("some horse\n")
    name = town.fresh_name()
    cli.ok("register", name)
    other = tmp_path / "other"
    other.mkdir()
    cli.folder.joinpath("device.key").unlink()
    assert user_of(cli, "-u", name) == name


@pytest.mark.parametrize("line, why", [
    ("colour = red", "colour is no key"), ("config-dir = /tmp", "config-dir is no key"),
    ("ack = yes", "ack is no key"), ("just words", "key = value"), ("[work]", "[context NAME]"),
    ("[context ]", "no name"), ("timeout = soon", "timeout wants a number"),
    ("trust-new = maybe", "yes"), ("user =", "empty"), ("[context a]\ncontext = b", "before"),
])
def test_a_mistake_in_the_file_is_named_with_its_line(folder, cli, line, why):
    configure(folder, "# a comment\n" + line + "\n")
    error = cli.fails(2, "INVALID", "ping")
    wrong = 2 + line.count("\n")
    assert f"zmq-cli.conf:{wrong}: " in error["message"] and why in error["message"], error


def test_a_file_as_other_systems_write_it(town, folder, cli):
    name = town.name()
    (folder / "zmq-cli.conf").write_bytes(b"\xef\xbb\xbfuser = " + name.encode() + b"\r\n")
    assert user_of(cli) == name


def test_a_nul_in_the_file_is_refused(town, folder, cli):
    (folder / "zmq-cli.conf").write_bytes(f"json = yes\nuser = {town.name()}\0x\n".encode())
    assert "zmq-cli.conf:2: " in cli.fails(2, "INVALID", "ping")["message"]


def test_a_nul_in_what_the_config_folder_holds_is_refused(folder, cli):
    del cli.environment["ZCHAT_SERVER_KEY"]
    cli.ok("--trust-new", "ping")
    pinned = folder / "known_brokers"
    pinned.write_bytes(b"\xef\xbb\xbf" + pinned.read_bytes().replace(b"\n", b"\r\n"))
    cli.ok("ping")
    pinned.write_bytes(b"\0" + pinned.read_bytes())
    error = cli.fails(3, "IO", "--trust-new", "ping")
    assert "known_brokers" in error["message"] and "NUL" in error["message"]


@pytest.mark.parametrize("kind", [os.mkfifo, os.mkdir])
@pytest.mark.parametrize("name", ["zmq-cli.conf", "known_brokers", "device.key"])
def test_what_is_no_file_in_the_config_folder_is_refused(town, folder, cli, kind, name):
    cli.environment["ZCHAT_USER"] = town.name()
    del cli.environment["ZCHAT_SERVER_KEY"]
    (folder / name).unlink(missing_ok=True)
    kind(folder / name)
    error = cli.fails(3, "IO", "--trust-new", "login")
    assert name in error["message"] and "not a file" in error["message"]


@pytest.mark.parametrize("option", ["--timeout", "--wait"])
def test_a_number_of_seconds_that_is_none_names_the_bound(cli, option):
    for text in ("1e9", "1000000001"):
        assert "at most 1000000000" in cli.fails(2, "INVALID", "recv", option, text)["message"]


def test_the_usage_of_a_verb_without_words_has_no_blank_behind_it(cli):
    assert "usage: zmq-cli recv;" in cli.fails(2, "INVALID", "recv", "x")["message"]


def test_a_context_that_is_not_there(folder, cli):
    assert "nowhere" in cli.fails(2, "INVALID", "--context", "nowhere", "ping")["message"]
    configure(folder, "[context empty]\n")
    cli.ok("--context", "empty", "ping")


def test_a_wrong_value_in_the_environment_names_the_variable(cli):
    assert "ZCHAT_TIMEOUT" in cli.fails(2, "INVALID", "ping", ZCHAT_TIMEOUT="soon")["message"]
    cli.ok("ping", ZCHAT_TIMEOUT="")


def test_the_config_folder_is_found_as_the_library_finds_it(town, tmp_path):
    for variables, folder in (({"XDG_CONFIG_HOME": tmp_path / "xdg"}, tmp_path / "xdg" / "zchat"),
                              ({}, tmp_path / ".config" / "zchat")):
        environment = clean_environment(tmp_path, ZCHAT_SERVER=town.broker.address, **variables)
        folder.mkdir(parents=True)
        configure(folder, f"json = yes\nserver-key = {town.broker.server_key}\n")
        done = subprocess.run([program("zmq-cli"), "ping"], env=environment, text=True, timeout=WAIT_S,
                              stdin=subprocess.DEVNULL, capture_output=True)
        assert done.returncode == 0 and done.stdout.startswith("{"), done
        assert oct((folder / "device.key").stat().st_mode)[-3:] == "600"


# Terminals.

def spawn(cli, *words):
    return pexpect.spawn(program("zmq-cli"), list(words), env=cli.environment, timeout=40,
                         encoding="utf-8")


def test_a_terminal_is_asked_for_the_password_without_echo(town, cli):
    name = town.fresh_name()
    cli.folder.joinpath("device.key").unlink()
    terminal = spawn(cli, "register", name, "--no-trust")
    for prompt in ("New password: ", "The same again: "):
        terminal.expect_exact(prompt)
        terminal.waitnoecho()
        terminal.sendline("typed horse")
    terminal.expect_exact(f"registered {name}")
    terminal.expect(pexpect.EOF)
    assert "typed horse" not in terminal.before
    terminal.close()
    assert terminal.exitstatus == 0

    terminal = spawn(cli, "-u", name, "login")
    terminal.expect_exact("Password: ")
    terminal.waitnoecho()
    terminal.sendline("typed horse")
    terminal.expect_exact(f"logged in as {name}")


def test_two_passwords_that_differ_register_nobody(town, cli):
    terminal = spawn(cli, "register", town.fresh_name())
    for prompt, text in (("New password: ", "one"), ("The same again: ", "two")):
        terminal.expect_exact(prompt)
        terminal.waitnoecho()
        terminal.sendline(text)
    terminal.expect_exact("differ")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 2


def test_an_interrupted_prompt_ends_with_130_and_gives_the_echo_back(town, cli):
    shell = pexpect.spawn("/bin/sh", env=dict(cli.environment, PS1="$ "), timeout=40,
                          encoding="utf-8")
    shell.expect_exact("$ ")
    shell.sendline(f"{program('zmq-cli')} register {town.fresh_name()}; echo status=$?; stty -a")
    shell.expect_exact("New password: ")
    shell.waitnoecho()
    shell.sendintr()
    shell.expect_exact("status=130")
    shell.expect(r"[^-]echo ")


def test_a_terminal_is_asked_about_an_unknown_broker(town, cli):
    del cli.environment["ZCHAT_SERVER_KEY"]
    terminal = spawn(cli, "ping")
    terminal.expect_exact("(yes/no) ")
    terminal.sendline("no")
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 3

    terminal = spawn(cli, "ping")
    terminal.expect_exact("(yes/no) ")
    terminal.sendline("yes")
    terminal.expect_exact("answers in")
    terminal.expect(pexpect.EOF)
    terminal.close()
    cli.ok("ping")


def test_never_a_prompt_without_a_terminal_at_stdin(town, cli):
    """It has a controlling terminal, but its stdin is none: it must not ask there."""
    read, write = os.openpty()
    try:
        done = subprocess.run(cli.command(["register", town.fresh_name()]), timeout=WAIT_S,
                              stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=write,
                              env=cli.environment, preexec_fn=os.setsid)
        assert done.returncode == 2
        said = b""
        while b"\n" not in said:
            said += os.read(read, 4096)
        assert "--password-file" in said.decode()
    finally:
        os.close(read)
        os.close(write)


# An address for private chats at which nobody can reach this machine is refused at once, wherever it
# stands: the first private chat would be too late.

@pytest.mark.parametrize("address, why", [("lo", "network interface"), ("0.0.0.0", "none that others can"),
                                          ("::", "none that others can"), ("nobody.has.this.name.invalid", "resolved"),
                                          ("300.1.1.1", "resolved")])
def test_an_address_for_private_chats_that_is_none_is_refused_at_the_start(town, cli, folder, address, why):
    for words, text in ((["--private-address", address], ""), ([], f"private-address = {address}\n")):
        configure(folder, text)
        error = cli.fails(2, "INVALID", "-u", town.name(), "private", "accept", *words)
        assert f'"{address}"' in error["message"] and why in error["message"] and "give" in error["message"]


@pytest.mark.parametrize("address", ["127.0.0.1", "::1", "localhost"])
def test_an_address_or_name_for_private_chats_is_taken(town, cli, address):
    cli.fails(124, "EXPIRED", "-u", town.name(), "--timeout", "1", "private", "accept", "--private-address", address)


def test_zchat_refuses_an_address_for_private_chats_that_is_none(town, folder):
    done = subprocess.run([program("zchat"), "--private-address", "lo", f"nobody@{town.broker.host}:{town.broker.port}"],
                          stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=WAIT_S,
                          env=clean_environment(folder, ZCHAT_CONFIG_DIR=folder))
    assert done.returncode == 2 and "network interface" in done.stderr, done
