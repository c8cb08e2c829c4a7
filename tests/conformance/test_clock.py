"""The broker's clock is set, either way, while it runs and while it does not: what lasts some time
lasts that long, and what people are told is what the clock on the wall says."""

import os
import time

import pytest

from support.broker import bin_dir
from support.client import Client, CommandError
from support.ids import new_id
from support.patience import WAIT_S
from support.town import refused

PASSWORD = "correct horse battery"
DAY = 24 * 60 * 60


class Clock:
    """How far the broker's clock is ahead of this test's."""

    def __init__(self, folder):
        self.path = folder / "clock"
        self.environment = {
            "LD_PRELOAD": str(bin_dir().parent / "lib" / "libzchat_test_preload.so"),
            "ZCHAT_TEST_CLOCK": str(self.path),
            "ASAN_OPTIONS": "verify_asan_link_order=0",
        }
        self.set(0)

    def set(self, ahead_s):
        new = self.path.with_suffix(".new")
        new.write_text(str(ahead_s))
        os.replace(new, self.path)
        self.ahead_s = ahead_s


@pytest.fixture
def clock(tmp_path):
    return Clock(tmp_path)


@pytest.fixture
def town_of(town_factory, clock):
    return lambda *args, **options: town_factory(*args, environment=clock.environment, **options)


@pytest.mark.parametrize("ahead_s", [DAY, -DAY, 40 * 365 * DAY])
def test_an_idle_session_ends_after_its_time_and_not_before(town_of, clock, ahead_s):
    town = town_of("--timeout", "3", accounts=2)
    alice = town.join()
    clock.set(ahead_s)
    before = time.monotonic()
    alice.ping()
    assert alice.wait_ended(timeout=30).text.startswith("logged out after 3 s")
    assert time.monotonic() - before >= 2.9


@pytest.mark.parametrize("ahead_s", [DAY, -DAY])
def test_messages_have_the_time_of_the_wall(town_of, clock, ahead_s):
    town = town_of(accounts=2)
    alice, bob = town.join(), town.join()
    clock.set(ahead_s)
    alice.ping()
    reply = alice.message(bob.user, "now")
    event = bob.wait_text("now")
    for time_us in (reply.time_us, alice.call("ping").time_us):
        assert abs(time_us / 1e6 - time.time() - ahead_s) < 60
    del event


@pytest.mark.parametrize("ahead_s", [-DAY, -40 * 365 * DAY])
@pytest.mark.parametrize("restart", [True, False])
def test_a_lock_ends_though_the_clock_is_set_back(town_of, clock, ahead_s, restart):
    town = town_of("--block-duration", "2", accounts=1)
    town.guest().register("yoda", PASSWORD)
    for _ in range(3):
        refused("AUTH", town.guest().login, "yoda", "wrong")
    clock.set(ahead_s)
    if restart:
        town.broker.restart()
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            town.guest().login("yoda", PASSWORD)
            return
        except CommandError as error:
            assert error.code == "AUTH" and 0 < error.retry_after_s <= 2
            assert time.monotonic() < deadline, "the lock did not end"
            time.sleep(0.1)  # only time ends the lock: no event tells of it


def test_a_lock_does_not_end_because_the_clock_is_set_forward(town_of, clock):
    town = town_of("--block-duration", "1000", accounts=2)
    town.guest().register("yoda", PASSWORD)
    for _ in range(3):
        refused("AUTH", town.guest().login, "yoda", "wrong")
    clock.set(DAY)
    town.join().ping()
    assert 900 < refused("AUTH", town.guest().login, "yoda", PASSWORD).retry_after_s <= 1000


def test_budgets_go_on_when_the_clock_is_set_back(town_of, clock):
    town = town_of("--rate-account", "10", accounts=1)
    client = town.join()
    client.batch([("who", {})] * 20)
    clock.set(-DAY)
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            client.who()
            return
        except CommandError as error:
            assert error.code == "BUSY" and error.retry_after_s < 10
            assert time.monotonic() < deadline, "the budget does not fill again"
            time.sleep(0.1)  # only time fills it


@pytest.mark.parametrize("restart", [True, False])
def test_who_left_before_the_clock_was_set_back_is_not_seen_for_a_day(town_of, clock, restart):
    town = town_of(accounts=2)
    alice, bob = town.join(), town.join()
    name = alice.user
    bob.logout()
    clock.set(-DAY)
    if restart:
        alice.logout()
        town.broker.restart()
        alice = town.join(name)
    alice.ping()
    deadline = time.monotonic() + WAIT_S
    while True:
        people = alice.call("since", seconds=2).people
        if not people:
            break
        assert people[0].last_seen_us / 1e6 < time.time() - DAY + 60
        assert time.monotonic() < deadline, "he is seen on and on"
        time.sleep(0.1)  # only time makes it long ago


@pytest.mark.parametrize("ahead_s", [2 * DAY, -2 * DAY])
def test_an_unfinished_upload_outlives_a_clock_that_is_set(town_of, clock, thread_of, ahead_s):
    town = town_of(accounts=2)
    alice = town.join()
    title = thread_of(alice)
    fields = dict(id=new_id(), thread=title, file="data", size=10)
    alice.call("begin_upload", **fields)
    alice.call("put_chunk", id=fields["id"], offset=0, data=b"12345")
    clock.set(ahead_s)
    alice.ping()
    town.stats()
    assert alice.call("begin_upload", **fields).received == 5


@pytest.fixture
def thread_of():
    def make(client):
        client.create_thread("a thread")
        return "a thread"
    return make


def test_the_heads_of_topics_grow_though_the_clock_is_set_back_over_a_restart(town_of, clock):
    """A client that was there before would take smaller numbers for old ones."""
    town = town_of(accounts=2)
    alice = town.join()
    alice.broadcast("one") if len(alice.who()) else None
    heads = dict(alice.topics)
    town.broker.stop()
    clock.set(-DAY)
    town.broker.start()
    with Client(town.broker.address, keys=town.keys) as client:
        client.login(alice.user)
        for topic, head in client.topics.items():
            assert head > heads[topic], topic
