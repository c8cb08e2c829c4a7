"""Files in threads: up, down, resumed, refused. COMMANDS.md, "Threads"; proto/README.md, "Files"."""

import os
import pathlib
import random
import re

import pytest

from support import names
from support.client import CommandError, TimedOut, new_id
from support.disk import fill, small_disk
from support.town import ADMIN, refused
from support.transfer import CHUNK_BYTES, Download, Upload, bytes_of, files, hash_of

MIB = 1024 * 1024
SIZES = {"0 bytes": 0, "1 byte": 1, "a byte less than a chunk": CHUNK_BYTES - 1, "a chunk": CHUNK_BYTES,
         "a chunk and a byte": CHUNK_BYTES + 1, "64 MiB": 64 * MIB}
MIDDLE_SIZES = ["0 bytes", "1 byte", "a chunk", "a chunk and a byte", "64 MiB"]
MEMORY_KIB = 32 * 1024
STORE_CACHE_KIB = 64 * 1024
SANITIZED_KIB = 1 << 32  # the shadow memory's size


def file_names(client, thread):
    return [file.file for file in files(client, thread)]


def assert_nothing_appeared(client, thread, name):
    assert file_names(client, thread) == [] and client.read_items(thread) == []
    refused("NOT_FOUND", client.call, "get_chunk", thread=thread, file=name)


# ---- up and down ----

@pytest.mark.parametrize("size", SIZES)
def test_a_file_goes_up_and_comes_down_as_it_was(town, thread, size):
    alice, bob = town.join_many(2)
    data = bytes_of(SIZES[size])
    upload = Upload(alice, thread, "file", data)
    reply = upload.begin()
    assert (reply.received, reply.done) == (0, False)
    assert_nothing_appeared(bob, thread, "file")
    done = upload.send().done
    assert (done.id, done.user, done.file, done.size, done.digest) == \
        (upload.id, alice.user, "file", len(data), hash_of(data))
    assert done.time_us and upload.received == len(data)
    assert files(bob, thread) == [done]
    item, = bob.read_items(thread)
    assert item.upload == done and item.seq == 1
    assert Download(bob, thread, "file").run() == data


def test_an_upload_in_a_frame_of_several_chunks(town, thread):
    alice, data = town.join(), bytes_of(3 * 100_000)
    upload = Upload(alice, thread, "file", data)
    upload.begin()
    replies = alice.batch([("put_chunk", dict(id=upload.id, offset=n, data=data[n:n + 100_000]))
                           for n in range(0, len(data), 100_000)])
    assert [reply.received for reply in replies] == [100_000, 200_000, 300_000]
    assert [reply.HasField("upload") for reply in replies] == [False, False, True]
    assert Download(alice, thread, "file").run() == data


def test_chunks_of_any_size_make_the_same_file(town, thread):
    alice, data, dice = town.join(), bytes_of(200_000), random.Random(1)
    upload = Upload(alice, thread, "file", data)
    upload.begin()
    at = 0
    while at < len(data):
        length = min(dice.choice([1, 7, 4096, 65_537]), len(data) - at)
        reply = upload.put(at, length)
        at += length
        assert reply.received == at
    assert Download(alice, thread, "file").run() == data


def test_a_file_is_read_from_any_place(town, thread):
    alice, data = town.join(), bytes_of(CHUNK_BYTES + 1000)
    Upload(alice, thread, "file", data).run()
    for offset, limit in ((0, 0), (0, 1), (1, 10), (CHUNK_BYTES - 1, 2), (CHUNK_BYTES, 0), (5, 2**32 - 1),
                          (len(data) - 1, 0), (len(data), 0), (len(data) + 1, 5), (2**63, 1), (2**64 - 1, 0)):
        reply = alice.call("get_chunk", thread=thread, file="file", offset=offset, limit=limit)
        most = min(limit or CHUNK_BYTES, CHUNK_BYTES)
        assert reply.data == data[offset:offset + most], (offset, limit)
        assert reply.upload == files(alice, thread)[0]


def test_what_is_not_there_is_not_found(town, thread):
    alice = town.join()
    upload = Upload(alice, "no such thread", "file", b"bytes")
    refused("NOT_FOUND", upload.begin)
    refused("NOT_FOUND", upload.put, 0, 5)
    refused("NOT_FOUND", alice.call, "cancel_upload", id=new_id())
    refused("NOT_FOUND", alice.call, "list_files", thread="no such thread")
    refused("NOT_FOUND", alice.call, "get_chunk", thread="no such thread", file="file")
    refused("NOT_FOUND", alice.call, "get_chunk", thread=thread, file="file")
    assert file_names(alice, thread) == []


# ---- names ----

@pytest.mark.parametrize("oddity", names.FINE)
def test_an_odd_name_is_data(town, thread, oddity):
    alice, name = town.join(), names.FINE[oddity]
    assert Upload(alice, thread, name, b"bytes").run().file == name
    assert Download(alice, thread, name).run() == b"bytes"
    assert file_names(alice, thread) == [name]


@pytest.mark.parametrize("oddity", names.REFUSED)
def test_what_is_no_name_is_refused(town, thread, oddity):
    alice, name = town.join(), names.REFUSED[oddity]
    refused("INVALID", Upload(alice, thread, name, b"bytes").begin)
    assert file_names(alice, thread) == []


@pytest.mark.parametrize("typed, stored", names.OTHERS.values(), ids=names.OTHERS)
def test_a_name_has_one_form_however_it_is_typed(town, thread, typed, stored):
    alice = town.join()
    assert Upload(alice, thread, typed, b"bytes").run().file == stored
    refused("CONFLICT", Upload(alice, thread, stored, b"other").begin)
    for name in typed, stored:
        assert Download(alice, thread, name).run() == b"bytes"
    assert file_names(alice, thread) == [stored]


def test_a_name_that_looks_like_another_is_a_conflict_in_its_thread(town, thread):
    alice = town.join()
    other = Upload(alice, thread, "pl\u0430n.pdf", b"other")
    Upload(alice, thread, "plan.pdf", b"bytes").run()
    assert "plan.pdf" in refused("CONFLICT", other.begin).message
    Upload(alice, thread, "Plan.pdf", b"by case alone").run()
    elsewhere = alice.create_thread("beside " + thread).title
    Upload(alice, elsewhere, "pl\u0430n.pdf", b"other").run()
    assert file_names(alice, thread) == ["plan.pdf", "Plan.pdf"]


def test_a_name_that_is_taken_is_a_conflict(town, thread):
    alice, bob = town.join_many(2)
    Upload(alice, thread, "taken", b"bytes").run()
    for client in (alice, bob):
        refused("CONFLICT", Upload(client, thread, "taken", b"others").begin)
        refused("CONFLICT", Upload(client, thread, "taken", b"bytes").begin)
    assert Download(bob, thread, "taken").run() == b"bytes"
    bob.create_thread(thread + "'s sister")
    Upload(bob, thread + "'s sister", "taken", b"elsewhere").run()


def test_an_unfinished_upload_keeps_its_name_from_others(town, thread):
    alice, bob = town.join_many(2)
    upload = Upload(alice, thread, "reserved", b"alice's")
    upload.begin()
    refused("CONFLICT", Upload(bob, thread, "reserved", b"bob's").begin)
    upload.send()
    assert Download(bob, thread, "reserved").run() == b"alice's"


def test_files_are_listed_in_the_order_in_which_they_came(town, thread):
    alice = town.join()
    for name in ("c", "a", "b"):
        Upload(alice, thread, name, name.encode()).run()
    assert file_names(alice, thread) == ["c", "a", "b"]


# ---- retries ----

def test_retries_of_an_upload_change_nothing(town, thread):
    alice, data = town.join(), bytes_of(2 * CHUNK_BYTES)
    upload = Upload(alice, thread, "file", data)
    assert upload.begin() == upload.begin()
    first = upload.put(0, CHUNK_BYTES)
    assert upload.put(0, CHUNK_BYTES) == first
    assert upload.begin().received == CHUNK_BYTES
    assert upload.put(100, 1000).received == CHUNK_BYTES
    last = upload.put(CHUNK_BYTES - 10, CHUNK_BYTES)
    assert last.received == 2 * CHUNK_BYTES - 10
    last = upload.put(CHUNK_BYTES, CHUNK_BYTES)
    assert last.upload.file == "file"
    assert upload.put(CHUNK_BYTES, CHUNK_BYTES) == last
    reply = upload.begin()
    assert (reply.received, reply.done) == (2 * CHUNK_BYTES, True)
    assert Download(alice, thread, "file").run() == data
    assert len(alice.read_items(thread)) == 1


def test_an_id_that_names_something_else_is_a_conflict(town, thread):
    alice, bob, id = town.join(), town.join(), new_id()
    sister = thread + "'s sister"
    alice.create_thread(sister)
    Upload(alice, thread, "file", b"bytes", id=id).begin()
    for client, title, name, data in ((alice, thread, "other", b"bytes"), (alice, sister, "file", b"bytes"),
                                      (alice, thread, "file", b"longer bytes"), (alice, thread, "file", b"byteS"),
                                      (bob, thread, "file", b"bytes"), (bob, sister, "other", b"bytes")):
        refused("CONFLICT", Upload(client, title, name, data, id=id).begin)
    post = alice.post(thread, "a post")
    refused("CONFLICT", Upload(alice, thread, "another", b"bytes", id=post.id).begin)
    assert Upload(alice, thread, "file", b"bytes", id=id).run().size == 5


@pytest.mark.parametrize("id", [b"", b"x", new_id()[:15], new_id() + b"x"])
def test_an_id_that_is_none_is_refused(town, thread, id):
    alice = town.join()
    refused("INVALID", alice.call, "begin_upload", id=id, thread=thread, file="file", size=1, digest=hash_of(b"x"))
    refused("INVALID", alice.call, "put_chunk", id=id, data=b"x")
    refused("INVALID", alice.call, "cancel_upload", id=id)
    assert_nothing_appeared(alice, thread, "file")


# ---- what is refused ----

@pytest.mark.parametrize("hash", [b"x", bytes(32), bytes(63), bytes(65)])
def test_a_hash_that_is_none_is_refused(town, thread, hash):
    alice, upload = town.join(), Upload(town.join(), thread, "another", bytes_of(10), late=True)
    refused("INVALID", alice.call, "begin_upload", id=new_id(), thread=thread, file="file", size=1, digest=hash)
    assert_nothing_appeared(alice, thread, "file")
    upload.begin()
    refused("INVALID", upload.put, 0, 5, digest=hash)
    refused("INVALID", upload.put, 0, 10, digest=hash)
    assert upload.begin().received == 0
    assert_nothing_appeared(alice, thread, "another")


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("size", ["0 bytes", "1 byte", "a chunk and a byte"])
def test_bytes_that_are_not_those_of_the_hash_begin_anew(town, thread, size, late):
    alice, bob, data = town.join(), town.join(public_events=True), bytes_of(SIZES[size])
    followed = bob.follow(thread)
    upload = Upload(alice, thread, "file", data, digest=hash_of(b"other bytes"), late=late)
    upload.begin()
    refused("INVALID", upload.send)
    assert_nothing_appeared(bob, thread, "file")
    reply = upload.begin()
    assert (reply.received, reply.done) == (0, False)
    refused("INVALID", upload.send)
    assert_nothing_appeared(bob, thread, "file")
    assert followed.events == []
    alice.call("cancel_upload", id=upload.id)
    Upload(alice, thread, "file", data).run()
    assert Download(bob, thread, "file").run() == data


def test_after_a_wrong_byte_the_right_ones_complete_the_same_upload(town, thread):
    alice, data = town.join(), bytes_of(CHUNK_BYTES + 10)
    wrong = bytearray(data)
    wrong[5] ^= 1
    upload = Upload(alice, thread, "file", bytes(wrong), digest=hash_of(data))
    upload.begin()
    refused("INVALID", upload.send)
    right = Upload(alice, thread, "file", data, id=upload.id)
    assert right.run().file == "file"
    assert Download(alice, thread, "file").run() == data


def test_a_hole_is_refused_and_changes_nothing(town, thread):
    alice, data = town.join(), bytes_of(3000)
    upload = Upload(alice, thread, "file", data)
    upload.begin()
    upload.put(0, 1000)
    for offset in (1001, 2000, 3000, 3001, 2**63, 2**64 - 1):
        refused("INVALID", alice.call, "put_chunk", id=upload.id, offset=offset, data=b"x" * 10)
    refused("INVALID", alice.call, "put_chunk", id=upload.id, offset=1000, data=b"x" * 2001)
    assert upload.begin().received == 1000
    upload.send()
    assert Download(alice, thread, "file").run() == data


def test_a_chunk_beyond_256_kib_is_refused(town, thread):
    alice, data = town.join(), bytes_of(CHUNK_BYTES + 1)
    upload = Upload(alice, thread, "file", data)
    upload.begin()
    refused("INVALID", upload.put, 0, CHUNK_BYTES + 1)
    assert upload.begin().received == 0


def test_an_empty_chunk_ends_nothing_but_an_empty_file(town, thread):
    alice = town.join()
    upload = Upload(alice, thread, "file", b"bytes")
    upload.begin()
    try:
        assert not upload.put(0, 0).HasField("upload")
    except CommandError as error:
        assert error.code == "INVALID"
    assert_nothing_appeared(alice, thread, "file")
    assert upload.begin().received == 0
    empty = Upload(alice, thread, "empty", b"")
    empty.begin()
    refused("INVALID", alice.call, "put_chunk", id=empty.id, offset=0, data=b"x")
    refused("INVALID", alice.call, "put_chunk", id=empty.id, offset=1, data=b"")
    assert file_names(alice, thread) == []
    assert empty.send().done.size == 0


def test_somebody_elses_upload_is_forbidden(town, thread):
    alice, bob, admin = town.join(), town.join(), town.join(ADMIN)
    upload = Upload(alice, thread, "file", b"bytes")
    upload.begin()
    upload.put(0, 2)
    for client in (bob, admin):
        refused("FORBIDDEN", client.call, "put_chunk", id=upload.id, offset=2, data=b"XXX")
        refused("FORBIDDEN", client.call, "cancel_upload", id=upload.id)
    assert upload.begin().received == 2
    upload.send()
    assert Download(bob, thread, "file").run() == b"bytes"


def test_an_upload_may_go_on_from_another_device(town, thread):
    alice, data = town.join(), bytes_of(3 * CHUNK_BYTES)
    upload = Upload(alice, thread, "file", data)
    upload.begin()
    upload.send(until=CHUNK_BYTES)
    upload.client = town.join(alice.user)
    assert upload.begin().received >= CHUNK_BYTES
    upload.send()
    assert Download(alice, thread, "file").run() == data


def test_cancelling_gives_the_name_back(town, thread):
    alice, bob = town.join_many(2)
    upload = Upload(alice, thread, "file", bytes_of(2 * CHUNK_BYTES))
    upload.begin()
    upload.put(0, CHUNK_BYTES)
    alice.call("cancel_upload", id=upload.id)
    refused("NOT_FOUND", upload.put, CHUNK_BYTES, CHUNK_BYTES)
    refused("NOT_FOUND", alice.call, "cancel_upload", id=upload.id)
    assert_nothing_appeared(alice, thread, "file")
    Upload(bob, thread, "file", b"bob's").run()
    assert Download(alice, thread, "file").run() == b"bob's"


def test_a_complete_file_can_not_be_cancelled(town, thread):
    alice = town.join()
    done = Upload(alice, thread, "file", b"bytes").run()
    refused("NOT_FOUND", alice.call, "cancel_upload", id=done.id)
    assert Download(alice, thread, "file").run() == b"bytes"


def test_a_cancelled_upload_may_begin_anew(town, thread):
    alice = town.join()
    upload = Upload(alice, thread, "file", b"bytes")
    upload.begin()
    upload.put(0, 3)
    alice.call("cancel_upload", id=upload.id)
    assert upload.begin().received == 0
    upload.send()
    assert Download(alice, thread, "file").run() == b"bytes"


# ---- size and quota ----

def test_a_file_that_is_too_large_is_busy(town_factory):
    town = town_factory("--file-max", "1", accounts=1)
    alice = town.join()
    alice.create_thread("t")
    refused("BUSY", Upload(alice, "t", "file", bytes(MIB + 1)).begin)
    refused("BUSY", alice.call, "begin_upload", id=new_id(), thread="t", file="file", size=2**64 - 1,
            digest=hash_of(b""))
    assert Upload(alice, "t", "file", bytes(MIB)).run().size == MIB


@pytest.mark.parametrize("end", [None, "restart", "kill"])
def test_the_quota_is_reserved_before_the_first_chunk_and_given_back(town_factory, end):
    town = town_factory("--file-max", "2", "--files-max", "3", accounts=1)
    alice = town.join()
    for title in ("one", "two"):
        alice.create_thread(title)
    Upload(alice, "one", "complete", bytes(MIB)).run()
    reserved = Upload(alice, "two", "reserved", bytes(2 * MIB))
    reserved.begin()
    if end is not None:
        town.broker.stop() if end == "restart" else town.broker.kill()
        town.broker.start()
        alice.resume()
    another = Upload(alice, "two", "another", b"x")
    refused("BUSY", another.begin)
    assert file_names(alice, "two") == []
    Upload(alice, "two", "nothing", b"").run()
    alice.call("cancel_upload", id=reserved.id)
    another.run()
    refused("BUSY", reserved.begin)
    alice.remove_thread("one")
    reserved.run()
    refused("BUSY", Upload(alice, "two", "too much", bytes(MIB)).begin)
    Upload(alice, "two", "the last room", bytes(MIB - 1)).run()


# ---- killed in the middle ----

def kill_and_return(town, client, who):
    """The client, or its successor after whoever was killed."""
    if who == "broker":
        town.broker.kill()
        town.broker.start()
        client.resume()
        return client
    user = client.user
    client.close()
    client.user = None
    return town.join(user)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("who", ["client", "broker"])
@pytest.mark.parametrize("size", MIDDLE_SIZES)
def test_an_upload_goes_on_after_a_kill(town, thread, size, who, late):
    alice, data = town.join(), bytes_of(SIZES[size])
    upload = Upload(alice, thread, "file", data, late=late)
    upload.begin()
    upload.send(until=len(data) // 2)
    upload._start()  # on its way when the kill comes
    known = upload.received
    upload.client = alice = kill_and_return(town, alice, who)
    reply = upload.begin()
    assert reply.received >= known, "what was acknowledged is gone"
    if len(data) > MIB:
        assert 0 < reply.received < len(data) and not reply.done, "the kill came too late to mean anything"
    upload.send()
    assert files(alice, thread)[0].size == len(data) and len(alice.read_items(thread)) == 1
    assert Download(alice, thread, "file").run() == data


@pytest.mark.parametrize("who", ["client", "broker"])
@pytest.mark.parametrize("size", MIDDLE_SIZES)
def test_a_download_goes_on_after_a_kill(town, thread, size, who):
    alice, data = town.join(), bytes_of(SIZES[size])
    Upload(alice, thread, "file", data).run()
    download = Download(alice, thread, "file")
    if data:
        download.receive(until=len(data) // 2)
    download._start(len(download.data))
    download.client = kill_and_return(town, alice, who)
    assert download.run() == data


def test_a_broker_killed_again_and_again_keeps_every_acknowledged_chunk(town, thread):
    alice, data = town.join(), bytes_of(60 * CHUNK_BYTES + 77)
    upload = Upload(alice, thread, "file", data)
    upload.begin()
    kills = 0
    while not upload.finished:
        upload.send(until=min(upload.received + 6 * CHUNK_BYTES, len(data)))
        if not upload.finished:
            known = upload.received
            kill_and_return(town, alice, "broker")
            assert upload.begin().received >= known
            kills += 1
    assert kills >= 4, "the kills came too late to mean anything"
    assert Download(alice, thread, "file").run() == data


def test_a_file_that_was_made_again_under_way_is_known_by_its_facts(town):
    alice, bob = town.join_many(2)
    alice.create_thread("made again")
    data = bytes_of(4 * CHUNK_BYTES)
    Upload(alice, "made again", "file", data).run()
    download = Download(bob, "made again", "file", window=1)
    download.receive(until=CHUNK_BYTES)
    alice.remove_thread("made again")
    refused("NOT_FOUND", download.receive)
    alice.create_thread("made again")
    Upload(alice, "made again", "file", data).run()
    reply = bob.call("get_chunk", thread="made again", file="file", offset=CHUNK_BYTES)
    assert reply.upload.id != download.facts.id and reply.upload != download.facts


def test_a_message_passes_an_upload(town, thread):
    alice, bob = town.join(), town.join()
    upload = Upload(alice, thread, "file", bytes_of(16 * MIB))
    upload.begin()
    upload.send(until=MIB)
    for n in range(4):
        upload._start()
    alice.message(bob.user, "from the same connection")
    bob.wait_text("from the same connection")
    bob.message(alice.user, "from another one")
    alice.wait_text("from another one")
    alice.call("cancel_upload", id=upload.id)


# ---- what it costs ----

def memory_kib(pid, name):
    status = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(re.search(rf"^{name}:\s+(\d+) kB", status, re.M)[1])


def test_the_brokers_memory_stays_flat_whatever_the_size(town_factory):
    """The first file fills the store's cache, which has its bound; the second one finds it full."""
    town = town_factory(accounts=2)
    alice, bob = town.join_many(2)
    alice.create_thread("t")
    pid, data, seen = town.broker.pid, bytes_of(64 * MIB), []
    if memory_kib(pid, "VmSize") > SANITIZED_KIB:
        pytest.skip("the address sanitizer keeps what was freed")
    for name in ("first", "second"):
        before = memory_kib(pid, "VmRSS"), memory_kib(pid, "VmHWM")
        Upload(alice, "t", name, data).run()
        assert Download(bob, "t", name).run() == data
        after = memory_kib(pid, "VmRSS"), memory_kib(pid, "VmHWM")
        seen.append(max(new - old for old, new in zip(before, after)))
    assert seen[0] < STORE_CACHE_KIB + MEMORY_KIB, f"VmRSS or VmHWM grew by {seen[0]} KiB"
    assert seen[1] < MEMORY_KIB // 4, f"VmRSS or VmHWM grew by {seen[1]} KiB more"


def test_a_reader_that_asks_for_much_and_reads_nothing_does_not_fill_the_broker(town_factory):
    town = town_factory(accounts=2)
    alice, greedy = town.join(), town.join(rcvhwm=1)
    alice.create_thread("t")
    Upload(alice, "t", "file", bytes_of(4 * MIB)).run()
    pid = town.broker.pid
    before = memory_kib(pid, "VmHWM")
    for _ in range(400):
        greedy.start("get_chunk", thread="t", file="file")
    alice.ping()
    assert Download(alice, "t", "file").run() == bytes_of(4 * MIB)
    grown = memory_kib(pid, "VmHWM") - before
    assert grown < 2 * MEMORY_KIB, f"VmHWM grew by {grown} KiB"


# ---- a full disk ----

def put_some(upload, size):
    upload.begin()
    while upload.received < size:
        upload.received = upload.put(upload.received, CHUNK_BYTES).received


def test_a_full_disk_refuses_files_and_the_chat_goes_on(town_factory, tmp_path):
    mount = tmp_path / "disk"
    mount.mkdir()
    with small_disk(mount, 40):
        town = town_factory(accounts=2, prepare=lambda broker: setattr(broker, "data", mount / "data"))
        alice, data = town.join(), bytes_of(16 * MIB)
        alice.create_thread("t")
        refused("BUSY", Upload(alice, "t", "too much", bytes_of(48 * MIB)).begin)
        upload = Upload(alice, "t", "file", data)
        put_some(upload, 4 * MIB)
        refused("BUSY", Upload(alice, "t", "would fit alone", bytes_of(26 * MIB)).begin)
        fill(mount, 2 * MIB)
        refusal = refused("BUSY", upload.put, upload.received, CHUNK_BYTES)
        assert "disk" in refusal.message
        posts = [f"post {i}" for i in range(20)]
        for text in posts:
            alice.post("t", text)
        (mount / "junk").unlink()
        assert upload.begin().received == upload.received
        upload.send()
        assert Download(alice, "t", "file").run() == data
        assert alice.post_texts("t") == posts
        town.leave()
        town.close()


def test_a_disk_without_room_for_messages_loses_nothing_that_was_acknowledged(town_factory, tmp_path):
    mount = tmp_path / "disk"
    mount.mkdir()
    with small_disk(mount, 24) as disk:
        town = town_factory(accounts=2, prepare=lambda broker: setattr(broker, "data", mount / "data"))
        alice, data = town.join(), bytes_of(8 * MIB)
        alice.create_thread("t")
        upload = Upload(alice, "t", "file", data)
        put_some(upload, 4 * MIB)
        posts = []
        fill(mount, MIB)
        while len(posts) < 10000:
            id, text = new_id(), f"post {len(posts)} ".ljust(4000, "x")
            try:
                posts.append((alice.post("t", text, id).seq, id, text))
            except CommandError as error:
                assert error.code == "BUSY"
                break
        assert 8 < len(posts) < 10000, "the disk was full too soon to mean anything, or never"

        disk.resize(200)
        town.broker.kill()
        town.broker.start()
        alice.close()
        alice = upload.client = town.join("user.000")
        assert alice.post_texts("t")[:len(posts)] == [text for _, _, text in posts]
        for seq, id, text in posts:
            assert alice.post("t", text, id).seq == seq
        assert upload.begin().received >= upload.received
        upload.send()
        assert Download(alice, "t", "file").run() == data
        town.leave()
        town.close()
