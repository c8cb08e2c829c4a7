"""zmq-cli: what COMMANDS.md says about private chats, between two calls that each hold an end."""

import json
import os
import signal
import subprocess
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from private_calls import accept, errors, errors_in, invite_as, name_of, start, texts  # noqa: F401
from support.broker import program, run
from support.private import CHAT, Peer, answer, answered
from zmq_cli import CALL_S, RFC3339, UUID7, end

pytestmark = pytest.mark.usefixtures("default_timeout")


# ---- holding a chat ----


def test_lines_of_stdin_reach_the_other_one(alice, bob, start):
    lines = [f"line {n} \N{PILE OF POO}" for n in range(200)]
    his = accept(start, bob, "--once", stdin="")
    done = alice.ok("private", "start", name_of(bob), stdin="".join(line + "\n" for line in lines))
    got = end(his)
    assert done.out == "" and got.status == 0, (done, got)
    assert texts(got) == lines
    for line in got.lines:
        assert UUID7.match(line["id"]) and RFC3339.match(line["time"]), line
        assert (line["from"], line["to"]) == (name_of(alice), name_of(bob))


def test_each_answers_the_other(alice, bob, start):
    his = accept(start, bob, name_of(alice), "--once")
    hers = start(alice, "private", "start", name_of(bob))
    for n in range(5):
        hers.stdin.write(f"question {n}\n")
        hers.stdin.flush()
        assert json.loads(his.stdout.readline())["text"] == f"question {n}"
        his.stdin.write(f"answer {n}\n")
        his.stdin.flush()
        assert json.loads(hers.stdout.readline())["text"] == f"answer {n}"
    hers.stdin.close()
    assert end(hers).status == 0
    done = end(his)
    assert done.status == 0 and "is over" in done.err, done


def test_without_json_lines_are_for_people_and_the_fingerprint_is_shown(alice, bob, start):
    alice.options, bob.options = [], []
    his = accept(start, bob, "--once", stdin="")
    done = alice.ok("private", "start", name_of(bob), stdin="hello\n\nwithout a newline")
    got = end(his)
    assert [line.split(" ", 1)[1] for line in got.out.splitlines()] == [
        f"{name_of(alice)}: hello", f"{name_of(alice)}: without a newline"]
    for shown in (done, got):
        assert "the key's fingerprint is" in shown.err and "pinned just now" in shown.err


def test_wait_stays_for_the_answer(alice, bob, start):
    his = accept(start, bob, "--once")
    hers = start(alice, "private", "start", name_of(bob), "--wait", "10", stdin="question\n")
    assert json.loads(his.stdout.readline())["text"] == "question"
    his.stdin.write("answer\n")
    his.stdin.close()
    assert texts(end(hers)) == ["answer"]
    assert end(his).status == 0


def test_accept_serves_one_chat_after_the_other_until_interrupted(alice, bob, script, start):
    his = accept(start, bob)
    for n, cli in enumerate([alice, script(), alice]):
        cli.ok("private", "start", name_of(bob), stdin=f"line {n}\n")
        line = json.loads(his.stdout.readline())
        assert (line["from"], line["text"]) == (name_of(cli), f"line {n}")
    his.send_signal(signal.SIGINT)
    assert end(his).status == 130


def test_accept_of_a_user_leaves_others_alone(alice, bob, script, start):
    carol = script()
    his = accept(start, bob, name_of(alice), "--once", stdin="")
    early = start(carol, "private", "start", name_of(bob), "--timeout", "1", stdin="me first\n")
    done = end(early)
    assert done.status == 124 and "did not answer" in done.error["message"], done
    alice.ok("private", "start", name_of(bob), stdin="me\n")
    assert texts(end(his)) == ["me"]


# ---- what is not delivered ----


def stopped_peer(alice, bob, start):
    """(hers, his): her lines arrive no more, and his call does not answer."""
    his = accept(start, bob, "--once")
    hers = start(alice, "private", "start", name_of(bob))
    hers.stdin.write("one\n")
    hers.stdin.flush()
    assert json.loads(his.stdout.readline())["text"] == "one"
    his.stdin.write("got it\n")
    his.stdin.flush()
    assert json.loads(hers.stdout.readline())["text"] == "got it"
    os.kill(his.pid, signal.SIGSTOP)
    hers.stdin.write("two\nthree\n")
    hers.stdin.flush()
    return hers, his


def test_an_empty_stdin_listens_until_nothing_comes_any_more(alice, bob, start):
    his = accept(start, bob, "--once", "--timeout", "3", stdin="")
    hers = start(alice, "private", "start", name_of(bob), "--wait", "1", stdin="")
    done = end(hers)
    assert done.status == 124 and errors(done)[-1]["code"] == "EXPIRED", done
    assert end(his).status == 0
    his = accept(start, bob, "--once", "--wait", "1", stdin="")
    hers = start(alice, "private", "start", name_of(bob))
    hers.stdin.write("hello\n")
    hers.stdin.flush()
    done = end(his)
    assert done.status == 0 and texts(done) == ["hello"], done


def test_what_the_other_one_did_not_get_is_told_line_by_line(alice, bob, start):
    hers, his = stopped_peer(alice, bob, start)
    hers.stdin.close()
    with pytest.raises(subprocess.TimeoutExpired):
        hers.wait(1)
    hers.send_signal(signal.SIGINT)
    done = end(hers)
    assert done.status == 130
    assert [error["unknown"] for error in errors(done)] == ["two", "three"]
    assert {error["code"] for error in errors(done)} == {"UNKNOWN"}
    assert all("may or may not have been seen" in error["message"] for error in errors(done)), done
    os.kill(his.pid, signal.SIGCONT)


def test_a_peer_that_is_gone_is_exit_1_with_lines_left(alice, bob, start):
    hers, his = stopped_peer(alice, bob, start)
    accept(start, bob)  # of the chat it knows nothing
    his.kill()
    done = end(hers)
    assert done.status == 1, done
    assert [error["unknown"] for error in errors(done)] == ["two", "three"]
    assert {error["code"] for error in errors(done)} == {"UNKNOWN"}
    assert "is made anew" in done.err and "is over" in done.err


def test_a_killed_peer_without_another_session_is_given_up_soon(alice, bob, start):
    hers, his = stopped_peer(alice, bob, start)
    his.kill()
    done = end(hers)
    assert done.status == 1, done
    assert [error["unknown"] for error in errors(done)] == ["two", "three"]
    assert "program is gone" in done.err


def test_lines_that_were_never_sent_are_not_delivered_and_the_others_are_unknown(alice, bob, start):
    hers, his = stopped_peer(alice, bob, start)
    lines = [f"line {n}" for n in range(1000)]  # more than are under way at a time
    hers.stdin.write("".join(line + "\n" for line in lines))
    hers.stdin.close()
    with ThreadPoolExecutor() as pool:
        err = pool.submit(hers.stderr.read)  # more than a pipe holds
        his.kill()
        assert hers.wait(CALL_S) == 1
    told = errors_in(err.result())
    outcomes = ["unknown" if "unknown" in error else "not_delivered" for error in told]
    assert [error[outcome] for error, outcome in zip(told, outcomes)] == ["two", "three", *lines]
    assert outcomes == sorted(outcomes, reverse=True), "what was sent comes first"
    codes = {"unknown": "UNKNOWN", "not_delivered": "UNREACHABLE"}
    assert [error["code"] for error in told] == [codes[outcome] for outcome in outcomes]
    assert outcomes[0] == "unknown"


def test_a_peer_that_ends_is_exit_0_with_nothing_left(alice, bob, start):
    his = accept(start, bob, "--once", stdin="bye\n")
    hers = start(alice, "private", "start", name_of(bob))
    assert json.loads(hers.stdout.readline())["text"] == "bye"
    assert end(his).status == 0
    done = end(hers)
    assert done.status == 0 and "is over" in done.err, done


def open_chat(alice, bob, start):
    """(hers, his): two calls with a chat between them."""
    his = accept(start, bob, "--once")
    hers = start(alice, "private", "start", name_of(bob))
    hers.stdin.write("one\n")
    hers.stdin.flush()
    assert json.loads(his.stdout.readline())["text"] == "one"
    return hers, his


@pytest.mark.parametrize("blocks", ["alice", "bob"])
def test_a_block_by_either_ends_an_open_chat(alice, bob, start, blocks):
    hers, his = open_chat(alice, bob, start)
    one, other = (alice, bob) if blocks == "alice" else (bob, alice)
    one.ok("block", name_of(other))
    for process, peer in ((hers, bob), (his, alice)):
        done = end(process)
        assert done.status == 0, done
        assert f"the private chat with {name_of(peer)} is over" in done.err and "block" in done.err
    one.ok("unblock", name_of(other))


def test_a_session_that_the_broker_ends_ends_the_chat_as_a_failure(town, alice, bob, start):
    hers, his = open_chat(alice, bob, start)
    waiting = accept(start, alice)
    def user(verb):
        run([program("zchatd"), "user", verb, name_of(alice), "--data", town.broker.data], check=0)
    user("lock")
    try:
        for process in (hers, waiting):
            done = end(process)
            assert done.status == 4 and [error["code"] for error in errors(done)] == ["AUTH"], done
        assert end(his).status == 0
    finally:
        user("unlock")


@pytest.mark.parametrize("leaver", ["hers", "his"])
def test_an_interrupted_call_ends_the_chat_and_the_other_one_is_told(alice, bob, start, leaver):
    hers, his = open_chat(alice, bob, start)
    one, other, user = (hers, his, alice) if leaver == "hers" else (his, hers, bob)
    one.send_signal(signal.SIGINT)
    assert end(one).status == 130
    done = end(other)
    assert done.status == 0 and f"{name_of(user)} ended the private chat" in done.err, done


def test_a_killed_call_ends_the_chat_within_a_while(alice, bob, start):
    hers, his = open_chat(alice, bob, start)
    his.stdin.write("got it\n")
    his.stdin.flush()
    assert json.loads(hers.stdout.readline())["text"] == "got it"
    his.kill()
    done = end(hers)
    assert done.status == 0 and f"{name_of(bob)}'s program is gone" in done.err, done


def test_a_revoked_device_ends_its_chats(town, script, start):
    alice, bob = script(), script()
    hers, his = open_chat(alice, bob, start)
    device, = [line["device"] for line in bob.ok("devices").lines if line["current"]]
    bob.ok("revoke", device)
    done = end(his)
    assert "is over" in done.err or done.status == 4, done
    done = end(hers)
    assert done.status == 0 and f"with {name_of(bob)} is over" in done.err, done


@pytest.mark.parametrize("tells", [True, False])
def test_a_chat_ends_with_the_device_at_its_other_end_that_was_revoked(town, bob, start, tells):
    """Whoever has that device keeps the link, and never tells the broker of the chat."""
    thief = town.join(**CHAT)
    his = accept(start, bob, "--once")
    told = answered(thief, invite_as(thief, name_of(bob)))
    with Peer.inviting(thief.keys, told.key, told.endpoint) as peer:
        peer.hello(thief.user, told.id, told.nonce)
        peer.next("hello")
        if tells:
            thief.call("open_private", id=told.id, user=name_of(bob))
        peer.line(1, "hello")
        assert json.loads(his.stdout.readline())["text"] == "hello"
        owner = town.join(thief.user)
        device, = [device.number for device in owner.call("list_devices").devices
                   if device.key == thief.keys.raw]
        owner.call("revoke_device", device=device)
        done = end(his)
    assert done.status == 0 and "the broker ended the session of" in done.err, done


@pytest.mark.parametrize("line", [b"x" * 16385, b"\xff\xfe", b"a\0b"],
                         ids=["too long", "no UTF-8", "a NUL byte"])
def test_a_line_that_can_not_be_sent_is_told_and_the_next_one_goes_on(alice, bob, start, line):
    his = accept(start, bob, "--once", stdin="")
    done = alice("private", "start", name_of(bob), stdin=line + b"\nfine\n", check=1)
    assert [error["code"] for error in errors(done)] == ["INVALID"], done
    assert texts(end(his)) == ["fine"]


# ---- refusals ----


def test_each_refusal_has_its_code_and_text(town, alice, bob, start):
    offline = town.name()
    alice.fails(5, "NOT_FOUND", "private", "start", town.fresh_name())
    alice.fails(2, "INVALID", "private", "start", name_of(alice))
    alice.fails(6, "FORBIDDEN", "private", "start", offline)
    alice.fails(5, "NOT_FOUND", "private", "stop", offline)
    alice.ok("block", name_of(bob))
    his = accept(start, bob, "--once", "--timeout", "5")
    assert "blocked" in alice.fails(6, "FORBIDDEN", "private", "start", name_of(bob))["message"]
    alice.ok("unblock", name_of(bob))
    his.send_signal(signal.SIGINT)
    assert end(his).status == 130


def test_a_declined_invitation_is_forbidden(alice, bob, start):
    his = start(bob, "private", "decline", name_of(alice))
    assert "waiting" in his.stderr.readline()
    assert "declined" in alice.fails(6, "FORBIDDEN", "private", "start", name_of(bob))["message"]
    done = end(his)
    assert done.status == 0 and done.one == {"declined": name_of(alice)}


def test_decline_all_declines_whoever_invites(alice, bob, script, start):
    carol = script()
    his = start(bob, "-v", "private", "decline", "--all", "--timeout", "3")
    inviting = [start(cli, "private", "start", name_of(bob), stdin="x\n") for cli in (alice, carol)]
    ends = [end(process) for process in inviting]
    assert [done.status for done in ends] == [6, 6], ends
    done = end(his)
    assert done.status == 0
    assert {line["declined"] for line in done.lines} <= {name_of(alice), name_of(carol)}


def test_nobody_who_invites_is_exit_124(bob, alice):
    error = bob.fails(124, "EXPIRED", "private", "accept", "--once", "--timeout", "2")
    assert error["message"] == "nobody invited within 2 s"
    error = bob.fails(124, "EXPIRED", "private", "decline", name_of(alice), "--timeout", "2")
    assert name_of(alice) in error["message"]


@pytest.mark.parametrize("words", [[], ["USER"]])
def test_a_timeout_that_is_given_ends_the_wait_for_an_invitation(bob, alice, words):
    words = [name_of(alice) if word == "USER" else word for word in words]
    error = bob.fails(124, "EXPIRED", "private", "accept", *words, "--timeout", "2")
    assert "within 2 s" in error["message"]


def test_a_timeout_that_is_given_bounds_all_steps_together(town, alice, start):
    """Each is in time by itself: the answer comes late, and the line's acknowledgement never."""
    began = time.monotonic()
    with town.join(**CHAT) as eve:
        hers = start(alice, "private", "send", eve.user, "hello", "--timeout", "6")
        eve.wait(lambda: eve.privates, what="an invitation")
        invited = eve.privates[0].private_invited
        with Peer.accepting(eve.keys, invited.key) as peer:
            time.sleep(max(0, began + 4.5 - time.monotonic()))
            answer(eve, invited.id, port=peer.port)
            peer.next("hello")
            peer.hello(eve.user, invited.id)
            done = end(hers)
    assert done.status == 1 or done.status == 124, done
    assert time.monotonic() - began < 10, done


@pytest.mark.parametrize("words", [["--timeout", "6"], []], ids=["flag", "environment"])
def test_a_timeout_that_is_given_ends_a_chat(alice, bob, start, words):
    his = accept(start, bob, "--once", stdin="")
    if not words:
        alice.environment["ZCHAT_TIMEOUT"] = "6"
    hers = start(alice, "private", "start", name_of(bob), *words)
    hers.stdin.write("hello\n")
    hers.stdin.flush()
    assert json.loads(his.stdout.readline())["text"] == "hello"
    status = hers.wait(CALL_S)
    assert status == 124 and "within --timeout, 6 s" in hers.stderr.read()
    assert end(his).status == 0


@pytest.mark.parametrize("verb", ["accept", "decline"])
def test_who_can_not_invite_is_told_at_once(town, bob, verb):
    for name, status, code in (("b ad", 2, "INVALID"), (name_of(bob).upper(), 2, "INVALID"),
                               ("", 2, "INVALID"), (town.fresh_name(), 5, "NOT_FOUND")):
        bob.fails(status, code, "private", verb, name)


@pytest.mark.parametrize("words", [["accept", "a", "b"], ["start"], ["decline"], ["send", "x"],
                                   ["decline", "x", "--all"], ["start", "x", "--once"], ["what"]])
def test_wrong_usage_is_exit_2(alice, words):
    alice.fails(2, "INVALID", "private", *words)


def test_a_link_that_can_not_be_made_is_exit_3_and_names_the_address(alice, bob, start):
    his = accept(start, bob, "--once", "--private-address", "255.255.255.255", stdin="")
    error = alice.fails(3, "UNREACHABLE", "private", "start", name_of(bob))
    assert "255.255.255.255" in error["message"]
    done = end(his)
    assert done.status == 3 and "255.255.255.255" in done.err, done


# ---- one line, one file ----


def test_send_is_a_chat_for_one_line(alice, bob, start):
    his = accept(start, bob, "--once", stdin="")
    done = alice.ok("private", "send", name_of(bob), "two", "words")
    assert done.one == {"to": name_of(bob), "status": "delivered"}
    assert texts(end(his)) == ["two words"]


# ---- the broker's death ----


def test_a_chat_goes_on_without_the_broker(town_factory, script, start):
    town = town_factory(accounts=2)
    alice, bob = script(its=town), script(its=town)
    his = accept(start, bob, "--once")
    hers = start(alice, "private", "start", name_of(bob))
    hers.stdin.write("before\n")
    hers.stdin.flush()
    assert json.loads(his.stdout.readline())["text"] == "before"
    town.broker.kill()
    hers.stdin.write("after\n")
    hers.stdin.flush()
    assert json.loads(his.stdout.readline())["text"] == "after"
    hers.stdin.close()
    assert end(hers).status == 0
    assert end(his).status == 0
    town.broker.start()


def test_somebody_online_without_private_chats_has_a_text_of_its_own(alice, bob, start):
    his = start(bob, "recv", "--follow", "--online")
    while name_of(bob) not in [line["user"] for line in alice.ok("who").lines]:
        pass
    error = alice.fails(6, "FORBIDDEN", "private", "start", name_of(bob))
    assert error["message"].startswith(f"{name_of(bob)} is online, but with no program")
    his.send_signal(signal.SIGINT)
    end(his)


def test_a_second_call_of_the_same_user_finds_the_chat_open(alice, bob, start):
    his = accept(start, bob)
    hers = start(alice, "private", "start", name_of(bob))
    hers.stdin.write("one\n")
    hers.stdin.flush()
    assert json.loads(his.stdout.readline())["text"] == "one"
    error = alice.fails(7, "CONFLICT", "private", "start", name_of(bob))
    assert "open already" in error["message"]
    hers.stdin.write("two\n")
    hers.stdin.close()
    assert json.loads(his.stdout.readline())["text"] == "two"
    assert end(hers).status == 0
