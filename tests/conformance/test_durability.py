"""What was acknowledged is there once and in order, whatever dies. proto/README.md, "What a reply
means"."""

import pathlib
import subprocess
import sys
import time

import pytest

from support.broker import die_with_parent
from support.client import new_id
from support.town import refused

TESTS = pathlib.Path(__file__).resolve().parents[1]


def sends(to, first, count):
    return [("send_message", dict(id=new_id(), to=to, text=str(n))) for n in range(first, first + count)]


def test_a_broker_killed_in_a_stream_of_sends_loses_and_doubles_nothing(town_factory):
    town = town_factory(accounts=2)
    alice, bob = town.join(), town.join()
    each, in_flight, late = 3000, 1000, 0
    for sent in range(0, 3 * each, each):
        requests = alice.start_batch(sends("user.001", sent, each - in_flight))
        alice.wait(lambda: len(alice.replies) >= each // 3, what="a third of the replies")
        requests += alice.start_batch(sends("user.001", sent + each - in_flight, in_flight))
        alice.dealer.poll(1000)
        town.broker.kill()
        alice.pump(0)
        late += not alice.unanswered
        town.broker.start()
        alice.resume()
        bob.resume()
        replies = [alice.wait_reply(request) for request in requests]
        assert [reply.seq for reply in replies] == list(range(sent + 1, sent + each + 1))
        bob.wait_have(sent + each)
    assert late < 3, "every kill came too late to mean anything"
    assert bob.texts() == [str(n) for n in range(3 * each)]
    assert [event.seq for event in bob.inbox] == list(range(1, 3 * each + 1))
    assert len({event.message.id for event in bob.inbox}) == 3 * each


def test_a_reply_given_before_the_kill_holds_after_it(town_factory):
    town = town_factory(accounts=2)
    alice, bob = town.join(), town.name()
    commands = sends(bob, 0, 50)
    before = alice.batch(commands)
    town.broker.kill()
    town.broker.start()
    again = town.join("user.000")
    after = again.batch(commands)
    assert [(r.id, r.seq, r.time_us) for r in after] == [(r.id, r.seq, r.time_us) for r in before]
    refused("CONFLICT", again.message, bob, "other", commands[7][1]["id"])
    reader = town.join(bob)
    reader.wait_have(50)
    reader.ping()
    assert reader.texts() == [str(n) for n in range(50)]


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_messages_for_one_who_is_away_survive_a_restart(town_factory, end):
    town = town_factory(accounts=2)
    alice, bob = town.join(), town.name()
    for n in range(5):
        alice.message(bob, str(n))
    getattr(town.broker, end)()
    town.broker.start()
    reader = town.join(bob)
    reader.wait_have(5)
    assert reader.texts() == [str(n) for n in range(5)]


def test_clients_come_back_by_themselves_within_5_s(town_factory):
    town = town_factory(accounts=2)
    alice, bob = town.join(sub=True), town.join(sub=True)
    key = town.broker.server_key
    town.broker.kill()
    town.broker.start()
    start = time.monotonic()
    alice.resume()
    bob.resume()
    alice.message(bob.user, "back again")
    bob.wait_text("back again")
    alice.broadcast("all back?")
    bob.wait_broadcast("all back?")
    assert time.monotonic() - start < 5
    assert town.broker.server_key == key


def test_the_broker_keeps_its_key_over_restarts(town_factory):
    town = town_factory(accounts=1)
    key = town.broker.server_key
    town.broker.restart(same_ports=False)
    assert town.broker.server_key == key


WRITER = """
import sys
from support.client import Client, Keys, new_id
keys = Keys()
keys.public, keys.secret = sys.argv[2].encode(), sys.argv[3].encode()
client = Client(sys.argv[1], keys=keys)
client.login(sys.argv[4])
print("in", flush=True)
n = 0
while True:
    client.start_batch([("send_message", dict(id=new_id(), to=sys.argv[5], text=str(n + k)))
                        for k in range(64)])
    client.wait(lambda: len(client.unanswered) < 512)
    n += 64
"""


def test_a_client_killed_in_the_middle_of_sending_harms_nobody(town_factory):
    town = town_factory(accounts=3)
    watcher, reader = town.join(sub=True), town.join(fill=False)
    writer = subprocess.Popen([sys.executable, "-c", WRITER, town.broker.address, town.keys.public,
                               town.keys.secret, "user.002", reader.user], cwd=TESTS,
                              stdout=subprocess.PIPE, preexec_fn=die_with_parent)
    try:
        assert writer.stdout.readline() == b"in\n"
        reader.wait_have(300)
    finally:
        writer.kill()
        writer.wait(10)
        writer.stdout.close()
    watcher.wait_presence("user.002", False)
    reader.ping()
    reader.ping()
    texts = reader.texts()
    assert texts == [str(n) for n in range(len(texts))]
    watcher.message(reader.user, "all is well")
    reader.wait_text("all is well")


def test_100000_stored_messages_are_read_in_pages(town_factory):
    town = town_factory(accounts=2)
    total, window = 100_000, 16 * 64
    alice, bob = town.join(ack=False), town.name()
    alice.fill = False
    for first in range(0, total, 64):
        alice.start_batch(sends(bob, first, min(64, total - first)))
        alice.replies.clear()
        alice.wait(lambda: len(alice.unanswered) < window, what="room in the window")
    alice.wait(lambda: not alice.unanswered, what="the last replies")

    start = time.monotonic()
    reader = town.guest(town.keys)
    reply = reader.login(bob, inbox=False)
    assert time.monotonic() - start < 1, "the login waited for the messages"
    assert (reply.inbox_head, reply.inbox_cursor) == (total, 0)
    texts, slowest = [], 0
    while len(texts) < total:
        start = time.monotonic()
        page = reader.sync(after=len(texts))
        slowest = max(slowest, time.monotonic() - start)
        assert [event.seq for event in page.events] == list(range(len(texts) + 1, len(texts) + 501))
        texts += [event.message.text for event in page.events]
    assert not page.more
    assert texts == [str(n) for n in range(total)]
    assert slowest < 0.5, f"a page took {slowest:.3f} s"

    town.broker.restart()
    start = time.monotonic()
    again = town.guest(town.keys)
    assert again.login(bob, inbox=False).inbox_head == total
    assert [event.message.text for event in again.sync(after=total - 3).events] == texts[-3:]
    assert time.monotonic() - start < 1
