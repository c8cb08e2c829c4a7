"""The end of a session is the end of all that it opened: the event connections of a device hear nothing
more once its last session ended. And what a connection subscribes to is counted as it stands."""

import threading
import time

import pytest
import zmq

from support import schema
from support.client import TOPICS, Client, make_command
from support.curve import Cut, Raw
from support.patience import WAIT_S
from support.raw import outcome

NOW_S = 1
GRACE_S = 5


def topic_bytes(topic):
    return schema.Publication(topic=topic).SerializeToString()


class Ear:
    """A raw connection to the event socket that hears the public topics."""

    def __init__(self, town, keys):
        self.raw = Raw(town.broker.events, town.broker.server_key.encode(), keys, kind=b"SUB")
        for topic in TOPICS:
            self.raw.send(b"\x01" + topic_bytes(topic))

    def hears(self, timeout):
        """Whatever comes within that time; None: nothing. Raises Cut."""
        return self.raw.receive(timeout)

    def is_cut_within(self, seconds):
        deadline = time.monotonic() + seconds
        try:
            while (left := deadline - time.monotonic()) > 0:
                self.raw.receive(left)
        except Cut:
            return True
        return False


def device(town, **login):
    """A client of a new account with a device key of its own, and its ear, which hears."""
    client, name = town.guest(), town.fresh_name()
    client.register(name, "password")
    client.login(name, **login)
    ear, speaker = Ear(town, client.keys), town.join()
    deadline = time.monotonic() + WAIT_S
    while True:
        speaker.broadcast("can you hear me?")
        heard = ear.hears(0.2)
        if heard and b"can you hear me?" in heard:
            return client, ear, speaker
        assert time.monotonic() < deadline, "the ear hears nothing"


def is_deaf(ear, speaker):
    """Within a second the connection is cut, and nothing that is said after the end comes before that."""
    speaker.broadcast("after the end")
    deadline = time.monotonic() + NOW_S
    try:
        while (left := deadline - time.monotonic()) > 0:
            heard = ear.hears(left)
            assert not heard or b"after the end" not in heard, "it hears on"
    except Cut:
        return
    raise AssertionError("it is not cut")


def test_a_device_that_logged_out_hears_nothing_more(town, counted):
    counted("connections_ended_total")
    client, ear, speaker = device(town)
    client.logout()
    is_deaf(ear, speaker)


def test_a_device_that_was_revoked_hears_nothing_more(town, counted):
    client, ear, speaker = device(town)
    other = town.guest()
    other.login(client.user, "password")
    number = next(item.number for item in other.call("list_devices").devices if item.key == client.keys.raw)
    assert other.call("revoke_device", device=number).sessions == 1
    is_deaf(ear, speaker)


def test_a_device_that_revoked_itself_hears_nothing_more(town):
    client, ear, speaker = device(town)
    number = next(item.number for item in client.call("list_devices").devices if item.current)
    client.call("revoke_device", device=number)
    is_deaf(ear, speaker)


def test_a_device_that_was_idle_too_long_hears_nothing_more(town_factory):
    town = town_factory("--timeout", "4", accounts=10)
    client, ear, speaker = device(town)
    deadline = time.monotonic() + WAIT_S
    while client.ended is None:
        client.pump(0.1)
        speaker.who()
        assert time.monotonic() < deadline
    is_deaf(ear, speaker)


def test_a_device_with_another_session_hears_on(town, counted):
    client, ear, speaker = device(town)
    second = town.guest(client.keys)
    second.login(client.user)
    client.logout()
    speaker.broadcast("still here?")
    deadline = time.monotonic() + WAIT_S
    while b"still here?" not in (ear.hears(1) or b""):
        assert time.monotonic() < deadline


def test_a_program_that_logs_in_anew_hears_on(town, counted):
    """The later login of the same instance takes the place of the first; nothing is cut in between."""
    client, ear, speaker = device(town)
    again = town.guest(client.keys)
    again.instance = getattr(client, "instance", None)
    again.login(client.user)
    speaker.broadcast("still here?")
    deadline = time.monotonic() + WAIT_S
    while b"still here?" not in (ear.hears(1) or b""):
        assert time.monotonic() < deadline


def test_a_device_that_lost_its_connection_may_come_back_and_hears_on(town, counted):
    client, ear, speaker = device(town)
    client.close()
    again = town.guest(client.keys)
    again.login(client.user)
    assert not ear.is_cut_within(GRACE_S + 1)


def test_a_device_that_lost_its_connection_for_good_is_cut_a_little_later(town, counted):
    client, ear, _ = device(town)
    client.close()
    start = time.monotonic()
    assert ear.is_cut_within(GRACE_S + 5)
    assert time.monotonic() - start > 1


def test_one_admitted_before_the_end_can_subscribe_to_nothing_after_it(town, counted):
    client, _, speaker = device(town)
    late = Raw(town.broker.events, town.broker.server_key.encode(), client.keys, kind=b"SUB")
    client.logout()
    late.send(b"\x01" + topic_bytes("broadcast"))
    speaker.broadcast("after the end")
    with pytest.raises(Cut):
        while True:
            heard = late.receive(NOW_S)
            assert heard is not None, "it is not cut"
            assert b"after the end" not in heard


# ---- what is counted ----

def subscriptions(town, count, timeout=WAIT_S):
    """Waits until there are so many."""
    deadline = time.monotonic() + timeout
    while (there := town.stats()["subscriptions"]) != count:
        assert time.monotonic() < deadline, f"there are {there} subscriptions, not {count}"


def test_ends_of_subscriptions_never_made_do_not_count(town, counted):
    """The bound holds in whatever order they come."""
    counted("subscriptions_refused_total")
    client, ear, _ = device(town)
    flood = Raw(town.broker.events, town.broker.server_key.encode(), client.keys, kind=b"SUB")
    before = town.stats()["subscriptions"]
    with pytest.raises(Cut):
        for n in range(3000):
            flood.send(b"\x01topic %d" % n)
            flood.send(b"\x00never made %d" % n)
            if n % 100 == 0:
                assert town.stats()["subscriptions"] - before <= 1001
        while flood.receive(5) is not None:
            pass
    subscriptions(town, before)


def test_a_topic_counts_once_and_ends_at_once(town, counted):
    client, ear, _ = device(town)
    raw = Raw(town.broker.events, town.broker.server_key.encode(), client.keys, kind=b"SUB")
    before = town.stats()["subscriptions"]
    for _ in range(5):
        raw.send(b"\x01same")
    raw.send(b"\x01other")
    subscriptions(town, before + 2)
    for _ in range(5):
        raw.send(b"\x00same")
    subscriptions(town, before + 1)
    raw.close()
    subscriptions(town, before)


def test_what_is_too_long_to_be_a_topic_ends_the_connection(town, counted):
    counted("subscriptions_refused_total")
    client, ear, _ = device(town)
    raw = Raw(town.broker.events, town.broker.server_key.encode(), client.keys, kind=b"SUB")
    raw.send(b"\x01" + b"x" * 65)
    with pytest.raises(Cut):
        raw.receive(5)


def test_a_subscriber_who_never_stops_talking_is_cut(town, counted):
    client, ear, _ = device(town)
    raw = Raw(town.broker.events, town.broker.server_key.encode(), client.keys, kind=b"SUB")
    with pytest.raises(Cut):
        for n in range(100_000):
            raw.send(b"\x01a" if n % 2 else b"\x00a")
