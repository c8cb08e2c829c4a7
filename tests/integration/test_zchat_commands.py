"""zchat: to whom a typed line goes, what of it is kept, and what is said at once."""

import re
import time

import pytest

from zchat_terminal import Person, Terminal

SECRET = "sesame-7-open"


@pytest.fixture
def person(town, tmp_path):
    return Person(town.broker, tmp_path / "person", town.keys)


@pytest.fixture
def open_terminal(person):
    """Starts zchat for an account on the same machine; all end with the test."""
    terminals = []

    def start(user, *options, at=person, columns=100):
        command = at.command(user, "--timestamps", "off", "--presence", "off", *options)
        terminals.append(Terminal(command, at.environment, columns=columns))
        terminals[-1].wait_for(f"you are {user}")
        terminals[-1].wait_last("zchat>")
        return terminals[-1]

    yield start
    for terminal in terminals:
        terminal.close()


def leave(terminal):
    terminal.key("C-u")
    terminal.enter("/quit")
    terminal.wait_exit(0)


def kept(person):
    """All that stands in files of this machine's state folder."""
    return "".join(path.read_text() for path in person.state.rglob("*") if path.is_file())


# ---- to whom a line goes ----


@pytest.mark.parametrize("name", ["msg", "w", "Msg", "mSG", "W", "/msg", "/w"])
def test_what_other_chats_call_a_message_is_never_a_post(person, town, name):
    friend = town.join()
    done = person.script([f"CRT {friend.user}", f"{name} {friend.user} my secret",
                          f"RDT {friend.user}", f"RMV {friend.user}"], town.name(), check=0)
    friend.wait_text("my secret")
    assert "my secret" not in done.stdout


@pytest.mark.parametrize("name", ["query", "/query", "QUERY"])
def test_query_opens_a_conversation_and_sends_nothing(person, town, name):
    friend = town.join()
    person.script([f"{name} {friend.user} hello"], town.name(), check=2)
    person.script([f"{name} {friend.user}", "plain"], town.name(), check=0)
    friend.wait_text("plain")
    assert friend.texts() == ["plain"]


@pytest.mark.parametrize("name", ["crt", "lst", "rdt", "edt", "dlt", "upd", "dwn", "rmv", "xit",
                                  "sht", "Crt", "Rdt", "Sht"])
def test_the_forum_s_names_count_in_upper_case_only(person, town, name):
    done = person.script([f"{name} a b c", "ping"], town.name(), check=2)
    assert f'there is no command "{name}"' in done.stderr and "answered in" in done.stdout


@pytest.mark.parametrize("line", [f"SHT {SECRET}", f" SHT {SECRET}", f"sht {SECRET}",
                                  f"passwd {SECRET}"])
def test_a_password_typed_without_the_slash_is_no_message(open_terminal, person, town, line):
    friend = town.join()
    terminal = open_terminal(town.name())
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    terminal.enter(line)
    terminal.wait_for(f"not sent to {friend.user}: it may tell a password")
    for fine in ("SHT", "passwd", "shutdown at nine", "last"):
        terminal.enter(fine)
    friend.wait_text("last")
    assert friend.texts() == ["SHT", "passwd", "shutdown at nine", "last"]
    leave(terminal)
    assert SECRET not in kept(person)


def test_an_unknown_command_in_a_conversation_is_sent_to_nobody(open_terminal, town):
    friend = town.join()
    terminal = open_terminal(town.name())
    terminal.enter(f"chat {friend.user}")
    terminal.wait_last(f"{friend.user}>")
    for line in ("/mgs bob secret", "/msgbob secret", "/MSGS t secret", "/ what bob"):
        terminal.enter(line)
        name = line.split()[0][1:] or "what"
        terminal.wait_for(f'there is no command "{name}"; ')
    terminal.enter("last")
    friend.wait_text("last")
    assert friend.texts() == ["last"]


def test_a_conversation_with_nobody_is_not_open(open_terminal, town):
    user, away = town.name(), town.name()
    terminal = open_terminal(user)
    for nobody in (town.fresh_name(), "not/a/name", user):
        terminal.enter(f"chat {nobody}")
        terminal.wait_for(f"no conversation with {nobody}: ")
        terminal.wait_last("zchat>")
    terminal.enter(f"chat {away}")
    terminal.enter("/ping")
    terminal.wait_for("answered in")
    terminal.wait_last(f"{away}>")


def test_a_conversation_with_somebody_blocked_stays_open_and_blocked(person, town):
    user, other = town.names(2)
    done = person.script([f"block {other}", f"chat {other}", "/blocked", "/ping"], user, check=0)
    assert other in done.stdout.splitlines()


def test_a_script_s_conversation_with_nobody_fails(person, town):
    done = person.script(["chat no.such.user", "secret"], town.name(), check=5)
    assert "there is no user no.such.user" in done.stderr


# ---- what is kept ----


def test_lines_of_private_chats_are_in_no_file(open_terminal, town, tmp_path):
    alice = Person(town.broker, tmp_path / "alice", town.keys)
    bob = Person(town.broker, tmp_path / "bob", town.keys)
    one, other = town.names(2)
    first, second = open_terminal(one, at=alice), open_terminal(other, at=bob)
    first.enter(f"private start {other}")
    second.wait_for("invites you")
    second.enter("y")
    first.wait_for("is open")
    for line in (f"private {other} secret one", f"private send {other} secret two",
                 f"private chat {other}", "secret three", f"/private {other} secret four"):
        first.enter(line)
        if line.split()[-1] in ("one", "two", "three", "four"):
            second.wait_for(f"secret {line.split()[-1]}")
    first.key("Up", "Up")
    first.wait_last(f"{other}(private)> secret three")
    first.key("C-u")
    first.enter("/close")
    first.wait_last("zchat>")
    first.key("Up", "Up", "Up")
    first.wait_last(f"zchat> private chat {other}")
    leave(first)
    assert "secret" not in kept(alice) and "private chat" in kept(alice)


def test_private_lines_are_kept_if_asked_for(open_terminal, town, person):
    user = town.name()
    terminal = open_terminal(user, "--history", "all")
    terminal.enter("private bob nothing secret")
    terminal.wait_for("no private chat")
    leave(terminal)
    assert "nothing secret" in kept(person)


def test_no_line_is_kept_if_not_asked_for(open_terminal, town, person):
    terminal = open_terminal(town.name(), "--history", "off")
    terminal.enter("help who")
    terminal.wait_for("who is online")
    leave(terminal)
    assert "help" not in kept(person)


def test_each_account_has_a_history_of_its_own(open_terminal, town, person):
    alice, bob = town.names(2)
    friend = town.join()
    terminal = open_terminal(alice)
    terminal.enter(f"send {friend.user} from alice")
    friend.wait_text("from alice")
    terminal.enter("logout")
    terminal.wait_last("[logged out] zchat>")
    terminal.key("Up")
    terminal.enter(f"login {bob}")
    terminal.wait_for(f"you are {bob}")
    terminal.wait_last("zchat>")
    terminal.key("Up")
    terminal.enter("help who")
    terminal.wait_for("who is online")
    leave(terminal)
    (of_alice,), (of_bob,) = person.histories(alice), person.histories(bob)
    assert "from alice" in of_alice.read_text() and "from alice" not in of_bob.read_text()
    assert {path.stat().st_mode & 0o777 for path in person.histories()} == {0o600}
    assert friend.texts() == ["from alice"]


def test_a_line_to_one_person_comes_back_only_in_that_conversation(open_terminal, town):
    user = town.name()
    bob, carol = town.join(), town.join()
    terminal = open_terminal(user)
    for friend, text in ((bob, "for bob"), (carol, "for carol")):
        terminal.enter(f"/chat {friend.user}")
        terminal.enter(text)
        friend.wait_text(text)
    terminal.key("Up", "Up", "Up")
    terminal.wait_last(f"{carol.user}> /chat {bob.user}")
    leave(terminal)
    again = open_terminal(user)
    again.key("Up", "Up")
    again.wait_last(f"zchat> /chat {carol.user}")
    again.key("C-u")
    again.enter(f"chat {bob.user}")
    again.wait_last(f"{bob.user}>")
    again.key("C-r")
    again.type("for ")
    again.wait_match(r"`for '?': for bob")


@pytest.mark.parametrize("line", [f"passwd {SECRET}", f"login bob {SECRET}", f"sht {SECRET}",
                                  f"register {SECRET}", f"Sht {SECRET}", f"/ SHT {SECRET}", SECRET])
def test_a_line_that_may_tell_a_password_is_in_no_file(open_terminal, person, town, line):
    terminal = open_terminal(town.name())
    terminal.enter(line)
    terminal.enter("ping")
    terminal.wait_for("answered in")
    leave(terminal)
    assert SECRET not in kept(person) and "ping" in kept(person)


# ---- what is said at once ----


@pytest.mark.parametrize("line", ["who", "since 60", "thread read t", "thread list", "blocked",
                                  "file list t", "file put t {path}", "send bob hi", "broadcast hi",
                                  "announce hi", "devices", "thread follow t", "private start bob"])
def test_without_a_connection_it_is_said_that_a_command_waits(town_factory, tmp_path, line):
    town = town_factory(accounts=1)
    person = Person(town.broker, tmp_path / "own", town.keys)
    path = tmp_path / "file"
    path.write_text("x")
    command = person.command(town.name(), "--presence", "off")
    with Terminal(command, person.environment, columns=120) as terminal:
        terminal.wait_last("zchat>")
        town.broker.kill()
        terminal.wait_for("connection lost")
        terminal.enter(line.format(path=path))
        terminal.wait_for("no connection; this is sent when it is back")
        assert terminal.text().count("no connection;") == 1


def test_a_broadcast_that_waited_is_not_said_to_reach_nobody(town_factory, tmp_path):
    town = town_factory(accounts=2)
    person = Person(town.broker, tmp_path / "own", town.keys)
    with Terminal(person.command(town.name(), "--presence", "off"), person.environment) as terminal:
        terminal.wait_last("zchat>")
        town.broker.kill()
        terminal.wait_for("connection lost")
        terminal.enter("broadcast hello again")
        town.broker.start(town.broker.port)
        terminal.wait_for("sent to all")
        assert "nobody" not in terminal.text()


def test_a_warning_that_ctrl_c_leaves_is_forgotten(open_terminal, town):
    terminal = open_terminal(town.name())
    terminal.key("C-c")
    terminal.wait_for("another Ctrl-C leaves")
    time.sleep(3.5)  # longer than a second Ctrl-C is taken for the same wish
    terminal.key("C-c")
    terminal.wait(lambda: terminal.text().count("another Ctrl-C leaves") == 2, "the second warning")
    terminal.enter("ping")
    terminal.wait_for("answered in")


def test_where_a_file_exists_force_is_named(person, town, tmp_path, monkeypatch):
    path = tmp_path / "here.txt"
    path.write_text("x")
    user = town.name()
    title = f"files of {user}"
    monkeypatch.chdir(tmp_path)
    done = person.script([f'CRT "{title}"', f'UPD "{title}" {path}', f'DWN "{title}" here.txt'],
                         user, check=7)
    assert "here.txt exists already; --force replaces it" in done.stderr
    person.script([f'DWN "{title}" here.txt --force', f'RMV "{title}"'], user, check=0)


@pytest.mark.parametrize("path", [".", "..", "/", "/tmp/..", "sub/"])
def test_a_file_is_named_like_one(person, town, path):
    user = town.name()
    done = person.script([f"CRT {user}", f"UPD {user} {path}", f"RMV {user}"], user, check=2)
    assert "names no file" in done.stderr and len(done.stderr.splitlines()) == 1


def test_what_hides_a_download_s_progress_is_not_named(person, town, tmp_path):
    path, folder = tmp_path / "x.txt", tmp_path / "closed"
    path.write_text("x")
    user = town.name()
    missing = folder / "x.txt"
    done = person.script([f"CRT {user}", f"UPD {user} {path}", f"DWN {user} x.txt -o {missing}",
                          f"RMV {user}"], user, check=3)
    assert str(missing) in done.stderr and ".part" not in done.stderr


def test_the_names_of_the_help_are_those_that_count(person, town):
    shown = person.script(["help all"], town.name(), check=0).stdout
    for name in re.findall(r"\(([A-Z]+)\)$", shown, re.M):
        assert "no command" not in person.script([name], town.name()).stderr
