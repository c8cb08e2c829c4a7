"""zchatd when one call fails that the environment can refuse: it ends with a sentence and a status of
its contract, or works; what it acknowledged is there; nothing hangs.

A conversation is counted once, then held again and again, each time with another call failing: some of
them, or with ZCHAT_FAULT_ALL=1 each.
"""

import os
import signal
import subprocess
import time

import pytest

from support.broker import READY, Broker, bin_dir, program
from support.client import Client, CommandError, Keys, TimedOut, WrongServerKey, new_id
from support.transfer import CHUNK_BYTES, Upload, bytes_of

LIBRARY = bin_dir().parent / "lib" / "libzchat_test_fault.so"
FUNCTIONS = ("open", "malloc", "calloc", "realloc", "pthread_create", "fsync", "fdatasync", "ftruncate",
             "posix_fallocate", "mmap", "eventfd", "signalfd", "rename", "pwrite")
EACH_MAX = 5
STATUSES = {0, 1, 3}
WAIT_S = 3


def is_sanitized():
    return b"__asan_init" in open(program("zchatd"), "rb").read()


pytestmark = pytest.mark.skipif(is_sanitized(), reason="the sanitizer has the allocator")


class Faulty(Broker):
    """A broker whose start may fail, and whose end is looked at by the test."""

    def begin(self):
        """True: it serves."""
        self._launch(0)
        try:
            ready = self.wait_log(READY, 10)
        except AssertionError:
            self.process.wait(10)
            return False
        self.address, self.server_key = ready["address"], ready["server_key"]
        return True

    def end(self):
        """Its status, once it has left."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self._reap(10)


def talk(broker, keys, acknowledged):
    """A bit of everything that a broker does; the texts that were acknowledged."""
    alive = lambda: broker.process.poll() is None  # noqa: E731

    def call(client, body, **fields):
        request = client.start(body, **fields)
        deadline = time.monotonic() + WAIT_S
        while alive() and time.monotonic() < deadline:
            try:
                return client.wait_reply(request, 0.1)
            except TimedOut:
                pass
        raise TimedOut(body)

    alice = Client(broker.address, keys)
    bob = Client(broker.address, keys)
    try:
        call(alice, "login", protocol=1, user="alice", online=True, inbox=True)
        call(bob, "login", protocol=1, user="bob", online=True, inbox=True)
        for client, user in ((alice, "alice"), (bob, "bob")):
            client.user = user
        call(Client(broker.address), "register_account", protocol=1, user="carol", password="secret")
        for n in range(3):
            call(alice, "send_message", id=new_id(), to="bob", text=f"text {n}")
            acknowledged.append(f"text {n}")
        call(alice, "create_thread", id=new_id(), title="t")
        call(alice, "post_to_thread", id=new_id(), thread="t", text="post")
        upload = Upload(alice, "t", "file", bytes_of(CHUNK_BYTES + 1))
        call(alice, "begin_upload", id=upload.id, thread="t", file="file", size=CHUNK_BYTES + 1,
             digest=upload.digest)
        for offset, length in ((0, CHUNK_BYTES), (CHUNK_BYTES, 1)):
            call(alice, "put_chunk", id=upload.id, offset=offset, data=bytes(upload.data[offset:offset + length]))
        call(bob, "get_chunk", thread="t", file="file", offset=0)
        call(bob, "sync", stream="inbox", after_seq=0, limit=10)
        call(bob, "ack", stream="inbox", read=2, received=2)
        call(bob, "who")
        call(alice, "remove_thread", thread="t")
    finally:
        alice.close()
        bob.close()


def converse(broker, keys):
    """What was acknowledged until it ended."""
    done = []
    try:
        talk(broker, keys, done)
    except (TimedOut, CommandError, WrongServerKey, OSError):
        pass
    return done


@pytest.fixture(scope="module")
def keys():
    return Keys()


def prepared(keys, **environment):
    broker = Faulty("--password-workers", "1", start=False, environment=environment)
    broker.add_users(["alice", "bob"], keys.public)
    return broker


@pytest.fixture(scope="module")
def counts(keys, tmp_path_factory):
    path = tmp_path_factory.mktemp("counts") / "counts"
    broker = prepared(keys, LD_PRELOAD=str(LIBRARY), ZCHAT_FAULT_COUNTS=str(path))
    try:
        assert broker.begin()
        talk(broker, keys, [])
        assert broker.end() == 0, broker.log_text()
    finally:
        broker.close()
    return {name: int(count) for name, count in (line.split() for line in path.read_text().splitlines())}


def some(count):
    if os.environ.get("ZCHAT_FAULT_ALL") or count <= EACH_MAX:
        return range(1, count + 1)
    return sorted({1 + (count - 1) * step // (EACH_MAX - 1) for step in range(EACH_MAX)})


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_call_that_fails_ends_the_broker_with_a_sentence_or_is_survived(function, keys, counts):
    assert counts[function] > 0, "nothing calls it: the test means nothing"
    for nth in some(counts[function]):
        broker = prepared(keys, LD_PRELOAD=str(LIBRARY), ZCHAT_FAULT=f"{function} {nth}")
        what = f"{function} {nth} of {counts[function]}"
        try:
            served = broker.begin()
            done = converse(broker, keys) if served else []
            status = broker.end()
            said = broker.log_text()
            assert status in STATUSES, f"{what}: status {status}\n{said}"
            last = said.strip().splitlines()[-1] if said.strip() else ""
            assert status == 0 or last.startswith("zchatd: "), f"{what}: no sentence at the end:\n{said}"
            assert "Assertion" not in said, said
            broker.environment = {}
            broker.start()
            bob = Client(broker.address, keys)
            bob.login("bob", inbox=False)
            there = [event.message.text for event in bob.sync(after=0).events]
            missing = [text for text in done if text not in there]
            assert not missing, f"{what}: lost {missing}"
            bob.close()
            broker.stop()
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{what}: it hangs\n{broker.log_text()}") from None
        finally:
            broker.close()
