"""RemoveFile: a file goes from its thread. proto/README.md, "Files"."""

import pytest

from support.broker import program, run
from support.client import new_id
from support.town import ADMIN, refused, until_done
from support.transfer import CHUNK_BYTES, Download, Upload, bytes_of, files

MIB = 1024 * 1024


def put(client, thread, name="file", data=b"some bytes"):
    return Upload(client, thread, name, data).run()


def delete(client, thread, name="file", id=None):
    return client.call("remove_file", id=id or new_id(), thread=thread, file=name)


def names(client, thread):
    return [file.file for file in files(client, thread)]


@pytest.fixture
def made(town):
    """A thread and who made it."""
    client = town.join()
    return client, client.create_thread(town.fresh_name()).title


# ---- who may ----

@pytest.mark.parametrize("who", ["uploader", "creator", "administrator"])
def test_its_uploader_the_thread_s_creator_and_an_administrator_may(town, made, who):
    creator, thread = made
    uploader = town.join()
    put(uploader, thread)
    client = {"uploader": uploader, "creator": creator, "administrator": town.join(ADMIN)}[who]
    assert delete(client, thread).seq == 2
    for reader in creator, uploader:
        assert names(reader, thread) == [] and reader.read_items(thread) == []
        assert refused("NOT_FOUND", reader.call, "get_chunk", thread=thread, file="file").reason == "NO_SUCH_FILE"


def test_somebody_else_may_not(town, made):
    creator, thread = made
    put(creator, thread)
    assert refused("FORBIDDEN", delete, town.join(), thread).reason == "NOT_UPLOADER"
    assert names(creator, thread) == ["file"]


def test_what_is_not_there_is_not_found(town, made):
    creator, thread = made
    assert refused("NOT_FOUND", delete, creator, thread).reason == "NO_SUCH_FILE"
    assert refused("NOT_FOUND", delete, creator, town.fresh_name()).reason == "NO_SUCH_THREAD"
    Upload(creator, thread, "file", b"unfinished").begin()
    assert refused("NOT_FOUND", delete, creator, thread).reason == "NO_SUCH_FILE"


def test_an_id_is_one_of_version_7_that_names_nothing_else(town, made):
    creator, thread = made
    file = put(creator, thread)
    assert refused("INVALID", delete, creator, thread, id=b"x").reason == "BAD_ID"
    assert refused("CONFLICT", delete, creator, thread, id=file.id).reason == "ID_USED"
    message = creator.message(town.name(), "x")
    assert refused("CONFLICT", delete, creator, thread, id=message.id).reason == "ID_USED"


def test_sent_again_it_is_done_once(town, made):
    creator, thread = made
    put(creator, thread)
    id = new_id()
    first = delete(creator, thread, id=id)
    put(creator, thread, data=b"another file of that name")
    assert delete(creator, thread, id=id) == first
    assert names(creator, thread) == ["file"]
    assert refused("CONFLICT", delete, creator, thread, "other", id=id).reason == "ID_USED"


# ---- what becomes of it ----

def test_the_name_is_free_and_the_old_upload_s_id_is_not(town, made):
    creator, thread = made
    old = put(creator, thread)
    delete(creator, thread)
    assert refused("CONFLICT", Upload(creator, thread, "file", b"some bytes", id=old.id).begin).reason == "ID_USED"
    new = put(creator, thread, data=b"new bytes")
    assert new.id != old.id and Download(creator, thread, "file").run() == b"new bytes"


def test_followers_are_told_and_who_comes_later_learns_it_from_the_stream(town, made):
    creator, thread = made
    live = town.join(public_events=True)
    followed = live.follow(thread)
    file = put(creator, thread)
    delete(creator, thread)
    live.wait_thread(followed, 2)
    event = followed.events[-1].thread.file_deleted
    assert (event.id, event.file, event.user) == (file.id, "file", creator.user)
    page = town.join().sync(stream=followed.stream)
    assert [event.seq for event in page.events] == [1, 2] and page.head == 2 and not page.more
    assert page.events[0].thread.WhichOneof("body") is None, "what was uploaded and deleted since has no body"
    assert page.events[1].thread.file_deleted == event
    assert page.events[1].thread.title == thread


def test_the_thread_counts_it_no_more(town, made):
    creator, thread = made
    put(creator, thread, "one")
    put(creator, thread, "two")
    delete(creator, thread, "one")
    assert creator.call("read_thread", thread=thread).thread.uploads == 1


def test_its_room_in_the_quota_is_free_at_once(town_factory):
    town = town_factory("--files-per-user", "1")
    alice = town.join()
    thread = alice.create_thread("files").title
    data = bytes_of(900 * 1024)
    put(alice, thread, data=data)
    assert refused("BUSY", Upload(alice, thread, "more", data).begin).reason == "QUOTA"
    delete(alice, thread)
    until_done(lambda: Upload(alice, thread, "more", data).begin())


def test_a_download_under_way_ends_with_not_found(town, made):
    creator, thread = made
    data = bytes_of(3 * CHUNK_BYTES)
    put(creator, thread, data=data)
    first = creator.call("get_chunk", thread=thread, file="file")
    assert first.data == data[:CHUNK_BYTES]
    delete(creator, thread)
    assert refused("NOT_FOUND", creator.call, "get_chunk", thread=thread, file="file",
                   offset=CHUNK_BYTES).reason == "NO_SUCH_FILE"


def test_pages_neither_skip_nor_double_when_a_file_goes_between_them(town, made):
    creator, thread = made
    for n in range(6):
        put(creator, thread, f"file {n}")
    page = creator.call("list_files", thread=thread, limit=2)
    assert [file.file for file in page.files] == ["file 0", "file 1"] and page.more
    delete(creator, thread, "file 0")
    delete(creator, thread, "file 1")
    delete(creator, thread, "file 3")
    page = creator.call("list_files", thread=thread, limit=2, after_seq=page.after_seq)
    assert [file.file for file in page.files] == ["file 2", "file 4"] and page.more
    page = creator.call("list_files", thread=thread, limit=2, after_seq=page.after_seq)
    assert [file.file for file in page.files] == ["file 5"] and not page.more


@pytest.mark.parametrize("stop", ["stop", "kill"])
def test_it_stays_deleted_and_the_store_is_whole(town_factory, stop):
    town = town_factory()
    alice = town.join()
    thread = alice.create_thread("files").title
    put(alice, thread, "kept", bytes_of(300_000))
    put(alice, thread, "large", bytes_of(5 * MIB))
    put(alice, thread, "small", b"x")
    delete(alice, thread, "large")
    delete(alice, thread, "small")
    alice.ping()
    getattr(town.broker, stop)()
    done = run([program("zchatd"), "check-store", "--data", town.broker.data], check=0, timeout=120)
    assert "is whole" in done.stdout + done.stderr
    town.broker.start()
    alice.resume()
    assert names(alice, thread) == ["kept"]
    assert Download(alice, thread, "kept").run() == bytes_of(300_000)
    town.join(ADMIN).call("remove_thread", thread=thread)
    alice.create_thread("files", id=new_id())
