"""Levels of the log: debug has a line for each turn, warn has what an administrator should look at."""

import os
import subprocess

import pytest

from support.broker import READY, die_with_parent, free_ports, program
from support.client import Client
from support.fixtures import town_factory  # noqa: F401
from support.town import refused

PASSWORD = "right password"


def events(town, level):
    return {line.split("event=")[1].split()[0] for line in town.broker.log_text().splitlines()
            if f"level={level}" in line}


@pytest.mark.parametrize("level, shown", [("debug", {"debug", "info", "warn"}), ("info", {"info", "warn"}),
                                          ("warn", {"warn"}), ("error", set())])
def test_a_level_shows_itself_and_those_after_it(town_factory, level, shown):  # noqa: F811
    town = town_factory("--log-level", level, accounts=2,
                        prepare=lambda broker: broker.add_user("guessed", password=PASSWORD))
    alice, bob = town.join_many(2)
    alice.message(bob.user, "not in the log")
    for _ in range(4):
        refused("AUTH", town.guest().login, "guessed", "wrong password")
    town.leave()
    town.broker.stop()
    text = town.broker.log_text()
    assert {name for name in ("debug", "info", "warn", "error") if f"level={name} " in text} == shown
    if "debug" in shown:
        turn = next(line for line in text.splitlines() if "event=turn" in line)
        assert all(f" {name}=" in turn for name in ("frames_in", "commands", "frames_out", "commit_us"))
    if "info" in shown:
        assert {"session_open", "login_failed"} <= events(town, "info")
    if "warn" in shown:
        assert "login_locked" in events(town, "warn")
    assert "not in the log" not in text and PASSWORD not in text


def test_scripts_in_a_loop_write_a_line_a_minute_and_a_person_s_is_beside_them(town_factory):  # noqa: F811
    """Each call of zmq-cli is a session: its opening and its end are not worth a line each."""
    town = town_factory(accounts=2)
    user = town.name()
    for _ in range(25):
        script = town.join(user, online=False)
        script.logout()
        script.close()
    person = town.join(user)
    person.logout()
    lines = town.broker.log_text().splitlines()
    for event in ("session_open", "session_end"):
        shown = [line for line in lines if f"event={event} user={user} " in line]
        assert len(shown) == 2, shown


def test_wrong_passwords_write_a_line_a_minute_whatever_name_they_are_for(town_factory):  # noqa: F811
    """Anybody may send them, so they must not fill the disk that the log is on."""
    town = town_factory(accounts=1)
    for name in ("one", "two", "three", "four"):
        refused("AUTH", town.guest().login, name, "wrong password")
    lines = [line for line in town.broker.log_text().splitlines() if "event=login_failed " in line]
    assert len(lines) == 1 and " user=one " in lines[0], lines


def test_a_terminal_that_was_stopped_stops_nobody(tmp_path):
    """Ctrl-S at the broker's terminal: what it logs is lost, and it serves, and ends when told to."""
    ours, its = os.openpty()
    port = free_ports()
    broker = subprocess.Popen([program("zchatd"), "--bind", "127.0.0.1", "--port", str(port), "--data",
                               str(tmp_path / "data")], stdin=subprocess.DEVNULL,
                              stdout=subprocess.DEVNULL, stderr=its, preexec_fn=die_with_parent)
    try:
        said = ""
        while not READY.search(said.splitlines()[-1] if said else ""):
            said += os.read(ours, 4096).decode()
        os.write(ours, b"\x13")
        for name in ("alice", "bob"):
            with Client(f"tcp://127.0.0.1:{port}") as client:
                client.register(name, PASSWORD)
                client.login(name)
        os.write(ours, b"\x11")
        with Client(f"tcp://127.0.0.1:{port}") as client:
            client.register("carol", PASSWORD)
        broker.terminate()
        assert broker.wait(30) == 0
        assert "event=log_lines_lost" in os.read(ours, 65536).decode()
    finally:
        broker.kill()
        broker.wait()
        os.close(ours)
        os.close(its)
