"""Why something was refused, for programs: Error.reason. That each refusal has one, and one that goes with
its code, the client of these tests asserts of every refusal that it gets."""

import pytest

from support.ids import new_id
from support.town import refused
from support.transfer import Upload


def reason(code, call, *args, **kwargs):
    return refused(code, call, *args, **kwargs).reason


def test_who_is_not_logged_in_and_who_is_already(town):
    guest, alice = town.guest(), town.join()
    assert reason("AUTH", guest.call, "who") == "NOT_LOGGED_IN"
    assert reason("AUTH", guest.login, alice.user) == "UNTRUSTED_DEVICE"
    assert reason("AUTH", guest.login, alice.user, "wrong") == "WRONG_PASSWORD"
    assert reason("AUTH", guest.login, town.fresh_name(), "wrong") == "WRONG_PASSWORD"
    assert reason("CONFLICT", alice.login, alice.user) == "LOGGED_IN"
    assert reason("CONFLICT", guest.register, alice.user, "password") == "NAME_TAKEN"
    assert reason("INVALID", guest.register, "two words", "password") == "BAD_NAME"


def test_a_locked_name_is_told_from_a_wrong_password(town):
    name, guest = town.name(), town.guest()
    told = [reason("AUTH", guest.login, name, "wrong") for _ in range(4)]
    assert told[0] == "WRONG_PASSWORD" and told[-1] == "LOCKED"


def test_the_three_ways_to_be_kept_from_somebody(town):
    alice, bob, away = town.join(private_chats=True), town.join(), town.name()

    def send(sender, user, **fields):
        return reason("FORBIDDEN", sender.call, "send_message", id=new_id(), to=user, text="x", **fields)

    def invite(user):
        return reason("FORBIDDEN", alice.call, "invite_private", id=new_id(), user=user)

    assert send(alice, away, require_online=True) == invite(away) == "OFFLINE"
    assert invite(bob.user) == "NO_PRIVATE_CHATS"
    alice.block(bob.user)
    assert send(alice, bob.user) == invite(bob.user) == "BLOCKED_BY_YOU"
    assert send(bob, alice.user) == "BLOCKED_BY_THEM"
    assert reason("CONFLICT", alice.block, bob.user) == "ALREADY_BLOCKED"
    assert reason("INVALID", alice.block, alice.user) == "ONESELF"


def test_a_wrong_admin_password_is_no_lost_login(town_factory, tmp_path):
    file = tmp_path / "admin-password"
    file.write_text("the right one")
    file.chmod(0o600)
    alice = town_factory("--admin-password-file", file).join()
    assert reason("FORBIDDEN", alice.call, "shutdown") == "NOT_ADMIN"
    told = [reason("AUTH", alice.call, "shutdown", password="wrong") for _ in range(4)]
    assert told[0] == "WRONG_ADMIN_PASSWORD" and told[-1] == "ADMIN_PASSWORD_LOCKED"
    alice.call("who")
    assert reason("FORBIDDEN", town_factory().join().call, "shutdown", password="x") == "NO_ADMIN_PASSWORD"


def test_in_threads(town, thread):
    alice, bob = town.join(), town.join()
    id = new_id()
    post = alice.call("post_to_thread", id=id, thread=thread, text="x")

    def edit(client, code, **fields):
        return reason(code, client.call, "edit_post", id=new_id(), text="y", **{"thread": thread, **fields})

    assert edit(bob, "FORBIDDEN", post=post.id) == "NOT_AUTHOR"
    assert edit(alice, "NOT_FOUND", number=7) == "NO_SUCH_POST"
    assert edit(alice, "CONFLICT", post=new_id(), shown_number=1) == "STALE_NUMBER"
    assert edit(alice, "NOT_FOUND", thread="none", number=1) == "NO_SUCH_THREAD"
    assert reason("CONFLICT", bob.call, "post_to_thread", id=id, thread=thread, text="other") == "ID_USED"
    assert reason("CONFLICT", bob.create_thread, thread) == "TITLE_TAKEN"
    assert reason("CONFLICT", bob.call, "unfollow_thread", thread=thread) == "NOT_FOLLOWING"
    alice.call("delete_post", id=new_id(), thread=thread, post=post.id)
    assert edit(alice, "CONFLICT", post=post.id) == "POST_DELETED"


def test_in_files(town, thread):
    alice, bob = town.join(), town.join()
    whole = Upload(alice, thread, "file", b"x")
    whole.begin()
    whole.send()
    other = Upload(alice, thread, "other", b"xyz")
    other.begin()
    assert reason("CONFLICT", Upload(bob, thread, "file", b"y").begin) == "TITLE_TAKEN"
    assert reason("FORBIDDEN", bob.call, "put_chunk", id=other.id, data=b"x") == "NOT_UPLOADER"
    assert reason("INVALID", other.put, 2, 1) == "WRONG_OFFSET"
    assert reason("NOT_FOUND", bob.call, "get_chunk", thread=thread, file="none") == "NO_SUCH_FILE"
    assert reason("NOT_FOUND", bob.call, "put_chunk", id=new_id(), data=b"x") == "NO_SUCH_UPLOAD"


@pytest.mark.parametrize("most, code, why", [(1, "CONFLICT", "ALREADY_ONLINE"), (2, None, None)])
def test_too_many_sessions(town_factory, most, code, why):
    town = town_factory("--sessions-per-user", str(most))
    name = town.join().user
    if code:
        assert reason(code, town.guest(town.keys).login, name) == why
    else:
        town.guest(town.keys).login(name)
