"""zmq-cli export: an administrator fetches what the broker has as lines of JSON, from anywhere."""

import re
import stat
import subprocess

import pytest

from support.broker import program, run
from support.disk import fill, small_disk
from support.town import ADMIN
from support.transfer import Upload, bytes_of
from zmq_cli import Cli

MIB = 1024 * 1024
# When somebody was last seen, or a device last used, changes with each login; a broker at work does not write it at once.
MOVES = re.compile(rb',"(?:last_seen|used)":"[^"]*"')


@pytest.fixture
def keeper(script):
    return script(ADMIN)


@pytest.fixture
def filled(town):
    """A thread with files of some pieces, and texts; the module's first test makes it."""
    if "files" not in town.join().titles():
        alice, bob = town.join(), town.join()
        alice.message(bob.user, "日本語 👩‍👩‍👧‍👦 \"quoted\" \\ \u00a0")
        alice.create_thread("files")
        alice.post("files", "x" * 16384)
        Upload(alice, "files", "data", bytes_of(12 * MIB + 3)).run()
        Upload(alice, "files", "empty", b"").run()
    return town


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


def told_here(broker):
    return run([program("zchatd"), "export", "--data", broker.data], check=0).stdout.encode()


def to_stdout(cli, *words):
    return subprocess.run([program("zmq-cli"), *cli.options, "export", *words], env=cli.environment,
                          capture_output=True, timeout=60)


def test_a_file_has_what_zchatd_export_writes(filled, keeper, here, tmp_path):
    one = keeper.ok("export", "file").one
    data = (here / "file").read_bytes()
    assert one["path"] == "file" and int(one["size"]) == len(data) > 12 * MIB and one["damaged"] == "0"
    assert stat.S_IMODE((here / "file").stat().st_mode) == 0o600 and names_in(here) == ["file"]
    assert MOVES.sub(b"", data) == MOVES.sub(b"", told_here(filled.broker))
    assert not (filled.broker.data / "zchat.db-backup").exists()
    run([program("zchatd"), "import", here / "file", "--data", tmp_path / "new"], check=0)
    assert run([program("zchatd"), "export", "--data", tmp_path / "new"], check=0).stdout.encode() == data


@pytest.mark.parametrize("words", [[], ["-"]])
def test_without_a_file_the_lines_go_to_stdout(words, filled, keeper, here):
    done = to_stdout(keeper, *words)
    assert done.returncode == 0 and done.stderr == b""
    assert MOVES.sub(b"", done.stdout) == MOVES.sub(b"", told_here(filled.broker))
    assert names_in(here) == []


def test_a_reader_of_the_pipe_that_ends_is_no_failure(filled, keeper):
    process = keeper.start("export")
    assert process.stdout.readline().startswith('{"type":"header"')
    process.stdout.close()
    assert process.wait(60) == 0 and process.stderr.read() == ""
    keeper.ok("export")


def test_a_stdout_that_takes_nothing_is_said(filled, keeper):
    with open("/dev/full", "wb") as full:
        done = subprocess.run([program("zmq-cli"), *keeper.options, "export"], env=keeper.environment, stdout=full,
                              stderr=subprocess.PIPE, timeout=60)
    assert done.returncode == 3 and b"No space left" in done.stderr


def test_nothing_is_replaced_unless_one_says_so(keeper, here):
    (here / "file").write_text("precious")
    keeper.fails(7, "CONFLICT", "export", "file")
    assert (here / "file").read_text() == "precious"
    keeper.ok("export", "file", "--force")
    assert (here / "file").read_bytes().startswith(b'{"type":"header"') and names_in(here) == ["file"]


def test_only_an_administrator_may(alice, here):
    alice.fails(6, "FORBIDDEN", "export", "file")
    alice.fails(6, "FORBIDDEN", "export")
    assert names_in(here) == []


def test_while_a_backup_is_there_it_is_busy(town, keeper, here):
    admin = town.join(ADMIN)
    admin.call("start_backup")
    keeper.fails(8, "BUSY", "export", "file")
    admin.call("end_backup")
    admin.call("start_backup", format=1)
    keeper.fails(8, "BUSY", "backup", "file")
    assert names_in(here) == []
    admin.call("end_backup")
    keeper.ok("export", "file")


def test_a_full_disk_here_is_said(filled, keeper, tmp_path):
    mount = tmp_path / "disk"
    mount.mkdir()
    with small_disk(mount, 16) as disk:
        fill(disk.path, 4 * MIB)
        keeper.fails(3, "IO", "export", str(mount / "file"))
        assert names_in(mount) == ["junk"]


def test_a_damaged_store_is_told_as_zchatd_export_tells_it(town_factory, config_dirs, here):
    town = town_factory(accounts=2)
    alice, bob = town.join(), town.join()
    alice.message(bob.user, "the first one")
    alice.message(bob.user, "this one breaks")
    town.leave()
    town.broker.stop()
    path = town.broker.data / "zchat.db"
    content = path.read_bytes()
    assert content.count(b"this one breaks") >= 1
    path.write_bytes(content.replace(b"this one breaks", b"this one brexks"))
    town.broker.start()
    keeper = Cli(town.broker, config_dirs("damage"), ADMIN, town.keys)
    done = keeper("export", "file", check=1)
    assert done.error["code"] == "DAMAGED"
    data = (here / "file").read_bytes()
    told = run([program("zchatd"), "export", "--data", town.broker.data], check=1)
    assert b'"type":"lost"' in data and MOVES.sub(b"", data) == MOVES.sub(b"", told.stdout.encode())
    damages = int(re.search(r"damaged in (\d+) place", told.stderr)[1])
    assert done.one["damaged"] == str(damages) and f"damaged in {damages} place" in done.error["message"]
    town.broker.wait_log("event=export_damaged")
