"""A second client of zchat, written from proto/README.md and the schema alone.

It has one thread: whatever arrives is dealt with inside pump(), which every waiting function calls.
So a test decides when a client reads, and a client that is not used stands still. It must stay
independent of the C library: its disagreements with that are what it is for.
"""

import itertools
import os
import secrets
import time

import zmq
from zmq.utils import z85
from zmq.utils.monitor import recv_monitor_message

from support import page, schema
from support.forum import PREFIX, Forum, stream_of
from support.ids import new_id
from support.patience import WAIT_S
from support.sockets import context, curve_socket, plain_socket

PROTOCOL = 1
TOPICS = ("presence", "broadcast", "notice")
PRIVATES = ("private_invited", "private_answered", "private_ended")
FRAME_COMMANDS_MAX = 64
FRAME_BYTES_MAX = 1024 * 1024
# What has an id, so that it can be sent again. An upload asks first how far it came.
AGAIN = ("send_message", "broadcast", "announce", "create_thread", "post_to_thread", "edit_post", "delete_post")



class CommandError(Exception):
    """The broker refused a command: code is the name without CODE_, "NOT_FOUND", reason without REASON_."""

    def __init__(self, error):
        self.code = schema.Code.Name(error.code).removeprefix("CODE_")
        self.reason = schema.Reason.Name(error.reason).removeprefix("REASON_")
        assert error.reason // 100 == error.code, f"{self.reason} is no reason for {self.code}"
        self.message = error.message
        self.retry_after_s = error.retry_after_s
        super().__init__(f"{self.code}: {self.message} (retry after {self.retry_after_s} s)")


class TimedOut(AssertionError):
    """What was waited for did not come."""


class WrongServerKey(Exception):
    """The broker's key is another one than the pinned one."""


class Keys:
    """A device's CURVE key pair, both as Z85 bytes."""

    def __init__(self):
        self.public, self.secret = zmq.curve_keypair()

    @property
    def raw(self):
        return z85.decode(self.public)


def make_command(request, body, **fields):
    """A Command by its field's name: make_command(7, "send_message", to="bob", …)."""
    command = schema.Command(request=request)
    message = getattr(command, body)
    message.SetInParent()
    for name, value in fields.items():
        setattr(message, name, value)
    return command


def frames(commands):
    """Gathers commands into CommandBatches, each within the limits of a frame."""
    batch, size = schema.CommandBatch(), 0
    for command in commands:
        more = command.ByteSize() + 6
        if len(batch.commands) == FRAME_COMMANDS_MAX or size + more > FRAME_BYTES_MAX:
            yield batch
            batch, size = schema.CommandBatch(), 0
        batch.commands.append(command)
        size += more
    if batch.commands:
        yield batch


def greet(address, timeout=WAIT_S, protocol=PROTOCOL):
    """What the greeter says, endpoints with a host filled in."""
    socket = context.socket(zmq.DEALER)
    socket.linger = 0
    socket.ipv6 = True
    try:
        socket.connect(address)
        request = schema.GreetingRequest(protocol=protocol, client="conformance")
        socket.send(request.SerializeToString())
        if not socket.poll(timeout * 1000):
            raise TimedOut(f"no greeting from {address} within {timeout} s")
        greeting = schema.Greeting.FromString(socket.recv())
    finally:
        socket.close()
    host = address.removeprefix("tcp://").rsplit(":", 1)[0]
    greeting.commands = greeting.commands.replace("*", host)
    greeting.events = greeting.events.replace("*", host)
    return greeting


class Client(Forum):
    """One connection, and the session on it.

    inbox     the inbox's entries (Event) that were taken, in order; have is the last one's number
    events    presence, broadcasts, notices taken (Event), not one's own
    topics    the last number taken of each public topic
    followed  the threads that are listened to, {stream: Followed}; strays: events of other threads
    privates  the events of private chats (Event); support/private.py waits for them
    receipts  the MessageRead events (Event), in order
    heads     the Heads events and keep-alive replies that came
    ended     the SessionEnded that came last, or None
    frames    how many frames came
    raw       the Publications as they came on the SUB socket
    batches   the ServerBatches as they came, where a test made it a list; else None

    ack=False: received is not told, so the session lags behind.
    fill=False: holes are left open, duplicates and all shows in `pushed`.
    source: the address of this machine that the commands come from; None: the kernel's choice.
    rcvhwm: how many frames wait for it before it takes no more from the network; 0: any number.
    """

    def __init__(self, address, keys=None, server_key=None, ack=True, fill=True, rcvhwm=0, connect=True,
                 source=None):
        self.address = address
        self.keys = keys or Keys()
        self.pinned = server_key
        self.ack, self.fill, self.rcvhwm = ack, fill, rcvhwm
        self.source = source
        self.instance = secrets.token_bytes(16)
        self.user = None
        self.inbox, self.have = [], 0
        self.pushed = []
        self.events, self.topics = [], {}
        self.privates, self.receipts = [], []
        self.heads, self.ended = [], None
        self.frames, self.raw, self.batches = 0, [], None
        self.replies = {}
        self.unanswered = {}
        self.blocked = set()
        self.dealer = self.sub = None
        self._requests = itertools.count(1)
        self._handlers = {}
        self._syncing = set()
        self._told = 0
        self._login = None
        self._sub_topics = None
        self._forum_init()
        if connect:
            self.connect()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    # ---- connection ----

    def connect(self):
        """Greets, compares the key with the pinned one, connects the DEALER."""
        greeting = greet(self.address)
        if not greeting.protocol_min <= PROTOCOL <= greeting.protocol_max:
            raise AssertionError(f"the broker speaks {greeting.protocol_min} to {greeting.protocol_max}")
        key = z85.encode(greeting.server_key)
        if self.pinned is None:
            self.pinned = key
        if _bytes(self.pinned) != key:
            raise WrongServerKey(f"pinned {self.pinned}, the broker says {key}")
        self.greeting = greeting
        self.dealer = curve_socket(zmq.DEALER, key, self.keys)
        self.dealer.rcvhwm = self.rcvhwm
        self.dealer.connect(greeting.commands if self.source is None else
                            f"tcp://{self.source}:0;" + greeting.commands.removeprefix("tcp://"))

    def subscribe(self, topics=TOPICS):
        """Opens a SUB socket on some public topics; to be called once logged in."""
        self._sub_topics = topics
        self.sub = curve_socket(zmq.SUB, _bytes(self.pinned), self.keys)
        for topic in (*topics, *self.followed):
            self.sub.subscribe(self.subscription(topic))
        monitor = self.sub.get_monitor_socket(zmq.EVENT_HANDSHAKE_SUCCEEDED)
        self.sub.connect(self.greeting.events)
        try:
            if not monitor.poll(WAIT_S * 1000):
                raise TimedOut("the event socket refused the handshake")
            recv_monitor_message(monitor)
        finally:
            self.sub.disable_monitor()
            monitor.close(0)

    @staticmethod
    def subscription(topic):
        return schema.Publication(topic=topic).SerializeToString()

    def close(self):
        """Closes the sockets without a word, as a program that is killed."""
        for socket in (self.dealer, self.sub):
            if socket is not None:
                socket.close()
        self.dealer = self.sub = None

    def resume(self, timeout=WAIT_S):
        """After a lost connection: a new one, the same instance, sync from what one has, and again,
        under the same ids, what was not answered."""
        deadline = time.monotonic() + timeout
        pending = sorted(self.unanswered)
        commands = [self.unanswered[request] for request in pending]
        self.close()
        self.unanswered.clear()
        self._handlers.clear()
        self._syncing.clear()
        while True:
            try:
                self.connect()
                fields = dict(self._login, password="")
                reply = self._opened(self.call("login", timeout=1, **fields), resumed=True)
                break
            except TimedOut:
                if time.monotonic() >= deadline:
                    raise
                self.close()
        self.send([command for command in commands if command.WhichOneof("body") in AGAIN])
        if self._sub_topics is not None:
            self.subscribe(self._sub_topics)
        if self.followed:
            self.catch_up()
        return reply

    # ---- commands ----

    def send_raw(self, frame):
        self.dealer.send(frame, zmq.NOBLOCK)

    def send(self, commands):
        """Sends commands, as many as may be in one frame, in as many frames as it takes."""
        for command in commands:
            if command.request:
                self.unanswered[command.request] = command
        for batch in frames(commands):
            self.send_raw(batch.SerializeToString())

    def start(self, body, **fields):
        """Sends one command; the result is its number for wait_reply()."""
        request = next(self._requests)
        self.send([make_command(request, body, **fields)])
        return request

    def start_handled(self, body, handler, **fields):
        """Sends one command whose Reply goes to the handler as it arrives."""
        command = make_command(next(self._requests), body, **fields)
        self._handlers[command.request] = handler
        self.send([command])

    def start_batch(self, commands):
        """Sends (body, fields) pairs in as few frames as can be; the results are their numbers."""
        made = [make_command(next(self._requests), body, **fields) for body, fields in commands]
        self.send(made)
        return [command.request for command in made]

    def wait_reply(self, request, timeout=WAIT_S):
        """The reply's body, once it is there; CommandError if it is an error."""
        self.wait(lambda: request in self.replies, timeout, f"the reply to {request}")
        reply = self.replies.pop(request)
        if reply.HasField("error"):
            raise CommandError(reply.error)
        return getattr(reply, reply.WhichOneof("body"))

    def call(self, body, timeout=WAIT_S, **fields):
        return self.wait_reply(self.start(body, **fields), timeout)

    def batch(self, commands, timeout=WAIT_S):
        """All in one go; the results in order, a CommandError where one failed."""
        results = []
        for request in self.start_batch(commands):
            try:
                results.append(self.wait_reply(request, timeout))
            except CommandError as error:
                results.append(error)
        return results

    # ---- what people do ----

    def register(self, user, password, **fields):
        return self.call("register_account", protocol=PROTOCOL, user=user, password=password, **fields)

    def login(self, user, password="", online=True, inbox=True, sync=True, timeout=WAIT_S,
              **fields):
        """Opens a session. What was missed is fetched, unless sync=False: then the inbox is taken
        from its head on."""
        fields = dict(protocol=PROTOCOL, user=user, online=online, inbox=inbox,
                      instance=self.instance, client="conformance", **fields)
        reply = self.call("login", timeout, password=password, **fields)
        self._login = fields
        self.have = self._told = reply.inbox_cursor if sync else reply.inbox_head
        self.inbox, self.pushed = [], []
        return self._opened(reply)

    def opened_by(self, reply):
        """For start_handled: what comes behind the reply is of the session already."""
        if reply.HasField("error"):
            raise CommandError(reply.error)
        self._opened(reply.login)

    def _opened(self, reply, resumed=False):
        self.user, self.ended = reply.user, None
        self.session, self.inbox_cursor = reply.session, reply.inbox_cursor
        for topic in reply.topics:
            if not resumed:
                self.topics[topic.topic] = topic.head
            elif topic.head > self.topics[topic.topic] and self._follows(topic.topic):
                self._sync(topic.topic)
        if self._login["inbox"] and reply.inbox_head > self.have:
            self._sync("inbox")
        return reply

    def logout(self):
        self.call("logout")
        self.user = None

    def message(self, to, text, id=None, **fields):
        return self.call("send_message", id=id or new_id(), to=to, text=text, **fields)

    def broadcast(self, text, id=None):
        return self.call("broadcast", id=id or new_id(), text=text)

    def announce(self, text, id=None):
        return self.call("announce", id=id or new_id(), text=text)

    def block(self, user):
        reply = self.call("block_user", user=user)
        self.blocked.add(user.lower())
        return reply

    def unblock(self, user):
        reply = self.call("unblock_user", user=user)
        self.blocked.discard(user.lower())
        return reply

    def who(self):
        return [person.user for person in self.call("who").people]

    def since(self, seconds):
        return list(self.call("since", seconds=seconds).people)

    def ping(self):
        """A round trip: whatever the broker had sent this connection before has been dealt with."""
        return self.call("ping")

    def keep_alive(self):
        heads = self.call("keep_alive").heads
        self._take_heads(heads)
        return heads

    def sync(self, stream="inbox", after=0, limit=0):
        return self.call("sync", stream=stream, after_seq=after, limit=limit)

    def search(self, words, page=0):
        """Everything that has the words, page by page, once the index has all."""
        before, found = 0, []
        while True:
            reply = self.call("search", words=words, before=before, limit=page)
            if before == 0 and reply.behind:
                continue
            found += reply.found
            before = reply.before
            if not before:
                return found

    def ack_read(self, seq):
        return self.call("ack", read=seq)

    def stats(self):
        return {stat.name: stat.value for stat in self.call("get_stats").stats}

    # ---- what arrives ----

    def wait(self, condition, timeout=WAIT_S, what="it"):
        """Reads until condition() is true and returns what that said."""
        deadline = time.monotonic() + timeout
        while True:
            self.pump(0)
            value = condition()
            if value:
                return value
            left = deadline - time.monotonic()
            if left <= 0:
                raise TimedOut(f"{what} did not come to {self.user or 'the client'} within {timeout} s; "
                               f"have {self.have}, events {self.events[-5:]}")
            self.pump(left)

    def wait_text(self, text, timeout=WAIT_S):
        """The inbox's entry with that text."""
        return self.wait(lambda: next((event for event in self.inbox if event.message.text == text), None),
                         timeout, f"the message {text!r}")

    def wait_broadcast(self, text, timeout=WAIT_S):
        return self.wait(lambda: next((event for event in self.events
                                       if event.broadcast.text == text), None),
                         timeout, f"the broadcast {text!r}")

    def wait_notice(self, text, timeout=WAIT_S):
        return self.wait(lambda: next((event for event in self.events if event.notice.text == text), None),
                         timeout, f"the notice {text!r}")

    def wait_presence(self, user, online, timeout=WAIT_S):
        """A presence event of that kind, which is taken out of `events`."""
        def find():
            for event in self.events:
                if event.HasField("presence") and event.presence.user == user \
                        and event.presence.online == online:
                    self.events.remove(event)
                    return event
            return None
        return self.wait(find, timeout, f"{user} {'online' if online else 'offline'}")

    def wait_ended(self, timeout=WAIT_S):
        return self.wait(lambda: self.ended, timeout, "the end of the session")

    def wait_have(self, seq, timeout=WAIT_S):
        return self.wait(lambda: self.have >= seq, timeout, f"the inbox's entry {seq}")

    def presence_of(self, user):
        """What came about a user so far: [True, False] for one who came and went."""
        return [event.presence.online for event in self.events
                if event.HasField("presence") and event.presence.user == user]

    def texts(self):
        return [event.message.text for event in self.inbox]

    def broadcasts(self):
        return [event.broadcast.text for event in self.events if event.HasField("broadcast")]

    def pump(self, timeout):
        """Waits for something to arrive and deals with all that has."""
        poller = zmq.Poller()
        for socket in (self.dealer, self.sub):
            if socket is not None:
                poller.register(socket, zmq.POLLIN)
        poller.poll(timeout * 1000)
        self._drain(self.dealer, self._take_batch)
        self._drain(self.sub, self._take_publication)
        if self.ack and self.have > self._told:
            self._told = self.have
            self.send([make_command(0, "ack", received=self.have)])

    @staticmethod
    def _drain(socket, take):
        while socket is not None:
            try:
                frame = socket.recv(zmq.NOBLOCK)
            except zmq.Again:
                return
            take(frame)

    def _take_batch(self, frame):
        self.frames += 1
        batch = schema.ServerBatch.FromString(frame)
        if self.batches is not None:
            self.batches.append(batch)
        for reply in batch.replies:
            command = self.unanswered.pop(reply.request, None)
            if command is not None and reply.HasField("error"):
                page.assert_told(command, reply.error)
            handler = self._handlers.pop(reply.request, None)
            if handler is not None:
                handler(reply)
            else:
                self.replies[reply.request] = reply
        for event in batch.events:
            self._take_event(event)

    def _take_event(self, event):
        kind = event.WhichOneof("body")
        if kind == "message":
            self._take_message(event)
        elif kind in TOPICS:
            self._take_public(kind, event)
        elif kind == "thread":
            self._take_thread(stream_of(event.thread.thread), event)
        elif kind in PRIVATES:
            self.privates.append(event)
        elif kind == "session_ended":
            self.ended, self.user = event.session_ended, None
        elif kind == "message_read":
            self.receipts.append(event)
        elif kind == "heads":
            self._take_heads(event.heads)

    def _take_publication(self, frame):
        publication = schema.Publication.FromString(frame)
        self.raw.append(publication)
        if publication.topic.startswith(PREFIX):
            for event in publication.events:
                self._take_thread(publication.topic, event)
            if publication.head:
                self._take_thread_head(publication.topic, publication.head)
            return
        for event in publication.events:
            self._take_public(publication.topic, event)
        if publication.head > self.topics.get(publication.topic, 0):
            self._sync(publication.topic)

    def _take_message(self, event):
        self.pushed.append(event)
        if event.seq == self.have + 1:
            self.inbox.append(event)
            self.have = event.seq
        elif event.seq > self.have and self.fill:
            self._sync("inbox")

    def _take_public(self, topic, event, filling=False):
        have = self.topics.get(topic, 0)
        if event.seq:
            if event.seq <= have:
                return
            if event.seq != have + 1 and not filling:
                if self.fill:
                    self._sync(topic)
                return
            self.topics[topic] = event.seq
        if event.WhichOneof("body") is None:
            return
        who = sender(event) if topic == "broadcast" else event.presence.user
        if topic == "notice" or who != self.user and who not in self.blocked:
            self.events.append(event)

    def _take_heads(self, heads):
        self.heads.append(heads)
        self.inbox_cursor = heads.cursor
        if heads.inbox > self.have and self.fill:
            self._sync("inbox")
        for topic in heads.topics:
            if topic.head > self.topics.get(topic.topic, 0) and self._follows(topic.topic):
                self._sync(topic.topic)
        if heads.topics:
            self._compare_heads()

    def _follows(self, topic):
        return self.fill and (self._login or {}).get("public_events") or topic in (self._sub_topics or ())

    def _sync(self, stream):
        """Fetches a page of a stream, and the next ones; one at a time for each stream."""
        if stream in self._syncing:
            return
        self._syncing.add(stream)
        after = self._have_of(stream)
        self.start_handled("sync", lambda reply: self._take_page(stream, reply),
                           stream=stream, after_seq=after)

    def _have_of(self, stream):
        if stream == "inbox":
            return self.have
        if stream in self.followed:
            return self.followed[stream].have
        return self.topics.get(stream, 0)

    def _take_page(self, stream, reply):
        self._syncing.discard(stream)
        if stream.startswith(PREFIX):
            self._take_thread_page(stream, reply)
            return
        if reply.HasField("error"):
            raise CommandError(reply.error)
        for event in reply.sync.events:
            if stream != "inbox":
                self._take_public(stream, event, filling=True)
            elif event.seq == self.have + 1:
                self.inbox.append(event)
                self.have = event.seq
            elif event.seq > self.have:
                raise AssertionError(f"Sync after {self.have} gave {event.seq}: a hole")
        if stream != "inbox" and not reply.sync.events:
            self.topics[stream] = max(reply.sync.head, self.topics.get(stream, 0))
        if reply.sync.more or stream == "inbox" and reply.sync.head > self.have:
            self._sync(stream)


def sender(event):
    """Who sent a message, a broadcast or a notice."""
    return getattr(event, event.WhichOneof("body")).sender


def _bytes(key):
    return key.encode("ascii") if isinstance(key, str) else key
