"""Private chats that are open: a link that is renewed, what ends a chat, what passes through it. COMMANDS.md,
"Private chats"; the way between the peers is support/private.py's, from peer.proto."""

import os
import time

import pytest

from support import schema
from support.broker import program, run
from support.client import Keys
from support.ids import new_id
from support.private import CHAT, Invitation, Peer, answer, assert_told_nothing, ended, invite, pair
from support.tap import Tap
from support.town import refused

PASSWORD = "a-password-of-private-chats"


# ---- renewing a link: the program that has the chat is asked, and no other one ----

def opened(town):
    """alice, bob and a chat that both have open."""
    alice, bob = pair(town)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.answered()
    chat.open()
    return alice, bob, chat


def test_a_renewal_asks_the_session_that_has_the_chat_and_no_other_of_its_user(town):
    alice, bob, chat = opened(town)
    second = town.join(bob.user, **CHAT)
    again = Invitation(alice, bob, again=chat.id)
    assert_told_nothing(second)
    refused("FORBIDDEN", answer, second, again.id, accept=False)
    assert_told_nothing(alice)
    again.answer()
    assert again.answered().answer == schema.PRIVATE_ANSWER_ACCEPTED
    assert_told_nothing(second)


def test_a_renewal_that_is_taken_back_is_no_news_for_other_sessions(town):
    alice, bob, chat = opened(town)
    second = town.join(bob.user, **CHAT)
    again = Invitation(alice, bob, again=chat.id)
    alice.call("close_private", id=again.id)
    assert ended(bob, again.id).reason == schema.PRIVATE_END_WITHDRAWN
    assert_told_nothing(second)


def test_a_renewal_waits_for_the_session_that_had_the_chat(town):
    """A program that lost its connection to the broker is back in a moment, with the chat."""
    alice, bob, chat = opened(town)
    second = town.join(bob.user, **CHAT)
    bob.close()
    assert ended(alice, chat.id).reason == schema.PRIVATE_END_GONE
    refused("CONFLICT", invite, alice, second.user, again=chat.id)
    assert_told_nothing(second)
    back = town.join(second.user, **CHAT)
    back.call("open_private", id=chat.id, user=alice.user)
    again = Invitation(alice, back, again=chat.id)
    assert_told_nothing(second)
    again.answer()
    assert again.answered().answer == schema.PRIVATE_ANSWER_ACCEPTED


def test_a_renewal_ends_with_the_session_that_was_asked(town):
    alice, bob, chat = opened(town)
    town.join(bob.user, **CHAT)
    again = Invitation(alice, bob, again=chat.id)
    bob.logout()
    assert again.answered().answer == schema.PRIVATE_ANSWER_GONE


def test_a_renewal_of_a_chat_that_nobody_has_asks_nobody(town):
    alice, bob = pair(town)
    _, _, chat = opened(town)
    for id in (new_id(), chat.id):
        refused("CONFLICT", invite, alice, bob.user, again=id)
    assert_told_nothing(bob)


# ---- open chats ----

@pytest.mark.parametrize("by_inviter", [True, False])
def test_a_block_ends_an_open_chat_and_tells_both(town, by_inviter):
    alice, bob = pair(town)
    carol, chat = town.join(**CHAT), Invitation(alice, bob)
    chat.answer()
    chat.answered()
    chat.open()
    blocker, blocked = (alice, bob) if by_inviter else (bob, alice)
    blocker.block(blocked.user)
    for client, other in ((alice, bob), (bob, alice)):
        told = ended(client, chat.id)
        assert (told.user, told.reason) == (other.user, schema.PRIVATE_END_BLOCKED)
        refused("FORBIDDEN", client.call, "open_private", id=chat.id, user=other.user)
    assert_told_nothing(alice, bob, carol)


@pytest.mark.parametrize("leave", ["logout", "close"])
@pytest.mark.parametrize("inviter_stays", [True, False])
def test_the_one_who_stays_learns_that_the_other_ones_session_ended(town, leave, inviter_stays):
    alice, bob = pair(town)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.answered()
    chat.open()
    stays, leaves = (alice, bob) if inviter_stays else (bob, alice)
    user = leaves.user
    getattr(leaves, leave)()
    told = ended(stays, chat.id)
    assert (told.user, told.reason) == (user, schema.PRIVATE_END_GONE)


def test_the_one_who_stays_learns_that_the_other_ones_device_was_revoked(town):
    """The link lives on where whoever has the device keeps it: the chat is over, not its session gone."""
    alice = town.join(**CHAT)
    bob = town.join(**CHAT)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.answered()
    chat.open()
    device, = [device.number for device in bob.call("list_devices").devices if device.key == bob.keys.raw]
    town.join(bob.user).call("revoke_device", device=device)
    told = ended(alice, chat.id)
    assert (told.user, told.reason) == (bob.user, schema.PRIVATE_END_WITHDRAWN)


@pytest.mark.parametrize("leave", ["told nothing", "closed", "logout"])
def test_who_told_nothing_of_a_chat_or_left_before_is_revoked_as_well(town, leave):
    """A program that means no good need not tell the broker of its end."""
    alice = town.join(**CHAT)
    bob = town.join(**CHAT)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.answered()
    alice.call("open_private", id=chat.id, user=bob.user)
    device, = [device.number for device in bob.call("list_devices").devices if device.key == bob.keys.raw]
    user = bob.user
    if leave != "told nothing":
        bob.call("open_private", id=chat.id, user=alice.user)
    if leave == "closed":
        bob.call("close_private", id=chat.id)
    if leave == "logout":
        bob.logout()
        assert ended(alice, chat.id).reason == schema.PRIVATE_END_GONE
    town.join(user).call("revoke_device", device=device)
    assert ended(alice, chat.id).reason == schema.PRIVATE_END_WITHDRAWN


def test_a_locked_accounts_chats_end(town):
    alice = town.join(**CHAT)
    bob = town.join(**CHAT)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.answered()
    alice.call("open_private", id=chat.id, user=bob.user)
    user = bob.user
    bob.logout()
    run([program("zchatd"), "user", "lock", user, "--data", town.broker.data], check=0)
    assert ended(alice, chat.id).reason == schema.PRIVATE_END_WITHDRAWN


def test_a_closed_chat_is_not_ended_again(town):
    alice, bob = pair(town)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.answered()
    chat.open()
    for client in (alice, bob, alice):
        client.call("close_private", id=chat.id)
    alice.block(bob.user)
    assert_told_nothing(alice, bob)


def test_a_chat_is_opened_again_after_a_lost_connection(town):
    alice, bob = pair(town)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.open()
    alice.resume()
    alice.call("open_private", id=chat.id, user=bob.user)
    refused("CONFLICT", invite, bob, alice.user)
    bob.block(alice.user)
    assert ended(alice, chat.id).reason == schema.PRIVATE_END_BLOCKED
    told = ended(bob, chat.id)
    if told.reason == schema.PRIVATE_END_GONE:  # the broker noticed the loss before the new login
        told = ended(bob, chat.id)
    assert told.reason == schema.PRIVATE_END_BLOCKED


def test_opening_has_its_errors(town):
    alice, bob = pair(town)
    carol, chat = town.join(**CHAT), Invitation(alice, bob)
    chat.answer()
    chat.open()
    refused("CONFLICT", carol.call, "open_private", id=chat.id, user=bob.user)
    refused("NOT_FOUND", alice.call, "open_private", id=new_id(), user=town.fresh_name())
    refused("INVALID", alice.call, "open_private", id=b"short", user=bob.user)


def test_active_counts_against_the_idle_timeout(town_factory):
    town = town_factory("--timeout", "3", accounts=1)
    client, start = town.join(**CHAT), time.monotonic()
    while time.monotonic() - start < 6.6:
        client.call("active")
        client.pump(0.3)
    assert client.ended is None


# ---- the chat itself ----

def member(town):
    """A registered user with a device key of his own."""
    client = town.guest(Keys())
    name = town.fresh_name()
    client.register(name, PASSWORD)
    client.login(name, PASSWORD, **CHAT)
    return client


def test_peers_talk_straight_and_the_broker_sees_none_of_it(town_factory):
    town = town_factory("--log-level", "debug", accounts=0)
    alice, bob = member(town), member(town)
    for client in (alice, bob):
        client.batches = []
    invitation = Invitation(alice, bob)
    with Peer.accepting(bob.keys, invitation.invited.key) as his:
        nonce = invitation.answer(port=his.port)
        told = invitation.answered()
        with Tap(told.endpoint) as tap, Peer.inviting(alice.keys, told.key, tap.address) as hers:
            hers.hello(alice.user, invitation.id, told.nonce)
            assert his.next("hello").nonce == nonce
            his.hello(bob.user, invitation.id)
            assert hers.next("hello").user == bob.user
            invitation.open()
            town.broker.kill()
            for sender, receiver, text in ((hers, his, "hers-und-secret"), (his, hers, "his-und-secret")):
                sender.line(1, text)
                assert receiver.next("line").text == text
                receiver.say("ack", received=1)
                assert sender.next("ack").received == 1
                assert text.encode() not in tap.data(), "between the peers it can be read"
                assert text not in town.broker.log_text()
            hers.say("bye")
            his.next("bye")
            assert nonce not in tap.data()
    assert nonce.hex() not in town.broker.log_text()
    town.broker.start()


def test_only_the_invited_key_gets_in(town_factory):
    town = town_factory(accounts=0)
    alice, bob = member(town), member(town)
    invitation = Invitation(alice, bob)
    with Peer.accepting(bob.keys, invitation.invited.key) as his:
        invitation.answer(port=his.port)
        told = invitation.answered()
        with Peer.inviting(Keys(), told.key, told.endpoint) as stranger:
            stranger.hello("stranger", invitation.id, told.nonce)
            assert his.is_silent(0.5), "a stranger's key was admitted"
        with Peer.inviting(alice.keys, told.key, told.endpoint) as hers:
            hers.hello(alice.user, invitation.id, told.nonce)
            assert his.next("hello").nonce == told.nonce


def test_what_an_invitation_holds_is_nowhere_in_the_log_or_the_store(town_factory):
    town = town_factory("--log-level", "debug", accounts=2)
    alice, bob = pair(town)
    invitation, nonce = Invitation(alice, bob), os.urandom(32)
    invitation.answer(port=47113, address="10.9.8.7", nonce=nonce)
    invitation.answered()
    town.leave()
    town.broker.stop()
    stored = b"".join(path.read_bytes() for path in town.broker.data.rglob("*") if path.is_file())
    for secret in (nonce, nonce.hex().encode(), b"10.9.8.7", b"47113"):
        assert secret not in stored and secret not in town.broker.log_text().encode(), secret
    town.broker.start()
