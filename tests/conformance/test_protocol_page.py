"""What proto/README.md shows: its smallest client is the file beside it and works, its table of commands is what the
broker does, its frames say what it tells of them."""

import os
import queue
import re
import subprocess
import sys
import threading

import pytest
import zmq
from google.protobuf import text_format

from support import page, schema
from support.broker import ROOT, die_with_parent
from support.client import make_command
from support.raw import monitored, unreadable

SMALLEST = ROOT / "proto" / "examples" / "smallest.py"
PATIENCE_S = 90


class Smallest:
    """proto/examples/smallest.py at work."""

    def __init__(self, broker, user, password, modules):
        self.process = subprocess.Popen(
            [sys.executable, SMALLEST, f"{broker.host}:{broker.port}", user, password], text=True, bufsize=1,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, preexec_fn=die_with_parent,
            env=dict(os.environ, PYTHONPATH=str(modules)))
        self.lines = queue.Queue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stdout:
            self.lines.put(line.rstrip("\n"))

    def type(self, line):
        self.process.stdin.write(line + "\n")

    def says(self):
        return self.lines.get(timeout=PATIENCE_S)

    def close(self):
        try:
            self.process.stdin.close()
            assert self.process.wait(PATIENCE_S) == 0
        finally:
            self.process.kill()
            self.process.wait()


@pytest.fixture(scope="module")
def modules(tmp_path_factory):
    """The schema as the page has it made for Python."""
    folder = tmp_path_factory.mktemp("modules")
    subprocess.run(["protoc", "-I", ROOT / "proto", f"--python_out={folder}",
                    *sorted((ROOT / "proto" / "zchat" / "v1").glob("*.proto"))], check=True, timeout=60)
    return folder


@pytest.fixture
def smallest(town, modules):
    name = town.fresh_name()
    town.guest().register(name, "secret")
    client = Smallest(town.broker, name, "secret", modules)
    client.user = name
    yield client
    client.close()


def test_the_smallest_client_has_at_most_40_lines_and_stands_on_the_page():
    text = SMALLEST.read_text()
    assert len(text.splitlines()) <= 40
    assert f"```python\n{text}```" in page.TEXT


def test_the_smallest_client_sends_and_receives(town, smallest):
    bob = town.join()
    smallest.type(f"{bob.user} hello, Bob")
    assert smallest.says() == "sent"
    bob.wait(lambda: [event.message.text for event in bob.inbox] == ["hello, Bob"])
    bob.message(smallest.user, "hello yourself")
    assert smallest.says() == f"{bob.user} hello yourself"
    smallest.type("nobody.at.all hello")
    assert "nobody.at.all" in smallest.says()


def test_the_smallest_client_is_back_after_a_lost_connection(town, smallest):
    bob = town.join()
    smallest.type(f"{bob.user} one")
    assert smallest.says() == "sent"
    town.broker.restart()
    smallest.type(f"{bob.user} two")
    assert smallest.says() == "sent"
    bob.resume()
    bob.wait(lambda: [event.message.text for event in bob.inbox] == ["one", "two"])
    bob.message(smallest.user, "three")
    assert smallest.says() == f"{bob.user} three"


# ---- the table of commands ----

STATES = {None: "session", "COMMAND_ANYBODY": "any", "COMMAND_ADMIN": "admin"}
ROW = re.compile(r"const struct command_row (\w+)_row = \{\n(.*?)\};", re.S)


def test_the_table_of_commands_is_the_brokers():
    told = {name: (state, int(cost), activity == "yes") for name, (state, cost, activity, *_) in page.COMMANDS.items()}
    code = "".join(path.read_text() for path in (ROOT / "broker" / "core").glob("*.c"))
    done = {name: (STATES[re.search(r"\.state = (\w+)|$", row)[1]], int(re.search(r"\.cost = (\d+)", row)[1]),
                   ".passive = true" not in row) for name, row in ROW.findall(code)}
    assert told == done
    assert set(told) == {field.name for field in schema.Command.DESCRIPTOR.oneofs_by_name["body"].fields}


def test_what_needs_a_session_is_refused_without_one(town):
    guest = town.guest()
    for name, (state, *_) in page.COMMANDS.items():
        guest.send([make_command(7, name)])
        guest.wait(lambda: 7 in guest.replies, what=f"the reply to {name}")
        reason = guest.replies.pop(7).error.reason
        assert (reason == schema.REASON_NOT_LOGGED_IN) == (state != "any"), name


def test_every_reason_stands_on_the_page_and_no_other():
    known = {name.removeprefix("REASON_") for name in schema.Reason.keys()} - {"UNSPECIFIED"}
    reasons = {word for *_, cell in page.COMMANDS.values() for word in re.findall(r"`(\w+)`", cell)}
    assert reasons <= known
    assert not [word for word in known if not re.search(rf"`(?:REASON_)?{word}`", page.TEXT)]
    assert {f"REASON_{word}" for word in known} >= set(re.findall(r"\bREASON_[A-Z_]+", page.TEXT))


# ---- frames ----

FRAME = re.compile(r"^(\w+)( [^\n]*)?:\n\n((?:    [0-9a-f ]+\n)+)\n((?:    .+\n)+)", re.M)


def test_the_frames_on_the_page_say_what_it_tells_of_them():
    shown = FRAME.findall(page.section("Frames in hex"))
    for kind, _, frame, text in shown:
        message = getattr(schema, kind)
        said = text_format.Parse(" ".join(line.strip() for line in text.splitlines()), message())
        assert message.FromString(bytes.fromhex(frame)) == said
        assert said.SerializeToString() == bytes.fromhex(frame)
    assert {kind for kind, *_ in shown} == {"GreetingRequest", "Greeting", "CommandBatch", "ServerBatch",
                                            "Publication", "PeerBatch"}


# ---- the page itself ----

def test_the_page_needs_nothing_outside_of_its_folder():
    for target in re.findall(r"\]\(([^)]+)\)", page.TEXT):
        path, _, heading = target.partition("#")
        assert not path or (ROOT / "proto" / path).exists() and ".." not in path, target
        assert not heading or heading in {re.sub(r"[^a-z0-9 -]", "", line.lstrip("# ").lower()).replace(" ", "-")
                                          for line in page.TEXT.splitlines() if line.startswith("#")}, target
    for folder in ("broker/", "client/", "tests/", "tools/"):
        assert folder not in page.TEXT


def test_a_frame_a_little_too_long_is_answered_and_a_longer_one_ends_the_connection(town):
    client = town.join()
    unreadable(client, bytes(1024 * 1024 + 1))
    unreadable(client, bytes(1024 * 1024 + 4000))
    with monitored(client.dealer, zmq.EVENT_DISCONNECTED) as monitor:
        client.send_raw(bytes(1024 * 1024 + 4096))
        assert monitor.poll(PATIENCE_S * 1000), "the connection is still open"


def test_a_message_of_two_parts_is_dropped_without_a_reply(town):
    client = town.join()
    frame = schema.CommandBatch(commands=[make_command(7, "ping")]).SerializeToString()
    client.dealer.send_multipart([frame, frame])
    client.ping()
    assert not client.replies
