"""zmq-cli and zchat against brokers and peers that send on and on what nobody can hold: the connection ends
with a sentence, and the memory stays bounded, however fast it comes."""

import json
import pathlib
import socket
import subprocess
import threading

import pytest
from zmq.utils import z85

from private_calls import accept, invite_as, name_of, start  # noqa: F401
from support import schema
from support.broker import die_with_parent, program
from support.curve import Host, Raw, tcp
from support.enemy import (Enemy, MIB, endless, endless_dust, flood, in_parts, unasked,
                           unreadable)
from support.memory import allowed
from support.patience import WAIT_S
from support.private import CHAT, Peer, answer, answered
from zmq_cli import CALL_S, Cli, Done, clean_environment, end

# What libzmq may hold of whole frames, and what comes until it is noticed that a message has no end.
PEAK = 144 * MIB


class Watched:
    """A running program, and the most memory that it had."""

    def __init__(self, process):
        self.process, self.pid, self.peak = process, process.pid, 0
        self.allowed = PEAK
        self._look()
        threading.Thread(target=self._watch, daemon=True).start()

    def _look(self):
        """False: it has ended."""
        try:
            status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        except (FileNotFoundError, ProcessLookupError):
            return False
        if "VmHWM:" not in status:
            return False
        self.allowed = allowed(self, PEAK)
        self.peak = max(self.peak, int(status.split("VmHWM:")[1].split()[0]) * 1024)
        return True

    def _watch(self):
        pause = threading.Event()
        while self._look():
            pause.wait(0.01)

    def is_bounded(self):
        assert 0 < self.peak < self.allowed, f"{self.peak // MIB} MiB"


def call(enemy, folder, *words):
    """A call of zmq-cli against the enemy, how it ended, and what it took."""
    cli = Cli(None, folder, "alice")
    cli.environment.update(ZCHAT_SERVER=enemy.address, ZCHAT_SERVER_KEY=enemy.server_key)
    process = cli.start(*words)
    watched = Watched(process)
    return end(process), watched


WITHOUT_END = "a message of several parts, or one without an end"


@pytest.mark.parametrize("where, what, code, words", [
    ("greeter", endless, "WRONG_PROTOCOL", WITHOUT_END),
    ("greeter", endless_dust, "WRONG_PROTOCOL", WITHOUT_END),
    ("greeter", in_parts, "WRONG_PROTOCOL", WITHOUT_END),
    ("greeter", unreadable, "UNREACHABLE", "is no zchat broker"),
    ("proof", endless, "WRONG_PROTOCOL", WITHOUT_END),
    ("proof", in_parts, "WRONG_PROTOCOL", WITHOUT_END),
    ("commands", endless, "WRONG_PROTOCOL", WITHOUT_END),
    ("commands", endless_dust, "WRONG_PROTOCOL", WITHOUT_END),
    ("commands", in_parts, "WRONG_PROTOCOL", WITHOUT_END),
    ("commands", unasked, "WRONG_PROTOCOL", "what nobody asked for"),
    ("commands", unreadable, "WRONG_PROTOCOL", "what nobody asked for"),
])
def test_a_broker_that_sends_without_an_end_is_left_with_exit_3(config_dirs, where, what, code, words):
    with Enemy(where, what) as enemy:
        done, watched = call(enemy, config_dirs("c"), "--timeout", "8", "ping")
        assert done.status == 3 and done.out == "", done
        assert done.error["code"] == code and words in done.error["message"], done
        assert enemy.cut.wait(WAIT_S) and not enemy.uncut
        watched.is_bounded()


def test_a_session_is_left_in_the_same_way(config_dirs):
    with Enemy("commands", endless) as enemy:
        done, watched = call(enemy, config_dirs("c"), "--timeout", "8", "recv", "--follow")
        assert done.status == 3 and WITHOUT_END in done.err, done
        watched.is_bounded()


@pytest.mark.parametrize("what", [endless, endless_dust, in_parts])
def test_public_events_without_an_end_end_the_connection_of_zchat(tmp_path, what):
    with Enemy("events", what) as enemy:
        process = subprocess.Popen(
            [program("zchat"), "--server-key", enemy.server_key, f"alice@{enemy.address}"],
            stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
            preexec_fn=die_with_parent, env=clean_environment(tmp_path, ZCHAT_CONFIG_DIR=tmp_path / "c"))
        watched = Watched(process)
        process.stdin.write("who\n")  # it logs in for that
        process.stdin.flush()
        try:
            assert enemy.cut.wait(WAIT_S)
            assert any(WITHOUT_END in line for line in process.stderr)
            watched.is_bounded()
        finally:
            process.kill()
            process.communicate()


# ---- the peer of a private chat ----


@pytest.fixture
def hostile(town, bob, start):
    """(his, told, thief): his call, which accepted, what the thief was told of its end, and him."""
    thief = town.join(**CHAT)
    his = accept(start, bob, "--once")
    return his, answered(thief, invite_as(thief, name_of(bob))), thief


@pytest.mark.parametrize("what", [endless, endless_dust, in_parts])
def test_a_message_without_an_end_ends_the_chat(hostile, what):
    his, told, thief = hostile
    watched = Watched(his)
    peer = Raw(told.endpoint, z85.encode(told.key), thief.keys, kind=b"PAIR")
    hello = schema.PeerHello(protocol_min=1, protocol_max=1, nonce=told.nonce, user=thief.user,
                             chat=told.id)
    message = schema.PeerMessage(hello=hello)
    peer.send(schema.PeerBatch(messages=[message]).SerializeToString())
    assert peer.receive()
    assert flood(peer, what)
    done = end(his)
    assert done.status == 0 and "what the protocol does not allow" in done.err, done
    watched.is_bounded()


class Crowd(Raw):
    """Comes together with others, who knock and say nothing."""

    def _shake(self, properties):
        self.others = [tcp(self.endpoint) for _ in range(20)]
        super()._shake(properties)

    def __init__(self, endpoint, *arguments, **more):
        self.endpoint = endpoint
        super().__init__(endpoint, *arguments, **more)


def test_a_first_message_without_an_end_fills_no_memory_although_others_knock(hostile):
    """Before the first message comes nobody can tell which connection is the peer's."""
    his, told, thief = hostile
    watched = Watched(his)
    peer = Crowd(told.endpoint, z85.encode(told.key), thief.keys, kind=b"PAIR")
    assert flood(peer, endless)
    done = end(his)
    assert done.status == 3 and "protocol" in done.err, done
    watched.is_bounded()


@pytest.mark.parametrize("what", [endless, in_parts])
def test_an_acceptor_that_sends_without_an_end_is_left_with_exit_3(town, alice, start, what):
    with town.join(**CHAT) as thief, socket.create_server(("127.0.0.1", 0)) as listener:
        hers = start(alice, "private", "start", thief.user)
        thief.wait(lambda: thief.privates, what="an invitation")
        invited = thief.privates[0].private_invited
        answer(thief, invited.id, port=listener.getsockname()[1])
        listener.settimeout(WAIT_S)
        peer = Host(listener.accept()[0], thief.keys, b"PAIR")
        watched = Watched(hers)
        assert flood(peer, what)
        done = end(hers)
        assert done.status == 3 and "protocol" in done.err, done
        watched.is_bounded()


def test_nobody_else_can_connect_to_an_open_chat(hostile):
    """Strangers would take all descriptors of the program."""
    his, told, thief = hostile
    with Peer.inviting(thief.keys, told.key, told.endpoint) as peer:
        peer.hello(thief.user, told.id, told.nonce)
        peer.next("hello")
        peer.line(1, "hello")
        assert json.loads(his.stdout.readline())["text"] == "hello"
        host, port = told.endpoint.removeprefix("tcp://").rsplit(":", 1)
        with pytest.raises(TimeoutError):
            socket.create_connection((host, int(port)), timeout=1)
        peer.line(2, "still here")
        assert json.loads(his.stdout.readline())["text"] == "still here"
