"""Those who mean harm: forged ids, floods, garbage towards the event socket, eavesdroppers, crowds.
The broker goes on, and nobody gets what is another one's."""

import threading
import time

import pytest
import zmq

from support import schema
from support.client import Client, CommandError, Keys, TimedOut, make_command, new_id
from support.patience import WAIT_S
from support.raw import outcome
from support.town import refused


# ---- who is who ----

def forger(town, routing_id, keys):
    sock = town.socket(zmq.DEALER, keys)
    sock.routing_id = routing_id
    return sock


def ask(sock, body, timeout=1):
    """The reply to one command, or None."""
    batch = schema.CommandBatch(commands=[make_command(1, body)])
    sock.send(batch.SerializeToString())
    deadline = time.monotonic() + timeout
    while sock.poll(max(0, deadline - time.monotonic()) * 1000):
        for reply in schema.ServerBatch.FromString(sock.recv()).replies:
            if reply.request == 1:
                return reply
    return None


def victim_with_a_known_id(town, user, routing_id=b"victim"):
    """A victim that (unlike the rule for clients) chose its routing id, so that it can be forged.

    A broker may refuse to let such a client in: then there is nothing to forge, and the test is over.
    """
    client = town.guest(town.keys)
    client.close()
    client.dealer = forger(town, routing_id, town.keys)
    client.dealer.connect(town.broker.commands)
    try:
        client.login(user, timeout=2)
    except (CommandError, TimedOut):
        pytest.skip("the broker lets nobody in who chose a routing id")
    return client


def test_a_forged_routing_id_takes_nothing_from_a_victim_that_is_there(town, counted):
    victim, friend = victim_with_a_known_id(town, town.name()), town.join()
    for keys in (Keys(), town.keys):
        thief = forger(town, b"victim", keys)
        thief.connect(town.broker.commands)
        reply = ask(thief, "who", timeout=0.5)
        assert reply is None or reply.error.code == schema.CODE_AUTH
        friend.message(victim.user, f"a secret {keys.public[:4]}")
        victim.wait_text(f"a secret {keys.public[:4]}")
        victim.who()
        while thief.poll(50):
            assert b"secret" not in thief.recv()
        thief.close()


def test_a_forged_routing_id_takes_nothing_from_a_victim_that_left(town, counted):
    friend = town.join(sub=True)
    for n in range(5):
        user, routing_id = town.name(), f"leaver {n}".encode()
        victim = victim_with_a_known_id(town, user, routing_id)
        thief = forger(town, routing_id, Keys())
        victim.close()
        thief.connect(town.broker.commands)
        reply = ask(thief, "who")
        assert reply is None or reply.error.code == schema.CODE_AUTH
        friend.wait_presence(user, False)
        assert not friend.message(user, f"a secret {n}").delivered
        while thief.poll(50):
            assert b"secret" not in thief.recv()
        thief.close()


def test_a_silent_forger_overhears_nothing_after_his_victim_left(town, counted):
    """He takes the id before the broker noticed, if he is quick enough, and only listens."""
    friend = town.join()
    for n in range(40):
        user, routing_id = town.name(), f"overheard {n}".encode()
        victim = victim_with_a_known_id(town, user, routing_id)
        thieves = [forger(town, routing_id, Keys()) for _ in range(5)]
        victim.close()
        for thief in thieves:
            thief.connect(town.broker.commands)
        for k in range(20):
            friend.message(user, f"a secret {k}")
        for thief in thieves:
            while thief.poll(2):
                assert b"secret" not in thief.recv(), "he overheard it"
            thief.close()


def test_odd_routing_ids_are_harmless(town, counted):
    for routing_id in (b"\x01", b"\xff" * 255, b"a\x00b"):
        sock = forger(town, routing_id, Keys())
        sock.connect(town.broker.commands)
        ask(sock, "ping")
        sock.close()


def test_a_new_connection_of_the_same_key_is_not_logged_in(town):
    town.join()
    refused("AUTH", town.guest(town.keys).call, "who")


# ---- the event socket ----

def stranger_with_a_session(town):
    """A client with an account and a device key of its own."""
    client, name = town.guest(), town.fresh_name()
    client.register(name, "password")
    client.login(name)
    return client


def event_socket(town, kind, keys=None):
    """A socket at the event socket with the key of a session."""
    sock = town.socket(kind, keys or town.keys)
    assert outcome(sock, town.broker.events) == "HANDSHAKE_SUCCEEDED"
    return sock


def test_a_flood_of_subscriptions_is_bounded(town, counted):
    counted("subscriptions_refused_total")
    flooder, before = stranger_with_a_session(town), town.stats()
    flood = event_socket(town, zmq.SUB, flooder.keys)
    for n in range(2000):  # so many more that they pass for a message without an end may end so
        flood.subscribe(f"flood {n}".encode())
    deadline = time.monotonic() + WAIT_S
    while town.stats()["subscriptions_refused_total"] == before["subscriptions_refused_total"]:
        assert time.monotonic() < deadline, "none of 2,000 subscriptions was refused"
    while (held := town.stats()["subscriptions"] - before["subscriptions"]) > 1000:
        assert time.monotonic() < deadline, f"it holds {held} subscriptions of the flooder"
    flood.close()


def test_subscriptions_are_given_back_when_a_subscriber_leaves(town, counted):
    client, before = stranger_with_a_session(town), town.stats()
    for n in range(15):
        sock = event_socket(town, zmq.SUB, client.keys)
        for k in range(100):
            sock.subscribe(f"topic {n} {k}".encode())
        deadline = time.monotonic() + WAIT_S
        while town.stats()["subscriptions"] < before["subscriptions"] + 100:
            assert time.monotonic() < deadline, f"the subscriptions of connection {n} do not show"
        sock.close()
        while town.stats()["subscriptions"] > before["subscriptions"]:
            assert time.monotonic() < deadline, f"the subscriptions of connection {n} stay"
    client.who()
    assert client.ended is None
    assert town.stats()["subscriptions_refused_total"] == before["subscriptions_refused_total"]


@pytest.mark.parametrize("frame", [b"", b"\x00", b"\x01", b"\x02\x03garbage", b"\x05" * 500, b"\x01" + b"x" * 5000,
                                   b"\x00never subscribed"], ids=lambda frame: frame[:8].hex() or "empty")
def test_garbage_towards_the_event_socket_harms_nobody(town, counted, frame):
    town.join()
    victim = town.join(sub=True)
    sock = event_socket(town, zmq.XSUB)
    for _ in range(50):
        sock.send(frame)
    sock.send_multipart([frame, frame])
    town.join().broadcast("after the garbage")
    victim.wait_broadcast("after the garbage")
    sock.close()


def test_a_frame_of_more_than_1_mib_towards_the_event_socket_harms_nobody(town, counted):
    town.join()
    sock = event_socket(town, zmq.XSUB)
    sock.send(b"\x02" + bytes(2 * 1024 * 1024))
    town.join().ping()
    sock.close()


def test_subscribe_and_disconnect_in_a_loop_harms_nobody(town, counted):
    town.join()
    for n in range(30):
        sock = event_socket(town, zmq.SUB)
        sock.subscribe(f"topic {n}".encode())
        sock.close()


def test_one_who_listens_to_everything_hears_nothing_personal(town):
    town.join()
    spy = event_socket(town, zmq.SUB)
    spy.subscribe(b"")
    alice, bob, other = town.join(), town.join(), town.join()
    alice.block(other.user)
    alice.message(bob.user, "a personal secret")
    alice.broadcast("a broadcast not for the other, a secret")
    bob.wait_text("a personal secret")
    marker = new_id().hex()
    heard = []
    deadline = time.monotonic() + WAIT_S
    while marker.encode() not in b"".join(heard):
        assert time.monotonic() < deadline
        bob.broadcast(marker)
        while spy.poll(100):
            heard.append(spy.recv())
    assert b"secret" not in b"".join(heard)
    spy.close()


# ---- floods ----

def test_rate_budgets_answer_busy_and_say_when_to_retry(town_factory):
    town = town_factory("--rate-account", "5", accounts=2)
    client, other = town.join(), town.join()
    results = client.batch([("who", {})] * 64 + [("who", {})] * 64)
    busy = [error for error in results if getattr(error, "code", None) == "BUSY"]
    assert 64 <= len(busy) < 128 and busy[0].retry_after_s >= 1
    other.who()


def test_too_many_passwords_from_one_address_are_busy_and_keys_still_enter(town_factory):
    town = town_factory("--rate-passwords", "1", accounts=2)
    client = town.guest()
    results = client.batch([("login", dict(protocol=1, user=f"nobody{n}", password="x"))
                            for n in range(30)], timeout=WAIT_S)
    codes = {error.code for error in results}
    assert codes == {"AUTH", "BUSY"}
    town.join()


def test_a_crowd_that_connects_and_says_nothing_harms_nobody(town, counted):
    crowd = [town.socket(zmq.DEALER, town.keys) for _ in range(200)]
    for sock in crowd:
        sock.connect(town.broker.commands)
    for sock in crowd[:20]:
        assert ask(sock, "ping", timeout=WAIT_S) is not None
    for sock in crowd:
        sock.close()


def test_one_who_does_not_read_harms_nobody(town, counted):
    """His pipe fills up, the others go on, and what he missed is in his inbox."""
    counted("events_dropped_total")
    sleeper, alice, bob = town.join(rcvhwm=1), town.join(inbox=False), town.join()
    total, together = 1500, 30  # more than the kernel's buffers take, before who is silent is cut
    for _ in range(total // together):
        alice.batch([("send_message", dict(id=new_id(), to=sleeper.user, text="x" * 16_000))
                     for _ in range(together)])
        bob.ping()
    bob.message(alice.user, "quick as ever")
    sleeper.wait_have(total, timeout=60)
    assert [event.seq for event in sleeper.inbox] == list(range(1, total + 1))


def test_one_who_asks_and_never_reads_is_cut_off(town, counted):
    """Replies are never dropped in silence: who has no room for his loses the connection."""
    counted("replies_dropped_total")
    asker, alice, bob = town.join(rcvhwm=1), town.join(inbox=False), town.join()
    alice.batch([("send_message", dict(id=new_id(), to=asker.user, text="x" * 16_000)) for _ in range(60)])
    there, deadline = town.stats()["users_online"], time.monotonic() + WAIT_S
    while town.stats()["users_online"] == there:
        assert time.monotonic() < deadline, "it holds what nobody reads"
        for _ in range(20):  # between two looks: on a busy machine it would be cut for having read nothing for 30 s
            asker.start_batch([("sync", dict(stream="inbox")), ("get_stats", {})] * 32)
    bob.message(alice.user, "quick as ever")


def test_clients_that_come_and_go_at_once_harm_nobody(town, counted):
    users, errors = town.names(4), []

    def come_and_go(user):
        try:
            for _ in range(10):
                client = Client(town.broker.address, keys=town.keys)
                client.start("login", protocol=1, user=user, online=True, inbox=True)
                client.close()
        except TimedOut as error:
            errors.append(error)

    threads = [threading.Thread(target=come_and_go, args=[user]) for user in users]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert errors == []
