"""zchatd export and zchatd import: everything in a store as lines of JSON, and a store of such lines."""

import base64
import contextlib
import json
import os
import shutil
import signal
import sqlite3
import stat
import subprocess

import pytest

from support.broker import Broker, program, run
from support.client import Client, Keys, new_id
from support.disk import small_disk
from support.town import refused
from support.transfer import CHUNK_BYTES, Download, Upload, bytes_of

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


# ---- out ----

def test_everything_is_in_it(world, lines):
    assert {record["type"] for record in records(lines)} == {
        "header", "account", "device", "thread", "removed_thread", "message", "correction", "retraction", "post",
        "edit", "deletion", "file", "deleted_file", "file_deletion", "piece", "upload", "follow", "block", "wrong_passwords", "cursor", "topics", "end"}
    assert records(lines)[0] == {"type": "header", "format": "zchat", "version": "1"}
    assert records(lines)[-1] == {"type": "end", "lines": str(len(lines.splitlines()))}
    accounts = {record["user"]: record for record in records(lines, "account")}
    assert list(accounts) == ["alice", "bob", "carol", "eve", "dan"]
    assert accounts["carol"]["no_receipts"] and "no_receipts" not in accounts["bob"]
    assert accounts["alice"]["admin"] and accounts["eve"]["locked"] and "password_hash" not in accounts["dan"]
    assert accounts["alice"]["password_hash"].startswith("$argon2id$")
    assert "last_seen" in accounts["bob"] and "last_seen" not in accounts["dan"]


def test_a_message_has_the_keys_that_zmq_cli_gives_it(world, lines):
    told = [record for record in records(lines, "message") if record["from"] == "bob"]
    assert [record["text"] for record in told] == EDGES
    assert [record["seq"] for record in told] == [str(n) for n in range(1, len(EDGES) + 1)]
    assert all(record["to"] == "alice" and record["time"].endswith("Z") for record in told)
    assert [record["id"].replace("-", "") for record in told] == [world.ids[text].hex() for text in EDGES]


def test_a_post_is_there_with_all_that_became_of_it(world, lines):
    assert [record["text"] for record in records(lines, "post")] == [*EDGES, "after the files"]
    assert [record["text"] for record in records(lines, "edit")] == ["edited", "edited again"]
    removed, = records(lines, "removed_thread")
    assert removed["id"].replace("-", "") == world.removed.hex()
    assert "gone" not in lines


# What an export has of each table. A column that is new has to be in an export, or be derived when one is
# imported (or the import would lose it without a word).
EXPORTED = {
    "account": "id name password_hash admin locked created_us devices receipts",
    "block": "account blocked since_us", "device": "account device key label trusted_us used_us",
    "file": "file id stream name uploader size hash received seq time_us chunk_us",
    "follow": "account stream cursor", "log": "last count entries", "login_failure": "name failures locked_until_us changed_us",
    "meta": "name value", "piece": "place bytes", "presence": "account online last_seen_us", "removed_thread": "id",
    "stream": "id kind read_seq", "thread": "stream id title creator created_us"}
DERIVED = {
    "account": "post_bytes threads file_bytes", "amended": "original last gone", "file": "hash_state hashed look folded",
    "stream": "merged_seq read_all", "thread": "last_us posts uploads look folded",
    "band": "band rows last_bytes streams", "band_row": "place groups", "entry": "stream last_seq positions",
    "id_run": "last_id places", "piece_slot": "place slot sums", "post": "stream seq pos text_pos edited_us",
    "post_block": "stream block posts", "rubbish_file": "file", "rubbish_thread": "stream gone_seq"}
META = {"accounts", "alive_us", "files", "ids", "messages", "posted", "rehashed", "server_key", "streams", "topics_head",
        "watermark"}


def test_everything_in_the_tables_is_exported_or_derived(world, lines, tmp_path):
    for name in "zchat.db", "zchat.db-wal":
        if (world.broker.data / name).exists():
            shutil.copy(world.broker.data / name, tmp_path)
    with contextlib.closing(sqlite3.connect(tmp_path / "zchat.db")) as store:
        tables = [name for name, in store.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")]
        columns = {table: {row[1] for row in store.execute(f"PRAGMA table_info({table})")} for table in tables}
        meta = {name for name, in store.execute("SELECT name FROM meta")}
    assert columns == {table: {*EXPORTED.get(table, "").split(), *DERIVED.get(table, "").split()}
                       for table in {*EXPORTED, *DERIVED}}
    assert meta <= META


def test_a_file_has_its_bytes_behind_it(lines):
    file, empty = records(lines, "file")
    pieces = [record for record in records(lines, "piece") if record["file"] == file["id"]]
    assert b"".join(base64.b64decode(record["data"]) for record in pieces) == CONTENT
    assert [record["offset"] for record in pieces] == ["0", "262144", "524288"]
    assert (empty["size"], file["size"]) == ("0", str(len(CONTENT)))
    assert max(map(len, lines.splitlines())) < 400_000


def test_a_running_broker_may_serve_the_store(world):
    with Broker() as broker:
        broker.add_user("alice", PASSWORD)
        assert [record["user"] for record in records(export(broker.data).stdout, "account")] == ["alice"]
        with Client(broker.address) as client:
            client.login("alice", PASSWORD)


def test_what_a_killed_broker_left_is_exported_and_stays_as_it_is():
    with Broker() as broker:
        broker.add_user("alice", PASSWORD)
        broker.add_user("bob", PASSWORD)
        with Client(broker.address) as alice:
            alice.login("alice", PASSWORD)
            for n in range(100):
                alice.message("bob", str(n))
        broker.kill()
        before = {name: (broker.data / name).read_bytes() for name in names(broker.data)
                  if name.startswith("zchat.db") and not name.endswith("-shm")}
        assert [record["text"] for record in records(export(broker.data).stdout, "message")] == [str(n) for n in range(100)]
        assert before == {name: (broker.data / name).read_bytes() for name in before}
        broker.start()
        with Client(broker.address) as bob:
            bob.login("bob", PASSWORD)
            bob.wait_have(100)


def test_a_file_that_is_removed_meanwhile_is_exported_whole(tmp_path):
    """The reader of a pipe waits until the file was removed; another one does not get its room before the end."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    contents = [bytes_of(8 * CHUNK_BYTES), bytes_of(8 * CHUNK_BYTES + 1)]
    with Broker() as broker:
        broker.add_user("alice", PASSWORD)
        with Client(broker.address) as alice:
            alice.login("alice", PASSWORD)
            for title in "first", "second":
                alice.create_thread(title)
            Upload(alice, "first", "file", contents[0]).run()
            process = subprocess.Popen([program("zchatd"), "export", pipe, "--data", broker.data],
                                       stderr=subprocess.PIPE, text=True)
            with open(pipe) as read:
                begin = read.read(CHUNK_BYTES)
                assert '"type":"piece"' in begin and process.poll() is None
                alice.remove_thread("first")
                Upload(alice, "second", "file", contents[1]).run()
                lines = begin + read.read()
            error = process.communicate()[1]
    assert (process.returncode, error) == (0, "")
    assert b"".join(base64.b64decode(record["data"]) for record in records(lines, "piece")) == contents[0]


def test_bytes_that_were_not_kept_give_no_wrong_file(tmp_path):
    """While a backup is made, an export can't ask for that, too: it goes on without."""
    pipes = [tmp_path / "first", tmp_path / "second"]
    contents = [bytes_of(8 * CHUNK_BYTES), bytes_of(8 * CHUNK_BYTES + 1)]
    with Broker() as broker:
        broker.add_user("alice", PASSWORD)
        with Client(broker.address) as alice, contextlib.ExitStack() as stack:
            alice.login("alice", PASSWORD)
            for title in "first", "second":
                alice.create_thread(title)
            Upload(alice, "first", "file", contents[0]).run()
            exports = []
            for pipe in pipes:
                os.mkfifo(pipe)
                process = subprocess.Popen([program("zchatd"), "export", pipe, "--data", broker.data],
                                           stderr=subprocess.PIPE, text=True)
                read = stack.enter_context(open(pipe))
                exports.append((process, read, read.read(CHUNK_BYTES)))
            holder, read, _ = exports.pop(0)
            holder.kill()
            holder.communicate()
            alice.remove_thread("first")
            Upload(alice, "second", "file", contents[1]).run()
            process, read, begin = exports.pop()
            lines = begin + read.read()
            error = process.communicate()[1]
    if process.returncode == 0:
        assert b"".join(base64.b64decode(record["data"]) for record in records(lines, "piece")) == contents[0]
    else:
        assert process.returncode == 3 and "export it once more" in error, error
        assert '"type":"end"' not in lines


def test_it_changes_nothing(world, lines):
    before = {name: (world.broker.data / name).read_bytes() for name in names(world.broker.data)}
    assert export(world.broker.data).stdout == lines
    assert {name: (world.broker.data / name).read_bytes() for name in names(world.broker.data)} == before


def test_a_file_is_its_owners_alone_and_is_never_written_over(world, lines, tmp_path):
    file = tmp_path / "all.jsonl"
    export(world.broker.data, file)
    assert file.read_text() == lines and stat.S_IMODE(file.stat().st_mode) == 0o600
    assert "File exists" in export(world.broker.data, file, check=3).stderr
    assert file.read_text() == lines


def test_no_store_is_no_export(tmp_path):
    done = export(tmp_path, tmp_path / "file", check=5)
    assert "there is no store" in done.stderr and done.stdout == "" and names(tmp_path) == []


def test_a_reader_that_goes_ends_it_quietly(world, lines):
    process = subprocess.Popen([program("zchatd"), "export", "--data", world.broker.data], stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    process.stdout.readline()
    process.stdout.close()
    assert process.stderr.read() == b"" and process.wait() == -signal.SIGPIPE


@pytest.mark.skipif(not os.path.exists("/dev/full"), reason="needs /dev/full")
def test_what_can_not_be_written_is_told(world, lines):
    assert "can't be written" in export(world.broker.data, "/dev/full", check=3).stderr


# ---- in ----

def test_what_is_imported_is_exported_again_byte_by_byte(lines, folder):
    done = load(folder, lines)
    assert f"imported {len(lines.splitlines())} lines" in done.stdout and done.stderr == ""
    assert "is whole" in check_store(folder)
    assert export(folder).stdout == lines
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700 and "importing" not in names(folder)


def test_a_broker_goes_on_with_it(world, lines, folder):
    load(folder, lines)
    with serve(folder) as broker:
        go_on(world, broker)
    assert "is whole" in check_store(folder)


def go_on(world, broker):
    with world.join("alice", broker.address) as alice, world.join("bob", broker.address) as bob:
        # What was unread comes once, and numbers go on.
        alice.wait_have(len(EDGES) + 7)
        assert [event.message.text for event in alice.inbox if event.message.sender == "bob"] == EDGES[4:]
        reply = bob.message("alice", EDGES[0], world.ids[EDGES[0]])
        assert reply.seq == 1, "a retry is the same message"
        refused("CONFLICT", bob.message, "alice", "something else", world.ids[EDGES[0]])
        head = alice.have
        bob.message("alice", "after")
        alice.wait_have(head + 1)
        # What stands of what was said.
        assert refused("CONFLICT", alice.message, "bob", "x", corrects=world.gone).reason == "MESSAGE_RETRACTED"
        assert [hit.message.message.text for words in ("draft", "meant", "last word") for hit in bob.search(words)
                ] == ["the last word"]
        # Threads.
        assert alice.post_texts("Größe 大小") == [EDGES[0], "edited again", *EDGES[3:], "after the files"]
        refused("CONFLICT", alice.create_thread, "another", world.removed)
        assert bob.edit("Größe 大小", [post.id for post in bob.posts("Größe 大小")][-1], "once more")
        assert Download(bob, "Größe 大小", "内容.bin").run() == CONTENT
        followed, = bob.list_followed()
        assert followed.cursor == len(EDGES)
        # What was begun goes on where it was.
        upload = Upload(alice, "Größe 大小", "unfinished", CONTENT, world.unfinished)
        assert upload.begin().received == CHUNK_BYTES + 1000
        assert upload.send().done.size == len(CONTENT)
        # People.
        assert bob.call("list_blocked").users == ["carol"]
        refused("FORBIDDEN", bob.message, "carol", "hello")
    with Client(broker.address, world.keys["carol"]) as carol:
        refused("AUTH", carol.login, "carol")  # its device was revoked
        carol.login("carol", PASSWORD, no_trust=True)
    with Client(broker.address, world.keys["bob"]) as bob:
        bob.login("bob")  # with the device's key
    with Client(broker.address) as eve:
        refused("AUTH", eve.login, "eve", PASSWORD)


def test_a_folder_with_a_store_is_left_alone(world, lines):
    done = load(world.broker.data, lines, check=7)
    assert "there is a store" in done.stderr
    assert export(world.broker.data).stdout == lines


@pytest.mark.parametrize("suffix", ["-pieces", "-wal", "-words"])
def test_what_is_left_of_a_store_is_not_made_a_part_of_another_one(lines, folder, suffix):
    folder.mkdir(mode=0o700)
    (folder / f"zchat.db{suffix}").write_bytes(b"something")
    assert "a part of a store" in load(folder, lines, check=7).stderr
    assert names(folder) == ["lock", f"zchat.db{suffix}"]


def test_a_full_disk_ends_it_without_a_store(lines, folder):
    folder.mkdir(mode=0o700)
    with small_disk(folder, 2):
        done = load(folder, lines, check=3)
        assert done.stderr == "zchatd import: the disk has no room for the store\n"
        assert names(folder) == ["lock"]


def test_the_key_may_be_there_first(world, lines, folder):
    folder.mkdir(mode=0o700)
    shutil.copy(world.broker.data / "server.key", folder)
    load(folder, lines)
    with serve(folder) as broker:
        assert broker.server_key == world.broker.server_key


def test_what_a_killed_import_left_is_no_store_and_is_removed(lines, folder):
    process = subprocess.Popen([program("zchatd"), "import", "-", "--data", folder], stdin=subprocess.PIPE)
    process.stdin.write(lines[:len(lines) // 2].encode())
    process.stdin.flush()
    while not (folder / "importing" / "zchat.db").exists():
        assert process.poll() is None
    process.kill()
    process.wait()
    process.stdin.close()
    assert export(folder, check=3).stdout.count("\n") <= 1
    refused = run([program("zchatd"), "--data", folder, "--port", "0", "--bind", "127.0.0.1"])
    assert refused.returncode != 0 and "ready" not in refused.stderr, "a broker begins with an empty store"
    load(folder, lines)
    assert export(folder).stdout == lines


def test_one_that_was_killed_while_files_got_their_names_is_removed(lines, folder):
    load(folder, lines)
    (folder / "imported").mkdir()
    (folder / "zchat.db").rename(folder / "imported" / "zchat.db")
    load(folder, lines)
    assert export(folder).stdout == lines and "imported" not in names(folder)


@pytest.mark.parametrize("name", ["importing", "imported"])
@pytest.mark.parametrize("way", ["link", "folder"])
def test_what_no_import_left_is_not_removed(lines, folder, tmp_path, name, way):
    precious = folder / name if way == "folder" else tmp_path / "elsewhere"
    folder.mkdir()
    precious.mkdir()
    (precious / "notes").write_text("precious")
    if way == "link":
        (folder / name).symlink_to(precious)
        (precious / "zchat.db").write_text("precious")
    before = names(precious)
    assert f"{folder}" in load(folder, lines, check=3).stderr
    assert names(precious) == before and not (folder / "zchat.db").exists()


# ---- lines that can't be taken ----

def change(**keys):
    """Changes keys of the first line of a type; None removes one."""
    def apply(record):
        for key, value in keys.items():
            if value is None:
                del record[key]
            else:
                record[key] = value
        return record
    return apply


UNKNOWN = "01890a5d-ac96-774b-bcce-b302099a8057"

# The type of the line, what is done to it, and what is said about it.
DAMAGES = [
    ("header", change(format="another"), "the first line must be the header"),
    ("header", change(version="2"), "a newer zchat"),
    ("header", lambda record: None, "the first line must be the header"),
    ("account", lambda record: [record, {"type": "header", "format": "zchat", "version": "1"}], "a header"),
    ("account", lambda record: [record, record], "it is there already"),
    ("account", change(user="Alice"), '"user" is no user\'s name'),
    ("account", change(user=""), '"user" is no user\'s name'),
    ("account", change(user=None), '"user" is missing'),
    ("account", change(admin="yes"), '"admin" is no truth value'),
    ("account", change(password_hash="x" * 128), '"password_hash" is no text of a fitting length'),
    ("account", change(password_hash="secret"), '"password_hash" is no hash that zchat makes'),
    ("account", change(password_hash="$2b$12$" + "x" * 53), '"password_hash" is no hash that zchat makes'),
    ("account", change(password_hash="$argon2id$v=19$m=4194304,t=2,p=1$" + "A" * 22 + "$" + "A" * 43),
     '"password_hash" is no hash that zchat makes'),
    ("account", change(created="2025-02-30T00:00:00.000000Z"), '"created" is no time'),
    ("account", change(created="yesterday"), '"created" is no time'),
    ("account", change(nickname="al"), 'has no key "nickname"'),
    ("device", change(user="nobody"), "there is no account nobody"),
    ("device", change(device="0"), '"device" is no number that can stand there'),
    ("device", change(device="99"), "the account has given the numbers 1 to"),
    ("device", change(key="00"), '"key" is no text of as many hex digits'),
    ("device", lambda record: [record, record], "a device of that number or key"),
    ("thread", change(id=UNKNOWN.replace("-7", "-4")), '"id" is no UUID of version 7'),
    ("thread", change(title=" blanks "), '"title" is no title'),
    ("thread", lambda record: [record, dict(record, id=UNKNOWN)], "it is there already"),
    ("thread", lambda record: [record, record], "its id names something else already"),
    ("removed_thread", lambda record: [record, record], "its id names something else already"),
    ("message", change(to="bob"), "nobody can send to themselves"),
    ("correction", change(corrects=UNKNOWN), "the message that it is about is none of alice to bob before it"),
    ("retraction", lambda record: [record, dict(record, id=UNKNOWN, seq=str(int(record["seq"]) + 1),
                                                from_seq=str(int(record["from_seq"]) + 1))],
     "the message that it is about was taken back before it"),
    ("message", change(to="nobody"), "there is no account nobody"),
    ("message", change(seq="7"), "its number for alice is 7, where the next one is 1"),
    ("message", change(from_seq="2"), "its number for bob is 2, where the next one is 1"),
    ("message", change(seq="0"), '"seq" is no number that can stand there'),
    ("message", change(seq="-1"), '"seq" is no number that can stand there'),
    ("message", change(seq="18446744073709551616"), '"seq" is no number that can stand there'),
    ("message", change(text=""), '"text" is no text of 1 to 16384 bytes'),
    ("message", change(text="x" * 16385), '"text" is no text of 1 to 16384 bytes'),
    ("message", change(text=["a"]), "a text, a number, true or false is wanted"),
    ("message", lambda record: None, "its number for bob is 2, where the next one is 1"),
    ("message", lambda record: [record, dict(record, seq="2", from_seq="2")], "its id names something else"),
    ("post", change(thread=UNKNOWN), f"there is no thread {UNKNOWN}"),
    ("post", change(seq="2"), "its seq is 2, where the thread's next one is 1"),
    ("edit", change(user="bob"), "the post is another user's"),
    ("edit", change(post=UNKNOWN), "what it names is not there"),
    ("deletion", lambda record: [record, dict(record, id=UNKNOWN, seq=str(int(record["seq"]) + 1))],
     "the post was deleted before"),
    ("file", change(hash="0" * 128), "the file's bytes are not those of its hash"),
    ("file", change(size="1"), "a piece of 1 bytes is wanted"),
    ("file", change(size="9223372036854775807"), "its size is too large"),
    ("piece", change(offset="1"), "the file's next byte is number 0, not 1"),
    ("piece", change(file=UNKNOWN), "no file of that id wants bytes here"),
    ("piece", change(data="AAAA"), "a piece of 262144 bytes is wanted, and this one has 3"),
    ("piece", change(data="!"), '"data" is no base64'),
    ("piece", lambda record: None, "the file's next byte is number 0, not 262144"),
    ("piece", lambda record: [record, record], "the file's next byte is number 262144, not 0"),
    ("upload", change(received="999999999"), "an unfinished file lacks at least its last byte"),
    ("follow", change(cursor="1000"), "its cursor is 1000, but the thread's last number is"),
    ("follow", lambda record: [record, record], "it is there already"),
    ("block", change(blocked="bob"), "nobody can block themselves"),
    ("block", change(blocked="nobody"), "what it names is not there"),
    ("wrong_passwords", lambda record: [record, record], "it is there already"),
    ("wrong_passwords", change(failures="99999999999"), "too many failures"),
    ("cursor", change(read="1000"), "has read up to 1000, but the last number is"),
    ("cursor", lambda record: [record, record], "has a cursor already"),
    ("topics", lambda record: [record, record], "the numbers of topics were there already"),
    ("end", change(lines="7"), "the end tells another number of lines"),
    ("end", lambda record: [record, record], "something follows the end"),
    ("end", lambda record: None, "the end is missing: the file was cut"),
]


def damaged(lines, type, how):
    """The lines with the first one of that type changed, and the number of the line where that shows at the
    earliest."""
    out, at = [], None
    for line in lines.splitlines():
        if at is None and json.loads(line)["type"] == type:
            at = len(out) + 1
            changed = how(json.loads(line))
            changed = [] if changed is None else changed if isinstance(changed, list) else [changed]
            out += [json.dumps(record) for record in changed]
        else:
            out.append(line)
    return "\n".join(out) + "\n", at


def expect_refused(folder, lines, at, sentence):
    done = load(folder, lines, check=2)
    number = int(done.stderr.removeprefix("zchatd import: line ").split(":")[0])
    assert number >= at and sentence in done.stderr, done.stderr
    assert done.stderr.count("\n") == 1 and done.stdout == ""
    assert not [name for name in names(folder) if name != "lock"]


@pytest.mark.parametrize("type, how, sentence", DAMAGES)
def test_a_line_that_can_not_be_there_is_named_and_leaves_no_store(lines, folder, type, how, sentence):
    expect_refused(folder, *damaged(lines, type, how), sentence)


HEADER = '{"type":"header","format":"zchat","version":"1"}\n'


@pytest.mark.parametrize("line, sentence", [
    ("", "an object is wanted"), ("[]", "an object is wanted"), ("null", "an object is wanted"),
    ("{", "a key is wanted"), ("{}", 'the first key must be "type"'), ('{"id":"x"}', 'the first key must be "type"'),
    ('{"type":1}', 'the first key must be "type"'), ('{"type":"ghost"}', "an unknown type"),
    ('{"type":"topics","head":"1"', "a comma or the object's end"), ('{"type":"topics","head":"1"}}', "something follows"),
    ('{"type":"topics","head":"1",}', "a key is wanted"), ('{"type":"topics" "head":"1"}', "a comma"),
    ('{"type":"topics","head":01}', "no plain one"), ('{"type":"topics","head":1.5}', "no plain one"),
    ('{"type":"topics","head":99999999999999999999}', "too large"), ('{"type":"topics","head":{}}', "is wanted"),
    ('{"type":"topics","head":"1","head":"1"}', '"head" is there twice'), ('{"type":"topics"}', '"head" is missing'),
    ('{"type":"topics","head":"1', "the text does not end"), ('{"type":"topics","head":"\\', "the text does not end"),
    ('{"type":"topics","head":"\\x"}', "an unknown escape"), ('{"type":"topics","head":"\\u12g4"}', "four hex digits"),
    ('{"type":"topics","head":"\\ud800"}', "half a surrogate pair"), ('{"type":"topics","head":"\\udc00"}', "half a"),
    ('{"type":"topics","head":"\\u0000"}', "a NUL"), ('{"type":"topics","head":"\x01"}', "control character"),
    ('{"type":"topics","%s":"1"}' % ("x" * 40), "an unknown key"), ('{"type":"topics","ä":"1"}', "a key that is not known"),
    ('{"type":"lost","seq":"1"}', "either a user or a thread"),
])
def test_a_line_that_is_no_record_is_named(folder, line, sentence):
    expect_refused(folder, HEADER + line + "\n", 2, sentence)


def test_a_line_that_has_no_end_is_refused(folder):
    expect_refused(folder, HEADER + "x" * 600_000, 2, "it is longer than any line")


def test_bytes_that_are_no_text_are_refused(folder):
    for bad in (b'{"type":"topics","head":"\xff"}', b'{"type":"topics","head":"\xed\xa0\x80"}', b"\0\0"):
        done = subprocess.run([program("zchatd"), "import", "-", "--data", folder], input=HEADER.encode() + bad + b"\n",
                              capture_output=True)
        assert done.returncode == 2 and b"line 2: " in done.stderr, done.stderr


def test_other_spellings_are_the_same(lines, folder):
    load(folder, "\r\n".join(json.dumps(record, indent=None, ensure_ascii=True, separators=(" , ", " : "))
                             for record in records(lines)))
    assert export(folder).stdout == lines


@pytest.mark.parametrize("words, sentence", [
    (["import"], "needs a FILE"), (["import", "nowhere"], "nowhere can't be read"), (["import", "/"], "can't be read"),
    (["import", "-", "more"], "more"),
    (["import", "-", "--force"], "takes no --force"), (["export", "-", "more"], "more"), (["export", "--wrong"], "wrong")])
def test_words_that_make_no_sense_are_refused(tmp_path, words, sentence):
    done = run([program("zchatd"), *words, "--data", tmp_path / "new"])
    assert done.returncode in (2, 3) and sentence in done.stderr and done.stdout == ""
    assert not (tmp_path / "new" / "zchat.db").exists()


@pytest.mark.parametrize("verb", ["export", "import"])
def test_help_tells_what_it_does(verb):
    told = run([program("zchatd"), verb, "--help"], check=0).stdout
    assert f"zchatd {verb}" in told and max(map(len, told.splitlines())) <= 100
    assert "    message           id seq from_seq from to time [delivered] text\n" in told


# ---- damage ----

def test_what_is_damaged_is_named_and_the_rest_is_moved(world, lines, tmp_path, folder):
    data = tmp_path / "data"
    shutil.copytree(world.broker.data, data)
    for name, needle in (("zchat.db", "日本語のテキスト".encode()), ("zchat.db-pieces", CONTENT[:64])):
        path = data / name
        content = bytearray(path.read_bytes())
        for at in [at for at in range(len(content)) if content.startswith(needle, at)] if name != "zchat.db-pieces" \
                else [content.find(needle)]:
            content[at] ^= 1
        path.write_bytes(content)
    done = export(data, check=1)
    assert "entry" in done.stderr and "内容.bin" in done.stderr
    assert {(record.get("user"), record.get("post", False)) for record in records(done.stdout, "lost")} == {
        ("alice", False), ("bob", False), (None, False)}
    file, = [record for record in records(done.stdout, "file") if record["size"] != "0"]
    assert file["damaged"]
    load(folder, done.stdout)
    assert export(folder, check=1).stdout == done.stdout
    with serve(folder) as broker, world.join("alice", broker.address) as alice:
        assert alice.sync(after=2, limit=1).events[0].damaged
