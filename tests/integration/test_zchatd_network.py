"""Where zchatd listens, and what it tells of that: everything announced can be connected to."""

import json
import os
import socket

import pytest

from support.broker import program, run
from support.client import Client, Keys, greet
from support.patience import WAIT_S

ZCHATD = program("zchatd")


def has_ipv6():
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
        return True
    except OSError:
        return False


IPV6 = pytest.mark.skipif(not has_ipv6(), reason="this machine has no IPv6")


def enters(broker, address):
    """That a client gets in through the greeter, whose greeting may leave the host open."""
    keys = Keys()
    name = f"user.{abs(hash(address)) % 10000}"
    broker.add_user(name, device_key=keys.public)
    with Client(address, keys=keys) as client:
        assert client.login(name).user == name


@pytest.mark.parametrize("bind, hosts", [
    ("localhost", ["127.0.0.1", "[::1]"]), ("127.0.0.1", ["127.0.0.1"]), ("0.0.0.0", ["127.0.0.1"]),
    ("lo", ["127.0.0.1"]), ("*", ["127.0.0.1"]), ("tcp://localhost", ["127.0.0.1", "[::1]"]),
    pytest.param("::1", ["[::1]"], marks=IPV6), pytest.param("[::1]", ["[::1]"], marks=IPV6),
    pytest.param("::", ["[::1]"], marks=IPV6), pytest.param("[::]", ["[::1]"], marks=IPV6),
])
def test_what_is_announced_can_be_connected_to(broker_factory, bind, hosts):
    broker = broker_factory(bind=bind)
    told = json.loads((broker.data / "endpoints.json").read_text())
    assert (told["address"], told["commands"], told["events"]) == (broker.address, broker.commands, broker.events)
    for endpoint in (broker.address, broker.commands, broker.events):
        assert endpoint.removeprefix("tcp://").rsplit(":", 1)[0] in hosts
    enters(broker, broker.address)
    done = run([program("zmq-cli"), "-s", broker.address.removeprefix("tcp://"), "--trust-new", "--config-dir",
                broker.folder / "cli", "--user", "newcomer", "--password-file", broker.password_file("secret"),
                "register"], timeout=WAIT_S)
    assert done.returncode == 0, done.stderr


def test_a_host_that_is_not_there_is_named(tmp_path):
    for bind in ("300.1.1.1", "no.such.host.invalid", "lo0x"):
        done = run([ZCHATD, "--bind", bind, "--port", "0", "--data", tmp_path / "d"], check=3, timeout=60)
        assert bind in done.stderr and done.stderr.count("\n") == 1
    done = run([ZCHATD, "--bind", "192.0.2.1", "--port", "0", "--data", tmp_path / "d"], check=3)
    assert "192.0.2.1" in done.stderr and "Cannot assign requested address" in done.stderr


@pytest.mark.parametrize("advertise, host", [
    ("chat.example", "chat.example"), ("::1", "[::1]"), ("[::1]", "[::1]"), ("192.0.2.7", "192.0.2.7"),
    ("*", "127.0.0.1"), ("0.0.0.0", "127.0.0.1"), ("::", "127.0.0.1"), ("[::]", "127.0.0.1"),
])
def test_advertise_tells_what_can_be_dialled(broker_factory, advertise, host):
    broker = broker_factory("--advertise", advertise)
    greeting = greet(broker.address)
    for endpoint in (greeting.commands, greeting.events):
        assert endpoint.removeprefix("tcp://").rsplit(":", 1)[0] == host


def test_endpoints_json_goes_with_the_broker_and_never_tells_of_one_that_was_killed(broker_factory):
    broker = broker_factory()
    path = broker.data / "endpoints.json"
    broker.stop()
    assert not path.exists()
    broker.start()
    broker.kill()
    assert path.exists()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        run([ZCHATD, "--bind", "127.0.0.1", "--port", str(min(taken.getsockname()[1], 65533)), "--data", broker.data],
            check=3)
    assert not path.exists()


# ---- --check-config ----

def checked(*words):
    """The one sentence with which --check-config refuses."""
    done = run([ZCHATD, "--check-config", *words], check=2, timeout=60)
    assert done.stdout == "" and done.stderr.count("\n") == 1, done
    return done.stderr


@pytest.fixture
def data(tmp_path):
    return tmp_path / "data"


@pytest.mark.parametrize("bind", ["300.1.1.1", "no.such.host.invalid", "192.0.2.1", "1.2.3"])
def test_check_config_tries_the_address(data, bind):
    assert bind in checked("--bind", bind, "--data", data)
    assert not data.exists()


@pytest.mark.parametrize("bind", ["localhost", "lo", "*", "127.0.0.1", pytest.param("::1", marks=IPV6)])
def test_check_config_takes_an_address_that_is_there(data, bind):
    run([ZCHATD, "--check-config", "--bind", bind, "--data", data], check=0)
    assert not data.exists()


@pytest.mark.parametrize("path", ["/proc/x", "/dev/null/x", "/dev/null", "/proc/self/status"])
def test_check_config_tries_the_data_folder(path):
    assert "data: " in checked("--data", path)


def test_check_config_looks_at_the_store_and_the_key(data):
    data.mkdir(mode=0o700)
    (data / "zchat.db").write_text("this is no database, but quite some text\n" * 100)
    assert "is no store" in checked("--data", data)
    (data / "zchat.db").unlink()
    (data / "server.key").touch(mode=0o600)
    (data / "server.key").write_text("nonsense")
    assert "server.key" in checked("--data", data)
    assert sorted(path.name for path in data.iterdir()) == ["server.key"]


def test_check_config_does_not_wait_at_a_pipe(data):
    data.mkdir(mode=0o700)
    os.mkfifo(data / "zchat.db", 0o600)
    assert "no regular file" in checked("--data", data)


def test_check_config_reads_the_admin_password(data):
    assert "can't be read" in checked("--data", data, "--admin-password-file", "/nonexistent")


@pytest.mark.parametrize("option, says", [("--admin-password-file", "was not read"), ("--config", "is a pipe")])
def test_check_config_waits_for_no_pipe_that_is_to_be_read(data, tmp_path, option, says):
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe, 0o600)
    done = run([ZCHATD, "--check-config", "--data", data, option, pipe], timeout=WAIT_S)
    assert str(pipe) in done.stdout + done.stderr and says in done.stdout + done.stderr


def test_check_config_does_not_follow_a_link_to_nothing(tmp_path):
    (tmp_path / "link").symlink_to(tmp_path / "nothing")
    for path in (tmp_path / "link", tmp_path / "link" / "data"):
        assert f"{tmp_path}/link" in checked("--data", path)
    assert not (tmp_path / "nothing").exists()


def test_check_config_tells_of_a_port_that_is_taken(data, broker):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = min(taken.getsockname()[1], 65533)
        done = run([ZCHATD, "--check-config", "--data", data, "--bind", "127.0.0.1", "--port", port], check=0)
        assert f"port {taken.getsockname()[1]} can't be bound: Address already in use" in done.stdout
    own = broker.address.rsplit(":", 1)[1]
    done = run([ZCHATD, "--check-config", "--data", broker.data, "--bind", "127.0.0.1", "--port", own], check=0)
    assert "can't be bound" not in done.stdout


BAD_HOSTS = ["tcp://", "a..b", ".a", "-a", "a-", "a.-b", "a" * 64, "a:1", "[::1", "::1]", "[a]", "1:2", "*.a", "a%b",
             "::1%", "a/b", "[]", ".".join(["a" * 60] * 5)]


@pytest.mark.parametrize("option", ["--advertise", "--bind"])
@pytest.mark.parametrize("host", BAD_HOSTS)
def test_what_is_no_host_is_refused(data, option, host):
    if (option, host) != ("--advertise", "tcp://"):  # nothing is the host that was dialled
        assert f"{option} wants a host name or an address" in checked("--data", data, option, host)


def test_an_interface_that_is_advertised_is_told_by_its_address(broker_factory):
    greeting = greet(broker_factory("--advertise", "lo").address)
    assert greeting.commands.startswith("tcp://127.0.0.1:")


def test_a_host_that_does_not_resolve_is_advertised_with_a_remark(data, broker_factory):
    done = run([ZCHATD, "--check-config", "--data", data, "--advertise", "nohost.invalid"], check=0)
    assert "nohost.invalid does not resolve on this machine" in done.stdout
    broker = broker_factory("--advertise", "nohost.invalid")
    broker.wait_log("event=advertise_unresolved")
    done = run([ZCHATD, "--check-config", "--data", data, "--advertise", "127.0.0.1"], check=0)
    assert "resolve" not in done.stdout


def test_check_config_says_that_a_broker_is_at_work(broker):
    done = run([ZCHATD, "--check-config", "--data", broker.data], check=0)
    assert f"process {broker.pid} serves {broker.data}" in done.stdout


def test_a_checked_folder_is_as_it_was(data):
    run([ZCHATD, "--check-config", "--data", data / "a" / "b"], check=0)
    assert not data.exists()
    data.mkdir()
    run([ZCHATD, "--check-config", "--data", data], check=0)
    assert list(data.iterdir()) == []


def test_ports_beyond_the_last_one_are_refused(data):
    assert "--port" in checked("--port", "65534", "--data", data)
    run([ZCHATD, "--check-config", "--port", "65533", "--data", data], check=0)
