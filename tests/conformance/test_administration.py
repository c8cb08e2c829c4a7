"""What administrators do to accounts while the broker serves: lock, unlock, reset, the right of an administrator.
COMMANDS.md, "Administration"; proto/README.md, "All commands"."""

import pytest

from support import schema
from support.client import CommandError, Keys, new_id
from support.town import ADMIN, refused

PASSWORD, NEW = "correct horse battery", "another horse staple"
LOCK, UNLOCK = schema.ACCOUNT_CHANGE_LOCK, schema.ACCOUNT_CHANGE_UNLOCK
MAKE_ADMIN, MAKE_MEMBER = schema.ACCOUNT_CHANGE_MAKE_ADMIN, schema.ACCOUNT_CHANGE_MAKE_MEMBER


def change(admin, user, what):
    return admin.call("change_account", user=user, change=what)


def reset(admin, user, password=NEW):
    return admin.call("reset_password", user=user, new_password=password)


def enter(town, user, password="", keys=None, **fields):
    client = town.guest(keys)
    client.login(user, password, **fields)
    return client


@pytest.fixture
def admin(town):
    return town.join(ADMIN)


@pytest.fixture
def account(town):
    """An account with a password, and the keys of the device that it trusts."""
    keys, name = Keys(), town.fresh_name()
    town.guest(keys).register(name, PASSWORD)
    return name, keys


def thrown_out(*clients):
    for client in clients:
        end = client.wait_ended()
        assert end.reason == schema.END_REASON_REVOKED and "administrator" in end.text
        refused("AUTH", client.call, "who")


# ---- lock and unlock ----

def test_a_locked_account_is_left_and_entered_by_nobody(town, admin, account):
    name, keys = account
    watcher = town.join(sub=True)
    here, script = enter(town, name, keys=keys), enter(town, name, keys=keys, online=False)
    watcher.wait_presence(name, True)
    reply = change(admin, name.upper(), LOCK)
    assert (reply.user, reply.sessions) == (name, 2)
    thrown_out(here, script)
    watcher.wait_presence(name, False)
    assert refused("AUTH", enter, town, name, PASSWORD).reason == "LOCKED_BY_ADMIN"
    assert refused("AUTH", enter, town, name, keys=keys).reason == "LOCKED_BY_ADMIN"
    assert refused("AUTH", enter, town, name, "wrong").reason == "WRONG_PASSWORD"


def test_a_locked_account_keeps_what_it_has_and_is_written_to(town, admin, account):
    name, keys = account
    client = enter(town, name, keys=keys)
    admin.message(name, "before")
    client.wait_text("before")
    change(admin, name, LOCK)
    admin.message(name, "meanwhile")
    change(admin, name, UNLOCK)
    back = enter(town, name, keys=keys)
    back.wait_text("meanwhile")
    assert [event.message.text for event in back.sync().events] == ["before", "meanwhile"]


def test_unlock_ends_a_lock_by_wrong_passwords_too(town, admin, account):
    name, _ = account
    for _ in range(3):
        refused("AUTH", enter, town, name, "wrong")
    assert refused("AUTH", enter, town, name, PASSWORD).reason == "LOCKED"
    assert change(admin, name, UNLOCK).sessions == 0
    enter(town, name, PASSWORD)


def test_what_is_done_already_is_done_again_without_an_effect(town, admin, account):
    name, keys = account
    client = enter(town, name, keys=keys)
    for what in (UNLOCK, MAKE_MEMBER):
        assert change(admin, name, what).sessions == 0
    client.ping()
    client.who()
    assert change(admin, name, LOCK).sessions == 1
    assert change(admin, name, LOCK).sessions == 0


def test_a_lock_outlives_the_broker(town_factory):
    town = town_factory(accounts=1)
    user = town.name()
    change(town.join(ADMIN), user, LOCK)
    town.leave()
    town.broker.restart()
    assert refused("AUTH", town.join, user).reason == "LOCKED_BY_ADMIN"
    change(town.join(ADMIN), user, UNLOCK)
    town.join(user)


# ---- reset ----

def test_a_reset_leaves_nobody_in_and_lets_nobody_in_but_by_the_new_password(town, admin, account):
    name, keys = account
    phone = Keys()
    here = enter(town, name, PASSWORD, keys=phone)
    desk = enter(town, name, keys=keys, online=False)
    reply = reset(admin, name.upper())
    assert (reply.user, reply.sessions) == (name, 2)
    thrown_out(here, desk)
    for key in (keys, phone):
        assert refused("AUTH", enter, town, name, keys=key).reason == "UNTRUSTED_DEVICE"
    assert refused("AUTH", enter, town, name, PASSWORD).reason == "WRONG_PASSWORD"
    client = enter(town, name, NEW, keys=keys)
    assert [device.key for device in client.call("list_devices").devices] == [keys.raw]


def test_a_reset_ends_a_lock_by_wrong_passwords_but_not_an_administrators(town, admin, account):
    name, _ = account
    for _ in range(3):
        refused("AUTH", enter, town, name, "wrong")
    reset(admin, name)
    enter(town, name, NEW)
    change(admin, name, LOCK)
    reset(admin, name, PASSWORD)
    assert refused("AUTH", enter, town, name, PASSWORD).reason == "LOCKED_BY_ADMIN"
    change(admin, name, UNLOCK)
    enter(town, name, PASSWORD)


def test_an_account_that_had_only_a_device_gets_a_password(town, admin):
    name = town.name()
    reset(admin, name)
    refused("AUTH", town.join, name)
    enter(town, name, NEW)


def test_a_login_that_is_under_way_does_not_slip_through(town, admin, account):
    """Its password is checked while the new one is hashed, or before, or after: one of both is in with the new one."""
    name, _ = account
    client = town.guest()
    login = client.start("login", protocol=1, user=name, password=PASSWORD, instance=new_id())
    reset(admin, name)
    try:
        client.wait_reply(login)
        client.wait_ended()
    except CommandError as error:
        assert error.reason == "WRONG_PASSWORD"
    refused("AUTH", client.call, "who")


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_a_reset_takes_what_can_be_a_password(town, admin, account, password):
    assert refused("INVALID", reset, admin, account[0], password).reason == "BAD_PASSWORD"
    enter(town, account[0], PASSWORD)


# ---- the right of an administrator ----

def test_the_right_comes_and_goes_in_open_sessions(town, admin):
    alice = town.join()
    refused("FORBIDDEN", alice.announce, "not yet")
    assert change(admin, alice.user, MAKE_ADMIN).sessions == 0
    alice.announce("now")
    change(alice, town.name(), LOCK)
    change(admin, alice.user, MAKE_MEMBER)
    refused("FORBIDDEN", alice.announce, "no more")
    client = town.guest(town.keys)
    assert not client.login(alice.user).admin


def test_who_lost_the_right_while_a_password_was_hashed_resets_nothing(town_factory):
    """Both commands travel in one frame each; the hash takes longer than the other's command."""
    town = town_factory(accounts=2)
    first, second, user = town.join(ADMIN), town.join(), town.name()
    change(first, second.user, MAKE_ADMIN)
    asked = second.start("reset_password", user=user, new_password=NEW)
    second.ping()  # what was asked before it is on its way
    change(first, second.user, MAKE_MEMBER)
    try:
        second.wait_reply(asked)
    except CommandError as error:
        assert error.reason == "NOT_ADMIN"
        town.join(user)


# ---- who may, and what is none ----

@pytest.mark.parametrize("what", [LOCK, UNLOCK, MAKE_ADMIN, MAKE_MEMBER, "reset"])
def test_it_takes_an_administrator_another_account_and_one_that_there_is(town, admin, what):
    alice, bob = town.join(), town.join()

    def do(client, user):
        return reset(client, user) if what == "reset" else change(client, user, what)

    assert refused("FORBIDDEN", do, alice, bob.user).reason == "NOT_ADMIN"
    assert refused("FORBIDDEN", do, alice, alice.user).reason == "NOT_ADMIN"
    assert refused("AUTH", do, town.guest(), bob.user).reason == "NOT_LOGGED_IN"
    assert refused("INVALID", do, admin, ADMIN.upper()).reason == "ONESELF"
    assert refused("NOT_FOUND", do, admin, town.fresh_name()).reason == "NO_SUCH_USER"
    assert refused("NOT_FOUND", do, admin, "no name at all").reason == "NO_SUCH_USER"
    bob.who()
    admin.who()


@pytest.mark.parametrize("what", [0, 5, 99, -1])
def test_a_change_that_is_none_is_refused(town, admin, what):
    alice = town.join()
    assert refused("INVALID", change, admin, alice.user, what).reason == "BAD_VALUE"
    alice.who()


def test_the_log_tells_who_did_what_to_whom_and_no_password(town_factory):
    town = town_factory("--log-level", "debug", accounts=1)
    admin, user = town.join(ADMIN), town.name()
    change(admin, user, LOCK)
    town.broker.wait_log(rf'user_order verb="?lock"? user={user} by="?{ADMIN}"? sessions_ended=0')
    reset(admin, user)
    town.broker.wait_log(rf'user_order verb="?reset"? user={user} by="?{ADMIN}"? sessions_ended=0')
    assert NEW not in town.broker.log_text()
    for path in town.broker.data.rglob("*"):
        assert not path.is_file() or NEW.encode() not in path.read_bytes()
