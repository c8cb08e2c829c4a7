"""What the disk damages is found and said, and takes nothing else along. README.md, "The broker"."""

import struct
import subprocess

import pytest

from support.broker import die_with_parent, program, run
from support.town import refused
from support.transfer import Download, Upload, bytes_of

PIECE_BYTES = 256 * 1024
FRAME_BYTES = 24 + 4096


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 1]))


def start_refused(town, *words):
    """The one sentence with which the broker does not start."""
    done = subprocess.run([program("zchatd"), "--bind", "127.0.0.1", "--port", "0", "--data", str(town.broker.data),
                           *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, timeout=60, preexec_fn=die_with_parent, check=False)
    assert done.returncode == 3 and done.stderr.count("\n") == 1, done
    return done.stderr


def frames_synced(data):
    return struct.unpack(">I", (data / "zchat.db-head").read_bytes()[24:28])[0]


def lose_the_last_frames(data):
    with open(data / "zchat.db-wal", "r+b") as log:
        log.truncate(32 + (frames_synced(data) - 1) * FRAME_BYTES)


def send_some(town, count=10):
    alice, bob = town.join_many(2)
    for i in range(count):
        alice.message(bob.user, f"message {i}")


def test_a_start_without_what_was_acknowledged_is_refused_until_the_loss_is_accepted(town_factory):
    town = town_factory(accounts=8)
    send_some(town)
    town.broker.kill()
    lose_the_last_frames(town.broker.data)
    for _ in range(2):
        said = start_refused(town)
        assert "entries that were acknowledged are missing" in said, said
        assert "--accept-loss" in said and "backup" in said
    town.broker.args += ["--accept-loss"]
    town.broker.start()
    assert "the loss is accepted" in town.broker.log_text()
    send_some(town, 3)
    town.broker.args.remove("--accept-loss")
    town.broker.restart()
    send_some(town, 3)


def test_a_head_that_is_missing_is_told_and_made_anew(town_factory):
    town = town_factory(accounts=8)
    send_some(town)
    town.broker.stop()
    (town.broker.data / "zchat.db-head").unlink()
    before = len(town.broker.log_text())
    town.broker.start()
    assert "-head" in town.broker.log_text()[before:]
    before = len(town.broker.log_text())
    town.broker.restart()
    assert "-head" not in town.broker.log_text()[before:]


def test_a_damaged_piece_is_an_error_of_its_download_alone(town_factory):
    town = town_factory(accounts=8)
    alice, bob = town.join_many(2)
    alice.create_thread("T")
    data = bytes_of(3 * PIECE_BYTES)
    Upload(alice, "T", "good", data).run()
    Upload(alice, "T", "bad", data).run()
    flip(town.broker.data / "zchat.db-pieces", 4 * PIECE_BYTES + 1000)  # in the second piece of "bad"
    for _ in range(3):
        with pytest.raises(Exception) as caught:
            Download(bob, "T", "bad").run()
        assert "damaged" in str(caught.value), caught.value
    assert Download(bob, "T", "good").run() == data
    refused("NOT_FOUND", bob.call, "get_chunk", thread="T", file="bad", offset=PIECE_BYTES)
    assert town.stats()["pieces_damaged_total"] == 4
    assert town.broker.log_text().count("piece_damaged") == 1, "once a minute"
    alice.message(bob.user, "still here")


# ---- check-store ----

def check_store(data, code, *words):
    done = run([program("zchatd"), "check-store", "--data", data, *words], check=code, timeout=120)
    return done.stdout


def files_of(data):
    return {path.name: (path.stat().st_size, path.read_bytes()) for path in sorted(data.iterdir())
            if path.name.startswith("zchat.db") and not path.name.endswith("-shm")}


def make_content(town, title="T"):
    alice, bob = town.join_many(2)
    alice.create_thread(title)
    for i in range(30):
        alice.message(bob.user, f"message {i} " + "x" * 2000)
    Upload(alice, title, "file", bytes_of(3 * PIECE_BYTES + 5000)).run()


def test_a_whole_store_is_found_whole_beside_a_broker_after_a_kill_and_after_a_stop(town_factory):
    town = town_factory(accounts=8)
    make_content(town)
    assert "is whole" in check_store(town.broker.data, 0)
    make_content(town, "U")
    town.broker.kill()
    before = files_of(town.broker.data)
    assert "is whole" in check_store(town.broker.data, 0)
    assert files_of(town.broker.data) == before, "it changes nothing"
    town.broker.start()
    town.broker.stop()
    before = files_of(town.broker.data)
    said = check_store(town.broker.data, 0)
    assert " 6 pieces of files" in said, said
    assert files_of(town.broker.data) == before


def test_what_is_damaged_is_listed(town_factory):
    town = town_factory(accounts=8)
    make_content(town)
    town.broker.stop()
    data = town.broker.data
    pages = (data / "zchat.db").stat().st_size // 4096
    flip(data / "zchat.db", (pages // 2) * 4096 + 2000)
    flip(data / "zchat.db-pieces", PIECE_BYTES + 3)
    said = check_store(data, 1)
    assert f"page {pages // 2 + 1} of " in said, said
    assert "piece 1 of file 1 is damaged" in said, said
    assert "is damaged in " in said.splitlines()[-1] and "backup" in said.splitlines()[-1]
    (data / "zchat.db-head").unlink()
    (data / "zchat.db-pieces").unlink()
    said = check_store(data, 1)
    assert "-head" in said and "-pieces" in said and "is missing" in said, said
    assert not (data / "zchat.db-head").exists() and not (data / "zchat.db-pieces").exists()


def test_a_lost_tail_is_listed(town_factory):
    town = town_factory(accounts=8)
    send_some(town)
    town.broker.kill()
    lose_the_last_frames(town.broker.data)
    said = check_store(town.broker.data, 1)
    assert "entries that were acknowledged are missing" in said, said


def test_where_there_is_nothing_to_check_it_says_so(tmp_path):
    check_store(tmp_path, 5)
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "zchat.db").write_bytes(b"no database at all" * 1000)
    assert "not a database" in check_store(tmp_path, 3)
    check_store(tmp_path, 2, "--no-such-option")
    assert "Exit codes" in check_store(tmp_path, 0, "--help")
