"""zmq-cli rpc: one command a line in, answers and events a line each out."""

import json
import os
import random
import select
import signal
import subprocess
import threading
import time

import pytest

from support.broker import program, run
from support.patience import WAIT_S
from support.town import ADMIN
from zmq_cli import CALL_S, RFC3339, UUID7

LINE_MAX = 2 * 1024 * 1024


class Rpc:
    """A running rpc: say() writes a line, next() reads one."""

    def __init__(self, cli, *words, **environment):
        self.process = subprocess.Popen(cli.command(["rpc", *words]), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, env=dict(cli.environment, **environment))
        self.limit = threading.Timer(WAIT_S + CALL_S, self.process.kill)
        self.limit.daemon = True
        self.limit.start()
        self.events = []

    def write(self, data):
        self.process.stdin.write(data)
        self.process.stdin.flush()

    def say(self, **line):
        self.write(json.dumps(line).encode() + b"\n")

    def next(self):
        """The next answer; the events before it are kept."""
        while True:
            line = self.process.stdout.readline()
            assert line.endswith(b"\n") and line.isascii(), (line, self.process.stderr.read())
            line = json.loads(line)
            if "event" not in line:
                return line
            assert line.keys() == {"event"}
            self.events.append(line["event"])

    def ask(self, **line):
        self.say(**line)
        return self.next()

    def event(self, kind):
        """The next event of that type: of those that were kept, or read now."""
        while True:
            for event in self.events:
                if event["type"] == kind:
                    self.events.remove(event)
                    return event
            line = json.loads(self.process.stdout.readline())
            assert "event" in line, line
            self.events.append(line["event"])

    def end(self):
        """Ends stdin; what still comes, and the exit status."""
        self.process.stdin.close()
        lines = [json.loads(line) for line in self.process.stdout.read().splitlines()]
        err = self.process.stderr.read().decode()
        status = self.process.wait(WAIT_S)
        self.limit.cancel()
        return [line for line in lines if "event" not in line], status, err


@pytest.fixture
def rpc():
    """Makes running ones: rpc(alice, "--online")."""
    made = []

    def make(cli, *words, **environment):
        made.append(Rpc(cli, *words, **environment))
        return made[-1]

    yield make
    for each in made:
        each.limit.cancel()
        each.process.kill()
        each.process.wait()


def name_of(cli):
    return cli.environment["ZCHAT_USER"]


def send(to, text, number):
    return {"id": number, "send_message": {"to": to, "text": text}}


def test_answers_are_matched_by_the_id_that_the_caller_chose(alice, bob, rpc):
    running = rpc(alice)
    for own in (1, -5, "x", "", None, 9007199254740993, "caf\u00e9"):
        answer = running.ask(id=own, ping={})
        assert answer.keys() == {"id", "ping"} and answer["id"] == own and answer["ping"]["timeUs"]
    answer = running.ask(sendMessage={"to": name_of(bob), "text": "hi"})
    assert answer["id"] is None and answer["sendMessage"]["seq"] == "1"
    assert running.ask(id=2, ListBlocked={}) == {"id": 2, "listBlocked": {}}
    assert running.end() == ([], 0, "")


def test_refusals_are_lines_with_code_and_reason(alice, rpc):
    running = rpc(alice)
    error = running.ask(**send("nobody", "hi", 1))["error"]
    assert error["code"] == "NOT_FOUND" and error["reason"] == "NO_SUCH_USER" and "nobody" in error["message"]
    error = running.ask(id=2, since={"seconds": "x"})["error"]
    assert error["code"] == "INVALID" and error["message"].startswith("seconds: ")
    assert running.ask(id=3, login={"user": "bob"})["error"]["code"] == "INVALID"
    assert running.ask(id=4, who={}) == {"id": 4, "who": {}}
    assert running.end() == ([], 0, "")


@pytest.mark.parametrize("line", [
    b"{", b"[]", b"7", b"nothing", b'{"id": 1}', b"{}", b'{"id": 1, "dance": {}}', b'{"id": 1, "who": {}, "ping": {}}',
    b'{"id": 1, "id": 2, "who": {}}', b'{"id": {}, "who": {}}', b'{"id": true, "who": {}}', b'{"id": 1.5, "who": {}}',
    b'{"id": 1, "who": []}', b'{"id": 1, "who": null}', b'{"id": 1, "who": {"x": 1}}', b'{"request": 1, "who": {}}',
    b'{"id": "' + b"x" * 300 + b'", "who": {}}', b'{"id": 1, "who": {"after": "\xff"}}', b"\xff\xfe", b"a\0b",
    b'{"id": 1, "who": {"after": "\\ud800"}}', b'{"id": 18446744073709551615, "who": {}}', b"[" * 5000, b"\x1b[31m",
])
def test_rubbish_is_answered_and_does_no_harm(alice, rpc, line):
    running = rpc(alice)
    running.write(line + b"\n")
    answer = running.next()
    assert answer["error"]["code"] == "INVALID" and answer["id"] in (None, 1), answer
    assert "." not in answer["error"]["message"][-1:]
    assert running.ask(id="still there", who={}) == {"id": "still there", "who": {}}
    assert running.end() == ([], 0, "")


def test_every_line_of_rubbish_has_one_answer(alice, rpc):
    chance = random.Random(13)
    seeds = [b'{"id": 7, "who": {"after": "bob", "limit": 5}}', b'{"id": "x", "since": {"seconds": "5"}}',
             b'{"id": null, "ping": {}}', b'{"edit_post": {"id": "AAAA", "post": "", "thread": "t", "text": "x"}}']
    lines = []
    for _ in range(400):
        line = bytearray(chance.choice(seeds))
        for _ in range(chance.randrange(4)):
            at = chance.randrange(len(line))
            line[at:at + chance.randrange(3)] = chance.choice([b"", b"{", b"}", b'"', b"\\", b"[", b"\xff", b"1e9", b","])
            line = line or bytearray(b"{")
        lines.append(bytes(line).replace(b"\n", b" "))
    running = rpc(alice, "--no-events")
    threading.Thread(target=lambda: (running.write(b"\n".join(lines) + b"\n"), running.process.stdin.close())).start()
    answers = [json.loads(answer) for answer in running.process.stdout.read().splitlines()]
    assert len(answers) == len(lines)
    assert all(len(answer) == 2 and "id" in answer for answer in answers)
    assert running.process.wait(WAIT_S) == 0


def test_blank_lines_are_passed_over(alice, rpc):
    running = rpc(alice)
    running.write(b"\n \n\t\r\n\r\n")
    running.write(b'  {"id": 1, "who": {}} \r\n')
    assert running.next() == {"id": 1, "who": {}}


def test_a_last_line_needs_no_newline_and_the_end_waits_for_the_last_answer(alice, bob, rpc):
    running = rpc(alice)
    for number in range(200):
        running.say(**send(name_of(bob), f"text {number}", number))
    running.write(b'{"id": "last", "who": {}}')
    answers, status, err = running.end()
    assert [answer["id"] for answer in answers] == [*range(200), "last"] and (status, err) == (0, "")
    assert all("sendMessage" in answer for answer in answers[:-1])
    assert [message["text"] for message in bob.ok("recv").lines] == [f"text {number}" for number in range(200)]


def test_an_empty_input_is_no_error(alice, rpc):
    assert rpc(alice).end() == ([], 0, "")


def test_a_line_that_is_too_long_is_told_once_and_passed_over(alice, rpc):
    running = rpc(alice)
    running.write(b"x" * (3 * LINE_MAX) + b'\n{"id": 1, "who": {}}\n')
    assert "too long" in running.next()["error"]["message"]
    assert running.next() == {"id": 1, "who": {}}
    running.write(b'{"id": 2, "who": {"after": "' + b" " * (LINE_MAX - 2048) + b'"}}\n')
    assert running.next()["error"]["code"] == "INVALID"
    running.write(b"y" * (LINE_MAX + 5))
    answers, status, err = running.end()
    assert [answer["error"]["code"] for answer in answers] == ["INVALID"] and (status, err) == (0, "")


def test_messages_come_as_events_and_stay_unread_until_they_are_acknowledged(town, alice, bob, rpc):
    alice.ok("send", name_of(bob), "missed")
    running = rpc(bob)
    missed = running.event("message")
    assert missed["text"] == "missed" and missed["missed"] is True and missed["from"] == name_of(alice)
    assert UUID7.match(missed["id"]) and RFC3339.match(missed["time"]) and missed["seq"] == "1"
    alice.ok("send", name_of(bob), "live")
    live = running.event("message")
    assert live["text"] == "live" and live["missed"] is False
    assert [message["text"] for message in bob.ok("recv").lines] == ["missed", "live"]
    assert running.ask(id=1, ack={"read": live["seq"]}) == {"id": 1, "ack": {"cursor": "2"}}
    assert running.event("read")["seq"] == "2"
    assert running.end() == ([], 0, "")
    assert bob.ok("recv").lines == []


def test_public_events_and_those_of_followed_threads_come_too(town, alice, bob, title, rpc):
    bob.ok("thread", "follow", title)
    running = rpc(bob)
    running.event("synced")
    watcher = town.join()
    assert running.event("presence")["user"] == watcher.user
    watcher.broadcast("hear me")
    assert running.event("broadcast")["text"] == "hear me"
    alice.ok("thread", "post", title, "a post")
    posted = running.event("posted")
    assert posted["thread"] == title and posted["text"] == "a post" and posted["seq"] == "1"


def test_no_events_means_answers_alone(alice, bob, rpc):
    alice.ok("send", name_of(bob), "unread")
    running = rpc(bob, "--no-events")
    for number in range(3):
        assert running.ask(id=number, ping={})["id"] == number
    assert running.end() == ([], 0, "") and running.events == []


def test_online_is_seen_and_without_it_nobody_sees_it(town, alice, bob, rpc):
    running = rpc(alice)
    assert running.ask(id=1, ping={})
    assert bob.ok("who").lines == []
    other = rpc(alice, "--online")
    assert other.ask(id=1, ping={})
    assert [person["user"] for person in bob.ok("who").lines] == [name_of(alice)]


def test_standard_input_is_not_read_while_too_much_is_under_way(town, alice, rpc):
    running = rpc(alice)
    assert running.ask(id=0, ping={})
    os.kill(town.broker.pid, signal.SIGSTOP)
    try:
        os.set_blocking(running.process.stdin.fileno(), False)
        line, sent = json.dumps({"id": "x" * 200, "who": {"after": "a" * 2000}}).encode() + b"\n", 0
        quiet = time.monotonic()
        while time.monotonic() - quiet < 1 and sent < 64 << 20:
            if select.select([], [running.process.stdin], [], 0.2)[1]:
                try:
                    sent += os.write(running.process.stdin.fileno(), line[sent % len(line):])
                    quiet = time.monotonic()
                except BlockingIOError:
                    pass
    finally:
        os.kill(town.broker.pid, signal.SIGCONT)
    assert sent < 8 << 20, "it took all that was written"
    os.set_blocking(running.process.stdin.fileno(), True)
    running.write(line[sent % len(line):] if sent % len(line) else b"")
    expected = -(-sent // len(line))
    threading.Thread(target=running.process.stdin.close, daemon=True).start()
    answers = [json.loads(answer) for answer in running.process.stdout.read().splitlines()]
    assert len([answer for answer in answers if "event" not in answer]) == expected
    assert running.process.wait(WAIT_S) == 0


def test_a_restart_of_the_broker_loses_no_command(town_factory, script, rpc):
    town = town_factory()
    alice, bob = script(its=town), script(its=town)
    running = rpc(alice)
    assert running.ask(**send(name_of(bob), "before", 0))["sendMessage"]["seq"] == "1"
    os.kill(town.broker.pid, signal.SIGSTOP)
    for number in range(1, 20):
        running.say(**send(name_of(bob), f"text {number}", number))
    for number in range(2):  # once these are refused those were sent
        assert running.ask(id=f"no {number}")["id"] == f"no {number}"
    town.broker.kill()
    for number in range(20, 30):
        running.say(**send(name_of(bob), f"text {number}", number))
    town.broker.start(town.broker.port)
    answers = [running.next() for _ in range(1, 30)]
    assert [answer["id"] for answer in answers] == list(range(1, 30))
    assert all("sendMessage" in answer for answer in answers), answers
    assert running.end()[1] == 0
    assert [message["text"] for message in bob.ok("recv").lines] == ["before"] + [f"text {n}" for n in range(1, 30)]


def test_a_broken_stdout_ends_it_quietly(alice, rpc):
    running = rpc(alice)
    assert running.ask(id=1, ping={})
    running.process.stdout.close()
    running.say(id=2, ping={})
    assert running.process.wait(WAIT_S) == 0 and running.process.stderr.read() == b""


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_and_what_was_under_way_is_told(town, alice, rpc, number):
    running = rpc(alice, "--no-events")
    assert running.ask(id=1, ping={})
    os.kill(town.broker.pid, signal.SIGSTOP)
    try:
        running.say(id="lost", ping={})
        running.write(b"\n")
        running.say(id=2, nothing={})
        assert running.next()["id"] == 2
        running.process.send_signal(number)
        answer = running.next()
        assert answer["id"] == "lost" and answer["error"]["code"] == "CANCELLED"
        assert running.process.wait(WAIT_S) == 130
    finally:
        os.kill(town.broker.pid, signal.SIGCONT)


def test_a_given_timeout_bounds_the_whole(alice, rpc):
    running = rpc(alice, "--timeout", "5")
    assert running.ask(id=1, ping={})
    assert running.process.wait(WAIT_S) == 124
    assert json.loads(running.process.stderr.read())["error"]["code"] == "EXPIRED"


def test_after_the_end_of_input_a_silent_broker_is_not_waited_for_for_ever(town, alice, rpc):
    running = rpc(alice, "--no-events")
    assert running.ask(id=1, ping={})
    os.kill(town.broker.pid, signal.SIGSTOP)
    try:
        running.say(id=2, ping={})
        answers, status, err = running.end()
    finally:
        os.kill(town.broker.pid, signal.SIGCONT)
    assert [answer["error"]["code"] for answer in answers] == ["CANCELLED"] and status == 124, err


def test_the_end_of_the_session_ends_it(town, alice, rpc):
    running = rpc(alice)
    assert running.ask(id=1, ping={})
    run([program("zchatd"), "user", "lock", name_of(alice), "--data", town.broker.data], check=0)
    assert running.event("session_ended")["text"]
    assert running.process.wait(WAIT_S) == 4
    assert json.loads(running.process.stderr.read())["error"]["code"] == "AUTH"


def test_stdin_that_is_closed_or_a_folder_ends_it(alice, tmp_path):
    for stdin, status in ((subprocess.DEVNULL, 0), (os.open(tmp_path, os.O_RDONLY), 3)):
        done = subprocess.run(alice.command(["rpc"]), stdin=stdin, capture_output=True, timeout=CALL_S,
                              env=alice.environment)
        assert done.returncode == status, done

def killed(running, count, taken):
    """Takes so many messages, each acknowledged behind it, and kills it; the cursor that it was told of."""
    known = 0
    try:
        while count > 0:
            line = json.loads(running.process.stdout.readline())
            known = max(known, int(line.get("ack", {}).get("cursor", 0)))
            if line.get("event", {}).get("type") == "message":
                taken.append(int(line["event"]["seq"]))
                running.say(id=count, ack={"read": line["event"]["seq"]})
                count -= 1
    finally:
        running.process.kill()
        running.process.wait()
    return known


def test_killed_at_any_point_it_skips_no_message(alice, bob, rpc):
    chance, sent, before, known, taken = random.Random(7), 0, 0, 0, []
    writer = rpc(alice, "--no-events")
    for _ in range(int(os.environ.get("ZCHAT_TEST_KILLS", "12"))):
        for _ in range(6):
            sent += 1
            assert writer.ask(**send(name_of(bob), f"text {sent}", sent))["sendMessage"]
        first, acknowledged = len(taken), known
        known = max(known, killed(rpc(bob), chance.randrange(6), taken))
        if len(taken) > first:
            run = taken[first:]
            assert acknowledged < run[0] <= before + 1, "it skipped one, or told one again that was acknowledged"
            assert run == list(range(run[0], run[0] + len(run)))
            before = run[-1]
    rest = [int(message["seq"]) for message in bob.ok("recv").lines]
    assert rest[0] <= before + 1 and rest[-1] == sent and rest == list(range(rest[0], sent + 1))


def test_an_announcement_tells_its_administrator(rpc, script):
    running = rpc(script())
    running.ask(id=1, who={})
    script(ADMIN).ok("announce", "back at nine")
    event = running.event("notice")
    assert (event["user"], event["text"]) == (ADMIN, "back at nine")
