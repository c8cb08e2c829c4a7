"""Floods of passwords and registrations: who is behind them stands behind everybody else."""

import threading
import time

import pytest

from support import schema
from support.broker import program, run
from support.client import Client
from support.town import refused

PASSWORD = "correct horse battery"
OTHER = "127.0.0.2"
# Much longer than it takes on an idle machine: the flood alone must not make the wait.
PATIENCE_S = 40


class Flood:
    """Wrong logins from one address, each for another name, 200 a second, until stop()."""

    def __init__(self, town, connections=4, source=None):
        self.clients = [Client(town.broker.address, source=source) for _ in range(connections)]
        self.codes = set()
        self.sent = 0
        self.is_full, self._ending = threading.Event(), threading.Event()
        self._thread = threading.Thread(target=self._run)
        self._thread.start()

    def _run(self):
        while not self._ending.wait(0.02):
            for _ in range(4):
                self.sent += 1
                client = self.clients[self.sent % len(self.clients)]
                client.start("login", protocol=1, user=f"nobody.{self.sent}", password="wrong")
                client.pump(0)
                for reply in client.replies.values():
                    self.codes.add(reply.error.code)
                client.replies.clear()
            if schema.CODE_BUSY in self.codes:
                self.is_full.set()

    def stop(self):
        self._ending.set()
        self._thread.join()
        for client in self.clients:
            client.close()


@pytest.fixture
def flooded(town_factory):
    """A broker with its own limits whose places for passwords are all taken from one address."""
    floods = []

    def make(*args, **flood):
        town = town_factory(*args, "--rate-passwords", "20", accounts=1)
        for name in ("alice", "bob"):
            town.broker.add_user(name, password=PASSWORD)
        floods.append(Flood(town, **flood))
        assert floods[-1].is_full.wait(PATIENCE_S)
        return town

    yield make
    for flood in floods:
        flood.stop()


def enter(town, name, source=None):
    """Logs in at the first try, before most of what waited already: not by luck or by patience."""
    before = town.stats()["logins_failed_total"]
    with Client(town.broker.address, source=source) as client:
        assert client.login(name, PASSWORD, timeout=PATIENCE_S).user == name
    assert town.stats()["logins_failed_total"] - before < 30


def test_in_a_flood_of_wrong_passwords_the_right_one_gets_in_from_another_address(flooded):
    enter(flooded(), "alice", OTHER)


def test_in_a_flood_of_wrong_passwords_the_right_one_gets_in_from_the_same_address(flooded):
    town = flooded()
    for name in ("alice", "bob"):
        enter(town, name)


def test_in_a_flood_from_many_devices_the_right_password_gets_in(flooded):
    enter(flooded(connections=40), "alice")


def test_who_leaves_leaves_no_work_behind(town_factory):
    town = town_factory(accounts=1)
    crowd = [town.guest() for _ in range(8)]
    for client in crowd:
        client.start_batch([("login", dict(protocol=1, user=f"nobody.{n}", password="wrong"))
                            for n in range(8)])
        client.ping()
    for client in crowd:
        client.close()
    deadline = time.monotonic() + PATIENCE_S
    while town.stats()["password_queue"] > 0:
        assert time.monotonic() < deadline
    assert town.stats()["logins_failed_total"] < 64


def test_a_password_that_was_changed_is_wrong_for_a_login_that_waits_already(town_factory):
    """It would trust its device for good."""
    town = town_factory("--rate-passwords", "1", accounts=1)
    town.broker.add_user("alice", password=PASSWORD)
    crowd = [town.guest() for _ in range(24)]
    for n, client in enumerate(crowd):
        client.start("login", protocol=1, user=f"nobody.{n}", password="wrong")
        client.ping()
    thief = town.guest()
    waits = thief.start("login", protocol=1, user="alice", password=PASSWORD)
    thief.ping()
    run([program("zchatd"), "user", "passwd", "alice", "--data", town.broker.data, "--password-file",
         town.broker.password_file("another one")], check=0)
    thief.ping()
    assert waits not in thief.replies
    for client in crowd:
        client.close()
    refused("AUTH", thief.wait_reply, waits, timeout=PATIENCE_S)


def test_an_old_password_longer_than_any_is_wrong_at_once(town_factory):
    """What waits to be checked is kept in the broker's memory."""
    town = town_factory(accounts=1)
    town.broker.add_user("alice", password=PASSWORD)
    alice = town.guest()
    alice.login("alice", PASSWORD)
    hashed = town.stats()["logins_failed_total"]
    refused("AUTH", alice.call, "change_password", old_password="x" * 500000, new_password="another one")
    assert town.stats()["logins_failed_total"] == hashed
    alice.call("change_password", old_password=PASSWORD, new_password="another one")


# ---- registrations ----

def test_who_may_try_no_more_passwords_learns_no_names(town_factory):
    """A name that is taken and one that is free are answered alike, at the same price."""
    town = town_factory("--rate-passwords", "1", accounts=2)
    client = town.guest()
    taken, free = town.name(), town.fresh_name()
    codes = {}
    for kind, name in (("taken", taken), ("free", free)):
        results = client.batch([("register_account", dict(protocol=1, user=name, password="x"))
                                for _ in range(30)], timeout=PATIENCE_S)
        codes[kind] = [getattr(result, "code", "OK") for result in results]
    assert set(codes["taken"]) == {"CONFLICT", "BUSY"}
    assert set(codes["free"]) <= {"OK", "CONFLICT", "BUSY"}
    for kind in codes:
        assert codes[kind].count("BUSY") >= 15, codes


def test_accounts_from_one_address_are_bounded(town_factory):
    town = town_factory("--rate-registrations", "3", accounts=1)
    for name in ("one", "two", "three"):
        town.guest().register(name, PASSWORD)
    error = refused("BUSY", town.guest().register, "four", PASSWORD)
    assert 60 < error.retry_after_s <= 3600 and "registered from your address" in error.message
    refused("BUSY", town.guest().register, "one", PASSWORD)
    with Client(town.broker.address, source=OTHER) as client:
        client.register("four", PASSWORD)
    assert town.stats()["registrations_refused_total"] == 2
    assert town.broker.log_text().count("registrations_refused") == 1


def test_a_class_behind_one_router_registers_at_once(town_factory):
    town = town_factory("--rate-registrations", "100", accounts=1)
    crowd = [town.guest() for _ in range(30)]
    requests = [client.start("register_account", protocol=1, user=f"pupil.{n}", password=PASSWORD)
                for n, client in enumerate(crowd)]
    for client, request in zip(crowd, requests):
        client.wait_reply(request, timeout=PATIENCE_S)
