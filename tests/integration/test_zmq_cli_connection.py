"""zmq-cli: brokers that are not there, silent, unknown or not who they should be."""

import os
import pathlib
import select
import signal
import socket
import subprocess
import time

import pytest
import zmq

from support.broker import Broker, free_ports, program
from zmq_cli import Cli, end

OTHER_KEY = zmq.curve_keypair()[0].decode()


@pytest.fixture
def folder(config_dirs):
    return config_dirs("connection")


@pytest.fixture
def cli(town, folder):
    """Knows where the broker is, but not its key."""
    cli = Cli(town.broker, folder, town.name(), town.keys)
    del cli.environment["ZCHAT_SERVER_KEY"]
    return cli


@pytest.fixture
def stranger(town, folder):
    """Knows the broker and its key, and has no account: alice's password is asked for."""
    return Cli(town.broker, folder, "alice")


@pytest.fixture
def silent():
    """A socket that takes connections and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(10)
        yield listener


def port_of(listener):
    return listener.getsockname()[1]


@pytest.fixture
def closed():
    """A port that nobody listens at."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_nobody_there_is_exit_3_when_the_timeout_is_over(cli, closed):
    began = time.monotonic()
    error = cli.fails(3, "UNREACHABLE", "-s", f"127.0.0.1:{closed}", "--timeout", "1.5", "ping")
    assert 1.4 < time.monotonic() - began < 10
    assert str(closed) in error["message"] and "refused" in error["message"]


def test_a_broker_that_comes_within_the_timeout_is_waited_for(cli):
    port = free_ports()
    process = cli.start("-v", "-s", f"127.0.0.1:{port}", "--trust-new", "--timeout", "15", "ping")
    assert "no broker yet" in process.stderr.readline()
    broker = Broker(start=False)
    try:
        broker.start(port)
        assert end(process).status == 0
    finally:
        broker.close()


@pytest.mark.parametrize("words", [("recv",), ("file", "put", "t", "/etc/hostname")])
def test_who_never_had_a_broker_is_not_told_that_he_lost_one(cli, closed, words):
    done = cli("-u", "alice", "-s", f"127.0.0.1:{closed}", "--timeout", "1", *words, check=3)
    assert len(done.err.splitlines()) == 1, done


def test_a_port_that_says_nothing_is_exit_3_within_the_timeout(cli, silent):
    began = time.monotonic()
    error = cli.fails(3, "UNREACHABLE", "-s", f"127.0.0.1:{port_of(silent)}", "--timeout", "0.5", "ping")
    assert time.monotonic() - began < 5
    assert str(port_of(silent)) in error["message"]


@pytest.mark.parametrize("server", ["", "host:port", "a b", "127.0.0.1:0", "127.0.0.1:99999"])
def test_a_server_that_is_none_is_a_usage_error(cli, server):
    cli.fails(2, "INVALID", f"--server={server}", "ping")


def test_an_unknown_key_is_refused_and_shown(town, cli):
    error = cli.fails(3, "UNKNOWN_KEY", "ping")
    assert "--trust-new" in error["message"] and "--server-key" in error["message"]
    cli.ok("--trust-new", "ping")
    cli.ok("ping")


def test_a_wrong_key_is_refused_although_it_is_the_first_contact(cli):
    cli.fails(3, "WRONG_KEY", "--server-key", OTHER_KEY, "--trust-new", "ping")
    cli.fails(2, "INVALID", "--server-key", "no key", "ping")


def test_a_key_that_changed_is_refused(cli, broker_factory):
    first = broker_factory()
    cli.ok("-s", first.address, "--trust-new", "ping")
    port = first.port
    first.stop()
    second = Broker(start=False)
    try:
        second.start(port)
        cli.fails(3, "WRONG_KEY", "-s", first.address, "--trust-new", "ping")
    finally:
        second.close()


def test_a_config_folder_that_cannot_be_used_is_exit_3(cli, tmp_path):
    file = tmp_path / "file"
    file.write_text("")
    cli.fails(3, "IO", "--config-dir", file / "sub", "ping")


def test_an_answer_that_does_not_come_is_timed_out(broker_factory, folder):
    """The broker is stopped when the password is asked for: then the connection stands already."""
    broker = broker_factory()
    cli = Cli(broker, folder, "somebody")
    try:
        error = cli.fails(124, "EXPIRED", "--timeout", "1.5", "--password-cmd",
                          f"kill -STOP {broker.pid}; echo secret", "who")
    finally:
        os.kill(broker.pid, signal.SIGCONT)
    assert "1.5 s" in error["message"]


def sleepers(tmp_path):
    """A shell command that starts processes which outlive any test, and the file with their ids."""
    file = tmp_path / "pids"
    return f"(sleep 300 & echo $! >> {file}); sleep 300 & echo $! $$ >> {file}; wait; echo x", file


def is_running(pid):
    try:
        return "zombie" not in pathlib.Path(f"/proc/{pid}/status").read_text()
    except FileNotFoundError:
        return False


def test_the_timeout_bounds_a_password_command_and_ends_it_with_its_children(stranger, tmp_path):
    command, file = sleepers(tmp_path)
    error = stranger.fails(124, "EXPIRED", "--timeout", "2", "--password-cmd", command,
                      "login")
    assert "password command" in error["message"] and "2 s" in error["message"]
    pids = file.read_text().split()
    assert len(pids) == 3 and not any(map(is_running, pids))


def test_what_a_shell_had_started_before_it_became_zmq_cli_goes_on(stranger, tmp_path):
    """They are its children then, as the command is."""
    file = tmp_path / "pid"
    process = subprocess.Popen(
        ["sh", "-c", f'sleep 300 & echo $! > {file}; exec "$@"', "sh", program("zmq-cli"), "--timeout", "1",
         "--password-cmd", "sleep 300", "login"],
        env=stranger.environment, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert process.wait(30) == 124
    before = int(file.read_text())
    assert is_running(before)
    os.kill(before, signal.SIGKILL)


def test_a_password_command_that_closes_its_stdout_is_bounded_too(stranger):
    stranger.fails(124, "EXPIRED", "--timeout", "1", "--password-cmd",
              "echo secret; exec >&-; sleep 300", "login")


def test_an_interrupted_password_command_ends_with_its_children(stranger, tmp_path):
    command, file = sleepers(tmp_path)
    os.mkfifo(tmp_path / "begun")
    process = stranger.start("--timeout", "60", "--password-cmd",
                        f"{command.removesuffix('; wait; echo x')}; echo > {tmp_path / 'begun'}; wait",
                        "login")
    with open(tmp_path / "begun", "rb+", buffering=0) as begun: # opened without waiting
        assert select.select([begun], [], [], 10)[0]
    process.send_signal(signal.SIGTERM)
    assert end(process).status == 130
    assert not any(map(is_running, file.read_text().split()))


def test_the_timeout_bounds_a_password_file_that_nobody_writes(stranger, tmp_path):
    os.mkfifo(tmp_path / "password")
    error = stranger.fails(124, "EXPIRED", "--timeout", "1", "--password-file",
                      tmp_path / "password", "login")
    assert "password file" in error["message"]


def test_a_timeout_that_is_given_bounds_the_text_on_stdin(stranger):
    process = subprocess.Popen(stranger.command(["--timeout", "1", "send", "bob", "-"]),
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True, env=stranger.environment)
    try:
        assert process.wait(15) == 124
        assert "standard input" in process.stderr.read()
    finally:
        process.kill()
        process.communicate()


# Brokers that go away under a call that stays.

@pytest.fixture
def follower(town_factory, folder):
    """A broker of one's own, and a recv --follow that is connected to it."""
    town = town_factory(accounts=2)
    user = town.name()
    cli = Cli(town.broker, folder, user, town.keys)
    friend = town.join(inbox=False)
    friend.message(user, "first")
    process = cli.start("recv", "--ack", "--follow")
    assert "first" in process.stdout.readline()
    yield town.broker, process, lambda text: Cli(town.broker, folder, friend.user, town.keys).ok(
        "send", user, text)
    process.kill()
    process.wait(10)
    process.limit.cancel()


def occupy(port, connections):
    """Closes so many connections at once that come to this port."""
    with socket.create_server(("127.0.0.1", port)) as listener:
        listener.settimeout(15)
        for _ in range(connections):
            listener.accept()[0].close()


def test_a_broker_that_stays_away_is_told_once(follower):
    broker, process, send = follower
    broker.kill()
    occupy(broker.port, 4)
    broker.start()
    send("second")
    assert "second" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    done = end(process)
    assert done.status == 130 and done.err.count("lost the broker") == 1, done
    assert done.err.count("the broker is back") == 1
    assert "key" not in done.err, done


def test_another_key_at_the_port_is_refused_and_the_call_goes_on_with_the_right_one(follower):
    broker, process, send = follower
    broker.kill()
    other = Broker(start=False)
    try:
        other.start(broker.port)
        seen = ""
        while "shows the key" not in seen:
            line = process.stderr.readline()
            assert line, seen
            seen += line
    finally:
        other.close()
    broker.start()
    send("second")
    assert "second" in process.stdout.readline()
    process.send_signal(signal.SIGINT)
    done = end(process)
    assert done.status == 130 and (seen + done.err).count("shows the key") == 1, done


def test_an_interrupted_call_is_exit_130(cli, silent):
    process = cli.start("-v", "-s", f"127.0.0.1:{port_of(silent)}", "--timeout", "60", "ping")
    connection, _ = silent.accept()
    process.send_signal(signal.SIGINT)
    done = end(process)
    connection.close()
    assert done.status == 130 and done.out == "", done
