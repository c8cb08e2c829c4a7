"""The inbox: pages, cursor, acknowledgements, heads. proto/README.md, "The inbox"."""

import time

from support import schema
from support.client import CommandError, new_id
from support.town import refused

FRAME_MAX = 1024 * 1024


def fill(client, to, count, text="x"):
    requests = client.start_batch([("send_message", dict(id=new_id(), to=to, text=f"{n} {text}"))
                                   for n in range(1, count + 1)])
    for request in requests:
        client.wait_reply(request)


# ---- pages ----

def test_a_page_has_at_most_500_entries(town):
    alice, bob = town.join(), town.name()
    fill(alice, bob, 1100)
    reader = town.join(bob, inbox=False)
    after, sizes = 0, []
    while True:
        page = reader.sync(after=after)
        assert [event.seq for event in page.events] == list(range(after + 1, after + 1 + len(page.events)))
        assert page.stream == "inbox" and page.head == 1100
        sizes.append(len(page.events))
        after += len(page.events)
        if not page.more:
            break
    assert sizes == [500, 500, 100]


def test_a_page_has_at_most_its_limit(town):
    alice, bob = town.join(), town.join()
    fill(alice, bob.user, 20)
    page = bob.sync(after=5, limit=7)
    assert [event.seq for event in page.events] == list(range(6, 13)) and page.more
    page = bob.sync(after=13, limit=7)
    assert [event.seq for event in page.events] == list(range(14, 21)) and not page.more


def test_a_page_fits_a_frame_whatever_the_texts(town):
    alice, bob = town.join(), town.name()
    fill(alice, bob, 130, "x" * (16 * 1024 - 5))
    reader = town.join(bob, inbox=False)
    after = 0
    while after < 130:
        request = reader.start("sync", stream="inbox", after_seq=after)
        assert reader.dealer.poll(5000)
        frame = reader.dealer.recv()
        assert len(frame) <= FRAME_MAX
        reply, = schema.ServerBatch.FromString(frame).replies
        assert reply.request == request and reply.sync.events
        assert reply.sync.more == (after + len(reply.sync.events) < 130)
        assert [e.seq for e in reply.sync.events] == list(range(after + 1, after + 1 + len(reply.sync.events)))
        after += len(reply.sync.events)


def test_several_pages_asked_for_in_one_frame_are_whole_or_busy(town):
    alice, bob = town.join(), town.name()
    fill(alice, bob, 130, "x" * (16 * 1024 - 5))
    reader = town.join(bob, inbox=False)
    wanted = [0, 20, 40, 60]
    while wanted:
        results = reader.batch([("sync", dict(after_seq=n, limit=50)) for n in wanted])
        left = []
        for n, result in zip(wanted, results):
            if isinstance(result, CommandError):
                assert result.code == "BUSY" and result.retry_after_s > 0
                left.append(n)
            else:
                assert [event.seq for event in result.events] == list(range(n + 1, n + 51))
        assert len(left) < len(wanted), "not even one page"
        wanted = left


def test_an_empty_stream_name_is_the_inbox(town):
    alice, bob = town.join(), town.join()
    alice.message(bob.user, "hello")
    page = bob.sync(stream="")
    assert page.stream == "inbox" and page.events[0].message.text == "hello"


def test_beyond_the_head_there_is_nothing(town):
    alice, bob = town.join(), town.join()
    alice.message(bob.user, "hello")
    for after in (1, 2, 2**63, 2**64 - 1):
        page = bob.sync(after=after)
        assert (len(page.events), page.head, page.more) == (0, 1, False)
    assert not alice.sync(after=1).events


def test_an_unknown_stream_is_refused(town):
    refused("NOT_FOUND", town.join().sync, stream="thread.no")


def test_sync_and_ack_need_a_session(town):
    refused("AUTH", town.guest().call, "sync")
    refused("AUTH", town.guest().call, "ack", read=1)


# ---- the cursor ----

def test_the_cursor_moves_with_read_and_never_back(town):
    alice, bob = town.join(), town.join()
    fill(alice, bob.user, 10)
    assert bob.ack_read(6).cursor == 6
    assert bob.ack_read(3).cursor == 6
    assert bob.call("ack", received=10).cursor == 6
    assert bob.ack_read(0).cursor == 6
    assert bob.ack_read(2**64 - 1).cursor == 10


def test_the_next_login_begins_at_the_cursor(town):
    alice, bob = town.join(), town.join()
    fill(alice, bob.user, 10)
    bob.ack_read(7)
    again = town.guest(town.keys)
    reply = again.login(bob.user)
    assert (reply.inbox_cursor, reply.inbox_head) == (7, 10)
    again.wait_have(10)
    assert [event.seq for event in again.inbox] == [8, 9, 10]


def test_received_alone_leaves_what_was_missed_unread(town):
    alice, bob = town.join(), town.join()
    alice.message(bob.user, "seen, not read")
    bob.wait_text("seen, not read")
    bob.ping()
    assert town.guest(town.keys).login(bob.user).inbox_cursor == 0


def test_another_session_hears_that_the_cursor_moved(town):
    alice, user = town.join(), town.name()
    laptop, phone = town.join(user), town.join(user)
    fill(alice, user, 3)
    phone.wait_have(3)
    phone.heads.clear()
    laptop.ack_read(2)
    phone.wait(lambda: any(heads.cursor == 2 for heads in phone.heads), what="Heads with the cursor")


def test_cursor_and_inbox_survive_a_restart(town_factory):
    town = town_factory(accounts=2)
    alice, bob = town.join(), town.join()
    fill(alice, bob.user, 5)
    bob.ack_read(2)
    town.broker.restart()
    again = town.guest(town.keys)
    again.login("user.001")
    assert again.inbox_cursor == 2
    again.wait_have(5)
    assert [event.seq for event in again.inbox] == [3, 4, 5]


# ---- pushes ----

def test_a_session_that_asked_for_no_inbox_is_pushed_nothing(town):
    alice, bob = town.join(), town.join(inbox=False)
    alice.message(bob.user, "hello")
    bob.ping()
    assert bob.pushed == []
    assert bob.sync().events[0].message.text == "hello"


def test_keep_alive_tells_the_heads(town):
    alice, bob = town.join(), town.join(ack=False)
    fill(alice, bob.user, 4)
    bob.ack_read(1)
    heads = bob.keep_alive()
    assert (heads.inbox, heads.cursor) == (4, 1)
    assert {topic.topic for topic in heads.topics} >= {"presence", "broadcast", "notice"}


def test_keep_alive_before_a_login_is_answered(town):
    heads = town.guest().keep_alive()
    assert (heads.inbox, heads.cursor) == (0, 0)


def test_who_lags_behind_for_2_s_is_told_the_head_and_who_keeps_up_is_not(town):
    alice, lagging, quick = town.join(), town.join(ack=False), town.join()
    for client in (lagging, quick):
        client.ping()
        client.heads.clear()
        alice.message(client.user, "hello")
        client.wait_text("hello")
    quick.pump(0)
    start = time.monotonic()
    lagging.wait(lambda: lagging.heads, timeout=6, what="Heads")
    assert time.monotonic() - start > 1.5, "told before it lagged"
    assert lagging.heads[0].inbox == 1
    quick.ping()
    assert quick.heads == []
    lagging.wait(lambda: len(lagging.heads) >= 2, what="Heads again")
    lagging.ack = True


def test_a_client_that_lost_pushes_repairs_itself_by_the_heads(town):
    alice, bob = town.join(), town.join(ack=False)
    fill(alice, bob.user, 3)
    bob.dealer.poll(1000)
    while bob.dealer.poll(50):
        bob.dealer.recv()
    assert bob.have == 0
    bob.wait_have(3, timeout=6)
    assert [event.seq for event in bob.inbox] == [1, 2, 3]


def test_a_page_has_at_most_500_entries_whatever_the_limit(town):
    alice, bob = town.join(), town.name()
    fill(alice, bob, 501)
    page = town.join(bob, inbox=False).sync(limit=2**32 - 1)
    assert len(page.events) == 500 and page.more
