"""zmq-cli send --wait-read, receipt, receipts: whether what one sent was read."""

import json
import uuid

import pytest

from json_schemas import assert_fits, assert_output_fits, path_of
from support.client import CommandError
from support.ids import new_id
from support.town import ADMIN
from test_zmq_cli_rpc import rpc  # noqa: F401
from zmq_cli import UUID7, end


@pytest.fixture
def bob(town):
    return town.join()


def sent_to(alice, bob, *words):
    return alice.ok("send", *words, bob.user, "hello").one


def until_awaited(town, count=1):
    while town.stats()["receipts_awaited"] < count:
        pass


# ---- send --wait-read ----

def test_send_waits_until_it_is_read(alice, bob):
    process = alice.start("send", "--wait-read", "60", bob.user, "hello")
    bob.wait_text("hello")
    bob.ack_read(1)
    done = end(process)
    assert done.status == 0, done
    assert list(done.one) == ["id", "seq", "time", "status", "read"] and done.one["read"] is True
    assert UUID7.match(done.one["id"]) and done.one["status"] == "delivered"
    assert_output_fits("send", done)


def test_in_words_what_was_sent_is_told_at_once_and_then_that_it_was_read(alice, bob):
    alice.options = []
    process = alice.start("send", "--wait-read", "60", bob.user, "hello")
    first = process.stdout.readline().split()
    assert first[0] == "delivered" and UUID7.match(first[1])
    bob.wait_text("hello")
    bob.ack_read(1)
    done = end(process)
    assert (done.status, done.out) == (0, f"read {first[1]} by {bob.user}\n"), done


@pytest.mark.parametrize("wait", ["0", "0.2"])
def test_what_is_not_read_in_time_is_sent_all_the_same_and_exits_124(alice, bob, wait):
    done = alice("send", "--wait-read", wait, bob.user, "hello", check=124)
    assert done.one["read"] is False and done.error["code"] == "EXPIRED"
    assert done.error["message"] == f"it was not read within {wait} s"
    bob.wait_text("hello")


def test_the_timeout_that_is_given_bounds_the_wait(alice, bob):
    done = alice("--timeout", "2", "send", "--wait-read", "3600", bob.user, "hello", check=124)
    assert done.one["read"] is False and "--timeout" in done.error["message"]


def test_without_a_timeout_the_wait_may_be_longer_than_an_answer(default_timeout, script, bob):
    alice = script()
    done = alice("send", "--wait-read", "7", bob.user, "hello", check=124)
    assert done.error["message"] == "it was not read within 7 s"


def test_who_sends_no_receipts_is_told_from_who_has_not_read(alice, bob):
    bob.call("change_settings", receipts=2)
    done = alice("send", "--wait-read", "60", bob.user, "hello", check=6)
    assert_output_fits("send", done)
    assert done.one["read"] is None and done.error["reason"] == "NO_RECEIPTS"
    assert bob.user in done.error["message"]
    bob.wait_text("hello")


def test_a_send_that_is_refused_waits_for_nothing(alice, bob):
    bob.block(alice.environment["ZCHAT_USER"])
    assert alice.fails(6, "FORBIDDEN", "send", "--wait-read", "60", bob.user, "hello")["reason"] == "BLOCKED_BY_THEM"


@pytest.mark.parametrize("read", ["while the broker was away", "after it came back"])
def test_a_wait_outlasts_a_restart_of_the_broker(town_factory, script, read):
    town = town_factory()
    alice, bob = script(its=town), town.join()
    process = alice.start("send", "--wait-read", "3600", bob.user, "hello")
    bob.wait_text("hello")
    until_awaited(town)
    town.broker.restart()
    bob.resume()
    if read == "after it came back":
        until_awaited(town)
    bob.ack_read(1)
    done = end(process)
    assert done.status == 0 and done.one["read"] is True, done


def test_a_session_that_ends_ends_the_wait(town_factory, script):
    town = town_factory()
    alice, bob = script(its=town), town.join()
    process = alice.start("send", "--wait-read", "3600", bob.user, "hello")
    until_awaited(town)
    town.join(ADMIN).call("change_account", user=alice.environment["ZCHAT_USER"], change=1)
    done = end(process)
    assert done.status == 4 and done.one["read"] is False and done.error["code"] == "AUTH", done


# ---- receipt ----

def test_receipt_tells_whether_it_was_read_by_its_id_or_its_seq(alice, bob):
    sent = sent_to(alice, bob)
    assert alice.ok("receipt", sent["id"]).one == {"id": sent["id"], "user": bob.user, "read": False}
    bob.wait_text("hello")
    bob.ack_read(1)
    for word in sent["id"], sent["seq"]:
        assert alice.ok("receipt", word).one == {"id": sent["id"], "user": bob.user, "read": True}
    alice.options = []
    assert alice.ok("receipt", sent["id"]).out == f"read {sent['id']} by {bob.user}\n"


def test_receipt_waits(alice, bob):
    sent = sent_to(alice, bob)
    error = alice.fails(124, "EXPIRED", "receipt", "--wait", "0.1", sent["id"])
    assert error["message"] == "it was not read within 0.1 s"
    process = alice.start("receipt", "--wait", "60", sent["id"])
    bob.wait_text("hello")
    bob.ack_read(1)
    assert end(process).one["read"] is True


def test_receipt_of_what_one_did_not_send_is_not_found(alice, bob):
    got = bob.message(alice.environment["ZCHAT_USER"], "to alice")
    for word in uuid.UUID(bytes=got.id), uuid.UUID(bytes=new_id()), 1, 2:
        assert alice.fails(5, "NOT_FOUND", "receipt", word)["reason"] == "NO_SUCH_MESSAGE"


@pytest.mark.parametrize("word", ["", "x", "0", "-1", "18446744073709551616", "\u4f60\u597d", "1.5"])
def test_what_names_no_message_is_refused(alice, word):
    alice.fails(2, "INVALID", "receipt", "--", word)


# ---- receipts ----

def test_receipts_are_chosen_for_all_devices(alice, bob):
    assert alice.ok("receipts").one == {"receipts": True}
    assert alice.ok("receipts", "off").one == {"receipts": False}
    assert alice.ok("receipts").one == {"receipts": False}
    sent = bob.message(alice.environment["ZCHAT_USER"], "hello")
    alice.ok("recv", "--ack")
    assert pytest.raises(CommandError, bob.call, "await_read", id=sent.id).value.reason == "NO_RECEIPTS"
    assert alice.ok("receipts", "on").one == {"receipts": True}
    assert bob.call("await_read", id=sent.id).read
    alice.options = []
    assert alice.ok("receipts").out == "receipts are on\n"


@pytest.mark.parametrize("word", ["yes", "ON", "", "1"])
def test_receipts_are_on_or_off(alice, word):
    alice.fails(2, "INVALID", "receipts", word)


# ---- rpc ----

def test_rpc_tells_that_a_message_was_read_as_an_event(alice, bob, rpc):  # noqa: F811
    rpc = rpc(alice)
    sent = rpc.ask(id=1, sendMessage={"to": bob.user, "text": "hello"})["sendMessage"]
    answer = rpc.ask(id=2, awaitRead={"id": sent["id"], "wait": True})["awaitRead"]
    assert answer["user"] == bob.user and not answer.get("read")
    bob.wait_text("hello")
    bob.ack_read(1)
    event = rpc.event("message_read")
    assert sorted(event) == ["id", "time", "type", "user"]
    assert event["user"] == bob.user and UUID7.match(event["id"])
    assert_fits(path_of("rpc"), json.dumps({"event": event}))
