"""zchatd export and zchatd import: everything in a store as lines of JSON, and a store of such lines."""

import base64
import contextlib
import os
import shutil
import signal
import sqlite3
import stat
import subprocess

import pytest

from support.broker import Broker, program, run
from support.client import Client
from support.disk import small_disk
from support.town import refused
from support.transfer import CHUNK_BYTES, Download, Upload, bytes_of
from transfers import CONTENT, EDGES, PASSWORD, check_store, export, folder, lines, load, names, records, serve, world  # noqa: F401


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
