"""Below the client: handshakes as they end, and frames made by hand."""

import contextlib

import zmq
from zmq.utils.monitor import recv_monitor_message

from support import schema
from support.client import new_id
from support.patience import WAIT_S

REFUSALS = zmq.EVENT_HANDSHAKE_FAILED_AUTH | zmq.EVENT_HANDSHAKE_FAILED_NO_DETAIL \
    | zmq.EVENT_HANDSHAKE_FAILED_PROTOCOL | zmq.EVENT_DISCONNECTED | zmq.EVENT_CLOSED


@contextlib.contextmanager
def monitored(sock, events):
    """The monitor of a socket, for as long as the block runs."""
    monitor = sock.get_monitor_socket(events)
    try:
        yield monitor
    finally:
        sock.disable_monitor()
        monitor.close(0)


def outcome(sock, endpoint, timeout=WAIT_S):
    """Connects and says how the handshake ended: the name of the monitor's event, or "nothing"."""
    with monitored(sock, REFUSALS | zmq.EVENT_HANDSHAKE_SUCCEEDED) as monitor:
        sock.connect(endpoint)
        if not monitor.poll(timeout * 1000):
            return "nothing"
        return zmq.Event(recv_monitor_message(monitor)["event"]).name


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
