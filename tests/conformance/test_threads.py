"""Threads: made, listed, read, removed. COMMANDS.md, "Threads"."""

import random
import time

import pytest

from support import names
from support.client import CommandError, new_id
from support.town import ADMIN, refused
from support.transfer import Download, Upload

EVERY_COMMAND = ["create_thread", "list_threads", "post_to_thread", "read_thread", "edit_post",
                 "delete_post", "remove_thread", "follow_thread", "unfollow_thread",
                 "list_followed", "begin_upload", "put_chunk", "cancel_upload", "get_chunk",
                 "list_files"]


@pytest.mark.parametrize("command", EVERY_COMMAND)
def test_who_is_not_logged_in_may_nothing(town, command):
    refused("AUTH", town.guest().call, command)


# ---- create ----

def test_a_new_thread_is_there_for_all(town):
    alice, bob = town.join_many(2)
    id, before = new_id(), time.time_ns() // 1000
    thread = alice.create_thread("all may see this", id)
    assert (thread.id, thread.title, thread.creator) == (id, "all may see this", alice.user)
    assert (thread.posts, thread.uploads, thread.head) == (0, 0, 0)
    assert abs(thread.created_us - before) < 60_000_000 and thread.last_us == thread.created_us
    assert [seen for seen in bob.list_threads() if seen.id == id] == [thread]


def test_a_title_that_exists_is_a_conflict(town):
    alice, bob = town.join_many(2)
    alice.create_thread("only one")
    for client in (alice, bob):
        refused("CONFLICT", client.create_thread, "only one")
    assert alice.titles().count("only one") == 1


def test_titles_differ_by_case(town):
    alice = town.join()
    same = ["case", "Case", "CASE"]
    for title in same:
        alice.create_thread(title)
    assert set(same) <= set(alice.titles())
    refused("CONFLICT", alice.create_thread, "case ")


@pytest.mark.parametrize("typed, stored", names.OTHERS.values(), ids=names.OTHERS)
def test_a_title_has_one_form_however_it_is_typed(town, typed, stored):
    alice, bob, id = town.join(), town.join(), new_id()
    assert alice.create_thread(typed, id).title == stored
    assert alice.create_thread(typed, id).title == alice.create_thread(stored, id).title == stored
    refused("CONFLICT", bob.create_thread, typed)
    refused("CONFLICT", bob.create_thread, stored)
    for title in typed, stored:
        bob.post(title, "found")
        assert set(bob.post_texts(title)) == {"found"}
        bob.edit(title, 1, "again")
        bob.delete(title, 1)
        assert bob.follow(title).title == stored
        bob.unfollow(title)
        assert bob.call("list_files", thread=title) is not None
    alice.remove_thread(typed)


@pytest.mark.parametrize("there, other", [
    ("harvest of {}", "h\u0430rvest of {}"),    # Cyrillic
    ("harvest in {}", "H\u0430rvest in {}"),    # and of another case
    ("\u0410\u0412\u0421 {}", "ABC {}"),        # Cyrillic, whole
    ("paypal {}", "paypa1 {}"),
    ("modern {}", "modem {}"),
    ("two words {}", "two  words {}"),
    ("no break {}", "no\u00a0break {}"),
    ("\u2764 {}", "\u2764\ufe0f {}"),
])
def test_a_title_that_looks_like_another_is_a_conflict(town, there, other):
    alice, bob = town.join_many(2)
    there, other = there.format(bob.user), other.format(bob.user)
    first, id = alice.create_thread(there), new_id()
    error = refused("CONFLICT", bob.create_thread, other, id)
    assert there in error.message
    assert other not in bob.titles()
    refused("NOT_FOUND", bob.call, "read_thread", thread=other)
    alice.remove_thread(there)
    assert bob.create_thread(other, id).title == other
    assert first.id != id


def test_creating_again_under_the_same_id_is_the_same_thread(town):
    alice, id = town.join(), new_id()
    first = alice.create_thread("made once", id)
    assert alice.create_thread("made once", id) == first
    one, two = alice.batch([("create_thread", dict(id=id, title="made once"))] * 2)
    assert one.thread == two.thread == first
    assert alice.titles().count("made once") == 1


def test_the_id_of_a_removed_thread_makes_no_other(town):
    """Else its stream would begin anew, and whoever has numbers of it would miss what comes."""
    alice, id = town.join(), new_id()
    alice.create_thread("gone for good", id)
    alice.remove_thread("gone for good")
    assert refused("CONFLICT", alice.create_thread, "gone for good", id).reason == "ID_USED"
    alice.create_thread("gone for good")


def test_an_id_that_names_something_else_is_a_conflict(town):
    alice, bob, id = town.join(), town.join(), new_id()
    alice.create_thread("the first of the id", id)
    refused("CONFLICT", alice.create_thread, "the second of the id", id)
    message = new_id()
    alice.message(bob.user, "hello", message)
    refused("CONFLICT", alice.create_thread, "with a message's id", message)
    assert "the second of the id" not in alice.titles()


@pytest.mark.parametrize("id", [b"", b"x", new_id()[:15], new_id() + b"x"])
def test_an_id_that_is_none_is_refused(town, id):
    alice = town.join()
    refused("INVALID", alice.call, "create_thread", id=id, title="no id")
    assert "no id" not in alice.titles()


@pytest.mark.parametrize("oddity", names.FINE)
def test_an_odd_title_is_data(town, oddity):
    alice, title = town.join(), names.FINE[oddity]
    assert alice.create_thread(title).title == title
    alice.post(title, "found")
    assert alice.post_texts(title) == ["found"]
    assert title in alice.titles()
    assert alice.follow(title).title == title
    alice.remove_thread(title)


@pytest.mark.parametrize("oddity", names.REFUSED)
def test_what_is_no_title_is_refused(town, oddity):
    alice = town.join()
    before = alice.titles()
    refused("INVALID", alice.create_thread, names.REFUSED[oddity])
    assert alice.titles() == before


def test_titles_leave_no_trace_in_the_file_system(town):
    alice = town.join()
    before = sorted(path.name for path in town.broker.data.iterdir())
    for title in ("credentials.txt.", "a-b-c", "x-", "...x"):
        alice.create_thread(title)
        Upload(alice, title, title, b"bytes").run()
    assert sorted(path.name for path in town.broker.data.iterdir()) == before


# ---- list ----

def test_without_threads_the_list_is_empty(town_factory):
    assert town_factory(accounts=1).join().list_threads() == []


def test_the_list_is_in_the_order_of_titles_page_by_page(town_factory):
    alice = town_factory(accounts=1).join()
    titles = [f"{n:03}" for n in range(0, 1200)] + ["Zz", "a", "ä", "\U0001F600", "+"]
    for result in alice.batch([("create_thread", dict(id=new_id(), title=title)) for title in reversed(titles)]):
        assert not isinstance(result, CommandError), result
    in_order = sorted(titles, key=str.encode)
    for page in (0, 7, 500, 10_000):
        assert [thread.title for thread in alice.list_threads(page)] == in_order
    reply = alice.call("list_threads", limit=10_000)
    assert len(reply.threads) == 500 and reply.more
    reply = alice.call("list_threads", after="no such title", limit=3)
    assert [thread.title for thread in reply.threads] == ["ä", "\U0001F600"] and not reply.more
    assert len(alice.call("list_threads", limit=len(titles)).threads) == 500


def test_the_list_tells_posts_uploads_and_what_came_last(town):
    alice, bob = town.join_many(2)
    alice.create_thread("counts")

    def now():
        thread, = [thread for thread in alice.list_threads() if thread.title == "counts"]
        return thread.posts, thread.uploads, thread.head, thread.last_us

    one = bob.post("counts", "one")
    assert now() == (1, 0, 1, one.time_us)
    alice.post("counts", "two")
    alice.edit("counts", 2, "two!")
    assert now()[:3] == (2, 0, 3)
    bob.delete("counts", 1)
    assert now()[:3] == (1, 0, 4)
    done = Upload(bob, "counts", "file", b"bytes").run()
    assert now() == (1, 1, 5, done.time_us)
    assert alice.call("read_thread", thread="counts").thread.posts == 1


# ---- read ----

def test_an_empty_thread_is_no_error(town):
    alice = town.join()
    thread = alice.create_thread("empty")
    reply = alice.call("read_thread", thread="empty")
    assert reply.thread == thread and not reply.items and not reply.more


def test_reading_what_is_not_there_is_not_found(town):
    refused("NOT_FOUND", town.join().read_items, "no such thread")


def test_posts_and_uploads_are_read_in_the_order_in_which_they_came(town):
    alice, bob = town.join_many(2)
    alice.create_thread("mixed")
    slow = Upload(bob, "mixed", "begun first", b"slow")
    slow.begin()
    alice.post("mixed", "one")
    quick = Upload(alice, "mixed", "quick", b"quick").run()
    bob.post("mixed", "two")
    slow.send()
    items = alice.read_items("mixed")
    assert [item.WhichOneof("item") for item in items] == ["post", "upload", "post", "upload"]
    assert [item.seq for item in items] == [1, 2, 3, 4]
    assert [item.post.number for item in items if item.HasField("post")] == [1, 2]
    assert items[1].upload == quick and items[3].upload == slow.done
    assert (items[1].upload.user, items[1].upload.file, items[1].upload.size) == (alice.user, "quick", 5)
    assert (items[2].post.user, items[2].post.text) == (bob.user, "two")


def test_a_long_thread_is_read_in_pages(town):
    alice = town.join()
    alice.create_thread("long")
    alice.batch([("post_to_thread", dict(id=new_id(), thread="long", text=str(n))) for n in range(1100)])
    for n in (1100, 700, 3, 1):
        alice.delete("long", n)
    left = [str(n) for n in range(1100) if n + 1 not in (1, 3, 700, 1100)]
    for page in (0, 499, 10_000):
        items = alice.read_items("long", page)
        assert [item.post.text for item in items] == left
        assert [item.post.number for item in items] == list(range(1, len(left) + 1))
    first = alice.call("read_thread", thread="long", limit=3)
    assert [item.post.number for item in first.items] == [1, 2, 3] and first.more
    assert not alice.call("read_thread", thread="long", after_seq=items[-1].seq).items


def test_a_page_fits_a_frame_whatever_the_texts(town):
    alice = town.join()
    alice.create_thread("heavy")
    text = "x" * (16 * 1024 - 4)
    alice.batch([("post_to_thread", dict(id=new_id(), thread="heavy", text=f"{n:04}{text}"))
                 for n in range(130)])
    assert [post.text[:4] for post in alice.posts("heavy")] == [f"{n:04}" for n in range(130)]


# ---- remove ----

def test_only_the_creator_and_an_administrator_may_remove_a_thread(town):
    alice, bob, admin = town.join(), town.join(), town.join(ADMIN)
    alice.create_thread("mine")
    bob.post("mine", "posted by another")
    refused("FORBIDDEN", bob.remove_thread, "mine")
    assert alice.post_texts("mine") == ["posted by another"]
    alice.remove_thread("mine")
    bob.create_thread("his")
    admin.remove_thread("his")
    for title in ("mine", "his"):
        assert title not in alice.titles()
        for client in (alice, bob, admin):
            refused("NOT_FOUND", client.remove_thread, title)


def test_a_removed_thread_is_gone_with_all_that_was_in_it(town):
    alice, bob = town.join_many(2)
    thread = alice.create_thread("short-lived")
    post = alice.post("short-lived", "text")
    Upload(alice, "short-lived", "complete", b"bytes").run()
    unfinished = Upload(bob, "short-lived", "unfinished", b"bytes")
    unfinished.begin()
    bob.follow("short-lived")
    alice.remove_thread("short-lived")
    for call in (lambda: bob.post("short-lived", "late"),
                 lambda: alice.edit("short-lived", post.id, "late"),
                 lambda: alice.delete("short-lived", post.id),
                 lambda: bob.read_items("short-lived"),
                 lambda: bob.follow("short-lived"),
                 lambda: bob.call("list_files", thread="short-lived"),
                 lambda: bob.call("get_chunk", thread="short-lived", file="complete"),
                 lambda: unfinished.put(0, 5),
                 lambda: bob.sync("thread/" + thread.id.hex())):
        refused("NOT_FOUND", call)
    assert bob.list_followed() == []


def test_a_title_is_free_again_for_a_thread_of_its_own(town):
    alice, bob = town.join_many(2)
    old = alice.create_thread("again")
    alice.post("again", "old")
    Upload(alice, "again", "file", b"old").run()
    alice.follow("again")
    alice.remove_thread("again")
    new = bob.create_thread("again")
    assert new.id != old.id and new.creator == bob.user and new.head == 0
    assert bob.read_items("again") == [] and not bob.call("list_files", thread="again").files
    assert alice.list_followed() == []
    assert bob.post("again", "new").number == 1
    Upload(bob, "again", "file", b"new").run()
    refused("FORBIDDEN", alice.remove_thread, "again")


def test_a_removal_is_done_wholly_or_not_at_all(town_factory):
    town = town_factory(accounts=1)
    alice, data = town.join(), random.Random(1).randbytes(8 * 1024 * 1024)
    for wait_ms in (0, 1, 3, 10, 30):
        thread = alice.create_thread(f"after {wait_ms} ms")
        alice.batch([("post_to_thread", dict(id=new_id(), thread=thread.title, text=str(n))) for n in range(300)])
        Upload(alice, thread.title, "file", data).run()
        alice.follow(thread.title)
        removal = alice.start("remove_thread", thread=thread.title)
        alice.dealer.poll(wait_ms)
        town.broker.kill()
        alice.pump(0)
        answered = removal in alice.replies
        town.broker.start()
        alice.resume()
        if thread.title in alice.titles():
            assert not answered, "a removal that was answered did not happen"
            assert len(alice.posts(thread.title)) == 300
            assert Download(alice, thread.title, "file").run() == data
            assert thread.id in [followed.id for followed in alice.list_followed()]
            alice.remove_thread(thread.title)
        for call in (lambda: alice.read_items(thread.title),
                     lambda: alice.call("get_chunk", thread=thread.title, file="file"),
                     lambda: alice.sync("thread/" + thread.id.hex())):
            refused("NOT_FOUND", call)
        assert alice.list_followed() == []


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_threads_and_removals_survive(town_factory, end):
    town = town_factory(accounts=2)
    alice = town.join()
    for title in ("stays", "goes"):
        alice.create_thread(title)
        alice.post(title, "one")
        Upload(alice, title, "file", b"x" * 300_000).run()
    alice.edit("stays", 1, "one, edited")
    alice.remove_thread("goes")
    before = [alice.list_threads(), alice.read_items("stays"), alice.sync(alice_stream(alice)).events]
    if end == "kill":
        town.broker.kill()
        town.broker.start()
    else:
        town.broker.restart()
    again = town.join("user.001")
    assert [again.list_threads(), again.read_items("stays"), again.sync(alice_stream(again)).events] == before
    refused("NOT_FOUND", again.read_items, "goes")


def alice_stream(client):
    return "thread/" + client.list_threads()[0].id.hex()
