"""zchatd user: the accounts of a store, with and without a broker at work."""

import json
import socket
import stat

import pexpect
import pytest

from support.broker import program, run
from support.client import Client, CommandError, Keys
from support.patience import WAIT_S
from zmq_cli import assert_help_in_one_voice, assert_one_voice

ZCHATD = program("zchatd")
KEY = "a1" * 32


@pytest.fixture
def user(tmp_path):
    """Runs `zchatd user WORDS...` on a data folder of the test."""

    def call(*words, **options):
        create = ["--create"] if words and words[0] in ("add", "import") else []
        done = run([ZCHATD, "user", *words, *create, "--data", tmp_path / "data"], **options)
        assert_one_voice(done.stderr)
        return done

    call.data = tmp_path / "data"
    return call


@pytest.fixture
def password_file(tmp_path):
    path = tmp_path / "password"
    path.write_text("open sesame\n")
    path.chmod(0o600)
    return path


def listed(user):
    """The accounts as `list --json` prints them, by name."""
    lines = user("list", "--json", check=0).stdout.splitlines()
    return {account["user"]: account for account in map(json.loads, lines)}


def test_the_help_names_every_verb_and_speaks_as_the_other_programs_do(user):
    out = user("--help", check=0).stdout
    for verb in ("add", "import", "lock", "unlock", "admin", "passwd", "list"):
        assert f"\n  {verb}" in out
    assert_help_in_one_voice(out)


def test_an_account_with_a_key_alone_has_no_password(user):
    added = user("add", "Yoda", "--device-key", KEY, check=0).stdout
    assert added == f"added yoda in the store {user.data}/zchat.db\n"
    yoda = listed(user)["yoda"]
    assert (yoda["password"], yoda["admin"], yoda["locked"]) == (False, False, False)
    assert yoda["last_seen"] is None and yoda["created"].endswith("Z")


def test_a_key_may_be_z85_too(user):
    user("add", "yoda", "--device-key", "rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7", check=0)


def test_a_key_may_begin_like_an_option(user):
    user("add", "yoda", "--device-key", "--F?@v<TEtYYE%RqZkXq=p:^B96geOR2z}w@p.pf", check=0)
    user("add", "luke", "--device-key=--F?@v<TEtYYE%RqZkXq=p:^B96geOR2z}w@p.pf", check=0)


def test_an_account_with_a_password_file_has_a_password(user, password_file):
    user("add", "luke", "--admin", "--password-file", password_file, check=0)
    luke = listed(user)["luke"]
    assert luke["password"] and luke["admin"]


def test_the_store_and_its_folder_are_their_owners_alone_and_hold_no_password(user, password_file):
    user("add", "luke", "--password-file", password_file, check=0)
    assert stat.S_IMODE(user.data.stat().st_mode) == 0o700
    for path in user.data.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
        assert b"open sesame" not in path.read_bytes()


def test_the_data_folder_may_stand_before_after_or_in_a_file(user, tmp_path):
    user("add", "yoda", "--device-key", KEY, check=0)
    config = tmp_path / "c"
    config.write_text(f'data = "{user.data}"\n')
    expected = user("list", check=0).stdout
    assert "yoda" in expected
    for words in (["--data", user.data, "user", "list"], ["user", f"--data={user.data}", "list"],
                  ["user", "list", "--config", config], ["--config", config, "user", "list"]):
        assert run([ZCHATD, *words], check=0).stdout == expected


def test_a_name_that_exists_is_7_in_any_case_of_letters(user):
    user("add", "yoda", "--device-key", KEY, check=0)
    assert "yoda exists already" in user("add", "YODA", "--device-key", KEY, check=7).stderr


@pytest.mark.parametrize("name", ["", "a b", "a" * 33, "jürgen", "a/b", "a\x1b[31mb"])
def test_an_invalid_name_is_refused_with_the_rule(user, name):
    done = user("add", name, "--device-key", KEY, check=2)
    assert "\x1b" not in done.stderr
    assert name == "" or "1 to 32 of a-z, 0-9" in done.stderr
    assert not user.data.exists()


@pytest.mark.parametrize("words", [
    [], ["frob"], ["add"], ["add", "a", "b"], ["add", "yoda", "--device-key", "short"],
    ["add", "yoda", "--device-key"], ["add", "yoda", "--device-key", "--admin"],
    ["add", "yoda", "--password", "x"], ["list", "--admin"],
    ["list", "x"], ["add", "-"], ["add", "-", "--device-key", KEY, "--password-file", "/dev/null"],
    ["lock"], ["passwd", "yoda", "--device-key", KEY], ["add", "yoda", "--admin=yes"],
    ["lock", "yoda", "--create"], ["add", "yoda", "--revoke"], ["admin"],
])
def test_wrong_usage_is_2(user, words):
    assert user(*words, check=2).stderr.startswith("zchatd user: ")


@pytest.mark.parametrize("words", [["lock"], ["unlock"], ["passwd"], ["admin"], ["admin", "--revoke"]])
def test_an_unknown_account_is_5(user, words):
    user("add", "yoda", "--device-key", KEY, check=0)
    assert "there is no account luke" in user(*words, "luke", check=5).stderr


@pytest.mark.parametrize("words", [["list"], ["lock", "yoda"], ["passwd", "yoda"], ["admin", "yoda"], ["unlock", "yoda"],
                                   ["add", "yoda", "--device-key", KEY], ["add", "-", "--device-key", KEY],
                                   ["import", "/dev/null"]])
@pytest.mark.parametrize("folder", ["missing", "empty"])
def test_without_create_no_store_is_made_and_the_folder_is_named(tmp_path, words, folder):
    data = tmp_path / folder
    if folder == "empty":
        data.mkdir()
    done = run([ZCHATD, "user", *words, "--data", folder], check=3, cwd=tmp_path)
    assert f"there is no store in {data}" in done.stderr and "--data" in done.stderr
    assert ("--create" in done.stderr) == (words[0] in ("add", "import"))
    assert done.stdout == ""
    assert not data.exists() or list(data.iterdir()) == []


def test_every_answer_names_the_store(tmp_path):
    (tmp_path / "p").write_text("open sesame\n")
    (tmp_path / "c").write_text("luke secret\n")
    for words in (["add", "yoda", "--device-key", KEY, "--create"], ["lock", "yoda"], ["unlock", "yoda"], ["list"],
                  ["passwd", "yoda", "--password-file", "p"], ["admin", "yoda"], ["admin", "yoda", "--revoke"],
                  ["import", "c"], ["add", "-", "--device-key", KEY]):
        done = run([ZCHATD, "user", *words, "--data", "data"], check=0, cwd=tmp_path)
        assert f"{tmp_path}/data/zchat.db" in done.stdout + done.stderr, words
    assert "there is no account han in the store" in run(
        [ZCHATD, "user", "lock", "han", "--data", "data"], check=5, cwd=tmp_path).stderr


def test_a_store_that_cannot_be_opened_is_3(user, tmp_path):
    user.data.mkdir()
    (user.data / "zchat.db").write_text("this is no database, but quite some text\n" * 100)
    assert user("list", check=3).stderr.startswith("zchatd user: ")
    (tmp_path / "file").write_text("")
    run([ZCHATD, "user", "add", "x", "--device-key", KEY, "--data", tmp_path / "file"], check=3)


# ---- beside a broker ----

@pytest.fixture
def asked(broker):
    """Runs `zchatd user WORDS...` beside the test's broker, which must be the one that does it."""

    def call(*words, **options):
        done = run([ZCHATD, "user", *words, "--data", broker.data], check=0, **options)
        assert f"which process {broker.pid} serves" in done.stdout
        return done

    return call


def joined(broker, user, keys, **login):
    client = Client(broker.address, keys=keys)
    client.login(user, **login)
    return client


def test_lock_ends_the_open_sessions_at_once(broker, asked):
    keys, others = Keys(), Keys()
    broker.add_user("luke", device_key=keys.public)
    broker.add_user("han", device_key=others.public)
    luke, script, han = joined(broker, "luke", keys), joined(broker, "luke", keys, online=False), joined(broker, "han", others)
    assert "ended 2 sessions" in asked("lock", "luke").stdout
    for client in (luke, script):
        assert "locked by an administrator" in client.wait_ended().text
        with pytest.raises(CommandError, match="AUTH"):
            client.call("who")
        with pytest.raises(CommandError, match="AUTH.*locked by an administrator"):
            client.login("luke")
    assert han.who() == []
    asked("unlock", "luke")
    luke.login("luke")
    for client in (luke, script, han):
        client.close()


def test_a_new_password_ends_the_open_sessions_and_a_lock(broker, asked):
    broker.add_user("luke", password="old")
    client = Client(broker.address)
    client.login("luke", "old")
    with Client(broker.address) as guesser:
        for _ in range(3):
            with pytest.raises(CommandError, match="AUTH"):
                guesser.login("luke", "wrong")
    asked("passwd", "luke", "--password-file", broker.password_file("new"))
    assert "password" in client.wait_ended().text
    with pytest.raises(CommandError, match="AUTH: wrong"):
        client.login("luke", "old")
    client.login("luke", "new")
    client.close()


def test_the_right_of_an_administrator_comes_and_goes_with_sessions_open(broker, asked):
    keys = Keys()
    broker.add_user("luke", device_key=keys.public)
    client = joined(broker, "luke", keys)
    with pytest.raises(CommandError, match="FORBIDDEN"):
        client.call("shutdown")
    asked("admin", "luke")
    asked("admin", "luke", "--revoke")
    with pytest.raises(CommandError, match="FORBIDDEN"):
        client.call("shutdown")
    asked("admin", "luke")
    client.call("shutdown")
    assert broker.exits_with() == 0
    client.close()


def test_many_accounts_are_added_beside_a_broker(broker, tmp_path):
    keys = Keys()
    broker.add_users([f"user.{n:04}" for n in range(1000)], keys.public)
    joined(broker, "user.0999", keys).close()
    (tmp_path / "c").write_text("luke open sesame\nuser.0000 x\n")
    done = run([ZCHATD, "user", "import", tmp_path / "c", "--data", broker.data], check=0)
    assert done.stdout.startswith("1 added, 1 existed already, 0 bad lines, ")
    with Client(broker.address) as client:
        client.login("luke", "open sesame")


def test_who_asks_for_nonsense_is_not_answered_and_others_are(broker, asked):
    keys = Keys()
    broker.add_user("luke", device_key=keys.public)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as stranger:
        stranger.settimeout(WAIT_S)
        stranger.connect(str(broker.data / "control"))
        stranger.send(b"nonsense")
        assert stranger.recv(100) == b""
    asked("lock", "luke")


def test_the_socket_is_its_owners_alone_and_goes_with_the_broker(broker):
    path = broker.data / "control"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    broker.stop()
    assert not path.exists()


def test_a_broker_that_was_killed_is_not_asked(broker_factory):
    broker = broker_factory()
    broker.add_user("luke", device_key=KEY)
    broker.kill()
    done = run([ZCHATD, "user", "lock", "luke", "--data", broker.data], check=0)
    assert "process" not in done.stdout
    broker.start()
    assert "which process" in run([ZCHATD, "user", "unlock", "luke", "--data", broker.data], check=0).stdout


@pytest.mark.parametrize("gone", [["control"], ["control", "lock"]])
@pytest.mark.parametrize("words", [["lock", "luke"], ["add", "leia", "--device-key", KEY]])
def test_beside_a_broker_that_cannot_be_asked_nothing_is_written(broker, gone, words):
    broker.add_user("luke", device_key=KEY)
    for name in gone:
        (broker.data / name).unlink()
    done = run([ZCHATD, "user", *words, "--data", broker.data], check=3)
    assert "can't be asked" in done.stderr and done.stdout == ""
    assert ("lock" in gone) or f"process {broker.pid}" in done.stderr
    accounts = run([ZCHATD, "user", "list", "--data", broker.data], check=0).stdout
    assert "luke" in accounts and "locked" not in accounts and "leia" not in accounts


@pytest.mark.parametrize("words", [["lock", "luke"], ["add", "leia", "--device-key", KEY], ["import", "-"],
                                   ["add", "-", "--device-key", KEY]])
def test_a_store_that_a_broker_serves_by_another_name_is_left_alone(broker, tmp_path, words):
    broker.add_user("luke", device_key=KEY)
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    (other / "zchat.db").hardlink_to(broker.data / "zchat.db")
    done = run([ZCHATD, "user", *words, "--data", other], check=3, stdin="leia secret\n")
    assert "can't be asked" in done.stderr and done.stdout == ""
    assert [path.name for path in other.iterdir()] == ["zchat.db"]


def test_a_data_folder_of_a_long_name_has_the_socket_too(broker_factory, tmp_path):
    broker = broker_factory(start=False)
    broker.data = tmp_path / ("long." * 30)
    broker.start()
    broker.add_user("luke", device_key=KEY)
    assert "which process" in run([ZCHATD, "user", "lock", "luke", "--data", broker.data], check=0).stdout


def test_a_second_broker_on_the_same_data_is_refused_and_the_first_named(broker):
    second = run([ZCHATD, "--bind", "127.0.0.1", "--port", "0", "--data", broker.data], check=3)
    assert f"in use by process {broker.pid} " in second.stderr


def test_lock_and_unlock_show_in_the_list(user):
    user("add", "yoda", "--device-key", KEY, check=0)
    user("lock", "Yoda", check=0)
    assert listed(user)["yoda"]["locked"]
    user("unlock", "yoda", check=0)
    assert not listed(user)["yoda"]["locked"]


def test_ten_thousand_accounts_are_made_from_stdin(user):
    names = "".join(f"user.{n:05}\n" for n in range(10000))
    done = user("add", "-", "--device-key", KEY, stdin=names, check=0)
    assert done.stdout.startswith("10000 added, 0 existed already, 0 bad lines, in the store ")
    assert len(listed(user)) == 10000


def test_bad_lines_of_stdin_are_named_and_the_others_added(user):
    done = user("add", "-", "--device-key", KEY, stdin="one\nt w o\none\nthree", check=1)
    assert done.stdout.startswith("2 added, 1 existed already, 1 bad lines, ")
    assert 'line 2: "t w o" is no name' in done.stderr
    assert "line 3: one exists already" in done.stderr
    assert set(listed(user)) == {"one", "three"}


def test_import_adds_names_with_passwords_and_leaves_those_that_exist(user, tmp_path):
    user("add", "yoda", "--device-key", KEY, check=0)
    file = tmp_path / "credentials.txt"
    file.write_text("# name password\nluke open sesame\n\nYoda x\nhan\tsolo\r\n")
    done = user("import", file, check=0)
    assert done.stdout.startswith("2 added, 1 existed already, 0 bad lines, ")
    assert "line 4: yoda exists already" in done.stderr and "sesame" not in done.stderr
    accounts = listed(user)
    assert accounts["luke"]["password"] and accounts["han"]["password"]
    assert not accounts["yoda"]["password"]


def test_import_names_bad_lines_without_their_passwords(user, tmp_path):
    file = tmp_path / "credentials.txt"
    file.write_bytes(b"l@ke topsecret\nalone\nhan \nleia \xff\nchewie " + b"x" * 1025
                     + b"\nr2d2 " + b"x" * 5000 + b"\nnul to\0psecret\nlando fine\n")
    done = user("import", file, check=1)
    assert done.stdout.startswith("1 added, 0 existed already, 7 bad lines, ")
    for number in range(1, 8):
        assert f"line {number}: " in done.stderr
    assert "secret" not in done.stderr and "xxx" not in done.stderr
    assert set(listed(user)) == {"lando"}


def test_import_takes_a_file_of_another_editor(user, tmp_path):
    """A byte order mark, CRLF, and lines of blanks."""
    file = tmp_path / "credentials.txt"
    file.write_bytes(b"\xef\xbb\xbfluke open sesame\r\n  \r\n\t\nhan solo\r\n")
    assert "2 added, 0 existed already, 0 bad lines" in user("import", file, check=0).stdout
    assert set(listed(user)) == {"luke", "han"}


@pytest.mark.parametrize("text", [b"\xef\xbb\xbfopen sesame\r\n", b"open sesame\r", b"open sesame"])
def test_a_password_file_of_another_editor_holds_the_same_password(broker, tmp_path, text):
    path = tmp_path / "p"
    path.write_bytes(text)
    run([ZCHATD, "user", "add", "luke", "--password-file", path, "--data", broker.data], check=0)
    client = Client(broker.address)
    client.login("luke", "open sesame")
    client.close()


@pytest.mark.parametrize("text, why", [
    (b"a\0b\n", "NUL"), (b"\n", "empty"), (b"\xef\xbb\xbf\r\n", "empty"), (b"\xff\xfea\0", "NUL"), (b"\xff\n", "UTF-8"),
])
def test_a_password_file_without_a_password_adds_nothing(user, tmp_path, text, why):
    path = tmp_path / "p"
    path.write_bytes(text)
    assert why in user("add", "luke", "--password-file", path, check=2).stderr
    assert listed(user) == {}


def test_a_file_that_cannot_be_read_is_3(user, tmp_path):
    assert "can't be read" in user("import", "/nonexistent", check=3).stderr
    for path in ("/nonexistent", tmp_path):
        assert "can't be read" in user("add", "luke", "--password-file", path, check=3).stderr


def test_import_of_a_folder_says_that_it_is_one(user, tmp_path):
    done = user("import", tmp_path, check=3)
    assert f"{tmp_path} can't be read: Is a directory" in done.stderr and "line" not in done.stderr


def test_import_reads_stdin(user):
    assert user("import", "-", stdin="luke open sesame\n", check=0).stdout.startswith("1 added, ")
    assert listed(user)["luke"]["password"]


def test_without_a_terminal_a_password_needs_a_file(user):
    assert "--password-file" in user("add", "luke", check=2).stderr


def terminal(user, *words):
    words = [ZCHATD, "user", *words, *(["--create"] if words[0] == "add" else []), "--data", str(user.data)]
    return pexpect.spawn(words[0], words[1:], timeout=WAIT_S, encoding="utf-8")


def ended(child):
    """All it printed since the last match, and its exit status."""
    child.expect(pexpect.EOF)
    child.close()
    return child.before, child.exitstatus


def test_a_password_is_asked_for_twice_and_never_shown(user):
    child = terminal(user, "add", "luke")
    child.expect("Password for luke: ")
    child.sendline("open sesame")
    child.expect("Again, for luke: ")
    shown = child.before
    child.sendline("open sesame")
    rest, status = ended(child)
    assert status == 0 and "added luke" in rest
    assert "sesame" not in shown + rest
    assert listed(user)["luke"]["password"]


@pytest.mark.parametrize("first, second, sentence", [
    ("one", "two", "the two passwords differ"), ("", None, "the password is empty"),
    ("x" * 1025, None, "the password is too long"), ("\x04", None, "no password was given"),
])
def test_a_password_that_will_not_do_adds_nothing(user, first, second, sentence):
    child = terminal(user, "add", "luke")
    child.expect("Password for luke: ")
    child.send(first if first == "\x04" else first + "\n")
    if second is not None:
        child.expect("Again, for luke: ")
        child.sendline(second)
    rest, status = ended(child)
    assert status == 2 and sentence in rest
    assert listed(user) == {}


def test_passwd_changes_a_password_asked_for(user):
    user("add", "luke", "--device-key", KEY, check=0)
    child = terminal(user, "passwd", "luke")
    for question in ("Password for luke: ", "Again, for luke: "):
        child.expect(question)
        child.sendline("open sesame")
    rest, status = ended(child)
    assert status == 0 and "changed the password of luke" in rest
    assert listed(user)["luke"]["password"]


def test_an_interrupt_at_the_question_ends_it_and_the_echo_is_back(user):
    script = f"trap : INT; '{ZCHATD}' user add luke --create --data '{user.data}'; echo status=$?; stty -a"
    child = pexpect.spawn("/bin/bash", ["-c", script], timeout=WAIT_S, encoding="utf-8")
    child.expect("Password for luke: ")
    child.sendintr()
    rest, _ = ended(child)
    assert "status=130" in rest
    assert " echo " in rest and " -echo " not in rest
