"""zmq-cli: transfers of files that break off, seen through their bars, and go on."""

import hashlib
import os
import signal
import subprocess
import threading
import time

import pexpect
import pytest

from files import BAR, CHUNK, LARGE, files, noise, spawn, status_of, wait_bar
from support.ids import new_id
from zmq_cli import CALL_S


def test_the_bar_at_a_terminal_tells_bytes_share_and_rate(alice, title, source, here):
    alice.options = []
    terminal = spawn(alice, "file", "put", title, str(source(noise(LARGE))))
    assert wait_bar(terminal, 64) < 64
    assert terminal.match.group(1) == "100" and terminal.match.group(3) == "64.0"
    terminal.expect_exact("\r\nuploaded source (67108864 bytes)\r\n")
    assert status_of(terminal) == 0
    terminal = spawn(alice, "-q", "file", "get", title, "source")
    terminal.expect_exact("downloaded source")
    assert not BAR.search(terminal.before)
    assert status_of(terminal) == 0


@pytest.fixture
def own(town_factory, script):
    """A broker of one's own that may be killed, and somebody there with a thread "t"."""
    town = town_factory(accounts=1)
    cli = script(its=town)
    cli.ok("thread", "create", "t")
    return town.broker, cli


def is_whole(cli, here, content):
    cli.ok("file", "get", "t", "source", "-o", "check")
    whole = (here / "check").read_bytes() == content
    (here / "check").unlink()
    return whole


def test_an_upload_goes_on_after_a_kill_of_the_client(own, source, here):
    _, cli = own
    content = noise(LARGE)
    path = str(source(content))
    terminal = spawn(cli, "file", "put", "t", path)
    wait_bar(terminal, 0.5)
    terminal.kill(signal.SIGKILL)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert cli.ok("file", "list", "t").lines == []
    terminal = spawn(cli, "file", "put", "t", path)
    assert wait_bar(terminal, 64) >= 0.5
    assert status_of(terminal) == 0
    assert is_whole(cli, here, content)


def test_an_upload_is_remembered_by_the_name_that_earlier_versions_gave_it(own, source, tmp_path):
    """So one that they began goes on, whatever files are hashed with now."""
    _, cli = own
    terminal = spawn(cli, "file", "put", "t", str(source(noise(LARGE))))
    wait_bar(terminal, 0.5)
    terminal.kill(signal.SIGKILL)
    terminal.expect(pexpect.EOF)
    terminal.close()
    record, = tmp_path.glob("config-*/uploads/*")
    told = dict(line.split(" ", 1) for line in record.read_text().splitlines())
    parts = "".join(told[key] + "\0" for key in ("broker", "user", "thread", "file"))
    assert record.name == hashlib.blake2b(parts.encode(), digest_size=32).hexdigest()[:32]


def test_a_download_goes_on_after_a_kill_of_the_client(own, source, here):
    _, cli = own
    content = noise(LARGE)
    cli.ok("file", "put", "t", source(content))
    terminal = spawn(cli, "file", "get", "t", "source")
    wait_bar(terminal, 0.5)
    terminal.kill(signal.SIGKILL)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert not (here / "source").exists()
    terminal = spawn(cli, "file", "get", "t", "source")
    assert wait_bar(terminal, 64) >= 0.25
    assert status_of(terminal) == 0
    assert (here / "source").read_bytes() == content
    assert files(here) == ["source"]


@pytest.mark.parametrize("verb", ["put", "get"])
def test_an_interrupt_is_exit_130_and_the_same_call_goes_on(own, source, here, verb):
    _, cli = own
    content = noise(LARGE)
    path = source(content)
    words = ["file", "put", "t", str(path)]
    if verb == "get":
        cli.ok(*words)
        words = ["file", "get", "t", "source"]
    terminal = spawn(cli, *words)
    wait_bar(terminal, 0.5)
    terminal.kill(signal.SIGINT)
    assert status_of(terminal) == 130
    terminal = spawn(cli, *words)
    assert wait_bar(terminal, 64) >= 0.25
    assert status_of(terminal) == 0
    assert is_whole(cli, here, content)


@pytest.mark.parametrize("verb", ["put", "get"])
def test_a_transfer_goes_on_over_a_kill_of_the_broker(own, source, here, verb):
    """Within the same call, which says what happened."""
    broker, cli = own
    content = noise(LARGE)
    words = ["file", "put", "t", str(source(content)), "--timeout", "60"]
    if verb == "get":
        cli.ok(*words)
        words = ["file", "get", "t", "source", "--timeout", "60"]
    terminal = spawn(cli, *words)
    wait_bar(terminal, 0.5)
    broker.kill()
    broker.start()
    terminal.expect_exact("lost the broker")
    terminal.expect_exact("the broker is back")
    assert wait_bar(terminal, 64) >= 0.25
    assert status_of(terminal) == 0
    assert is_whole(cli, here, content)


@pytest.mark.usefixtures("default_timeout")
@pytest.mark.parametrize("verb", ["put", "get"])
def test_a_broker_that_stays_away_is_exit_3_and_the_same_call_goes_on_later(own, source, here, verb):
    broker, cli = own
    content = noise(LARGE)
    words = ["file", "put", "t", str(source(content))]
    if verb == "get":
        cli.ok(*words)
        words = ["file", "get", "t", "source"]
    terminal = spawn(cli, *words)
    wait_bar(terminal, 0.5)
    broker.kill()
    terminal.expect_exact("goes on where this one ended")
    assert status_of(terminal) == 3
    broker.start()
    terminal = spawn(cli, *words, "--timeout", "60")
    assert wait_bar(terminal, 64) >= 0.25
    assert status_of(terminal) == 0
    assert is_whole(cli, here, content)


@pytest.mark.usefixtures("default_timeout")
@pytest.mark.parametrize("words, sentence", [
    ([], "did not answer within 5 s"), (["--timeout", "3"], "was not whole within --timeout, 3 s")])
def test_silence_ends_an_upload(own, source, words, sentence):
    broker, cli = own
    terminal = spawn(cli, "file", "put", "t", str(source(noise(LARGE))), *words)
    wait_bar(terminal, 0.5)
    os.kill(broker.pid, signal.SIGSTOP)
    try:
        began = time.monotonic()
        terminal.expect_exact(sentence)
        assert status_of(terminal) == 124
        assert time.monotonic() - began < 20
    finally:
        os.kill(broker.pid, signal.SIGCONT)


def read_slowly(process, pause_s):
    """Ten MiB, two at a time."""
    got, pause = b"", threading.Event()
    while part := process.stdout.read(8 * CHUNK):
        got += part
        pause.wait(pause_s)
    status, err = process.wait(CALL_S), process.stderr.read().decode()
    process.stdout.close()
    process.stderr.close()
    return status, got, err


@pytest.mark.usefixtures("default_timeout")
def test_a_transfer_that_moves_takes_its_time_where_no_timeout_is_given(alice, title, source):
    """The reader is slow: all together takes longer than the default of 5 s."""
    content = noise(40 * CHUNK)
    alice.ok("file", "put", title, source(content))
    process = subprocess.Popen(alice.command(["file", "get", title, "source", "-o", "-"]),
                               env=alice.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    began = time.monotonic()
    status, got, err = read_slowly(process, 1.4)
    assert status == 0, err
    assert got == content and time.monotonic() - began > 6


def given(cli, how, seconds):
    """Gives --timeout in one of four ways: the words of the call, and the environment of it."""
    if how in ("context", "file"):
        section = "[context slow]\n" if how == "context" else ""
        (cli.folder / "zmq-cli.conf").write_text(f"{section}timeout = {seconds}\n")
    words = {"flag": ["--timeout", str(seconds)], "context": ["--context", "slow"]}
    more = {"ZCHAT_TIMEOUT": str(seconds)} if how == "environment" else {}
    return words.get(how, []), dict(cli.environment, **more)


@pytest.mark.usefixtures("default_timeout")
@pytest.mark.parametrize("how", ["flag", "environment", "context", "file"])
def test_a_timeout_that_is_given_bounds_a_transfer_that_moves(alice, title, source, how):
    alice.ok("file", "put", title, source(noise(40 * CHUNK)))
    words, environment = given(alice, how, 3)
    process = subprocess.Popen(alice.command([*words, "file", "get", title, "source", "-o", "-"]),
                               env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    status, _, err = read_slowly(process, 1)
    assert status == 124 and "was not whole within --timeout, 3 s" in err


def test_a_broken_upload_of_a_changed_file_begins_anew(own, source, here):
    _, cli = own
    path = source(noise(LARGE))
    terminal = spawn(cli, "file", "put", "t", str(path))
    wait_bar(terminal, 0.5)
    terminal.kill(signal.SIGKILL)
    terminal.expect(pexpect.EOF)
    terminal.close()
    content = bytes(reversed(noise(CHUNK + 5)))
    path.write_bytes(content)
    cli.ok("file", "put", "t", str(path))
    assert is_whole(cli, here, content)


def test_an_interrupt_ends_a_download_whose_reader_stands_still(alice, title, source):
    alice.ok("file", "put", title, source(noise(8 * CHUNK)))
    process = subprocess.Popen(alice.command(["file", "get", title, "source", "-o", "-"]),
                               env=alice.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdout.read(1)
    process.send_signal(signal.SIGINT)
    assert process.wait(10) == 130
    process.stdout.close()
    process.stderr.close()


def test_a_list_of_more_files_than_a_page_holds_is_whole(town, alice, title):
    """1,100 files with long names: three pages, one list."""
    uploader = town.join()
    names = [f"{n:05} " + "n" * 110 for n in range(1100)]
    nothing = hashlib.blake2b(b"", digest_size=64).digest()
    for start in range(0, len(names), 50):
        some = [(new_id(), name) for name in names[start:start + 50]]
        uploader.batch([("begin_upload", dict(id=one, thread=title, file=name, size=0)) for one, name in some])
        uploader.batch([("put_chunk", dict(id=one, digest=nothing)) for one, _ in some])
    assert [line["file"] for line in alice.ok("file", "list", title).lines] == names
