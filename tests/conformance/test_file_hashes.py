"""A file's hash that comes with the last chunk. proto/README.md, "Files"."""

import pytest

from support.town import refused
from support.transfer import CHUNK_BYTES, Download, Upload, bytes_of, files, hash_of

SIZES = {"0 bytes": 0, "1 byte": 1, "a chunk": CHUNK_BYTES, "a chunk and a byte": CHUNK_BYTES + 1,
         "20 chunks": 20 * CHUNK_BYTES}


def assert_nothing_appeared(client, thread):
    assert files(client, thread) == [] and client.read_items(thread) == []
    refused("NOT_FOUND", client.call, "get_chunk", thread=thread, file="file")


@pytest.mark.parametrize("size", SIZES)
def test_a_hash_may_come_with_the_last_chunk(town, thread, size):
    alice, bob, data = town.join(), town.join(public_events=True), bytes_of(SIZES[size])
    followed = bob.follow(thread)
    upload = Upload(alice, thread, "file", data, late=True)
    upload.begin()
    assert_nothing_appeared(bob, thread)
    done = upload.send().done
    assert (done.size, done.digest) == (len(data), hash_of(data))
    bob.wait_thread(followed, 1)
    assert followed.events[0].thread.uploaded == done
    assert files(bob, thread) == [done] and bob.read_items(thread)[0].upload == done
    assert Download(bob, thread, "file").run() == data


@pytest.mark.parametrize("size", ["0 bytes", "1 byte", "a chunk and a byte"])
def test_the_last_chunk_without_any_hash_is_refused(town, thread, size):
    alice, data = town.join(), bytes_of(SIZES[size])
    upload = Upload(alice, thread, "file", data, late=True)
    upload.begin()
    at = 0
    if len(data) > CHUNK_BYTES:
        at = upload.put(0, CHUNK_BYTES).received
    for _ in range(2):
        error = refused("INVALID", upload.put, at, len(data), digest=b"")
        assert "hash" in error.message
        assert upload.begin().received == at
        assert_nothing_appeared(alice, thread)
    assert upload.send().done.digest == hash_of(data)
    assert Download(alice, thread, "file").run() == data


def test_another_hash_than_the_first_one_is_refused(town, thread):
    alice, data = town.join(), bytes_of(1000)
    upload = Upload(alice, thread, "file", data)
    upload.begin()
    upload.put(0, 500)
    error = refused("INVALID", upload.put, 500, 500, digest=hash_of(b"other bytes"))
    assert "another hash" in error.message
    assert upload.begin().received == 500
    assert_nothing_appeared(alice, thread)
    assert upload.put(500, 500, digest=hash_of(data)).upload.digest == hash_of(data)
    assert Download(alice, thread, "file").run() == data


def test_a_hash_before_the_last_chunk_counts_for_nothing(town, thread):
    alice, data = town.join(), bytes_of(1000)
    upload = Upload(alice, thread, "file", data, late=True)
    upload.begin()
    assert upload.put(0, 500, digest=hash_of(b"other bytes")).received == 500
    refused("INVALID", upload.put, 500, 500, digest=b"")
    assert upload.put(500, 500).upload.digest == hash_of(data)


def test_the_last_chunk_with_its_hash_may_come_again(town, thread):
    alice, data = town.join(), bytes_of(1000)
    upload = Upload(alice, thread, "file", data, late=True)
    upload.begin()
    upload.put(0, 500)
    last = upload.put(500, 500)
    assert upload.put(500, 500) == last and upload.put(500, 500, digest=b"") == last
    for late in (True, False):
        reply = Upload(alice, thread, "file", data, id=upload.id, late=late).begin()
        assert (reply.received, reply.done) == (1000, True)
    refused("CONFLICT", Upload(alice, thread, "file", bytes_of(1001), id=upload.id, late=True).begin)
    assert len(alice.read_items(thread)) == 1


def test_an_upload_that_began_without_a_hash_may_go_on_with_one(town, thread):
    alice, data = town.join(), bytes_of(2 * CHUNK_BYTES)
    upload = Upload(alice, thread, "file", data, late=True)
    upload.begin()
    upload.put(0, CHUNK_BYTES)
    upload.late = False
    assert upload.begin().received == CHUNK_BYTES
    refused("CONFLICT", Upload(alice, thread, "file", data[::-1], id=upload.id).begin)
    assert upload.send().done.digest == hash_of(data)


@pytest.mark.parametrize("first", [False, True])
@pytest.mark.parametrize("then", [False, True])
def test_bytes_stay_under_another_id_only_where_they_are_known_to_be_the_same(town, thread, first, then):
    alice, data = town.join(), bytes_of(1000)
    upload = Upload(alice, thread, "file", data, late=first)
    upload.begin()
    upload.put(0, 500)
    again = Upload(alice, thread, "file", data, late=then)
    assert again.begin().received == (0 if first or then else 500)
    refused("NOT_FOUND", upload.put, 500, 500)
    again.send()
    assert Download(alice, thread, "file").run() == data
