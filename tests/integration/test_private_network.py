"""Private chats between hosts with addresses of their own, the broker on a third: what is seen on the
wire, and what becomes of lines when a program dies. Network namespaces stand in for the hosts."""

import json
import shutil
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from support.broker import die_with_parent
from support.network import Capture, Network, NotPermitted
from support.town import Town
from zmq_cli import Cli, end

PROCESS_S = 30
SECRETS = ["hers-und-secret", "his-und-secret"]
LINES = 1000
ANSWERED, READ_BEFORE_DEATH = 100, 100


class At:
    """A zmq-cli for an account, at a host."""

    def __init__(self, town, host, folder):
        folder.mkdir(mode=0o700)
        self.host, self.user = host, town.name()
        self.cli, self.processes = Cli(town.broker, folder, self.user, town.keys), []

    def start(self, *words):
        with self.host:
            process = subprocess.Popen(self.cli.command(words), env=self.cli.environment, text=True,
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE, preexec_fn=die_with_parent)
        process.limit = threading.Timer(PROCESS_S, process.kill)
        process.limit.daemon = True
        process.limit.start()
        self.processes.append(process)
        return process

    def close(self):
        for process in self.processes:
            if process.poll() is None:
                process.kill()
            process.wait()
            process.limit.cancel()


class Stage:
    """network, town (its broker at the first host), alice and bob at the others."""

    def __init__(self, folder):
        self.network = Network(3)
        at_broker, *at_peers = self.network.hosts
        self.broker_host, self.ends = at_broker, []
        try:
            with at_broker:
                self.town = Town(accounts=2, bind=at_broker.address)
            self.alice, self.bob = self.ends = [
                At(self.town, host, folder / name) for host, name in zip(at_peers, ("alice", "bob"))]
        except BaseException:
            self.network.close()
            raise

    def chat(self):
        """(hers, his): two calls that hold the ends of a chat."""
        his = self.accepting()
        return self.alice.start("private", "start", self.bob.user), his

    def accepting(self):
        """A call of Bob's that can be invited."""
        his = self.bob.start("private", "accept", "--once")
        assert his.stderr.readline().startswith("zmq-cli: waiting for an invitation")
        return his

    def close(self):
        for an_end in self.ends:
            an_end.close()
        try:
            self.town.close()
        finally:
            self.network.close()


@pytest.fixture
def stage(tmp_path):
    try:
        made = Stage(tmp_path)
    except NotPermitted as why:
        pytest.skip(f"no network namespaces here: {why}")
    yield made
    made.close()


@pytest.fixture
def capture(tmp_path):
    """Begins to capture at a host; all end with the test."""
    if shutil.which("tcpdump") is None:
        pytest.skip("there is no tcpdump")
    captures = []

    def begin(host):
        captures.append(Capture(host, tmp_path / f"{host.namespace}.pcap"))
        return captures[-1]

    yield begin
    for made in captures:
        made.end()


def say(sender, receiver, text):
    sender.stdin.write(text + "\n")
    sender.stdin.flush()
    line = receiver.stdout.readline()
    assert line, f"{text!r} did not come: {receiver.stderr.read()}"
    assert json.loads(line)["text"] == text


def assert_they_end(hers, his):
    hers.stdin.close()
    for done in (end(hers), end(his)):
        assert done.status == 0, done


def test_lines_go_both_ways_straight_between_the_peers(stage, capture):
    at_broker, at_alice = capture(stage.broker_host), capture(stage.alice.host)
    hers, his = stage.chat()
    say(hers, his, SECRETS[0])
    say(his, hers, SECRETS[1])
    assert_they_end(hers, his)
    seen, between = at_broker.end(), f"host {stage.alice.host.address} and host {stage.bob.host.address}"
    assert b"CURVE" in seen, "the capture saw nothing of the logins"
    assert at_broker.packets(f"tcp and {between}") == []
    wire = at_alice.end()
    for host in (stage.alice.host, stage.bob.host):
        assert at_alice.packets(f"tcp[tcpflags] & tcp-push != 0 and src {host.address} and {between}") != [], \
            f"the capture saw nothing of the chat from {host.address}"
    for secret in SECRETS:
        assert secret.encode() not in seen and secret.encode() not in wire, secret


def test_a_chat_goes_on_when_the_broker_is_killed(stage):
    hers, his = stage.chat()
    say(hers, his, "before")
    stage.town.broker.kill()
    for n in range(20):
        say(hers, his, f"after {n}")
        say(his, hers, f"answer {n}")
    assert_they_end(hers, his)


def test_of_1000_lines_to_a_peer_that_is_killed_each_is_shown_or_told(stage):
    hers, his = stage.chat()
    texts = [f"line {n} " + "x" * 80 for n in range(LINES)]
    for text in texts[:ANSWERED]:
        say(hers, his, text)
    say(his, hers, "I have them")
    with ThreadPoolExecutor() as pool:
        fed, err = pool.submit(feed, hers.stdin, texts[ANSWERED:]), pool.submit(hers.stderr.read)
        out = [his.stdout.readline() for _ in range(READ_BEFORE_DEATH)]
        fed.result()
        his.kill()  # in the middle: the pipe holds a few hundred lines, and nobody reads on
        its_end = end(his)
        assert hers.wait(PROCESS_S) == 1, err.result()
    out += [line for line in its_end.out.splitlines(keepends=True) if line.endswith("\n")]
    shown = texts[:ANSWERED] + [json.loads(line)["text"] for line in out]
    assert ANSWERED + READ_BEFORE_DEATH <= len(shown) < LINES
    assert shown == texts[:len(shown)], "lost, twice or out of order"
    errors = [json.loads(line)["error"] for line in err.result().splitlines()
              if not line.startswith("zmq-cli: ")]
    told = [error.get("not_delivered", error.get("unknown")) for error in errors]
    assert told == texts[LINES - len(told):], "told twice, or not in order"
    assert len(told) <= LINES - ANSWERED, "told of lines that were acknowledged"
    assert len(told) >= LINES - len(shown), \
        f"{LINES - len(shown) - len(told)} lines were acknowledged and not shown"


def feed(stream, texts):
    stream.write("".join(text + "\n" for text in texts))
    stream.close()
