"""What is not zchat, or not quite: each gets its clear error or is refused, the broker goes on, and
its counters show it. proto/README.md, "Errors"."""

import json
import socket
import struct
import time

import pytest
import zmq
from zmq.utils import z85

from support import schema
from support.client import Keys, greet, make_command, new_id
from support.patience import WAIT_S
from support.raw import field, message_frame, monitored, outcome, unreadable, varint
from support.town import refused


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
    sock = town.socket(zmq.REQ)
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
    sock = town.socket(zmq.DEALER)
    sock.connect(town.broker.address)
    sock.send(frame)
    greet(town.broker.address)
    assert not sock.poll(100)
    sock.close()


def test_the_greeter_closes_what_sends_it_too_much(town, counted):
    sock = town.socket(zmq.DEALER)
    with monitored(sock, zmq.EVENT_DISCONNECTED) as monitor:
        sock.connect(town.broker.address)
        sock.send(bytes(64 * 1024))
        assert monitor.poll(5000), "the connection is still open"


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
        with socket.create_connection((host, int(number)), timeout=WAIT_S) as connection:
            connection.sendall(NOISE[noise])


def test_a_connection_that_is_reset_harms_nobody(town, counted):
    for endpoint in (town.broker.address, town.broker.commands, town.broker.events):
        host, number = endpoint.removeprefix("tcp://").rsplit(":", 1)
        connection = socket.create_connection((host, int(number)), timeout=WAIT_S)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        connection.sendall(b"\xff" + bytes(8) + b"\x7f\x03")
        connection.close()


@pytest.mark.parametrize("kind", [zmq.DEALER, zmq.SUB], ids=["commands", "events"])
@pytest.mark.parametrize("mechanism", ["NULL", "PLAIN"])
def test_clients_without_curve_are_refused(town, counted, kind, mechanism):
    counted("handshakes_failed_total")
    sock = town.socket(kind)
    if mechanism == "PLAIN":
        sock.plain_username, sock.plain_password = b"user.000", b"secret"
    endpoint = town.broker.commands if kind == zmq.DEALER else town.broker.events
    assert outcome(sock, endpoint) != "HANDSHAKE_SUCCEEDED"
    sock.close()


def test_a_client_with_another_server_key_gets_no_answer(town, counted):
    sock = town.socket(zmq.DEALER, Keys(), server_key=Keys().public)
    assert outcome(sock, town.broker.commands) != "HANDSHAKE_SUCCEEDED"
    sock.close()


def test_the_event_socket_admits_only_keys_of_open_sessions(town, counted):
    counted("zap_refused_total")
    stranger = town.guest()
    stranger.ping()
    sock = town.socket(zmq.SUB, stranger.keys)
    assert outcome(sock, town.broker.events) != "HANDSHAKE_SUCCEEDED"
    sock.close()
    name = town.fresh_name()
    stranger.register(name, "password")
    stranger.login(name)
    sock = town.socket(zmq.SUB, stranger.keys)
    assert outcome(sock, town.broker.events) == "HANDSHAKE_SUCCEEDED"
    sock.close()
    stranger.logout()
    sock = town.socket(zmq.SUB, stranger.keys)
    assert outcome(sock, town.broker.events) != "HANDSHAKE_SUCCEEDED"
    sock.close()


# ---- frames ----

def test_a_frame_of_far_more_than_1_mib_closes_the_connection(town, counted):
    for logged_in in (False, True):
        client = town.join() if logged_in else town.guest()
        client.ping()
        with monitored(client.dealer, zmq.EVENT_DISCONNECTED) as monitor:
            client.send_raw(bytes(2 * 1024 * 1024))
            assert monitor.poll(5000), "the connection is still open"
        client.close()


def test_a_frame_of_a_little_more_than_1_mib_is_invalid(town, counted):
    counted("frames_too_large_total")
    unreadable(town.join(), bytes(1024 * 1024 + 1))


def test_a_frame_that_is_no_protobuf_is_invalid(town, counted):
    counted("frames_malformed_total")
    client = town.guest()
    for frame in (b"\xff", b"garbage", b"\x0a\x05ab", b"\x0b\x0c", bytes(1000)):
        unreadable(client, frame)
    client.ping()


def among_others(town, bad, request):
    """Sends a frame with a bad command between two good ones; the broker's error. The good ones are done."""
    alice, bob = town.join(), town.join()
    good = [make_command(number, "send_message", id=new_id(), to=bob.user, text=f"text {number}")
            for number in (1001, 1003)]
    first, last = (field(1, 2, command.SerializeToString()) for command in good)
    alice.send_raw(first + bad(bob.user) + last)
    for number in (1001, 1003):
        alice.wait_reply(number)
    assert bob.sync().head == 2
    reply = alice.replies.pop(request, None)
    assert reply is not None and reply.error.code == schema.CODE_INVALID and reply.error.message
    assert not alice.replies, "more was answered"


def test_a_command_that_is_no_protobuf_is_invalid_under_its_number_and_the_others_are_done(town, counted):
    counted("commands_faulty_total")
    among_others(town, lambda _: field(1, 2, field(1, 0, b"\x07") + b"\x0b\x0c"), 7)
    among_others(town, lambda _: field(1, 2, field(1, 0, b"\x07") + field(20, 2, b"\x0a\x7f")), 7)
    among_others(town, lambda _: field(1, 2, field(20, 0, b"\x01") + field(1, 0, varint(2**63))), 2**63)


def test_a_command_whose_number_can_t_be_read_is_invalid_without_one(town, counted):
    counted("commands_faulty_total")
    among_others(town, lambda _: field(1, 2, b"\x08"), 0)


@pytest.mark.parametrize("text", [b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"a\x00b", b"ab\xe2\x82"])
def test_a_string_that_is_no_utf8_or_holds_a_nul_is_invalid(town, counted, text):
    counted("commands_faulty_total")
    among_others(town, lambda to: message_frame(to, text, request=1002), 1002)


@pytest.mark.parametrize("place", ["command", "body"])
def test_an_unknown_field_is_invalid(town, counted, place):
    counted("commands_faulty_total")
    if place == "body":
        among_others(town, lambda to: message_frame(to, b"hello", 1002, field(90, 0, b"\x01")), 1002)
    else:
        ping = field(1, 0, b"\x09") + field(8, 2, b"x") + field(40, 2)
        among_others(town, lambda _: field(1, 2, ping), 9)


def test_an_unknown_field_beside_the_commands_is_invalid_and_none_is_done(town, counted):
    counted("frames_unknown_field_total")
    alice, bob = town.join(), town.join()
    unreadable(alice, message_frame(bob.user, b"hello") + field(90, 2, b"what is this?"))
    assert bob.sync().head == 0


@pytest.mark.parametrize("what", [field(8, 0, b"\x01"), field(99, 2)])
def test_what_can_t_be_carried_out_costs_what_others_cost(town_factory, what):
    """Else a flood of it is answered for nothing."""
    client = town_factory("--rate-key", "1").guest()
    client.send_raw(b"".join(field(1, 2, field(1, 0, varint(n)) + what) for n in range(1, 65)))
    client.wait(lambda: len(client.replies) == 64, what="64 replies")
    codes = {reply.error.code for reply in client.replies.values()}
    assert schema.CODE_BUSY in codes and len(codes) == 2, codes


@pytest.mark.parametrize("frame", [b"\xff" * 20, field(90, 0, b"\x01"), bytes(1024 * 1024 + 1),
                                   field(1, 2) * 65, b"", [b"of", b"several", b"parts"]],
                         ids=["malformed", "unknown", "too large", "too many", "empty", "parts"])
def test_a_frame_that_is_no_commands_costs_what_others_cost(town_factory, frame):
    """Else a flood of them is read for nothing. (By a member: a stranger's large frame ends its connection.)"""
    client = town_factory("--rate-key", "1", accounts=1).join()
    for _ in range(12):
        if isinstance(frame, list):
            client.dealer.send_multipart(frame)
        else:
            client.send_raw(frame)
    refused("BUSY", client.ping)


@pytest.mark.parametrize("number", [1000, 1027, 2**28])
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
