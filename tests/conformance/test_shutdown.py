"""shutdown: who may, what everybody is told, what stays, what wiping leaves. COMMANDS.md, "Administration"."""

import os
import threading

import pytest

from support import schema
from support.client import TimedOut, greet, new_id
from support.town import ADMIN, refused
from support.transfer import Download, Upload

PASSWORD = "stop-und-vier-secret"


@pytest.fixture
def guarded(town_factory, tmp_path):
    """Makes towns whose broker has an admin password."""
    file = tmp_path / "admin-password"
    file.touch(mode=0o600)
    file.write_text(PASSWORD + "\n")
    return lambda *args, **options: town_factory("--admin-password-file", file, *args, **options)


def ended(town):
    """That the broker ends by itself, with 0."""
    assert town.broker.exits_with() == 0, town.broker.log_text()[-2000:]


def told(*clients):
    for client in clients:
        end = client.wait_ended()
        assert end.reason == schema.END_REASON_SHUTDOWN and end.text


# ---- who may ----

def test_an_administrator_may(town_factory):
    town = town_factory(accounts=2)
    admin, alice = town.join(ADMIN), town.join()
    admin.call("shutdown")
    told(admin, alice)
    ended(town)


def test_a_member_with_the_admin_password_may(guarded):
    town = guarded(accounts=2)
    alice, bob = town.join_many(2)
    alice.call("shutdown", password=PASSWORD)
    told(alice, bob)
    ended(town)


def test_an_administrator_with_the_admin_password_may(guarded):
    town = guarded(accounts=1)
    town.join(ADMIN).call("shutdown", password=PASSWORD)
    ended(town)


@pytest.mark.parametrize("option", ["--admin-password-file", "--config"])
def test_a_pipe_is_not_waited_for_when_the_configuration_is_read_again(town_factory, tmp_path, option):
    """Nor is what it gave at the start lost."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    text = PASSWORD
    if option == "--config":
        (tmp_path / "password").write_text(PASSWORD)
        text = f"admin-password-file = {tmp_path / 'password'}"
    writer = threading.Thread(target=pipe.write_text, args=[text + "\n"])
    writer.start()
    town = town_factory(option, pipe, accounts=1)
    writer.join()
    town.broker.hup()
    town.broker.wait_log("is a pipe")
    town.join().call("shutdown", password=PASSWORD)
    ended(town)


def test_a_script_may(guarded):
    town = guarded(accounts=1)
    town.join(online=False, inbox=False).call("shutdown", password=PASSWORD)
    ended(town)


def test_without_the_password_or_with_a_wrong_one_nothing_happens(guarded):
    town = guarded(accounts=2)
    alice, bob = town.join_many(2)
    for wipe in (False, True):
        for wrong in ("wrong", PASSWORD[:-1], PASSWORD + "x", PASSWORD.upper(), " " + PASSWORD):
            refused("AUTH", alice.call, "shutdown", password=wrong, wipe=wipe)
        refused("FORBIDDEN", alice.call, "shutdown", wipe=wipe)
        refused("AUTH", town.guest().call, "shutdown", password=PASSWORD, wipe=wipe)
        refused("AUTH", town.join(ADMIN).call, "shutdown", password="wrong", wipe=wipe)
    alice.message(bob.user, "still here")
    bob.wait_text("still here")
    assert alice.ended is None and bob.ended is None


def test_without_an_admin_password_only_an_administrator_may(town_factory):
    town = town_factory(accounts=1)
    alice = town.join()
    for password in ("", "anything"):
        refused("FORBIDDEN", alice.call, "shutdown", password=password)
    town.join(ADMIN).call("shutdown")
    ended(town)


def test_passwords_can_not_be_tried_without_end(guarded):
    town = guarded("--rate-passwords", "1", accounts=1)
    alice, codes = town.join(), []
    for result in alice.batch([("shutdown", dict(password=f"guess {n}")) for n in range(30)]):
        codes.append(result.code)
    assert codes[0] == "AUTH" and "BUSY" in codes and set(codes) == {"AUTH", "BUSY"}
    assert codes.count("AUTH") <= 12
    alice.ping()


def test_three_wrong_admin_passwords_lock_it_for_the_account_and_the_address(guarded):
    """Even the right one is refused then, as with a login, and each wrong one is logged."""
    town = guarded("--block-duration", "1000", accounts=3)
    alice, bob, far = town.join(), town.join(), town.guest(town.keys, source="127.0.0.2")
    far.login(town.name())
    for n in range(3):
        error = refused("AUTH", alice.call, "shutdown", password=f"guess {n}")
    assert 0 < error.retry_after_s <= 1000 and "locked" in error.message
    assert 0 < refused("AUTH", alice.call, "shutdown", password=PASSWORD).retry_after_s <= 1000
    assert 0 < refused("AUTH", bob.call, "shutdown", password=PASSWORD).retry_after_s <= 1000
    assert town.stats()["admin_passwords_wrong_total"] == 3
    town.broker.wait_log(f"admin_password_wrong user={alice.user} address=127.0.0.1")
    town.broker.wait_log("admin_password_locked")
    town.broker.restart()
    alice.resume()
    assert refused("AUTH", alice.call, "shutdown", password=PASSWORD).retry_after_s > 0
    far.resume()
    far.call("shutdown", password=PASSWORD)
    ended(town)


def test_the_lock_of_the_admin_password_is_no_lock_of_logins(guarded):
    town = guarded(accounts=1)
    alice = town.join()
    for n in range(3):
        refused("AUTH", alice.call, "shutdown", password=f"guess {n}")
    town.broker.add_user("carol", password="her own")
    town.guest().login("carol", "her own")
    town.join(ADMIN).call("shutdown")
    ended(town)


def test_the_admin_password_is_seen_nowhere(guarded):
    town = guarded("--log-level", "debug", accounts=1)
    alice = town.join()
    refused("AUTH", alice.call, "shutdown", password="wr0ng-und-acht-secret")
    alice.call("shutdown", password=PASSWORD)
    ended(town)
    for secret in (PASSWORD, "wr0ng-und-acht-secret"):
        assert secret not in town.broker.log_text()
        for path in town.broker.data.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes()


# ---- what everybody is told ----

def test_every_session_is_told_after_the_reply_and_what_came_before_it(town_factory):
    town = town_factory(accounts=4)
    admin = town.join(ADMIN)
    people = [town.join(), town.join(sub=True), town.join(public_events=True)]
    people += [town.join(people[0].user), town.join(online=False)]
    admin.batches = []
    people[0].message(people[1].user, "just before")
    reply = admin.call("shutdown")
    assert reply == schema.ShutdownResponse()
    told(admin, *people)
    people[1].wait_text("just before")
    ended(town)
    order = [kind for batch in admin.batches
             for kind in ["reply"] * len([r for r in batch.replies if r.HasField("shutdown")])
             + ["end"] * len([e for e in batch.events if e.HasField("session_ended")])]
    assert order == ["reply", "end"]


def test_after_the_end_no_connection_is_taken(town_factory):
    town = town_factory(accounts=1)
    town.join(ADMIN).call("shutdown")
    ended(town)
    with pytest.raises(TimedOut):
        greet(town.broker.address, timeout=0.3)


# ---- what is under way, and what stays ----

def test_commands_under_way_are_finished_and_what_was_answered_stays(town_factory):
    town = town_factory(accounts=3)
    admin, alice, bob = town.join(ADMIN), town.join(), town.join()
    alice.name, bob.name = alice.user, bob.user
    alice.create_thread("kept")
    started = {}
    for n in range(400):
        for client in (alice, bob):
            text = f"{client.name} {n}"
            started[text] = client, client.start("post_to_thread", id=new_id(), thread="kept", text=text)
    commands = [("post_to_thread", dict(id=new_id(), thread="kept", text=f"admin {n}")) for n in range(100)]
    requests = admin.start_batch(commands[:50] + [("shutdown", {})] + commands[50:])
    told(admin, alice, bob)
    ended(town)
    for request in requests[:51]:
        admin.wait_reply(request)
    answered = {f"admin {n}" for n in range(50)}
    for text, (client, request) in started.items():
        client.pump(0)
        if request in client.replies:
            client.wait_reply(request)
            answered.add(text)
    for n, request in enumerate(requests[51:], 50):
        if request in admin.replies:
            admin.wait_reply(request)
            answered.add(f"admin {n}")
    town.broker.start()
    texts = town.join("user.002").post_texts("kept")
    assert answered <= set(texts), "what was answered is gone"
    assert len(texts) == len(set(texts))
    for client in (alice, bob):
        mine = [text for text in texts if text.startswith(client.name)]
        assert mine == [f"{client.name} {n}" for n in range(len(mine))]


def test_a_password_that_is_being_hashed_is_answered(guarded):
    town = guarded("--registration", "open", accounts=1)
    alice, newcomer = town.join(), town.guest()
    registering = newcomer.start("register_account", protocol=1, user="newcomer", password="password")
    newcomer.ping()
    alice.call("shutdown", password=PASSWORD)
    ended(town)
    newcomer.wait_reply(registering)
    town.broker.start()
    town.guest(newcomer.keys).login("newcomer")


def test_the_next_start_finds_everything(town_factory):
    town = town_factory(accounts=2)
    admin, alice, bob = town.join(ADMIN), town.join(), town.join()
    data = bytes(range(256)) * 3000
    alice.create_thread("kept")
    alice.post("kept", "one")
    alice.edit("kept", 1, "one, edited")
    followed = bob.follow("kept")
    Upload(alice, "kept", "file", data).run()
    half = Upload(alice, "kept", "half", data)
    half.begin()
    half.put(0, 1000)
    alice.message(bob.user, "for later")
    alice.block("user.001")
    before = [bob.list_threads(), bob.read_items("kept"), bob.list_followed(), bob.sync(followed.stream).events]
    admin.call("shutdown")
    ended(town)
    town.broker.start()
    alice = half.client = town.join("user.000")
    bob = town.join("user.001")
    assert [bob.list_threads(), bob.read_items("kept"), bob.list_followed(),
            bob.sync(followed.stream).events] == before
    bob.wait_text("for later")
    assert list(alice.call("list_blocked").users) == ["user.001"]
    assert Download(bob, "kept", "file").run() == data
    assert half.begin().received == 1000


# ---- wiping ----

def disk_bytes(town):
    return sum(path.stat().st_size for path in town.broker.data.iterdir())


@pytest.mark.parametrize("who", ["administrator", "password"])
def test_wiping_leaves_a_store_as_new(guarded, who):
    town = guarded(accounts=20)
    alice, bob = town.join(), town.join(sub=True)
    new = disk_bytes(town)
    for n in range(20):
        alice.create_thread(f"thread {n}")
        alice.post(f"thread {n}", f"a post that shall be gone {n}")
        bob.follow(f"thread {n}")
    Upload(alice, "thread 0", "file", bytes(8 * 1024 * 1024)).run()
    Upload(alice, "thread 0", "unfinished", bytes(1024 * 1024)).begin()
    alice.message(bob.user, "a message that shall be gone")
    alice.block("user.003")
    assert disk_bytes(town) > new + 8_000_000
    if who == "administrator":
        town.join(ADMIN).call("shutdown", wipe=True)
    else:
        alice.call("shutdown", wipe=True, password=PASSWORD)
    told(alice, bob)
    ended(town)
    assert disk_bytes(town) < new + 1_000_000, "the room was not freed"
    for path in town.broker.data.iterdir():
        assert b"shall be gone" not in path.read_bytes(), path.name
    key = town.broker.server_key
    town.broker.start()
    assert town.broker.server_key == key, "people have pinned it"
    for user in ("user.000", "user.001", ADMIN):
        refused("AUTH", town.guest(town.keys).login, user)
    newcomer = town.guest()
    newcomer.register("user.000", "password")
    newcomer.login("user.000")
    assert newcomer.list_threads() == [] and newcomer.list_followed() == []
    assert newcomer.sync().head == 0 and not newcomer.call("list_blocked").users
    assert newcomer.since(10**6) == []
    stats = newcomer.stats()
    assert (stats["accounts"], stats["messages_stored"]) == (1, 0)
    newcomer.create_thread("thread 0")
    assert newcomer.post("thread 0", "the first one").seq == 1
    Upload(newcomer, "thread 0", "file", b"new").run()
    town.broker.restart()
    again = town.guest(newcomer.keys)
    again.login("user.000")
    assert again.post_texts("thread 0") == ["the first one"]
