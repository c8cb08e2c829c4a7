"""What is not zchat, or means harm: each gets its clear error or is refused, the broker goes on, and
its counters show it. proto/README.md, "Errors"."""

import json
import socket
import struct
import threading
import time

import pytest
import zmq
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

from support import schema
from support.client import (Client, Keys, TimedOut, context, curve_socket, greet, make_command,
                            new_id)
from support.town import refused

REFUSALS = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL \
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED


@pytest.fixture
def counted(town):
    """Asserts at the end that the broker serves, and that the counters given to it have grown."""
    before, names = town.stats(), []
    yield lambda *more: names.extend(more)
    deadline = time.monotonic() + 5
    while True:
        after = town.stats()
        still = [name for name in names if after[name] <= before[name]]
        if not still:
            break
        assert time.monotonic() < deadline, f"these counters did not move: {still}"
    one, other = town.join(), town.join(sub=True)
    one.message(other.user, "still there")
    other.wait_text("still there")
    one.broadcast("still there")
    other.wait_broadcast("still there")


def outcome(sock, endpoint, timeout=5):
    """Connects and says how the handshake ended: the name of the monitor's event, or "nothing"."""
    monitor = sock.get_monitor_socket(REFUSALS | zmq.EVENT_HANDSHAKE_SUCCEEDED)
    try:
        sock.connect(endpoint)
        if not monitor.poll(timeout * 1000):
            return "nothing"
        return zmq.Event(recv_monitor_message(monitor)["event"]).name
    finally:
        sock.disable_monitor()
        monitor.close(0)


def plain_socket(kind):
    sock = context.socket(kind)
    sock.linger = 0
    sock.reconnect_ivl = -1
    return sock


def field(number, wire_type, payload=b""):
    """A protobuf field by hand; length-delimited ones (2) get their length."""
    key = varint(number << 3 | wire_type)
    return key + (varint(len(payload)) + payload if wire_type == 2 else payload)


def varint(number):
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def unreadable(client, frame):
    """Sends a frame; asserts that it is answered with INVALID for request 0."""
    client.send_raw(frame)
    reply = client.wait(lambda: client.replies.pop(0, None), what="the error of an unreadable frame")
    assert reply.error.code == schema.CODE_INVALID and reply.error.message
    return reply.error


def message_frame(to, text, request=1, more=b""):
    """A SendMessage with any bytes as its text."""
    body = field(1, 2, new_id()) + field(2, 2, to.encode()) + field(3, 2, text) + more
    return field(1, 2, field(1, 0, varint(request)) + field(20, 2, body))


# ---- versions ----

@pytest.mark.parametrize("version", [0, 2, 99, 2**32 - 1])
def test_another_protocol_version_is_refused_naming_both(town, counted, version):
    client = town.guest(town.keys)
    for call in (("login", {}), ("register_account", {"password": "secret"})):
        error = refused("INVALID", client.call, call[0], protocol=version, user=town.name(), **call[1])
        assert str(version) in error.message and "1" in error.message.replace(str(version), "")


def test_the_greeter_greets_any_version(town):
    greeting = greet(town.broker.address, protocol=99)
    assert greeting.protocol_min == greeting.protocol_max == 1
    assert greeting.server_key == z85.decode(town.broker.server_key.encode())
    assert greeting.commands == town.broker.commands and greeting.events == town.broker.events


def test_the_greeter_serves_a_req_socket(town):
    sock = plain_socket(zmq.REQ)
    sock.connect(town.broker.address)
    sock.send(schema.GreetingRequest(protocol=1).SerializeToString())
    assert sock.poll(5000)
    assert schema.Greeting.FromString(sock.recv()).server_key
    sock.close()


def test_port_0_takes_three_free_ones_and_endpoints_json_tells_them(broker_factory):
    brokers = [broker_factory(port=0), broker_factory(port=0)]
    ports = set()
    for broker in brokers:
        said = json.loads((broker.data / "endpoints.json").read_text())
        told = {key: getattr(broker, key) for key in ("address", "commands", "events", "server_key")}
        assert {key: said[key] for key in told} == told
        assert greet(broker.address).commands == broker.commands
        ports |= {broker.address, broker.commands, broker.events}
    assert len(ports) == 6


@pytest.mark.parametrize("frame", [b"\xff\xff\xff", b"\x0a\xff", bytes(100), b"GET / HTTP/1.1\r\n\r\n"],
                         ids=["ones", "cut", "zeros", "http"])
def test_the_greeter_gives_nothing_for_noise(town, counted, frame):
    counted("greetings_refused_total")
    sock = plain_socket(zmq.DEALER)
    sock.connect(town.broker.address)
    sock.send(frame)
    greet(town.broker.address)
    assert not sock.poll(100)
    sock.close()


def test_a_greeting_that_is_too_long_closes_the_connection(town, counted):
    sock = plain_socket(zmq.DEALER)
    monitor = sock.get_monitor_socket(zmq.EVENT_DISCONNECTED)
    sock.connect(town.broker.address)
    sock.send(bytes(600))
    assert monitor.poll(5000), "the connection is still open"
    sock.disable_monitor()
    sock.close()


# ---- what is not ZeroMQ, or not CURVE ----

NOISE = {
    "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    "zeros": bytes(4096),
    "ones": b"\xff" * 4096,
    "a huge announced frame": b"\xff" + bytes(8) + b"\x7f" + bytes(54) + b"\x06\xff" * 100,
    "half a greeting": b"\xff\x00\x00\x00\x00",
    "nothing": b"",
}


@pytest.mark.parametrize("noise", NOISE)
@pytest.mark.parametrize("port", ["address", "commands", "events"])
def test_plain_tcp_noise_harms_nobody(town, counted, port, noise):
    host, number = getattr(town.broker, port).removeprefix("tcp://").rsplit(":", 1)
    for _ in range(3):
        with socket.create_connection((host, int(number)), timeout=5) as connection:
            connection.sendall(NOISE[noise])


def test_a_connection_that_is_reset_harms_nobody(town, counted):
    for endpoint in (town.broker.address, town.broker.commands, town.broker.events):
        host, number = endpoint.removeprefix("tcp://").rsplit(":", 1)
        connection = socket.create_connection((host, int(number)), timeout=5)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"\xff" + bytes(8) + b"\x7f\x03")
        connection.close()


@pytest.mark.parametrize("kind", [zmq.DEALER, zmq.SUB], ids=["commands", "events"])
@pytest.mark.parametrize("mechanism", ["NULL", "PLAIN"])
def test_clients_without_curve_are_refused(town, counted, kind, mechanism):
    counted("handshakes_failed_total")
    sock = plain_socket(kind)
    if mechanism == "PLAIN":
        sock.plain_username, sock.plain_password = b"user.000", b"secret"
    endpoint = town.broker.commands if kind == zmq.DEALER else town.broker.events
    assert outcome(sock, endpoint) != "HANDSHAKE_SUCCEEDED"
    sock.close()


def test_a_client_with_another_server_key_gets_no_answer(town, counted):
    sock = curve_socket(zmq.DEALER, Keys().public, Keys())
    assert outcome(sock, town.broker.commands) != "HANDSHAKE_SUCCEEDED"
    sock.close()


def test_the_event_socket_admits_only_keys_of_open_sessions(town, counted):
    counted("zap_refused_total")
    stranger = town.guest()
    stranger.ping()
    server_key = town.broker.server_key.encode()
    sock = curve_socket(zmq.SUB, server_key, stranger.keys)
    assert outcome(sock, town.broker.events) != "HANDSHAKE_SUCCEEDED"
    sock.close()
    name = town.fresh_name()
    stranger.register(name, "password")
    stranger.login(name)
    sock = curve_socket(zmq.SUB, server_key, stranger.keys)
    assert outcome(sock, town.broker.events) == "HANDSHAKE_SUCCEEDED"
    sock.close()
    stranger.logout()
    sock = curve_socket(zmq.SUB, server_key, stranger.keys)
    assert outcome(sock, town.broker.events) != "HANDSHAKE_SUCCEEDED"
    sock.close()


# ---- frames ----

def test_a_frame_of_more_than_1_mib_closes_the_connection(town, counted):
    for logged_in in (False, True):
        client = town.join() if logged_in else town.guest()
        client.ping()
        monitor = client.dealer.get_monitor_socket(zmq.EVENT_DISCONNECTED)
        client.send_raw(bytes(1024 * 1024 + 1))
        assert monitor.poll(5000), "the connection is still open"
        client.dealer.disable_monitor()
        client.close()


def test_a_frame_that_is_no_protobuf_is_invalid(town, counted):
    counted("frames_malformed_total")
    client = town.guest()
    for frame in (b"\xff", b"garbage", b"\x0a\x05ab", b"\x0b\x0c", bytes(1000), b"\x0a\x02\x08"):
        unreadable(client, frame)
    client.ping()


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x00b", b"ab\xe2\x82"])
def test_a_string_that_is_no_utf8_or_holds_a_nul_is_invalid(town, counted, text):
    counted("frames_bad_text_total")
    alice, bob = town.join(), town.join()
    good = field(1, 2, make_command(50, "send_message", id=new_id(), to=bob.user,
                                    text="before").SerializeToString())
    unreadable(alice, good + message_frame(bob.user, text))
    alice.ping()
    assert 50 not in alice.replies, "something of the frame was done"
    assert bob.sync().head == 0


@pytest.mark.parametrize("place", ["batch", "command", "body"])
def test_an_unknown_field_is_invalid(town, counted, place):
    counted("frames_unknown_field_total")
    alice, bob = town.join(), town.join()
    frame = message_frame(bob.user, b"hello", more=field(90, 0, b"\x01") if place == "body" else b"")
    if place == "batch":
        frame += field(90, 2, b"what is this?")
    if place == "command":
        ping = field(1, 0, b"\x09") + field(8, 2, b"x") + field(40, 2)
        frame += field(1, 2, ping)
    unreadable(alice, frame)
    assert bob.sync().head == 0


@pytest.mark.parametrize("number", [16, 27, 50, 99, 1000, 2**28])
def test_an_unknown_command_is_unimplemented_and_the_others_are_done(town, counted, number):
    counted("commands_unknown_total")
    client = town.join()
    frame = b"".join(field(1, 2, command) for command in (
        make_command(1001, "ping").SerializeToString(),
        field(1, 0, varint(1002)) + field(number, 2, b"\x08\x01"),
        make_command(1003, "ping").SerializeToString()))
    client.send_raw(frame)
    client.wait_reply(1001)
    refused("UNIMPLEMENTED", client.wait_reply, 1002)
    client.wait_reply(1003)


def test_a_command_without_a_body_is_unimplemented(town):
    client = town.join()
    client.send_raw(field(1, 2, field(1, 0, b"\x07")))
    refused("UNIMPLEMENTED", client.wait_reply, 7)


def test_64_commands_are_done_and_of_65_none(town, counted):
    counted("frames_too_many_total")
    client = town.join()
    commands = [make_command(n, "ping") for n in range(1001, 1066)]
    client.send_raw(schema.CommandBatch(commands=commands[:64]).SerializeToString())
    for n in range(1001, 1065):
        client.wait_reply(n)
    unreadable(client, schema.CommandBatch(commands=commands).SerializeToString())
    client.ping()
    assert not any(n in client.replies for n in range(1001, 1066))


def test_a_frame_of_half_a_million_empty_commands_costs_little(town, counted):
    client = town.join()
    start = time.monotonic()
    unreadable(client, field(1, 2) * 500_000)
    assert time.monotonic() - start < 1


def test_a_frame_of_1_mib_is_read(town, counted):
    client = town.join()
    unreadable(client, field(1, 2) * (512 * 1024))
    client.ping()


def test_an_empty_frame_says_nothing(town):
    client = town.join()
    client.send_raw(b"")
    client.send_raw(schema.CommandBatch().SerializeToString())
    client.ping()
    assert client.replies == {}


def test_a_message_of_several_parts_is_refused(town, counted):
    counted("frames_parts_total")
    alice, bob = town.join(), town.join()
    frame = message_frame(bob.user, b"in parts")
    alice.dealer.send_multipart([b"", frame])
    alice.dealer.send_multipart([frame, frame])
    alice.dealer.send_multipart([b""] * 1000)
    alice.ping()
    assert bob.sync().head == 0


def test_numbers_out_of_range_are_harmless(town):
    client = town.join()
    for request in (2**64 - 1, 2**63):
        client.send([make_command(request, "ping")])
        client.wait_reply(request)
    client.sync(after=2**64 - 1, limit=1)
    client.call("ack", received=2**64 - 1, read=2**64 - 1)
    assert client.keep_alive().inbox == 0


def test_two_commands_with_the_same_number_are_both_answered(town):
    client = town.join()
    client.batches = []
    client.send([make_command(5, "ping"), make_command(5, "ping")])
    client.wait(lambda: sum(len(batch.replies) for batch in client.batches) == 2)


# ---- who is who ----

def forger(town, routing_id, keys):
    sock = curve_socket(zmq.DEALER, town.broker.server_key.encode(), keys)
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


def victim_with_a_known_id(town, user):
    """A victim that (unlike the rule for clients) chose its routing id, so that it can be forged."""
    client = town.guest(town.keys)
    client.close()
    client.dealer = forger(town, b"victim", town.keys)
    client.dealer.connect(town.broker.commands)
    client.login(user)
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
        user = town.name()
        victim = victim_with_a_known_id(town, user)
        thief = forger(town, b"victim", Keys())
        victim.close()
        thief.connect(town.broker.commands)
        reply = ask(thief, "who")
        assert reply is None or reply.error.code == schema.CODE_AUTH
        friend.wait_presence(user, False)
        assert not friend.message(user, f"a secret {n}").delivered
        while thief.poll(50):
            assert b"secret" not in thief.recv()
        thief.close()


def test_odd_routing_ids_are_harmless(town, counted):
    for routing_id in (b"\x01", b"\xff" * 255, b"a\x00b"):
        sock = forger(town, routing_id, Keys())
        sock.connect(town.broker.commands)
        assert ask(sock, "ping", timeout=5).HasField("ping")
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
    sock = curve_socket(kind, town.broker.server_key.encode(), keys or town.keys)
    assert outcome(sock, town.broker.events) == "HANDSHAKE_SUCCEEDED"
    return sock


def test_a_flood_of_subscriptions_is_bounded(town, counted):
    counted("subscriptions_refused_total")
    flooder, before = stranger_with_a_session(town), town.stats()
    flood = event_socket(town, zmq.SUB, flooder.keys)
    for n in range(5000):
        flood.subscribe(f"flood {n}".encode())
    deadline = time.monotonic() + 5
    while town.stats()["subscriptions_refused_total"] == before["subscriptions_refused_total"]:
        assert time.monotonic() < deadline, "none of 5,000 subscriptions was refused"
    while (held := town.stats()["subscriptions"] - before["subscriptions"]) > 1000:
        assert time.monotonic() < deadline, f"it holds {held} subscriptions of the flooder"
    flood.close()


def test_subscriptions_are_given_back_when_a_subscriber_leaves(town, counted):
    client, before = stranger_with_a_session(town), town.stats()
    for n in range(15):
        sock = event_socket(town, zmq.SUB, client.keys)
        for k in range(100):
            sock.subscribe(f"topic {n} {k}".encode())
        deadline = time.monotonic() + 5
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
    sock.send(b"\x01" + bytes(2 * 1024 * 1024))
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
    deadline = time.monotonic() + 5
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
                            for n in range(30)], timeout=20)
    codes = {error.code for error in results}
    assert codes == {"AUTH", "BUSY"}
    town.join()


def test_a_crowd_that_connects_and_says_nothing_harms_nobody(town, counted):
    crowd = [curve_socket(zmq.DEALER, town.broker.server_key.encode(), town.keys) for _ in range(200)]
    for sock in crowd:
        sock.connect(town.broker.commands)
    for sock in crowd[:20]:
        assert ask(sock, "ping", timeout=10) is not None
    for sock in crowd:
        sock.close()


def test_one_who_does_not_read_harms_nobody(town, counted):
    """His pipe fills up; the others go on, and what he missed is in his inbox."""
    sleeper, alice, bob = town.join(ack=False), town.join(), town.join()
    text = "x" * 10_000
    for _ in range(30):
        alice.start_batch([("send_message", dict(id=new_id(), to=sleeper.user, text=text))
                           for _ in range(40)])
        alice.wait(lambda: not alice.unanswered, timeout=20)
    bob.message(alice.user, "quick as ever")
    alice.wait_text("quick as ever")
    sleeper.wait_have(1200, timeout=20)
    assert len(sleeper.inbox) == 1200


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
