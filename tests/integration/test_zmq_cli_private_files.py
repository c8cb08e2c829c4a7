"""zmq-cli: files of private chats, and what bounds those that one takes unasked."""

import json
import os
import signal

import pytest

from private_calls import accept, name_of, start, texts  # noqa: F401
from support.disk import small_disk
from zmq_cli import end


def test_a_file_that_nobody_takes_is_exit_124(town, alice, bob, start, tmp_path):
    (tmp_path / "f.bin").write_bytes(b"abc")
    his = accept(start, bob, "--once")
    os.kill(his.pid, signal.SIGSTOP)
    hers = start(alice, "private", "file", name_of(bob), tmp_path / "f.bin", "--timeout", "1")
    done = end(hers)
    assert done.status == 124 and name_of(bob) in done.error["message"], done
    os.kill(his.pid, signal.SIGCONT)


def test_a_file_goes_into_the_folder(alice, bob, start, tmp_path):
    content = os.urandom(900_000)
    (tmp_path / "f.bin").write_bytes(content)
    (tmp_path / "in").mkdir()
    his = accept(start, bob, "--once", "--files-to", tmp_path / "in", stdin="")
    done = alice.ok("private", "file", name_of(bob), tmp_path / "f.bin")
    assert done.one == {"to": name_of(bob), "file": "f.bin", "status": "delivered"}
    got = end(his)
    assert got.status == 0 and got.one == {
        "from": name_of(alice), "file": "f.bin", "size": "900000",
        "path": str(tmp_path / "in" / "f.bin")}, got
    assert (tmp_path / "in" / "f.bin").read_bytes() == content


def test_a_file_is_refused_where_none_is_wanted_or_its_name_is_taken(alice, bob, start, tmp_path):
    (tmp_path / "f.bin").write_bytes(b"new")
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "f.bin").write_bytes(b"old")
    his = accept(start, bob, "--once", stdin="")
    done = alice("private", "file", name_of(bob), tmp_path / "f.bin", check=6)
    assert done.error["code"] == "FORBIDDEN", done
    assert end(his).status == 0
    his = accept(start, bob, "--once", "--files-to", tmp_path / "in", stdin="")
    alice("private", "file", name_of(bob), tmp_path / "f.bin", check=6)
    assert end(his).status == 7
    assert (tmp_path / "in" / "f.bin").read_bytes() == b"old"


def test_a_folder_for_files_that_is_none_is_exit_3_at_once(bob, tmp_path):
    (tmp_path / "file").write_text("x")
    for folder in (tmp_path / "nothing", tmp_path / "file"):
        done = bob("private", "accept", "--once", "--files-to", folder, check=3)
        assert f"can't be put into {folder}" in done.err and "waiting" not in done.err


@pytest.mark.parametrize("path", ["missing", "folder", "pipe", "/dev/zero", "/proc/self/status"])
def test_what_is_no_file_is_exit_3_before_anybody_is_asked(alice, bob, start, tmp_path, path):
    (tmp_path / "folder").mkdir()
    os.mkfifo(tmp_path / "pipe")
    his = accept(start, bob, "--once")
    alice.fails(3, "IO", "private", "file", name_of(bob), tmp_path / path)
    his.send_signal(signal.SIGINT)
    done = end(his)
    assert done.status == 130 and "private chat" not in done.err, done


@pytest.mark.parametrize("name", [".bashrc", "-rf", "..", ". "])
def test_a_file_whose_name_could_do_harm_is_refused(alice, bob, start, tmp_path, name):
    folder = tmp_path / "in"
    folder.mkdir()
    if name == "..":
        name = "..evil"
    (tmp_path / name).write_bytes(b"harm")
    his = accept(start, bob, "--once", "--files-to", folder, stdin="")
    done = alice("private", "file", name_of(bob), tmp_path / name, check=6)
    assert done.error["code"] == "FORBIDDEN", done
    got = end(his)
    assert "begins with a dot or a dash" in got.err, got
    assert os.listdir(folder) == []


def test_a_file_is_taken_up_to_a_size_that_an_option_changes(alice, bob, start, tmp_path):
    folder, mib = tmp_path / "in", 1024 * 1024
    folder.mkdir()
    for name, size in (("large", 64 * mib + 1), ("medium", mib + 1)):
        with open(tmp_path / name, "wb") as file:
            file.truncate(size)
    for name, options, status in (("large", (), 6), ("medium", ("--files-max", "1"), 6),
                                  ("medium", ("--files-max", "2"), 0)):
        his = accept(start, bob, "--once", "--files-to", folder, *options, stdin="")
        alice("private", "file", name_of(bob), tmp_path / name, check=status)
        assert ("--files-max" in end(his).err) == (status == 6)
    assert os.listdir(folder) == ["medium"]


def test_a_full_disk_refuses_a_file_and_keeps_no_part_of_it(alice, bob, start, tmp_path):
    folder = tmp_path / "in"
    folder.mkdir()
    (tmp_path / "small").write_bytes(b"x" * 200_000)
    (tmp_path / "large").write_bytes(b"x" * 2_000_000)
    with small_disk(folder, 1):
        for name, status in (("large", 6), ("small", 0)):
            his = accept(start, bob, "--once", "--files-to", folder, stdin="")
            alice("private", "file", name_of(bob), tmp_path / name, check=status)
            done = end(his)
            assert done.status == (0 if status == 0 else 3), done
            assert ("has no room for" in done.err) == (status != 0), done
        assert os.listdir(folder) == ["small"]
