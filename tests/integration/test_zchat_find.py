"""zchat: history of a conversation and of a thread, search, and more, which goes on with both."""

import re

import pytest

from support.ids import new_id
from support.patience import WAIT_S
from zchat_terminal import Person, Terminal, start_script

SIZES = [(80, 24), (40, 12)]
ALL = "that is all"
BACK = "more goes further back"


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path / "person", town.keys)


@pytest.fixture
def user(town):
    return town.name()


@pytest.fixture
def friend(town):
    return town.join()


class Threads:
    """Those that a friend makes and fills."""

    def __init__(self, friend, town):
        self.client, self.town = friend, town

    def create(self, title=None):
        return self.client.create_thread(title or self.town.fresh_name()).title

    def post(self, title, *texts):
        """Returns the ids of the posts."""
        ids = [new_id() for _ in texts]
        done = self.client.batch([("post_to_thread", dict(id=id, thread=title, text=text))
                                  for id, text in zip(ids, texts)])
        assert not [result for result in done if isinstance(result, Exception)]
        return ids


@pytest.fixture
def forum(friend, town):
    return Threads(friend, town)


@pytest.fixture
def open_terminal(person, user):
    opened = []

    def start(columns=80, rows=24, options=("--timestamps", "off"), **environment):
        command = person.command(user, "--presence", "off", *options)
        opened.append(Terminal(command, dict(person.environment, **environment), columns=columns, rows=rows))
        opened[-1].wait_last("zchat>")
        return opened[-1]

    yield start
    for terminal in opened:
        terminal.close()


def fill(client, to, texts):
    client.batch([("send_message", dict(id=new_id(), to=to, text=text)) for text in texts])


def page_of(terminal, command):
    """The lines that stand between the last such command and the line being typed."""
    lines = terminal.all_lines()
    typed = [n for n, line in enumerate(lines) if line.endswith("> " + command)]
    return lines[typed[-1] + 1:-1]


def look(terminal, command, end):
    """Types it and returns its page, whose last line is `end`."""
    count = terminal.text().count("> " + command)
    terminal.enter(command)
    terminal.wait(lambda: terminal.text().count("> " + command) > count
                  and page_of(terminal, command)[-1:] == [end], end)
    return [line for line in page_of(terminal, command)[:-1] if "searched yet" not in line]


# ---- conversations ----


def test_the_newest_page_comes_in_order_and_more_goes_back(open_terminal, user, friend):
    texts = [f"text {n}" for n in range(47)]
    fill(friend, user, texts)
    terminal = open_terminal()
    terminal.wait_for("text 46")
    lines = [f"{friend.user}: {text}" for text in texts]
    assert look(terminal, f"history {friend.user}", BACK) == lines[-20:]
    assert look(terminal, "more", BACK) == lines[-40:-20]
    assert look(terminal, "more", ALL) == lines[:-40]
    assert look(terminal, "more", "that was all of it") == []


def test_a_page_is_what_fits_on_the_screen(open_terminal, user, friend):
    fill(friend, user, [f"{n}" for n in range(30)])
    terminal = open_terminal(columns=40, rows=12)
    terminal.wait_for(": 29")
    assert look(terminal, f"history {friend.user}", BACK) == [f"{friend.user}: {n}" for n in range(22, 30)]
    assert f"> history {friend.user}" in "\n".join(terminal.lines())


def test_both_sides_are_shown_and_nobody_elses_lines(person, town, user, friend):
    other = town.join()
    person.script([f"send {friend.user} one", f"send {other.user} no"], user, check=0)
    friend.message(user, "two")
    other.message(user, "no")
    done = person.script([f"history {friend.user}"], user, check=0)
    assert done.stdout.splitlines()[-3:] == [f"me → {friend.user}: one", f"{friend.user}: two", ALL]


def test_few_lines_among_many_of_others_are_found(person, town, user, friend):
    other = town.join()
    friend.message(user, "first")
    fill(other, user, ["noise"] * 2300)
    friend.message(user, "second")
    done = person.script([f"history {friend.user}"], user, check=0)
    assert done.stdout.splitlines()[-3:] == [f"{friend.user}: first", f"{friend.user}: second", ALL]


def test_in_a_conversation_history_alone_means_this_one(open_terminal, user, friend):
    friend.message(user, "before")
    terminal = open_terminal()
    terminal.enter("history")
    terminal.wait_for("history of what? history USER, or history -t THREAD")
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    assert look(terminal, "/history", ALL) == [f"{friend.user}: before"]
    fill(friend, user, [f"{n}" for n in range(30)])
    terminal.wait_for(": 29")
    assert len(look(terminal, "/history", "/more goes further back")) == 20
    assert look(terminal, "/more", ALL)[-1] == f"{friend.user}: 9"


def test_nothing_was_said_yet(person, town, user, friend):
    done = person.script([f"history {friend.user}", "more", f"history {user}", "ping"], user, check=2)
    assert f"there are no messages from or to {friend.user}\nthat was all of it\n" in done.stdout
    assert "one has no conversation with oneself" in done.stderr and "answered in" in done.stdout


def test_more_of_nothing_is_an_error(person, user):
    done = person.script(["more"], user, check=5)
    assert "more of what? history or search comes first" in done.stderr


def test_the_next_user_can_not_go_on_with_what_the_last_one_looked_for(person, town, user, friend):
    fill(friend, user, [f"secret {n}" for n in range(30)])
    other = town.name()
    done = person.script([f"history {friend.user}", "logout", f"login {other}", "more"], user)
    after = done.stdout.partition(BACK)[2]
    assert "secret" not in after and "more of what?" in done.stderr


def test_more_that_was_typed_ahead_waits_for_its_page(open_terminal, user, friend):
    fill(friend, user, [f"text {n}" for n in range(60)])
    terminal = open_terminal()
    terminal.wait_for("text 59")
    seen = len(re.findall(r"text \d", terminal.text()))
    terminal.type(f"history {friend.user}\rmore\rmore\rsearch nosuchwordhere\r")
    terminal.wait_for("nothing was found that has the words nosuchwordhere")
    shown = [int(n) for n in re.findall(r": text (\d+)", terminal.text())][seen:]
    assert shown == [*range(40, 60), *range(20, 40), *range(0, 20)]


def test_too_many_pages_at_once_are_refused_and_the_others_come(town_factory, tmp_path):
    town = town_factory(accounts=1)
    person = Person(town.broker, tmp_path / "own", town.keys)
    with Terminal(person.command(town.name(), "--presence", "off"), person.environment, columns=100) as terminal:
        terminal.wait_last("zchat>")
        town.broker.kill()
        terminal.wait_for("connection lost")
        for n in range(17):
            terminal.enter(f"search word{n}")
        terminal.wait_for("16 pages are being looked for already; wait for one of them")
        town.broker.start(town.broker.port)
        for n in range(16):
            terminal.wait_match(rf"has the words word{n}$")
        assert "words word16" not in terminal.text()


def test_the_day_and_the_time_stand_before_the_lines(open_terminal, user, friend):
    friend.message(user, "hello")
    terminal = open_terminal(options=("--timestamps", "on"))
    assert re.fullmatch(rf"\d\d:\d\d {re.escape(friend.user)}: hello",
                        look(terminal, f"history {friend.user}", ALL)[0])


# ---- threads ----


def test_a_thread_s_newest_page_and_more(person, user, forum, town):
    title = forum.create()
    forum.post(title, *[f"post {n}" for n in range(1, 46)])
    name = forum.client.user
    done = person.script([f"history {title}", "more", "more"], user, check=0)
    lines = [f"{n} {name}: post {n}" for n in range(1, 46)]
    assert done.stdout.splitlines() == [*lines[25:], BACK, *lines[5:25], BACK, *lines[:5], ALL]


def test_the_newest_posts_of_a_large_thread_are_not_lost(person, user, forum):
    """The broker's pages end by their bytes, long before the thread does."""
    title = forum.create()
    for n in range(1, 121):
        forum.post(title, f"post {n} " + "x" * 16000)
    done = person.script([f"history -t {title}", "more"], user, check=0)
    shown = [int(n) for n in re.findall(r"post (\d+) x", done.stdout)]
    assert shown == [*range(101, 121), *range(81, 101)]


def test_deleted_posts_are_passed_over_however_many(person, user, forum):
    title = forum.create()
    ids = forum.post(title, *[f"post {n}" for n in range(300)])
    for post in ids[5:290]:
        forum.client.delete(title, post)
    done = person.script([f"history {title}"], user, check=0)
    kept = [*range(5), *range(290, 300)]
    assert re.findall(r": (post \d+)", done.stdout) == [f"post {n}" for n in kept]
    assert done.stdout.endswith(ALL + "\n")


def test_a_number_shown_in_a_history_can_be_used(person, user, town):
    title = town.fresh_name()
    posts = [f"MSG {title} post {n}" for n in range(30)]
    person.script([f"CRT {title}", *posts], user, check=0)
    done = person.script([f"history {title}", f"thread edit {title} 30 better", f"history {title}"], user, check=0)
    assert f"30 {user}: better (edited)" in done.stdout


def test_a_person_comes_before_a_thread_of_their_name_and_t_means_the_thread(person, user, friend, town):
    friend.message(user, "of the person")
    title = friend.user
    person.script([f"CRT {title}", f"MSG {title} of the thread"], user, check=0)
    done = person.script([f"history {title}", f"history -t {title}", f"history --thread {title}", f"RMV {title}"],
                         user, check=0)
    message, post = f"{title}: of the person", f"1 {user}: of the thread"
    assert done.stdout.splitlines()[-7:-1] == [message, ALL, post, ALL, post, ALL]


def test_a_title_with_blanks_needs_quotes(person, user, forum):
    title = forum.create("the harvest " + forum.client.user)
    forum.post(title, "hello")
    assert f"1 {forum.client.user}: hello" in person.script([f'history "{title}"'], user, check=0).stdout
    failed = person.script(["history the harvest"], user, check=2)
    assert 'a title with blanks needs quotes: history -t "the harvest"' in failed.stderr


@pytest.mark.parametrize("words, status, says", [
    ("nobody.at.all", 5, "there is no user and no thread nobody.at.all"),
    ("-t nobody.at.all", 5, "there is no thread nobody.at.all"),
    ('"no such thread"', 5, "there is no user and no thread no such thread"),
    ("ü" * 200, 5, ""),
    ('""', 2, ""),
    ("one two three", 2, "usage: history"),
    ('"open', 2, "usage: history"),
])
def test_a_failure_has_its_code_and_text(person, user, words, status, says):
    done = person.script([f"history {words}", "ping"], user, check=status)
    assert says in done.stderr and len(done.stderr.splitlines()) == 1 and "answered in" in done.stdout


def test_the_newest_posts_before_deleted_ones_are_not_lost(person, user, forum):
    """Past so many deleted ones, more is looked through at once than there is room for on the broker's page."""
    title = forum.create()
    for n in range(1, 101):
        forum.post(title, f"post {n} " + "x" * 16000)
    for post in forum.post(title, *["gone"] * 30):
        forum.client.delete(title, post)
    done = person.script([f"history {title}", "more"], user, check=0)
    shown = [int(n) for n in re.findall(r"post (\d+) x", done.stdout)]
    assert shown == [*range(81, 101), *range(61, 81)]


# ---- search ----


def found(person, user, *lines):
    for _ in range(200):
        done = person.script(list(lines), user, check=0)
        if "not searched yet" not in done.stdout:  # the index follows within a moment
            return done.stdout.splitlines()
    raise AssertionError(done)


def test_the_newest_come_first_with_where_they_are(person, town, user, friend, forum):
    friend.message(user, "the aurochs is back")
    person.script([f"send {friend.user} which aurochs?"], user, check=0)
    title = forum.create()
    forum.post(title, "one aurochs\nand another one")
    rows = found(person, user, "search AUROCHS")
    assert rows[-4:] == [f"{title} 1 {friend.user}: one aurochs and another one",
                         f"{friend.user} 2 me: which aurochs?",
                         f"{friend.user} 1: the aurochs is back", ALL]


def test_more_goes_on_with_older_ones(person, user, friend):
    fill(friend, user, [f"the {n}th moa" for n in range(45)])
    rows = [row for row in found(person, user, "search moa", "more", "more") if " moa" in row]
    assert [row.split(": ")[1] for row in rows[-45:]] == [f"the {n}th moa" for n in range(44, -1, -1)]


def test_words_in_quotes_follow_each_other(person, user, friend):
    friend.message(user, "a great auk")
    friend.message(user, "an auk so great")
    rows = found(person, user, 'search "great auk"')
    assert rows[-2:] == [f"{friend.user} 1: a great auk", ALL]


def test_what_was_found_can_be_edited_by_its_number(person, user, town):
    title = town.fresh_name()
    person.script([f"CRT {title}", f"MSG {title} one", f"MSG {title} quagga {title}"], user, check=0)
    found(person, user, f"search {title}")
    done = person.script([f"search {title}", f"thread edit {title} 2 better", f"history {title}"], user, check=0)
    assert f"2 {user}: better (edited)" in done.stdout


@pytest.mark.parametrize("words, status", [("?", 2), ("x" * 300, 2), ("", 2)])
def test_what_holds_no_word_is_refused(person, user, words, status):
    done = person.script([f"search {words}", "ping"], user, check=status)
    assert len(done.stderr.splitlines()) == 1 and "answered in" in done.stdout


@pytest.mark.parametrize("columns, rows", SIZES)
@pytest.mark.parametrize("letter", ["w", "語"])
def test_each_thing_found_is_one_row_that_shows_the_word(open_terminal, person, user, forum, columns, rows, letter):
    title = forum.create((letter * 100 + forum.client.user)[:120])
    forum.post(title, f"{'before ' * 60} dodo{columns}{ord(letter)} {'after ' * 60}")
    found(person, user, f"search dodo{columns}{ord(letter)}")
    terminal = open_terminal(columns=columns, rows=rows, options=("--timestamps", "on"))
    row, = look(terminal, f"search dodo{columns}{ord(letter)}", ALL)
    assert "dodo" in row and row.endswith("…") and row[6:8] == letter * 2
    assert any(row == line for line in terminal.lines()), "it is no wrapped row"


def test_an_escape_sequence_in_what_is_found_does_nothing(open_terminal, person, user, friend):
    friend.message(user, "the \x1b[31mmoho\x1b[0m\x1b]0;title\x07 bird")
    found(person, user, "search moho")
    terminal = open_terminal()
    before = len(terminal.raw)
    assert look(terminal, "search moho", ALL) == [f"{friend.user} 1: the moho bird"]
    assert b"[31m" not in terminal.raw[before:] and b"title" not in terminal.raw[before:]


# ---- beside other things ----


def test_a_page_comes_through_a_flood_and_the_typed_line_stays(open_terminal, user, friend, town):
    other = town.join()
    friend.message(user, "needle")
    terminal = open_terminal()
    terminal.wait_for("needle")
    terminal.enter(f"history {friend.user}")
    terminal.type("not sent yet")
    fill(other, user, [f"flood {n}" for n in range(1000)])
    terminal.wait_for("flood 999", timeout=4 * WAIT_S)
    terminal.wait(lambda: terminal.text().count("needle") == 2, "the page")
    terminal.wait_last("zchat> not sent yet")


def test_without_a_connection_the_page_comes_when_it_is_back(town_factory, tmp_path):
    town = town_factory(accounts=2)
    person = Person(town.broker, tmp_path / "own", town.keys)
    user, friend = town.name(), town.join()
    friend.message(user, "hello")
    with Terminal(person.command(user, "--presence", "off", "--timestamps", "off"), person.environment) as terminal:
        terminal.wait_for("hello")
        town.broker.kill()
        terminal.wait_for("connection lost")
        terminal.enter(f"history {friend.user}")
        terminal.wait_for("no connection; this is sent when it is back")
        town.broker.start(town.broker.port)
        terminal.wait_for(ALL)
        assert terminal.text().count(f"{friend.user}: hello") == 2


def test_tab_completes_people_and_titles(open_terminal, person, user, friend, town):
    title = f"{friend.user} and more"
    person.script([f'CRT "{title}"'], user, check=0)
    friend.message(user, "hello")
    terminal = open_terminal()
    terminal.enter("thread list")
    terminal.wait_for(f"{title}  {user}")
    terminal.type(f"history -t {friend.user[:-1]}")
    terminal.key("Tab")
    terminal.type("!")
    terminal.wait_last(f'zchat> history -t "{title}" !')
    terminal.key("C-u")
    terminal.type(f"history {friend.user}")
    terminal.key("Tab", "Tab", "Tab")
    terminal.wait_match(rf"^{re.escape(friend.user)} +{re.escape(title)}$")


def test_a_script_that_is_cut_off_ends(person, user, friend):
    script = start_script(person, user)
    script.stdin.write(f"history {friend.user}\nmore")
    script.stdin.close()
    assert script.wait(WAIT_S) == 0
    script.stdout.close()
    script.stderr.close()
