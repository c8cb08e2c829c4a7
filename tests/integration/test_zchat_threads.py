"""zchat and threads: what is printed, which post a number means, news of followed threads."""

import itertools

import pytest

from support.town import ADMIN
from zchat_terminal import SCRIPT_S, Person, Terminal, start_script

ADMIN_PASSWORD = "open sesame 9"
titles = (f"thread {n}" for n in itertools.count())


@pytest.fixture
def title():
    """A title that nobody used yet; it needs quotes."""
    return next(titles)


@pytest.fixture
def person(town, tmp_path):
    """Somebody whose device all accounts trust; any user's scripts can run there."""
    return Person(town.broker, tmp_path / "person", town.keys)


@pytest.fixture
def terminal_of(town, tmp_path):
    """Opens terminals: terminal_of("user.000"); all end with the test."""
    opened = []

    def make(user, *options, at=town):
        other = Person(at.broker, tmp_path / f"terminal-{len(opened)}", at.keys)
        command = other.command(user, "--presence", "off", "--timestamps", "off", *options)
        opened.append(Terminal(command, other.environment, columns=100))
        opened[-1].wait_last("zchat>")
        opened[-1].person = other
        return opened[-1]

    yield make
    for terminal in opened:
        terminal.close()


@pytest.fixture
def town_with_password(town_factory, tmp_path):
    """A broker of one's own that can be told to stop."""
    secret = tmp_path / "admin-password"
    secret.write_text(ADMIN_PASSWORD + "\n")
    secret.chmod(0o600)
    return town_factory("--admin-password-file", secret, accounts=5)


# ---- what is printed ----


def test_a_thread_from_its_beginning_to_its_end(person, town, title):
    user = town.name()
    done = person.script([
        f'thread create "{title}"', f'thread read "{title}"', f'thread post "{title}" hello  there',
        f'thread post "{title}" and again', f'thread read "{title}"',
        f'thread edit "{title}" 2 and better', f'thread read "{title}"',
        f'thread delete "{title}" 1', f'thread read "{title}"', f'thread remove "{title}"',
    ], user, check=0)
    assert done.stderr == ""
    assert done.stdout.splitlines() == [
        f"thread {title} created", f"{title} is empty", "posted as 1", "posted as 2",
        f"1 {user}: hello  there", f"2 {user}: and again", "post 2 edited",
        f"1 {user}: hello  there", f"2 {user}: and better (edited)", "post 1 deleted",
        f"1 {user}: and better (edited)", f"thread {title} removed"]


def test_the_list_tells_title_creator_posts_and_when(town_factory, tmp_path):
    town = town_factory(accounts=2)
    person = Person(town.broker, tmp_path / "own", town.keys)
    alice, bob = town.names(2)
    assert person.script(["LST"], alice, check=0).stdout == "no threads to list\n"
    person.script(["CRT b", "CRT a", "MSG b one"], alice, check=0)
    person.script(["CRT c", "MSG b two"], bob, check=0)
    rows = person.script(["thread list"], bob, check=0).stdout.splitlines()
    assert [row.rsplit("  ", 1)[0] for row in rows] == [
        f"a  {alice}  0 posts", f"b  {alice}  2 posts", f"c  {bob}  0 posts"]
    assert all(len(row.rsplit("  ", 1)[1]) == len("2026-01-31 23:59") for row in rows)


def test_more_than_a_page_is_read(person, town, title):
    user = town.name()
    posts = [f'MSG "{title}" number {n}' for n in range(1, 620)]
    person.script([f'CRT "{title}"', *posts], user, check=0)
    done = person.script([f'RDT "{title}"', f'DLT "{title}" 619'], user, check=0)
    assert done.stdout.splitlines() == [f"{n} {user}: number {n}" for n in range(1, 620)] + [
        "post 619 deleted"]


@pytest.mark.parametrize("lines, status", [
    (["CRT a/b"], 2),
    (['CRT ""'], 2),
    (['thread read "{title}'], 2),
    (["thread"], 2),
    (["thread nonsense {title}"], 2),
    (["thread post T"], 2),
    (["thread read T and more"], 2),
    (['DLT "{title}" first'], 2),
    (['DLT "{title}" 0'], 2),
    (["RDT no-such-thread"], 5),
    (["MSG no-such-thread hello"], 5),
    (["RMV no-such-thread"], 5),
    (["thread follow no-such-thread"], 5),
    (['DLT "{title}" 77'], 5),
    (['RDT "{title}"', 'DLT "{title}" 77'], 5),
    (['EDT "{title}" 1 not mine'], 6),
    (['DLT "{title}" 1'], 6),
    (['RMV "{title}"'], 6),
    (["shutdown"], 6),
    (['CRT "{title}"'], 7),
    (['thread unfollow "{title}"'], 7),
    (['thread follow "{title}"', 'thread follow "{title}"'], 7),
    (["shutdown --yes"], 2),
    (["shutdown --wipe"], 2),
])
def test_a_failure_gives_its_exit_code_and_one_sentence(person, town, title, lines, status):
    alice, bob = town.names(2)
    person.script([f'CRT "{title}"', f'MSG "{title}" a post'], alice, check=0)
    lines = [line.format(title=title) for line in lines]
    done = person.script([*lines, "ping"], bob, check=status)
    assert done.stderr.startswith(f"zchat: line {len(lines)}: "), done.stderr
    assert len(done.stderr.splitlines()) == 1 and "answered in" in done.stdout


@pytest.mark.parametrize("typed, name", [
    ('"a  b"', "a  b"), (r'a\ b2', "a b2"),
    (r'"say \"hi\""', 'say "hi"'), (r'"back\\slash"', r"back\slash"), ("...x", "...x"),
    ("credentials.txt", "credentials.txt"), ("日本語", "日本語"), ("x" * 128, "x" * 128),
    ("it's", "it's"), ("a-b", "a-b"),
])
def test_a_title_is_data(person, town, typed, name):
    done = person.script([f"CRT {typed}", f"MSG {typed} hello", "thread list",
                          f"RMV {typed}"], town.name(), check=0)
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"thread {name} created", "posted as 1"]
    assert any(line.startswith(f"{name}  user.") for line in lines)
    assert lines[-1] == f"thread {name} removed"


def test_a_text_is_taken_as_it_was_typed(person, town, title):
    user = town.name()
    done = person.script([f'CRT "{title}"', rf'MSG "{title}"  "quoted" and \ "open',
                          f'MSG "{title}" -o', f'RDT "{title}"'], user, check=0)
    assert done.stdout.splitlines()[-2:] == [rf'1 {user}:  "quoted" and \ "open', f"2 {user}: -o"]


# ---- which post a number means ----


def test_a_number_means_the_post_that_was_read(person, town, title, terminal_of):
    alice, bob = town.names(2)
    person.script([f'CRT "{title}"', f'MSG "{title}" of bob'], bob, check=0)
    person.script([f'MSG "{title}" one', f'MSG "{title}" two', f'MSG "{title}" three'], alice,
                  check=0)
    terminal = terminal_of(alice)
    terminal.enter(f'thread read "{title}"')
    terminal.wait_for("4 " + alice + ": three")
    person.script([f'DLT "{title}" 1'], bob, check=0)
    terminal.enter(f'thread delete "{title}" 2')
    terminal.wait_for("post 2 deleted")
    terminal.enter(f'thread edit "{title}" 4 THREE')
    terminal.wait_for("post 4 edited")
    terminal.enter(f'thread edit "{title}" 2 nothing')
    terminal.wait_for("post 2 not edited: the post was deleted meanwhile: read the thread again")
    done = person.script([f'RDT "{title}"'], bob, check=0)
    assert done.stdout.splitlines() == [f"1 {alice}: two", f"2 {alice}: THREE (edited)"]


def test_one_s_own_deletion_leaves_the_numbers_that_were_read(person, town, title):
    user = town.name()
    posts = [f'MSG "{title}" {text}' for text in ("one", "two", "three")]
    done = person.script([f'CRT "{title}"', *posts, f'RDT "{title}"', f'DLT "{title}" 1',
                          f'DLT "{title}" 2', f'DLT "{title}" 2', f'RDT "{title}"'], user, check=7)
    assert done.stdout.splitlines()[-1] == f"1 {user}: three"
    assert "read the thread again" in done.stderr


def test_a_post_that_went_meanwhile_is_a_conflict(person, town, title, terminal_of):
    alice = town.name()
    person.script([f'CRT "{title}"', f'MSG "{title}" one', f'MSG "{title}" two'], alice, check=0)
    terminal = terminal_of(alice)
    terminal.enter(f'RDT "{title}"')
    terminal.wait_for(f"2 {alice}: two")
    person.script([f'DLT "{title}" 1'], alice, check=0)
    terminal.enter(f'EDT "{title}" 1 not this one')
    terminal.wait_for("post 1 not edited: the post was deleted meanwhile: read the thread again")
    done = person.script([f'RDT "{title}"'], alice, check=0)
    assert done.stdout == f"1 {alice}: two\n"


def test_the_number_of_ones_own_post_is_that_post(person, town, title):
    alice, bob = town.names(2)
    script = start_script(person, alice)
    script.stdin.write(f'CRT "{title}"\nRDT "{title}"\nping\n')
    script.stdin.flush()
    assert script.stdout.readline() and "empty" in script.stdout.readline()
    assert "answered" in script.stdout.readline()
    person.script([f'MSG "{title}" first'], bob, check=0)
    script.stdin.write(f'MSG "{title}" second\nEDT "{title}" 2 edited\nDLT "{title}" 1\nRDT "{title}"\n')
    script.stdin.close()
    assert script.wait(SCRIPT_S) == 5
    assert script.stdout.read().splitlines() == [
        "posted as 2", "post 2 edited", f"1 {bob}: first", f"2 {alice}: edited (edited)"]
    assert "there was no post 1 when you read" in script.stderr.read()


def test_where_nothing_was_read_a_number_means_what_it_means_now(person, town, title):
    user = town.name()
    person.script([f'CRT "{title}"', f'MSG "{title}" one', f'MSG "{title}" two'], user, check=0)
    done = person.script([f'DLT "{title}" 1', f'EDT "{title}" 1 better', f'RDT "{title}"'], user,
                         check=0)
    assert done.stdout.splitlines() == ["post 1 deleted", "post 1 edited",
                                        f"1 {user}: better (edited)"]


# ---- followed threads ----


def test_news_of_a_followed_thread_come_live(person, town, title, terminal_of):
    alice, bob = town.names(2)
    person.script([f'CRT "{title}"', f'MSG "{title}" before'], bob, check=0)
    terminal = terminal_of(alice)
    terminal.enter(f'thread follow "{title}"')
    terminal.wait_for(f"you follow {title} from now on")
    terminal.type("half a li")
    person.script([f'MSG "{title}" news', f'EDT "{title}" 2 newer', f'DLT "{title}" 1'], bob,
                  check=0)
    terminal.wait_for(f"[{title}] {bob} deleted a post")
    terminal.wait_last("zchat> half a li")
    shown = [line for line in terminal.all_lines() if line.startswith("[")]
    assert shown == [f"[{title}] 2 {bob}: news", f"[{title}] {bob} edited 2: newer",
                     f"[{title}] {bob} deleted a post"]
    person.script([f'RMV "{title}"'], bob, check=0)
    terminal.wait_for(f"[{title}] {bob} removed the thread")
    terminal.wait_last("zchat> half a li")


def test_ones_own_doings_are_no_news_but_those_elsewhere_are(person, town, title, terminal_of):
    alice = town.name()
    person.script([f'CRT "{title}"'], alice, check=0)
    terminal = terminal_of(alice)
    for line, answer in ((f'thread follow "{title}"', "from now on"),
                         (f'MSG "{title}" typed here', "posted as 1"),
                         (f'EDT "{title}" 1 edited here', "post 1 edited"),
                         (f'DLT "{title}" 1', "post 1 deleted")):
        terminal.enter(line)
        terminal.wait_for(answer)
    person.script([f'MSG "{title}" from elsewhere'], alice, check=0)
    terminal.wait_for(f"[{title}] 1 {alice}: from elsewhere")
    terminal.enter(f'RMV "{title}"')
    terminal.wait_for("removed")
    terminal.enter("ping")
    terminal.wait_for("answered in")
    assert terminal.text().count("[" + title) == 1


def test_a_number_shown_live_can_be_used(person, town, title, terminal_of):
    alice = town.name()
    person.script([f'CRT "{title}"', f'MSG "{title}" one'], alice, check=0)
    terminal = terminal_of(alice)
    terminal.enter(f'thread follow "{title}"')
    terminal.wait_for("from now on")
    terminal.enter(f'RDT "{title}"')
    terminal.wait_for(f"1 {alice}: one")
    person.script([f'MSG "{title}" two'], alice, check=0)
    terminal.wait_for(f"[{title}] 2 {alice}: two")
    person.script([f'DLT "{title}" 1'], alice, check=0)
    terminal.wait_for("deleted a post")
    terminal.enter(f'DLT "{title}" 2')
    terminal.wait_for("post 2 deleted")
    assert person.script([f'RDT "{title}"'], alice, check=0).stdout == f"{title} is empty\n"


def test_what_was_missed_comes_once_under_a_header(person, town, title, terminal_of):
    alice, bob = town.names(2)
    person.script([f'CRT "{title}"'], bob, check=0)
    terminal = terminal_of(alice)
    terminal.enter(f'thread follow "{title}"')
    terminal.wait_for("from now on")
    person.script([f'MSG "{title}" while here'], bob, check=0)
    terminal.wait_for("while here")
    terminal.enter("quit")
    terminal.wait_exit(0)
    person.script([f'MSG "{title}" one', f'MSG "{title}" two', f'EDT "{title}" 2 uno'], bob, check=0)
    again = terminal_of(alice)
    again.wait_for("— end of what you missed in threads —")
    lines = again.all_lines()
    start = next(n for n, line in enumerate(lines) if "while you were away" in line)
    assert lines[start:start + 5] == [
        "— while you were away, in the threads that you follow: 3 changes —",
        f"[{title}] 2 {bob}: one", f"[{title}] 3 {bob}: two", f"[{title}] {bob} edited 2: uno",
        "— end of what you missed in threads —"]
    person.script([f'MSG "{title}" live'], bob, check=0)
    again.wait_for(f"[{title}] 4 {bob}: live")
    again.enter("quit")
    again.wait_exit(0)
    third = terminal_of(alice)
    person.script([f'MSG "{title}" at last'], bob, check=0)
    third.wait_for(f"[{title}] 5 {bob}: at last")
    assert "while you were away" not in third.text() and "live" not in third.text()


def test_an_unfollowed_thread_is_silent(person, town, title, terminal_of):
    alice, bob = town.names(2)
    other = next(titles)
    person.script([f'CRT "{title}"', f'CRT "{other}"'], bob, check=0)
    terminal = terminal_of(alice)
    for line, answer in ((f'thread follow "{title}"', f"you follow {title} from"),
                         (f'thread follow "{other}"', f"you follow {other} from"),
                         (f'thread unfollow "{title}"', f"you no longer follow {title}")):
        terminal.enter(line)
        terminal.wait_for(answer)
    person.script([f'MSG "{title}" unheard', f'MSG "{other}" heard'], bob, check=0)
    terminal.wait_for("heard")
    assert "unheard" not in terminal.text()


def test_news_go_on_after_the_broker_was_away(town_factory, tmp_path, title, terminal_of):
    town = town_factory(accounts=3)
    person = Person(town.broker, tmp_path / "own", town.keys)
    alice, bob = town.names(2)
    person.script([f'CRT "{title}"'], bob, check=0)
    terminal = terminal_of(alice, at=town)
    terminal.enter(f'thread follow "{title}"')
    terminal.wait_for("from now on")
    town.broker.kill()
    terminal.wait_last("[offline] zchat>")
    town.broker.start(town.broker.port)
    person.script([f'MSG "{title}" number {n}' for n in range(1, 6)], bob, check=0)
    terminal.wait_for(f"[{title}] 5 {bob}: number 5")
    shown = [line for line in terminal.all_lines() if line.startswith(f"[{title}]")]
    assert shown == [f"[{title}] {n} {bob}: number {n}" for n in range(1, 6)]


def test_a_script_hears_of_what_its_account_follows(person, town, title):
    alice, bob = town.names(2)
    other = next(titles)
    person.script([f'CRT "{title}"', f'CRT "{other}"'], bob, check=0)
    person.script([f'thread follow "{title}"'], alice, check=0)
    script = start_script(person, alice)
    script.stdin.write(f'thread follow "{other}"\n')
    script.stdin.flush()
    assert script.stdout.readline() == f"you follow {other} from now on\n"
    for thread in (title, other):
        person.script([f'MSG "{thread}" a word'], bob, check=0)
        assert script.stdout.readline() == f"[{thread}] 1 {bob}: a word\n"
    script.stdin.close()
    assert script.wait(SCRIPT_S) == 0 and script.stdout.read() == ""


@pytest.mark.parametrize("lines", [[], ["ping"]])
def test_a_script_shows_what_was_missed_in_threads_once(person, town, title, lines):
    alice, bob = town.names(2)
    person.script([f'CRT "{title}"'], bob, check=0)
    person.script([f'thread follow "{title}"'], alice, check=0)
    person.script([f'MSG "{title}" one', f'EDT "{title}" 1 uno'], bob, check=0)
    shown = person.script(lines, alice, check=0).stdout.splitlines()
    assert shown[:4] == ["— while you were away, in the threads that you follow: 2 changes —",
                         f"[{title}] 1 {bob}: one", f"[{title}] {bob} edited 1: uno",
                         "— end of what you missed in threads —"]
    assert "while you were away" not in person.script(lines, alice, check=0).stdout


def test_one_s_own_post_comes_once_however_soon_after_following(person, town, title):
    alice, bob = town.names(2)
    person.script([f'CRT "{title}"'], bob, check=0)
    script = [f'thread follow "{title}"', f'MSG "{title}" mine', "recv 1 1"]
    done = person.script(script, alice, check=124)
    assert done.stdout.splitlines() == [f"you follow {title} from now on", "posted as 1"]


def test_one_s_own_post_comes_once_when_typed_ahead(person, town, title, terminal_of):
    alice, bob = town.names(2)
    person.script([f'CRT "{title}"'], bob, check=0)
    terminal = terminal_of(alice)
    terminal.tmux("send-keys", "-l", f'thread follow "{title}"\nMSG "{title}" mine\n')
    terminal.wait_for("posted as 1")
    person.script([f'MSG "{title}" yours'], bob, check=0)
    terminal.wait_for(f"[{title}] 2 {bob}: yours")
    assert terminal.text().count("mine") == 1


def test_a_deletion_says_which_post_it_was(person, town, title, terminal_of):
    alice, bob = town.names(2)
    person.script([f'CRT "{title}"'], bob, check=0)
    terminal = terminal_of(alice)
    terminal.enter(f'thread follow "{title}"')
    terminal.wait_for("from now on")
    long = "日本語 and what else belongs to a text that is too long for a line of news"
    script = start_script(person, bob)
    for text in ("short", long):
        script.stdin.write(f'MSG "{title}" {text}\n')
        script.stdin.flush()
        terminal.wait_for(f" {bob}: {text[:10]}")  # else its news would be that it is gone
    script.communicate(f'DLT "{title}" 1\nDLT "{title}" 2\n', timeout=SCRIPT_S)
    assert script.returncode == 0
    terminal.wait_for(f"[{title}] {bob} deleted a post: 1 short")
    terminal.wait_match(rf"^\[{title}\] {bob} deleted a post: 2 日本語 and what.*\.\.\.$")


# ---- Tab ----


def test_tab_completes_the_second_word(town, terminal_of):
    terminal = terminal_of(town.name())
    terminal.type("thr")
    terminal.key("Tab")
    terminal.wait_last("zchat> thread")
    terminal.type("unf")
    terminal.key("Tab")
    terminal.type("!")
    terminal.wait_last("zchat> thread unfollow !")
    terminal.key("C-u")
    terminal.type("file ")
    terminal.key("Tab", "Tab")
    terminal.wait_match("^delete +get +list +put$")


def test_tab_completes_titles_and_quotes_them(person, town, title, terminal_of):
    user = town.name()
    person.script([f'CRT "{title}"', "CRT plain-title"], user, check=0)
    terminal = terminal_of(user)
    terminal.enter("thread list")
    terminal.wait_for(f"{title}  {user}")
    terminal.type("RDT plain")
    terminal.key("Tab")
    terminal.type("!")
    terminal.wait_last("zchat> RDT plain-title !")
    terminal.key("C-u")
    terminal.type(f'RDT "{title[:-1]}')
    terminal.key("Tab")
    terminal.key("C-a", "C-k")
    terminal.type(f'RDT "{title}')
    terminal.key("Tab")
    terminal.wait(lambda: terminal.last().startswith(f'zchat> RDT "{title}'), "the title")
    terminal.key("C-u")
    person.script(['CRT "only this one"'], user, check=0)
    terminal.enter("thread list")
    terminal.wait_for("only this one")
    terminal.type("thread read only")
    terminal.key("Tab")
    terminal.type("!")
    terminal.wait_last('zchat> thread read "only this one" !')
    terminal.key("C-u")
    terminal.type('thread read "only th')
    terminal.key("Tab")
    terminal.type("!")
    terminal.wait_last('zchat> thread read "only this one" !')
    person.script(['RMV "only this one"', "RMV plain-title"], user, check=0)


# ---- shutdown ----


def test_the_admin_password_is_asked_for_and_never_shown(town_with_password, terminal_of):
    town = town_with_password
    terminal, other = (terminal_of(name, at=town) for name in town.names(2))
    terminal.enter("shutdown")
    terminal.wait_last("admin password:")
    terminal.enter("wrong")
    terminal.wait_for("not shut down: wrong admin password")
    terminal.wait_last("zchat>")
    terminal.enter("shutdown")
    terminal.wait(lambda: terminal.text().count("admin password:") == 2, "the question")
    terminal.enter(ADMIN_PASSWORD)
    terminal.wait_for("the broker stops")
    other.wait_for("the broker: the broker is shutting down")
    assert town.broker.exits_with() == 0
    assert ADMIN_PASSWORD not in terminal.text()


def test_an_administrator_needs_no_password(town_with_password, tmp_path):
    town = town_with_password
    person = Person(town.broker, tmp_path / "own", town.keys)
    done = person.script(["shutdown"], ADMIN, check=0)
    assert done.stdout.splitlines() == ["the broker stops", "the broker: the broker is shutting down"]
    assert done.stderr == "" and town.broker.exits_with() == 0


def test_the_classic_password_is_not_kept(town_with_password, terminal_of):
    town = town_with_password
    terminal = terminal_of(town.name(), at=town)
    terminal.enter("help who")
    terminal.wait_for("who is online")
    terminal.enter("SHT wrong")
    terminal.wait_for("not shut down: wrong admin password")
    terminal.enter("  SHT also wrong")
    terminal.wait(lambda: terminal.text().count("wrong admin password") == 2, "the answer")
    terminal.enter("sht wrong in lower case")
    terminal.wait_for('there is no command "sht"')
    terminal.key("Up")
    terminal.wait_last("zchat> help who")
    terminal.key("C-u")
    terminal.enter(f"SHT {ADMIN_PASSWORD}")
    terminal.wait_for("the broker stops")
    assert town.broker.exits_with() == 0
    terminal.enter("quit")
    terminal.wait_exit(0)
    history = terminal.person.history.read_text()
    assert "help who" in history and ADMIN_PASSWORD not in history and "wrong" not in history


def test_a_script_takes_the_password_from_a_file(town_with_password, tmp_path):
    town = town_with_password
    person = Person(town.broker, tmp_path / "own", town.keys)
    right = person.password_file(ADMIN_PASSWORD, "right")
    wrong = person.password_file("wrong", "wrong")
    user = town.name()
    person.script([f"shutdown --password-file {wrong}"], user, check=4)
    person.script(["shutdown --password-file /nonexistent"], user, check=3)
    person.script([f"shutdown --password-file {right}"], user, check=0)
    assert town.broker.exits_with() == 0


def test_the_data_stays_and_a_wipe_removes_it(town_with_password, tmp_path, terminal_of):
    town = town_with_password
    person = Person(town.broker, tmp_path / "own", town.keys)
    user = town.name()
    person.script(["CRT kept", "MSG kept a post", f"SHT {ADMIN_PASSWORD}"], user, check=0)
    assert town.broker.exits_with() == 0
    town.broker.start()
    assert person.script(["RDT kept"], user, check=0).stdout == f"1 {user}: a post\n"
    terminal = terminal_of(ADMIN, at=town)
    terminal.enter("shutdown --wipe")
    terminal.wait_last("type wipe to go on:")
    terminal.enter("no")
    terminal.wait_for("nothing is deleted, and the broker goes on")
    terminal.enter("shutdown --wipe")
    terminal.wait(lambda: terminal.text().count("type wipe to go on:") == 2, "the question")
    terminal.enter("wipe")
    terminal.wait_for("the broker stops and deletes everything")
    assert town.broker.exits_with() == 0
    town.broker.add_user(user, device_key=town.keys.public)
    town.broker.start()
    assert person.script(["LST"], user, check=0).stdout == "no threads to list\n"
