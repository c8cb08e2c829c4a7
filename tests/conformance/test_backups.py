"""An administrator has the broker make a backup, and reads it. proto/README.md, "Backups"."""

import pytest

from support.broker import program, run
from support.disk import fill, small_disk
from support.town import ADMIN, refused
from support.transfer import Upload, bytes_of, hash_of

MIB = 1024 * 1024
CHUNK = 256 * 1024
EXPORT = 1  # BackupFormat


@pytest.fixture
def admin(town):
    return town.join(ADMIN)


def there(town):
    return (town.broker.data / "zchat.db-backup").exists()


def read(client, size):
    data = bytearray()
    while len(data) < size:
        chunk = client.call("read_backup", offset=len(data)).data
        assert 0 < len(chunk) <= CHUNK
        data += chunk
    return bytes(data)


def test_what_is_read_fits_the_hash_and_can_be_restored(town, admin, tmp_path):
    alice = town.join()
    alice.create_thread("files")
    Upload(alice, "files", "data", bytes_of(3 * MIB + 5)).run()
    made = admin.call("start_backup")
    assert made.size > 3 * MIB and made.time_us > 0 and made.damaged == 0 and there(town)
    data = read(admin, made.size)
    assert len(data) == made.size and hash_of(data) == made.digest
    assert admin.call("read_backup", offset=made.size).data == b""
    assert admin.call("read_backup", offset=made.size - 3).data == data[-3:]
    assert admin.call("read_backup", offset=10, limit=7).data == data[10:17]
    admin.call("end_backup")
    assert not there(town)
    secret = (town.broker.data / "server.key").read_bytes().split()[-1]
    assert secret not in data
    (tmp_path / "file").write_bytes(data)
    folder = tmp_path / "folder"
    said = run([program("zchatd"), "restore", tmp_path / "file", "--data", folder], check=0).stdout
    assert "no server.key is there" in said and not (folder / "server.key").exists()
    run([program("zchatd"), "check-store", "--data", folder], check=0)


def test_an_export_has_the_lines_that_zchatd_export_writes(town, admin):
    alice = town.join()
    alice.create_thread("exported")
    alice.post("exported", "日本語 and \"quotes\"")
    Upload(alice, "exported", "data", bytes_of(CHUNK + 5)).run()
    made = admin.call("start_backup", format=EXPORT)
    assert made.time_us > 0 and made.damaged == 0 and there(town)
    data = read(admin, made.size)
    assert hash_of(data) == made.digest and admin.call("read_backup", offset=made.size).data == b""
    admin.call("end_backup")
    assert not there(town)
    assert data.decode() == run([program("zchatd"), "export", "--data", town.broker.data], check=0).stdout


@pytest.mark.parametrize("format", [2, 1000, -1])
def test_a_format_that_is_not_known_is_refused(town, admin, format):
    assert refused("INVALID", admin.call, "start_backup", format=format).reason == "BAD_VALUE"
    assert not there(town)


def test_an_export_that_is_ended_while_it_is_made_is_refused(town, admin):
    started, ended = admin.start_batch([("start_backup", {"format": EXPORT}), ("end_backup", {})])
    admin.wait_reply(ended)
    assert refused("BUSY", admin.wait_reply, started).reason == "BACKUP_FAILED"
    assert not there(town)
    admin.call("start_backup", format=EXPORT)
    admin.call("end_backup")


def test_only_an_administrator_may(town):
    member = town.join()
    for command in ("start_backup", "read_backup", "end_backup"):
        assert refused("FORBIDDEN", member.call, command).reason == "NOT_ADMIN"
    assert refused("FORBIDDEN", member.call, "start_backup", format=EXPORT).reason == "NOT_ADMIN"
    assert not there(town)


def test_one_backup_is_there_at_a_time_and_belongs_to_its_session(town, admin, tmp_path):
    other = town.join(ADMIN)
    for command in ("read_backup", "end_backup"):
        assert refused("NOT_FOUND", admin.call, command).reason == "NO_SUCH_BACKUP"
    admin.call("start_backup")
    for client in (admin, other):
        assert refused("BUSY", client.call, "start_backup").reason == "BACKUP_RUNNING"
    for command in ("read_backup", "end_backup"):
        assert refused("NOT_FOUND", other.call, command).reason == "NO_SUCH_BACKUP"
    admin.call("end_backup")
    other.call("start_backup")
    other.call("end_backup")
    run([program("zchatd"), "backup", tmp_path / "file", "--data", town.broker.data], check=0)


@pytest.mark.parametrize("leave", ["logout", "close"])
def test_the_end_of_the_session_removes_it(leave, town):
    client = town.join(ADMIN)
    client.call("start_backup")
    assert there(town)
    getattr(client, leave)()
    other = town.join(ADMIN)
    other.wait(lambda: not there(town), what="the removal")
    other.call("start_backup")
    other.call("end_backup")


def test_one_that_is_ended_while_it_is_made_is_refused(town, admin):
    started, ended = admin.start_batch([("start_backup", {}), ("end_backup", {})])
    admin.wait_reply(ended)
    error = refused("BUSY", admin.wait_reply, started)
    assert error.reason == "BACKUP_FAILED"
    assert not there(town)
    admin.call("start_backup")
    admin.call("end_backup")


def test_what_a_killed_broker_left_goes_at_its_start(town_factory):
    town = town_factory(accounts=2)
    town.join(ADMIN).call("start_backup")
    town.broker.kill()
    assert there(town)
    town.broker.start()
    assert not there(town)


def test_messages_go_on_while_one_is_made(town, admin):
    alice, bob = town.join(), town.join()
    started = admin.start("start_backup")
    for i in range(20):
        alice.message(bob.user, f"meanwhile {i}")
    admin.wait_reply(started)
    admin.call("end_backup")


@pytest.mark.parametrize("format, sentence", [(0, "no room for the backup"), (EXPORT, "no room for the export")])
def test_without_room_on_the_disk_it_is_refused_and_messages_go_on(format, sentence, tmp_path, town_factory):
    mount = tmp_path / "disk"
    mount.mkdir()

    def prepare(broker):
        broker.data = mount / "data"

    with small_disk(mount, 120) as disk:
        town = town_factory(accounts=3, prepare=prepare)
        alice, bob, admin = town.join(), town.join(), town.join(ADMIN)
        alice.create_thread("files")
        Upload(alice, "files", "data", bytes_of(40 * MIB)).run()
        fill(disk.path, 30 * MIB)
        error = refused("BUSY", admin.call, "start_backup", format=format)
        assert error.reason == "DISK_FULL" and sentence in error.message
        assert not there(town)
        alice.message(bob.user, "it goes on")
        bob.wait_text("it goes on")
        (mount / "junk").unlink()
        admin.call("start_backup")
        admin.call("end_backup")
        town.leave()
        town.close()
