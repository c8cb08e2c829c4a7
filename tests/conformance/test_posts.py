"""Posts: appended, edited, deleted, and what several do to one thread at once. COMMANDS.md, "Threads"."""

import random
import time

import pytest

from support.client import CommandError, new_id
from support.town import refused

TEXT_MAX = 16 * 1024
BAD_IDS = [b"", b"x", new_id()[:15], new_id() + b"x"]


def numbers(client, thread):
    return [(post.number, post.text) for post in client.posts(thread)]


def commands_of(thread, texts):
    return [("post_to_thread", dict(id=new_id(), thread=thread, text=text)) for text in texts]


def fill(client, thread, count):
    """Posts "1", "2", …; the results are their ids."""
    commands = commands_of(thread, [str(n) for n in range(1, count + 1)])
    for result in client.batch(commands):
        assert not isinstance(result, CommandError), result
    return [fields["id"] for _, fields in commands]


def stream(client, thread):
    """All entries of a thread's stream."""
    id, = [found.id for found in client.list_threads() if found.title == thread]
    events = []
    while True:
        page = client.sync("thread/" + id.hex(), after=len(events))
        events += page.events
        if not page.more:
            assert [event.seq for event in events] == list(range(1, page.head + 1))
            return events


# ---- post ----

def test_the_reply_says_where_and_when(town, thread):
    alice, bob = town.join_many(2)
    id, before = new_id(), time.time_ns() // 1000
    reply = alice.post(thread, "hello", id)
    assert (reply.id, reply.number, reply.seq) == (id, 1, 1)
    assert abs(reply.time_us - before) < 60_000_000
    assert bob.post(thread, "hello, too").number == 2
    post = bob.posts(thread)[0]
    assert (post.id, post.number, post.user, post.text) == (id, 1, alice.user, "hello")
    assert (post.time_us, post.edited_us) == (reply.time_us, 0)


def test_a_post_to_no_thread_is_not_found(town):
    refused("NOT_FOUND", town.join().post, "no such thread", "hello")
    refused("NOT_FOUND", town.join().post, "", "hello")


def test_a_text_is_cleaned_like_a_messages(town, thread):
    alice = town.join()
    alice.post(thread, "red\x1b[31m and\x07 \u202eleft\nand\ttab \U0001F600 é")
    assert alice.post_texts(thread) == ["red and left\nand\ttab \U0001F600 é"]
    alice.edit(thread, 1, "ed\x1b[31mited")
    assert alice.post_texts(thread) == ["edited"]
    for text in ("", "\x1b[31m"):
        refused("INVALID", alice.post, thread, text)
        refused("INVALID", alice.edit, thread, 1, text)
    assert alice.post_texts(thread) == ["edited"]


def test_a_text_of_16_kib_fits_and_one_byte_more_does_not(town, thread):
    alice = town.join()
    alice.post(thread, "x" * TEXT_MAX)
    alice.edit(thread, 1, "ä" * (TEXT_MAX // 2))
    refused("INVALID", alice.post, thread, "x" * (TEXT_MAX + 1))
    refused("INVALID", alice.edit, thread, 1, "x" * (TEXT_MAX + 1))
    assert alice.post_texts(thread) == ["ä" * (TEXT_MAX // 2)]


@pytest.mark.parametrize("id", BAD_IDS)
def test_an_id_that_is_none_is_refused(town, thread, id):
    alice = town.join()
    alice.post(thread, "hello")
    refused("INVALID", alice.call, "post_to_thread", id=id, thread=thread, text="x")
    refused("INVALID", alice.call, "edit_post", id=id, thread=thread, number=1, text="x")
    refused("INVALID", alice.call, "delete_post", id=id, thread=thread, number=1)
    assert alice.post_texts(thread) == ["hello"]


def test_a_retry_posts_once(town, thread):
    alice, id = town.join(), new_id()
    first = alice.post(thread, "once", id)
    assert alice.post(thread, "once", id) == first
    command = ("post_to_thread", dict(id=new_id(), thread=thread, text="twice in a frame"))
    one, two = alice.batch([command, command])
    assert one == two
    assert alice.post_texts(thread) == ["once", "twice in a frame"]
    assert len(stream(alice, thread)) == 2


def test_a_retry_tells_the_number_of_its_moment(town, thread):
    alice = town.join()
    ids = fill(alice, thread, 3)
    alice.delete(thread, 1)
    assert alice.post(thread, "3", ids[2]).number == 2
    again = alice.post(thread, "1", ids[0])
    assert (again.number, again.seq) == (0, 1)
    assert alice.post_texts(thread) == ["2", "3"]


def test_a_retry_after_an_edit_is_still_the_same_post(town, thread):
    alice, id = town.join(), new_id()
    first = alice.post(thread, "as posted", id)
    alice.edit(thread, id, "as edited")
    assert alice.post(thread, "as posted", id) == first
    assert alice.post_texts(thread) == ["as edited"]


def test_an_id_that_names_something_else_is_a_conflict(town, thread):
    alice, bob, id = town.join(), town.join(), new_id()
    alice.post(thread, "mine", id)
    refused("CONFLICT", alice.post, thread, "another text", id)
    refused("CONFLICT", bob.post, thread, "mine", id)
    alice.create_thread(thread + "'s sister")
    refused("CONFLICT", alice.post, thread + "'s sister", "mine", id)
    refused("CONFLICT", alice.edit, thread, id, "mine", id)
    refused("CONFLICT", alice.delete, thread, id, id)
    message = new_id()
    alice.message(bob.user, "mine", message)
    refused("CONFLICT", alice.post, thread, "mine", message)
    refused("CONFLICT", alice.message, bob.user, "mine", id)
    assert alice.post_texts(thread) == ["mine"]


# ---- edit ----

def test_an_author_edits_his_post_in_its_place(town, thread):
    alice, bob = town.join_many(2)
    ids = fill(alice, thread, 3)
    before = alice.posts(thread)
    reply = alice.edit(thread, ids[1], "two")
    assert (reply.post.id, reply.post.number, reply.post.user, reply.post.text) == \
        (ids[1], 2, alice.user, "two")
    assert reply.seq == 4 and reply.post.time_us == before[1].time_us
    assert reply.post.edited_us >= before[2].time_us
    after = bob.posts(thread)
    assert after == [before[0], reply.post, before[2]]


def test_a_number_says_which_post_as_they_stand_now(town, thread):
    alice = town.join()
    fill(alice, thread, 5)
    alice.delete(thread, 2)
    alice.edit(thread, 2, "three")
    alice.delete(thread, 4)
    assert numbers(alice, thread) == [(1, "1"), (2, "three"), (3, "4")]


def test_earlier_texts_stay_in_the_log(town, thread):
    alice = town.join()
    id = new_id()
    alice.post(thread, "first", id)
    alice.edit(thread, id, "second")
    alice.edit(thread, id, "third")
    alice.delete(thread, id)
    events = stream(alice, thread)
    assert [event.thread.WhichOneof("body") for event in events] == ["posted", "edited", "edited", "deleted"]
    assert [events[0].thread.posted.text] + [event.thread.edited.text for event in events[1:3]] == \
        ["first", "second", "third"]
    assert (events[3].thread.deleted.id, events[3].thread.deleted.user) == (id, alice.user)
    assert all(event.thread.title == thread and event.time_us for event in events)


def test_a_retry_edits_once(town, thread):
    alice, edit = town.join(), new_id()
    post = alice.post(thread, "as posted")
    first = alice.edit(thread, post.id, "as edited", edit)
    assert alice.edit(thread, post.id, "as edited", edit) == first
    assert len(stream(alice, thread)) == 2


def test_a_retry_of_an_older_edit_leaves_the_newer_one(town, thread):
    alice, edit = town.join(), new_id()
    post = alice.post(thread, "as posted")
    first = alice.edit(thread, post.id, "older", edit)
    alice.edit(thread, post.id, "newer")
    assert alice.edit(thread, post.id, "older", edit).seq == first.seq
    assert alice.post_texts(thread) == ["newer"] and len(stream(alice, thread)) == 3
    alice.delete(thread, post.id)
    assert alice.edit(thread, post.id, "older", edit).seq == first.seq
    assert alice.post_texts(thread) == []


def test_an_edits_id_that_names_something_else_is_a_conflict(town, thread):
    alice, bob, edit = town.join(), town.join(), new_id()
    ids = fill(alice, thread, 2)
    bobs = bob.post(thread, "bob's")
    alice.edit(thread, ids[0], "edited", edit)
    refused("CONFLICT", alice.edit, thread, ids[0], "another text", edit)
    refused("CONFLICT", alice.edit, thread, ids[1], "edited", edit)
    refused("CONFLICT", bob.edit, thread, bobs.id, "edited", edit)
    refused("CONFLICT", alice.delete, thread, ids[1], edit)
    assert alice.post_texts(thread) == ["edited", "2", "bob's"]


# ---- delete ----

def test_an_author_deletes_his_post_and_numbers_close_up(town, thread):
    alice, bob = town.join_many(2)
    ids = fill(alice, thread, 4)
    assert alice.delete(thread, ids[1]).seq == 5
    assert numbers(bob, thread) == [(1, "1"), (2, "3"), (3, "4")]
    alice.delete(thread, 1)
    assert numbers(bob, thread) == [(1, "3"), (2, "4")]
    assert bob.post(thread, "5").number == 3


def test_a_retry_deletes_once(town, thread):
    alice, deletion = town.join(), new_id()
    fill(alice, thread, 3)
    first = alice.delete(thread, 1, deletion)
    assert alice.delete(thread, 1, deletion) == first
    one, two = alice.batch([("delete_post", dict(id=deletion, thread=thread, number=1))] * 2)
    assert one == two == first
    assert alice.post_texts(thread) == ["2", "3"]


# ---- what both refuse ----

def both(client, thread, which):
    return [lambda: client.edit(thread, which, "x"), lambda: client.delete(thread, which)]


def test_only_the_author_may(town, thread):
    alice, bob = town.join_many(2)
    post = alice.post(thread, "alice's")
    for which in (1, post.id):
        for call in both(bob, thread, which):
            refused("FORBIDDEN", call)
    assert alice.post_texts(thread) == ["alice's"]


def test_not_even_the_creator_or_an_administrator_may(town):
    creator, alice, admin = town.join(), town.join(), town.join("the.admin")
    creator.create_thread("his thread, her post")
    post = alice.post("his thread, her post", "hers")
    for client in (creator, admin):
        for call in both(client, "his thread, her post", post.id):
            refused("FORBIDDEN", call)


def test_what_is_not_there_is_not_found(town, thread):
    alice = town.join()
    ids = fill(alice, thread, 2)
    other = thread + "'s sister"
    alice.create_thread(other)
    alice.post(other, "elsewhere")
    message = new_id()
    alice.message(town.name(), "x", message)
    for which in (3, 2**64 - 1, 2**63, new_id(), message, town_thread_id(alice, thread)):
        for call in both(alice, thread, which):
            refused("NOT_FOUND", call)
    for which in (1, ids[0]):
        for call in both(alice, "no such thread", which):
            refused("NOT_FOUND", call)
    for call in both(alice, other, ids[0]):
        refused("NOT_FOUND", call)
    assert alice.post_texts(thread) == ["1", "2"] and alice.post_texts(other) == ["elsewhere"]


def town_thread_id(client, title):
    return next(thread.id for thread in client.list_threads() if thread.title == title)


@pytest.mark.parametrize("which", [0, b"x", new_id()[:15]])
def test_no_post_at_all_is_refused(town, thread, which):
    alice = town.join()
    alice.post(thread, "hello")
    for call in both(alice, thread, which):
        refused("INVALID", call)
    assert alice.post_texts(thread) == ["hello"]


def test_a_post_that_was_deleted_meanwhile_is_a_conflict(town, thread):
    alice, bob = town.join_many(2)
    mine = alice.post(thread, "hers")
    bob.post(thread, "his")
    alice.delete(thread, mine.id)
    for client in (alice, bob):
        for call in both(client, thread, mine.id):
            refused("CONFLICT", call)
    assert alice.post_texts(thread) == ["his"]


def test_a_post_that_was_shown_in_a_thread_made_anew_since_is_a_conflict(town):
    alice = town.join()
    title = town.fresh_name()
    alice.create_thread(title)
    shown = alice.post(title, "of the first one").id
    alice.call("remove_thread", thread=title)
    alice.create_thread(title)
    alice.post(title, "of the second one")
    for number, code in ((1, "CONFLICT"), (0, "NOT_FOUND")):
        refused(code, alice.call, "edit_post", id=new_id(), thread=title, post=shown,
                shown_number=number, text="x")
        refused(code, alice.call, "delete_post", id=new_id(), thread=title, post=shown,
                shown_number=number)
    assert alice.post_texts(title) == ["of the second one"]


def test_an_id_counts_more_than_a_number(town, thread):
    alice = town.join()
    ids = fill(alice, thread, 3)
    alice.call("edit_post", id=new_id(), thread=thread, post=ids[0], shown_number=3, text="first")
    alice.call("delete_post", id=new_id(), thread=thread, post=ids[1], shown_number=1)
    assert alice.post_texts(thread) == ["first", "3"]


# ---- several at once ----

def test_two_who_edit_and_delete_at_once_hit_no_post_that_they_did_not_mean(town, thread):
    people = town.join_many(2, sub=True)
    reader = town.join()
    mine = [{}, {}]
    followed = [person.follow(thread) for person in people]
    for n, person in enumerate(people):
        for k in range(60):
            text = f"{person.user} {k}"
            mine[n][person.post(thread, text).id] = text
    # From here on each one's picture of the numbers is older than what the other one does.
    dice, under_way = random.Random(4), []
    for _ in range(120):
        n = dice.randrange(2)
        id = dice.choice(list(mine[n]))
        if dice.random() < 0.4 and len(mine[n]) > 1:
            under_way.append((n, people[n].start("delete_post", id=new_id(), thread=thread, post=id)))
            del mine[n][id]
        else:
            mine[n][id] = f"{people[n].user} edited {dice.random()}"
            under_way.append((n, people[n].start("edit_post", id=new_id(), thread=thread, post=id,
                                                 text=mine[n][id])))
    for n, request in under_way:
        people[n].wait_reply(request)
    final = reader.posts(thread)
    assert {post.id: post.text for post in final} == {**mine[0], **mine[1]}
    assert [post.number for post in final] == list(range(1, len(final) + 1))
    for n, person in enumerate(people):
        person.wait_thread(followed[n], 120 + 120)
        assert followed[n].texts() == [post.text for post in final]
        assert person.posts(thread) == final
        assert all(post.user == person.user for post in final if post.id in mine[n])


def test_who_deletes_by_a_number_that_moved_hits_his_own_or_nothing(town, thread):
    """Numbers are for those who read nothing yet: the broker at least never lets one hit a stranger's."""
    alice, bob = town.join_many(2)
    for n in range(10):
        (alice, bob)[n % 2].post(thread, f"{n}")
    first = alice.start("delete_post", id=new_id(), thread=thread, number=1)
    bob.wait(lambda: bob.post_texts(thread)[0] == "1")
    alice.wait_reply(first)
    refused("FORBIDDEN", bob.delete, thread, 2)
    assert bob.post_texts(thread) == [str(n) for n in range(1, 10)]


def test_of_two_devices_that_delete_the_same_posts_at_once_one_does_each(town, thread):
    alice = town.join()
    phone = town.join(alice.user)
    ids = fill(alice, thread, 50)
    started = []
    for n, id in enumerate(ids[:40]):
        for device in (alice, phone) if n % 2 else (phone, alice):
            started.append((id, device, device.start("delete_post", id=new_id(), thread=thread, post=id)))
    done = []
    for id, device, request in started:
        try:
            device.wait_reply(request)
            done.append(id)
        except CommandError as error:
            assert error.code == "CONFLICT", error
    assert sorted(done) == sorted(ids[:40])
    assert alice.post_texts(thread) == [str(n) for n in range(41, 51)]


def test_1000_posts_by_8_writers_are_there_once_and_in_the_same_order_for_all(town, thread):
    watchers = [town.join(sub=True), town.join(public_events=True), town.join(sub=True)]
    followed = [watcher.follow(thread) for watcher in watchers]
    writers = town.join_many(8)
    requests = []
    for n in range(125):
        for writer in writers:
            requests.append((writer, writer.start_batch(commands_of(thread, [f"{writer.user} {n}"]))[0]))
    replies = [writer.wait_reply(request) for writer, request in requests]
    assert sorted(reply.seq for reply in replies) == list(range(1, 1001))
    assert all(reply.number == reply.seq for reply in replies)
    texts = watchers[0].post_texts(thread)
    assert sorted(texts) == sorted(f"{writer.user} {n}" for writer in writers for n in range(125))
    for writer in writers:
        assert [text for text in texts if text.startswith(writer.user)] == \
            [f"{writer.user} {n}" for n in range(125)]
        assert writer.post_texts(thread) == texts
    for watcher, thread_seen in zip(watchers, followed):
        watcher.wait_thread(thread_seen, 1000)
        assert thread_seen.texts() == texts and thread_seen.seqs() == list(range(1, 1001))


def test_a_broker_killed_in_a_stream_of_posts_loses_and_doubles_nothing(town_factory):
    town = town_factory(accounts=2)
    alice, bob = town.join(), town.join(sub=True)
    alice.create_thread("kept")
    followed = bob.follow("kept")
    each, in_flight = 1000, 400
    late = 0
    for sent in range(0, 3 * each, each):
        texts = [str(n) for n in range(sent, sent + each)]
        requests = alice.start_batch(commands_of("kept", texts[:-in_flight]))
        alice.wait(lambda: len(alice.replies) >= each // 3, what="a third of the replies")
        requests += alice.start_batch(commands_of("kept", texts[-in_flight:]))
        town.broker.kill()
        alice.pump(0)
        late += not alice.unanswered
        town.broker.start()
        alice.resume()
        bob.resume()
        replies = [alice.wait_reply(request) for request in requests]
        assert [reply.seq for reply in replies] == list(range(sent + 1, sent + each + 1))
        bob.wait_thread(followed, sent + each)
    assert late < 3, "every kill came too late to mean anything"
    assert alice.post_texts("kept") == [str(n) for n in range(3 * each)] == followed.texts()


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_retries_over_an_end_of_the_broker_change_nothing(town_factory, end):
    town = town_factory(accounts=1)
    alice = town.join()
    alice.create_thread("kept", id=(thread_id := new_id()))
    posts = commands_of("kept", ["one", "two", "three"])
    alice.batch(posts)
    changes = [("edit_post", dict(id=new_id(), thread="kept", post=posts[0][1]["id"], text="1")),
               ("delete_post", dict(id=new_id(), thread="kept", post=posts[1][1]["id"]))]
    first = alice.batch(changes)
    before = stream(alice, "kept")
    if end == "kill":
        town.broker.kill()
        town.broker.start()
    else:
        town.broker.restart()
    again = town.join("user.000")
    assert again.create_thread("kept", thread_id).id == thread_id
    assert [reply.seq for reply in again.batch(posts)] == [1, 2, 3]
    assert again.batch(changes) == first
    assert stream(again, "kept") == before
    assert numbers(again, "kept") == [(1, "1"), (2, "three")]
