"""Private chats: who may invite whom, one answer, what ends an invitation. COMMANDS.md, "Private chats"."""

import os
import time

import pytest

from support import schema
from support.client import CommandError
from support.ids import new_id
from support.private import CHAT, Invitation, answer, assert_told_nothing, ended, invite, invited, pair
from support.town import refused

INVITATION_US = 60 * 1_000_000
INVITATIONS_MAX = 64


# ---- inviting ----

def test_an_invitation_names_the_inviter_and_his_key(town):
    alice, bob = pair(town)
    before_us = time.time_ns() // 1000
    invitation = Invitation(alice, bob)
    told = invitation.invited
    assert (told.user, told.key, told.again) == (alice.user, alice.keys.raw, b"")
    assert told.expires_us == invitation.reply.expires_us
    assert before_us + INVITATION_US <= told.expires_us <= time.time_ns() // 1000 + INVITATION_US
    assert_told_nothing(alice, bob)


def test_upper_case_is_folded(town):
    alice, bob = pair(town)
    id = new_id()
    invite(alice, bob.user.upper(), id)
    assert invited(bob, id).user == alice.user


def test_every_session_that_takes_part_is_invited_and_no_other(town):
    alice, bob = pair(town)
    second, without, other = town.join(bob.user, **CHAT), town.join(bob.user), town.join(**CHAT)
    invitation = Invitation(alice, bob)
    assert invited(second, invitation.id) == invitation.invited
    assert_told_nothing(without, other)


def test_a_retry_invites_once(town):
    alice, bob = pair(town)
    invitation = Invitation(alice, bob)
    assert invite(alice, bob.user, invitation.id) == invitation.reply
    assert_told_nothing(bob)


def test_an_id_is_one_invitation(town):
    alice, bob = pair(town)
    carol, invitation = town.join(**CHAT), Invitation(alice, bob)
    refused("CONFLICT", invite, carol, bob.user, invitation.id)
    assert refused("CONFLICT", invite, alice, carol.user, invitation.id).reason == "ID_USED"
    assert_told_nothing(bob, carol)


def test_whom_one_can_not_invite(town):
    alice, bob = pair(town)
    refused("NOT_FOUND", invite, alice, town.fresh_name())
    refused("INVALID", invite, alice, alice.user)
    refused("NOT_FOUND", invite, alice, "not a name")
    offline, without, script = town.name(), town.join().user, town.join(online=False, inbox=False).user
    for user in (offline, script):
        assert "not online" in refused("FORBIDDEN", invite, alice, user).message
    told = refused("FORBIDDEN", invite, alice, without).message
    assert told == f"{without} is online, but with no program that takes private chats"
    refused("INVALID", invite, town.join(), bob.user)
    assert_told_nothing(bob)


@pytest.mark.parametrize("fields", [dict(id=b"short"), dict(id=b"x" * 17), dict(again=b"short")])
def test_ids_have_16_bytes(town, fields):
    alice, bob = pair(town)
    refused("INVALID", invite, alice, bob.user, **fields)
    assert_told_nothing(bob)


def test_a_block_refuses_in_both_directions_and_says_whose_it_is(town):
    alice, bob = pair(town)
    alice.block(bob.user)
    assert "you have blocked" in refused("FORBIDDEN", invite, alice, bob.user).message
    assert "has blocked you" in refused("FORBIDDEN", invite, bob, alice.user).message
    alice.unblock(bob.user)
    Invitation(alice, bob)


def test_without_a_login_nothing_goes(town):
    guest = town.guest()
    refused("AUTH", invite, guest, town.name())
    refused("AUTH", answer, guest, new_id())
    refused("AUTH", guest.call, "open_private", id=new_id(), user=town.name())
    refused("AUTH", guest.call, "close_private", id=new_id())
    refused("AUTH", guest.call, "active")


def test_a_second_invitation_is_a_conflict_until_the_first_is_answered(town):
    alice, bob = pair(town)
    first = Invitation(alice, bob)
    refused("CONFLICT", invite, alice, bob.user)
    refused("CONFLICT", invite, bob, alice.user)
    first.answer(accept=False)
    Invitation(alice, bob)


def test_two_invitations_in_one_frame_are_one(town):
    alice, bob = pair(town)
    ids = [new_id(), new_id()]
    results = alice.batch([("invite_private", dict(id=id, user=bob.user)) for id in ids])
    assert results[0].expires_us and results[1].code == "CONFLICT"
    invited(bob, ids[0])
    assert_told_nothing(bob)


def test_an_open_chat_is_a_conflict_until_both_left_it(town):
    alice, bob = pair(town)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.open()
    refused("CONFLICT", invite, alice, bob.user)
    refused("CONFLICT", invite, bob, alice.user)
    refused("CONFLICT", invite, town.join(alice.user, **CHAT), bob.user)
    refused("CONFLICT", invite, town.join(bob.user, **CHAT), alice.user)
    alice.call("close_private", id=chat.id)
    bob.call("close_private", id=chat.id)
    Invitation(alice, bob)


def test_a_chat_that_one_left_is_open_no_more(town):
    """The farewell may come later than the next invitation: that is for the two programs to sort out."""
    alice, bob = pair(town)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.open()
    results = alice.batch([("close_private", dict(id=chat.id)),
                           ("invite_private", dict(id=new_id(), user=bob.user))])
    assert results[1].expires_us


def test_a_broken_link_is_invited_anew_while_the_chat_is_open(town):
    alice, bob = pair(town)
    chat = Invitation(alice, bob)
    chat.answer()
    chat.open()
    again = Invitation(alice, bob, again=chat.id)
    assert again.invited.again == chat.id
    again.answer()
    assert again.answered().answer == schema.PRIVATE_ANSWER_ACCEPTED


# ---- two who invite each other ----

def test_of_crossed_invitations_the_first_one_is_to_be_accepted(town):
    alice, bob = pair(town)
    first = Invitation(alice, bob)
    error = refused("CONFLICT", invite, bob, alice.user)
    assert error.message == f"{alice.user} has invited you already: accept that"
    assert_told_nothing(alice, bob)
    first.answer()
    assert first.answered().answer == schema.PRIVATE_ANSWER_ACCEPTED


def test_a_session_that_came_later_is_told_of_the_invitation_that_its_own_crossed(town):
    alice, bob = pair(town)
    first = Invitation(alice, bob)
    later, carol = town.join(bob.user, **CHAT), town.join(**CHAT)
    assert_told_nothing(later)
    refused("CONFLICT", invite, later, alice.user)
    told = invited(later, first.id)
    assert (told.user, told.key) == (alice.user, alice.keys.raw)
    assert_told_nothing(bob, carol)
    first.answer(by=later)
    assert first.answered().answer == schema.PRIVATE_ANSWER_ACCEPTED


# ---- floods ----

def test_a_pair_has_a_budget_of_a_few_invitations(town_factory):
    town = town_factory("--rate-account", "20000", accounts=3)
    alice, bob = pair(town)
    carol, asked = town.join(**CHAT), 0
    try:
        while asked < 20:
            Invitation(alice, bob).answer(accept=False)
            asked += 1
    except CommandError as error:
        assert (error.code, error.retry_after_s > 0) == ("BUSY", True)
        assert f"too many invitations to {bob.user}" in error.message
    assert 5 <= asked < 20
    Invitation(alice, carol)
    Invitation(carol, bob)


def test_an_account_has_a_budget_of_broadcasts(town_factory):
    town = town_factory("--rate-account", "20000", accounts=2)
    alice, bob = town.join(), town.join()
    ids = [new_id() for _ in range(60)]
    results = [result for first in range(0, 60, 20) for result in
               alice.batch([("broadcast", dict(id=id, text="x")) for id in ids[first:first + 20]])]
    sent = [result for result in results if not isinstance(result, CommandError)]
    assert 20 <= len(sent) < 60
    assert {error.code for error in results if isinstance(error, CommandError)} == {"BUSY"}
    assert alice.call("broadcast", id=ids[0], text="x").reached == 1, "a retry costs nothing"
    bob.call("broadcast", id=new_id(), text="x")


def test_an_account_has_a_budget_of_coming_online(town_factory):
    """Each time is told to everybody. A script session is told to nobody, and costs nothing of it."""
    town = town_factory("--rate-account", "20000", accounts=2)
    user, other = town.names(2)
    client = town.guest(town.keys)
    came, error = 0, None
    while error is None and came < 60:
        try:
            client.login(user, inbox=False)
            client.logout()
            came += 1
        except CommandError as refusal:
            error = refusal
    assert 20 <= came < 60 and error.code == "BUSY" and error.retry_after_s > 0
    client.login(user, online=False)
    town.join(other)


def cpu_of(pid):
    """The time that all threads of the process ran, in nanoseconds."""
    folder = f"/proc/{pid}/task"
    return sum(int(open(f"{folder}/{task}/schedstat").read().split()[0]) for task in os.listdir(folder))


def flood(town, inviter, invitee):
    """64 invitations that are declined at once; the broker's CPU time for them."""
    before = cpu_of(town.broker.process.pid)
    for fields in [dict(id=new_id(), user=invitee.user) for _ in range(64)]:
        inviter.batch([("invite_private", fields)])
        invitee.batch([("answer_private", dict(id=fields["id"], accept=False))])
    invitee.privates.clear()
    inviter.privates.clear()
    return cpu_of(town.broker.process.pid) - before


def pin(pid, cpu):
    for task in os.listdir(f"/proc/{pid}/task"):
        os.sched_setaffinity(int(task), {cpu})


def test_answered_invitations_make_the_next_one_no_slower(town_factory):
    """Without budgets, so that there are many: 16,000 answered ones are known for a minute. A fresh
    broker is measured in turns with it, on the same processor: other programs run, too."""
    towns = [town_factory(accounts=2) for _ in range(2)]
    pairs = [pair(town) for town in towns]
    for town in towns:
        pin(town.broker.process.pid, min(os.sched_getaffinity(0)))
    for _ in range(230):
        flood(towns[0], *pairs[0])
    ratios = sorted(flood(towns[0], *pairs[0]) / flood(towns[1], *pairs[1]) for _ in range(20))
    assert ratios[5] < 1.4, f"dearer than in a fresh broker: {ratios}"


def test_an_account_has_a_bound_of_open_invitations_over_all_its_sessions(town_factory):
    town = town_factory(accounts=INVITATIONS_MAX + 2)
    alice = town.join(**CHAT)
    other = town.join(alice.user, **CHAT)
    for _ in range(INVITATIONS_MAX):
        invite(alice, town.join(**CHAT).user)
    refused("BUSY", invite, other, town.join(**CHAT).user)


def test_a_user_is_asked_by_so_many_at_a_time(town_factory):
    town = town_factory(accounts=INVITATIONS_MAX + 2)
    alice = town.join(**CHAT)
    for _ in range(INVITATIONS_MAX):
        invite(town.join(**CHAT), alice.user)
    late = town.join(**CHAT)
    refused("BUSY", invite, late, alice.user)
    alice.wait(lambda: len(alice.privates) == INVITATIONS_MAX)
    answer(alice, alice.privates[0].private_invited.id, accept=False)
    invite(late, alice.user)


def test_only_so_many_invitations_wait_at_a_time(town):
    alice, users = town.join(**CHAT), [town.join(**CHAT).user for _ in range(INVITATIONS_MAX + 1)]
    for user in users[:-1]:
        invite(alice, user)
    refused("BUSY", invite, alice, users[-1])


# ---- answering ----

def test_accepted_tells_the_inviter_where_and_nobody_else(town):
    alice, bob = pair(town)
    others = town.join(bob.user), town.join(alice.user, **CHAT), town.join(**CHAT)
    invitation = Invitation(alice, bob)
    others[1].privates.clear()
    nonce = invitation.answer(port=4711)
    told = invitation.answered()
    assert (told.user, told.answer) == (bob.user, schema.PRIVATE_ANSWER_ACCEPTED)
    assert (told.endpoint, told.key, told.nonce) == ("tcp://127.0.0.1:4711", bob.keys.raw, nonce)
    assert_told_nothing(alice, bob, *others)


@pytest.mark.parametrize("address, endpoint", [
    ("10.1.2.3", "tcp://10.1.2.3:65535"), ("host.example", "tcp://host.example:65535"),
    ("fe80::1", "tcp://[fe80::1]:65535")])
def test_the_acceptor_may_name_his_address(town, address, endpoint):
    alice, bob = pair(town)
    invitation = Invitation(alice, bob)
    invitation.answer(port=65535, address=address)
    assert invitation.answered().endpoint == endpoint


@pytest.mark.parametrize("fields", [
    dict(port=0), dict(port=65536), dict(nonce=b""), dict(nonce=b"n" * 31), dict(nonce=b"n" * 33),
    dict(address="a b"), dict(address="tcp://x"), dict(address="x\ny"), dict(address="a" * 256)])
def test_a_wrong_answer_is_refused_and_the_next_one_counts(town, fields):
    alice, bob = pair(town)
    invitation = Invitation(alice, bob)
    refused("INVALID", answer, bob, invitation.id, **fields)
    assert_told_nothing(alice)
    invitation.answer()
    invitation.answered()


def test_declined_says_no_more_than_that(town):
    alice, bob = pair(town)
    invitation = Invitation(alice, bob)
    invitation.answer(accept=False)
    told = invitation.answered()
    assert (told.user, told.answer) == (bob.user, schema.PRIVATE_ANSWER_DECLINED)
    assert (told.endpoint, told.key, told.nonce) == ("", b"", b"")


def test_a_program_that_could_not_accept_does_not_say_that_its_user_declined(town):
    alice, bob = pair(town)
    invitation = Invitation(alice, bob)
    bob.call("answer_private", id=invitation.id, accept=False, unable=True)
    assert invitation.answered().answer == schema.PRIVATE_ANSWER_UNABLE


@pytest.mark.parametrize("first", [True, False])
@pytest.mark.parametrize("second", [True, False])
def test_the_first_answer_counts_and_another_one_is_a_conflict(town, first, second):
    alice, bob = pair(town)
    other, invitation = town.join(bob.user, **CHAT), Invitation(alice, bob)
    invited(other, invitation.id)
    invitation.answer(accept=first)
    told = ended(other, invitation.id)
    assert (told.user, told.reason) == (alice.user, schema.PRIVATE_END_TAKEN)
    for client in (bob, other) if first or second else (other,):
        error = refused("CONFLICT", answer, client, invitation.id, accept=second)
        assert error.reason == "ALREADY_ANSWERED"
    invitation.answered()
    assert_told_nothing(alice, bob)


@pytest.mark.parametrize("fields", [dict(accept=True, nonce=b"x" * 32), dict(accept=False),
                                    dict(accept=False, unable=True)])
def test_the_same_answer_of_the_same_session_is_done_already(town, fields):
    alice, bob = pair(town)
    other, invitation = town.join(bob.user, **CHAT), Invitation(alice, bob)
    invited(other, invitation.id)
    fields = dict(id=invitation.id, port=4711, **fields)
    for _ in range(2):
        bob.call("answer_private", **fields)
    assert refused("CONFLICT", other.call, "answer_private", **fields).reason == "ALREADY_ANSWERED"
    refused("CONFLICT", bob.call, "answer_private", **dict(fields, accept=not fields["accept"], nonce=b"x" * 32))
    invitation.answered()
    ended(other, invitation.id)
    assert_told_nothing(alice, bob, other)


def test_two_answers_in_one_frame_are_one(town):
    alice, bob = pair(town)
    invitation = Invitation(alice, bob)
    fields = dict(id=invitation.id, accept=True, port=1, nonce=b"n" * 32)
    _, second = bob.batch([("answer_private", fields), ("answer_private", dict(fields, port=2))])
    assert second.code == "CONFLICT"
    assert invitation.answered().endpoint.endswith(":1")
    assert_told_nothing(alice)


def test_only_the_invited_user_may_answer(town):
    alice, bob = pair(town)
    carol, invitation = town.join(**CHAT), Invitation(alice, bob)
    for client in (alice, carol):
        refused("NOT_FOUND", answer, client, invitation.id)
    refused("NOT_FOUND", answer, bob, new_id())
    refused("NOT_FOUND", answer, bob, b"")
    assert_told_nothing(alice)
    invitation.answer()


# ---- what ends an invitation ----

def assert_withdrawn(invitation):
    told = ended(invitation.invitee, invitation.id)
    assert (told.user, told.reason) == (invitation.invited.user, schema.PRIVATE_END_WITHDRAWN)
    refused("NOT_FOUND", answer, invitation.invitee, invitation.id)


def test_the_inviter_may_take_it_back(town):
    alice, bob = pair(town)
    invitation = Invitation(alice, bob)
    alice.call("close_private", id=invitation.id)
    assert_withdrawn(invitation)
    Invitation(alice, bob)


def test_nobody_else_may_take_it_back(town):
    alice, bob = pair(town)
    carol, invitation = town.join(**CHAT), Invitation(alice, bob)
    for client in (bob, carol):
        client.call("close_private", id=invitation.id)
    invitation.answer()
    invitation.answered()


@pytest.mark.parametrize("leave", ["logout", "close"])
def test_an_inviter_who_leaves_takes_it_back(town, leave):
    alice, bob = pair(town)
    invitation = Invitation(alice, bob)
    getattr(alice, leave)()
    assert_withdrawn(invitation)


@pytest.mark.parametrize("leave", ["logout", "close"])
def test_an_invitee_who_leaves_is_gone(town, leave):
    alice, bob = pair(town)
    invitation, user = Invitation(alice, bob), bob.user
    getattr(bob, leave)()
    told = invitation.answered()
    assert (told.user, told.answer) == (user, schema.PRIVATE_ANSWER_GONE)
    assert (told.endpoint, told.key, told.nonce) == ("", b"", b"")


def test_an_invitee_with_another_session_is_not_gone(town):
    alice, bob = pair(town)
    other, invitation = town.join(bob.user, **CHAT), Invitation(alice, bob)
    bob.logout()
    assert_told_nothing(alice)
    invitation.answer(by=other)
    assert invitation.answered().answer == schema.PRIVATE_ANSWER_ACCEPTED


@pytest.mark.parametrize("by_inviter", [True, False])
def test_a_block_ends_an_invitation(town, by_inviter):
    alice, bob = pair(town)
    invitation = Invitation(alice, bob)
    blocker, blocked = (alice, bob) if by_inviter else (bob, alice)
    blocker.block(blocked.user)
    assert invitation.answered().answer == schema.PRIVATE_ANSWER_GONE
    assert_withdrawn(invitation)


def test_the_last_open_chat_that_is_allowed_may_be_told_of_again(town):
    alice, bob = pair(town)
    chats = [dict(id=new_id(), user=bob.user) for _ in range(64)]
    for fields in [*chats, chats[0], chats[-1]]:
        alice.call("open_private", **fields)
    assert refused("BUSY", alice.call, "open_private", id=new_id(), user=bob.user).reason == "QUOTA"
