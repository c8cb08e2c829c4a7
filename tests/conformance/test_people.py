"""who, since, block. COMMANDS.md, "People"."""

import time

import pytest

from support.client import new_id
from support.patience import WAIT_S
from support.town import refused


# ---- who ----

def test_who_lists_the_others_in_the_order_of_names_and_once(town):
    clients = town.join_many(4)
    town.join(clients[2].user)
    asker = clients[1]
    assert asker.who() == sorted(c.user for c in clients if c is not asker)
    people = asker.call("who").people
    assert all(person.online and person.last_seen_us > 0 for person in people)


def test_who_hides_those_who_blocked_the_asker_and_no_others(town):
    alice, blocker, blocked, friend = town.join_many(4)
    blocker.block(alice.user)
    alice.block(blocked.user)
    assert alice.who() == sorted([blocked.user, friend.user])
    assert blocked.who() == sorted([blocker.user, friend.user])
    assert blocker.who() == sorted([alice.user, blocked.user, friend.user])


def test_who_asked_by_a_script_hides_nobody_else(town):
    person = town.join()
    script = town.join(online=False)
    assert script.who() == [person.user]
    assert person.who() == []


def test_who_and_since_need_a_session(town):
    refused("AUTH", town.guest().call, "who")
    refused("AUTH", town.guest().call, "since", seconds=10)


# ---- since ----

def test_since_lists_the_online_first_then_the_last_seen(town):
    asker, gone_first, gone_last, online = town.join_many(4)
    town.join(online=False).logout()
    names = [gone_first.user, gone_last.user]
    gone_first.logout()
    gone_last.logout()
    mine = {asker.user, online.user, *names}
    people = [person for person in asker.since(3600) if person.user in mine]
    assert [person.user for person in people] == [online.user, *reversed(names)]
    assert [person.online for person in people] == [True, False, False]
    now = time.time_ns() // 1000
    assert all(now - 60_000_000 < person.last_seen_us < now + 60_000_000 for person in people)


def test_since_leaves_out_scripts(town):
    asker, script = town.join(), town.join(online=False)
    user = script.user
    script.logout()
    assert user not in [person.user for person in asker.since(3600)]


def test_since_looks_back_no_further_than_asked(town):
    asker, gone, online = town.join_many(3)
    user = gone.user
    gone.logout()
    assert user in [person.user for person in asker.since(60)]
    deadline = time.monotonic() + WAIT_S
    while user in [person.user for person in asker.since(1)]:
        assert time.monotonic() < deadline, "he was here more than a second ago"
        asker.pump(0.1)
    assert online.user in [person.user for person in asker.since(1)], "he is still here"


def test_since_hides_like_who(town):
    asker, online_blocker, gone_blocker, blocked = town.join_many(4)
    online_blocker.block(asker.user)
    gone_blocker.block(asker.user)
    asker.block(blocked.user)
    hidden, shown = {online_blocker.user, gone_blocker.user, asker.user}, blocked.user
    gone_blocker.logout()
    listed = {person.user for person in asker.since(3600)}
    assert shown in listed and not listed & hidden


def test_since_0_is_invalid(town):
    refused("INVALID", town.join().call, "since", seconds=0)


@pytest.mark.parametrize("seconds", [2**31, 2**63 - 1, 2**64 - 1])
def test_since_takes_any_other_number(town, seconds):
    asker, online = town.join_many(2)
    assert online.user in [person.user for person in asker.since(seconds)]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_since_counts_over_a_restart(town_factory, end):
    town = town_factory(accounts=4)
    asker, online, gone, never = town.names(4)
    town.join(online)
    town.join(gone).logout()
    asker_before = town.join(asker)
    asker_before.message(gone, "what waits is written with this")
    before = time.time_ns() // 1000
    getattr(town.broker, end)()
    town.broker.start()
    people = town.join(asker).since(3600)
    assert {person.user for person in people} == {online, gone}
    assert not any(person.online for person in people)
    assert all(abs(person.last_seen_us - before) < 10_000_000 for person in people)


# ---- block ----

def test_block_and_unblock_and_the_list(town):
    alice, (b, c, d) = town.join(), town.names(3)
    for name in (d, b.upper(), c):
        alice.block(name)
    assert list(alice.call("list_blocked").users) == sorted([b, c, d])
    alice.unblock(c.upper())
    assert list(alice.call("list_blocked").users) == sorted([b, d])


def test_what_block_refuses(town):
    alice, bob = town.join(), town.name()
    refused("INVALID", alice.block, alice.user)
    refused("NOT_FOUND", alice.block, "nobody.at.all")
    alice.block(bob)
    refused("CONFLICT", alice.block, bob)
    assert list(alice.call("list_blocked").users) == [bob]


def test_what_unblock_refuses(town):
    alice, bob = town.join(), town.name()
    refused("NOT_FOUND", alice.unblock, "nobody.at.all")
    refused("CONFLICT", alice.unblock, bob)
    refused("INVALID", alice.unblock, alice.user)


def test_blocks_need_a_session(town):
    for command in ("block_user", "unblock_user"):
        refused("AUTH", town.guest().call, command, user="anybody")
    refused("AUTH", town.guest().call, "list_blocked")


def test_messages_before_a_block_stay_readable(town):
    alice, bob = town.join_many(2)
    alice.message(bob.user, "before")
    bob.block(alice.user)
    assert [event.message.text for event in bob.sync().events] == ["before"]
    assert [event.message.text for event in alice.sync().events] == ["before"]


def test_after_the_reply_to_a_block_nothing_arrives(town):
    alice, bob = town.join(), town.join(public_events=True)
    alice.start_batch([("send_message", dict(id=new_id(), to=bob.user, text=str(n))) if n % 2 else
                       ("broadcast", dict(id=new_id(), text=str(n))) for n in range(400)])
    bob.batches = []
    block = bob.start("block_user", user=alice.user)
    bob.wait(lambda: block in bob.replies, what="the reply")
    alice.wait(lambda: not alice.unanswered, what="all of alice's replies")
    bob.ping()
    answered = next(n for n, batch in enumerate(bob.batches)
                    if any(reply.request == block for reply in batch.replies))
    late = [event for batch in bob.batches[answered + 1:] for event in batch.events
            if event.HasField("message") or event.HasField("broadcast")]
    assert late == []


def test_a_block_works_at_once_both_ways_and_ends_with_unblock(town):
    alice, bob = town.join(public_events=True), town.join(public_events=True)
    bob.block(alice.user)
    for one, other in ((alice, bob), (bob, alice)):
        refused("FORBIDDEN", one.message, other.user, "hello")
        assert one.broadcast("hello").skipped == 1
        other.ping()
        assert other.broadcasts() == []
    bob.unblock(alice.user)
    alice.message(bob.user, "again")
    assert alice.broadcast("again").skipped == 0
    bob.wait_text("again")
    bob.wait_broadcast("again")


def test_two_blocks_end_one_by_one(town):
    alice, bob = town.join_many(2)
    alice.block(bob.user)
    bob.block(alice.user)
    alice.unblock(bob.user)
    refused("FORBIDDEN", alice.message, bob.user, "hello")
    bob.unblock(alice.user)
    alice.message(bob.user, "hello")


def test_the_blocked_one_is_told_nothing(town):
    alice, bob = town.join(public_events=True), town.join(public_events=True)
    alice.ping()
    frames = len(alice.events), len(alice.pushed)
    bob.block(alice.user)
    alice.ping()
    bob.unblock(alice.user)
    alice.ping()
    assert (len(alice.events), len(alice.pushed)) == frames and alice.ended is None
    assert list(alice.call("list_blocked").users) == []


@pytest.mark.parametrize("mode", ["sub", "inline"])
def test_a_block_either_way_hides_presence_from_the_two_and_from_no_other(town, mode):
    options = dict(sub=True) if mode == "sub" else dict(public_events=True)
    alice, friend = town.join(**options), town.join(**options)
    user = town.name()
    bob = town.join(user, **options)
    for watcher in (alice, friend):
        watcher.wait_presence(user, True)
    bob.block(alice.user)
    published = len(alice.raw)
    bob.logout()
    assert friend.wait_presence(user, False).seq == 0
    town.join(user, **options)
    assert friend.wait_presence(user, True).seq == 0
    marker = town.join()
    alice.wait_presence(marker.user, True)
    assert alice.presence_of(user) == []
    assert user not in [event.presence.user for frame in alice.raw[published:] for event in frame.events]


def test_a_blocked_ones_presence_is_hidden_from_the_blocker(town):
    alice, friend = town.join(sub=True), town.join(sub=True)
    user = town.name()
    alice.block(user)
    bob = town.join(user)
    friend.wait_presence(user, True)
    bob.logout()
    friend.wait_presence(user, False)
    marker = town.join()
    alice.wait_presence(marker.user, True)
    assert alice.presence_of(user) == []
    assert user not in [event.presence.user for frame in alice.raw for event in frame.events]


def test_blocks_survive_a_restart(town_factory):
    town = town_factory(accounts=2)
    alice, bob = town.names(2)
    town.join(alice).block(bob)
    town.broker.kill()
    town.broker.start()
    again = town.join(alice)
    assert list(again.call("list_blocked").users) == [bob]
    refused("FORBIDDEN", town.join(bob).message, alice, "hello")
