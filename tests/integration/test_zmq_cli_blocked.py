"""zmq-cli: --timeout bounds what no poll loop waits for: a reader that does not read, a lock that
somebody holds. What nobody bounded waits for its reader."""

import fcntl
import json
import os
import subprocess

import pytest

from files import CHUNK, noise
from support.ids import new_id

TEXT = "x" * 16000
ENOUGH = 20  # texts: more than a pipe holds
PAGES = 80   # texts: more than a page holds
LATE_S = 15

pytestmark = pytest.mark.usefixtures("default_timeout")


def post(client, title, count):
    for _ in range(0, count, 20):
        client.batch([("post_to_thread", dict(id=new_id(), thread=title, text=TEXT)) for _ in range(20)])


@pytest.fixture
def full(town, alice, title):
    """alice, with more in her inbox and in the thread than a pipe takes."""
    bob = town.join()
    bob.batch([("send_message", dict(id=new_id(), to=alice.environment["ZCHAT_USER"], text=TEXT))
               for _ in range(ENOUGH)])
    post(bob, title, ENOUGH)
    return alice


class Held:
    """A call whose stdout nobody reads as yet."""

    def __init__(self, cli, *words, stderr=subprocess.PIPE, **environment):
        self.process = subprocess.Popen(cli.command(words), env=dict(cli.environment, **environment),
                                        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=stderr)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.communicate()

    def is_late(self, words, json_lines=True):
        assert self.process.wait(LATE_S) == 124
        err = self.process.stderr.read().decode()
        if json_lines:
            error = json.loads(err)["error"]
            assert error["code"] == "EXPIRED"
            err = error["message"]
        assert words in err and "1 s" in err


def calls(title):
    return {"recv": ["recv"], "ack": ["recv", "--ack"], "follow": ["recv", "--follow"],
            "inbox": ["inbox"], "exec": ["recv", "--exec", "cat"],
            "read": ["thread", "read", title]}


@pytest.mark.parametrize("verb", ["recv", "ack", "follow", "inbox", "exec", "read"])
def test_the_timeout_bounds_a_standard_output_that_nobody_reads(full, title, verb):
    with Held(full, "--timeout", "1", *calls(title)[verb]) as held:
        held.is_late("")


def test_the_timeout_of_the_environment_does_so_too(full, title):
    with Held(full, "thread", "read", title, ZCHAT_TIMEOUT="1") as held:
        held.is_late("standard output")


def test_what_is_said_then_is_a_sentence_without_json(full, title):
    full.options = []
    with Held(full, "--timeout", "1", "thread", "read", title) as held:
        held.is_late("zmq-cli: standard output did not take", json_lines=False)


def test_nothing_is_acknowledged_that_was_not_written(full):
    with Held(full, "--timeout", "1", "recv", "--ack") as held:
        held.is_late("")
        written = held.process.stdout.read().count(b"\n")
    assert 0 < ENOUGH - written <= len(full.ok("recv").lines)


def test_the_timeout_bounds_a_download_that_nobody_reads(alice, title, source):
    alice.ok("file", "put", title, source(noise(4 * CHUNK)))
    with Held(alice, "--timeout", "1", "file", "get", title, "source", "-o", "-") as held:
        held.is_late("the file was not whole")


def test_the_timeout_bounds_a_download_into_a_pipe_whose_reader_stands_still(alice, title, source, here):
    alice.ok("file", "put", title, source(noise(4 * CHUNK)))
    os.mkfifo("pipe")
    reader = os.open("pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        with Held(alice, "--timeout", "1", "file", "get", title, "source", "-o", "pipe") as held:
            held.is_late("the file was not whole")
    finally:
        os.close(reader)


def test_the_timeout_bounds_a_standard_error_that_nobody_reads(alice):
    read, write = os.pipe()
    os.set_blocking(write, False)
    try:
        while True:
            os.write(write, b"x" * 4096)
    except BlockingIOError:
        os.set_blocking(write, True)
    with Held(alice, "-v", "--timeout", "1", "who", stderr=write) as held:
        assert held.process.wait(LATE_S) == 124
    os.close(read)
    os.close(write)


@pytest.mark.parametrize("words", [["--timeout", "1"], []])
def test_the_timeout_bounds_a_lock_that_somebody_holds(alice, words):
    del alice.environment["ZCHAT_SERVER_KEY"]
    with open(alice.folder / "known_brokers.lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        with Held(alice, *words, "--trust-new", "who") as held:
            assert held.process.wait(LATE_S) == 124
            assert json.loads(held.process.stderr.read())["error"]["code"] == "EXPIRED"


def test_what_nobody_bounded_waits_for_its_reader(town, alice, title):
    """The default of 5 s is over before the second page."""
    post(town.join(), title, PAGES)
    with Held(alice, "thread", "read", title) as held:
        held.process.stdout.read(1)
        with pytest.raises(subprocess.TimeoutExpired):
            held.process.wait(6.5)
        out, err = held.process.communicate(timeout=LATE_S)
        assert held.process.returncode == 0, err
        assert out.count(b"\n") == PAGES
