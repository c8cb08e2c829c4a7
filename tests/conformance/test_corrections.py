"""Messages about earlier ones: what corrects a text, and what takes it back. proto/README.md, "The inbox"."""

import pytest

from support.client import new_id
from support.town import refused


@pytest.fixture
def pair(town):
    """Two who are online."""
    return town.join(), town.join()


def texts(found):
    """What a search found, the newest first."""
    return [hit.message.message.text for hit in found]


def retract(client, to, original, id=None):
    return client.message(to, "", id, retracts=original)


def test_a_correction_reaches_both_like_a_message_and_names_the_original(pair):
    alice, bob = pair
    first = alice.message(bob.user, "at noon")
    reply = alice.message(bob.user, "at dusk", corrects=first.id)
    assert reply.seq == 2 and reply.delivered
    arrived = bob.wait_text("at dusk")
    assert (arrived.message.corrects, arrived.message.retracts) == (first.id, b"")
    assert alice.wait_text("at dusk").message.corrects == first.id
    for member in pair:
        entries = member.sync().events
        assert [entry.message.corrects for entry in entries] == [b"", first.id]
        assert entries == member.call("read_history").events


def test_what_takes_a_message_back_has_no_text(pair):
    alice, bob = pair
    first = alice.message(bob.user, "I quit")
    retract(alice, bob.user, first.id)
    bob.wait_have(2)
    alice.wait_have(2)
    for member in pair:
        last = member.inbox[-1]
        assert (last.message.text, last.message.retracts, last.message.corrects) == ("", first.id, b"")
        assert [entry.message.text for entry in member.sync().events] == ["I quit", ""]


def test_it_waits_for_one_who_is_away(town):
    alice, name = town.join(), town.name()
    first = alice.message(name, "one")
    assert not alice.message(name, "two", corrects=first.id).delivered
    refused("FORBIDDEN", alice.message, name, "three", corrects=first.id, require_online=True)
    bob = town.join(name)
    bob.wait_have(2)
    assert [event.message.corrects for event in bob.inbox] == [b"", first.id]


def test_a_message_is_corrected_again_by_the_name_of_the_first(pair):
    alice, bob = pair
    first = alice.message(bob.user, "one")
    second = alice.message(bob.user, "two", corrects=first.id)
    error = refused("INVALID", alice.message, bob.user, "three", corrects=second.id)
    assert error.reason == "BAD_VALUE"
    alice.message(bob.user, "three", corrects=first.id)
    bob.wait_text("three")
    assert bob.texts() == ["one", "two", "three"]


def test_only_the_author_to_the_same_recipient_may(pair, town):
    alice, bob = pair
    carol = town.join()
    first = alice.message(bob.user, "hello")
    told = [
        refused("NOT_FOUND", alice.message, bob.user, "x", corrects=new_id()),
        refused("NOT_FOUND", carol.message, bob.user, "x", corrects=first.id),
        refused("FORBIDDEN", bob.message, alice.user, "x", corrects=first.id),
        refused("FORBIDDEN", alice.message, carol.user, "x", corrects=first.id),
        refused("FORBIDDEN", retract, bob, alice.user, first.id),
    ]
    assert [error.reason for error in told] == ["NO_SUCH_MESSAGE", "NO_SUCH_MESSAGE", "NOT_AUTHOR",
                                                "ANOTHER_RECIPIENT", "NOT_AUTHOR"]
    assert alice.sync().head == bob.sync().head == 1 and carol.sync().head == 0


def test_what_was_taken_back_stays_so(pair):
    alice, bob = pair
    first = alice.message(bob.user, "hello")
    alice.message(bob.user, "hallo", corrects=first.id)
    retract(alice, bob.user, first.id)
    again = refused("CONFLICT", alice.message, bob.user, "x", corrects=first.id)
    twice = refused("CONFLICT", retract, alice, bob.user, first.id)
    assert again.reason == twice.reason == "MESSAGE_RETRACTED"
    assert bob.sync().head == 3


def test_a_retry_is_the_same_and_other_facts_are_a_conflict(pair):
    alice, bob = pair
    first, other = alice.message(bob.user, "hello"), alice.message(bob.user, "other")
    change, end = new_id(), new_id()
    changed = alice.message(bob.user, "hallo", change, corrects=first.id)
    ended = retract(alice, bob.user, first.id, end)
    assert alice.message(bob.user, "hallo", change, corrects=first.id) == changed
    assert retract(alice, bob.user, first.id, end) == ended
    for id, text, facts in ((change, "hallo", {}), (change, "hallo", dict(corrects=other.id)),
                            (end, "", dict(retracts=other.id)), (first.id, "hello", dict(corrects=other.id))):
        assert refused("CONFLICT", alice.message, bob.user, text, id, **facts).reason == "ID_USED"
    assert bob.sync().head == 4


def test_what_makes_no_sense_is_invalid(pair):
    alice, bob = pair
    first = alice.message(bob.user, "hello")
    assert refused("INVALID", alice.message, bob.user, "x", corrects=first.id, retracts=first.id).reason == "BAD_VALUE"
    assert refused("INVALID", alice.message, bob.user, "x", retracts=first.id).reason == "BAD_VALUE"
    assert refused("INVALID", alice.message, bob.user, "", corrects=first.id).reason == "EMPTY_TEXT"
    for id in (b"x", bytes(16), first.id + b"x"):
        assert refused("INVALID", alice.message, bob.user, "x", corrects=id).reason == "BAD_ID"
        assert refused("INVALID", retract, alice, bob.user, id).reason == "BAD_ID"
    assert alice.message(bob.user, "fine", corrects=b"", retracts=b"").seq == 2


def test_a_block_keeps_the_past_as_it_is(pair):
    alice, bob = pair
    first = alice.message(bob.user, "hello")
    bob.block(alice.user)
    assert refused("FORBIDDEN", alice.message, bob.user, "x", corrects=first.id).reason == "BLOCKED_BY_THEM"
    assert refused("FORBIDDEN", retract, alice, bob.user, first.id).reason == "BLOCKED_BY_THEM"
    bob.unblock(alice.user)
    retract(alice, bob.user, first.id)


def test_a_search_finds_what_stands(pair):
    alice, bob = pair
    first = alice.message(bob.user, "a wombat in the garden")
    alice.message(bob.user, "the wombat again")
    alice.message(bob.user, "a numbat in the garden", corrects=first.id)
    for member in pair:
        assert texts(member.search("wombat")) == ["the wombat again"]
        [hit] = member.search("numbat")
        assert hit.message.message.corrects == first.id
    retract(alice, bob.user, first.id)
    for member in pair:
        assert member.search("numbat") == member.search("garden") == []


def test_it_holds_over_a_restart(town_factory):
    town = town_factory()
    alice, bob = town.join(), town.join()
    first, second = alice.message(bob.user, "one ibis"), alice.message(bob.user, "two emus")
    alice.message(bob.user, "one kiwi", corrects=first.id)
    retract(alice, bob.user, second.id)
    town.broker.kill()
    town.broker.restart()
    alice, bob = town.join(alice.user), town.join(bob.user)
    assert refused("CONFLICT", alice.message, bob.user, "x", corrects=second.id).reason == "MESSAGE_RETRACTED"
    assert [entry.message.retracts for entry in bob.sync().events] == [b"", b"", b"", second.id]
    assert texts(bob.search("one")) == ["one kiwi"] and bob.search("emus") == []
