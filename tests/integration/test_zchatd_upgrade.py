"""A broker brings an earlier version's store up to date: what it says, and who may use the store meanwhile."""

import hashlib
import signal

import pytest

from support.broker import Broker, program, run
from support.client import Client
from support.disk import small_disk
from support.old import add_file, make, message_id, text_of
from support.transfer import Download, bytes_of, files, hash_of

PASSWORD = "correct horse"
MESSAGES = 5000


def make_old(broker, messages=MESSAGES):
    broker.data.mkdir(mode=0o700)
    make(broker.data / "zchat.db", messages)


@pytest.fixture
def old():
    """A broker that does not run yet, on a store of the sixth version."""
    with Broker(start=False) as broker:
        make_old(broker)
        yield broker


def set_password(broker, name):
    run([program("zchatd"), "user", "passwd", name, "--password-file", broker.password_file(PASSWORD),
         "--data", broker.data], check=0)


def expect_messages(broker, messages):
    set_password(broker, "user1")
    with Client(broker.address) as client:
        client.login("user1", PASSWORD)
        client.wait_have(2 * messages // 3)
        numbers = [int(event.message.text.split()[1]) for event in client.inbox]
        assert numbers == sorted(numbers) and len(set(numbers)) == len(numbers)
        for event, number in zip(client.inbox, numbers):
            assert event.message.text == text_of(number) and event.message.id == message_id(number)


def test_its_messages_are_served_and_the_log_tells_of_the_backup(old):
    old.start()
    old.wait_log(r"event=store_migrates ")
    backup = old.wait_log(r"event=store_migrated seconds=\d+ backup=(\S+) ")[1]
    assert backup == str(old.data / "zchat.db-before-7")
    expect_messages(old, MESSAGES)
    old.restart()
    assert old.log_text().count("event=store_migrates ") == 1
    expect_messages(old, MESSAGES)


def test_a_store_that_was_migrated_is_served_by_one_broker_alone(old, tmp_path):
    old.start()
    other = tmp_path / "other"
    other.mkdir(mode=0o700)
    for name in ("zchat.db", "server.key"):
        (other / name).hardlink_to(old.data / name)
    done = run([program("zchatd"), "--bind", "127.0.0.1", "--port", "0", "--data", other], check=3)
    assert "in use by" in done.stderr


@pytest.mark.parametrize("words", [["list"], ["lock", "user1"]])
def test_accounts_are_not_touched_before(old, words):
    done = run([program("zchatd"), "user", *words, "--data", old.data], check=3)
    assert "an earlier zchat made it: start zchatd" in done.stderr and done.stdout == ""
    old.start()
    run([program("zchatd"), "user", *words, "--data", old.data], check=0)


def test_it_is_ended_like_any_other_work_and_goes_on_with_the_next_start():
    with Broker(start=False) as broker:
        make_old(broker, 60000)
        broker.start_without_waiting()
        broker.wait_log(r"event=store_migrates ")
        broker.process.send_signal(signal.SIGTERM)
        status = broker.exits_with()
        if status == 3: # else it was through just then
            assert "it was told to end; nothing is lost" in broker.log_text()
            assert not (broker.data / "zchat.db-before-7").exists()
        broker.start()
        expect_messages(broker, 60000)


def test_a_disk_without_room_for_it_is_told_and_left_as_it_was(tmp_path):
    mount = tmp_path / "disk"
    mount.mkdir()
    with small_disk(mount, 40) as disk, Broker(start=False) as broker:
        broker.data = mount / "data"
        make_old(broker, 80000)
        done = run([program("zchatd"), "--bind", "127.0.0.1", "--port", "0", "--data", broker.data], check=3)
        assert "MiB more and start again; nothing was changed" in done.stderr
        assert not list(broker.data.glob("zchat.db-[mb]*"))
        disk.resize(100)
        broker.start()
        expect_messages(broker, 80000)


def expect_file(broker, data, digest):
    set_password(broker, "user1")
    with Client(broker.address) as client:
        client.login("user1", PASSWORD)
        file, = files(client, "Plans")
        item, = client.read_items("Plans")
        assert item.upload == file and file.digest == digest
        assert Download(client, "Plans", "plan.pdf").receive().data == data


def test_its_files_get_hashes_of_64_bytes_and_the_log_tells_of_it(old):
    data = bytes_of(600_000)
    add_file(old.data / "zchat.db", "Plans", "plan.pdf", data)
    old.start()
    old.wait_log(r"event=store_rehashes .*bytes=600001 ")
    old.wait_log(r"event=store_rehashed seconds=\d+ damaged=0")
    expect_file(old, data, hash_of(data))
    old.restart()
    assert old.log_text().count("event=store_rehashes ") == 1
    expect_file(old, data, hash_of(data))


def test_a_file_of_other_bytes_is_told_of_and_fits_no_hash(old):
    data = bytes_of(600_000)
    add_file(old.data / "zchat.db", "Plans", "plan.pdf", data, whole=False)
    old.start()
    old.wait_log(r'event=file_damaged thread="Plans" file="plan.pdf" ')
    old.wait_log(r"event=store_rehashed seconds=\d+ damaged=1")
    expect_file(old, data, hashlib.blake2b(data + b"!", digest_size=32).digest() + bytes(32))
    done = run([program("zchatd"), "check-store", "--data", old.data], check=None)
    assert "file 1 (plan.pdf) has not the bytes that were uploaded" in done.stdout + done.stderr
