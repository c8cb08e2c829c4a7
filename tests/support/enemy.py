"""A broker that means harm. It greets, proves its key and logs everybody in as the page says, and at one
place it sends what the test wants, for as long as it is let."""

import os
import socket
import threading

from support import schema
from support.client import Keys
from support.curve import Cut, Greeter, Host

MIB = 1024 * 1024
ENOUGH = 1024 * MIB  # who takes as much would take everything


# ---- what is sent ----

def endless(line):
    """One message of large parts."""
    yield line.part(bytes(4000 if isinstance(line, Greeter) else MIB - 1024), more=True)


def endless_dust(line):
    """One message of tiny parts, each of which costs the receiver more than it has bytes."""
    if isinstance(line, Greeter):
        yield line.part(b"x", more=True) * 20_000
    else:
        yield b"".join(line.part(b"x" * 30, more=True) for _ in range(500))


def in_parts(line):
    """Messages of two parts."""
    yield line.part(b"x", more=True) + line.part(b"y")


def unasked(line):
    """Answers to what nobody asked, as large as a frame may be."""
    error = schema.CommandError(code=schema.CODE_INVALID, message="x" * (MIB - 4096))
    reply = schema.Reply(request=1 << 40, error=error)
    yield line.part(schema.ServerBatch(replies=[reply]).SerializeToString())


def unreadable(line):
    """Frames that say nothing."""
    yield line.part(b"\xff" * (4000 if isinstance(line, Greeter) else MIB - 1024))


def flood(line, what):
    """Sends on and on. Whether it was cut before it was too much."""
    sent = 0
    try:
        while sent < ENOUGH:
            for data in what(line):
                line.send_bytes(data)
                sent += len(data)
    except Cut:
        return True
    return False


# ---- the broker ----

class Enemy:
    """`where` it sends `what`: at the "greeter", for the "proof" of its key, behind that among the
    "commands", or among the "events"."""

    def __init__(self, where, what):
        self.where, self.what, self.keys = where, what, Keys()
        self.cut, self.uncut = threading.Event(), False
        serve = {"greeter": self._greet, "commands": self._command, "events": self._publish}
        self._listeners = {name: socket.create_server(("127.0.0.1", 0)) for name in serve}
        self._lines, self._threads = [], []
        for name, function in serve.items():
            self._start(self._accept, self._listeners[name], function)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for one in (*self._listeners.values(), *self._lines):
            try:
                one.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            one.close()

    def endpoint(self, name):
        return "127.0.0.1:%d" % self._listeners[name].getsockname()[1]

    @property
    def address(self):
        return self.endpoint("greeter")

    @property
    def server_key(self):
        return self.keys.public.decode()

    def _start(self, function, *arguments):
        thread = threading.Thread(target=function, args=arguments, daemon=True)
        thread.start()
        self._threads.append(thread)

    def _accept(self, listener, serve):
        try:
            while True:
                sock, _ = listener.accept()
                self._lines.append(sock)
                self._start(self._serve, serve, sock)
        except OSError:
            pass

    @staticmethod
    def _serve(serve, sock):
        try:
            serve(sock)
        except (Cut, OSError):
            pass
        sock.close()

    def _flood(self, line):
        if flood(line, self.what):
            self.cut.set()
        else:
            self.uncut = True

    def _greet(self, sock):
        line = Greeter(sock)
        line.receive()
        if self.where == "greeter":
            self._flood(line)
        line.send(schema.Greeting(protocol_min=1, protocol_max=1, schema=1, server_key=self.keys.raw,
                                  commands="tcp://" + self.endpoint("commands"),
                                  events="tcp://" + self.endpoint("events")).SerializeToString())
        line.receive()

    def _publish(self, sock):
        line = Host(sock, self.keys, b"XPUB")
        if self.where == "events":
            self._flood(line)
        while line.receive() is not None:
            pass

    def _command(self, sock):
        line, proved = Host(sock, self.keys), False
        while (payload := line.receive()) is not None:
            if self.where == "proof" or (self.where == "commands" and proved):
                self._flood(line)
            proved = True
            replies = [answer(command) for command in schema.CommandBatch.FromString(payload).commands]
            line.send(schema.ServerBatch(replies=replies).SerializeToString())


def answer(command):
    reply, body = schema.Reply(request=command.request), command.WhichOneof("body")
    if body == "login":
        reply.login.CopyFrom(schema.LoginResponse(user=command.login.user, session=1, time_us=1, trusted=True,
                                                  run=os.urandom(16)))
    elif body == "ping":
        reply.ping.CopyFrom(schema.PingResponse(time_us=1, software="enemy"))
    elif body == "keep_alive":
        reply.keep_alive.heads.SetInParent()
    elif body is not None and hasattr(reply, body):
        getattr(reply, body).SetInParent()
    return reply
