"""zmq-cli events: public events live, and what happens in followed threads, missed and live, with their cursors."""

import json

import pytest

from support.ids import new_id
from zmq_cli import RFC3339, UUID7, Cli, end


class Forum:
    """A thread that the reader follows, and somebody who writes there."""

    def __init__(self, town, reader, writer=None):
        self.town, self.reader = town, reader
        self.writer = writer or town.join(inbox=False)
        self.title = f"thread of {town.fresh_name()}"
        self.writer.create_thread(self.title)
        reader.ok("thread", "follow", self.title)

    def post(self, *texts):
        results = self.writer.batch([("post_to_thread", dict(id=new_id(), thread=self.title, text=text))
                                     for text in texts])
        assert not [result for result in results if isinstance(result, Exception)]

    def cursor(self):
        reader = self.town.join(self.reader.environment["ZCHAT_USER"], inbox=False, online=False)
        cursors = {followed.title: followed.cursor for followed in reader.list_followed()}
        reader.logout()
        return cursors[self.title]


@pytest.fixture
def forum(town, alice):
    return Forum(town, alice)


def read(process):
    """The next line; it also says that the session is there."""
    return json.loads(process.stdout.readline())


def texts(lines):
    return [line["text"] for line in lines]


# Threads.

def test_what_was_missed_comes_in_order_and_stays_unread(alice, forum):
    forum.post("one", "two", "three")
    for _ in range(2):
        lines = alice.ok("events", "--count", "3").lines
        assert texts(lines) == ["one", "two", "three"]
        assert [(line["type"], line["thread"], line["missed"]) for line in lines] == [("posted", forum.title, True)] * 3
        assert [(line["seq"], line["number"]) for line in lines] == [("1", "1"), ("2", "2"), ("3", "3")]
        assert all(RFC3339.match(line["time"]) and UUID7.match(line["id"]) for line in lines)
        assert all(line["user"] == forum.writer.user for line in lines)
    assert forum.cursor() == 0


def test_drain_reads_what_was_missed_and_ends(alice, forum):
    forum.post("one", "two")
    assert texts(alice.ok("events", "--drain").lines) == ["one", "two"]
    assert alice.ok("events", "--drain").out == ""
    assert forum.cursor() == 2
    for other in (["--follow"], ["--count", "1"], ["--wait", "1"]):
        alice.fails(2, "INVALID", "events", "--drain", *other)


def test_drain_ends_where_nothing_is_followed(alice):
    assert alice.ok("events", "--drain").out == ""


def test_ack_moves_the_cursor_past_what_was_written(alice, forum):
    forum.post("one", "two", "three")
    assert texts(alice.ok("events", "--ack", "--count", "2").lines) == ["one", "two"]
    assert forum.cursor() == 2
    process = alice.start("events", "--ack", "--count", "2")
    assert read(process)["text"] == "three"
    forum.post("live")
    done = end(process)
    assert done.status == 0 and texts(done.lines) == ["live"] and not done.one["missed"]
    assert forum.cursor() == 4


def test_each_kind_has_its_type(alice, script, source, forum):
    forum.post("one", "two")
    post = forum.writer.posts(forum.title)[0]
    forum.writer.edit(forum.title, post.id, "one, edited")
    forum.writer.delete(forum.title, post.id)
    script().ok("file", "put", forum.title, source(b"bytes", "a.txt"))
    process = alice.start("events", "--count", "6")
    lines = [read(process) for _ in range(5)]
    forum.writer.remove_thread(forum.title)
    lines.append(end(process).one)
    assert [line["type"] for line in lines] == ["posted", "posted", "edited", "deleted", "uploaded", "removed"]
    posted, _, edited, deleted, uploaded, removed = lines
    assert posted["number"] == "0" and posted["id"] == edited["id"] == deleted["id"]
    assert edited["text"] == "one, edited" and RFC3339.match(edited["edited"])
    assert deleted["user"] == forum.writer.user and "text" not in deleted
    assert (uploaded["file"], uploaded["size"], uploaded["seq"]) == ("a.txt", "5", "5")
    assert removed["user"] == forum.writer.user and removed["thread"] == forum.title


def test_in_words_each_kind_reads_well(alice, forum):
    forum.post("one\n2026-01-01T00:00:00Z forged", "two")
    forum.writer.edit(forum.title, 2, "two, edited")
    forum.writer.delete(forum.title, 2)
    alice.options = []
    lines = alice.ok("events", "--drain").out.splitlines()
    user, title = forum.writer.user, forum.title
    assert [line if line.startswith(" ") else line.split(" ", 1)[1] for line in lines] == [
        f"[{title}] 1 {user}: one", "    2026-01-01T00:00:00Z forged", f"[{title}] {user} (deleted since): two",
        f"[{title}] {user} edited a post (deleted since): two, edited", f"[{title}] {user} deleted a post"]


def test_ones_own_posts_show_with_sent_only_and_are_passed(alice, forum):
    forum.post("theirs")
    alice.ok("thread", "post", forum.title, "mine")
    assert texts(alice.ok("events", "--sent", "--count", "2").lines) == ["theirs", "mine"]
    assert texts(alice.ok("events", "--drain").lines) == ["theirs"]
    assert forum.cursor() == 2


def test_more_than_a_page_of_several_threads_comes_in_order(town, alice, forum):
    other = Forum(town, alice)
    many = [str(number) for number in range(1203)]
    forum.post(*many)
    other.post(*many)
    lines = alice.ok("events", "--drain").lines
    for one in (forum, other):
        assert [line["text"] for line in lines if line["thread"] == one.title] == many
        assert one.cursor() == 1203


def test_one_thread_of_several(town, alice, forum):
    other = Forum(town, alice)
    forum.post("one")
    other.post("other")
    assert texts(alice.ok("events", "--drain", "--topic", f"thread/{forum.title}").lines) == ["one"]
    assert (forum.cursor(), other.cursor()) == (1, 0)
    assert texts(alice.ok("events", "--drain", "--topic", "thread").lines) == ["other"]


def test_a_thread_that_is_not_followed_is_not_found(alice, forum):
    alice.fails(5, "NOT_FOUND", "events", "--topic", "thread/no such thread")
    alice.ok("thread", "unfollow", forum.title)
    error = alice.fails(5, "NOT_FOUND", "events", "--topic", f"thread/{forum.title}")
    assert "thread follow" in error["message"]


@pytest.mark.parametrize("topics", ["post", "presence,", ",presence", "threads", "thread:x", "", "presence broadcast"])
def test_topics_that_are_none_are_refused(alice, topics):
    alice.fails(2, "INVALID", "events", f"--topic={topics}")


# Public events.

def test_who_comes_and_goes_and_broadcasts_come_live(town, alice, forum):
    forum.post("ready")
    process = alice.start("events", "--count", "4")
    assert read(process)["text"] == "ready"
    guest = town.join()
    name = guest.user
    come = read(process)
    assert (come["type"], come["user"], come["online"]) == ("presence", name, True)
    assert RFC3339.match(come["time"])
    forum.writer.broadcast("to\nall")
    told = read(process)
    assert (told["type"], told["user"], told["text"]) == ("broadcast", forum.writer.user, "to\nall")
    assert UUID7.match(told["id"]) and int(told["seq"]) > 0
    guest.logout()
    gone = end(process).one
    assert (gone["type"], gone["user"], gone["online"]) == ("presence", name, False)


def test_only_the_topics_that_are_asked_for(town, alice, forum):
    forum.post("ready")
    process = alice.start("events", "--count", "2", "--topic", "broadcast,thread")
    assert read(process)["text"] == "ready"
    guest = town.join()
    guest.broadcast("told")
    assert end(process).one["type"] == "broadcast"


def test_no_more_threads_than_asked_for(alice, forum):
    forum.post("not this")
    alice.fails(124, "EXPIRED", "events", "--topic", "presence,broadcast,notice", "--wait", "0.3")
    assert alice.ok("events", "--topic", "presence", "--drain").out == ""
    assert forum.cursor() == 0


def test_it_makes_no_presence_itself(town, alice, forum):
    watcher = town.join(sub=True)
    forum.post("ready")
    alice.ok("events", "--count", "1")
    forum.writer.broadcast("behind it")
    watcher.wait_broadcast("behind it")
    assert not [event for event in watcher.events if event.presence.user == alice.environment["ZCHAT_USER"]]


def test_a_notice_is_an_event_and_it_goes_on_over_a_restart(town_factory, tmp_path):
    town = town_factory(accounts=9)
    reader = Cli(town.broker, tmp_path, town.name(), town.keys)
    forum = Forum(town, reader)
    forum.post("before")
    process = reader.start("events", "--ack", "--topic", "notice,thread", "--count", "3")
    assert read(process)["text"] == "before"
    forum.writer.close()
    town.broker.stop()
    notice = read(process)
    assert notice["type"] == "notice" and notice["text"] and "user" not in notice
    town.broker.restart()
    forum.writer = town.join(forum.writer.user, inbox=False)
    forum.post("after")
    done = end(process)
    assert done.status == 0 and done.one["text"] == "after", done
    assert forum.cursor() == 2


# Waiting.

def test_waits_that_are_over_are_timed_out(alice, forum):
    assert "no event" in alice.fails(124, "EXPIRED", "events", "--wait", "0.3")["message"]
    assert "no event" in alice.fails(124, "EXPIRED", "--timeout", "1.5", "events")["message"]
    forum.post("one")
    done = alice("events", "--count", "2", "--wait", "0.3", check=124)
    assert texts(done.lines) == ["one"] and "no further event" in done.error["message"]
    assert texts(alice.ok("events", "--wait", "0.3").lines) == ["one"]


# Commands.

def test_exec_gets_each_event_and_acks_what_has_a_cursor(alice, forum, tmp_path):
    forum.post("one", "two\nlines")
    alice.options = []
    out = tmp_path / "out"
    command = f"cat >> {out}; echo $ZCHAT_TYPE $ZCHAT_SEQ $ZCHAT_NUMBER $ZCHAT_FROM $ZCHAT_USER >> {out}"
    assert alice.ok("events", "--count", "2", "--exec", command).out == ""
    names = f"{forum.writer.user} {alice.environment['ZCHAT_USER']}"
    assert out.read_text() == f"one\nposted 1 1 {names}\ntwo\nlines\nposted 2 2 {names}\n"
    assert forum.cursor() == 2


def test_exec_gets_the_object_with_json(alice, forum, tmp_path):
    forum.post("one")
    out, names = tmp_path / "out", tmp_path / "names"
    alice.ok("events", "--drain", "--exec", f'cat > {out}; echo "$ZCHAT_THREAD|$ZCHAT_ID|$ZCHAT_TIME" > {names}')
    event = json.loads(out.read_text())
    assert (event["type"], event["text"]) == ("posted", "one")
    assert names.read_text() == f"{forum.title}|{event['id']}|{event['time']}\n"


def test_exec_stops_at_the_event_whose_command_fails(alice, forum):
    forum.post("good", "bad", "after")
    error = alice.fails(1, "COMMAND_FAILED", "events", "--exec", "grep -qv bad")
    assert "status 1" in error["message"] and f"event 2 of {forum.title} stays unread" in error["message"]
    assert forum.cursor() == 1
    assert texts(alice.ok("events", "--drain").lines) == ["bad", "after"]


def test_exec_gets_public_events_too(town, alice, forum, tmp_path):
    forum.post("ready")
    alice.options = []
    process = alice.start("events", "--count", "2", "--topic", "broadcast,thread", "--exec", "cat; echo $ZCHAT_TYPE")
    assert [process.stdout.readline() for _ in range(2)] == ["ready\n", "posted\n"]
    forum.writer.broadcast("told")
    assert end(process).out == "told\nbroadcast\n"


def test_a_thread_that_is_left_meanwhile_does_not_fail_the_ack(alice, forum):
    forum.post("one", "two")
    command = " ".join(alice.command(["-q", "thread", "unfollow", f"'{forum.title}'"])) + " >/dev/null 2>&1; true"
    alice.ok("events", "--drain", "--exec", command)
    assert alice.ok("events", "--drain").out == ""
