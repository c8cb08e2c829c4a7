"""zmq-cli backup: an administrator fetches what the broker has, from anywhere."""

import signal
import stat
import time

import pytest

from support.broker import program, run
from support.disk import fill, small_disk
from support.patience import WAIT_S
from support.town import ADMIN
from support.transfer import Upload, bytes_of

MIB = 1024 * 1024


@pytest.fixture
def keeper(script):
    return script(ADMIN)


@pytest.fixture
def filled(town):
    """A thread with a file of some pieces; the module's first test makes it."""
    if "files" not in town.join().titles():
        alice = town.join()
        alice.create_thread("files")
        Upload(alice, "files", "data", bytes_of(12 * MIB + 3)).run()
    return town


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_what_is_fetched_can_be_restored_with_the_old_key(filled, keeper, here, tmp_path, broker_factory):
    one = keeper.ok("--json", "backup", "file").one
    assert one["path"] == "file" and int(one["size"]) == (here / "file").stat().st_size and one["damaged"] == "0"
    assert stat.S_IMODE((here / "file").stat().st_mode) == 0o600 and names_in(here) == ["file"]
    assert not (filled.broker.data / "zchat.db-backup").exists()
    broker = broker_factory(start=False)
    run([program("zchatd"), "restore", here / "file", "--data", broker.data], check=0)
    run([program("zchatd"), "check-store", "--data", broker.data], check=0)
    key = broker.data / "server.key"
    key.write_bytes((filled.broker.data / "server.key").read_bytes())
    key.chmod(0o600)
    broker.start()
    assert broker.server_key == filled.broker.server_key


def test_without_the_key_a_new_identity_must_be_asked_for(keeper, here, broker_factory):
    keeper.ok("backup", "file")
    broker = broker_factory(start=False)
    run([program("zchatd"), "restore", here / "file", "--data", broker.data], check=0)
    said = run([program("zchatd"), "--data", broker.data, "--port", "0"], check=3).stderr
    assert "--identity new" in said
    broker.args += ["--identity", "new"]
    broker.start()


def test_nothing_is_replaced_unless_one_says_so(keeper, here):
    (here / "file").write_text("precious")
    keeper.fails(7, "CONFLICT", "backup", "file")
    assert (here / "file").read_text() == "precious"
    keeper.ok("backup", "file", "--force")
    assert (here / "file").stat().st_size > 4096 and names_in(here) == ["file"]


def test_only_an_administrator_may(alice, here):
    alice.fails(6, "FORBIDDEN", "backup", "file")
    assert names_in(here) == []


def test_a_client_that_is_ended_leaves_no_backup_on_the_broker(filled, keeper, here):
    process = keeper.start("backup", "file")
    kept = filled.broker.data / "zchat.db-backup"
    deadline = time.monotonic() + WAIT_S
    while not kept.exists() and process.poll() is None:
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGTERM)
    process.communicate(timeout=WAIT_S)
    if process.returncode:
        assert names_in(here) == []
    while kept.exists():
        assert time.monotonic() < deadline
    keeper.ok("backup", "other")


def test_a_full_disk_here_is_said(filled, keeper, tmp_path):
    mount = tmp_path / "disk"
    mount.mkdir()
    with small_disk(mount, 16) as disk:
        fill(disk.path, 4 * MIB)
        keeper.fails(3, "IO", "backup", str(mount / "file"))
        assert names_in(mount) == ["junk"]
    keeper.ok("backup", str(tmp_path / "file"))
