"""Both ends of a CURVE connection made by hand (ZMTP 3.1, RFC 26), for what libzmq never does: to stop in
the middle of a handshake, to send a message without an end, to be cut and notice. Needs libsodium alone."""

import ctypes
import os
import socket
import struct

from zmq.utils import z85

from support.patience import WAIT_S

GREETING_BYTES = 64
MORE = 1

_sodium = ctypes.CDLL("libsodium.so.23")


class Cut(Exception):
    """The other side ended the connection."""


def _shared(public, secret):
    key = ctypes.create_string_buffer(32)
    _sodium.crypto_box_beforenm(key, public, secret)
    return key.raw


def _pair():
    public, secret = ctypes.create_string_buffer(32), ctypes.create_string_buffer(32)
    _sodium.crypto_box_keypair(public, secret)
    return public.raw, secret.raw


def _box(data, nonce, shared):
    out = ctypes.create_string_buffer(len(data) + 16)
    _sodium.crypto_box_easy_afternm(out, data, ctypes.c_ulonglong(len(data)), nonce, shared)
    return out.raw


def _open(data, nonce, shared):
    out = ctypes.create_string_buffer(len(data) - 16)
    assert _sodium.crypto_box_open_easy_afternm(out, data, ctypes.c_ulonglong(len(data)), nonce, shared) == 0
    return out.raw


def greeting(mechanism=b"CURVE", version=3, server=False):
    return (b"\xff" + bytes(8) + b"\x7f" + bytes([version, 1]) + mechanism.ljust(20, b"\0") +
            bytes([server]) + bytes(31))


def frame(body, flags=0):
    if len(body) > 255:
        return bytes([flags | 2]) + struct.pack(">Q", len(body)) + body
    return bytes([flags, len(body)]) + body


def metadata(**properties):
    out = b""
    for name, value in properties.items():
        name = name.replace("_", "-").encode()
        out += bytes([len(name)]) + name + struct.pack(">I", len(value)) + value
    return out


def tcp(endpoint, timeout=WAIT_S):
    host, port = endpoint.removeprefix("tcp://").rsplit(":", 1)
    return socket.create_connection((host, int(port)), timeout=timeout)


def null_handshake(endpoint, kind=b"DEALER"):
    """A connection to the greeter on which requests may be sent."""
    sock = tcp(endpoint)
    sock.sendall(greeting(b"NULL") + frame(b"\x05READY" + metadata(Socket_Type=kind), 4))
    return sock


class Line:
    """One connection. Its methods raise Cut once the other side has ended it."""

    def __init__(self, sock):
        self.sock, self.inbound = sock, b""
        self.sock.settimeout(WAIT_S)

    def close(self, reset=False):
        if reset:
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.sock.close()

    def _read(self, count):
        while len(self.inbound) < count:
            data = self.sock.recv(65536)
            if not data:
                raise Cut()
            self.inbound += data
        out, self.inbound = self.inbound[:count], self.inbound[count:]
        return out

    def _read_frame(self):
        flags = self._read(1)[0]
        return self._read(struct.unpack(">Q", self._read(8))[0] if flags & 2 else self._read(1)[0])

    def send_bytes(self, data):
        try:
            self.sock.sendall(data)
        except OSError:
            raise Cut() from None


class Greeter(Line):
    """The listening end without security: of a greeter."""

    def __init__(self, sock, kind=b"ROUTER"):
        super().__init__(sock)
        self.sock.sendall(greeting(b"NULL"))
        self._read(GREETING_BYTES)
        assert self._read_frame().startswith(b"\x05READY")
        self.sock.sendall(frame(b"\x05READY" + metadata(Socket_Type=kind), 4))

    def receive(self):
        return self._read_frame()

    def part(self, payload, more=False):
        """The bytes of one part of a message."""
        return frame(payload, MORE if more else 0)

    def send(self, payload, more=False):
        self.send_bytes(self.part(payload, more))


class Curve(Line):
    """One connection with CURVE, once the handshake is done."""

    mine, theirs = b"", b""  # what the nonces of messages begin with

    def __init__(self, sock):
        super().__init__(sock)
        self.nonce, self.shared = 0, b""

    def _nonce(self):
        self.nonce += 1
        return struct.pack(">Q", self.nonce)

    def part(self, payload, more=False):
        """The bytes of one part of a message."""
        nonce = self._nonce()
        box = _box(bytes([MORE if more else 0]) + payload, self.mine + nonce, self.shared)
        return frame(b"\x07MESSAGE" + nonce + box)

    def send(self, payload, more=False):
        self.send_bytes(self.part(payload, more))

    def receive(self, timeout=WAIT_S):
        """The payload of the next message; None: nothing came."""
        self.sock.settimeout(timeout)
        try:
            message = self._read_frame()
        except TimeoutError:
            return None
        except OSError:
            raise Cut() from None
        if not message.startswith(b"\x07MESSAGE"):
            return self.receive(timeout)
        return _open(message[16:], self.theirs + message[8:16], self.shared)[1:]


class Raw(Curve):
    """The connecting end."""

    mine, theirs = b"CurveZMQMESSAGEC", b"CurveZMQMESSAGES"

    def __init__(self, endpoint, server_key, keys, kind=b"DEALER", **properties):
        self.server, self.public, self.secret = z85.decode(server_key), keys.raw, z85.decode(keys.secret)
        super().__init__(tcp(endpoint))
        try:
            self._shake(metadata(Socket_Type=kind, **properties))
        except OSError:
            raise Cut() from None

    def _shake(self, properties):
        short_public, short_secret = _pair()
        self.sock.sendall(greeting())
        self._read(GREETING_BYTES)
        nonce = self._nonce()
        hello = _box(bytes(64), b"CurveZMQHELLO---" + nonce, _shared(self.server, short_secret))
        self.sock.sendall(frame(b"\x05HELLO\x01\x00" + bytes(72) + short_public + nonce + hello, 4))
        welcome = self._read_frame()
        assert welcome.startswith(b"\x07WELCOME")
        box = _open(welcome[24:], b"WELCOME-" + welcome[8:24], _shared(self.server, short_secret))
        server_short, cookie = box[:32], box[32:]
        self.shared = _shared(server_short, short_secret)
        random = os.urandom(16)
        vouch = _box(short_public + self.server, b"VOUCH---" + random, _shared(server_short, self.secret))
        nonce = self._nonce()
        box = _box(self.public + random + vouch + properties, b"CurveZMQINITIATE" + nonce, self.shared)
        self.sock.sendall(frame(b"\x08INITIATE" + cookie + nonce + box, 4))
        assert self._read_frame().startswith(b"\x05READY")


class Host(Curve):
    """The listening end, on a connection that was accepted. Whoever has a key is admitted."""

    mine, theirs = b"CurveZMQMESSAGES", b"CurveZMQMESSAGEC"

    def __init__(self, sock, keys, kind=b"ROUTER"):
        super().__init__(sock)
        try:
            self._shake(z85.decode(keys.secret), metadata(Socket_Type=kind))
        except OSError:
            raise Cut() from None

    def _shake(self, secret, properties):
        short_public, short_secret = _pair()
        self.sock.sendall(greeting(server=True))
        self._read(GREETING_BYTES)
        hello = self._read_frame()
        assert hello.startswith(b"\x05HELLO")
        client_short, random = hello[80:112], os.urandom(16)
        box = _box(short_public + os.urandom(96), b"WELCOME-" + random, _shared(client_short, secret))
        self.sock.sendall(frame(b"\x07WELCOME" + random + box, 4))
        assert self._read_frame().startswith(b"\x08INITIATE")
        self.shared = _shared(client_short, short_secret)
        nonce = self._nonce()
        self.sock.sendall(frame(b"\x05READY" + nonce + _box(properties, b"CurveZMQREADY---" + nonce, self.shared), 4))
