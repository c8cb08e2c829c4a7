"""Crowds that come and go: presence is told together, in order, with nothing lost. proto/README.md,
"Public topics"."""

import time

import pytest

from support.client import PROTOCOL, new_id
from support.memory import allowed, rss
from support.patience import WAIT_S
from support.town import Town

CROWD = 500
GATHER_S = 0.25
MIB = 1024 * 1024
GIVEN_BACK = 12 * MIB
LONG = 16 * 1024


def watch(client):
    """From here on the client keeps what comes as it comes."""
    client.batches = []
    client.raw.clear()
    client.since = time.monotonic()
    client.first = client.topics["presence"]
    return client


def told(client):
    """(number, user, online) of each presence event, frame by frame."""
    frames = [batch.events for batch in client.batches] + [publication.events for publication in client.raw]
    return [[(event.seq, event.presence.user, event.presence.online) for event in frame
             if event.HasField("presence")] for frame in frames]


def frames_until_now(client):
    return 2 + (time.monotonic() - client.since) / GATHER_S


def come(town, users, **login):
    """All send their logins before anybody reads an answer."""
    clients = [town.guest(town.keys) for _ in users]
    for client, user in zip(clients, users):
        client._login = dict(login, inbox=False)
        client.start_handled("login", client.opened_by, protocol=PROTOCOL, user=user, online=True,
                             instance=client.instance, **login)
    for client in clients:
        client.wait(lambda client=client: client.user, what="the answer to the login")
    return clients


@pytest.mark.parametrize("way", ["sub", "inline"])
def test_a_crowd_is_told_in_few_frames_in_order_and_whole(town, way):
    watcher = watch(town.join(sub=way == "sub", public_events=way == "inline"))
    users = town.names(60)
    crowd = come(town, users)
    for client in crowd[::2]:
        client.logout()
    watcher.wait(lambda: all(watcher.presence_of(user)[-1:] == [number % 2 == 1]
                             for number, user in enumerate(users)))
    frames = [frame for frame in told(watcher) if frame]
    events = [event for frame in frames for event in frame]
    numbers = [number for number, _, _ in events]
    assert numbers == list(range(watcher.first + 1, watcher.first + 1 + len(events))), "a hole, or two of one"
    assert [watcher.presence_of(user) for user in users] == [[True, False], [True]] * 30
    assert len(events) == 90
    assert len(frames) <= frames_until_now(watcher), f"{len(events)} events came in {len(frames)} frames"


@pytest.mark.parametrize("way", ["sub", "inline"])
def test_both_ends_of_a_short_visit_are_told(town, way):
    watcher = town.join(sub=way == "sub", public_events=way == "inline")
    town.join()
    visitor = town.join()
    user = visitor.user
    visitor.logout()
    watcher.wait(lambda: watcher.presence_of(user) == [True, False])


def test_nothing_overtakes_a_presence_on_a_connection(town):
    """A message comes behind its sender, however many came just before."""
    watcher = watch(town.join(public_events=True))
    for round in range(10):
        visitor = town.join()
        visitor.message(watcher.user, f"from {visitor.user}")
        watcher.wait_text(f"from {visitor.user}")
        order = [event for batch in watcher.batches for event in batch.events]
        kinds = [event.WhichOneof("body") for event in order
                 if (event.HasField("presence") and event.presence.user == visitor.user)
                 or (event.HasField("message") and event.message.text == f"from {visitor.user}")]
        assert kinds == ["presence", "message"], f"round {round}"


def test_an_answer_takes_along_what_was_gathered(town):
    """Whoever is named by Who was told of before, or with it."""
    watcher = watch(town.join(public_events=True))
    for _ in range(10):
        visitor = town.join()
        assert visitor.user in watcher.who()
        assert watcher.presence_of(visitor.user) == [True]


@pytest.mark.parametrize("way", ["sub", "inline"])
def test_a_broadcast_comes_behind_its_sender(town, way):
    watcher = watch(town.join(sub=way == "sub", public_events=way == "inline"))
    for _ in range(5):
        visitor = town.join()
        visitor.broadcast("here I am", new_id())
        watcher.wait_broadcast("here I am")
        mine = [event.WhichOneof("body") for event in watcher.events
                if visitor.user in (event.presence.user, event.broadcast.sender)]
        watcher.events.clear()
        assert mine == ["presence", "broadcast"]


def test_what_was_gathered_comes_before_the_answer_to_a_block(town):
    watcher, other = watch(town.join(public_events=True)), town.join()
    for _ in range(5):
        visitor = town.join()
        user = visitor.user
        visitor.logout()
        watcher.block(user)
        at_reply = len(watcher.batches)
        other.broadcast("so much for that", new_id())
        watcher.wait_broadcast("so much for that")
        later = [event.presence.user for batch in watcher.batches[at_reply:] for event in batch.events
                 if event.HasField("presence")]
        assert user not in later
        assert watcher.presence_of(user) == [True, False]
        watcher.events.clear()


def test_a_crowd_with_blocks_is_told_to_each_who_may_know(town):
    """What is not published is gathered as well: without a number, in order, never to whom it is hidden from."""
    watcher, blocked = watch(town.join(public_events=True)), town.join(public_events=True)
    online_only = watch(town.join())
    users = town.names(30)
    for client in come(town, users):
        client.block(blocked.user)
        client.logout()
    watcher.wait(lambda: watcher.presence_of(users[-1])[-1:] == [False])
    online_only.wait(lambda: online_only.presence_of(users[-1])[-1:] == [False])
    watcher.batches.clear()
    online_only.batches.clear()
    for client in (watcher, blocked, online_only):
        client.ping()
        client.events.clear()
        client.since = time.monotonic()
    for client in come(town, users):
        client.logout()
    for client in (watcher, online_only):
        client.wait(lambda client=client: all(client.presence_of(user) == [True, False] for user in users))
        frames = [frame for frame in told(client) if frame]
        assert all(number == 0 for frame in frames for number, _, _ in frame)
        assert len(frames) <= frames_until_now(client), f"60 events came in {len(frames)} frames"
    blocked.ping()
    assert not any(blocked.presence_of(user) for user in users)


def test_a_session_begins_with_the_numbers_of_its_login(town):
    """What was gathered before it is in its head, and does not come again."""
    town.join()
    for _ in range(10):
        client = watch_from_the_login(town)
        visitor = town.join()
        client.wait_presence(visitor.user, True)
        numbers = [event.seq for batch in client.batches for event in batch.events if event.HasField("presence")]
        assert numbers == list(range(client.first + 1, client.first + 1 + len(numbers)))


def watch_from_the_login(town):
    client = town.guest(town.keys)
    client.batches = []
    client.login(town.name(), public_events=True)
    client.first = client.topics["presence"]
    return client


def test_500_who_log_in_at_once_on_one_connection_each_all_get_in():
    """... and each of them sees who is there: by its Who, and by what comes behind it."""
    town = Town(accounts=CROWD)
    try:
        users = set(town.names(CROWD))
        clients = come(town, sorted(users), public_events=True)
        seen = [set(client.who()) | {client.user} for client in clients]
        for client, there in zip(clients, seen):
            wait_for_all(client, there, users)
        for client in clients[::2]:
            client.logout()
        stayed = {client.user for client in clients[1::2]}
        for client, there in list(zip(clients, seen))[1::2]:
            wait_for_all(client, there, stayed)
    finally:
        town.leave()
        town.close()


def test_what_a_crowd_held_is_given_back_within_a_minute_of_its_leaving():
    town = Town(accounts=CROWD)
    try:
        town.join(sub=True)
        if allowed(town.broker, 1) != 1:
            pytest.skip("AddressSanitizer has an allocator of its own")
        before = rss(town.broker)
        crowd = town.join_many(CROWD - 1, sub=True, inbox=False)
        held = rss(town.broker) - before
        assert held > GIVEN_BACK, "too few came"
        for client in crowd:
            client.close()
        deadline = time.monotonic() + WAIT_S
        while (kept := rss(town.broker) - before) > GIVEN_BACK:
            assert time.monotonic() < deadline, f"of {held / MIB:.1f} MiB it still has {kept / MIB:.1f}"
            time.sleep(0.2)  # no event tells that memory went back
    finally:
        town.leave()
        town.close()


def test_what_a_long_broadcast_took_for_each_of_a_crowd_is_given_back():
    town = Town(accounts=CROWD)
    try:
        sender = town.join(sub=True)
        if allowed(town.broker, 1) != 1:
            pytest.skip("AddressSanitizer has an allocator of its own")
        crowd = town.join_many(CROWD - 1, sub=True, inbox=False)
        crowd[0].wait_presence(crowd[-1].user, True)
        before = rss(town.broker)
        sender.broadcast("y" * LONG)
        crowd[0].wait_broadcast("y" * LONG)
        while town.stats()["published_held_bytes"] > 0:
            pass
        deadline = time.monotonic() + WAIT_S
        while (kept := rss(town.broker) - before) > CROWD * LONG / 2:
            assert time.monotonic() < deadline, f"it still has {kept / MIB:.1f} MiB more"
            time.sleep(0.2)  # no event tells that memory went back
    finally:
        town.leave()
        town.close()


def wait_for_all(client, there, users):
    def complete():
        for event in client.events:
            (set.add if event.presence.online else set.discard)(there, event.presence.user)
        client.events.clear()
        return there == users
    client.wait(complete, what=f"the rest of {len(users)} people")


def test_who_has_logged_in_is_no_stranger_without_a_second_frame(town):
    """Strangers have few places, and who is too many is looked for among all of them."""
    asker = town.join()
    come(town, town.names(30), public_events=True)
    deadline = time.monotonic() + WAIT_S
    while asker.stats()["strangers"] > 0:
        assert time.monotonic() < deadline, "members count as strangers"
