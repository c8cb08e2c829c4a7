"""A full disk is a refusal: what writes is BUSY, everything else goes on, and it ends by itself when
there is room. Full is what a small disk is without blocks, and what a limit of the process makes."""

import contextlib
import resource
import time

import pytest

from support.broker import free_ports, program, run
from support.client import CommandError, Keys, new_id
from support.disk import fill, small_disk
from support.private import Invitation
from support.town import refused, until_done
from support.transfer import Download, Upload, bytes_of

MIB = 1024 * 1024
TEXT = "x" * 4000
STAYS_S = 4  # the broker looks once a second, or later where it has to wait for a core
PASSWORD = "correct horse"


@pytest.fixture
def disk(tmp_path):
    mount = tmp_path / "disk"
    mount.mkdir()
    with small_disk(mount, 40) as small:
        yield small


@pytest.fixture
def disk_town(disk, town_factory):
    def prepare(broker):
        broker.data = disk.path / "data"
        broker.add_user("with.password", password=PASSWORD)
    town = town_factory(accounts=6, prepare=prepare)
    yield town
    town.leave()
    town.close()


def put_file(client, thread, name, data):
    upload = Upload(client, thread, name, data)
    upload.begin()
    upload.send()


def until_refused(call, most=20000):
    """What was acknowledged before the first BUSY, and that one."""
    for done in range(most):
        try:
            call(done)
        except CommandError as error:
            assert error.code == "BUSY" and "disk is full" in error.message, error
            return done
    raise AssertionError(f"not refused in {most} calls")


def until_it_stays_full(call):
    """Past the first refusals: what the log has may still fit into the database."""
    number = until_refused(call)
    refused_s = time.monotonic()
    while time.monotonic() < refused_s + STAYS_S:
        try:
            call(number)
            number += 1 + until_refused(lambda n: call(number + 1 + n))
            refused_s = time.monotonic()
        except CommandError as error:
            assert error.code == "BUSY", error
            time.sleep(0.05)  # between two tries


def assert_it_refuses_what_writes(client, other):
    for call, arguments in ((client.message, (other.user, "no")), (client.post, ("t", "no")),
                            (client.create_thread, ("another",)), (client.edit, ("t", 1, "no")),
                            (client.call, ("follow_thread",))):
        options = {"thread": "t"} if arguments == ("follow_thread",) else {}
        assert "disk is full" in refused("BUSY", call, *arguments, **options).message
    refused("BUSY", Upload(client, "t", "more", bytes_of(1000)).begin)


def assert_the_rest_goes_on(town, client, other, text):
    late = town.join("user.005", online=False)
    late.ping()
    late.logout()
    by_password = town.guest()
    by_password.login("with.password", PASSWORD)
    assert by_password.post_texts("t")[0] == text
    by_password.logout()
    assert client.broadcast(text).reached >= 1
    other.wait_broadcast(text)
    invitation = Invitation(client, other)
    invitation.answer()
    invitation.answered()
    assert other.user in client.who()
    assert client.post_texts("t")[0] == text
    assert town.stats()["disk_full"] == 1


def fill_up(town, client, other):
    """Sends until it is refused; the texts that were acknowledged."""
    posts, sent = ["first"], []
    client.create_thread("t")
    client.post("t", "first")
    def post(n):
        client.post("t", f"{n} {TEXT}")
        posts.append(f"{n} {TEXT}")
    def send(n):
        client.message(other.user, f"{n} {TEXT}")
        sent.append(f"{n} {TEXT}")
    for call in (post, send):
        until_it_stays_full(call)
    return posts, sent


def test_a_full_disk_refuses_and_recovers_by_itself(disk, disk_town):
    town = disk_town
    alice, bob = town.join(private_chats=True), town.join(sub=True, private_chats=True)
    alice.create_thread("files")
    data = bytes_of(MIB)
    put_file(alice, "files", "file", data)
    fill(disk.path, 4 * MIB)
    posts, sent = fill_up(town, alice, bob)
    assert len(posts) > 100
    fill(disk.path, 0, "more junk")
    assert_it_refuses_what_writes(alice, bob)
    assert_the_rest_goes_on(town, alice, bob, "first")
    assert Download(alice, "files", "file").run() == data
    refused("BUSY", town.guest().register, town.fresh_name(), PASSWORD)
    (disk.path / "junk").unlink()
    until_done(lambda: alice.post("t", "last"))
    alice.message(bob.user, "last")
    town.broker.wait_log("event=disk_has_room")
    assert alice.post_texts("t") == posts + ["last"]
    town.broker.kill()
    town.broker.start()
    alice.resume()
    bob.resume()
    bob.wait_text("last")
    assert bob.texts() == sent + ["last"]
    assert alice.post_texts("t") == posts + ["last"]


def test_a_retry_of_what_was_stored_is_answered_on_a_full_disk(disk, disk_town):
    alice, bob = disk_town.join(), disk_town.join()
    alice.create_thread("t")
    ids = [new_id(), new_id()]
    sent, posted = alice.message(bob.user, "one", ids[0]), alice.post("t", "one", ids[1])
    fill(disk.path, 0)
    until_refused(lambda n: alice.post("t", f"{n} {TEXT}"))
    assert alice.message(bob.user, "one", ids[0]).seq == sent.seq
    assert alice.post("t", "one", ids[1]).seq == posted.seq


def test_removing_a_thread_makes_room_on_a_full_disk(disk, disk_town):
    alice = disk_town.join()
    alice.create_thread("files")
    for number in range(4):
        put_file(alice, "files", f"file {number}", bytes_of(4 * MIB))
    fill(disk.path, 0)
    alice.create_thread("t")
    until_refused(lambda n: alice.post("t", f"{n} {TEXT}"))
    alice.call("remove_thread", thread="files")
    until_done(lambda: alice.post("t", "there is room"))


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_the_broker_starts_on_a_full_disk(disk, disk_town, end):
    town = disk_town
    alice = town.join("user.000")
    alice.create_thread("t")
    alice.post("t", "first")
    if end == "kill":
        fill(disk.path, 0)
        until_refused(lambda n: alice.post("t", f"{n} {TEXT}"))
    alice.close()
    getattr(town.broker, end)()
    fill(disk.path, 0, "more junk")
    town.broker.start(free_ports())
    alice = town.join("user.000")
    until_refused(lambda n: alice.post("t", f"{n} {TEXT}"))
    assert alice.post_texts("t")[0] == "first"
    found = town.broker.data / "endpoints.json"
    if found.exists():
        assert town.broker.commands in found.read_text(), "an earlier run's"
    else:
        assert "endpoints.json" in town.broker.log_text()
    for junk in disk.path.glob("*junk*"):
        junk.unlink()
    until_done(lambda: alice.post("t", "again"))


def test_wrong_passwords_lock_on_a_full_disk(disk, disk_town):
    town = disk_town
    alice = town.join()
    alice.create_thread("t")
    fill(disk.path, 0)
    until_refused(lambda n: alice.post("t", f"{n} {TEXT}"))
    with contextlib.suppress(CommandError):
        while True:  # what small changes may take
            alice.block("user.003")
            alice.call("unblock_user", user="user.003")
    for _ in range(3):
        refused("AUTH", town.guest().login, "with.password", "wrong")
    assert "try again in" in refused("AUTH", town.guest().login, "with.password", PASSWORD).message
    assert town.join().ping()


def test_wrong_admin_passwords_lock_on_a_full_disk_wherever_they_come_from(disk, tmp_path, town_factory):
    """Nor does a long name let anybody guess for nothing."""
    name, file, keys = "n" * 32, tmp_path / "admin-password", Keys()
    file.write_text(PASSWORD)

    def prepare(broker):
        broker.data = disk.path / "data"
        broker.add_user(name, device_key=keys.public)
    town = town_factory("--admin-password-file", file, accounts=6, prepare=prepare)
    alice = town.join()
    alice.create_thread("t")
    fill(disk.path, 0)
    until_refused(lambda n: alice.post("t", f"{n} {TEXT}"))
    with contextlib.suppress(CommandError):
        while True:  # what small changes may take
            alice.block("user.003")
            alice.call("unblock_user", user="user.003")
    guessers = [town.guest(keys, source=f"127.0.0.{n}") for n in range(2, 6)]
    for guesser in guessers:
        guesser.login(name)
    for guesser in guessers[:-1]:
        refused("AUTH", guesser.call, "shutdown", password="wrong")
    assert "locked" in refused("AUTH", guessers[-1].call, "shutdown", password=PASSWORD).message
    alice.ping()
    town.leave()
    town.close()


def test_a_limit_for_the_size_of_files_is_a_full_disk(town_factory):
    town = town_factory(accounts=6, prepare=lambda broker: broker.add_user("with.password", password=PASSWORD))
    alice, bob = town.join(private_chats=True), town.join(sub=True, private_chats=True)
    alice.create_thread("files")
    data = bytes_of(MIB)
    put_file(alice, "files", "file", data)
    before = resource.prlimit(town.broker.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(town.broker.pid, resource.RLIMIT_FSIZE, (16 * MIB, before[1]))
    posts, sent = fill_up(town, alice, bob)
    assert len(posts) > 200
    refused("BUSY", put_file, alice, "files", "large", bytes_of(32 * MIB))
    assert_it_refuses_what_writes(alice, bob)
    assert_the_rest_goes_on(town, alice, bob, "first")
    assert Download(alice, "files", "file").run() == data
    resource.prlimit(town.broker.pid, resource.RLIMIT_FSIZE, before)
    until_done(lambda: alice.post("t", "last"))
    assert alice.post_texts("t") == posts + ["last"]
    town.leave()
    town.close()


def test_the_tool_for_accounts_works_on_a_full_disk(disk, disk_town):
    town = disk_town
    town.join().ping()
    fill(disk.path, 0)
    town.broker.stop()
    fill(disk.path, 0, "more junk")
    added = run([program("zchatd"), "user", "list", "--data", town.broker.data], check=0)
    assert "user.000" in added.stdout
