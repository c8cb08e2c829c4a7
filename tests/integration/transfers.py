"""What the tests of zchatd export and import share: a store with something of every kind, and short forms of both."""

import contextlib
import json
import os

import pytest

from support.broker import Broker, program, run
from support.client import Client, Keys, new_id
from support.town import refused
from support.transfer import CHUNK_BYTES, Upload, bytes_of

PASSWORD = "correct horse"
EDGES = ["plain", "two\nlines\tand a tab", "日本語のテキスト", "👩‍👩‍👧‍👦 🏴󠁧󠁢󠁥󠁮󠁧󠁿 é e\u0301", "\"quoted\" \\ back / slash", "\u00a0\ufffd",
         "\\u0000 \\n", "x" * 16384, "字" * 5461]
CONTENT = bytes_of(2 * CHUNK_BYTES + 12345)


def export(folder, *words, check=0, **options):
    return run([program("zchatd"), "export", *words, "--data", folder], check=check, **options)


def load(folder, lines, check=0):
    return run([program("zchatd"), "import", "-", "--data", folder], stdin=lines, check=check)


def check_store(folder, check=0):
    return run([program("zchatd"), "check-store", "--data", folder], check=check).stdout


def records(lines, type=None):
    found = [json.loads(line) for line in lines.splitlines()]
    return found if type is None else [record for record in found if record["type"] == type]


class World:
    """A store with something of every kind in it, and its broker's last words about it."""

    def __init__(self, broker):
        self.broker = broker
        self.keys = {name: Keys() for name in ("alice", "bob", "carol", "eve")}
        for name in self.keys:
            broker.add_user(name, PASSWORD, admin=name == "alice")
        run([program("zchatd"), "user", "add", "dan", "--device-key", Keys().public.decode(), "--data", broker.data],
            check=0)
        self.ids = {text: new_id() for text in EDGES}
        with self.join("alice") as alice, self.join("bob") as bob:
            self.fill_people(alice, bob)
            self.fill_threads(alice, bob)
        run([program("zchatd"), "user", "lock", "eve", "--data", broker.data], check=0)

    def join(self, name, address=None, **options):
        client = Client(address or self.broker.address, self.keys[name])
        client.login(name, PASSWORD, **options)
        return client

    def fill_people(self, alice, bob):
        for text, id in self.ids.items():
            bob.message("alice", text, id)
        alice.wait_have(len(EDGES))
        alice.ack_read(4)
        alice.message("bob", "an answer")
        alice.message("carol", "never read")
        bob.wait_have(len(EDGES) + 1)
        draft, self.gone = alice.message("bob", "a first draft").id, alice.message("bob", "not meant").id
        alice.message("bob", "the last word", corrects=draft)
        alice.message("bob", "", retracts=self.gone)
        bob.block("carol")
        with self.join("carol") as carol:
            carol.block("eve")
            carol.call("change_settings", receipts=2)
            carol.message("alice", "from carol")
            carol.call("revoke_device", device=carol.call("list_devices").devices[0].number)
        for _ in range(2):
            with Client(self.broker.address) as guesser:
                refused("AUTH", guesser.login, "eve", "wrong")

    def fill_threads(self, alice, bob):
        alice.create_thread("Größe 大小")
        alice.create_thread("removed")
        bob.post("removed", "gone with it")
        Upload(bob, "removed", "gone.bin", b"gone").run()
        self.removed = alice.list_threads()[1].id
        self.thread = alice.list_threads()[0].id
        followed = bob.follow("Größe 大小")
        self.posts = [alice.post("Größe 大小", text).id for text in EDGES]
        alice.follow("Größe 大小")
        alice.edit("Größe 大小", self.posts[1], "edited")
        alice.edit("Größe 大小", self.posts[1], "edited again")
        alice.delete("Größe 大小", self.posts[2])
        Upload(bob, "Größe 大小", "内容.bin", CONTENT).run()
        Upload(bob, "Größe 大小", "empty", b"").run()
        Upload(bob, "Größe 大小", "not meant", b"not meant").run()
        alice.call("remove_file", id=new_id(), thread="Größe 大小", file="not meant")
        bob.post("Größe 大小", "after the files")
        unfinished = Upload(alice, "Größe 大小", "unfinished", CONTENT)
        unfinished.begin()
        unfinished.put(0, CHUNK_BYTES)
        unfinished.put(CHUNK_BYTES, 1000)
        self.unfinished = unfinished.id
        late = Upload(alice, "Größe 大小", "late", CONTENT, late=True)
        late.begin()
        bob.ack_thread(followed, len(EDGES))
        alice.remove_thread("removed")


@pytest.fixture(scope="module")
def world():
    with Broker() as broker:
        yield World(broker)


@pytest.fixture(scope="module")
def lines(world):
    """The export of a store that no broker serves any more."""
    world.broker.stop()
    return export(world.broker.data).stdout


@contextlib.contextmanager
def serve(folder):
    with Broker(start=False) as broker:
        broker.data = folder
        broker.start()
        yield broker


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "new"


def names(folder):
    return sorted(os.listdir(folder)) if folder.exists() else []
