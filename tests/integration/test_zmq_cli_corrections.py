"""zmq-cli: messages that correct an earlier one, or take it back. COMMANDS.md, "People"."""

import base64
import uuid

import pytest

from support.ids import new_id
from test_zmq_cli_rpc import Rpc
from zmq_cli import UUID7, is_message

NOBODYS = "019ac5d1-7b00-7000-8000-0123456789ab"


def name_of(cli):
    return cli.environment["ZCHAT_USER"]


def send(cli, to, *words):
    return cli.ok("send", name_of(to), *words).one


def about(messages):
    """Of each message its text, and what it corrects and retracts."""
    return [(message["text"], message.get("corrects"), message.get("retracts")) for message in messages]


def test_both_sides_are_told_which_message_it_is_about(alice, bob):
    first = send(alice, bob, "at noon")["id"]
    change = send(alice, bob, "--corrects", first, "at", "dusk")
    assert UUID7.match(change["id"]) and change["id"] != first and change["seq"] == "2"
    send(alice, bob, "--retracts", first)
    told = [("at noon", None, None), ("at dusk", first, None), ("", None, first)]
    assert about(bob.ok("inbox").lines) == about(bob.ok("recv").lines) == told
    assert about(bob.ok("history", name_of(alice)).lines) == about(alice.ok("history", name_of(bob)).lines) == told
    assert all(is_message(message) for message in bob.ok("recv").lines[:2])


def test_people_read_what_happened(alice, bob):
    first = send(alice, bob, "at noon")["id"]
    send(alice, bob, "--corrects", first, "at dusk")
    send(alice, bob, "--retracts", first)
    bob.options = alice.options = []
    lines = [line.split(" ", 1)[1] for line in bob.ok("recv").out.splitlines()]
    assert lines == [f"{name_of(alice)}: at noon", f"{name_of(alice)} corrected a message: at dusk",
                     f"{name_of(alice)} took a message back"]
    own = alice.ok("history", name_of(bob)).out.splitlines()
    assert own[1].endswith(f"{name_of(alice)} to {name_of(bob)} corrected a message: at dusk")


def test_the_text_may_come_from_stdin(alice, bob):
    first = send(alice, bob, "one")["id"]
    alice.ok("send", "--corrects", first, name_of(bob), "-", stdin="zwei\nZeilen\n")
    assert bob.ok("recv").lines[1]["text"] == "zwei\nZeilen"


def test_a_search_finds_what_stands(alice, bob):
    first = send(alice, bob, "a wombat sleeps")["id"]
    send(alice, bob, "--corrects", first, "a numbat sleeps")

    def found(words):
        return about(bob.ok("search", words).lines)

    while found("numbat") != [("a numbat sleeps", first, None)]:  # the index follows within a moment
        pass
    assert found("wombat") == []
    send(alice, bob, "--retracts", first)
    assert found("numbat") == found("sleeps") == []


def test_only_ones_own_message_to_the_same_person_while_it_stands(alice, bob, script, town):
    carol = script(town.name())
    first = send(alice, bob, "hello")["id"]
    alice.fails(5, "NOT_FOUND", "send", name_of(bob), "--corrects", NOBODYS, "x")
    carol.fails(5, "NOT_FOUND", "send", name_of(bob), "--retracts", first)
    bob.fails(6, "FORBIDDEN", "send", name_of(alice), "--corrects", first, "x")
    alice.fails(6, "FORBIDDEN", "send", name_of(carol), "--retracts", first)
    send(alice, bob, "--retracts", first)
    alice.fails(7, "CONFLICT", "send", name_of(bob), "--retracts", first)
    alice.fails(7, "CONFLICT", "send", name_of(bob), "--corrects", first, "x")
    assert len(bob.ok("recv").lines) == 2


def test_a_retry_with_its_id_is_the_same(alice, bob):
    first = send(alice, bob, "hello")["id"]
    id = str(uuid.UUID(bytes=new_id()))
    once = send(alice, bob, "--id", id, "--corrects", first, "hallo")
    assert send(alice, bob, "--id", id, "--corrects", first, "hallo") == once
    alice.fails(7, "CONFLICT", "send", name_of(bob), "--id", id, "hallo")
    assert len(bob.ok("recv").lines) == 2


@pytest.mark.parametrize("words", [
    ("--retracts", NOBODYS, "a text"), ("--retracts", NOBODYS, "-"), ("--retracts", NOBODYS, "--corrects", NOBODYS),
    ("--corrects", NOBODYS), ("--corrects", "first", "x"), ("--retracts", ""), ("--corrects", NOBODYS, "")])
def test_what_makes_no_sense_is_refused(alice, bob, words):
    alice.fails(2, "INVALID", "send", name_of(bob), *words)
    assert bob.ok("recv").out == ""


def test_wait_passes_over_what_was_taken_back(alice, bob):
    first = send(alice, bob, "no")["id"]
    bob.ok("recv", "--drain")
    send(alice, bob, "--retracts", first)
    second = send(alice, bob, "not yet")["id"]
    assert bob.ok("wait").one["text"] == "not yet"
    send(alice, bob, "--corrects", second, "yes")
    assert about([bob.ok("wait", "--match", "^yes$").one]) == [("yes", second, None)]


def test_a_command_is_told_which_message_it_is_about(alice, bob, tmp_path):
    first = send(alice, bob, "one")["id"]
    send(alice, bob, "--corrects", first, "two")
    send(alice, bob, "--retracts", first)
    bob.options, out = [], tmp_path / "out"
    bob.ok("recv", "--exec", f"cat >> {out}; echo \"<$ZCHAT_CORRECTS> <$ZCHAT_RETRACTS>\" >> {out}")
    assert out.read_text() == f"one\n<> <>\ntwo\n<{first}> <>\n\n<> <{first}>\n"


def test_rpc_tells_it_and_takes_it(alice, bob):
    writer, reader = Rpc(alice), Rpc(bob)
    answer = writer.ask(id=1, send_message=dict(to=name_of(bob), text="one"))
    first = str(uuid.UUID(bytes=base64.b64decode(answer["sendMessage"]["id"])))
    writer.ask(id=2, send_message=dict(to=name_of(bob), text="two", corrects=first))
    writer.ask(id=3, send_message=dict(to=name_of(bob), retracts=first))
    assert about([reader.event("message") for _ in range(3)]) == [("one", None, None), ("two", first, None),
                                                                  ("", None, first)]
    for rpc in writer, reader:
        rpc.end()
