"""zmq-cli: what COMMANDS.md says about files in threads."""

import hashlib
import os
import stat
import subprocess

import pytest

from files import CHUNK, LARGE, files, name_of, noise
from zmq_cli import RFC3339, UUID7, end

from support.patience import WAIT_S

NAMES = ["a-b", "credentials.txt", "x" * 128, "\N{PILE OF POO}" * 32, "שלום.txt",
         "it's \"quoted\"", "*?[a-z]$(id);|&", "a b  c", "%s%n", ".hidden", "C:\\x"]
NO_NAMES = ["../x", "..", ".", "...", "-rf", "--help", "a/b", "/etc/passwd", " ", "x" * 129, "a\nb", "\x1b[31mred",
            "\N{RIGHT-TO-LEFT OVERRIDE}x", "\N{ZERO WIDTH SPACE}"]


# Up and down.

@pytest.mark.parametrize("size", [0, 1, CHUNK - 1, CHUNK, CHUNK + 1, 5 * CHUNK + 17, LARGE])
def test_what_goes_up_comes_down(alice, bob, title, here, source, size):
    content = noise(size)
    put = alice.ok("file", "put", title, source(content), "--name", "data").one
    assert put["user"] == name_of(alice) and put["file"] == "data" and put["size"] == str(size)
    assert put["hash"] == hashlib.blake2b(content, digest_size=64).hexdigest()
    assert UUID7.match(put["id"]) and RFC3339.match(put["time"])
    assert bob.ok("file", "list", title).lines == [put]
    assert bob.ok("file", "get", title, "data").one == dict(put, path="data")
    assert (here / "data").read_bytes() == content
    assert files(here) == ["data"]


def test_uploads_stand_among_the_posts_without_a_number(alice, title, source):
    alice.ok("thread", "post", title, "before")
    put = alice.ok("file", "put", title, source(b"abc", "a.txt")).one
    alice.ok("thread", "post", title, "after")
    lines = alice.ok("thread", "read", title).lines
    assert [line.get("number") for line in lines] == ["1", None, "2"]
    assert lines[1] == put
    [thread] = [thread for thread in alice.ok("thread", "list").lines if thread["thread"] == title]
    assert (thread["posts"], thread["uploads"], thread["last"]) == ("2", "1", lines[2]["time"])


def test_in_words(alice, title, here, source):
    alice.options = []
    assert alice.ok("file", "list", title).out == ""
    assert alice.ok("UPD", title, source(b"abc", "a.txt")).out == "uploaded a.txt (3 bytes)\n"
    assert alice.ok("dwn", title, "a.txt").out == "downloaded a.txt (3 bytes)\n"
    assert alice.ok("thread", "read", title).out == f"{name_of(alice)} uploaded a.txt (3 bytes)\n"
    time, size, unit, user, name = alice.ok("file", "list", title).out.split()
    assert (size, unit, user, name) == ("3", "bytes", name_of(alice), "a.txt") and time.endswith("Z")


def test_nothing_on_stderr_without_a_terminal(alice, title, here, source):
    assert alice.ok("file", "put", title, source(noise(3 * CHUNK))).err == ""
    assert alice.ok("file", "get", title, "source").err == ""


# Names and places.

@pytest.mark.parametrize("name", NAMES)
def test_a_name_is_data(alice, title, here, source, name):
    alice.ok("file", "put", "--name", name, title, source(b"its bytes"))
    assert [entry["file"] for entry in alice.ok("file", "list", title).lines] == [name]
    done = alice.ok("file", "get", "--", title, name)
    assert done.one["path"] == name
    assert files(here) == [name]
    assert (here / name).read_bytes() == b"its bytes"


def test_a_name_is_the_last_part_of_the_path_unless_given(alice, title, source, here):
    assert alice.ok("file", "put", title, source(b"1", "one.txt")).one["file"] == "one.txt"
    (here / "-two").write_bytes(b"2")
    for name in ["-two", "./-two"]:
        alice.fails(2, "INVALID", "file", "put", "--", title, name)
    assert alice.ok("file", "put", "--name", "two", "--", title, "-two").one["file"] == "two"
    assert alice.ok("file", "put", "--as", "deux", "--", title, "-two").one["file"] == "deux"


# From standard input.

@pytest.mark.parametrize("size", [0, 1, CHUNK + 1, LARGE])
def test_standard_input_goes_up_under_the_name_that_as_gives_it(alice, bob, title, here, size):
    content = noise(size)
    put = alice.ok("file", "put", title, "-", "--as", "data", stdin=content).one
    assert put["file"] == "data" and put["size"] == str(size)
    assert put["hash"] == hashlib.blake2b(content, digest_size=64).hexdigest()
    bob.ok("file", "get", title, "data", "-o", here)
    assert (here / "data").read_bytes() == content


def test_standard_input_needs_a_name_and_a_dash_behind_two_dashes_is_a_file(alice, title, here):
    assert "--as" in alice.fails(2, "INVALID", "file", "put", title, "-", stdin="x")["message"]
    (here / "-").write_bytes(b"of a file")
    assert alice.ok("file", "put", "--as", "dash", "--", title, "-", stdin="of stdin").one["size"] == "9"


def test_nothing_is_left_of_standard_input_and_tmpdir_says_where_it_is_kept(alice, title, tmp_path):
    place = tmp_path / "temporary"
    place.mkdir()
    alice.ok("file", "put", title, "-", "--as", "a", stdin="x", TMPDIR=str(place))
    assert os.listdir(place) == []
    error = alice.fails(3, "IO", "file", "put", title, "-", "--as", "b", stdin="x", TMPDIR=f"{place}/none")
    assert f"{place}/none" in error["message"] and "TMPDIR" in error["message"]
    assert [line["file"] for line in alice.ok("file", "list", title).lines] == ["a"]


def test_a_full_disk_for_standard_input_is_told_and_nothing_goes_up(alice, title, small_disk):
    error = alice.fails(3, "IO", "file", "put", title, "-", "--as", "b", stdin=noise(2 << 20), TMPDIR=str(small_disk))
    assert "No space left" in error["message"] and files(small_disk) == []
    assert alice.ok("file", "list", title).lines == []


def test_timeout_bounds_a_standard_input_that_does_not_end(alice, title):
    process = subprocess.Popen(alice.command(["file", "put", title, "-", "--as", "a", "--timeout", "0.5"]), env=alice.environment,
                               stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    process.stdin.write(b"begun")
    process.stdin.flush()
    assert process.wait(WAIT_S) == 124
    assert b"standard input did not end within --timeout, 0.5 s" in process.stderr.read()
    process.stdin.close()
    assert alice.ok("file", "list", title).lines == []


def test_the_same_from_standard_input_again_is_done_and_something_else_a_conflict(alice, title):
    for _ in range(2):
        alice.ok("file", "put", title, "-", "--as", "a", stdin="x")
    alice.fails(7, "CONFLICT", "file", "put", title, "-", "--as", "a", stdin="y")


@pytest.mark.parametrize("name", NO_NAMES)
def test_what_is_no_name_is_refused(alice, title, source, here, name):
    alice.fails(2, "INVALID", "file", "put", title, source(b"x"), "--name", name)
    assert alice.ok("file", "list", title).lines == []
    done = alice("file", "get", "--", title, name)
    assert done.status in (2, 5) and done.out == ""
    assert files(here) == [] and not (here.parent / "x").exists()


def test_a_local_name_that_is_no_text_needs_another_one(alice, title, here):
    word = b"\xff.txt".decode(errors="surrogateescape")
    (here / word).write_bytes(b"x")
    command = [os.fsencode(word) for word in alice.command(["file", "put", title, word])]
    for more, status in ((["--name", "x.txt"], 0), ([], 2), (["--name", b"\xfe"], 2)):
        done = subprocess.run(command + more, env=alice.environment, capture_output=True, timeout=WAIT_S)
        assert done.returncode == status, done
    assert [entry["file"] for entry in alice.ok("file", "list", title).lines] == ["x.txt"]


@pytest.mark.parametrize("name", [".", ".."])
def test_a_name_that_leads_elsewhere_needs_a_path(alice, title, source, here, name):
    alice.fails(2, "INVALID", "file", "put", title, source(b"dots"), "--name", name)
    before = files(here.parent)
    error = alice.fails(2, "INVALID", "file", "get", title, name)
    assert "-o" in error["message"]
    assert files(here) == [] and files(here.parent) == before
    alice.fails(5, "NOT_FOUND", "file", "get", title, name, "-o", "dots")


def test_output_goes_where_it_is_told(alice, title, source, here):
    alice.ok("file", "put", title, source(b"abc", "a"))
    (here / "sub").mkdir()
    assert alice.ok("file", "get", title, "a", "-o", "sub/b").one["path"] == "sub/b"
    assert alice.ok("file", "get", title, "a", "--output=" + str(here / "c")).one["path"] == str(here / "c")
    assert (here / "sub" / "b").read_bytes() == (here / "c").read_bytes() == b"abc"
    alice.fails(3, "IO", "file", "get", title, "a", "-o", "nowhere/b")
    assert files(here) == ["c", "sub"] and files(here / "sub") == ["b"]


def test_a_file_that_is_there_is_replaced_with_force_only(alice, title, source, here):
    alice.ok("file", "put", title, source(b"new", "a"))
    (here / "a").write_bytes(b"old and longer")
    alice.fails(7, "CONFLICT", "file", "get", title, "a")
    alice.fails(7, "CONFLICT", "file", "get", title, "b", "-o", "a")
    assert (here / "a").read_bytes() == b"old and longer" and files(here) == ["a"]
    alice.ok("file", "get", title, "a", "--force")
    assert (here / "a").read_bytes() == b"new" and files(here) == ["a"]


def test_a_file_that_is_there_names_the_option_that_replaces_it(alice, title, source, here):
    alice.ok("file", "put", title, source(b"new", "a"))
    (here / "a").write_bytes(b"old")
    assert "--force" in alice.fails(7, "CONFLICT", "file", "get", title, "a")["message"]
    (here / "a").unlink()
    (here / "a").symlink_to("nowhere")
    assert "--force" in alice.fails(7, "CONFLICT", "file", "get", title, "a")["message"]
    assert "--force" in alice.fails(7, "CONFLICT", "file", "get", title, "a", "-o", "a")["message"]


def test_a_folder_takes_the_file_under_its_name(alice, title, source, here):
    alice.ok("file", "put", title, source(b"abc", "a"))
    (here / "sub").mkdir()
    assert alice.ok("file", "get", title, "a", "-o", "sub").one["path"] == "sub/a"
    alice.fails(7, "CONFLICT", "file", "get", title, "a", "-o", "sub/")
    assert alice.ok("file", "get", title, "a", "-o", "sub/", "--force").one["path"] == "sub/a"
    assert (here / "sub" / "a").read_bytes() == b"abc" and files(here) == ["sub"]
    alice.fails(3, "IO", "file", "get", title, "a", "-o", "nowhere/")


@pytest.mark.parametrize("force", [[], ["--force"]])
def test_a_pipe_is_written_to_and_stays(alice, title, source, here, force):
    content = noise(3 * CHUNK)
    alice.ok("file", "put", title, source(content))
    os.mkfifo(here / "pipe")
    process = alice.start("file", "get", title, "source", "-o", "pipe", *force)
    assert (here / "pipe").read_bytes() == content
    assert end(process).status == 0
    assert stat.S_ISFIFO((here / "pipe").stat().st_mode) and files(here) == ["pipe"]


def test_a_pipe_that_nobody_reads_is_timed_out(alice, title, source, here):
    alice.ok("file", "put", title, source(b"abc"))
    os.mkfifo(here / "pipe")
    alice.fails(124, "EXPIRED", "--timeout", "1", "file", "get", title, "source", "-o", "pipe")
    assert files(here) == ["pipe"]


def test_devices_are_written_to_also_by_a_link(alice, title, source, here):
    """/dev/full alone can tell that; a node of one's own, should it be replaced."""
    alice.ok("file", "put", title, source(b"abc"))
    (here / "link").symlink_to("/dev/full")
    paths = ["link", "/dev/full"]
    if os.geteuid() == 0:
        os.mknod(here / "node", stat.S_IFCHR | 0o666, os.makedev(1, 7))
        paths.append("node")
    for path in paths:
        for force in ([], ["--force"]):
            before = os.stat(path)
            error = alice.fails(3, "IO", "file", "get", title, "source", "-o", path, *force)
            assert "No space left" in error["message"]
            assert os.stat(path).st_rdev == before.st_rdev == os.makedev(1, 7)
    assert (here / "link").is_symlink()


def test_a_name_alone_never_leads_into_a_device_pipe_or_folder(alice, title, source, here):
    """Whoever uploaded it chose the name."""
    (here / "sub").mkdir()
    for name in ("pipe", "folder"):
        alice.ok("file", "put", title, source(b"abc"), "--name", name)
    for folder in (here, here / "sub"):
        os.mkfifo(folder / "pipe")
        (folder / "folder").mkdir()
    for name in ("pipe", "folder"):
        for where in ([], ["-o", "sub"]):
            for force in ([], ["--force"]):
                error = alice.fails(3, "IO", "file", "get", title, name, *where, *force)
                assert "not replaced" in error["message"]
    assert files(here / "sub" / "folder") == files(here / "folder") == []


@pytest.mark.parametrize("path", ["/dev/stdout", "/dev/fd/1", "/proc/self/fd/1"])
def test_the_name_of_stdout_is_stdout(alice, title, source, here, path):
    alice.ok("file", "put", title, source(b"abc"))
    for force in ([], ["--force"]):
        assert alice.ok("file", "get", title, "source", "-o", path, *force).out == "abc"
        with open(here / "out", "wb") as out:
            process = alice.start("file", "get", title, "source", "-o", path, *force, stdout=out)
            process.stdout = None
            assert end(process).status == 0
        assert (here / "out").read_bytes() == b"abc"
    assert os.path.islink("/dev/stdout") and files(here) == ["out"]


def test_a_link_that_leads_nowhere_counts_as_there(alice, title, source, here):
    alice.ok("file", "put", title, source(b"new", "a"))
    (here / "a").symlink_to(here.parent / "outside")
    alice.fails(7, "CONFLICT", "file", "get", title, "a")
    alice.ok("file", "get", title, "a", "--force")
    assert not (here.parent / "outside").exists()
    assert (here / "a").read_bytes() == b"new" and not (here / "a").is_symlink()


def test_to_stdout_come_the_bytes_alone(alice, title, source, here):
    content = noise(3 * CHUNK + 1)
    alice.ok("file", "put", title, source(content))
    for words in (["-o", "-"], ["--output", "-"], ["-o-", "--force"]):
        done = subprocess.run(alice.command(["file", "get", title, "source", *words]), timeout=WAIT_S,
                              env=alice.environment, capture_output=True)
        assert (done.returncode, done.stdout == content, done.stderr) == (0, True, b"")
    assert files(here) == []


# Errors.

def test_a_local_file_that_cannot_be_read_is_exit_3(alice, title, here):
    alice.fails(3, "IO", "file", "put", title, "missing")
    alice.fails(3, "IO", "file", "put", title, here)
    alice.fails(3, "IO", "file", "put", title, "")
    assert alice.ok("file", "list", title).lines == []


def test_a_name_is_taken_once_in_a_thread(town, alice, bob, title, source):
    path = source(b"abc", "a")
    alice.ok("file", "put", title, path)
    bob.fails(7, "CONFLICT", "file", "put", title, path)
    for cli in (alice, bob):
        cli.fails(7, "CONFLICT", "file", "put", title, source(b"other", "b"), "--name", "a")
    other = town.fresh_name()
    alice.ok("thread", "create", other)
    bob.ok("file", "put", other, path)


def test_there_must_be_such_a_thread_and_file(town, alice, title, source, here):
    missing = town.fresh_name()
    alice.fails(5, "NOT_FOUND", "file", "put", missing, source(b"x"))
    alice.fails(5, "NOT_FOUND", "file", "get", missing, "x")
    alice.fails(5, "NOT_FOUND", "file", "list", missing)
    alice.fails(5, "NOT_FOUND", "file", "get", title, "x")
    done = alice("file", "get", title, "x", "-o", "-")
    assert done.status == 5 and done.out == "" and done.error["code"] == "NOT_FOUND"
    assert files(here) == []


def test_too_large_and_over_the_quota_are_busy(town_factory, script, source, here):
    town = town_factory("--file-max", "1", "--files-max", "2", accounts=1)
    cli = script(its=town)
    cli.ok("thread", "create", "t")
    mib = source(noise(4 * CHUNK), "mib")
    cli.fails(8, "BUSY", "file", "put", "t", source(noise(4 * CHUNK + 1), "more"))
    cli.ok("file", "put", "t", mib, "--name", "one")
    cli.ok("file", "put", "t", mib, "--name", "two")
    cli.fails(8, "BUSY", "file", "put", "t", source(b"x", "tiny"))
    assert [entry["file"] for entry in cli.ok("file", "list", "t").lines] == ["one", "two"]
    cli.ok("thread", "remove", "t")
    cli.ok("thread", "create", "t")
    cli.ok("file", "put", "t", mib)


@pytest.fixture
def small_disk(tmp_path):
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("only root may mount a small disk")
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


def test_a_full_disk_leaves_no_file_under_the_name(alice, title, source, small_disk):
    content = noise(8 * CHUNK)
    alice.ok("file", "put", title, source(content))
    error = alice.fails(3, "IO", "file", "get", title, "source", "-o", small_disk / "got")
    assert "pace" in error["message"], error
    assert files(small_disk) == [] and ".part-" not in error["message"]
    alice.ok("file", "get", title, "source", "-o", source(b"", "got"), "--force")


@pytest.mark.parametrize("path", ["/proc/self/status", "/proc/cpuinfo", "/proc/self/mem"])
def test_a_file_that_is_longer_than_it_says_is_refused(alice, title, path):
    error = alice.fails(3, "IO", "file", "put", title, path)
    assert path in error["message"]
    assert alice.ok("file", "list", title).lines == []


def test_what_is_no_file_is_refused(alice, title, here):
    os.mkfifo(here / "pipe")
    (here / "folder").mkdir()
    for path in ("pipe", "folder", "/dev/zero", "/dev/null", "missing"):
        alice.fails(3, "IO", "file", "put", title, path, "--name", "x")
    assert alice.ok("file", "list", title).lines == []


# What is done is done.

def test_a_finished_upload_of_the_same_file_is_done_again(alice, bob, title, source, here):
    content = noise(2 * CHUNK + 1)
    path = source(content)
    put = alice.ok("file", "put", title, path).one
    assert alice.ok("file", "put", title, path).one == put
    (here / "copy").write_bytes(content)
    assert alice.ok("file", "put", title, "copy", "--name", "source").one == put
    bob.fails(7, "CONFLICT", "file", "put", title, path)
    (here / "copy").write_bytes(content[:-1] + b"x")
    alice.fails(7, "CONFLICT", "file", "put", title, "copy", "--name", "source")
    (here / "copy").write_bytes(content + b"x")
    alice.fails(7, "CONFLICT", "file", "put", title, "copy", "--name", "source")
    assert alice.ok("file", "list", title).lines == [put]


def test_a_finished_upload_of_an_empty_file_is_done_again(alice, title, source):
    put = alice.ok("file", "put", title, source(b"")).one
    assert alice.ok("file", "put", title, source(b"")).one == put


def test_a_full_stdout_is_exit_3(alice, title, source):
    alice.ok("file", "put", title, source(noise(2 * CHUNK)))
    with open("/dev/full", "wb") as full:
        process = alice.start("file", "get", title, "source", "-o", "-", stdout=full)
        process.stdout = None
        done = end(process)
    assert done.status == 3 and done.error["code"] == "IO", done


def test_a_reader_that_goes_away_ends_it_quietly(alice, title, source):
    alice.ok("file", "put", title, source(noise(8 * CHUNK)))
    process = subprocess.Popen(alice.command(["file", "get", title, "source", "-o", "-"]),
                               env=alice.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert len(process.stdout.read(1)) == 1
    process.stdout.close()
    assert process.wait(15) == 0 and process.stderr.read() == b""
    process.stderr.close()


# ---- delete ----

def test_a_file_is_deleted_by_its_uploader_and_by_who_made_the_thread(script, alice, title, source):
    uploader, other = script(), script()
    for name in "one", "two":
        uploader.ok("file", "put", title, source(b"bytes"), "--name", name)
    assert other.fails(6, "FORBIDDEN", "file", "delete", title, "one")["reason"] == "NOT_UPLOADER"
    assert uploader.ok("file", "delete", title, "one").one == {"thread": title, "file": "one", "seq": "3"}
    assert alice.ok("file", "delete", title, "two").one["seq"] == "4"
    assert alice.ok("file", "list", title).lines == [] and alice.ok("thread", "read", title).lines == []
    assert uploader.fails(5, "NOT_FOUND", "file", "delete", title, "one")["reason"] == "NO_SUCH_FILE"
    uploader.options = []
    uploader.ok("file", "put", title, source(b"other bytes"), "--name", "one")
    assert uploader.ok("file", "delete", title, "one").out == "deleted one\n"


def test_followers_learn_that_a_file_was_deleted(script, alice, title, source):
    follower = script()
    follower.ok("thread", "follow", title)
    alice.ok("file", "put", title, source(b"bytes"), "--name", "\u62a5\u544a.pdf")
    alice.ok("file", "delete", title, "\u62a5\u544a.pdf")
    event, = follower.ok("events", "--topic", "thread", "--drain").lines
    assert (event["type"], event["file"], event["user"]) == ("file_deleted", "\u62a5\u544a.pdf",
                                                              alice.environment["ZCHAT_USER"])
    assert follower.ok("events", "--topic", "thread", "--drain").lines == []


def test_a_download_of_a_file_that_goes_meanwhile_leaves_nothing_under_its_name(alice, title, source, tmp_path):
    alice.ok("file", "put", title, source(b"x" * 20_000_000), "--name", "large")
    fifo = tmp_path / "fifo"
    os.mkfifo(fifo)
    get = alice.start("file", "get", title, "large", "-o", fifo)
    with open(fifo, "rb") as read:
        assert read.read(100_000)
        alice.ok("file", "delete", title, "large")
        while read.read(1 << 20):
            pass
    done = end(get)
    assert done.status == 5 and done.error["reason"] == "NO_SUCH_FILE", done
    alice.fails(5, "NOT_FOUND", "file", "get", title, "large", "-o", tmp_path / "large")
    assert not (tmp_path / "large").exists()
