"""zmq-cli: brokers that are not there, silent, unknown or not who they should be."""

import os
import signal
import socket
import time

import pytest
import zmq

from support.broker import Broker
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


def test_nobody_there_is_exit_3_at_once(cli, closed):
    began = time.monotonic()
    error = cli.fails(3, "UNREACHABLE", "-s", f"127.0.0.1:{closed}", "--timeout", "60", "ping")
    assert time.monotonic() - began < 15
    assert str(closed) in error["message"]


@pytest.mark.parametrize("words", [("recv",), ("file", "put", "t", "/etc/hostname")])
def test_who_never_had_a_broker_is_not_told_that_he_lost_one(cli, closed, words):
    done = cli("-u", "alice", "-s", f"127.0.0.1:{closed}", *words, check=3)
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


def test_an_interrupted_call_is_exit_130(cli, silent):
    process = cli.start("-v", "-s", f"127.0.0.1:{port_of(silent)}", "--timeout", "60", "ping")
    connection, _ = silent.accept()
    process.send_signal(signal.SIGINT)
    done = end(process)
    connection.close()
    assert done.status == 130 and done.out == "", done
