"""zchat: what Tab offers of people, threads and files. It asks the broker for what it does not know, and waits for
nothing: so a test presses Tab until the answer was there."""

import time

import pytest

from support.patience import WAIT_S
from zchat_terminal import Person, Terminal


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path / "person", town.keys)


@pytest.fixture
def user(town):
    return town.name()


@pytest.fixture
def terminal(person, user):
    command = person.command(user, "--presence", "off", "--timestamps", "off")
    with Terminal(command, person.environment, columns=100, rows=24) as terminal:
        terminal.wait_last("zchat>")
        yield terminal


@pytest.fixture
def title(town, person):
    """A thread of somebody else, with three files; its title needs quotes."""
    title, creator = f"the files {town.fresh_name()}", town.name()
    lines = [f'CRT "{title}"']
    for name in ("notes.txt", "a plan.txt", "日本.txt"):
        (person.folder / name).write_text("x")
        lines.append(f'file put "{title}" "{person.folder / name}"')
    person.script(lines, creator, check=0)
    return title


def tab_until(terminal, text):
    """Presses Tab until it has completed the typed line to this, which readline ends with a blank."""
    deadline = time.monotonic() + WAIT_S
    while True:
        terminal.key("Tab")
        terminal.type("!")  # what Tab does is drawn when this is
        terminal.wait(lambda: terminal.last().endswith("!"))
        if terminal.last() == text + " !":
            return
        assert time.monotonic() < deadline, (text, terminal.text())
        terminal.key("BSpace")
        terminal.wait(lambda: not terminal.last().endswith("!"))


def test_who_was_written_to_before_is_offered_though_offline(person, town, user):
    other, sender = town.name(), town.join()
    person.script([f"send {other} hello"], user, check=0)
    sender.message(user, "hello")
    sender.close()
    person.script(["inbox"], user, check=0)
    command = person.command(user, "--presence", "off", "--timestamps", "off")
    with Terminal(command, person.environment, columns=100, rows=24) as terminal:
        terminal.wait_last("zchat>")
        for name in (other, sender.user):
            terminal.type(f"send {name}")
            tab_until(terminal, f"zchat> send {name}")
            terminal.key("C-u")


def test_only_who_was_written_to_or_is_online_is_offered(person, terminal, town, user):
    stranger = town.name()
    terminal.type(f"send {stranger}")
    terminal.key("Tab", "Tab", "Tab", "Tab")
    terminal.type("!")
    terminal.wait_last(f"zchat> send {stranger}!")


def test_titles_are_offered_of_threads_that_nobody_listed_here(terminal, title):
    terminal.type(f"thread read \"{title[:-1]}")
    tab_until(terminal, f'zchat> thread read "{title}"')
    terminal.key("C-u")
    terminal.type(f"history -t \"{title[:-1]}")
    tab_until(terminal, f'zchat> history -t "{title}"')


@pytest.mark.parametrize("typed, whole", [("no", "notes.txt"), ("日", "日本.txt"), ("a", '"a plan.txt"'),
                                          ('"a p', '"a plan.txt"')])
@pytest.mark.parametrize("verb", ["file get", "DWN"])
def test_files_of_a_thread_are_offered(terminal, title, verb, typed, whole):
    terminal.type(f'{verb} "{title}" {typed}')
    tab_until(terminal, f'zchat> {verb} "{title}" {whole}')


def test_all_files_are_listed(terminal, title):
    terminal.type(f'file get "{title}" no')
    tab_until(terminal, f'zchat> file get "{title}" notes.txt')
    terminal.key("C-w", "C-w")
    terminal.key("Tab", "Tab", "Tab")
    terminal.wait_match(r"^a plan\.txt +notes\.txt +日本\.txt")


def test_a_file_that_came_live_is_offered(terminal, person, town, title):
    terminal.enter(f'thread follow "{title}"')
    terminal.wait_for("you follow")
    (person.folder / "fresh.txt").write_text("x")
    person.script([f'file put "{title}" {person.folder / "fresh.txt"}'], town.name(), check=0)
    terminal.wait_for("uploaded fresh.txt")
    terminal.type(f'file get "{title}" fr')
    terminal.key("Tab")
    terminal.wait_last(f'zchat> file get "{title}" fresh.txt')


@pytest.mark.parametrize("typed", ["file get no.such.thread n", 'file get "" n', 'file get "open n', "file get a/b ",
                                   "file get -t n"])
def test_nothing_is_offered_or_said_where_nothing_is_known(terminal, typed):
    terminal.type(typed)
    terminal.key("Tab", "Tab", "Tab")
    terminal.type("!")
    terminal.wait_last(f"zchat> {typed}!")
    terminal.key("C-u")
    terminal.enter("ping")
    terminal.wait_for("answered in")
    assert "no thread" not in terminal.text() and "no files" not in terminal.text()


def test_without_a_connection_tab_asks_nothing(town_factory, tmp_path):
    town = town_factory(accounts=1)
    person = Person(town.broker, tmp_path / "own", town.keys)
    command = person.command(town.name(), "--presence", "off")
    with Terminal(command, person.environment, columns=100, rows=24) as terminal:
        terminal.wait_last("zchat>")
        town.broker.kill()
        terminal.wait_for("connection lost")
        for typed in ("send a", "thread read a", "file get a b"):
            terminal.type(typed)
            terminal.key("Tab")
            terminal.key("C-u")
        terminal.enter("quit")
        terminal.wait_exit(0)
        assert "wait" not in terminal.text()
