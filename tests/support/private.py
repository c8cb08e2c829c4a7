"""One end of a private chat, written from peer.proto alone: a PAIR socket with CURVE, and the invitations
that lead to it. Like the client it has no thread and stays independent of the C library."""

import os
import threading
import time

import zmq
from zmq.utils import z85

from support import schema
from support.client import TimedOut
from support.ids import new_id
from support.patience import WAIT_S
from support.sockets import context

NONCE_BYTES = 32
ZAP_ENDPOINT = "inproc://zeromq.zap.01"
PEER_PROTOCOL = 1
CHAT = dict(private_chats=True)


class Invitation:
    """What both ends know: id, the inviter's reply, and the event that the invitee got."""

    def __init__(self, inviter, invitee, **fields):
        self.inviter, self.invitee, self.id = inviter, invitee, new_id()
        self.reply = inviter.call("invite_private", id=self.id, user=invitee.user, **fields)
        self.invited = invited(invitee, self.id)

    def answer(self, accept=True, port=4711, address="", nonce=None, by=None):
        """Answers it; the result is the nonce."""
        nonce = os.urandom(NONCE_BYTES) if nonce is None else nonce
        (by or self.invitee).call("answer_private", id=self.id, accept=accept, port=port,
                                  address=address, nonce=nonce)
        return nonce

    def answered(self):
        return answered(self.inviter, self.id)

    def open(self):
        for one, other in ((self.inviter, self.invitee), (self.invitee, self.inviter)):
            one.call("open_private", id=self.id, user=other.user)


def private_event(client, kind, id):
    """The event of that kind about an invitation, which is taken out of client.privates."""
    def find():
        for event in client.privates:
            if event.WhichOneof("body") == kind and getattr(event, kind).id == id:
                client.privates.remove(event)
                return getattr(event, kind)
        return None
    return client.wait(find, what=f"{kind} about {id.hex()}")


def invited(client, id):
    return private_event(client, "private_invited", id)


def answered(client, id):
    return private_event(client, "private_answered", id)


def ended(client, id):
    return private_event(client, "private_ended", id)


class Zap:
    """Admits one key to one domain, as long as it lives."""

    def __init__(self, ctx, key):
        self._socket, self._key = ctx.socket(zmq.REP), key
        self._socket.linger = 0
        self._socket.bind(ZAP_ENDPOINT)
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self):
        try:
            while True:
                version, request, _, _, _, mechanism, *credentials = self._socket.recv_multipart()
                fits = mechanism == b"CURVE" and credentials == [self._key]
                status = (b"200", b"OK") if fits else (b"400", b"no")
                self._socket.send_multipart([version, request, *status, b"", b""])
        except zmq.ZMQError:
            self._socket.close(0)

    def join(self):
        self._thread.join(WAIT_S)


class Peer:
    """A PAIR socket: Peer.accepting(keys, key) binds, Peer.inviting(keys, key, endpoint) connects."""

    def __init__(self, keys, own_context=False):
        self.context = zmq.Context() if own_context else context
        self._own, self.zap = own_context, None
        self.socket = self.context.socket(zmq.PAIR)
        self.socket.linger = 0
        self.socket.curve_publickey, self.socket.curve_secretkey = keys.public, keys.secret

    @classmethod
    def accepting(cls, keys, key):
        """Admits the one raw key; port is where."""
        peer = cls(keys, own_context=True)
        peer.zap = Zap(peer.context, key)
        peer.socket.curve_server = True
        peer.socket.zap_domain = b"private"
        peer.port = peer.socket.bind_to_random_port("tcp://127.0.0.1")
        return peer

    @classmethod
    def inviting(cls, keys, key, endpoint):
        peer = cls(keys)
        peer.socket.curve_serverkey = z85.encode(key)
        peer.socket.connect(endpoint)
        return peer

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        self.socket.close()
        if self._own:
            self.context.term()
            self.zap.join()

    def say(self, body, **fields):
        """Sends one PeerMessage; it waits in the socket until there is a link."""
        message = schema.PeerMessage()
        getattr(message, body).SetInParent()
        for name, value in fields.items():
            setattr(getattr(message, body), name, value)
        self.socket.send(schema.PeerBatch(messages=[message]).SerializeToString())

    def hello(self, user, chat, nonce=b"", received=0):
        self.say("hello", protocol_min=PEER_PROTOCOL, protocol_max=PEER_PROTOCOL, nonce=nonce,
                 user=user, chat=chat, received=received)

    def line(self, number, text):
        self.say("line", number=number, id=new_id(), text=text, time_us=time.time_ns() // 1000)

    def next(self, *bodies, timeout=WAIT_S):
        """The next thing that is said, which must be of that kind, or of one of those kinds."""
        if not self.socket.poll(timeout * 1000):
            raise TimedOut(f"the peer said no {' or '.join(bodies)} within {timeout} s")
        message, = schema.PeerBatch.FromString(self.socket.recv()).messages
        assert message.WhichOneof("body") in bodies, message
        return getattr(message, message.WhichOneof("body"))

    def is_silent(self, seconds):
        return not self.socket.poll(seconds * 1000)


# ---- what tests say with two clients ----

def pair(town):
    return town.join(**CHAT), town.join(**CHAT)


def invite(client, user, id=None, **fields):
    return client.call("invite_private", id=id or new_id(), user=user, **fields)


def answer(client, id, accept=True, port=4711, address="", nonce=b"n" * 32):
    return client.call("answer_private", id=id, accept=accept, port=port, address=address, nonce=nonce)


def assert_told_nothing(*clients):
    """No event of a private chat has come, nor is on its way."""
    for client in clients:
        client.ping()
        assert client.privates == [], client.user
