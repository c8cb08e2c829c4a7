"""Files up and down, chunk by chunk with a window. A transfer outlives its client: give it another one
and go on."""

import hashlib
import random
import time

from support.client import CommandError
from support.ids import new_id
from support.patience import WAIT_S

CHUNK_BYTES = 256 * 1024
WINDOW = 4


def bytes_of(size):
    """The same ones for a size each time."""
    return random.Random(size).randbytes(size)


def files(client, thread):
    """The files that appeared in a thread."""
    return list(client.call("list_files", thread=thread).files)


def hash_of(data):
    return hashlib.blake2b(data, digest_size=64).digest()


class Upload:
    """An upload of `data` under a name in a thread. Its hash is told at the beginning, or (late) with the
    last chunk.

    sent, received   how many bytes were sent, and are stored
    done             the file as it appeared (Upload), or None
    """

    def __init__(self, client, thread, name, data, id=None, digest=None, window=WINDOW, late=False):
        self.client, self.thread, self.name, self.data = client, thread, name, memoryview(data)
        self.id, self.digest = id or new_id(), digest or hash_of(data)
        self.window, self.late = window, late
        self.sent = self.received = 0
        self.finished, self.done = False, None

    def begin(self):
        """Announces it, or asks how far it came."""
        reply = self.client.call("begin_upload", id=self.id, thread=self.thread, file=self.name,
                                 size=len(self.data), digest=b"" if self.late else self.digest)
        self.sent = self.received = reply.received
        self.finished = reply.done
        return reply

    def put(self, offset, length, **options):
        """One chunk, and its reply."""
        return self.client.call("put_chunk", **{**self._chunk(offset, length), **options})

    def send(self, until=None):
        """Sends chunks, a window of them under way at most, until so many bytes are stored; those
        under way stay so. Without `until` to the end."""
        under_way = []
        goal = len(self.data) if until is None else until
        while not self.finished and (until is None or self.received < goal):
            while len(under_way) < self.window and (self.sent < len(self.data) or not self.data):
                under_way.append(self._start())
                if not self.data:
                    break
            self._take(self.client.wait_reply(under_way.pop(0), WAIT_S))
        return self

    def run(self):
        """From beginning to end; the file as it appeared."""
        self.begin()
        return self.send().done

    def _start(self):
        chunk = self._chunk(self.sent, CHUNK_BYTES)
        self.sent += len(chunk["data"])
        return self.client.start("put_chunk", **chunk)

    def _chunk(self, offset, length):
        data = bytes(self.data[offset:offset + length])
        ends = offset + len(data) == len(self.data)
        return dict(id=self.id, offset=offset, data=data, digest=self.digest if self.late and ends else b"")

    def _take(self, reply):
        assert reply.received >= self.received, "an upload that went back"
        self.received = reply.received
        if reply.HasField("upload"):
            self.done, self.finished = reply.upload, True


class Download:
    """A download; data is what came so far, facts what the broker says of the file (Upload)."""

    def __init__(self, client, thread, name, window=WINDOW):
        self.client, self.thread, self.name = client, thread, name
        self.window = window
        self.data, self.facts = bytearray(), None

    def receive(self, until=None):
        """Asks for chunks, a window of them under way at most, until so many bytes are there. Without
        `until` to the end."""
        under_way, asked = [], len(self.data)
        while self.facts is None or len(self.data) < (self.facts.size if until is None else until):
            while len(under_way) < self.window and (not under_way or asked < self._size()):
                under_way.append((asked, self._start(asked)))
                asked += CHUNK_BYTES
            offset, request = under_way.pop(0)
            self._take(offset, self._wait(offset, request))
        for _, request in under_way:
            self.client.wait_reply(request, WAIT_S)
        return self

    def run(self):
        """All of it, compared with its hash."""
        self.receive()
        assert len(self.data) == self.facts.size
        assert hash_of(self.data) == self.facts.digest, "not the bytes that were announced"
        return bytes(self.data)

    def _size(self):
        return 0 if self.facts is None else self.facts.size

    def _start(self, offset):
        return self.client.start("get_chunk", thread=self.thread, file=self.name, offset=offset)

    def _wait(self, offset, request):
        deadline = time.monotonic() + WAIT_S
        while True:
            try:
                return self.client.wait_reply(request, WAIT_S)
            except CommandError as error:
                if error.code != "BUSY" or time.monotonic() > deadline:
                    raise
                request = self._start(offset)

    def _take(self, offset, reply):
        assert offset == len(self.data), "a chunk out of its order"
        if self.facts is not None:
            assert reply.upload == self.facts, "another file than at the beginning"
        self.facts = reply.upload
        self.data += reply.data
