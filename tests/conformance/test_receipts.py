"""Receipts: whether a message was read. proto/README.md, "Receipts"."""

import pytest

from support import schema
from support.ids import new_id
from support.town import refused

AWAITED_MAX = 256


def send(client, to, text="x"):
    return client.message(to, text)


def ask(client, sent, wait=False):
    return client.call("await_read", id=sent.id, wait=wait)


def told(client):
    """The ids of the messages of which the client was told that they were read, in order."""
    client.ping()
    return [event.message_read.id for event in client.receipts]


def no_receipts(client, choice=schema.CHOICE_OFF):
    return client.call("change_settings", receipts=choice).receipts


# ---- asking ----

def test_the_sender_learns_whether_the_cursor_came_to_the_message(town):
    alice, bob = town.join(), town.join()
    first, second = send(alice, bob.user), send(alice, bob.user)
    assert not ask(alice, first).read
    bob.ack_read(1)
    answer = ask(alice, first)
    assert answer.read and answer.id == first.id and answer.user == bob.user
    assert not ask(alice, second).read
    bob.ack_read(2)
    assert ask(alice, second).read


def test_received_is_not_read(town):
    alice, bob = town.join(), town.join()
    sent = send(alice, bob.user)
    bob.call("ack", received=1)
    assert not ask(alice, sent).read


def test_a_message_is_named_by_its_place_in_the_sender_s_own_inbox_too(town):
    alice, bob = town.join(), town.join()
    bob.message(alice.user, "the first one in alice's inbox")
    sent = send(alice, bob.user)
    assert sent.seq == 2
    answer = alice.call("await_read", seq=2)
    assert answer.id == sent.id and answer.user == bob.user and not answer.read
    bob.ack_read(2)
    assert alice.call("await_read", seq=2).read


def test_only_the_sender_may_ask_and_others_can_t_tell_whether_it_is_there(town):
    alice, bob, carol = town.join_many(3)
    sent = send(alice, bob.user)
    unknown = refused("NOT_FOUND", carol.call, "await_read", id=new_id())
    for client in (bob, carol):
        error = refused("NOT_FOUND", ask, client, sent)
        assert (error.reason, error.message) == ("NO_SUCH_MESSAGE", unknown.message)
    # Bob's inbox has it as entry 1, but he did not send it; there is no entry 2, and Carol has none.
    for client, seq in ((bob, 1), (bob, 2), (carol, 1), (carol, 2**63)):
        assert refused("NOT_FOUND", client.call, "await_read", seq=seq).reason == "NO_SUCH_MESSAGE"


def test_what_is_no_message_is_not_found(town, thread):
    alice = town.join()
    post = new_id()
    alice.call("post_to_thread", id=post, thread=thread, text="x")
    assert refused("NOT_FOUND", alice.call, "await_read", id=post).reason == "NO_SUCH_MESSAGE"


def test_a_question_must_name_one_message(town):
    alice = town.join()
    sent = send(alice, town.name())
    assert refused("INVALID", alice.call, "await_read").reason == "BAD_ID"
    assert refused("INVALID", alice.call, "await_read", id=b"x" * 15).reason == "BAD_ID"
    assert refused("INVALID", alice.call, "await_read", id=sent.id, seq=sent.seq).reason == "BAD_VALUE"


# ---- waiting ----

def test_who_waits_is_told_once_when_it_is_read(town):
    alice, bob = town.join(), town.join()
    sent = send(alice, bob.user)
    assert not ask(alice, sent, wait=True).read
    assert told(alice) == []
    bob.ack_read(1)
    event = alice.wait(lambda: alice.receipts)[0]
    assert event.message_read.id == sent.id and event.message_read.user == bob.user
    assert event.seq == 0 and event.time_us >= sent.time_us
    send(alice, bob.user)
    bob.ack_read(2)
    assert told(alice) == [sent.id]


def test_only_the_session_that_waits_is_told(town):
    alice, bob = town.join(), town.join()
    other, carol = town.join(alice.user, online=False), town.join()
    sent = send(alice, bob.user)
    ask(alice, sent, wait=True)
    bob.ack_read(1)
    alice.wait(lambda: alice.receipts)
    assert told(other) == told(carol) == told(bob) == []


def test_one_ack_tells_all_that_it_passed_in_order_and_no_more(town):
    alice, carol, bob = town.join_many(3)
    order = [send(client, bob.user, str(n)) for n, client in enumerate([alice, carol] * 10)]
    for n in (7, 19, 0, 12, 3, 18, 2, 9, 15, 4, 6, 1):
        ask([alice, carol][n % 2], order[n], wait=True)
    bob.ack_read(13)
    alice.wait(lambda: len(alice.receipts) == 5)
    assert told(alice) == [order[n].id for n in (0, 2, 4, 6, 12)]
    assert told(carol) == [order[n].id for n in (1, 3, 7, 9)]
    bob.ack_read(20)
    alice.wait(lambda: len(alice.receipts) == 6)
    assert told(alice)[5:] == [order[18].id]
    assert told(carol)[4:] == [order[15].id, order[19].id]


def test_what_is_read_already_is_not_waited_for(town):
    alice, bob = town.join(), town.join()
    sent = send(alice, bob.user)
    bob.ack_read(1)
    assert ask(alice, sent, wait=True).read
    send(alice, bob.user)
    bob.ack_read(2)
    assert told(alice) == []


def test_a_recipient_who_is_away_reads_later(town):
    alice, bob = town.join(), town.name()
    sent = send(alice, bob)
    ask(alice, sent, wait=True)
    town.join(bob).ack_read(1)
    alice.wait(lambda: alice.receipts)


def test_a_wait_can_be_taken_back(town):
    alice, bob = town.join(), town.join()
    sent = send(alice, bob.user)
    ask(alice, sent, wait=True)
    assert not ask(alice, sent).read
    bob.ack_read(1)
    assert ask(alice, sent).read
    assert told(alice) == []


def test_waits_end_with_the_session(town_factory):
    town = town_factory()
    alice, bob = town.join(), town.join()
    name, sent = alice.user, send(alice, bob.user)
    ask(alice, sent, wait=True)
    assert town.stats()["receipts_awaited"] == 1
    alice.logout()
    assert town.stats()["receipts_awaited"] == 0
    alice.login(name)
    bob.ack_read(1)
    assert told(alice) == []
    ask(alice, send(alice, bob.user), wait=True)
    alice.close()
    bob.wait(lambda: town.stats()["receipts_awaited"] == 0)


def test_a_session_waits_for_so_many_and_no_more(town):
    alice, bob = town.join(), town.join()
    sent = [send(alice, bob.user, str(n)) for n in range(AWAITED_MAX + 1)]
    for one in sent[:-1]:
        ask(alice, one, wait=True)
    error = refused("BUSY", ask, alice, sent[-1], wait=True)
    assert error.reason == "QUOTA" and str(AWAITED_MAX) in error.message
    assert not ask(alice, sent[-1]).read, "asking alone is free"
    ask(alice, sent[0], wait=True)  # is waited for already
    bob.ack_read(1)
    alice.wait(lambda: alice.receipts)
    ask(alice, sent[-1], wait=True)
    bob.ack_read(AWAITED_MAX + 1)
    alice.wait(lambda: len(alice.receipts) == AWAITED_MAX + 1)
    assert told(alice) == [one.id for one in sent]


def test_a_lost_session_asks_again_after_a_restart_of_the_broker(town_factory):
    town = town_factory()
    alice, bob = town.join(), town.join()
    sent = send(alice, bob.user)
    ask(alice, sent, wait=True)
    town.broker.restart()
    alice.resume()
    bob.resume()
    assert not ask(alice, sent, wait=True).read
    bob.ack_read(1)
    alice.wait(lambda: alice.receipts)


# ---- who tells nobody ----

@pytest.mark.parametrize("blocker", ["sender", "recipient"])
def test_during_a_block_nothing_is_told(town, blocker):
    alice, bob = town.join(), town.join()
    sent = send(alice, bob.user)
    ask(alice, sent, wait=True)
    who, whom = (alice, bob) if blocker == "sender" else (bob, alice)
    who.block(whom.user)
    reason = refused("FORBIDDEN", ask, alice, sent).reason
    assert reason == ("BLOCKED_BY_YOU" if blocker == "sender" else "BLOCKED_BY_THEM")
    bob.ack_read(1)
    assert told(alice) == []
    who.unblock(whom.user)
    assert told(alice) == []
    assert ask(alice, sent).read


def test_who_sends_no_receipts_tells_nobody(town):
    alice, bob = town.join(), town.join()
    first, second = send(alice, bob.user), send(alice, bob.user)
    ask(alice, first, wait=True)
    assert no_receipts(bob) == schema.CHOICE_OFF
    error = refused("FORBIDDEN", ask, alice, second)
    assert error.reason == "NO_RECEIPTS" and bob.user in error.message
    bob.ack_read(1)
    assert told(alice) == []
    assert no_receipts(bob, schema.CHOICE_ON) == schema.CHOICE_ON
    assert ask(alice, first).read and not ask(alice, second, wait=True).read
    bob.ack_read(2)
    alice.wait(lambda: alice.receipts)
    assert told(alice) == [second.id]


def test_no_receipts_is_what_the_account_chose_on_all_devices_and_over_a_restart(town_factory):
    town = town_factory()
    alice, bob = town.join(), town.join()
    sent = send(alice, bob.user)
    assert no_receipts(bob, schema.CHOICE_UNSPECIFIED) == schema.CHOICE_ON
    no_receipts(bob)
    town.broker.restart()
    alice.resume()
    bob.resume()
    assert no_receipts(town.join(bob.user, online=False), schema.CHOICE_UNSPECIFIED) == schema.CHOICE_OFF
    refused("FORBIDDEN", ask, alice, sent)


def test_a_choice_that_is_none_is_refused(town):
    assert refused("INVALID", town.join().call, "change_settings", receipts=3).reason == "BAD_VALUE"


def test_it_is_counted(town_factory):
    town = town_factory()
    alice, bob = town.join(), town.join()
    ask(alice, send(alice, bob.user), wait=True)
    assert town.stats()["receipts_awaited"] == 1
    bob.ack_read(1)
    alice.wait(lambda: alice.receipts)
    stats = town.stats()
    assert stats["receipts_awaited"] == 0 and stats["receipts_total"] == 1


def test_what_corrects_a_message_or_takes_it_back_is_read_like_one(town):
    alice, bob = town.join(), town.join()
    first = alice.message(bob.user, "hello")
    bob.wait_have(1)
    bob.ack_read(1)
    for sent in alice.message(bob.user, "hallo", corrects=first.id), alice.message(bob.user, "", retracts=first.id):
        assert not alice.call("await_read", id=sent.id).read
        bob.wait_have(sent.seq)
        bob.ack_read(sent.seq)
        assert alice.call("await_read", id=sent.id).read
