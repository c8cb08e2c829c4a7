"""broadcast, and the public topics that carry it. COMMANDS.md, "People"; proto/README.md, "Public
topics"."""

import time

import pytest

from support import schema
from support.client import new_id, sender
from support.town import refused


def subscribers(town, count):
    return town.join_many(count, sub=True)


def test_it_reaches_everyone_online_but_the_sender(town):
    alice = town.join(sub=True)
    bob = town.join(sub=True)
    carol = town.join(public_events=True)
    reply = alice.broadcast("hello everybody")
    assert (reply.reached, reply.skipped) == (2, 0)
    for client in (bob, carol):
        event = client.wait_broadcast("hello everybody")
        assert sender(event) == alice.user and event.seq > 0 and event.time_us > 0
    alice.ping()
    assert alice.broadcasts() == []


def test_alone_it_reaches_nobody(town):
    reply = town.join().broadcast("is anybody here?")
    assert (reply.reached, reply.skipped) == (0, 0)


def test_a_user_counts_once_and_scripts_do_not(town):
    alice, user = town.join(), town.name()
    town.join(user), town.join(user), town.join(user, online=False)
    town.join(online=False)
    town.join(alice.user)
    assert alice.broadcast("how many?").reached == 1


def test_it_is_not_stored(town):
    alice, away = town.join(), town.name()
    alice.broadcast("you missed it")
    late = town.join(away, sub=True)
    late.ping()
    assert late.broadcasts() == [] and late.sync().head == 0 and alice.sync().head == 0


def test_a_block_either_way_keeps_it_away_and_is_counted(town):
    alice, blocked, blocker, friend = town.join(), *(town.join(public_events=True) for _ in range(3))
    alice.block(blocked.user)
    blocker.block(alice.user)
    reply = alice.broadcast("not for all")
    assert (reply.reached, reply.skipped) == (1, 2)
    friend.wait_broadcast("not for all")
    for client in (blocked, blocker):
        client.ping()
        assert client.broadcasts() == []


def test_with_a_block_it_is_sent_to_each_and_never_published(town):
    watcher = town.join(sub=True)
    alice, bob, friend = town.join(), town.join(sub=True), town.join(public_events=True)
    bob.block(alice.user)
    alice.broadcast("hidden from bob")
    for client in (watcher, friend):
        event = client.wait_broadcast("hidden from bob")
        assert event.seq == 0 and sender(event) == alice.user
    watcher.broadcast("for all")
    bob.wait_broadcast("for all")
    friend.wait_broadcast("for all")
    watcher.wait(lambda: watcher.raw and watcher.raw[-1].topic == "broadcast", what="its own broadcast")
    assert bob.broadcasts() == ["for all"]
    for client in (watcher, bob):
        published = [event.broadcast.text for frame in client.raw for event in frame.events
                     if frame.topic == "broadcast"]
        assert published == ["for all"]
    assert "hidden from bob" not in [e.broadcast.text for e in bob.sync("broadcast").events]


def test_it_arrives_once_where_both_sockets_carry_events(town):
    alice, bob = town.join(), town.join(sub=True, public_events=True)
    alice.broadcast("one")
    alice.broadcast("two")
    bob.wait_broadcast("two")
    bob.ping()
    assert bob.broadcasts() == ["one", "two"]


def test_a_retry_under_the_same_id_is_not_sent_twice(town):
    alice, bob = town.join(), town.join(public_events=True)
    id = new_id()
    first = alice.broadcast("once", id)
    assert alice.broadcast("once", id) == first
    alice.broadcast("after it")
    bob.wait_broadcast("after it")
    assert bob.broadcasts() == ["once", "after it"]


def test_an_id_with_another_text_is_refused_and_not_taken_for_a_retry(town):
    alice, bob = town.join(), town.join(public_events=True)
    id = new_id()
    first = alice.broadcast("once", id)
    assert refused("CONFLICT", alice.broadcast, "twice", id).reason == "ID_USED"
    assert alice.broadcast("on\x07ce", id) == first
    alice.broadcast("after it")
    bob.wait_broadcast("after it")
    assert bob.broadcasts() == ["once", "after it"]


def test_limits_and_cleaning_are_those_of_a_message(town):
    alice, bob = town.join(), town.join(public_events=True)
    refused("INVALID", alice.broadcast, "")
    refused("INVALID", alice.broadcast, "x" * (16 * 1024 + 1))
    refused("INVALID", alice.broadcast, "\x1b[2J")
    refused("INVALID", alice.call, "broadcast", id=b"short", text="x")
    alice.broadcast("a\x1b[31m\u202e\u200b\x07b\n")
    bob.wait_broadcast("ab\n")
    alice.broadcast("y" * 16 * 1024)
    bob.wait_broadcast("y" * 16 * 1024)


def test_it_needs_a_session(town):
    refused("AUTH", town.guest().broadcast, "hello")


def test_a_session_that_asked_for_no_public_events_gets_none(town):
    alice, bob = town.join(), town.join()
    alice.broadcast("hello")
    bob.ping()
    assert bob.broadcasts() == []


# ---- topics ----

def test_a_topic_numbers_its_events_without_holes(town):
    alice, bob = town.join(), town.join(sub=True, fill=False)
    start = bob.topics["broadcast"]
    for n in range(5):
        alice.broadcast(str(n))
    bob.wait_broadcast("4")
    numbers = [event.seq for frame in bob.raw for event in frame.events if frame.topic == "broadcast"]
    assert numbers == list(range(numbers[0], numbers[0] + 5))
    assert start in (0, numbers[0] - 1)


def test_a_hole_in_a_topic_is_filled_by_sync(town):
    alice, bob = town.join(), town.join(sub=True)
    alice.broadcast("heard")
    bob.wait_broadcast("heard")
    bob.sub.close()
    bob.sub = None
    for n in range(3):
        alice.broadcast(f"missed {n}")
    bob.subscribe()
    alice.broadcast("heard again")
    bob.wait_broadcast("heard again")
    assert bob.broadcasts() == ["heard", "missed 0", "missed 1", "missed 2", "heard again"]


def test_sync_of_a_topic_gives_pages_in_order(town):
    alice = town.join()
    alice.broadcast("before")
    after = next(topic.head for topic in alice.keep_alive().topics if topic.topic == "broadcast")
    for n in range(10):
        alice.broadcast(str(n))
    page = alice.sync("broadcast", after, limit=4)
    assert [event.broadcast.text for event in page.events] == ["0", "1", "2", "3"]
    assert [event.seq for event in page.events] == list(range(after + 1, after + 5))
    assert page.more and page.head == after + 10 and page.stream == "broadcast"
    page = alice.sync("broadcast", after + 4)
    assert [event.broadcast.text for event in page.events] == [str(n) for n in range(4, 10)]
    assert not page.more


def test_of_a_topic_the_last_1000_events_are_kept(town):
    alice = town.join()
    alice.broadcast("before")
    after = next(topic.head for topic in alice.keep_alive().topics if topic.topic == "broadcast")
    requests = alice.start_batch([("broadcast", dict(id=new_id(), text=str(n))) for n in range(1100)])
    for request in requests:
        alice.wait_reply(request)
    page = alice.sync("broadcast", after)
    assert [event.seq for event in page.events] == list(range(after + 101, after + 601))
    page = alice.sync("broadcast", after + 600)
    assert [event.seq for event in page.events] == list(range(after + 601, after + 1101))
    assert not page.more
    for beyond in (after + 1100, 2**64 - 2, 2**64 - 1):
        page = alice.sync("broadcast", beyond)
        assert not page.events and page.head == after + 1100 and not page.more, beyond


def test_a_silent_topic_tells_its_head_once_more_after_2_s(town):
    alice, bob = town.join(), town.join(sub=True)
    alice.broadcast("the last word")
    event = bob.wait_broadcast("the last word")
    start = time.monotonic()
    head = bob.wait(lambda: next((frame for frame in bob.raw if frame.topic == "broadcast"
                                  and frame.head and not frame.events), None),
                    timeout=6, what="the head of the topic")
    assert head.head == event.seq
    assert time.monotonic() - start > 1.5


def test_a_lost_last_event_shows_by_the_head(town):
    alice, bob = town.join(), town.join(sub=True)
    alice.broadcast("lost")
    assert bob.sub.poll(2000)
    while bob.sub.poll(50):
        bob.sub.recv()
    assert bob.broadcasts() == []
    bob.wait_broadcast("lost", timeout=6)


def test_the_numbers_grow_over_a_restart(town_factory):
    town = town_factory(accounts=2)
    alice = town.join()
    alice.broadcast("before")
    before = next(topic.head for topic in alice.keep_alive().topics if topic.topic == "broadcast")
    assert abs(before / 1e6 - time.time()) < 600
    town.broker.restart()
    alice = town.join("user.000")
    bob = town.join("user.001", public_events=True)
    alice.broadcast("after")
    assert bob.wait_broadcast("after").seq > before


def test_a_subscription_is_the_bytes_of_the_topic(town):
    alice = town.join()
    watcher = town.join()
    watcher.subscribe(["broadcast"])
    marker = town.join()
    alice.broadcast("hello")
    watcher.wait_broadcast("hello")
    marker.logout()
    alice.broadcast("bye")
    watcher.wait_broadcast("bye")
    assert {frame.topic for frame in watcher.raw} == {"broadcast"}
    assert schema.Publication(topic="presence").SerializeToString() \
        == bytes.fromhex("0a 08 70 72 65 73 65 6e 63 65")


@pytest.mark.parametrize("topic", ["presence", "broadcast", "notice"])
def test_sync_of_a_topic_needs_a_session(town, topic):
    refused("AUTH", town.guest().sync, topic)
