"""Following threads: live, and after an absence from the cursor on. COMMANDS.md, "Threads"; proto/README.md."""

import time

import pytest

from support import schema
from support.client import Client, CommandError, new_id
from support.forum import stream_of
from support.town import refused
from support.transfer import Upload

FRAME_MAX = 1024 * 1024
HEAD_REPEAT_S = 2


def fill(client, thread, count):
    for result in client.batch([("post_to_thread", dict(id=new_id(), thread=thread, text=str(n)))
                                for n in range(1, count + 1)]):
        assert not isinstance(result, CommandError), result


def everything(client, thread):
    """One event of each kind: 1 to 5."""
    post = client.post(thread, "one")
    client.post(thread, "two")
    client.edit(thread, post.id, "one, edited")
    Upload(client, thread, "file", b"bytes").run()
    client.delete(thread, post.id)
    return ["posted", "posted", "edited", "uploaded", "deleted"]


# ---- follow, unfollow, and the list ----

def test_following_begins_at_the_head(town, thread):
    alice = town.join()
    fill(alice, thread, 3)
    id = next(found.id for found in alice.list_threads() if found.title == thread)
    reply = alice.call("follow_thread", thread=thread).followed
    assert (reply.id, reply.title, reply.head, reply.cursor) == (id, thread, 3, 3)
    assert alice.list_followed() == [reply]
    alice.post(thread, "4")
    followed, = alice.list_followed()
    assert (followed.head, followed.cursor) == (4, 3)


def test_what_is_not_there_is_not_found(town):
    alice = town.join()
    refused("NOT_FOUND", alice.follow, "no such thread")
    refused("NOT_FOUND", alice.unfollow, "no such thread")


def test_following_twice_and_unfollowing_what_one_does_not_follow_are_conflicts(town, thread):
    alice = town.join()
    refused("CONFLICT", alice.unfollow, thread)
    alice.follow(thread)
    refused("CONFLICT", alice.follow, thread)
    alice.unfollow(thread)
    refused("CONFLICT", alice.unfollow, thread)
    assert alice.list_followed() == []
    alice.follow(thread)


def test_the_list_is_in_the_order_of_titles_and_ones_own(town, thread):
    alice, bob = town.join_many(2)
    titles = [f"{thread} {n}" for n in "cab"]
    for title in titles:
        alice.create_thread(title)
        alice.follow(title)
    bob.follow(titles[0])
    assert [found.title for found in alice.list_followed()] == sorted(titles)
    assert [found.title for found in bob.list_followed()] == titles[:1]


def test_1000_threads_may_be_followed(town_factory):
    alice = town_factory(accounts=1).join()
    titles = [f"{n:04}" for n in range(1001)]
    alice.batch([("create_thread", dict(id=new_id(), title=title)) for title in titles])
    results = alice.batch([("follow_thread", dict(thread=title)) for title in titles[:1000]])
    assert not any(isinstance(result, CommandError) for result in results)
    refused("BUSY", alice.follow, titles[1000])
    assert [found.title for found in alice.list_followed()] == titles[:1000]
    alice.unfollow(titles[0])
    alice.follow(titles[1000])


# ---- the cursor ----

def test_the_cursor_moves_with_read_never_back_and_not_beyond_the_head(town, thread):
    alice, bob = town.join_many(2)
    followed = alice.follow(thread)
    bob.follow(thread)
    fill(bob, thread, 10)
    assert alice.ack_thread(followed, 6).cursor == 6
    assert alice.ack_thread(followed, 3).cursor == 6
    assert alice.ack_thread(followed, 0).cursor == 6
    assert alice.call("ack", stream=followed.stream, received=9).cursor == 6
    assert alice.list_followed()[0].cursor == 6 and bob.list_followed()[0].cursor == 0
    assert alice.ack_thread(followed, 2**64 - 1).cursor == 10
    assert alice.keep_alive().cursor == 0, "the inbox's cursor is another one"


def test_the_cursor_of_a_thread_that_one_does_not_follow_is_not_found(town, thread):
    alice, bob = town.join_many(2)
    followed = alice.follow(thread)
    refused("NOT_FOUND", bob.ack_thread, followed, 1)
    alice.unfollow(thread)
    refused("NOT_FOUND", alice.ack_thread, followed, 1)


@pytest.mark.parametrize("stream", ["thread/", "thread/" + "0" * 31, "thread/" + "0" * 32,
                                    "thread/" + "0" * 33, "thread/" + "g" * 32, "thread", "threads"])
def test_a_stream_that_is_none_is_not_found(town, stream):
    alice = town.join()
    refused("NOT_FOUND", alice.sync, stream)
    refused("NOT_FOUND", alice.call, "ack", stream=stream, read=1)


def test_a_streams_name_is_in_lower_case(town):
    alice = town.join()
    thread = alice.create_thread("a thread's id in upper case", bytes.fromhex("0199a0b0c0d07abc8def0123456789ab"))
    alice.sync(stream_of(thread.id))
    refused("NOT_FOUND", alice.sync, "thread/" + thread.id.hex().upper())


# ---- Sync ----

def test_sync_pages_through_a_thread_whoever_asks(town, thread):
    alice, bob = town.join_many(2)
    fill(alice, thread, 1100)
    stream = stream_of(next(found.id for found in bob.list_threads() if found.title == thread))
    after, sizes = 0, []
    while True:
        page = bob.sync(stream, after=after)
        assert [event.seq for event in page.events] == list(range(after + 1, after + 1 + len(page.events)))
        assert page.stream == stream and page.head == 1100
        sizes.append(len(page.events))
        after += len(page.events)
        if not page.more:
            break
    assert sizes == [500, 500, 100]
    page = bob.sync(stream, after=5, limit=7)
    assert [event.seq for event in page.events] == list(range(6, 13)) and page.more
    for after in (1100, 1101, 2**63, 2**64 - 1):
        page = bob.sync(stream, after=after)
        assert (len(page.events), page.head, page.more) == (0, 1100, False)


def test_a_page_fits_a_frame_whatever_the_texts(town, thread):
    alice = town.join()
    text = "x" * (16 * 1024)
    alice.batch([("post_to_thread", dict(id=new_id(), thread=thread, text=text)) for _ in range(130)])
    stream = stream_of(next(found.id for found in alice.list_threads() if found.title == thread))
    after = 0
    while after < 130:
        request = alice.start("sync", stream=stream, after_seq=after)
        assert alice.dealer.poll(5000)
        frame = alice.dealer.recv()
        assert len(frame) <= FRAME_MAX
        reply, = schema.ServerBatch.FromString(frame).replies
        assert reply.request == request and reply.sync.events
        assert [e.seq for e in reply.sync.events] == list(range(after + 1, after + 1 + len(reply.sync.events)))
        after += len(reply.sync.events)
        assert reply.sync.more == (after < 130)


# ---- live ----

@pytest.mark.parametrize("how", ["sub", "public_events"])
def test_all_that_happens_arrives_live(town, thread, how):
    alice, bob = town.join(), town.join(**{how: True})
    followed = bob.follow(thread)
    bob.ping()
    kinds = everything(alice, thread)
    bob.wait_thread(followed, 5)
    assert followed.kinds() == kinds
    page = alice.sync(followed.stream)
    assert [event.seq for event in page.events] == [1, 2, 3, 4, 5]
    for live, kept in zip(followed.events, page.events):
        # The number is of the moment; all else is what the stream holds for ever.
        for event in (live, kept):
            if event.thread.WhichOneof("body") in ("posted", "edited"):
                getattr(event.thread, event.thread.WhichOneof("body")).number = 0
        assert live == kept
    assert all(event.thread.title == thread for event in followed.events)
    assert followed.events[3].thread.uploaded == alice.call("list_files", thread=thread).files[0]


def test_a_live_post_has_its_number_and_time(town, thread):
    alice, bob = town.join(), town.join(public_events=True)
    alice.post(thread, "before")
    followed = bob.follow(thread)
    reply = alice.post(thread, "hello")
    bob.wait_thread(followed, 2)
    event, = followed.events
    post = event.thread.posted
    assert (event.seq, event.time_us) == (reply.seq, reply.time_us)
    assert (post.id, post.number, post.user, post.text) == (reply.id, 2, alice.user, "hello")
    assert (post.time_us, post.edited_us) == (reply.time_us, 0)
    edit = alice.edit(thread, reply.id, "edited")
    bob.wait_thread(followed, 3)
    assert followed.events[1].thread.edited == edit.post


def test_what_one_posted_oneself_comes_to_all_ones_sessions(town, thread):
    alice = town.join(public_events=True)
    phone = town.join(alice.user, sub=True)
    script = town.join(alice.user, online=False, public_events=True)
    one = alice.follow(thread)
    phone.catch_up()
    script.catch_up()
    alice.post(thread, "mine")
    for client, followed in ((alice, one), (phone, phone.followed[one.stream]), (script, script.followed[one.stream])):
        client.wait_thread(followed, 1)
        assert followed.texts() == ["mine"]


def test_following_in_one_session_is_following_in_all(town, thread):
    alice = town.join(public_events=True)
    phone = town.join(alice.user, public_events=True)
    followed = alice.follow(thread)
    town.join().post(thread, "to both")
    alice.wait_thread(followed, 1)
    phone.wait(lambda: phone.strays, what="the event in the other session")
    phone.strays.clear()
    phone.call("unfollow_thread", thread=thread)
    town.join().post(thread, "to none")
    for client in (alice, phone):
        client.ping()
    assert followed.have == 1 and phone.strays == []


def test_who_does_not_follow_hears_nothing(town, thread):
    alice, deaf, silent = town.join(), town.join(public_events=True), town.join()
    silent.follow(thread)
    other = thread + "'s sister"
    alice.create_thread(other)
    deaf.follow(other)
    everything(alice, thread)
    for client in (deaf, silent):
        client.ping()
        assert client.strays == [] and not any(t.pushed for t in client.followed.values())


def test_posting_publishes_one_event_however_many_follow(town, thread):
    alice = town.join()
    followers = [town.join(sub=True) for _ in range(20)]
    followed = [follower.follow(thread) for follower in followers]
    for follower in followers:
        follower.ping()
    alice.broadcast("what was gathered of presence is published before this")
    before = town.stats()["events_published_total"]
    commands = [("post_to_thread", dict(id=new_id(), thread=thread, text=str(n))) for n in range(10)]
    alice.batch(commands)
    for follower, seen in zip(followers, followed):
        follower.wait_thread(seen, 10)
    # What others' coming and going makes is published as well.
    assert 10 <= town.stats()["events_published_total"] - before < 10 * len(followers)
    for follower, seen in zip(followers, followed):
        assert [event.seq for event in seen.pushed] == sorted({event.seq for event in seen.pushed})


def test_a_retry_publishes_nothing_more(town, thread):
    alice, bob = town.join(), town.join(public_events=True)
    followed = bob.follow(thread)
    post, edit, deletion = new_id(), new_id(), new_id()
    upload = Upload(alice, thread, "file", b"bytes")

    def all_of_it():
        alice.post(thread, "one", post)
        alice.edit(thread, post, "two", edit)
        alice.delete(thread, post, deletion)
        upload.begin()
        upload.put(0, 5)
    all_of_it()
    bob.wait_thread(followed, 4)
    all_of_it()
    alice.post(thread, "what comes after all of it")
    bob.wait_thread(followed, 5)
    assert [event.seq for event in followed.pushed] == [1, 2, 3, 4, 5]


def test_what_is_refused_publishes_nothing(town, thread):
    alice, bob = town.join(), town.join(public_events=True)
    followed = bob.follow(thread)
    post = alice.post(thread, "one")
    refused("FORBIDDEN", bob.edit, thread, post.id, "x")
    refused("NOT_FOUND", alice.delete, thread, 2)
    refused("INVALID", alice.post, thread, "")
    refused("FORBIDDEN", bob.remove_thread, thread)
    alice.delete(thread, post.id)
    refused("CONFLICT", alice.edit, thread, post.id, "x")
    bob.wait_thread(followed, 2)
    bob.ping()
    assert [event.seq for event in followed.pushed] == [1, 2]


def test_two_seconds_after_its_last_event_the_head_is_published_once_more(town, thread):
    alice, bob = town.join(), town.join(sub=True)
    followed = bob.follow(thread)
    bob.ping()
    alice.post(thread, "one")
    bob.wait_thread(followed, 1)
    time_of_one = time.monotonic()
    bob.wait(lambda: followed.heads, timeout=HEAD_REPEAT_S + 3, what="the head")
    passed = time.monotonic() - time_of_one
    assert HEAD_REPEAT_S - 0.5 < passed < HEAD_REPEAT_S + 1.5, f"after {passed:.1f} s"
    assert followed.heads == [1] and not bob.raw[-1].events


def test_a_lost_last_event_shows_by_the_head_and_is_fetched(town, thread):
    alice, bob = town.join(), town.join(sub=True)
    followed = bob.follow(thread)
    alice.post(thread, "seen")
    bob.wait_thread(followed, 1)
    alice.post(thread, "lost")
    while bob.sub.poll(200):
        bob.sub.recv()
    assert followed.have == 1
    bob.wait_thread(followed, 2, timeout=HEAD_REPEAT_S + 3)
    assert followed.texts() == ["seen", "lost"] and followed.heads


def test_a_hole_is_filled_by_sync(town, thread):
    alice, bob = town.join(), town.join(public_events=True)
    followed = bob.follow(thread)
    fill(alice, thread, 5)
    assert bob.dealer.poll(1000)
    while bob.dealer.poll(50):
        bob.dealer.recv()
    assert followed.have == 0
    alice.post(thread, "6")
    bob.wait_thread(followed, 6)
    assert followed.texts() == ["1", "2", "3", "4", "5", "6"] and followed.seqs() == [1, 2, 3, 4, 5, 6]


def test_a_session_that_read_nothing_for_long_finds_what_it_lost(town, thread):
    """Its events were dropped when its pipe was full; Heads tells it to look."""
    alice, sleeper = town.join(), town.join(rcvhwm=1, public_events=True)
    followed = sleeper.follow(thread)
    text, total = "x" * (15 * 1024), 0
    before = town.stats()["events_dropped_total"]
    while town.stats()["events_dropped_total"] == before:
        assert total < 20_000, "the pipe never filled"
        alice.batch([("post_to_thread", dict(id=new_id(), thread=thread, text=text)) for _ in range(200)])
        total += 200
    sleeper.wait_thread(followed, total)
    assert followed.seqs() == list(range(1, total + 1))


@pytest.mark.parametrize("how", ["sub", "public_events"])
def test_posts_close_behind_each_other_come_in_order_and_the_removal_last(town, how):
    """They are told together; their author is answered meanwhile."""
    alice, bob = town.join(), town.join(**{how: True})
    title = f"told together {how}"
    alice.create_thread(title)
    followed = bob.follow(title)
    bob.ping()
    for n in range(200):
        assert alice.post(title, str(n)).seq == n + 1
    alice.remove_thread(title)
    bob.wait_removed(followed)
    assert followed.seqs() == list(range(1, 202))
    assert [event.seq for event in followed.pushed] == followed.seqs()
    assert followed.events[-1].thread.WhichOneof("body") == "removed"


def test_nothing_of_a_thread_comes_behind_the_reply_to_unfollow(town, thread):
    alice, bob = town.join(), town.join(public_events=True)
    followed = bob.follow(thread)
    requests = alice.start_batch([("post_to_thread", dict(id=new_id(), thread=thread, text=str(n))) for n in range(300)])
    bob.wait(lambda: followed.have >= 1, what="the first one")
    bob.unfollow(thread)
    have = followed.have
    assert followed.seqs() == list(range(1, have + 1))
    for request in requests:
        alice.wait_reply(request)
    bob.ping()
    assert followed.have == have and bob.strays == []


# ---- after an absence ----

def test_after_an_absence_it_goes_on_from_the_cursor(town, thread):
    alice, bob = town.join(), town.join(sub=True)
    user = bob.user
    followed = bob.follow(thread)
    fill(alice, thread, 4)
    bob.wait_thread(followed, 4)
    bob.ack_thread(followed, 3)
    bob.logout()
    fill(alice, thread, 3)
    alice.delete(thread, 1)
    again = town.join(user, sub=True)
    again.catch_up()
    seen = again.followed[followed.stream]
    again.wait_thread(seen, 8)
    assert seen.seqs() == [4, 5, 6, 7, 8]
    alice.post(thread, "live again")
    again.wait_thread(seen, 9)


@pytest.mark.parametrize("how", ["sub", "public_events"])
def test_a_follower_killed_and_back_has_no_hole(town, thread, how):
    alice, bob = town.join(), town.join(**{how: True})
    followed = bob.follow(thread)
    for n in range(5):
        requests = alice.start_batch([("post_to_thread", dict(id=new_id(), thread=thread, text=f"{n} {k}"))
                                      for k in range(100)])
        bob.wait(lambda: followed.have > n * 100 + 10)
        bob.close()
        for request in requests:
            alice.wait_reply(request)
        bob.resume()
    bob.wait_thread(followed, 500)
    assert followed.texts() == [f"{n} {k}" for n in range(5) for k in range(100)]
    assert followed.seqs() == list(range(1, 501))


def test_followers_have_no_hole_when_the_broker_is_killed(town_factory):
    town = town_factory(accounts=3)
    alice, sub, inline = town.join(), town.join(sub=True), town.join(public_events=True)
    alice.create_thread("kept")
    followed = [client.follow("kept") for client in (sub, inline)]
    inline.ack_thread(followed[1], 0)
    for n in range(3):
        alice.start_batch([("post_to_thread", dict(id=new_id(), thread="kept", text=f"{n} {k}"))
                           for k in range(300)])
        alice.wait(lambda: len(alice.replies) > 100)
        town.broker.kill()
        alice.pump(0)
        town.broker.start()
        for client in (alice, sub, inline):
            client.resume()
        alice.wait(lambda: len(alice.replies) == 300, what="all replies")
        alice.replies.clear()
    for client, seen in zip((sub, inline), followed):
        client.wait_thread(seen, 900)
        assert seen.texts() == [f"{n} {k}" for n in range(3) for k in range(300)]
        assert seen.seqs() == list(range(1, 901))


@pytest.mark.parametrize("end", ["restart", "kill"])
def test_cursors_survive(town_factory, end):
    town = town_factory(accounts=1)
    alice = town.join()
    alice.create_thread("kept")
    followed = alice.follow("kept")
    fill(alice, "kept", 5)
    alice.ack_thread(followed, 3)
    if end == "kill":
        town.broker.kill()
        town.broker.start()
    else:
        town.broker.restart()
    again = town.join("user.000", public_events=True)
    kept, = again.list_followed()
    assert (kept.title, kept.head, kept.cursor) == ("kept", 5, 3)
    again.catch_up()
    seen, = again.followed.values()
    again.post("kept", "6")
    again.wait_thread(seen, 6)
    assert seen.seqs() == [4, 5, 6]


# ---- removal ----

@pytest.mark.parametrize("how", ["sub", "public_events"])
def test_followers_are_told_of_a_removal(town, how):
    alice, bob = town.join(), town.join(**{how: True})
    title = f"short-lived {how}"
    alice.create_thread(title)
    followed = bob.follow(title)
    alice.post(title, "one")
    Upload(alice, title, "file", b"bytes").run()
    bob.wait_thread(followed, 2)
    alice.remove_thread(title)
    bob.wait_removed(followed)
    last = followed.events[-1]
    assert (last.seq, last.thread.removed.user, last.thread.title) == (3, alice.user, title)
    assert last.time_us
    assert bob.list_followed() == []
    alice.create_thread(title)
    alice.post(title, "another thread")
    bob.ping()
    assert len(followed.events) == 3 and bob.strays == []


def test_who_was_away_at_the_removal_learns_it_from_the_list_and_sync(town, thread):
    alice, bob = town.join(), town.join()
    alice.create_thread("gone meanwhile")
    followed = bob.follow("gone meanwhile")
    bob.close()
    alice.remove_thread("gone meanwhile")
    bob.resume()
    bob.wait_removed(followed)
    assert bob.list_followed() == []


def test_a_client_that_only_listens_needs_a_session(town, thread):
    alice = town.join()
    guest = Client(town.broker.address)
    try:
        refused("AUTH", guest.sync, "thread/" + "0" * 32)
        refused("AUTH", guest.call, "ack", stream="thread/" + "0" * 32, read=1)
    finally:
        guest.close()
    alice.ping()
