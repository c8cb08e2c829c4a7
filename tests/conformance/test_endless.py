"""Messages without an end from those who are in, or nearly: what they cost the broker's memory is
bounded for each connection, for each account and for all, however small and slow their parts are."""

import itertools
import socket
import time

from support import schema
from support.client import make_command
from support.curve import Cut, Raw
from support.ids import new_id
from support.memory import allowed, rss
from support.patience import WAIT_S

MIB = 1024 * 1024


def stranger(town):
    peer = Raw(town.broker.commands, town.broker.server_key.encode(), town.keys)
    peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return peer


def batch(body, **fields):
    return schema.CommandBatch(commands=[make_command(1, body, **fields)]).SerializeToString()


def answer(peer):
    """The reply to the one command that was sent."""
    while (payload := peer.receive()) is not None:
        for reply in schema.ServerBatch.FromString(payload).replies:
            return reply
    raise AssertionError("no answer came")


def member(town, user):
    peer = stranger(town)
    peer.send(batch("login", protocol=1, user=user, online=False))
    assert answer(peer).HasField("login")
    return peer


def send_parts(peers, wire_bytes, size=1, together=16 * 1024):
    """So many bytes of parts of one message on each connection in turn; those that live on."""
    sent = dict.fromkeys(peers, 0)
    live = list(peers)
    while live and min(sent[peer] for peer in live) < wire_bytes:
        for peer in list(live):
            parts = [peer.part(bytes(size), more=True)]
            parts += [peer.part(bytes(size), more=True) for _ in range(together // len(parts[0]) - 1)]
            data = b"".join(parts)
            try:
                peer.send_bytes(data)
                sent[peer] += len(data)
            except Cut:
                live.remove(peer)
    return live


def wait_rss_still(town):
    """Until what was sent has arrived: its memory, when that does not grow any more."""
    last = rss(town.broker)
    for _ in range(100):
        town.stats()
        if rss(town.broker) <= last:
            return last
        last = rss(town.broker)
    return last


def test_small_parts_that_come_one_by_one_cost_no_more_than_others(town, counted):
    """libzmq would keep the whole buffer of each read for one byte of it."""
    before = rss(town.broker)
    peers = [stranger(town) for _ in range(40)]
    send_parts(peers, 5 * 1024, together=1)
    slow = member(town, town.name())
    send_parts([slow], 256 * 1024, together=1)
    assert wait_rss_still(town) - before < allowed(town.broker, 8 * MIB)
    for peer in [*peers, slow]:
        peer.close()


def test_all_sessions_of_one_account_have_one_bound(town, counted):
    counted("connections_unfinished_total")
    town.stats()
    before, user = rss(town.broker), town.name()
    peers = [member(town, user) for _ in range(30)]
    send_parts(peers, 900 * 1024)
    assert rss(town.broker) - before < allowed(town.broker, 32 * MIB)
    assert town.stats()["unfinished_held_bytes"] <= 4 * MIB
    for peer in peers:
        peer.close()


def test_all_members_together_have_one_bound(town, counted):
    counted("connections_unfinished_total")
    town.stats()
    before = rss(town.broker)
    peers = [member(town, user) for user in town.names(20) for _ in range(6)]
    send_parts(peers, 300 * 1024)
    assert rss(town.broker) - before < allowed(town.broker, 100 * MIB)
    assert town.stats()["unfinished_held_bytes"] <= 16 * MIB
    for peer in peers:
        peer.close()


def test_who_is_in_the_middle_of_a_large_frame_stays_while_a_greedy_one_is_cut(town, counted):
    counted("connections_unfinished_total")
    slow, user = member(town, town.name()), town.name()
    command = slow.part(batch("broadcast", id=new_id(), text="x" * 16_000) * 14)
    half = len(command) // 2
    slow.send_bytes(command[:half])
    send_parts([member(town, user) for _ in range(12)], 800 * 1024)
    slow.send_bytes(command[half:])
    assert answer(slow).HasField("broadcast")
    slow.close()


def test_large_frames_in_the_same_breath_are_no_unfinished_ones(town):
    """What is complete and only waits to be read is charged to nobody."""
    before = town.stats()
    frame = batch("broadcast", id=new_id(), text="x" * 16_000) * 60
    peers = [member(town, user) for user in town.names(4) for _ in range(3)]
    for _ in range(3):
        for peer in peers:
            peer.send(frame)
    for peer in peers:
        assert answer(peer).request == 1
    after = town.stats()
    for name in ("connections_unfinished_total", "connections_endless_total"):
        assert after[name] == before[name]
    for peer in peers:
        peer.close()


def test_a_subscriber_s_message_without_an_end_is_cut_however_slow(town, counted):
    counted("connections_endless_total")
    member_of = town.join()
    peer = Raw(town.broker.events, town.broker.server_key.encode(), member_of.keys, kind=b"SUB")
    peer.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    peer.send(b"\x01a topic")
    before, deadline = town.stats()["connections_endless_total"], time.monotonic() + WAIT_S
    for number in itertools.count():
        try:
            peer.send(b"\x02", more=True)
        except Cut:
            break
        if number % 100 == 0:
            assert time.monotonic() < deadline and number < 100 * 1024 // 36, "it goes on for ever"
            town.stats()
    assert town.stats()["connections_endless_total"] > before
    peer.close()


def test_a_member_s_message_of_many_parts_is_cut_before_it_is_as_long_as_a_frame_may_be(town, counted):
    counted("connections_endless_total")
    peer = member(town, town.name())
    before, peak = rss(town.broker), 0
    for _ in range(90):  # nearly as much as a frame may have
        if not send_parts([peer], 10 * 1024, together=10 * 1024):
            break
        peak = max(peak, rss(town.broker) - before)
        town.stats()
    else:
        raise AssertionError("it may send all of it")
    assert peak < allowed(town.broker, 4 * MIB)
    peer.close()


def test_a_large_frame_that_comes_slowly_is_answered_whatever_comes_behind_it(town):
    before = town.stats()["connections_endless_total"]
    peer = member(town, town.name())
    data = peer.part(batch("broadcast", id=new_id(), text="x" * 16_000) * 60)
    data += b"".join(peer.part(batch("ping")) for _ in range(20))
    for at in range(0, len(data), 8 * 1024):
        peer.send_bytes(data[at:at + 8 * 1024])
        town.stats() if at % (32 * 1024) == 0 else None
    replies = 0
    while replies < 80:
        payload = peer.receive()
        assert payload is not None, f"{replies} of 80 answers came"
        replies += len(schema.ServerBatch.FromString(payload).replies)
    assert town.stats()["connections_endless_total"] == before
    peer.close()
