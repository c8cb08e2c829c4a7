"""zmq-cli: history, of conversations and of threads. Nothing in it moves a cursor."""

import pytest

from support.ids import new_id
from zmq_cli import is_message


class Talk:
    """alice, whose calls are made, and bob and carol, who write to her and she to them."""

    def __init__(self, town, script):
        self.names = dict(zip(("alice", "bob", "carol"), town.names(3)))
        self.clients = {who: town.join(name, inbox=False) for who, name in self.names.items()}
        self.alice = script(self.names["alice"])

    def say(self, *lines):
        """Each line is "from to text", in that order."""
        for line in lines:
            who, to, text = line.split(" ", 2)
            self.clients[who].message(self.names[to], text)

    def fill(self, who, to, texts):
        results = self.clients[who].batch([("send_message", dict(id=new_id(), to=self.names[to], text=text))
                                           for text in texts])
        assert not [result for result in results if isinstance(result, Exception)]

    def history(self, who, *options):
        return self.alice.ok("history", self.names[who], *options).lines

    def texts(self, who, *options):
        return [message["text"] for message in self.history(who, *options)]


@pytest.fixture
def talk(town, script):
    return Talk(town, script)


def test_a_conversation_has_both_sides_in_their_order_and_nobody_elses(talk):
    talk.say("bob alice one", "alice bob two", "carol alice no", "alice carol no", "bob carol no", "bob alice three")
    messages = talk.history("bob")
    assert [message["text"] for message in messages] == ["one", "two", "three"]
    assert all(is_message(message) for message in messages)
    assert [message.get("sent") for message in messages] == [None, True, None]
    assert [message["seq"] for message in messages] == ["1", "2", "5"]
    assert not any(message["missed"] for message in messages)
    assert talk.texts("carol") == ["no", "no"]


def test_nothing_was_said_yet(talk):
    assert talk.history("bob") == []


def test_it_leaves_unread_what_is_unread(talk):
    talk.say("bob alice one")
    assert talk.texts("bob") == ["one"]
    assert [message["text"] for message in talk.alice.ok("recv").lines] == ["one"]


def test_the_newest_50_or_as_many_as_the_limit_says(talk):
    texts = [str(number) for number in range(1203)]
    talk.fill("bob", "alice", texts)
    assert talk.texts("bob") == texts[-50:]
    assert talk.texts("bob", "--limit", "1") == texts[-1:]
    assert talk.texts("bob", "--limit", "1001") == texts[-1001:]
    assert talk.texts("bob", "--limit", "5000") == texts


def test_long_texts_come_whole(talk):
    texts = [f"{number} {'x' * 16000}" for number in range(150)]
    talk.fill("bob", "alice", texts)
    assert talk.texts("bob", "--limit", "150") == texts


def test_few_lines_among_many_of_others_are_found(talk):
    talk.say("bob alice first")
    talk.fill("carol", "alice", ["noise"] * 2300)
    talk.say("alice bob second")
    talk.fill("carol", "alice", ["noise"] * 1100)
    assert talk.texts("bob") == ["first", "second"]
    assert talk.texts("bob", "--limit", "1") == ["second"]


def test_since_takes_what_came_then_and_until_leaves_it_out(talk):
    talk.say(*(f"bob alice {number}" for number in range(6)))
    times = [message["time"] for message in talk.history("bob")]
    assert talk.texts("bob", "--since", times[2]) == ["2", "3", "4", "5"]
    assert talk.texts("bob", "--until", times[2]) == ["0", "1"]
    assert talk.texts("bob", "--since", times[1], "--until", times[4]) == ["1", "2", "3"]
    assert talk.texts("bob", "--until", times[4], "--limit", "2") == ["2", "3"]


def test_times_may_be_said_as_how_long_ago_or_as_a_day(talk):
    talk.say("bob alice one")
    day = talk.history("bob")[0]["time"][:10]
    for since in ("90s", "30m", "2h", "3d", "1w", day, "1970-01-01T00:00:00+02:00", day + "t00:00:00.5z"):
        assert talk.texts("bob", "--since", since) in (["one"], []), since
    assert talk.texts("bob", "--since", "1h") == ["one"]
    assert talk.texts("bob", "--until", "1h") == []
    assert talk.texts("bob", "--until", day) == []


@pytest.mark.parametrize("when", ["soon", "", "2", "h", "2y", "-2h", "2026-13-01", "2026-02-30", "2026-11-27T25:00:00Z",
                                  "2026-11-27T08:00:00", "2026-11-27T08:00Z", "2026-11-27T08:00:00.Z", "99999999999s"])
def test_a_time_that_is_none_is_refused(talk, when):
    for option in ("--since", "--until"):
        talk.alice.fails(2, "INVALID", "history", talk.names["bob"], f"{option}={when}")


def test_a_time_that_ends_before_it_begins_is_refused(talk):
    talk.alice.fails(2, "INVALID", "history", talk.names["bob"], "--since", "1h", "--until", "2h")


def test_who_or_which_thread_must_be_said_and_exist(talk, title):
    talk.alice.fails(2, "INVALID", "history")
    talk.alice.fails(2, "INVALID", "history", talk.names["bob"], "--thread", title)
    talk.alice.fails(2, "INVALID", "history", talk.names["alice"])
    talk.alice.fails(2, "INVALID", "history", "no name")
    talk.alice.fails(2, "INVALID", "history", talk.names["bob"], "--limit", "0")
    talk.alice.fails(5, "NOT_FOUND", "history", "nobody.at.all")
    talk.alice.fails(5, "NOT_FOUND", "history", "--thread", "no such thread")


def test_a_name_may_be_in_upper_case(talk):
    talk.say("bob alice one")
    assert [message["text"] for message in talk.alice.ok("history", talk.names["bob"].upper()).lines] == ["one"]


def test_a_block_leaves_what_was_said_readable(talk):
    talk.say("bob alice one", "alice bob two")
    for one, other in (("alice", "bob"), ("bob", "alice")):
        talk.clients[one].block(talk.names[other])
        assert talk.texts("bob") == ["one", "two"]


def test_in_words_each_line_has_its_time_and_sender(talk):
    talk.say("bob alice one", "alice bob two")
    talk.alice.options = []
    lines = talk.alice.ok("history", talk.names["bob"]).out.splitlines()
    assert [line.split(" ", 1)[1] for line in lines] == [
        f"{talk.names['bob']}: one", f"{talk.names['alice']} to {talk.names['bob']}: two"]


# Threads.

@pytest.fixture
def writer(town):
    return town.join(inbox=False)


def fill(writer, title, texts):
    results = writer.batch([("post_to_thread", dict(id=new_id(), thread=title, text=text)) for text in texts])
    assert not [result for result in results if isinstance(result, Exception)]


def posts(alice, title, *options):
    return [post["text"] for post in alice.ok("history", "--thread", title, *options).lines]


def test_an_empty_thread_is_no_error(alice, title):
    assert posts(alice, title) == []


def test_a_thread_shows_its_newest_posts_as_they_stand(alice, title, writer):
    texts = [str(number) for number in range(60)]
    fill(writer, title, texts)
    writer.edit(title, 60, "edited")
    writer.delete(title, 1)
    expected = texts[1:-1] + ["edited"]
    done = alice.ok("history", "--thread", title).lines
    assert [post["text"] for post in done] == expected[-50:]
    assert [post["number"] for post in done] == [str(number) for number in range(10, 60)]
    assert done == alice.ok("thread", "read", title).lines[-50:]
    assert posts(alice, title, "--limit", "3") == expected[-3:]


def test_a_long_thread_with_few_that_stand_shows_these(alice, title, writer):
    fill(writer, title, ["first"])
    for _ in range(3):
        fill(writer, title, ["gone"] * 400)
        ids = [post.id for post in writer.posts(title) if post.text == "gone"]
        writer.batch([("delete_post", dict(id=new_id(), thread=title, post=id)) for id in ids])
    fill(writer, title, ["last"])
    assert posts(alice, title) == ["first", "last"]
    assert posts(alice, title, "--limit", "1") == ["last"]


def test_a_threads_posts_between_two_times(alice, title, writer):
    fill(writer, title, [str(number) for number in range(6)])
    times = []
    for number in range(6, 12):
        writer.post(title, str(number))
    times = [post["time"] for post in alice.ok("thread", "read", title).lines]
    texts = [str(number) for number in range(12)]
    assert posts(alice, title, "--since", times[8]) == texts[8:]
    assert posts(alice, title, "--until", times[8]) == texts[:8]
    assert posts(alice, title, "--since", times[7], "--until", times[10]) == texts[7:10]
    assert posts(alice, title, "--until", times[10], "--limit", "2") == texts[8:10]
    assert posts(alice, title, "--since", "1h") == texts
    assert posts(alice, title, "--until", "1h") == []


def test_files_of_a_thread_are_in_its_history(alice, title, source):
    alice.ok("thread", "post", title, "one")
    alice.ok("file", "put", title, source(b"bytes", "a.txt"))
    one, file = alice.ok("history", "--thread", title).lines
    assert (one["text"], file["file"], file["size"]) == ("one", "a.txt", "5")
    assert alice.ok("history", "--thread", title, "--limit", "1").one == file


def test_a_number_that_history_showed_means_the_post_that_was_shown(town, alice, title, writer):
    fill(writer, title, ["first"])
    town.join(alice.environment["ZCHAT_USER"], inbox=False).post(title, "mine")
    alice.ok("history", "--thread", title)
    writer.delete(title, 1)
    alice.ok("thread", "edit", title, "2", "mine, edited")
    assert posts(alice, title) == ["mine, edited"]
