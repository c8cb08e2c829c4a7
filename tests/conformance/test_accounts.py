"""Accounts: register, login, lock-out, trusted devices, passwords, logout. COMMANDS.md, "Accounts"."""

import os
import re
import subprocess
import sys
import time

import pytest

from support import schema
from support.broker import program, run
from support.client import Client, CommandError, Keys, WrongServerKey
from support.patience import WAIT_S
from support.town import refused

PASSWORD = "correct horse battery"


def enter(town, user, password="", keys=None, **fields):
    """A login on a connection of its own; the client, or CommandError."""
    client = town.guest(keys)
    client.login(user, password, **fields)
    return client


@pytest.fixture
def account(town):
    """An account with a password, and the keys of the device that it trusts."""
    keys = Keys()
    name = town.fresh_name()
    town.guest(keys).register(name, PASSWORD)
    return name, keys


def lock(town, name):
    for _ in range(3):
        refused("AUTH", enter, town, name, "wrong")


def cpu_s(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


# ---- register ----

def test_register_trusts_the_device_and_opens_no_session(town):
    client, name = town.guest(), town.fresh_name()
    assert client.register(name, PASSWORD).user == name
    refused("AUTH", client.call, "who")
    assert client.login(name).trusted


def test_register_without_trust_leaves_the_key_out(town):
    client, name = town.guest(), town.fresh_name()
    client.register(name, PASSWORD, no_trust=True)
    refused("AUTH", client.login, name)
    client.login(name, PASSWORD)


def test_register_folds_upper_case(town):
    client, name = town.guest(), town.fresh_name()
    assert client.register(name.upper(), PASSWORD).user == name
    assert client.login(name.title()).user == name


def test_register_of_a_taken_name_is_a_conflict(town, account):
    name, _ = account
    intruder = town.guest()
    refused("CONFLICT", intruder.register, name, "other")
    refused("CONFLICT", intruder.register, name.upper(), "other")
    refused("AUTH", intruder.login, name, "other")


@pytest.mark.parametrize("name", ["", "x" * 33, "two words", "yodä", "a/b", "a\nb", "a@b", " "])
def test_register_refuses_what_is_no_name(town, name):
    refused("INVALID", town.guest().register, name, PASSWORD)


def test_register_takes_the_longest_name_and_every_character(town):
    client = town.guest()
    assert client.register("azAZ09_.-" + "x" * 23, PASSWORD).user == "azaz09_.-" + "x" * 23
    assert client.register("y", PASSWORD).user == "y"


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_register_refuses_a_password_out_of_bounds(town, password):
    name, client = town.fresh_name(), town.guest()
    refused("INVALID", client.register, name, password)
    refused("AUTH", client.login, name, "x")


def test_the_longest_password_enters_and_a_part_of_it_does_not(town):
    name, password = town.fresh_name(), "é" * 512
    town.guest().register(name, password)
    enter(town, name, password)
    refused("AUTH", enter, town, name, password[:-1])


def test_registration_closed_is_forbidden_and_makes_nothing(town_factory):
    town = town_factory("--registration", "closed", accounts=1)
    client = town.guest()
    refused("FORBIDDEN", client.register, "newcomer", PASSWORD)
    refused("AUTH", client.login, "newcomer", PASSWORD)
    sender = town.join()
    refused("NOT_FOUND", sender.message, "newcomer", "hello")


def test_registration_closes_when_the_configuration_is_reread(town_factory, tmp_path):
    config = tmp_path / "zchatd.cfg"
    config.write_text("registration = open\n")
    town = town_factory("--config", config, accounts=1)
    client = town.guest()
    client.register("early", PASSWORD)
    config.write_text("registration = closed\n")
    town.broker.hup()
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            client.register("early", PASSWORD)
        except CommandError as error:
            if error.code == "FORBIDDEN":
                break
        assert time.monotonic() < deadline, "the new configuration does not count"
    client.login("early")
    client.who()


# ---- login ----

def test_login_says_what_a_client_needs(town, account):
    name, keys = account
    before = time.time_ns() // 1000
    client = town.guest(keys)
    reply = client.login(name, PASSWORD)
    assert reply.user == name and reply.session > 0
    assert before - 60_000_000 < reply.time_us < time.time_ns() // 1000 + 60_000_000
    assert {topic.topic for topic in reply.topics} == {"presence", "broadcast", "notice"}
    assert (reply.inbox_head, reply.inbox_cursor) == (0, 0)
    assert reply.trusted and not reply.admin and reply.idle_timeout_s == 0


def test_login_of_an_administrator_says_so(town):
    client = town.guest(town.keys)
    assert client.login("the.admin", online=False).admin


def test_login_with_the_right_password_trusts_the_device(town, account):
    name, _ = account
    keys = Keys()
    refused("AUTH", enter, town, name, keys=keys)
    enter(town, name, PASSWORD, keys=keys)
    assert enter(town, name, keys=keys).user == name


def test_login_without_trust_needs_the_password_again(town, account):
    name, _ = account
    keys = Keys()
    client = town.guest(keys)
    assert not client.login(name, PASSWORD, no_trust=True).trusted
    refused("AUTH", enter, town, name, keys=keys)


def test_wrong_password_and_unknown_name_read_the_same(town, account):
    name, _ = account
    nobody = town.fresh_name()
    wrong = refused("AUTH", enter, town, name, "wrong")
    unknown = refused("AUTH", enter, town, nobody, "wrong")
    assert unknown.message.replace(nobody, name) == wrong.message
    assert unknown.retry_after_s == wrong.retry_after_s


def test_wrong_password_and_unknown_name_take_the_same_time(town, account):
    """The broker's own, whatever else the machine does."""
    def least_cpu_s(make_name):
        used = []
        for _ in range(3):
            client = town.guest()
            client.ping()
            start = cpu_s(town.broker.pid)
            refused("AUTH", client.login, make_name(), "wrong")
            used.append(cpu_s(town.broker.pid) - start)
        return min(used)

    known, unknown = least_cpu_s(lambda: account[0]), least_cpu_s(town.fresh_name)
    assert 0.33 < unknown / known < 3, f"known {known:.3f} s, unknown {unknown:.3f} s"


def test_an_account_without_a_password_is_entered_by_its_key_only(town):
    name = town.name()
    refused("AUTH", enter, town, name, "anything")
    refused("AUTH", enter, town, name)
    enter(town, name, keys=town.keys)


def test_a_device_key_enters_no_other_account(town, account):
    refused("AUTH", enter, town, account[0], keys=town.keys)


def test_three_wrong_passwords_lock_even_the_right_one_from_anywhere(town, account):
    name, _ = account
    lock(town, name)
    for keys in (None, Keys()):
        error = refused("AUTH", enter, town, name, PASSWORD, keys=keys)
        assert 0 < error.retry_after_s <= 60
        assert str(error.retry_after_s) in re.findall(r"\d+", error.message), error.message


def test_a_lock_does_not_keep_out_a_trusted_key(town, account):
    name, keys = account
    lock(town, name)
    assert enter(town, name, keys=keys).user == name
    refused("AUTH", enter, town, name, PASSWORD)


def test_a_lock_reads_the_same_for_an_unknown_name(town, account):
    name, _ = account
    nobody = town.fresh_name()
    lock(town, name)
    lock(town, nobody)
    known = refused("AUTH", enter, town, name, PASSWORD)
    unknown = refused("AUTH", enter, town, nobody, PASSWORD)
    assert re.sub(r"\d+", "N", unknown.message.replace(nobody, name)) \
        == re.sub(r"\d+", "N", known.message)


def test_a_right_password_forgets_the_wrong_ones(town, account):
    name, _ = account
    for _ in range(2):
        for _ in range(2):
            refused("AUTH", enter, town, name, "wrong")
        enter(town, name, PASSWORD)


def test_attempts_without_a_password_lock_nobody(town, account):
    name, _ = account
    for _ in range(4):
        refused("AUTH", enter, town, name)
    enter(town, name, PASSWORD)


def test_wrong_passwords_are_counted_over_a_restart_and_the_lock_too(town_factory):
    town = town_factory(accounts=1)
    town.guest().register("yoda", PASSWORD)
    for _ in range(2):
        refused("AUTH", enter, town, "yoda", "wrong")
    town.broker.restart()
    refused("AUTH", enter, town, "yoda", "wrong")
    assert refused("AUTH", enter, town, "yoda", PASSWORD).retry_after_s > 0
    town.broker.kill()
    town.broker.start()
    assert refused("AUTH", enter, town, "yoda", PASSWORD).retry_after_s > 0


def test_a_lock_ends_after_the_block_duration(town_factory):
    town = town_factory("--block-duration", "1", accounts=1)
    town.guest().register("yoda", PASSWORD)
    lock(town, "yoda")
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            enter(town, "yoda", PASSWORD)
            return
        except CommandError as error:
            assert error.code == "AUTH" and error.retry_after_s == 1
            assert time.monotonic() < deadline, "the lock did not end"
            time.sleep(0.1)  # only time ends the lock: no event tells of it


def write_beside(path, statement):
    """Leaves the change in the write-ahead log, as a killed program does: a database's pages get
    their checksums from the broker alone."""
    script = ("import os, sqlite3, sys\n"
              "store = sqlite3.connect(sys.argv[1])\n"
              "store.execute(sys.argv[2])\n"
              "store.commit()\n"
              "os._exit(0)\n")
    subprocess.run([sys.executable, "-c", script, path, statement], check=True, timeout=60)


def test_a_lock_lasts_no_longer_than_the_block_duration_whatever_the_clock_did(town_factory):
    """Set back by a day it would last a day and more: the store holds times of the future then."""
    town = town_factory("--block-duration", "2", accounts=1)
    town.guest().register("yoda", PASSWORD)
    lock(town, "yoda")
    town.broker.stop()
    write_beside(town.broker.data / "zchat.db",
                 "UPDATE login_failure SET locked_until_us = locked_until_us + 86400000000")
    town.broker.start()
    deadline = time.monotonic() + WAIT_S
    while True:
        try:
            enter(town, "yoda", PASSWORD)
            return
        except CommandError as error:
            assert error.code == "AUTH" and 0 < error.retry_after_s <= 2
            assert time.monotonic() < deadline, "the lock did not end"
            time.sleep(0.1)  # only time ends the lock: no event tells of it


def test_logins_do_not_wait_for_each_other(town, account):
    name, _ = account
    slow = [town.guest() for _ in range(6)]
    for client in slow:
        client.ping()
    requests = [client.start("login", protocol=1, user=name, password=PASSWORD, no_trust=True,
                             online=False) for client in slow]
    quick = town.join()
    quick.who()
    pending = [client for client in slow if client.pump(0) or not client.replies]
    assert pending, "the login by key waited for all the passwords"
    for client, request in zip(slow, requests):
        assert client.wait_reply(request).user == name


def test_a_login_by_password_holds_up_nothing_on_its_connection(town, account):
    name, _ = account
    client = town.guest()
    login, ping = client.start_batch([
        ("login", dict(protocol=1, user=name, password=PASSWORD)), ("ping", {})])
    client.wait_reply(ping)
    assert login not in client.replies
    client.wait_reply(login)


def test_a_second_login_on_a_connection_is_a_conflict(town):
    client = town.join()
    user = client.user
    refused("CONFLICT", client.call, "login", protocol=1, user=town.name())
    refused("CONFLICT", client.call, "login", protocol=1, user=user)
    client.who()


@pytest.mark.parametrize("fields", [dict(user=""), dict(user="two words"), dict(device_label="x" * 65),
                                    dict(client="x" * 65)])
def test_a_malformed_login_is_invalid(town, fields):
    refused("INVALID", town.guest(town.keys).call, "login", **{"protocol": 1, "user": "user.000", **fields})


# ---- logout ----

def test_logout_and_in_again_as_somebody_else_on_the_same_connection(town):
    client, first, second = town.guest(town.keys), *town.names(2)
    friend = town.join()
    client.login(first)
    client.logout()
    refused("AUTH", client.call, "who")
    client.login(second)
    assert client.who() == [friend.user]
    friend.message(first, "for the first")
    friend.message(second, "for the second")
    client.wait_text("for the second")
    assert client.texts() == ["for the second"]


def test_logout_without_a_session_is_refused(town):
    refused("AUTH", town.guest().call, "logout")


# ---- passwd ----

def test_passwd_changes_the_password(town, account):
    name, keys = account
    client = enter(town, name, keys=keys)
    client.call("change_password", old_password=PASSWORD, new_password="another")
    enter(town, name, "another")
    refused("AUTH", enter, town, name, PASSWORD)


def test_passwd_ends_the_other_sessions_of_the_account(town, account):
    name, keys = account
    client, other = enter(town, name, keys=keys), enter(town, name, PASSWORD)
    script, stranger = enter(town, name, PASSWORD, online=False), town.join()
    client.call("change_password", old_password=PASSWORD, new_password="another")
    for ended in (other, script):
        assert "password" in ended.wait_ended().text
        refused("AUTH", ended.call, "who")
    assert client.who() == [stranger.user] and client.ended is None
    assert name in stranger.who()
    refused("AUTH", enter, town, name, PASSWORD)


def test_passwd_refuses_a_wrong_old_password(town, account):
    name, keys = account
    client = enter(town, name, keys=keys)
    refused("AUTH", client.call, "change_password", old_password="wrong", new_password="another")
    refused("AUTH", client.call, "change_password", old_password="", new_password="another")
    enter(town, name, PASSWORD)


@pytest.mark.parametrize("password", ["", "x" * 1025])
def test_passwd_refuses_a_new_password_out_of_bounds(town, account, password):
    name, keys = account
    client = enter(town, name, keys=keys)
    refused("INVALID", client.call, "change_password", old_password=PASSWORD, new_password=password)
    enter(town, name, PASSWORD)


def test_passwd_gives_a_first_password_to_an_account_without_one(town):
    client = town.join()
    refused("AUTH", client.call, "change_password", old_password="guess", new_password="first")
    client.call("change_password", old_password="", new_password="first")
    enter(town, client.user, "first")


def test_of_two_that_change_one_password_at_once_one_does(town, account):
    name, keys = account
    clients = [enter(town, name, keys=keys) for _ in range(2)]
    asked = [client.start("change_password", old_password=PASSWORD, new_password=f"new {i}")
             for i, client in enumerate(clients)]
    changed = []
    for i, client in enumerate(clients):
        try:
            client.wait_reply(asked[i])
            changed.append(i)
        except CommandError as error:
            assert error.code in ("CONFLICT", "AUTH"), error
    assert len(changed) == 1
    enter(town, name, f"new {changed[0]}")


def test_passwd_needs_a_session(town):
    refused("AUTH", town.guest().call, "change_password", old_password="a", new_password="b")


# ---- devices, revoke ----

def test_devices_lists_the_trusted_keys_oldest_first(town):
    name, laptop, phone = town.fresh_name(), Keys(), Keys()
    town.guest(laptop).register(name, PASSWORD, device_label="laptop")
    client = enter(town, name, PASSWORD, keys=phone, device_label="phone")
    enter(town, name, PASSWORD, keys=Keys(), no_trust=True)
    first, second = client.call("list_devices").devices
    assert (first.label, first.key, first.current) == ("laptop", laptop.raw, False)
    assert (second.label, second.key, second.current) == ("phone", phone.raw, True)
    assert 0 < first.number != second.number > 0
    assert 0 < first.trusted_us <= second.trusted_us <= second.used_us
    assert first.used_us == 0


def test_devices_need_a_session(town):
    refused("AUTH", town.guest().call, "list_devices")
    refused("AUTH", town.guest().call, "revoke_device", device=1)


def test_a_label_is_a_harmless_line_of_at_most_64_characters(town):
    name = town.fresh_name()
    keys = Keys()
    refused("INVALID", town.guest(keys).register, name, PASSWORD, device_label="x" * 65)
    town.guest(keys).register(name, PASSWORD, device_label="my\x1b[31m lap\u202etop")
    client = enter(town, name, keys=keys)
    assert client.call("list_devices").devices[0].label == "my laptop"


def test_revoke_ends_the_sessions_of_the_key_at_once(town, account):
    name, keys = account
    client = enter(town, name, keys=keys)
    lost = Keys()
    thieves = [enter(town, name, PASSWORD, keys=lost), enter(town, name, keys=lost)]
    device = next(d for d in client.call("list_devices").devices if d.key == lost.raw)
    assert client.call("revoke_device", device=device.number).sessions == 2
    for thief in thieves:
        refused("AUTH", thief.call, "who")
        assert thief.wait_ended().reason == schema.END_REASON_REVOKED and thief.ended.text
    refused("AUTH", enter, town, name, keys=lost)
    assert [d.key for d in client.call("list_devices").devices] == [keys.raw]
    client.who()


def test_a_revoked_key_trusted_again_gets_a_new_number(town, account):
    name, keys = account
    client = enter(town, name, keys=keys)
    other = Keys()
    numbers = []
    for _ in range(2):
        enter(town, name, PASSWORD, keys=other).close()
        device = next(d for d in client.call("list_devices").devices if d.key == other.raw)
        numbers.append(device.number)
        client.call("revoke_device", device=device.number)
    assert numbers[1] > numbers[0]


def test_revoking_the_own_key_ends_the_own_session(town, account):
    name, keys = account
    client = enter(town, name, keys=keys)
    device = client.call("list_devices").devices[0]
    client.call("revoke_device", device=device.number)
    assert client.wait_ended().reason == schema.END_REASON_REVOKED
    refused("AUTH", client.call, "who")
    refused("AUTH", client.login, name)


def test_revoke_touches_no_other_account_with_the_same_key(town):
    one, other = town.join(), town.join()
    device = one.call("list_devices").devices[0]
    assert one.call("revoke_device", device=device.number).sessions == 1
    other.who()
    assert other.call("list_devices").devices[0].key == town.keys.raw
    town.join(other.user)


def test_revoke_refuses_numbers_that_are_not_ones_own(town, account):
    name, keys = account
    client = enter(town, name, keys=keys)
    other = town.join()
    theirs = other.call("list_devices").devices[0].number
    own = client.call("list_devices").devices[0].number
    refused("NOT_FOUND", client.call, "revoke_device", device=own + theirs + 1000)
    refused("INVALID", client.call, "revoke_device", device=0)
    if theirs != own:
        refused("NOT_FOUND", client.call, "revoke_device", device=theirs)
    other.who()


# ---- the door ----

def test_everything_else_needs_a_session(town):
    open_to_all = {"login", "register_account", "ping", "keep_alive"}
    client = town.guest()
    for field in schema.Command.DESCRIPTOR.oneofs_by_name["body"].fields:
        if field.name not in open_to_all:
            refused("AUTH", client.call, field.name)
    client.ping()
    client.keep_alive()


def test_an_account_locked_by_the_administrator_is_entered_by_nobody(town_factory):
    town = town_factory(accounts=1)
    town.guest().register("yoda", PASSWORD)
    keys = Keys()
    enter(town, "yoda", PASSWORD, keys=keys)
    town.leave()
    town.broker.stop()
    run([program("zchatd"), "user", "lock", "yoda", "--data", town.broker.data], check=0)
    town.broker.start()
    refused("AUTH", enter, town, "yoda", PASSWORD)
    refused("AUTH", enter, town, "yoda", keys=keys)


def test_a_client_refuses_another_server_key(town):
    with pytest.raises(WrongServerKey):
        Client(town.broker.address, server_key=Keys().public)
    assert Client(town.broker.address, server_key=town.broker.server_key).ping().software
