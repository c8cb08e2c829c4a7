"""Sessions: how many, idle ones, replaced ones, and what presence tells of them."""

import time

import pytest

from support import page, schema
from support.client import CommandError, greet
from support.patience import WAIT_S
from support.town import refused


def login_until_admitted(client, user, timeout=WAIT_S):
    """Logs in as soon as the broker noticed that another session is gone."""
    deadline = time.monotonic() + timeout
    while True:
        try:
            return client.login(user)
        except CommandError as error:
            assert error.code == "CONFLICT" and time.monotonic() < deadline, error
            client.ping()


# ---- one user, many sessions ----

def test_with_one_session_for_each_user_a_second_login_is_refused(town_factory):
    town = town_factory("--sessions-per-user", "1", accounts=2)
    first = town.join()
    second = town.guest(town.keys)
    error = refused("CONFLICT", second.login, first.user)
    assert "already online" in error.message
    first.who()
    first.logout()
    second.login("user.000")


def test_with_one_session_for_each_user_a_script_still_enters(town_factory):
    town = town_factory("--sessions-per-user", "1", accounts=1)
    person = town.join()
    town.join(person.user, online=False)


def test_a_refused_second_login_proves_itself_first(town_factory):
    town = town_factory("--sessions-per-user", "1", accounts=1)
    person = town.join()
    refused("AUTH", town.guest().login, person.user, "wrong")


def test_a_lost_connection_makes_room_for_another_session(town_factory):
    town = town_factory("--sessions-per-user", "1", accounts=1)
    lost = town.join()
    user = lost.user
    lost.close()
    login_until_admitted(town.guest(town.keys), user)


def test_with_n_sessions_the_next_one_is_refused(town):
    user = town.name()
    sessions = [town.join(user) for _ in range(8)]
    refused("CONFLICT", town.guest(town.keys).login, user)
    sessions[3].logout()
    town.join(user)


def test_all_sessions_of_a_user_get_his_messages(town):
    sender, user = town.join(), town.name()
    sessions = [town.join(user), town.join(user), town.join(user, online=False)]
    sender.message(user, "to all of you")
    for session in sessions:
        session.wait_text("to all of you")


# ---- a run of a program that comes back ----

def test_the_same_run_of_a_program_replaces_its_session_without_a_trace(town):
    watcher = town.join(sub=True)
    old = town.join()
    watcher.wait_presence(old.user, True)
    new = town.guest(town.keys)
    new.instance = old.instance
    user = old.user
    new.login(user)
    assert old.wait_ended().reason == schema.END_REASON_REPLACED
    refused("AUTH", old.call, "who")
    marker = town.join()
    watcher.wait_presence(marker.user, True)
    assert watcher.presence_of(user) == []
    assert watcher.who().count(user) == 1
    new.logout()
    watcher.wait_presence(user, False)


def test_the_same_run_is_replaced_where_one_session_is_allowed(town_factory):
    town = town_factory("--sessions-per-user", "1", accounts=1)
    old = town.join()
    new = town.guest(town.keys)
    new.instance = old.instance
    new.login(old.user)
    new.who()


def test_another_device_with_the_same_instance_replaces_nothing(town):
    name = town.fresh_name()
    old = town.guest()
    old.register(name, "password")
    old.login(name)
    other = town.guest()
    other.instance = old.instance
    other.login(name, "password")
    old.who()
    assert old.ended is None


@pytest.mark.parametrize("instance", [b"short", b"x" * 17])
def test_an_instance_is_16_bytes(town, instance):
    client = town.guest(town.keys)
    client.instance = instance
    refused("INVALID", client.login, town.name())


def test_without_an_instance_nothing_is_replaced(town):
    user = town.name()
    clients = [town.guest(town.keys), town.guest(town.keys)]
    for client in clients:
        client.instance = b""
        client.login(user)
    clients[0].who()


# ---- presence ----

@pytest.mark.parametrize("how", ["sub", "inline"])
def test_presence_tells_the_first_session_and_the_last(town, how):
    watcher = town.join(sub=True) if how == "sub" else town.join(public_events=True)
    user = town.name()
    one = town.join(user)
    watcher.wait_presence(user, True)
    two = town.join(user)
    one.logout()
    marker = town.join()
    watcher.wait_presence(marker.user, True)
    assert watcher.presence_of(user) == [], "neither the second session nor the first one's end"
    two.logout()
    watcher.wait_presence(user, False)


def test_presence_tells_that_a_connection_was_lost(town):
    watcher = town.join(sub=True)
    lost = town.join()
    user = lost.user
    watcher.wait_presence(user, True)
    lost.close()
    watcher.wait_presence(user, False)
    assert user not in watcher.who()


def test_a_script_session_too_many_is_busy(town):
    """It is let in once another one has ended."""
    user = town.name()
    scripts = [town.join(user, online=False) for _ in range(64)]
    late = town.guest(town.keys)
    error = refused("BUSY", late.login, user, online=False)
    assert error.retry_after_s > 0
    scripts[10].logout()
    late.login(user, online=False)


def test_script_sessions_are_silent_and_do_not_count(town):
    watcher = town.join(sub=True)
    script = town.join(online=False)
    script_user = script.user
    assert script_user not in watcher.who()
    script.logout()
    marker = town.join()
    watcher.wait_presence(marker.user, True)
    assert watcher.presence_of(script_user) == []


def test_a_script_session_changes_nothing_beside_one_that_counts(town):
    watcher = town.join(sub=True)
    person = town.join()
    watcher.wait_presence(person.user, True)
    script = town.join(person.user, online=False)
    user = person.user
    person.logout()
    watcher.wait_presence(user, False)
    assert user not in watcher.who()
    script.who()


# ---- idle ----

IDLE_S = 3  # on a busy machine a test's client may not have its turn for a second
IDLE = ("--timeout", str(IDLE_S))


def test_an_idle_session_ends_with_a_notice_and_announces_the_logout(town_factory):
    town = town_factory(*IDLE, accounts=3)
    watcher, idle = town.join(public_events=True), town.guest(town.keys)
    assert idle.login(town.name()).idle_timeout_s == IDLE_S
    user = idle.user
    start = time.monotonic()
    while watcher.presence_of(user) != [True, False]:
        assert time.monotonic() - start < 30, "the logout was not announced"
        watcher.who()
        watcher.pump(0.2)
    ended = idle.wait_ended()
    assert ended.reason == schema.END_REASON_IDLE and ended.text
    refused("AUTH", idle.call, "who")
    idle.login(user)


def test_keep_alives_acks_and_what_arrives_are_no_activity(town_factory):
    town = town_factory(*IDLE, accounts=2)
    sender, start = town.join(), time.monotonic()
    idle = town.join()
    user = idle.user
    while idle.ended is None:
        assert time.monotonic() - start < 60, "what is no activity kept the session open"
        sender.message(user, "are you there?")
        idle.start("keep_alive")
        idle.start("ack", read=idle.have)
        idle.pump(0.2)
    assert time.monotonic() - start >= 0.9 * IDLE_S
    assert idle.ended.reason == schema.END_REASON_IDLE


def test_failed_commands_are_activity(town_factory):
    town = town_factory(*IDLE, accounts=1)
    client = town.join()
    start = time.monotonic()
    while time.monotonic() - start < 2.2 * IDLE_S:
        refused("INVALID", client.message, client.user, "to myself")
        client.pump(0.3)
    assert client.ended is None


def test_script_sessions_end_when_idle_too(town_factory):
    town = town_factory(*IDLE, accounts=1)
    assert town.join(online=False).wait_ended().reason == schema.END_REASON_IDLE


# ---- the end of the broker ----

def test_a_broker_that_stops_tells_its_sessions(town_factory):
    town = town_factory(accounts=1)
    client = town.join()
    town.broker.stop()
    assert client.wait_ended().reason == schema.END_REASON_SHUTDOWN and client.ended.text


# ---- which broker, and which run of it ----

def test_the_greeting_tells_the_number_of_the_schema(town):
    assert greet(town.broker.address).schema == page.SCHEMA


def test_a_run_of_the_broker_has_a_name_of_its_own(town_factory):
    town = town_factory()
    name = town.name()

    def run():
        client = town.guest(town.keys)
        told = client.login(name).run
        client.logout()
        return told

    first, second = run(), run()
    town.broker.restart()
    third = run()
    assert first == second != third and len(first) == len(third) == 16
