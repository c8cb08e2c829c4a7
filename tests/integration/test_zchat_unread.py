"""zchat: what is unread, and when something was said: counts in the prompt, followed threads, days and times."""

import os
import re

import pytest

from support.broker import bin_dir
from support.ids import new_id
from support.patience import WAIT_S
from zchat_terminal import Person, Terminal

DAY = 24 * 60 * 60
BARE = ("--presence", "off", "--timestamps", "off")


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path / "person", town.keys)


@pytest.fixture
def user(town):
    return town.name()


@pytest.fixture
def friend(town):
    return town.join()


@pytest.fixture
def open_terminal(person, user):
    opened = []

    def start(*options, columns=80, rows=24):
        opened.append(Terminal(person.command(user, *(options or BARE)), person.environment, columns=columns,
                               rows=rows))
        opened[-1].wait_last("zchat>")
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


@pytest.fixture
def elsewhere(open_terminal, friend):
    """A terminal in a conversation with somebody who says nothing."""

    def start(*options, **size):
        terminal = open_terminal(*options, **size)
        terminal.enter(f"chat {friend.user}")
        terminal.wait_last(f"{friend.user}>")
        return terminal

    return start


def fill(client, to, texts):
    client.batch([("send_message", dict(id=new_id(), to=to, text=text)) for text in texts])


# ---- threads ----


def test_news_of_a_followed_thread_are_counted_until_it_is_read(elsewhere, person, user, friend, town):
    title = friend.create_thread(town.fresh_name()).title
    person.script([f"thread follow {title}"], user, check=0)
    terminal = elsewhere()
    friend.post(title, "one")
    terminal.wait_last(f"[#{title}:1] {friend.user}>")
    friend.post(title, "two")
    terminal.wait_last(f"[#{title}:2] {friend.user}>")
    terminal.enter("/thread followed")
    terminal.wait_match(rf"^{title}  2 unread$")
    terminal.enter(f"/thread read {title}")
    terminal.wait_last(f"{friend.user}>")
    terminal.enter("/threads followed")
    terminal.wait_match(rf"> /threads followed\n{title}$")


@pytest.mark.parametrize("seen", ["/history -t {title}", "/thread post {title} mine", "/inbox", "/close"])
def test_a_thread_s_count_goes_when_it_is_seen_or_the_conversation_is_left(elsewhere, person, user, friend, town,
                                                                           seen):
    title = friend.create_thread(town.fresh_name()).title
    person.script([f"thread follow {title}"], user, check=0)
    terminal = elsewhere()
    friend.post(title, "one")
    terminal.wait_last(f"[#{title}:1] {friend.user}>")
    terminal.enter(seen.format(title=title))
    terminal.wait_last("zchat>" if seen == "/close" else f"{friend.user}>")


def test_what_one_does_oneself_and_what_is_edited_is_not_unread(elsewhere, person, user, friend, town):
    title = friend.create_thread(town.fresh_name()).title
    mine = new_id()
    friend.post(title, "one")
    person.script([f"thread follow {title}"], user, check=0)
    terminal = elsewhere()
    friend.edit(title, 1, "better")
    town.join(user, inbox=False).post(title, "from elsewhere", id=mine)
    friend.delete(title, 1)
    terminal.wait_for("deleted a post")
    assert terminal.last() == f"{friend.user}>"


def test_a_removed_or_unfollowed_thread_is_not_unread(elsewhere, person, user, friend, town):
    title, other = (friend.create_thread(town.fresh_name()).title for _ in range(2))
    person.script([f"thread follow {title}", f"thread follow {other}"], user, check=0)
    terminal = elsewhere()
    friend.post(title, "one")
    friend.post(other, "one")
    terminal.wait_last(f"[#{title}:1 #{other}:1] {friend.user}>")
    friend.remove_thread(title)
    terminal.wait_last(f"[#{other}:1] {friend.user}>")
    terminal.enter(f"/thread unfollow {other}")
    terminal.wait_last(f"{friend.user}>")


def test_followed_threads_are_listed_with_what_came_since_they_were_read(open_terminal, person, user, friend, town):
    assert "you follow no thread" in person.script(["thread followed"], user, check=0).stdout
    title, other = (friend.create_thread(town.fresh_name()).title for _ in range(2))
    person.script([f"thread follow {title}", f"thread follow {other}"], user, check=0)
    friend.post(title, "missed")
    terminal = open_terminal()
    friend.post(title, "live")
    terminal.wait_for(": live")
    terminal.enter("thread followed")
    terminal.wait_match(rf"^{title}  2 unread$")
    assert re.search(rf"^{other}$", terminal.text(), re.M)


# ---- the prompt ----


def assert_narrow(terminal, columns, pattern):
    terminal.wait(lambda: re.search(pattern, terminal.last()), pattern)
    shown = terminal.last().partition("]")[0][1:]
    assert sum(2 if c == "語" else 1 for c in shown) <= columns * 2 // 5
    assert len(terminal.lines()[-1]) < columns


def test_a_person_and_a_thread_of_one_name_are_counted_apart(elsewhere, person, user, friend, town):
    other = town.join()
    title = friend.create_thread(other.user).title
    person.script([f"thread follow {title}"], user, check=0)
    terminal = elsewhere()
    other.message(user, "hello")
    terminal.wait_last(f"[{other.user}:1] {friend.user}>")
    friend.post(title, "hello")
    terminal.wait_last(f"[{other.user}:1 #{title}:1] {friend.user}>")
    terminal.enter(f"/chat {other.user}")
    terminal.wait_last(f"[#{title}:1] {other.user}>")


@pytest.mark.parametrize("columns, rows", [(80, 24), (40, 12)])
def test_the_counts_take_less_than_half_of_the_row(elsewhere, person, user, friend, town, columns, rows):
    titles = [friend.create_thread(f"{letter * 90} {columns}").title for letter in ("語", "w")]
    person.script([f'thread follow "{title}"' for title in titles], user, check=0)
    others = [town.join() for _ in range(4)]
    terminal = elsewhere(columns=columns, rows=rows)
    for title in titles:
        friend.post(title, "one")
        terminal.wait_for(f"{title[0] * 3}")
    many = {40: r"#語+…:1 \+1\]", 80: r"#語+…:1 .*\]"}[columns]
    assert_narrow(terminal, columns, many)
    for other in others:
        other.message(user, "hello")
    assert_narrow(terminal, columns, rf"\[{others[0].user}:1 .*\+[345]\]")
    friend.remove_thread(titles[0])
    friend.remove_thread(titles[1])


def test_titles_full_of_accents_take_no_more_room_than_there_is(elsewhere, person, user, friend):
    """127 accents on one letter are one column, and many bytes."""
    titles = [friend.create_thread(f"{letter}{accent * 127}").title
              for letter, accent in [("x", "\u0336"), ("y", "\u0335")]]
    person.script([f'thread follow "{title}"' for title in titles], user, check=0)
    terminal = elsewhere()
    for title in titles:
        friend.post(title, f"one in {title[0]}")
        terminal.wait_for(f"one in {title[0]}")
    terminal.wait(lambda: re.sub("[\u0335\u0336]", "", terminal.last()) == f"[#x:1 +1] {friend.user}>",
                  "a count behind the first title, and that there is another one")
    for title in titles:
        friend.remove_thread(title)


def test_the_counts_fit_a_terminal_that_was_made_narrower(elsewhere, person, user, friend):
    title = friend.create_thread(f"a harvest of many words {user}").title
    person.script([f'thread follow "{title}"'], user, check=0)
    terminal = elsewhere()
    friend.post(title, "one")
    terminal.wait_last(f"[#{title[:28]}…:1] {friend.user}>")
    terminal.type("typed")
    terminal.resize(40, 12)
    terminal.wait_last(f"[#{title[:12]}…:1] {friend.user}> typed")
    terminal.resize(80, 24)
    terminal.wait_last(f"[#{title[:28]}…:1] {friend.user}> typed")


def test_a_thousand_messages_are_counted_and_the_typed_line_stays(elsewhere, user, friend, town):
    other = town.join()
    terminal = elsewhere()
    terminal.type("not sent yet")
    fill(other, user, [f"flood {n}" for n in range(1000)])
    terminal.wait_last(f"[{other.user}:999+] {friend.user}> not sent yet", timeout=4 * WAIT_S)
    terminal.type("!")
    terminal.key("Enter")
    friend.wait_text("not sent yet!")
    assert friend.texts() == ["not sent yet!"]


# ---- days and times ----


class Clock:
    """How far the broker's clock is ahead of this test's."""

    def __init__(self, folder):
        self.path = folder / "clock"
        self.environment = {"LD_PRELOAD": str(bin_dir().parent / "lib" / "libzchat_test_preload.so"),
                            "ZCHAT_TEST_CLOCK": str(self.path), "ASAN_OPTIONS": "verify_asan_link_order=0"}
        self.set(0)

    def set(self, ahead_s):
        new = self.path.with_suffix(".new")
        new.write_text(str(ahead_s))
        os.replace(new, self.path)


def test_a_date_stands_where_the_day_changes(town_factory, tmp_path):
    clock = Clock(tmp_path)
    town = town_factory(accounts=2, environment=clock.environment)
    user, friend = town.name(), town.join()
    for ahead_s, text in ((-9 * DAY, "one"), (-9 * DAY, "two"), (-8 * DAY, "three"), (0, "four")):
        clock.set(ahead_s)
        friend.message(user, text)
    person = Person(town.broker, tmp_path / "own", town.keys)
    with Terminal(person.command(user, "--presence", "off"), person.environment) as terminal:
        terminal.wait_last("zchat>")
        terminal.wait_for("end of what you missed")
        lines = [re.sub(r"^\d\d:\d\d ", "", line) for line in terminal.all_lines()]
        said = f"{friend.user}: "
        first = lines.index(said + "one")
        day = r"— [A-Z][a-z]+, \d\d [A-Z][a-z]+ \d{4} —"
        assert re.fullmatch(day, lines[first - 1])
        assert lines[first + 1] == said + "two" and re.fullmatch(day, lines[first + 2])
        assert lines[first + 3] == said + "three" and re.fullmatch(day, lines[first + 4])
        assert lines[first + 5] == said + "four"
        clock.set(-8 * DAY)
        friend.message(user, "of a late clock")
        terminal.wait_for("of a late clock")
        before = len(re.findall(day, terminal.text()))
        terminal.enter(f"send {friend.user} today")
        terminal.wait_match(rf"\d\d:\d\d zchat> send {friend.user} today")
        assert len(re.findall(day, terminal.text())) == before + 1, "own lines begin a day, too"


def test_own_lines_have_their_time_like_those_of_others(open_terminal, user, friend):
    terminal = open_terminal("--presence", "off")
    terminal.enter(f"chat {friend.user}")
    terminal.enter("hello")
    terminal.wait_match(rf"^\d\d:\d\d {friend.user}> hello$")
    friend.message(user, "and hello")
    terminal.wait_match(rf"^\d\d:\d\d {friend.user}: and hello$")
    terminal.enter("")
    terminal.enter("/ping")
    terminal.wait_for("answered in")
    lines = terminal.all_lines()
    assert f"{friend.user}>" in lines and f"{friend.user}> /ping" in lines
    friend.wait_text("hello")
    assert friend.texts().count("hello") == 1


@pytest.mark.parametrize("columns, rows", [(80, 24), (40, 12)])
def test_a_long_own_line_is_left_whole_with_its_time_and_without_counts(elsewhere, user, friend, town, columns, rows):
    other = town.join()
    terminal = elsewhere("--presence", "off", columns=columns, rows=rows)
    other.message(user, "hello")
    terminal.wait_last(f"[{other.user}:1] {friend.user}>")
    text = "語 and words " * 30
    terminal.type(text)
    terminal.key("C-a")
    terminal.key("Enter")
    friend.wait_text(text.rstrip() + " ")
    terminal.wait_last(f"[{other.user}:1] {friend.user}>")
    shown = terminal.text()
    assert shown.count("語") == 30 or rows == 12
    assert re.search(rf"^\d\d:\d\d {friend.user}> 語 and", shown, re.M) or rows == 12


def test_without_timestamps_a_typed_line_stays_as_it_was(open_terminal, friend):
    terminal = open_terminal()
    terminal.enter(f"chat {friend.user}")
    terminal.enter("hello")
    friend.wait_text("hello")
    terminal.wait_match(rf"^{friend.user}> hello$")
