"""ReadHistory: one's own inbox read back, page by page. proto/README.md, "The inbox"."""

import pytest

from support.client import CommandError
from support.ids import new_id
from support.town import refused

ROWS_MAX = 1000
PAGE_MAX = 500


def fill(client, to, texts):
    results = client.batch([("send_message", dict(id=new_id(), to=to, text=text)) for text in texts])
    assert not [result for result in results if isinstance(result, CommandError)]


def pages(client, **fields):
    """All pages, the newest first, each as a list of events."""
    found, before = [], 0
    while True:
        reply = client.call("read_history", before_seq=before, **fields)
        found.append(list(reply.events))
        assert reply.more == (reply.before_seq > 0)
        if not reply.more:
            return found
        assert before == 0 or reply.before_seq < before, "a page that goes nowhere"
        before = reply.before_seq


def history(client, **fields):
    """The entries of all pages, in their order."""
    return [event for page in reversed(pages(client, **fields)) for event in page]


def texts(events):
    return [event.message.text for event in events]


@pytest.fixture
def three(town):
    return town.join_many(3)


def test_a_conversation_has_what_both_said(three):
    alice, bob, carol = three
    for one, other, text in ((bob, alice, "1"), (alice, bob, "2"), (carol, alice, "no"), (bob, carol, "no"),
                             (bob, alice, "3")):
        one.message(other.user, text)
    events = history(alice, user=bob.user)
    assert [(event.seq, event.message.sender, event.message.to, event.message.text) for event in events] == [
        (1, bob.user, alice.user, "1"), (2, alice.user, bob.user, "2"), (4, bob.user, alice.user, "3")]
    assert events == [event for event in alice.sync().events if event.seq != 3]
    assert history(alice) == list(alice.sync().events)
    assert texts(history(bob, user=alice.user.upper())) == ["1", "2", "3"]


def test_an_empty_inbox_has_one_empty_page(three):
    alice, bob, _ = three
    assert pages(alice) == [[]] and pages(alice, user=bob.user) == [[]]
    assert pages(alice, since_us=1, until_us=2) == [[]]


def test_nobody_reads_what_others_said(three):
    alice, bob, carol = three
    alice.message(bob.user, "secret")
    assert history(carol) == [] and history(carol, user=alice.user) == [] and history(carol, user=bob.user) == []


def test_a_block_hides_nothing_that_was_said(three):
    alice, bob, _ = three
    bob.message(alice.user, "1")
    alice.block(bob.user)
    assert texts(history(alice, user=bob.user)) == ["1"] and texts(history(bob, user=alice.user)) == ["1"]


@pytest.mark.parametrize("limit", [1, 2, 3, 7, 100, 499, 500, 501, 4000000000])
def test_pages_of_any_size_together_are_all_of_it(three, limit):
    alice, bob, carol = three
    count = 40 if limit < 100 else 1100
    fill(bob, alice.user, [str(n) for n in range(count)])
    fill(carol, alice.user, ["no"] * 3)
    found = pages(alice, user=bob.user, limit=limit)
    assert max(len(page) for page in found) == min(limit, PAGE_MAX, count)
    assert texts(event for page in reversed(found) for event in page) == [str(n) for n in range(count)]


def test_few_among_many_come_in_pages_that_hold_little(three):
    alice, bob, carol = three
    bob.message(alice.user, "first")
    fill(carol, alice.user, ["no"] * 3000)
    bob.message(alice.user, "last")
    found = pages(alice, user=bob.user)
    assert [texts(page) for page in found] == [["last"], [], [], ["first"]]


def test_a_page_fits_into_a_frame(three):
    alice, bob, _ = three
    fill(bob, alice.user, [f"{n} {'x' * 16000}" for n in range(120)])
    assert texts(history(alice)) == [f"{n} {'x' * 16000}" for n in range(120)]


def test_long_texts_of_others_are_looked_at_some_at_a_time(three):
    alice, bob, carol = three
    bob.message(alice.user, "first")
    for _ in range(4):
        fill(carol, alice.user, ["x" * 16000] * 100)
    found = pages(alice, user=bob.user)
    assert texts(found[-1]) == ["first"] and len(found) > 2


def test_a_time_from_then_on_and_before_then(three):
    alice, bob, _ = three
    for n in range(6):
        bob.message(alice.user, str(n))
    times = [event.time_us for event in history(alice)]
    assert texts(history(alice, since_us=times[2])) == ["2", "3", "4", "5"]
    assert texts(history(alice, until_us=times[2])) == ["0", "1"]
    assert texts(history(alice, since_us=times[1], until_us=times[4], limit=2)) == ["1", "2", "3"]
    assert history(alice, since_us=times[4], until_us=times[1]) == []
    assert history(alice, since_us=times[5] + 1) == [] and history(alice, until_us=times[0]) == []
    assert len(history(alice, since_us=1, until_us=2**53)) == 6


def test_what_is_long_ago_is_found_without_looking_at_all_that_came_since(three):
    alice, bob, _ = three
    bob.message(alice.user, "first")
    fill(bob, alice.user, ["no"] * 5000)
    first = alice.sync(limit=1).events[0]
    assert pages(alice, user=bob.user, until_us=first.time_us + 1) == [[first]]
    bob.message(alice.user, "last")
    last = alice.sync(after=5001).events[0]
    assert pages(alice, user=bob.user, since_us=last.time_us) == [[last]]


def test_it_begins_before_any_entry(three):
    alice, bob, _ = three
    fill(bob, alice.user, [str(n) for n in range(5)])
    assert texts(history(alice, limit=2)) == ["0", "1", "2", "3", "4"]
    for before, expected in ((1, []), (2, ["0"]), (5, ["0", "1", "2", "3"]), (6, ["0", "1", "2", "3", "4"]),
                             (99, ["0", "1", "2", "3", "4"])):
        reply = alice.call("read_history", before_seq=before)
        assert texts(reply.events) == expected and not reply.more


def test_it_moves_no_cursor(three):
    alice, bob, _ = three
    bob.message(alice.user, "1")
    history(alice)
    assert alice.call("ack").cursor == 0


def test_what_can_not_be_is_refused(three):
    alice, _, _ = three
    assert refused("NOT_FOUND", alice.call, "read_history", user="nobody.at.all").reason == "NO_SUCH_USER"
    assert refused("NOT_FOUND", alice.call, "read_history", user="no name").reason == "NO_SUCH_USER"
    assert refused("INVALID", alice.call, "read_history", user=alice.user).reason == "ONESELF"
    for field in ("since_us", "until_us"):
        assert refused("INVALID", alice.call, "read_history", **{field: -1}).reason == "BAD_VALUE"


def test_what_is_looked_at_is_charged(town_factory):
    """A budget of 2,000 units: 500 entries cost 10 units and 62 more."""
    town = town_factory("--rate-account", "200", accounts=2)
    alice, bob = town.join_many(2)
    fill(bob, alice.user, ["no"] * 500)
    results = alice.batch([("read_history", dict(user=bob.user, limit=500))] * 100)
    error = next(result for result in results if isinstance(result, CommandError))
    assert error.reason == "RATE" and error.retry_after_s > 0
    assert len(results) - sum(isinstance(result, CommandError) for result in results) < 60
