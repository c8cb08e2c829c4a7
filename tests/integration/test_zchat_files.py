"""zchat and files in threads; and the classic session, in which all of it comes together."""

import hashlib
import itertools
import os
import random
import re
import subprocess

import pytest

from support.broker import die_with_parent
from zchat_terminal import SCRIPT_S, Person, Terminal

ADMIN_PASSWORD = "open sesame 9"
CHUNK = 256 * 1024
MIB = 1024 * 1024
titles = (f"files-{n}" for n in itertools.count())


@pytest.fixture
def person(town, tmp_path, monkeypatch):
    """Somebody whose device all accounts trust, at work in an empty folder."""
    return at_work(town, tmp_path, monkeypatch)


def at_work(town, tmp_path, monkeypatch):
    person = Person(town.broker, tmp_path / "person", town.keys)
    person.work = tmp_path / "work"
    person.work.mkdir()
    monkeypatch.chdir(person.work)
    return person


@pytest.fixture
def thread(person, town):
    """(title, user): a thread of somebody's."""
    title, user = next(titles), town.name()
    person.script([f"CRT {title}"], user, check=0)
    return title, user


def some_bytes(count):
    return random.Random(count).randbytes(count)


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


# ---- up and down ----


@pytest.mark.parametrize("size, shown", [
    (0, "0 bytes"), (1, "1 byte"), (1023, "1023 bytes"), (CHUNK - 1, "256.0 KiB"),
    (CHUNK, "256.0 KiB"), (CHUNK + 1, "256.0 KiB"), (5 * MIB + 7, "5.0 MiB")])
def test_what_goes_up_comes_down(person, thread, size, shown):
    title, user = thread
    (person.work / "a.bin").write_bytes(some_bytes(size))
    done = person.script([f"file put {title} a.bin", f"file get {title} a.bin -o b.bin",
                          f"file list {title}", f"RDT {title}"], user, check=0)
    lines = done.stdout.splitlines()
    assert lines[:2] == [f"uploaded a.bin ({shown})", "downloaded a.bin to b.bin"]
    assert lines[2].startswith(f"a.bin  {user}  {shown}  2") and lines[3:] == [
        f"{user} uploaded a.bin"]
    assert done.stderr == ""
    assert (person.work / "b.bin").read_bytes() == some_bytes(size)
    assert names_in(person.work) == ["a.bin", "b.bin"]


def test_a_download_goes_into_the_current_folder_under_its_name(person, thread, tmp_path):
    title, user = thread
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "my report.txt").write_text("numbers\n")
    (elsewhere / "sub").mkdir()
    done = person.script([f'UPD {title} "{elsewhere}/my report.txt"',
                          f'DWN {title} "my report.txt"',
                          f'DWN {title} "my report.txt" -o {elsewhere}/sub'], user, check=0)
    assert done.stdout.splitlines() == [
        "uploaded my report.txt (8 bytes)", "downloaded my report.txt to my report.txt",
        f"downloaded my report.txt to {elsewhere}/sub/my report.txt"]
    assert (person.work / "my report.txt").read_text() == "numbers\n"
    assert (elsewhere / "sub" / "my report.txt").read_text() == "numbers\n"


def test_as_gives_an_upload_another_name(person, thread):
    title, user = thread
    (person.work / "a.bin").write_bytes(b"abc")
    done = person.script([f'file put {title} a.bin --as "other name"', f'file get {title} "other name" -o b.bin'], user, check=0)
    assert done.stdout.splitlines() == ["uploaded other name (3 bytes)", "downloaded other name to b.bin"]
    for words in ("--as", "--like x", "x", "--as ../x", "--as /", '--as ""'):
        assert person.script([f"file put {title} a.bin {words}"], user, check=2).stdout == ""


@pytest.mark.parametrize("name, shown", [
    (".hidden", ".hidden"),
    ("日本語.txt", "日本語.txt"), ("a'b", "a'b"), ("~", "~"), ("x" * 128, "x" * 128),
    ('say "hi"', 'say "hi"')])
def test_a_name_is_data(person, thread, tmp_path, name, shown):
    title, user = thread
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / name).write_text(name)
    typed = '"' + name.replace("\\", "\\\\").replace('"', '\\"') + '"'
    path = f'"{elsewhere}/"{typed}'
    done = person.script([f"UPD {title} {path}", f"DWN {title} {typed}"], user, check=0)
    assert done.stdout.splitlines()[-1] == f"downloaded {name} to {shown}"
    assert (person.work / name).read_text() == name
    assert names_in(person.work) == [name]


@pytest.mark.parametrize("name", ["..", ".", "", "../x", "/etc/passwd", "a/../../b"])
def test_a_download_never_leaves_its_folder(person, thread, name):
    title, user = thread
    done = person.script([f'DWN {title} "{name}"'], user, check=2)
    assert "-o PATH" in done.stderr
    assert names_in(person.work) == [] and names_in(person.work.parent) == ["person", "work"]


def test_nothing_is_overwritten_without_force(person, thread):
    title, user = thread
    (person.work / "a.txt").write_text("new\n")
    person.script([f"UPD {title} a.txt"], user, check=0)
    (person.work / "a.txt").write_text("precious\n")
    done = person.script([f"DWN {title} a.txt"], user, check=7)
    assert done.stderr.startswith("zchat: line 1: not downloaded: ")
    assert (person.work / "a.txt").read_text() == "precious\n"
    person.script([f"DWN {title} a.txt --force"], user, check=0)
    assert (person.work / "a.txt").read_text() == "new\n"
    person.script([f"DWN {title} a.txt -o a.txt --force"], user, check=0)


def test_a_stream_is_the_file_alone(person, thread, town):
    title, user = thread
    data = some_bytes(3 * MIB + 5)
    (person.work / "a.bin").write_bytes(data)
    person.script([f"UPD {title} a.bin"], user, check=0)
    done = subprocess.run(person.command(user), input=f"DWN {title} a.bin -o -\n".encode(),
                          capture_output=True, timeout=SCRIPT_S, env=person.environment)
    assert done.returncode == 0 and done.stderr == b""
    assert hashlib.sha256(done.stdout).digest() == hashlib.sha256(data).digest()


def test_nothing_comes_between_the_bytes_of_a_stream(person, thread, town):
    title, user = thread
    friend, data = town.join(), some_bytes(8 * MIB)
    (person.work / "a.bin").write_bytes(data)
    person.script([f"UPD {title} a.bin"], user, check=0)
    script = subprocess.Popen(person.command(user), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                              env=person.environment, preexec_fn=die_with_parent)
    script.stdin.write(f"DWN {title} a.bin -o -\nrecv 1 30\n".encode())
    script.stdin.close()
    first = script.stdout.read(1)
    friend.message(user, "in between")
    rest = script.stdout.read()
    assert script.wait(SCRIPT_S) == 0
    assert first + rest == data + f"{friend.user}: in between\n".encode()


@pytest.mark.parametrize("line, status", [
    ("file put {title} no-such-file", 3),
    ("file put {title} /etc", 3),
    ("file put no-such-thread a.txt", 5),
    ("file put {title} taken.txt", 7),
    ("file get {title} no-such-file", 5),
    ("file get no-such-thread b.txt", 5),
    ("file get {title} taken.txt -o /dev/null/x", 3),
    ("file get {title} taken.txt -o", 2),
    ("file get {title} taken.txt --nonsense", 2),
    ('file get {title} "taken.txt', 2),
    ("file list no-such-thread", 5),
    ("file", 2),
])
def test_a_failure_gives_its_exit_code_and_one_sentence(person, thread, line, status):
    title, user = thread
    (person.work / "a.txt").write_text("a")
    (person.work / "taken.txt").write_text("first")
    person.script([f"UPD {title} taken.txt"], user, check=0)
    (person.work / "taken.txt").write_text("second")
    done = person.script([line.format(title=title), "ping"], user, check=status)
    assert done.stderr.startswith("zchat: line 1: ") and len(done.stderr.splitlines()) == 1
    assert "answered in" in done.stdout
    assert names_in(person.work) == ["a.txt", "taken.txt"]


def test_a_file_that_is_too_large_is_refused(town_factory, tmp_path, monkeypatch):
    town = town_factory("--file-max", "1", accounts=2)
    person, user = at_work(town, tmp_path, monkeypatch), town.name()
    (person.work / "a.bin").write_bytes(b"x" * (MIB + 1))
    (person.work / "b.bin").write_bytes(b"x" * MIB)
    done = person.script(["CRT t", "UPD t a.bin"], user, check=8)
    assert str(MIB) in done.stderr
    person.script(["UPD t b.bin"], user, check=0)


# ---- at a terminal ----


@pytest.fixture
def terminal_of(town):
    """Opens terminals in the person's working folder; all end with the test."""
    opened = []

    def make(person, user):
        command = person.command(user, "--presence", "off", "--timestamps", "off")
        opened.append(Terminal(command, person.environment, columns=80))
        opened[-1].wait_last("zchat>")
        return opened[-1]

    yield make
    for terminal in opened:
        terminal.close()


def test_the_prompt_tells_how_far_it_is_and_chat_goes_on(person, thread, town, terminal_of):
    title, user = thread
    friend = town.join()
    size = 64 * MIB
    with open("large.bin", "wb") as file:
        for _ in range(size // MIB):
            file.write(os.urandom(MIB))
    terminal = terminal_of(person, user)
    terminal.enter(f"file put {title} large.bin")
    terminal.type(f"send {friend.user} meanwhile")
    terminal.wait(lambda: re.search(rb"\[large\.bin [1-9]\d?%\] zchat> ", terminal.raw),
                  "the progress")
    terminal.key("Enter")
    friend.wait_text("meanwhile")
    terminal.wait_for("uploaded large.bin (64.0 MiB)", timeout=60)
    terminal.wait_last("zchat>")
    terminal.type("not yet sent")
    terminal.key("C-a", "C-k")
    terminal.enter(f"file get {title} large.bin -o down.bin")
    terminal.type("half a li")
    terminal.wait_for("downloaded large.bin to down.bin", timeout=60)
    terminal.wait_last("zchat> half a li")
    assert subprocess.run(["cmp", "large.bin", "down.bin"]).returncode == 0


def test_ctrl_c_gives_a_transfer_up_first(person, thread, terminal_of):
    title, user = thread
    with open("large.bin", "wb") as file:
        file.truncate(64 * MIB)
    terminal = terminal_of(person, user)
    terminal.enter(f"file put {title} large.bin")
    terminal.wait(lambda: b"[large.bin " in terminal.raw, "the progress")
    terminal.key("C-c")
    terminal.wait_for("large.bin is given up")
    terminal.wait_last("zchat>")
    terminal.enter(f"file list {title}")
    terminal.wait_for(f"there are no files in {title}")
    (person.work / "large.bin").write_text("small now\n")
    terminal.enter(f"file put {title} large.bin")
    terminal.wait_for("uploaded large.bin (10 bytes)")


def test_one_is_warned_before_leaving_a_transfer(person, thread, terminal_of):
    title, user = thread
    with open("large.bin", "wb") as file:
        file.truncate(64 * MIB)
    terminal = terminal_of(person, user)
    terminal.enter(f"file put {title} large.bin")
    terminal.enter("quit")
    terminal.wait_for("1 file is on the way; quit again to leave anyway")
    terminal.enter("quit")
    terminal.wait_exit(0)
    assert "no files" in person.script([f"file list {title}"], user, check=0).stdout


def test_tab_completes_local_paths(person, thread, terminal_of):
    title, user = thread
    (person.work / "some folder").mkdir()
    (person.work / "some folder" / "report 1.txt").write_text("x")
    (person.work / "notes.txt").write_text("x")
    (person.work / ".hidden").write_text("x")
    terminal = terminal_of(person, user)
    terminal.type(f"UPD {title} no")
    terminal.key("Tab")
    terminal.type("!")
    terminal.wait_last(f"zchat> UPD {title} notes.txt !")
    terminal.key("C-u")
    terminal.type(f"UPD {title} so")
    terminal.key("Tab")
    terminal.wait_last(f'zchat> UPD {title} "some folder/')
    terminal.key("Tab")
    terminal.wait_last(f'zchat> UPD {title} "some folder/report 1.txt"')
    terminal.key("Enter")
    terminal.wait_for("uploaded report 1.txt (1 byte)")
    terminal.type(f"file put {title} ./.h")
    terminal.key("Tab")
    terminal.type("!")
    terminal.wait_last(f"zchat> file put {title} ./.hidden !")


def test_an_upload_is_news(person, thread, town, terminal_of):
    title, user = thread
    other = town.name()
    terminal = terminal_of(person, other)
    terminal.enter(f"thread follow {title}")
    terminal.wait_for("from now on")
    (person.work / "f.pdf").write_text("x")
    person.script([f"UPD {title} f.pdf"], user, check=0)
    terminal.wait_for(f"[{title}] {user} uploaded f.pdf")
    (person.work / "mine.pdf").write_text("x")
    terminal.enter(f"UPD {title} mine.pdf")
    terminal.wait_for("uploaded mine.pdf (1 byte)")
    terminal.enter("ping")
    terminal.wait_for("answered in")
    assert terminal.text().count(f"[{title}]") == 1


# ---- the classic session ----


def test_a_file_is_deleted_and_followers_are_told(person, thread, town, terminal_of):
    title, user = thread
    follower = town.name()
    person.script([f"thread follow {title}"], follower, check=0)
    terminal = terminal_of(person, follower)
    (person.work / "a.bin").write_bytes(b"bytes")
    done = person.script([f"file put {title} a.bin", f"file delete {title} a.bin", f"file list {title}"], user, check=0)
    assert done.stdout.splitlines()[-2:] == [f"deleted a.bin from {title}", f"there are no files in {title}"]
    terminal.wait_match(rf"\[{title}\] {user} deleted the file a\.bin$")
    done = person.script([f"file delete {title} a.bin"], user, check=5)
    assert "not deleted: the thread has no file of that name" in done.stderr
    person.script([f"file put {title} a.bin"], user, check=0)
    assert "only its uploader" in person.script([f"file delete {title} a.bin"], follower, check=6).stderr


def test_the_classic_session(town_factory, tmp_path, monkeypatch):
    secret = tmp_path / "admin-password"
    secret.write_text(ADMIN_PASSWORD + "\n")
    secret.chmod(0o600)
    town = town_factory("--admin-password-file", secret, accounts=3)
    person, yoda = at_work(town, tmp_path, monkeypatch), town.name()
    (person.work / "saber.txt").write_text("green\n")
    session = [
        ("LST", ["no threads to list"]),
        ("CRT 3331", ["thread 3331 created"]),
        ("LST", None),
        ("RDT 3331", ["3331 is empty"]),
        ("MSG 3331 Networks is awesome", ["posted as 1"]),
        ("MSG 3331 Do or do not, there is no try", ["posted as 2"]),
        ("RDT 3331", [f"1 {yoda}: Networks is awesome",
                      f"2 {yoda}: Do or do not, there is no try"]),
        ("EDT 3331 1 Networks are awesome", ["post 1 edited"]),
        ("UPD 3331 saber.txt", ["uploaded saber.txt (6 bytes)"]),
        ("MSG 3331 Much to learn", ["posted as 3"]),
        ("RDT 3331", [f"1 {yoda}: Networks are awesome (edited)",
                      f"2 {yoda}: Do or do not, there is no try",
                      f"{yoda} uploaded saber.txt", f"3 {yoda}: Much to learn"]),
        ("DLT 3331 2", ["post 2 deleted"]),
        ("DWN 3331 saber.txt -o copy.txt", ["downloaded saber.txt to copy.txt"]),
        ("RDT 3331", [f"1 {yoda}: Networks are awesome (edited)",
                      f"{yoda} uploaded saber.txt", f"2 {yoda}: Much to learn"]),
        ("RMV 3331", ["thread 3331 removed"]),
        ("LST", ["no threads to list"]),
        ("XIT", [f"{yoda} is logged out"]),
        (f"login {yoda}", []),
        (f"SHT {ADMIN_PASSWORD}", ["the broker stops",
                                   "the broker: the broker is shutting down"]),
    ]
    done = person.script([line for line, _ in session], yoda, check=0)
    assert done.stderr == ""
    printed = done.stdout.splitlines()
    for line, expected in session:
        if expected is None:
            assert printed.pop(0).startswith(f"3331  {yoda}  0 posts  ")
            continue
        assert printed[:len(expected)] == expected, line
        del printed[:len(expected)]
    assert printed == []
    assert (person.work / "copy.txt").read_text() == "green\n"
    assert town.broker.exits_with() == 0
    town.broker.start()
    assert person.script(["LST"], yoda, check=0).stdout == "no threads to list\n"
