"""zmq-cli: what COMMANDS.md says about threads and their posts."""

import concurrent.futures
import stat

import pytest

from support.client import new_id
from support.town import ADMIN
from zmq_cli import Cli, RFC3339, UUID7, end

ID = "01934f7c-8b30-7abc-8def-0123456789ab"
OTHER_ID = "01934f7c-8b30-7abc-8def-0123456789ac"
TITLES = ["a-b", "credentials.txt", "x" * 128, "\N{PILE OF POO}" * 128,
          "שלום עולם", "مرحبا", "it's \"quoted\" `here`",
          "*?[a-z]$(id);|&", "a b  c", "%s%n", "q\N{COMBINING ACUTE ACCENT}", "C:\\x"]
NO_TITLES = ["../x", "..", ".", "-rf", "--help", "a/b", "/", "", " ", "x" * 129, "\N{PILE OF POO}" * 129, "a\nb", "a\tb",
             "\x1b[31mred", "\x7f", "\N{RIGHT-TO-LEFT OVERRIDE}x", "\N{ZERO WIDTH SPACE}",
             "a\N{LEFT-TO-RIGHT ISOLATE}b", b"\xff\xfe"]


@pytest.fixture
def title(town, alice):
    """A thread that alice made."""
    title = "about " + town.fresh_name()
    alice.ok("thread", "create", title)
    return title


def name_of(cli):
    return cli.environment["ZCHAT_USER"]


def read(cli, title):
    return cli.ok("thread", "read", "--", title).lines


def texts(cli, title):
    return [post["text"] for post in read(cli, title)]


def post(cli, title, *texts):
    return [cli.ok("thread", "post", title, text).one for text in texts]


# Making and listing.

def test_a_new_thread_is_listed(town, alice, bob):
    title = town.fresh_name()
    made = alice.ok("thread", "create", title).one
    assert made["thread"] == title and made["creator"] == name_of(alice)
    assert made["posts"] == "0" and made["uploads"] == "0" and UUID7.match(made["id"])
    assert RFC3339.match(made["last"]) and made["created"] == made["last"]
    assert made in bob.ok("thread", "list").lines


def test_the_list_counts_posts_and_tells_the_last_activity(alice, bob, title):
    posted = post(bob, title, "one", "two")
    [found] = [thread for thread in bob.ok("LST").lines if thread["thread"] == title]
    assert found["posts"] == "2" and found["last"] == posted[-1]["time"]
    assert found["creator"] == name_of(alice)


def test_the_list_without_threads_says_so_on_stderr(town_factory, tmp_path):
    town = town_factory(accounts=1)
    cli = Cli(town.broker, tmp_path, town.name(), town.keys)
    for options in (["--json"], []):
        cli.options = options
        done = cli.ok("thread", "list")
        assert done.out == "" and "no threads to list" in done.err
    assert cli.ok("lst", "-q").err == ""


def test_a_list_of_more_than_a_page_is_whole(town_factory, tmp_path):
    town = town_factory(accounts=1)
    cli = Cli(town.broker, tmp_path, town.name(), town.keys)
    client = town.join(cli.environment["ZCHAT_USER"])
    titles = sorted(f"thread {number}" for number in range(501))
    for title in titles:
        client.call("create_thread", id=new_id(), title=title)
    assert [thread["thread"] for thread in cli.ok("thread", "list").lines] == titles


def test_a_title_is_taken_once(alice, bob, title):
    bob.fails(7, "CONFLICT", "thread", "create", title)
    alice.fails(7, "CONFLICT", "CRT", title)


def test_the_same_id_makes_the_same_thread(town, alice):
    title = town.fresh_name()
    first = alice.ok("thread", "create", title, "--id", ID).one
    assert first["id"] == ID
    assert alice.ok("thread", "create", "--id", ID, title).one["created"] == first["created"]
    alice.fails(7, "CONFLICT", "thread", "create", "--id", ID, town.fresh_name())


@pytest.mark.parametrize("title", TITLES)
def test_a_title_is_data(alice, bob, title, tmp_path):
    before = sorted(tmp_path.iterdir())
    assert alice.ok("thread", "create", "--", title).one["thread"] == title
    assert alice.ok("thread", "post", "--", title, "-x").one["number"] == "1"
    assert texts(bob, title) == ["-x"]
    assert title in [thread["thread"] for thread in bob.ok("thread", "list").lines]
    alice.ok("thread", "edit", "--", title, "1", "y")
    alice.ok("thread", "delete", "--", title, "1")
    assert sorted(tmp_path.iterdir()) == before
    alice.ok("thread", "remove", "--", title)
    bob.fails(5, "NOT_FOUND", "thread", "read", "--", title)


@pytest.mark.parametrize("title", NO_TITLES, ids=range(len(NO_TITLES)))
def test_what_is_no_title_is_refused(alice, title):
    word = title if isinstance(title, str) else title.decode(errors="surrogateescape")
    alice.fails(2, "INVALID", "thread", "create", "--", word)


def test_lines_of_the_list_without_json(town, alice, title):
    alice.options = []
    [line] = [line for line in alice.ok("thread", "list").out.splitlines() if line.endswith(title)]
    time, posts, word, creator = line.split()[:4]
    assert (posts, word, creator) == ("0", "posts", name_of(alice)) and time.endswith("Z")
    other = town.fresh_name()
    assert alice.ok("thread", "create", other).out == f"created {other}\n"
    assert alice.ok("thread", "remove", other).out == f"removed {other}\n"


# Posting and reading.

def test_posts_are_numbered_in_their_order(alice, bob, title):
    first = bob.ok("thread", "post", title, "hello", "there,  you").one
    assert sorted(first) == ["id", "number", "seq", "time"]
    assert first["number"] == first["seq"] == "1"
    assert UUID7.match(first["id"]) and RFC3339.match(first["time"])
    second = alice.ok("MSG", title, "hi").one
    assert (second["number"], second["seq"]) == ("2", "2")
    assert read(bob, title) == [
        {"id": first["id"], "number": "1", "user": name_of(bob), "text": "hello there,  you",
         "time": first["time"], "edited": None},
        {"id": second["id"], "number": "2", "user": name_of(alice), "text": "hi",
         "time": second["time"], "edited": None}]


def test_an_empty_thread_reads_as_nothing(alice, title):
    done = alice.ok("thread", "read", title)
    assert done.out == "" and done.err == ""


def test_a_thread_of_more_than_a_page_reads_as_a_whole(town, alice, title):
    client = town.join(name_of(alice))
    wanted = [f"post {number} " + "x" * (number % 7 * 1000) for number in range(1203)]
    for text in wanted:
        client.call("post_to_thread", id=new_id(), thread=title, text=text)
    posts = read(alice, title)
    assert [entry["text"] for entry in posts] == wanted
    assert [entry["number"] for entry in posts] == [str(n) for n in range(1, 1204)]
    assert len({entry["id"] for entry in posts}) == 1203


def test_reading_and_posting_in_words(alice, bob, title):
    alice.options = []
    number, uuid, time = alice.ok("thread", "post", title, "first\n2 eve: forged").out.split()
    assert number == "1" and UUID7.match(uuid) and time.endswith("Z")
    bob.ok("thread", "post", title, "next")
    assert alice.ok("thread", "read", title).out.splitlines() == [
        f"1 {name_of(alice)}: first", "    2 eve: forged", f"2 {name_of(bob)}: next"]
    assert alice.ok("thread", "edit", title, "1", "x").out == "edited post 1\n"
    assert alice.ok("thread", "delete", title, "1").out == "deleted post 1\n"


def test_a_text_from_stdin_and_texts_like_options(alice, title):
    alice.ok("thread", "post", title, "-", stdin="two\nlines\n")
    alice.ok("thread", "post", title, "say", "-q", "--", "--json", "-q", "--", "--no-such")
    alice.ok("thread", "edit", title, "1", "-", stdin="new\nlines\n")
    assert texts(alice, title) == ["new\nlines", "say --json -q -- --no-such"]


@pytest.mark.parametrize("stdin", ["", "\n", "x" * (16 * 1024 + 1), "a\0b", b"\xff\xfe"],
                         ids=["nothing", "newline", "long", "NUL", "bytes"])
def test_what_is_no_text_is_refused(alice, title, stdin):
    alice.ok("thread", "post", title, "stays")
    alice.fails(2, "INVALID", "thread", "post", title, "-", stdin=stdin)
    alice.fails(2, "INVALID", "thread", "edit", title, "1", "-", stdin=stdin)
    assert texts(alice, title) == ["stays"]


def test_a_post_with_the_same_id_is_posted_once(alice, title):
    first = alice.ok("thread", "post", "--id", OTHER_ID, title, "once").one
    assert first["id"] == OTHER_ID
    assert alice.ok("thread", "post", title, "--id", OTHER_ID.upper(), "once").one == first
    alice.fails(7, "CONFLICT", "thread", "post", title, "--id", OTHER_ID, "something else")
    assert texts(alice, title) == ["once"]


def test_every_verb_needs_a_thread_that_exists(town, alice):
    title = town.fresh_name()
    for words in (["post", title, "hi"], ["read", title], ["edit", title, "1", "x"],
                  ["delete", title, "1"], ["remove", title], ["follow", title],
                  ["unfollow", title]):
        error = alice.fails(5, "NOT_FOUND", "thread", *words)
        assert words[0] == "unfollow" or title in error["message"]
    assert not (alice.folder / "state").exists()


# Editing and deleting.

def test_an_edit_answers_with_the_post_as_it_stands(alice, title):
    [posted] = post(alice, title, "old")
    edited = alice.ok("thread", "edit", title, "1", "new", "text").one
    assert edited["edited"] and RFC3339.match(edited["edited"])
    assert edited == {"id": posted["id"], "number": "1", "user": name_of(alice), "text": "new text",
                      "time": posted["time"], "edited": edited["edited"]}
    assert read(alice, title) == [edited]


def test_numbers_close_up_after_a_deletion(alice, bob, title):
    posted = post(alice, title, "a", "b", "c")
    assert alice.ok("DLT", title, "2").one == {"thread": title, "id": posted[1]["id"]}
    assert [(entry["number"], entry["text"]) for entry in read(bob, title)] == [("1", "a"), ("2", "c")]
    read(alice, title)
    assert alice.ok("thread", "delete", title, "2").one == {"thread": title, "id": posted[2]["id"]}
    assert texts(bob, title) == ["a"]


def test_only_the_author_edits_and_deletes(town, script, alice, bob, title):
    post(alice, title, "mine")
    admin = script(ADMIN)
    for cli in (bob, admin):
        cli.fails(6, "FORBIDDEN", "thread", "edit", title, "1", "x")
        cli.fails(6, "FORBIDDEN", "thread", "delete", title, "1")
    assert texts(bob, title) == ["mine"]


def test_there_must_be_such_a_post(alice, bob, title):
    post(alice, title, "one")
    bob.fails(5, "NOT_FOUND", "thread", "edit", title, "2", "x")
    bob.fails(5, "NOT_FOUND", "thread", "delete", title, "18446744073709551615")
    read(bob, title)
    error = bob.fails(5, "NOT_FOUND", "thread", "edit", title, "2", "x")
    assert "read it again" in error["message"] and "--id" in error["message"]
    bob.fails(5, "NOT_FOUND", "thread", "delete", title, "18446744073709551615")
    bob.fails(5, "NOT_FOUND", "thread", "delete", title, "--id", ID)


@pytest.mark.parametrize("number", ["0", "-1", "1.5", "one", "", "18446744073709551616", "1 "])
def test_a_number_is_a_whole_number_from_1_on(alice, title, number):
    post(alice, title, "stays")
    alice.fails(2, "INVALID", "thread", "edit", "--", title, number, "x")
    alice.fails(2, "INVALID", "thread", "delete", "--", title, number)
    assert texts(alice, title) == ["stays"]


def test_the_id_says_outright_which_post(alice, bob, title):
    posted = post(alice, title, "a", "b")
    read(bob, title)
    edited = alice.ok("thread", "edit", title, "--id", posted[1]["id"], "new", "b").one
    assert (edited["text"], edited["number"]) == ("new b", "2")
    alice.ok("thread", "edit", "--id", posted[1]["id"], title, "--", "--x")
    assert alice.ok("thread", "delete", title, "--id=" + posted[0]["id"].upper()).one == {
        "thread": title, "id": posted[0]["id"]}
    assert texts(bob, title) == ["--x"]
    bob.fails(6, "FORBIDDEN", "thread", "delete", "--id", posted[1]["id"], title)
    alice.fails(7, "CONFLICT", "thread", "edit", "--id", posted[0]["id"], title, "x")
    alice.fails(2, "INVALID", "thread", "delete", "--id", "1", title)
    alice.fails(2, "INVALID", "thread", "delete", "--id", ID, title, "1")
    alice.fails(2, "INVALID", "thread", "edit", "--id", ID, title)
    assert texts(bob, title) == ["--x"]


# What a number means.

def test_a_number_means_what_was_last_read(script, alice, bob, title):
    """Another client deletes between read and edit: the right post is hit, or none."""
    posted = post(alice, title, "a", "b", "c")
    read(alice, title)
    script(name_of(alice)).ok("thread", "delete", title, "--id", posted[0]["id"])
    assert alice.ok("thread", "edit", title, "3", "new c").one["id"] == posted[2]["id"]
    alice.fails(7, "CONFLICT", "thread", "edit", title, "1", "lost")
    alice.fails(7, "CONFLICT", "thread", "delete", title, "1")
    assert texts(bob, title) == ["b", "new c"]
    read(alice, title)
    alice.ok("thread", "delete", title, "1")
    assert texts(bob, title) == ["new c"]


def test_where_nothing_was_read_a_number_means_what_it_means_now(script, alice, bob, title):
    other = script(name_of(alice))
    posted = post(other, title, "a", "b", "c")
    other.ok("thread", "delete", title, "--id", posted[0]["id"])
    alice.ok("thread", "edit", title, "1", "new b")
    alice.ok("thread", "delete", title, "2")
    assert texts(bob, title) == ["new b"]


def test_ones_own_deletion_leaves_the_numbers_that_were_read(alice, bob, title):
    """As in zchat: 2 is what was shown as 2, and used a second time a conflict."""
    post(alice, title, "a", "b", "c")
    read(alice, title)
    alice.ok("DLT", title, "1")
    alice.ok("DLT", title, "2")
    for number in ("1", "2"):
        assert "read" in alice.fails(7, "CONFLICT", "DLT", title, number)["message"]
        alice.fails(7, "CONFLICT", "EDT", title, number, "x")
    assert texts(bob, title) == ["c"]
    read(alice, title)
    alice.ok("EDT", title, "1", "new c")
    assert texts(bob, title) == ["new c"]


def test_calls_at_once_delete_what_was_shown(alice, bob, title):
    posted = post(alice, title, *"abcdefgh")
    read(alice, title)
    with concurrent.futures.ThreadPoolExecutor(4) as pool:
        done = list(pool.map(lambda number: alice.ok("DLT", title, str(number)), (8, 2, 5, 1)))
    assert {call.one["id"] for call in done} == {posted[place]["id"] for place in (7, 1, 4, 0)}
    assert texts(bob, title) == list("cdfg")


def test_numbers_of_a_thread_that_somebody_made_anew_are_a_conflict(script, alice, bob, title):
    post(alice, title, "a")
    read(alice, title)
    other = script(name_of(alice))
    other.ok("thread", "remove", title)
    alice.fails(5, "NOT_FOUND", "EDT", title, "1", "x")
    other.ok("thread", "create", title)
    post(other, title, "not a")
    assert "again" in alice.fails(7, "CONFLICT", "EDT", title, "1", "x")["message"]
    alice.fails(7, "CONFLICT", "DLT", title, "1")
    assert texts(bob, title) == ["not a"]


def test_ones_own_post_has_its_number_where_it_follows_what_was_read(alice, bob, title):
    read(alice, title)
    post(alice, title, "mine")
    alice.ok("thread", "edit", title, "1", "still mine")
    post(bob, title, "unread")
    post(alice, title, "third")
    alice.fails(5, "NOT_FOUND", "thread", "edit", title, "2", "x")
    alice.ok("thread", "edit", title, "3", "new third")
    assert texts(alice, title) == ["still mine", "unread", "new third"]


def test_ones_own_posts_have_the_numbers_that_were_shown_without_reading(alice, bob, title):
    post(alice, title, "p1", "p2", "p3", "p4")
    alice.ok("thread", "delete", title, "1")
    alice.ok("thread", "delete", title, "2")
    assert texts(bob, title) == ["p3", "p4"]


def test_ones_own_post_behind_others_has_the_number_that_was_shown(alice, bob, title):
    post(bob, title, "his")
    post(alice, title, "p2", "p3", "p4")
    alice.ok("thread", "delete", title, "2")
    alice.ok("thread", "delete", title, "3")
    alice.fails(5, "NOT_FOUND", "thread", "delete", title, "1")
    alice.fails(5, "NOT_FOUND", "thread", "delete", title, "5")
    assert texts(bob, title) == ["his", "p4"]


def test_ones_own_post_after_a_deletion_has_the_number_that_was_shown(alice, bob, title):
    post(alice, title, "a", "b", "c")
    read(alice, title)
    alice.ok("thread", "delete", title, "1")
    assert post(alice, title, "d")[0]["number"] == "3"
    alice.ok("thread", "delete", title, "3")
    assert texts(bob, title) == ["b", "c"]


def test_a_thread_made_anew_has_numbers_of_its_own(alice, bob, title):
    post(alice, title, "a", "b")
    read(alice, title)
    alice.ok("thread", "remove", title)
    alice.ok("thread", "create", title)
    post(alice, title, "other")
    alice.ok("thread", "edit", title, "1", "new")
    assert texts(bob, title) == ["new"]


def test_numbers_are_kept_for_each_user_and_thread(town, script, alice, title):
    other = town.fresh_name()
    alice.ok("thread", "create", other)
    posted = post(alice, title, "a", "b") + post(alice, other, "c")
    read(alice, title)
    script(name_of(alice)).ok("thread", "delete", title, "--id", posted[0]["id"])
    alice.ok("thread", "edit", other, "1", "new c")
    alice.fails(6, "FORBIDDEN", "-u", town.name(), "thread", "edit", title, "1", "not mine")
    assert texts(script(), title) == ["b"]
    assert texts(script(), other) == ["new c"]


def kept(folder):
    return sorted((folder / "state").iterdir())


def test_what_was_read_is_kept_in_a_private_file_without_the_title_in_its_name(alice, title):
    post(alice, title, "a")
    read(alice, title)
    [file] = kept(alice.folder)
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700
    assert all(letter in "0123456789abcdef" for letter in file.name.removesuffix(".numbers"))
    read(alice, title)
    assert kept(alice.folder) == [file]
    alice.ok("thread", "remove", title)
    assert kept(alice.folder) == []


def test_what_was_read_is_kept_where_the_system_keeps_state(tmp_path, alice, title):
    post(alice, title, "a", "b")
    home = dict(alice.environment, HOME=str(tmp_path / "home"))
    (tmp_path / "home" / ".config" / "zchat").mkdir(parents=True)
    del home["ZCHAT_CONFIG_DIR"]
    key = tmp_path / "home" / ".config" / "zchat" / "device.key"
    key.write_bytes((alice.folder / "device.key").read_bytes())
    key.chmod(0o600)
    alice.environment = home
    read(alice, title)
    assert len(list((tmp_path / "home" / ".local" / "state" / "zchat").iterdir())) == 1
    alice.ok("thread", "read", title, XDG_STATE_HOME=str(tmp_path / "xdg"))
    assert len(list((tmp_path / "xdg" / "zchat").iterdir())) == 1


@pytest.mark.parametrize("damage", [
    lambda file: file.write_bytes(b""), lambda file: file.write_bytes(file.read_bytes()[:-5]),
    lambda file: file.write_bytes(b"x" * file.stat().st_size),
    lambda file: file.write_bytes(file.read_bytes()[:-37] + b"z" * 36 + b"\n"),
    lambda file: (file.unlink(), file.mkdir()),
], ids=["empty", "cut", "foreign", "no ids", "folder"])
def test_a_damaged_file_of_numbers_never_hits_another_post(alice, title, damage):
    post(alice, title, "a", "b")
    read(alice, title)
    [file] = kept(alice.folder)
    damage(file)
    alice.fails(7, "CONFLICT", "thread", "edit", title, "2", "x")
    if file.is_dir():
        done = alice("thread", "read", title, check=3)
        assert done.lines and done.error["code"] == "IO"
        return
    assert texts(alice, title) == ["a", "b"]
    alice.ok("thread", "edit", title, "2", "new b")


def test_reading_works_where_nothing_can_be_kept(script, alice, bob, title):
    post(script(name_of(alice)), title, "a")
    (alice.folder / "state").write_text("in the way")
    done = alice.ok("thread", "read", title)
    assert done.one["text"] == "a" and "cannot keep" in done.err
    alice.ok("thread", "edit", title, "1", "b")
    assert texts(bob, title) == ["b"]


def test_a_reader_that_goes_away_ends_it_quietly(town, alice, title):
    client = town.join(name_of(alice))
    for number in range(300):
        client.call("post_to_thread", id=new_id(), thread=title, text="x" * 1000)
    process = alice.start("thread", "read", title)
    process.stdout.readline()
    process.stdout.close()
    process.stdout = None
    done = end(process)
    assert (done.status, done.err) == (0, "")


def test_two_who_edit_and_delete_at_once_never_hit_a_wrong_post(script, town, title):
    """Each works by numbers that it read; what is refused is refused as deleted meanwhile."""
    users = [script() for _ in range(2)]
    client = {name_of(cli): town.join(name_of(cli)) for cli in users}
    for number in range(20):
        for name in client:
            client[name].call("post_to_thread", id=new_id(), thread=title, text=f"{name} {number}")

    def work(cli):
        name, done = name_of(cli), {}
        for turn in range(6):
            mine = [entry for entry in read(cli, title) if entry["user"] == name]
            target = mine[turn % len(mine)]
            if turn % 2:
                cli.ok("thread", "delete", title, target["number"])
                done[target["id"]] = None
            else:
                edited = cli.ok("thread", "edit", title, target["number"], target["text"] + "!").one
                assert edited["id"] == target["id"]
                done[target["id"]] = edited["text"]
        return done

    with concurrent.futures.ThreadPoolExecutor() as pool:
        changed = {}
        for done in pool.map(work, users):
            changed.update(done)
    left = {entry["id"]: entry["text"] for entry in read(users[0], title)}
    assert left == {entry["id"]: entry["text"] for entry in read(users[1], title)}
    assert len(left) == 40 - 6
    for uuid, text in changed.items():
        assert left.get(uuid) == text


# Removing and following.

def test_the_creator_and_an_administrator_remove_a_thread(town, script, alice, bob, title):
    post(bob, title, "mine")
    bob.fails(6, "FORBIDDEN", "thread", "remove", title)
    assert texts(bob, title) == ["mine"]
    assert alice.ok("RMV", title).one == {"thread": title}
    assert title not in [thread["thread"] for thread in alice.ok("thread", "list").lines]
    bob.ok("thread", "create", title)
    assert texts(alice, title) == []
    script(ADMIN).ok("thread", "remove", title)
    bob.fails(5, "NOT_FOUND", "thread", "read", title)


def test_following_is_kept_with_the_account(town, alice, bob, title):
    post(alice, title, "before")
    assert bob.ok("thread", "follow", title).one == {"thread": title, "head": "1", "cursor": "1"}
    [followed] = town.join(name_of(bob)).call("list_followed").threads
    assert followed.title == title
    assert bob.ok("thread", "unfollow", title).one == {"thread": title}
    assert not town.join(name_of(bob)).call("list_followed").threads


def test_following_twice_and_not_at_all(alice, title):
    alice.ok("thread", "follow", title)
    alice.fails(7, "CONFLICT", "thread", "follow", title)
    alice.ok("thread", "unfollow", title)
    alice.fails(7, "CONFLICT", "thread", "unfollow", title)


# Names of verbs.

def test_the_classic_names_in_any_case_and_order(town, alice):
    title = town.fresh_name()
    for words in (["crt", title], ["Msg", title, "one", "two"], ["EDT", title, "1", "new", "text"],
                  ["RDT", title], ["lst"], ["dlt", title, "1"], ["rmv", title], ["xit"]):
        alice.ok(*words)
    alice.fails(5, "NOT_FOUND", "RDT", title)


@pytest.mark.parametrize("name", ["msg", "w"])
def test_what_other_chats_call_a_message_is_never_a_post(town, alice, name):
    friend = town.join()
    alice.ok("thread", "create", friend.user)
    alice.ok(name, friend.user, "my", "secret")
    friend.wait_text("my secret")
    assert texts(alice, friend.user) == []


@pytest.mark.parametrize("words", [
    ["thread"], ["thread", "--json"], ["thread", "dance"], ["thread", "thread", "list"], ["create", "x"],
    ["thread", "create"], ["thread", "create", "a", "b"], ["thread", "list", "x"],
    ["thread", "post", "x"], ["thread", "read"], ["thread", "read", "a", "b"],
    ["thread", "edit", "x", "1"], ["thread", "delete", "x"], ["thread", "delete", "x", "1", "2"],
    ["thread", "remove"], ["thread", "list", "--id", ID], ["file"], ["file", "put", "x"],
    ["file", "get", "x"], ["file", "list"], ["file", "list", "-o", "x", "y"],
])
def test_wrong_usage_is_exit_2(alice, words):
    alice.fails(2, "INVALID", *words)


def test_help_of_a_group(alice):
    out = alice.ok("thread", "--help").out
    assert "thread create T" in out and "thread unfollow T" in out and "broadcast" not in out
    assert "classic name: EDT" in alice.ok("thread", "edit", "--help").out
