"""zmq-cli context: named settings in zmq-cli.conf, which keeps what somebody wrote there by hand."""

import os
import stat
import threading

import pytest

from json_schemas import assert_output_fits
from support.disk import fill, small_disk
from zmq_cli import ONE_VOICE, Cli


@pytest.fixture
def cli(config_dirs):
    """Knows no broker, and has no file yet."""
    return Cli(None, config_dirs("context"))


def text_of(cli):
    return (cli.folder / "zmq-cli.conf").read_text()


def write(cli, text):
    (cli.folder / "zmq-cli.conf").write_text(text)


def names(cli, *words, **environment):
    done = cli.ok(*words, "context", "list", **environment)
    assert_output_fits("context list", done)
    return [(line["context"], line["current"]) for line in done.lines]


def test_a_context_that_was_set_is_listed_shown_used_and_removed(cli):
    assert names(cli) == []
    cli.ok("context", "set", "work", "server=chat.example:4100", "user=a.smith")
    cli.ok("context", "set", "home", "user=alice")
    assert names(cli) == [("work", False), ("home", False)]
    shown = cli.ok("context", "show", "work")
    assert shown.one == {"context": "work", "current": False, "server": "chat.example:4100", "user": "a.smith"}
    assert_output_fits("context show", shown)
    cli.ok("context", "use", "work")
    assert names(cli) == [("work", True), ("home", False)] and cli.ok("context", "show").one["context"] == "work"
    cli.ok("context", "remove", "home")
    assert names(cli) == [("work", True)]
    cli.ok("context", "remove", "work")
    assert names(cli) == [] and "context" not in text_of(cli)
    cli.fails(5, "NOT_FOUND", "context", "show")


def test_what_a_context_says_is_used_and_a_flag_and_the_environment_come_before_it(town, cli):
    one, two, three = town.names(3)
    cli = Cli(town.broker, cli.folder, None, town.keys)
    cli.ok("context", "set", "one", f"user={one}")
    cli.ok("context", "set", "two", "--user", two)
    cli.ok("context", "use", "one")
    assert cli.ok("login").one["user"] == one
    assert cli.ok("--context", "two", "login").one["user"] == two
    assert cli.ok("login", ZCHAT_CONTEXT="two").one["user"] == two
    assert cli.ok("--context", "one", "login", ZCHAT_CONTEXT="two").one["user"] == one
    assert cli.ok("login", ZCHAT_USER=three).one["user"] == three
    assert cli.ok("-u", two, "login", ZCHAT_USER=three).one["user"] == two
    cli.ok("context", "use")
    cli.fails(2, "INVALID", "login")


def test_in_words(cli):
    cli.options = []
    assert cli.ok("context", "set", "work", "server=chat.example", "user=bob").out == "set work\n"
    cli.ok("context", "set", "home", "user=alice")
    cli.ok("context", "set", "empty")
    assert cli.ok("context", "use", "home").out == "using home\n"
    assert cli.ok("context", "list").out == "  work  bob@chat.example\n* home  alice@localhost\n  empty\n"
    assert cli.ok("context", "show", "work").out == "[context work]\nserver = chat.example\nuser = bob\n"
    assert cli.ok("--context", "work", "context", "list").out.startswith("* work")


def test_a_setting_is_changed_in_place_or_removed_and_everything_else_stays(cli):
    write(cli, "# mine\nuser = nobody\n\n[context a]\n  # of a\n  server = old\nuser=u\n\n\n[context b]\nserver = b\n")
    cli.ok("context", "set", "a", "server=new", "timeout=30", "user=")
    assert text_of(cli) == ("# mine\nuser = nobody\n\n[context a]\n  # of a\nserver = new\ntimeout = 30\n\n\n"
                            "[context b]\nserver = b\n")
    cli.ok("context", "use", "b")
    cli.ok("context", "use", "a")
    assert text_of(cli).startswith("# mine\nuser = nobody\ncontext = a\n\n[context a]\n")
    cli.ok("context", "set", "c", "user=c")
    assert text_of(cli).endswith("[context b]\nserver = b\n\n[context c]\nuser = c\n")
    cli.ok("context", "remove", "b")
    assert "[context b]" not in text_of(cli) and "server = b" not in text_of(cli) and "[context c]" in text_of(cli)


def test_a_file_of_another_editor_is_changed_where_it_says_so(cli):
    write(cli, "\ufeff[context a]\r\nuser = x\r\n")
    cli.ok("context", "set", "a", "user=y")
    assert text_of(cli) == "\ufeff[context a]\nuser = y\n"
    write(cli, "[ context\t a ]\nuser = x\n[context ab]\n")
    cli.ok("context", "set", "a", "user=y")
    assert text_of(cli) == "[ context\t a ]\nuser = y\n[context ab]\n"


def test_what_the_call_says_of_the_broker_is_kept_and_how_it_is_made_is_not(cli, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    cli.ok("context", "set", "work", "--server", "chat.example", "-u", "bob", "--password-file", "bob.password",
           "--server-key", "0123 4567 89ab cdef 0123 4567 89ab cdef", "--trust-new", "--timeout", "9", "-q")
    assert cli.ok("context", "show", "work").one == {
        "context": "work", "current": False, "server": "chat.example", "user": "bob",
        "password-file": f"{tmp_path}/bob.password", "server-key": "0123 4567 89ab cdef 0123 4567 89ab cdef",
        "trust-new": "yes"}


def test_a_context_that_is_missing_stops_other_verbs_but_not_those_that_mend_it(cli):
    write(cli, "context = gone\n[context here]\nuser = bob\n")
    cli.fails(2, "INVALID", "ping")
    assert names(cli) == [("here", False)]
    for words in (["context", "use", "nowhere"], ["context", "remove", "nowhere"], ["context", "show", "nowhere"],
                  ["context", "show"]):
        assert "nowhere" in cli.fails(5, "NOT_FOUND", *words)["message"] or words[-1] == "show"
    cli.ok("context", "use", "here")
    assert names(cli) == [("here", True)]


@pytest.mark.parametrize("words", [
    ["set", "a]"], ["set", "[a"], ["set", " a"], ["set", ""], ["set", "a\nb"], ["set", "a" * 65], ["set", "a/b"],
    ["set", "a", "user"], ["set", "a", "=x"], ["set", "a", "usr=x"], ["set", "a", "ack=yes"], ["set", "a", "context=b"],
    ["set", "a", "timeout=soon"], ["set", "a", "trust-new=maybe"], ["set", "a", "user=x\ny"], ["set", "a", "user= x"],
    ["set"], ["use", "a", "b"], ["remove"], ["list", "a"]])
def test_what_the_file_can_not_hold_is_refused_and_the_file_stays(cli, words):
    write(cli, "user = me\n")
    message = cli.fails(2, "INVALID", "context", *words)["message"]
    assert ONE_VOICE.match(message) and text_of(cli) == "user = me\n"


@pytest.mark.parametrize("name", ["ü世界", "two words", "a.b-c_d", "x" * 64, "#1"])
def test_a_context_may_have_such_a_name(cli, name):
    cli.ok("context", "set", name, "user=bob")
    cli.ok("context", "use", name)
    assert names(cli) == [(name, True)]
    cli.ok("context", "remove", name)
    assert names(cli) == []


def test_the_file_and_its_folder_are_for_the_owner_alone_and_a_link_stays_a_link(cli, tmp_path):
    folder = tmp_path / "deep" / "er"
    cli.environment["ZCHAT_CONFIG_DIR"] = str(folder)
    cli.ok("context", "set", "a")
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((folder / "zmq-cli.conf").stat().st_mode) == 0o600
    (folder / "zmq-cli.conf").rename(tmp_path / "real.conf")
    (folder / "zmq-cli.conf").symlink_to(tmp_path / "real.conf")
    cli.ok("context", "set", "b")
    assert (folder / "zmq-cli.conf").is_symlink() and "[context b]" in (tmp_path / "real.conf").read_text()
    assert sorted(os.listdir(folder)) == ["zmq-cli.conf"]


def test_a_full_disk_leaves_the_file_as_it_was(cli, tmp_path):
    place = tmp_path / "disk"
    place.mkdir()
    with small_disk(place, 1):
        cli.environment["ZCHAT_CONFIG_DIR"] = str(place)
        cli.ok("context", "set", "a", "user=bob")
        before = (place / "zmq-cli.conf").read_bytes()
        fill(place, 0)
        cli.fails(3, "IO", "context", "set", "b", "user=" + "b" * 30)
        assert (place / "zmq-cli.conf").read_bytes() == before
        assert sorted(os.listdir(place)) == ["junk", "zmq-cli.conf"]


def test_many_changes_at_once_are_all_made(cli):
    threads = [threading.Thread(target=cli.ok, args=("context", "set", f"c{n}", f"user=u{n}")) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(name for name, _ in names(cli)) == [f"c{n}" for n in range(8)]
