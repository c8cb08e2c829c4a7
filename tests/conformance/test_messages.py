"""send: what it does, what it refuses, what it does to a text. COMMANDS.md, "People"."""

import time

import pytest

from support.client import CommandError, make_command, new_id, sender
from support.town import refused


@pytest.fixture
def pair(town):
    """Two who are online."""
    return town.join(), town.join()


def same(reply, first):
    """Whether two replies tell of the same message."""
    return (reply.id, reply.seq, reply.time_us) == (first.id, first.seq, first.time_us)


def test_the_reply_says_where_and_when(pair):
    alice, bob = pair
    id, before = new_id(), time.time_ns() // 1000
    reply = alice.message(bob.user, "hello", id)
    assert reply.id == id
    assert reply.seq == 1
    assert abs(reply.time_us - before) < 60_000_000
    assert reply.delivered
    arrived = bob.wait_text("hello")
    assert arrived.message.id == id and arrived.time_us == reply.time_us
    assert (sender(arrived), arrived.message.to) == (alice.user, bob.user)


def test_the_number_in_the_reply_is_the_one_in_the_senders_inbox(pair):
    alice, bob = pair
    for n in range(3):
        alice.message(bob.user, f"to bob {n}")
    reply = bob.message(alice.user, "to alice")
    assert bob.wait_text("to alice").seq == reply.seq == 4
    assert alice.wait_text("to alice").seq == 4


def test_for_one_who_is_away_it_is_stored_and_waits(town):
    alice, bob = town.join(), town.name()
    for n in range(3):
        assert not alice.message(bob, f"message {n}").delivered
    client = town.join(bob)
    client.wait_have(3)
    assert client.texts() == ["message 0", "message 1", "message 2"]
    assert [event.seq for event in client.inbox] == [1, 2, 3]


def test_it_is_not_delivered_where_no_session_takes_messages(town):
    alice = town.join()
    bob = town.join(inbox=False)
    assert not alice.message(bob.user, "you are online, but deaf").delivered
    script = town.join(online=False, inbox=True)
    assert alice.message(script.user, "a script listens").delivered


def test_messages_arrive_in_their_order_and_once(pair):
    alice, bob = pair
    commands = [("send_message", dict(id=new_id(), to=bob.user, text=str(n))) for n in range(1000)]
    requests = alice.start_batch(commands)
    replies = [alice.wait_reply(request) for request in requests]
    assert [reply.seq for reply in replies] == list(range(1, 1001))
    bob.wait_have(1000)
    assert bob.texts() == [str(n) for n in range(1000)]
    assert len({event.message.id for event in bob.inbox}) == 1000


def test_numbers_have_no_holes_when_several_write_at_once(town):
    writers, reader = town.join_many(4), town.join(fill=False)
    for writer in writers:
        writer.start_batch([("send_message", dict(id=new_id(), to=reader.user, text=f"{writer.user} {n}"))
                            for n in range(200)])
    reader.wait(lambda: len(reader.pushed) >= 800, what="800 pushed messages")
    assert [event.seq for event in reader.pushed] == list(range(1, 801))
    for writer in writers:
        mine = [text for text in reader.texts() if text.startswith(writer.user)]
        assert mine == [f"{writer.user} {n}" for n in range(200)]


def test_a_retry_under_the_same_id_is_the_same_message(pair):
    alice, bob = pair
    id = new_id()
    first = alice.message(bob.user, "once", id)
    assert same(alice.message(bob.user, "once", id), first)
    assert same(alice.message(bob.user.upper(), "once", id), first)
    alice.message(bob.user, "after it")
    bob.wait_text("after it")
    assert bob.texts() == ["once", "after it"]


def test_a_retry_gets_the_very_reply_of_the_first_one(pair, town):
    alice, bob = pair
    there, id = bob.user, new_id()
    first = alice.message(there, "once", id)
    assert first.delivered
    bob.logout()
    assert alice.message(there, "once", id) == first
    away, id = town.name(), new_id()
    first = alice.message(away, "later", id)
    assert not first.delivered
    reader = town.join(away)
    reader.wait_text("later")
    assert alice.message(away, "later", id) == first


def test_a_retry_in_the_same_frame_is_the_same_message(pair):
    alice, bob = pair
    command = ("send_message", dict(id=new_id(), to=bob.user, text="once"))
    first, second = alice.batch([command, command])
    assert same(first, second)
    bob.ping()
    assert bob.texts() == ["once"]


def test_a_retry_from_another_device_and_after_a_block_is_the_same_message(pair, town):
    alice, bob = pair
    id = new_id()
    first = alice.message(bob.user, "once", id)
    other = town.join(alice.user)
    assert same(other.message(bob.user, "once", id), first)
    bob.block(alice.user)
    assert same(other.message(bob.user, "once", id), first)


def test_a_text_that_differs_only_in_what_is_removed_is_the_same_message(pair):
    alice, bob = pair
    id = new_id()
    first = alice.message(bob.user, "on\x1b[1mce", id)
    assert same(alice.message(bob.user, "once", id), first)


def test_the_same_id_with_other_content_is_a_conflict(pair, town):
    alice, bob = pair
    id = new_id()
    alice.message(bob.user, "once", id)
    refused("CONFLICT", alice.message, bob.user, "twice", id)
    refused("CONFLICT", alice.message, town.name(), "once", id)
    refused("CONFLICT", bob.message, alice.user, "once", id)
    assert alice.sync().head == bob.sync().head == 1


@pytest.mark.parametrize("id", [b"", b"x", bytes(16), b"\xff" * 16, new_id() + b"x",
                                bytes.fromhex("5f0c63e2b7e24f1aa9d60c9f0a5b1c2d")])
def test_an_id_is_a_uuid_of_version_7(pair, id):
    alice, bob = pair
    refused("INVALID", alice.call, "send_message", id=id, to=bob.user, text="hello")


def test_to_nobody_is_not_found(pair):
    refused("NOT_FOUND", pair[0].message, "nobody.at.all", "hello")


def test_to_what_is_no_name_is_refused(pair):
    for name in ("", "two words", "x" * 33):
        with pytest.raises(CommandError) as error:
            pair[0].message(name, "hello")
        assert error.value.code in ("INVALID", "NOT_FOUND")


def test_to_oneself_is_invalid(pair):
    alice, _ = pair
    refused("INVALID", alice.message, alice.user, "hello")
    refused("INVALID", alice.message, alice.user.upper(), "hello")


def test_upper_case_names_fold(pair):
    alice, bob = pair
    alice.message(bob.user.upper(), "HELLO")
    assert bob.wait_text("HELLO").message.to == bob.user


def test_a_block_forbids_it_and_the_text_says_which_way(pair):
    alice, bob = pair
    alice.block(bob.user)
    own = refused("FORBIDDEN", alice.message, bob.user, "hello")
    other = refused("FORBIDDEN", bob.message, alice.user, "hello")
    assert own.message.replace(bob.user, "X") != other.message.replace(alice.user, "X")
    bob.block(alice.user)
    refused("FORBIDDEN", alice.message, bob.user, "hello")
    assert alice.sync().head == bob.sync().head == 0


def test_require_online_stores_nothing_for_one_who_is_not(town):
    alice, bob = town.join(), town.name()
    refused("FORBIDDEN", alice.message, bob, "are you there?", require_online=True)
    script = town.join(bob, online=False)
    refused("FORBIDDEN", alice.message, bob, "are you there?", require_online=True)
    assert script.sync().head == alice.sync().head == 0
    person = town.join(bob)
    assert alice.message(bob, "now you are", require_online=True).delivered
    person.wait_text("now you are")


def test_require_online_of_nobody_is_not_found(pair):
    refused("NOT_FOUND", pair[0].message, "nobody.at.all", "hello", require_online=True)


def test_a_command_without_a_number_is_done_and_gets_no_reply(pair):
    alice, bob = pair
    alice.send([make_command(0, "send_message", id=new_id(), to=bob.user, text="no reply, please"),
                make_command(0, "send_message", id=new_id(), to="nobody.at.all", text="nor an error")])
    bob.wait_text("no reply, please")
    alice.ping()
    assert alice.replies == {}


def test_a_batch_is_answered_command_by_command_in_order(pair):
    alice, bob = pair
    results = alice.batch([
        ("send_message", dict(id=new_id(), to=bob.user, text="one")),
        ("send_message", dict(id=new_id(), to="nobody.at.all", text="two")),
        ("send_message", dict(id=new_id(), to=bob.user, text="three"))])
    assert [getattr(result, "seq", None) for result in results] == [1, None, 2]
    assert results[1].code == "NOT_FOUND"


# ---- texts ----

def test_a_text_is_1_byte_to_16_kib(pair):
    alice, bob = pair
    refused("INVALID", alice.message, bob.user, "")
    refused("INVALID", alice.message, bob.user, "x" * (16 * 1024 + 1))
    refused("INVALID", alice.message, bob.user, "€" * (16 * 1024 // 3 + 1))
    for text in ("x", "x" * 16 * 1024, "€" * (16 * 1024 // 3)):
        alice.message(bob.user, text)
        bob.wait_text(text)


def test_the_limit_counts_what_remains(pair):
    alice, bob = pair
    alice.message(bob.user, "\x1b[31m" + "x" * 16 * 1024)
    bob.wait_text("x" * 16 * 1024)


@pytest.mark.parametrize("text", ["\x1b[31m", "\x07", "\u200b", "\u202e\u2066"])
def test_a_text_of_which_nothing_remains_is_invalid(pair, text):
    alice, bob = pair
    refused("INVALID", alice.message, bob.user, text)


CLEANED = {
    "bell": ("a\x07b", "ab"),
    "newline and tab stay": ("a\n\tb", "a\n\tb"),
    "carriage return": ("a\rb", "ab"),
    "delete": ("a\x7fb", "ab"),
    "colour": ("a\x1b[1;31mb\x1b[0m", "ab"),
    "cursor": ("a\x1b[2J\x1b[Hb", "ab"),
    "title": ("a\x1b]0;owned\x07b", "ab"),
    "title with terminator": ("a\x1b]0;owned\x1b\\b", "ab"),
    "device control": ("a\x1bP1$r\x1b\\b", "ab"),
    "reset": ("a\x1bcb", "ab"),
    "lone escape": ("ab\x1b", "ab"),
    "8 bit sequence": ("a\x9b31mb", "ab"),
    "8 bit control": ("a\x85b", "ab"),
    "bidi override": ("a\u202eb\u202c", "ab"),
    "bidi isolate": ("a\u2066b\u2069", "ab"),
    "bidi marks": ("a\u200e\u200f\u061cb", "ab"),
    "zero width": ("a\u200b\ufeffb", "ab"),
    "line ends of Unicode become newlines": ("a\u2028b\u2029c", "a\nb\nc"),
    "joiners between Latin letters": ("a\u200cb\u200dc", "abc"),
    "joiners of Persian stay": ("می\u200cخواهم", "می\u200cخواهم"),
    "families stay": ("👨\u200d👩\u200d👧", "👨\u200d👩\u200d👧"),
    "a row of joiners": ("👨\u200d\u200d\u200d👩", "👨\u200d👩"),
    "other scripts stay": ("日本語 עברית ✓ 🙂", "日本語 עברית ✓ 🙂"),
}


@pytest.mark.parametrize("case", CLEANED)
def test_what_must_not_reach_a_terminal_is_removed(pair, case):
    alice, bob = pair
    given, expected = CLEANED[case]
    alice.message(bob.user, given)
    bob.wait_have(1)
    assert bob.texts() == [expected]


# ---- several devices ----

def test_ones_other_device_sees_what_one_sends(town):
    user, bob = town.name(), town.join()
    laptop, phone = town.join(user), town.join(user)
    reply = laptop.message(bob.user, "from the laptop")
    copy = phone.wait_text("from the laptop")
    assert (sender(copy), copy.message.to, copy.seq) == (user, bob.user, reply.seq)
    laptop.wait_text("from the laptop")
