"""Members who ask for much, legally: the others are served between their commands, and what nobody
reads fills no memory."""

import hashlib
import time

import pytest
import zmq

from support import schema
from support.client import frames, make_command
from support.curve import Cut, Raw
from support.ids import new_id
from support.memory import allowed, rss
from support.patience import WAIT_S
from support.raw import outcome

MIB = 1024 * 1024
TEXT = "x" * 4000
POSTS = 300
# A budget for keys alone, large enough for what these tests ask besides.
KEY_BUDGET = ("--rate-key", "1000")
EMPTY_HASH = hashlib.blake2b(b"", digest_size=64).digest()


def post_much(client, title, count=POSTS, text=TEXT):
    client.create_thread(title)
    for start in range(0, count, 50):
        client.batch([("post_to_thread", dict(id=new_id(), thread=title, text=text))
                      for _ in range(min(50, count - start))], timeout=WAIT_S)


@pytest.fixture
def long_thread(town):
    """A thread whose reading makes long answers; its creator is gone."""
    title = f"long thread {town.fresh_name()}"
    creator = town.join()
    post_much(creator, title)
    creator.logout()
    creator.close()
    return title


def ask(client, count, body, **fields):
    """Sends commands in as few frames as can be, and reads nothing."""
    for batch in frames([make_command(1000 + n, body, **fields) for n in range(count)]):
        client.send_raw(batch.SerializeToString())


def read_answers(client, count, timeout=60):
    """Reads that many replies, one frame at a time."""
    replies = []
    deadline = time.monotonic() + timeout
    while len(replies) < count:
        left = deadline - time.monotonic()
        assert left > 0 and client.dealer.poll(left * 1000), f"{len(replies)} of {count} answers came"
        replies += [reply for reply in schema.ServerBatch.FromString(client.dealer.recv()).replies
                    if reply.request >= 1000]
    return replies


def test_long_answers_that_nobody_reads_are_not_made(town, long_thread):
    before = rss(town.broker)
    greedy = town.join(rcvhwm=2)
    ask(greedy, 640, "read_thread", thread=long_thread)
    other = town.join()
    for n in range(5):
        other.ping()
    assert rss(town.broker) - before < allowed(town.broker, 48 * MIB)
    greedy.close()
    stats = town.stats()
    assert stats["frames_waited_total"] > 0 and stats["peers_held_bytes"] < 8 * MIB


def test_many_who_read_nothing_fill_no_memory(town, long_thread):
    before = rss(town.broker)
    user = town.name()
    crowd = [town.join(user, rcvhwm=1, online=False) for _ in range(20)]
    for greedy in crowd:
        ask(greedy, 128, "read_thread", thread=long_thread)
    other = town.join()
    for n in range(5):
        other.ping()
    assert rss(town.broker) - before < allowed(town.broker, 96 * MIB)
    for greedy in crowd:
        greedy.close()


def test_nobody_is_cut_for_what_was_held_for_those_who_were_cut(town, long_thread):
    """Some must go if too much is held for all together; not each one that holds something. (A slow machine's
    broker makes the answers one after the other, and stops before anybody must go.)"""
    before, cut = town.stats()["peers_unread_cut_total"], None
    users = town.names(2)
    crowd = [town.join(users[n % 2], rcvhwm=1, online=False) for n in range(120)]
    for greedy in crowd:
        ask(greedy, 8, "read_thread", thread=long_thread)
    other = town.join()
    deadline = time.monotonic() + WAIT_S
    for n in range(10):
        other.ping()
    while (stats := town.stats())["peers_unread_cut_total"] != cut or stats["peers_held_bytes"] > 64 * MIB:
        assert time.monotonic() < deadline, stats["peers_held_bytes"]
        cut = stats["peers_unread_cut_total"]
        other.pump(1)
    assert cut - before < 90
    for greedy in crowd:
        greedy.close()


def test_who_reads_his_long_answers_gets_all_of_them_in_order(town, long_thread):
    greedy = town.join()
    ask(greedy, 200, "read_thread", thread=long_thread, limit=60)
    replies = read_answers(greedy, 200)
    assert [reply.request for reply in replies] == list(range(1000, 1200))
    assert all(len(reply.read_thread.items) == 60 and reply.read_thread.more for reply in replies)


def test_commands_behind_a_long_one_keep_their_order(town, long_thread):
    author = town.join()
    title = f"order {town.fresh_name()}"
    author.create_thread(title)
    commands = []
    for n in range(60):
        commands.append(make_command(1000 + 2 * n, "read_thread", thread=long_thread))
        commands.append(make_command(1001 + 2 * n, "post_to_thread", id=new_id(), thread=title, text=str(n)))
    for batch in frames(commands):
        author.send_raw(batch.SerializeToString())
    replies = read_answers(author, 120)
    assert [reply.request for reply in replies] == list(range(1000, 1120))
    items = author.call("read_thread", thread=title).items
    assert [item.post.text for item in items] == [str(n) for n in range(60)]


def test_others_are_served_between_the_commands_of_one_who_asks_for_much(town, long_thread):
    greedy, other = town.join(), town.join()
    done = town.stats()["commands_total"]
    ask(greedy, 640, "read_thread", thread=long_thread, limit=60)
    for n in range(3):
        other.ping()
    assert town.stats()["commands_total"] - done < 400, "the greedy one's commands came first"
    greedy.close()


def test_commands_beyond_what_may_wait_are_busy_and_later_are_not(town, long_thread):
    greedy = town.join()
    wide = [("read_thread", dict(thread=long_thread))] * 4
    numbers = greedy.start_batch(wide)
    big = "y" * 16000
    for _ in range(12):
        numbers += greedy.start_batch([("send_message", dict(id=new_id(), to=greedy.user, text=big))] * 60)
    codes = set()
    for number in numbers:
        greedy.wait(lambda: number in greedy.replies, 30)
        reply = greedy.replies.pop(number)
        if reply.HasField("error"):
            codes.add(schema.Code.Name(reply.error.code))
    assert codes <= {"CODE_BUSY", "CODE_INVALID"}
    greedy.ping()


def join_crowd_that_waits(town, user, thread, count, frames_each):
    """Sessions of one account that read nothing, and commands that must wait behind what they asked for.
    All of a session's frames are sent at once: those who take nothing for long are cut."""
    big = "y" * 16000
    crowd = [town.join(user, rcvhwm=1, online=False) for _ in range(count)]
    for greedy in crowd:
        waiting = schema.CommandBatch(commands=[make_command(n, "send_message", id=new_id(), to=user, text=big)
                                                for n in range(1, 61)]).SerializeToString()
        ask(greedy, 64, "read_thread", thread=thread)
        for _ in range(frames_each):
            greedy.send_raw(waiting)
    return crowd


def wait_busy(town, before, commands):
    deadline = time.monotonic() + 120
    while (stats := town.stats())["commands_busy_total"] - before < commands:
        assert time.monotonic() < deadline, (before, stats)
    return stats


def test_what_waits_of_an_account_is_bounded_over_its_sessions(town, long_thread):
    """Else it has all the room there is, and nobody else's commands may wait."""
    before = town.stats()["commands_busy_total"]
    crowd = join_crowd_that_waits(town, town.name(), long_thread, 20, 7)
    stats = wait_busy(town, before, 20 * 60)
    assert stats["commands_waiting_bytes"] <= 8 * MIB
    for greedy in crowd:
        greedy.close()


def test_what_waits_of_an_ended_session_still_counts_for_its_account(town, long_thread):
    """Else who ends sessions and opens new ones has all the room there is."""
    user, crowds = town.name(), []
    for _ in range(2):
        before = town.stats()["commands_busy_total"]
        crowds += join_crowd_that_waits(town, user, long_thread, 10, 2)
        wait_busy(town, before, 10 * 60)
        if not crowds[10:]:
            other = town.join(user, online=False)
            other.call("change_password", old_password="", new_password="another")
    assert town.stats()["commands_waiting_bytes"] <= 8 * MIB
    for greedy in crowds:
        greedy.close()


def test_small_commands_of_one_who_reads_nothing_wait_however_many_they_are(town, long_thread):
    """Who is only slow is not refused an acknowledgement."""
    slow = town.join(rcvhwm=1)
    ask(slow, 64, "read_thread", thread=long_thread)
    for n in range(300):
        slow.send_raw(schema.CommandBatch(commands=[make_command(2000 + n, "ping")]).SerializeToString())
    replies = read_answers(slow, 64 + 300)
    assert not [reply.request for reply in replies if reply.HasField("error")]


def test_one_who_reads_nothing_for_long_is_cut_off_even_where_he_sends(town, long_thread):
    greedy, other = town.join(rcvhwm=1), town.join(sub=True)
    ask(greedy, 64, "read_thread", thread=long_thread)
    deadline = time.monotonic() + 75
    while other.presence_of(greedy.user) != [False]:
        assert time.monotonic() < deadline
        greedy.send_raw(b"")  # it seems to live
        other.pump(0.5)
    assert town.stats()["peers_held_bytes"] < MIB


def test_broadcasts_told_one_by_one_fill_no_memory(town):
    before = rss(town.broker)
    sender, blocked = town.join(), town.name()
    sender.block(blocked)
    readers = town.join_many(40, rcvhwm=1)
    for batch in frames([make_command(1000 + n, "broadcast", id=new_id(), text="x" * 16000)
                         for n in range(400)]):
        sender.send_raw(batch.SerializeToString())
    read_answers(sender, 400)
    assert rss(town.broker) - before < allowed(town.broker, 96 * MIB)
    for reader in readers:
        reader.close()


def test_publications_that_nobody_reads_fill_no_memory(town):
    before = rss(town.broker)
    sender, deaf = town.join(), town.join()
    deaf.subscribe()
    sub = deaf.sub
    deaf.sub = None
    for n in range(40):
        for batch in frames([make_command(1000 + n, "broadcast", id=new_id(), text="x" * 16000)
                             for n in range(60)]):
            sender.send_raw(batch.SerializeToString())
        read_answers(sender, 60)
    sub.close()
    stats = town.stats()
    assert stats["published_held_bytes"] <= 40 * MIB
    assert rss(town.broker) - before < allowed(town.broker, 64 * MIB)


def test_the_longest_turn_is_told(town):
    town.join().ping()
    stats = town.stats()
    assert 0 < stats["turn_us_longest_lately"] <= stats["turn_us_longest"]


# ---- an inbox that nobody reads ----

def test_an_inbox_takes_64_mib_unread_of_a_sender_and_more_when_it_was_read(town_factory):
    """A quota of messages alone would be 4 GB of long texts."""
    town = town_factory("--rate-account", "0", "--rate-key", "0", "--rate-address", "0")
    flooder, reader, other = town.join(), town.join(), town.join()
    text = "x" * 16384
    stored, codes = 0, set()
    while not codes and stored < 6000:
        results = flooder.batch([("send_message", dict(id=new_id(), to=reader.user, text=text))
                                 for _ in range(60)], timeout=WAIT_S)
        codes = {result.code for result in results if isinstance(result, Exception)}
        stored += 60 - sum(isinstance(result, Exception) for result in results)
    assert codes == {"BUSY"} and 64 * MIB <= stored * (16384 + 128) <= 65 * MIB
    assert town.stats()["messages_quota_total"] > 0
    other.message(reader.user, "from somebody else")
    reader.call("ack", read=stored // 2)
    flooder.message(reader.user, text)


# ---- lists ----

LONG_NAME = "n" * 110


def put_many(client, title, count):
    """Uploads that many files without a byte, with long names."""
    client.create_thread(title)
    for start in range(0, count, 60):
        ids = [new_id() for _ in range(start, min(start + 60, count))]
        client.batch([("begin_upload", dict(id=one, thread=title, file=f"{start + n:05} {LONG_NAME}", size=0))
                      for n, one in enumerate(ids)], timeout=WAIT_S)
        client.batch([("put_chunk", dict(id=one, offset=0, data=b"", digest=EMPTY_HASH)) for one in ids],
                     timeout=WAIT_S)


@pytest.fixture(scope="module")
def many_files(_shared_town):
    title = f"many files {_shared_town.fresh_name()}"
    uploader = _shared_town.join()
    put_many(uploader, title, 1900)
    uploader.logout()
    uploader.close()
    return title


def test_a_long_list_of_files_comes_in_pages_and_is_never_busy(town, many_files):
    client = town.join()
    names, after = [], ""
    while True:
        page = client.call("list_files", thread=many_files, after=after)
        assert page.files and page.ByteSize() <= MIB
        names += [upload.file for upload in page.files]
        if not page.more:
            break
        after = names[-1]
    assert names == [f"{n:05} {LONG_NAME}" for n in range(1900)]
    assert len(client.call("list_files", thread=many_files, limit=3).files) == 3


def test_lists_asked_for_in_one_breath_fill_no_memory(town, many_files):
    before = rss(town.broker)
    greedy, other = town.join(rcvhwm=2), town.join()
    ask(greedy, 1500, "list_files", thread=many_files)
    for n in range(5):
        other.ping()
    assert rss(town.broker) - before < allowed(town.broker, 32 * MIB)
    assert town.stats()["peers_held_bytes"] < 8 * MIB
    greedy.close()


def test_who_comes_in_pages(town):
    asker, *others = town.join_many(7)
    first = asker.call("who", limit=4)
    rest = asker.call("who", limit=4, after=first.people[-1].user)
    assert first.more and not rest.more and len(first.people) == 4
    assert [p.user for p in first.people] + [p.user for p in rest.people] == sorted(o.user for o in others)


def test_since_says_that_there_are_more(town):
    asker, *others = town.join_many(5)
    page = asker.call("since", seconds=3600, limit=3)
    assert page.more and len(page.people) == 3
    names = {person.user for person in asker.call("since", seconds=3600).people}
    assert {other.user for other in others} <= names


def test_what_was_read_is_charged_and_not_a_flat_cost(town_factory):
    town = town_factory("--rate-account", "50")
    author, reader = town.join(), town.join()
    title = "charged"
    author.create_thread(title)
    for n in range(10):
        author.post(title, "x" * 16000)
    results = []
    for n in range(40):
        results += reader.batch([("read_thread", dict(thread=title))])
    read = [result for result in results if not isinstance(result, Exception)]
    assert 5 <= len(read) <= 25, "500 units, of which each page costs 10 and 20 for its bytes"
    busy = next(result for result in results if isinstance(result, Exception))
    assert busy.code == "BUSY" and busy.retry_after_s > 0


def test_a_subscriber_that_takes_nothing_is_cut_once_much_waits_for_it(town, long_thread):
    """The others hear all."""
    author, deaf, hearer = town.join(), town.join(), town.join(sub=True)
    deaf.follow(long_thread)
    deaf.subscribe()
    sub, deaf.sub = deaf.sub, None
    sub.rcvhwm = 1
    before = town.stats()["subscriptions"]
    deadline = time.monotonic() + WAIT_S
    while town.stats()["subscriptions"] >= before:
        assert time.monotonic() < deadline, "it is there for ever"
        for batch in frames([make_command(0, "post_to_thread", id=new_id(), thread=long_thread, text="x" * 16000)
                             for _ in range(60)]):
            author.send_raw(batch.SerializeToString())
        author.ping()
    author.broadcast("still heard")
    hearer.wait_broadcast("still heard")
    sub.close()


def listen(town, topics, timeout=WAIT_S):
    """One connection to the event socket that subscribes to so many topics and ends; whether it was let in."""
    sock = town.socket(zmq.SUB, town.keys)
    sock.reconnect_ivl = -1
    for k in range(topics):
        sock.subscribe(b"topic %d" % k)
    admitted = outcome(sock, town.broker.events, timeout) == "HANDSHAKE_SUCCEEDED"
    deadline = time.monotonic() + WAIT_S
    while admitted and town.stats()["subscriptions"] < topics:
        assert time.monotonic() < deadline
    sock.close()
    while town.stats()["subscriptions"] >= topics:
        assert time.monotonic() < deadline
    return admitted


def test_one_who_connects_for_events_in_a_loop_waits_and_is_let_in_again(town_factory):
    """Each connection costs the broker a handshake, its subscriptions and their end."""
    town = town_factory(*KEY_BUDGET, accounts=3)
    greedy, other = town.join(), town.join()
    admitted = [listen(town, 300, timeout=2) for _ in range(12)]
    assert all(admitted[:4]) and not all(admitted)
    assert town.stats()["zap_refused_total"] > 0
    assert town.broker.log_text().count("event=events_busy") == 1
    other.ping()
    deadline = time.monotonic() + WAIT_S
    while not listen(town, 1, timeout=2):
        assert time.monotonic() < deadline, "it is never let in again"
    greedy.close()


def test_one_who_follows_much_may_come_back_at_once(town_factory):
    town = town_factory(*KEY_BUDGET, accounts=3)
    follower = town.join()
    assert listen(town, 950) and listen(town, 950)
    follower.close()


def test_one_whose_answers_were_dropped_is_cut_though_he_reads_by_then(town, long_thread):
    """An answer that never comes would be waited for for ever."""
    greedy = Raw(town.broker.commands, town.broker.server_key.encode(), town.keys)

    def send(count, body, **fields):
        greedy.send(schema.CommandBatch(commands=[make_command(1, body, **fields) for _ in range(count)])
                    .SerializeToString())

    send(1, "login", protocol=1, user=town.name())
    dropped, deadline = town.stats()["replies_dropped_total"], time.monotonic() + 120
    with pytest.raises(Cut):
        send(64, "read_thread", thread=long_thread)
        while town.stats()["replies_dropped_total"] == dropped:
            assert time.monotonic() < deadline, "nothing was dropped"
            for _ in range(100):
                send(64, "ping")
        while greedy.receive(5) is not None:
            pass
    greedy.close()
