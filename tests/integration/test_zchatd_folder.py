"""The store's folder: one broker to a store, its key belongs to it, and what else may be wrong there is
said in one sentence with status 3."""

import os
import shutil
import subprocess

import pytest

from support.ids import new_id
from support.broker import Broker, die_with_parent, program, run
from support.client import CommandError, TimedOut
from support.patience import WAIT_S


def start(data, *words, timeout=WAIT_S):
    """A broker that must not get as far as to serve; its one sentence."""
    done = subprocess.run([program("zchatd"), "--bind", "127.0.0.1", "--port", "0", "--data", str(data), *words],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                          text=True, timeout=timeout, preexec_fn=die_with_parent, check=False)
    assert done.returncode == 3, done
    assert done.stderr.startswith("zchatd: ") and done.stderr.count("\n") == 1, done.stderr
    return done.stderr


@pytest.fixture
def broker():
    with Broker() as running:
        yield running


@pytest.mark.parametrize("names", [[], ["lock"], ["lock", "zchat.db"], ["lock", "server.key", "endpoints.json"]])
def test_a_second_broker_is_refused_whatever_was_removed_from_the_folder(broker, names):
    for name in names:
        (broker.data / name).unlink()
    said = start(broker.data)
    # Without its database the first one ends with what it would write next, which may be by now.
    assert "in use by" in said or ("zchat.db" in names and "zchat.db: it is missing" in said)


def test_a_second_broker_is_refused_under_another_name_of_the_folder(broker, tmp_path):
    (tmp_path / "link").symlink_to(broker.data)
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    for name in ("zchat.db", "server.key"):
        (other / name).symlink_to(broker.data / name)
    assert "in use by" in start(tmp_path / "link")
    assert "in use by" in start(other)


def test_accounts_are_added_beside_a_broker_whose_lock_file_is_gone(broker):
    (broker.data / "lock").unlink()
    broker.add_user("han", password="secret")
    assert "han" in run([program("zchatd"), "user", "list", "--data", broker.data], check=0).stdout


def test_a_store_without_its_key_is_refused_until_a_new_one_is_asked_for():
    with Broker() as broker:
        key = broker.server_key
        broker.restart(same_ports=False)
        assert broker.server_key == key
        broker.stop()
        (broker.data / "server.key").unlink()
        said = start(broker.data)
        assert "server.key is missing" in said and "--identity new" in said and "backup" in said
        broker.args = ["--identity", "new"]
        broker.start()
        assert broker.server_key != key
        broker.args, key = [], broker.server_key
        broker.restart(same_ports=False)
        assert broker.server_key == key


def test_a_store_with_the_key_of_another_one_is_refused():
    with Broker() as one, Broker() as other:
        one.stop()
        other.stop()
        shutil.copy(other.data / "server.key", one.data / "server.key")
        said = start(one.data)
        assert "another key" in said and "--identity new" in said
        one.args = ["--identity", "new"]
        one.start()
        assert one.server_key == other.server_key


def test_a_key_without_a_store_is_served():
    with Broker() as broker:
        key = broker.server_key
        broker.stop()
        for file in broker.data.glob("zchat.db*"):
            file.unlink()
        broker.start()
        assert broker.server_key == key


def make_pipe(path):
    path.unlink()
    os.mkfifo(path, 0o600)


def make_folder(path):
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name, change, says", [
    ("server.key", make_pipe, "server.key is no regular file"),
    ("server.key", make_folder, "server.key is no regular file"),
    ("server.key", lambda path: path.write_text(""), "holds no key pair"),
    ("server.key", lambda path: path.chmod(0o644), "chmod 600"),
    ("zchat.db", make_pipe, "no regular file"),
    ("zchat.db", make_folder, "zchat.db"),
    ("zchat.db", lambda path: path.write_text("this is no database, but a text" * 100), "not a database"),
])
def test_what_is_wrong_with_a_file_is_said(name, change, says):
    with Broker() as broker:
        broker.stop()
        change(broker.data / name)
        assert says in start(broker.data)


@pytest.mark.parametrize("empty", [False, True])
def test_what_is_left_of_a_store_is_not_taken_for_a_new_one(empty):
    with Broker() as broker:
        broker.add_user("han", password="secret")
        broker.kill()
        database = broker.data / "zchat.db"
        saved = database.read_bytes()
        database.unlink()
        if empty:
            database.touch(mode=0o600)
        said = start(broker.data)
        assert "zchat.db-wal" in said or "-wal" in said
        database.write_bytes(saved)
        broker.start()
        assert "han" in run([program("zchatd"), "user", "list", "--data", broker.data], check=0).stdout


@pytest.mark.parametrize("make", [lambda path: path.mkdir(), lambda path: os.mkfifo(path, 0o600)])
def test_nothing_but_the_store_is_needed_to_start(make):
    with Broker() as broker:
        broker.stop()
        for name in ("lock", "endpoints.json"):
            path = broker.data / name
            path.unlink(missing_ok=True)
            make(path)
        broker.start()


@pytest.mark.parametrize("instead", [False, True])
def test_nothing_is_acknowledged_once_the_folder_is_gone(town_factory, instead):
    """It would be lost with the broker's end."""
    town = town_factory(accounts=2)
    alice, bob = town.join_many(2)
    alice.message(bob.user, "one")
    moved = town.broker.data.rename(f"{town.broker.data}.moved")
    if instead:
        town.broker.data.mkdir(mode=0o700)
    with pytest.raises((CommandError, TimedOut)):
        alice.call("send_message", timeout=2, id=new_id(), to=bob.user, text="two")
    assert town.broker.exits_with() == 1
    assert "was removed, moved or replaced" in town.broker.log_text()
    if instead:
        shutil.rmtree(town.broker.data)
    moved.rename(town.broker.data)
    town.broker.start()
    town.join(bob.user).wait_text("one")


def test_a_clean_end_leaves_no_endpoints_behind(broker):
    found = broker.data / "endpoints.json"
    assert broker.commands in found.read_text()
    broker.stop()
    assert not found.exists()
