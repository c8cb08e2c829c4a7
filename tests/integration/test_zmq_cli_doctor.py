"""zmq-cli doctor: what is wrong between here and the broker, each thing made wrong on purpose."""

import contextlib
import os
import re
import signal
import socket
import subprocess
import threading
import time

import pytest
import zmq

from json_schemas import assert_output_fits
from support import schema
from support.broker import bin_dir, limited, program
from support.disk import fill, small_disk
from support.patience import WAIT_S
from zmq_cli import CALL_S, ONE_VOICE, Cli, Done

CHECKS = ["descriptors", "config-folder", "config-space", "config-file", "device-key", "password", "settings", "name",
          "greeter-port", "greeter", "key", "commands-port", "events-port", "commands", "schema", "round-trip", "clock",
          "login", "events"]
ODD = "0123 4567 89ab cdef 0123 4567 89ab cdef"


def examined(cli, *words, status=0, preexec_fn=None, **environment):
    """What the doctor said, by check."""
    command = cli.command(["doctor", *words])
    run = subprocess.run(command, capture_output=True, timeout=CALL_S, stdin=subprocess.DEVNULL, preexec_fn=preexec_fn,
                         env=dict(cli.environment, **environment))
    done = Done(command, run.returncode, run.stdout.decode(), run.stderr.decode())
    assert done.status == status, done
    assert_output_fits("doctor", done)
    for line in done.lines:
        assert ONE_VOICE.match(line["text"].rstrip("?")), line
    return {line["check"]: (line["result"], line["text"]) for line in done.lines}


def failed(found):
    return [check for check, (result, _) in found.items() if result == "fail"]


@contextlib.contextmanager
def listener(serve, backlog=16):
    """Somebody else's port; `serve` is given each connection."""
    with socket.create_server(("127.0.0.1", 0), backlog=backlog) as server:
        def accept():
            with contextlib.suppress(OSError):
                while True:
                    serve(server.accept()[0])

        if serve:
            threading.Thread(target=accept, daemon=True).start()
        yield server.getsockname()[1]
        server.shutdown(socket.SHUT_RDWR)


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as server:
        return server.getsockname()[1]


@contextlib.contextmanager
def greeter(**said):
    """A greeter that says what it is told to."""
    context = zmq.Context()
    router = context.socket(zmq.ROUTER)
    port = router.bind_to_random_port("tcp://127.0.0.1")

    def serve():
        with contextlib.suppress(zmq.ContextTerminated):
            while True:
                who, *_ = router.recv_multipart()
                router.send_multipart([who, schema.Greeting(**said).SerializeToString()])
        router.close(linger=0)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    yield port
    context.term()
    thread.join(WAIT_S)


def greeting_of(broker, **other):
    from zmq.utils import z85
    said = {"protocol_min": 1, "protocol_max": 1, "schema": 1, "server_key": z85.decode(broker.server_key),
            "commands": broker.commands, "events": broker.events}
    return {**said, **other}


# All is well.

def test_where_all_is_well_every_check_says_so_in_order(alice):
    found = examined(alice)
    assert list(found) == CHECKS and {result for result, _ in found.values()} == {"ok"}
    assert "by the key of this device" in found["login"][1]
    assert found["name"][1] == "127.0.0.1 is an address, which needs no name server"
    named = alice.environment["ZCHAT_SERVER"].replace("127.0.0.1", "localhost")
    assert re.match(r"localhost has the address [:1270.]+$", examined(alice, "--server", named)["name"][1])


def test_for_people_each_check_is_a_line(alice):
    alice.options = []
    lines = alice.ok("doctor").out.splitlines()
    assert [re.match(r"ok ([a-z-]+): [^A-Z]", line)[1] for line in lines] == CHECKS


def test_without_a_user_the_login_is_not_tried(alice):
    del alice.environment["ZCHAT_USER"]
    found = examined(alice)
    assert "--user" in found["login"][1] and list(found) == CHECKS[:-1]


# This machine.

@pytest.mark.parametrize("limit, result", [(100, "warning"), (30, "fail")])
def test_too_few_descriptors_are_told_with_what_raises_them(alice, limit, result):
    found = examined(alice, status=3 if result == "fail" else 0, preexec_fn=limited(limit))
    assert found["descriptors"][0] == result and "ulimit -n" in found["descriptors"][1] and str(limit) in found["descriptors"][1]


@pytest.mark.parametrize("check, name, mode, told", [
    ("config-folder", ".", 0o755, "chmod 700"), ("config-file", "zmq-cli.conf", 0o666, "chmod 600")])
def test_what_others_may_read_or_change_is_a_warning(alice, check, name, mode, told):
    (alice.folder / "zmq-cli.conf").write_text("")
    (alice.folder / name).chmod(mode)
    result, text = examined(alice)[check]
    assert result == "warning" and told in text


def test_a_full_disk_is_told(alice, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    with small_disk(place, 1):
        fill(place, 0)
        alice.environment["ZCHAT_CONFIG_DIR"] = str(place)
        found = examined(alice, status=3)
        assert found["config-space"][0] == "fail" and "No space left" in found["config-space"][1]


def test_a_password_file_that_is_missing_or_open_to_all_is_told(alice, tmp_path):
    path = tmp_path / "password"
    found = examined(alice, "--password-file", path, status=3)
    assert failed(found) == ["password"] and str(path) in found["password"][1]
    path.write_text("secret word\n")
    path.chmod(0o644)
    found = examined(alice, "--password-file", path)
    assert found["password"][0] == "warning" and "chmod 600" in found["password"][1]
    assert "secret word" not in str(found)


# The way there.

def test_a_name_that_nobody_has_is_told(alice):
    found = examined(alice, "--server", "no-such-host.invalid:4000", "--timeout", "20", status=3)
    assert failed(found) == ["name"] and "no-such-host.invalid" in found["name"][1] and "greeter-port" not in found


def test_a_port_that_nobody_listens_at_is_refused_not_filtered(alice):
    found = examined(alice, "--server", f"127.0.0.1:{free_port()}", status=3)
    assert failed(found) == ["greeter-port"] and "refuses connections" in found["greeter-port"][1]
    assert list(found)[-1] == "greeter-port"


def test_a_port_behind_a_firewall_does_not_answer_at_all_and_timeout_bounds_it(alice):
    with listener(None, backlog=0) as port, contextlib.ExitStack() as stack:
        for _ in range(8):  # what is sent to a full backlog is dropped, as a firewall does
            made = stack.enter_context(socket.socket())
            made.setblocking(False)
            made.connect_ex(("127.0.0.1", port))
        began = time.monotonic()
        found = examined(alice, "--server", f"127.0.0.1:{port}", "--timeout", "2", status=3)
        assert time.monotonic() - began < WAIT_S
        assert failed(found) == ["greeter-port"] and "firewall" in found["greeter-port"][1]


def test_somebody_else_at_the_port_is_told_with_what_they_say(alice):
    with listener(lambda sock: sock.sendall(b"SSH-2.0-OpenSSH_9\r\n")) as port:
        result, text = examined(alice, "--server", f"127.0.0.1:{port}", status=3)["greeter-port"]
        assert result == "fail" and "something else than zchatd" in text and "SSH-2.0-OpenSSH_9" in text


def test_one_that_closes_or_says_nothing_is_told_apart(alice):
    kept = []
    with listener(lambda sock: sock.close()) as port:
        assert "closes the connection" in examined(alice, "--server", f"127.0.0.1:{port}", status=3)["greeter-port"][1]
    with listener(kept.append) as port:
        found = examined(alice, "--server", f"127.0.0.1:{port}", "--timeout", "2", status=3)
        assert "says nothing" in found["greeter-port"][1]


def test_zeromq_that_is_no_zchat_fails_at_the_greeter(alice):
    with greeter() as port:
        found = examined(alice, "--server", f"127.0.0.1:{port}", status=3)
        assert failed(found) == ["greeter"] and found["greeter-port"][0] == "ok"


def test_a_commands_or_events_port_that_is_closed_is_told_by_its_number(alice, town):
    for name in ("commands", "events"):
        closed = free_port()
        with greeter(**greeting_of(town.broker, **{name: f"tcp://127.0.0.1:{closed}"})) as port:
            found = examined(alice, "--server", f"127.0.0.1:{port}", status=3)
            assert failed(found) == [f"{name}-port"] and str(closed) in found[f"{name}-port"][1]


def test_a_port_of_zeromq_without_curve_is_not_taken_for_the_one_of_commands(alice, town):
    plain = re.search(r":(\d+)$", town.broker.address)[1]
    with greeter(**greeting_of(town.broker, commands=f"tcp://127.0.0.1:{plain}")) as port:
        found = examined(alice, "--server", f"127.0.0.1:{port}", status=3)
        assert failed(found) == ["commands-port"] and "another port of zchatd" in found["commands-port"][1]


# The key.

def test_an_unknown_key_is_told_with_its_fingerprint_and_what_trusts_it(alice):
    del alice.environment["ZCHAT_SERVER_KEY"]
    found = examined(alice, status=3)
    assert failed(found) == ["key"] and "--trust-new" in found["key"][1]
    assert re.search(r"[0-9a-f]{4}( [0-9a-f]{4}){7}", found["key"][1])
    assert found["commands-port"][0] == "ok" and "commands" not in found
    assert not (alice.folder / "known_brokers").exists()
    assert "pinned" in examined(alice, "--trust-new")["key"][1]


def test_a_wrong_key_is_told_with_both_and_with_how_to_forget_a_pinned_one(alice, town):
    assert ODD in examined(alice, "--server-key", ODD, status=3)["key"][1]
    del alice.environment["ZCHAT_SERVER_KEY"]
    other = zmq.curve_keypair()[0].decode()
    (alice.folder / "known_brokers").write_text(f"{town.broker.address.removeprefix('tcp://')} {other}\n")
    found = examined(alice, status=3)
    assert failed(found) == ["key"] and "forget" in found["key"][1]


def test_a_broker_that_has_not_the_key_that_its_greeter_shows_fails_at_the_commands(alice, town):
    other = zmq.curve_keypair()[0]
    with greeter(**greeting_of(town.broker, server_key=zmq.utils.z85.decode(other))) as port:
        found = examined(alice, "--server", f"127.0.0.1:{port}", "--server-key", other.decode(), "--timeout", "20", status=3)
        assert failed(found) == ["commands"] and found["key"][0] == "ok"


# The broker.

@pytest.mark.parametrize("number, told", [(1, "until zchatd is updated"), (1000, "update zmq-cli"), (0, "does not tell")])
def test_an_older_or_newer_broker_is_a_warning(alice, town, number, told):
    with greeter(**greeting_of(town.broker, schema=number)) as port:
        result, text = examined(alice, "--server", f"127.0.0.1:{port}")["schema"]
        assert result == "warning" and told in text


@pytest.mark.parametrize("ahead_s, told", [(3600, "behind"), (-3600, "ahead of")])
def test_clocks_that_differ_are_a_warning_that_says_by_how_much(broker_factory, tmp_path, ahead_s, told):
    clock = tmp_path / "clock"
    clock.write_text(str(ahead_s))
    broker = broker_factory(environment={
        "LD_PRELOAD": str(bin_dir().parent / "lib" / "libzchat_test_preload.so"), "ZCHAT_TEST_CLOCK": str(clock),
        "ASAN_OPTIONS": "verify_asan_link_order=0"})
    result, text = examined(Cli(broker, tmp_path))["clock"]
    assert result == "warning" and told in text and re.search(r"(3599|3600|3601) s", text)


def test_a_login_that_fails_is_told_with_its_reason(alice, tmp_path):
    password = tmp_path / "password"
    password.write_text("not the right one\n")
    password.chmod(0o600)
    (alice.folder / "device.key").unlink()
    found = examined(alice, "--password-file", password, status=4)
    assert failed(found) == ["login"] and "cannot log in as" in found["login"][1] and "events" not in found
    assert "--password-file" in examined(alice, status=4)["login"][1]


def test_a_login_by_password_trusts_no_device(alice, tmp_path, town):
    password = tmp_path / "password"
    password.write_text("a horse of its own\n")
    password.chmod(0o600)
    del alice.environment["ZCHAT_USER"]
    (alice.folder / "device.key").unlink()
    name = town.fresh_name()
    alice.ok("-u", name, "--password-file", password, "register")
    (alice.folder / "device.key").unlink()
    assert "by the password" in examined(alice, "-u", name, "--password-file", password)["login"][1]
    assert failed(examined(alice, "-u", name, status=4)) == ["login"]


# How it ends.

def test_the_first_failure_decides_the_exit_status(alice, tmp_path):
    (alice.folder / "device.key").unlink()
    found = examined(alice, "--password-file", tmp_path / "none", status=3)
    assert failed(found)[0] == "password"


def test_an_interrupt_is_exit_130(alice):
    kept = []
    with listener(kept.append) as port:
        process = subprocess.Popen(alice.command(["doctor", "--server", f"127.0.0.1:{port}", "--timeout", str(WAIT_S)]),
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=alice.environment)
        while b'"name"' not in process.stdout.readline():
            pass
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=CALL_S)
        assert process.returncode == 130


def test_a_reader_that_goes_away_ends_it_quietly(alice):
    process = subprocess.Popen(["bash", "-c", f"{program('zmq-cli')} doctor | head -n 1; exit ${{PIPESTATUS[0]}}"],
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=alice.environment)
    out, err = process.communicate(timeout=CALL_S)
    assert process.returncode == 0 and out.count(b"\n") == 1 and err == b""
    assert not [name for name in os.listdir(alice.folder) if name.startswith("doctor")]
