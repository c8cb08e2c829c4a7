"""zchatd backup and restore: a store comes back as it was, while its broker serves or without one.

ZCHAT_BACKUPS: how many backups are made under load, one after the other.
"""

import os
import resource
import signal
import stat
import subprocess
import threading
import time

import pytest

from support.broker import die_with_parent, program, run
from support.client import Client
from support.disk import fill, small_disk
from support.ids import new_id
from support.patience import WAIT_S
from support.transfer import Download, Upload, bytes_of
from zmq_cli import assert_help_in_one_voice, assert_one_voice

ROUNDS = int(os.environ.get("ZCHAT_BACKUPS", 2))
ZCHATD = program("zchatd")
MIB = 1024 * 1024
PIECE = 256 * 1024
SAID = "before the backup"


def zchatd(*words, **options):
    done = run([ZCHATD, *words], **options)
    assert_one_voice(done.stderr)
    return done


def backup(data, file, *words, check=0, **options):
    return zchatd("backup", file, "--data", data, *words, check=check, **options)


def restore(file, data, *words, check=0, **options):
    return zchatd("restore", file, "--data", data, *words, check=check, **options)


def start(*words, prepare=die_with_parent):
    return subprocess.Popen([str(word) for word in (ZCHATD, *words)], stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=prepare)


def stopped_at(path, process, least=0):
    """Stops the process when the file has appeared, with so many bytes."""
    deadline = time.monotonic() + WAIT_S
    while not path.exists() or path.stat().st_size < least:
        assert time.monotonic() < deadline and process.poll() is None, f"{path} does not appear"
    process.send_signal(signal.SIGSTOP)
    assert process.poll() is None, "it ended too soon"


def ended(process):
    process.send_signal(signal.SIGCONT)
    _, said = process.communicate(timeout=WAIT_S)
    return process.returncode, said


def names_in(folder):
    return sorted(path.name for path in folder.iterdir())


class Quiet:
    """A town where one said something to another one, and a thread has a file of some pieces."""

    def __init__(self, town):
        self.town, self.data, self.key = town, town.broker.data, town.broker.data / "server.key"
        alice, self.bob = town.join(), town.name()
        self.alice, self.title, self.bytes = alice.user, f"files of {alice.user}", bytes_of(9 * MIB + 1000)
        alice.create_thread(self.title)
        Upload(alice, self.title, "data", self.bytes).run()
        alice.message(self.bob, SAID)

    def is_in(self, broker):
        with Client(broker.address, keys=self.town.keys) as bob:
            bob.login(self.bob)
            return texts_of(bob) == [SAID] and Download(bob, self.title, "data").run() == self.bytes


def texts_of(client):
    """All that the account sent or was sent."""
    texts, before, more = [], 0, True
    while more:
        page = client.call("read_history", before_seq=before)
        texts += [event.message.text for event in page.events]
        before, more = page.before_seq, page.more
    return texts


@pytest.fixture
def quiet(town):
    return Quiet(town)


@pytest.fixture
def restored(broker_factory):
    """A broker on what is restored of a backup."""
    def make(file, *words, key=None):
        broker = broker_factory(*words, start=False)
        if key:
            broker.data.mkdir(mode=0o700)
            (broker.data / "server.key").write_bytes(key)
            (broker.data / "server.key").chmod(0o600)
        restore(file, broker.data)
        assert zchatd("check-store", "--data", broker.data).returncode == 0
        broker.start()
        return broker
    return make


# ---- what comes back ----


def test_a_store_comes_back_while_its_broker_serves(quiet, restored, tmp_path):
    file = tmp_path / "file"
    said = backup(quiet.data, file).stdout
    assert str(file) in said and "with server.key" in said and said.count("\n") == 1
    assert stat.S_IMODE(file.stat().st_mode) == 0o600 and names_in(tmp_path) == ["file"]
    broker = restored(file)
    assert broker.server_key == quiet.town.broker.server_key
    assert quiet.is_in(broker) and quiet.is_in(quiet.town.broker)


def test_a_store_comes_back_without_a_broker_and_after_a_kill(town_factory, restored, tmp_path):
    quiet = Quiet(town_factory(accounts=4))
    for number, end in enumerate((quiet.town.broker.kill, quiet.town.broker.stop)):
        end()
        before = names_in(quiet.data)
        backup(quiet.data, tmp_path / str(number))
        assert set(names_in(quiet.data)) - {"zchat.db-shm"} == set(before) - {"zchat.db-shm"}
        assert quiet.is_in(restored(tmp_path / str(number)))
        quiet.town.broker.start()
    assert quiet.is_in(quiet.town.broker)


def test_the_export_of_what_comes_back_is_that_of_the_store(town_factory, tmp_path):
    quiet = Quiet(town_factory(accounts=4))
    quiet.town.broker.stop()
    backup(quiet.data, tmp_path / "file")
    restore(tmp_path / "file", tmp_path / "folder")
    first, second = [zchatd("export", "--data", folder, check=0).stdout for folder in (quiet.data, tmp_path / "folder")]
    assert first == second and SAID in first


class Load:
    """Pairs that send to each other as fast as they are answered, and one who uploads files and removes
    them again."""

    def __init__(self, town, pairs=2):
        self.acknowledged, self.sent, self.files = {}, {}, {}
        self._ending, self._failed = threading.Event(), []
        jobs = []
        for _ in range(pairs):
            one, other = town.join(), town.join()
            for me, to in ((one, other.user), (other, one.user)):
                self.acknowledged[me.user], self.sent[me.user] = [], []
                jobs.append((self._send, me, to))
        jobs.append((self._move_files, town.join(), None))
        self._threads = [threading.Thread(target=self._guard, args=job) for job in jobs]
        for thread in self._threads:
            thread.start()

    def _guard(self, work, *arguments):
        try:
            work(*arguments)
        except BaseException as error:  # told by end()
            self._failed.append(error)

    def _send(self, me, to):
        sent, acknowledged = self.sent[me.user], self.acknowledged[me.user]
        while not self._ending.is_set():
            texts = [f"{me.user} {len(sent) + i}" for i in range(32)]
            sent += texts
            requests = [me.start("send_message", id=new_id(), to=to, text=text) for text in texts]
            for request, text in zip(requests, texts):
                me.wait_reply(request)
                acknowledged.append(text)

    def _move_files(self, me, _):
        number = 0
        while not self._ending.is_set():
            title = f"{me.user} {number}"
            me.call("create_thread", id=new_id(), title=title)
            data = bytes_of(3 * PIECE + number)
            Upload(me, title, "file", data).run()
            self.files[title] = data
            if number >= 2:
                me.call("remove_thread", thread=f"{me.user} {number - 2}")
            number += 1
        self.mover = me.user

    def until(self, least):
        """Waits until each one has sent so many more, and some files went."""
        deadline = time.monotonic() + WAIT_S
        goals = {user: len(done) + least for user, done in self.acknowledged.items()}
        files = len(self.files) + 3
        while any(len(self.acknowledged[user]) < goal for user, goal in goals.items()) or len(self.files) < files:
            assert not self._failed and time.monotonic() < deadline, self._failed
            self._ending.wait(0.01)

    def end(self):
        self._ending.set()
        for thread in self._threads:
            thread.join(WAIT_S)
        assert not self._failed, self._failed


def compare(load, before, broker, keys):
    """Whoever was acknowledged before the backup is in it, nothing is twice, and nothing else is there."""
    for user, acknowledged in before.items():
        with Client(broker.address, keys=keys) as client:
            client.login(user)
            own = [text for text in texts_of(client) if text.startswith(user + " ")]
            assert len(set(own)) == len(own), "doubled"
            assert set(acknowledged) <= set(own), set(acknowledged) - set(own)
            assert set(own) <= set(load.sent[user])
            for thread in client.list_threads():
                for file in client.call("list_files", thread=thread.title).files:
                    data = Download(client, thread.title, file.file).run()
                    assert data == load.files.get(thread.title, data)


@pytest.mark.parametrize("number", range(ROUNDS))
def test_a_backup_under_load_has_all_that_was_acknowledged_before(number, town, restored, tmp_path):
    load = Load(town)
    try:
        load.until(200)
        before = {user: list(done) for user, done in load.acknowledged.items()}
        backup(town.broker.data, tmp_path / "file")
        load.until(50)
    finally:
        load.end()
    compare(load, before, restored(tmp_path / "file"), town.keys)


# ---- the key ----


def test_a_key_beside_the_restored_store_is_kept_if_it_is_the_same(quiet, restored, tmp_path):
    backup(quiet.data, tmp_path / "file")
    assert restored(tmp_path / "file", key=quiet.key.read_bytes()).server_key == quiet.town.broker.server_key
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "server.key").write_text("another one\n")
    said = restore(tmp_path / "file", folder, check=3).stderr
    assert "server.key is another key" in said
    assert names_in(folder) == ["server.key"] and (folder / "server.key").read_text() == "another one\n"


# ---- what is there already ----


def test_nothing_is_replaced_unless_one_says_so(quiet, tmp_path):
    file = tmp_path / "file"
    file.write_text("precious")
    assert "--force" in backup(quiet.data, file, check=7).stderr
    assert file.read_text() == "precious" and names_in(tmp_path) == ["file"]
    backup(quiet.data, file, "--force")
    assert file.stat().st_size > 9 * MIB and names_in(tmp_path) == ["file"]
    folder = tmp_path / "folder"
    folder.mkdir()
    assert "no regular file" in backup(quiet.data, folder, "--force", check=7).stderr
    assert "is not empty" in restore(file, quiet.data, check=7).stderr
    (folder / "notes").write_text("precious")
    assert "notes is there" in restore(file, folder, check=7).stderr and names_in(folder) == ["notes"]


@pytest.mark.parametrize("name", ["zchat.db", "zchat.db-wal", "server.key", "mine"])
def test_no_file_of_the_data_folder_is_replaced_or_made(name, quiet, tmp_path):
    before = {file: os.stat(quiet.data / file).st_ino for file in names_in(quiet.data)}
    (tmp_path / "link").symlink_to(quiet.data)
    for folder in quiet.data, tmp_path / "link":
        assert "the data folder" in backup(quiet.data, folder / name, "--force", check=2).stderr
        assert "the data folder" in zchatd("export", folder / name, "--data", quiet.data, check=2).stderr
    assert {file: os.stat(quiet.data / file).st_ino for file in names_in(quiet.data)} == before


def test_what_is_wrong_in_a_call_is_named(quiet, tmp_path):
    for verb in ("backup", "restore"):
        assert_help_in_one_voice(zchatd(verb, "--help", check=0).stdout)
        assert "zchatd " + verb in zchatd(verb, "--data", quiet.data, check=2).stderr
        assert "--nothing" in zchatd(verb, "x", "--nothing", check=2).stderr
        zchatd(verb, tmp_path / "x", "y", "--data", quiet.data, check=2)
    assert "there is no store" in backup(tmp_path / "nowhere", tmp_path / "x", check=5).stderr
    assert "can't be read" in restore(tmp_path / "nothing", tmp_path / "y", check=5).stderr
    assert "can't be made" in backup(quiet.data, tmp_path / "no" / "x", check=3).stderr
    assert names_in(tmp_path) == []


# ---- damage ----


def test_a_damaged_backup_is_refused_and_leaves_no_folder(quiet, tmp_path):
    file, folder = tmp_path / "file", tmp_path / "folder"
    backup(quiet.data, file)
    whole = file.read_bytes()
    for place, named in ((5 * 4096 + 3, "page 6 of its database"), (len(whole) - 300, "damaged"),
                         (len(whole) - PIECE, "the piece of slot"), (len(whole) - 100, "its end is")):
        file.write_bytes(whole[:place] + bytes([whole[place] ^ 1]) + whole[place + 1:])
        assert named in restore(file, folder, check=1).stderr
        assert not folder.exists()
    for cut in (whole[:-1], whole[1:], whole[:MIB], b"", whole + b"x"):
        file.write_bytes(cut)
        assert "its end is missing" in restore(file, folder, check=1).stderr
    folder.mkdir()
    restore(file, folder, check=1)
    assert names_in(folder) == []
    file.write_bytes(whole)
    restore(file, folder)


# ---- in the middle ----


def test_one_backup_is_made_at_a_time(quiet, tmp_path):
    first = start("backup", tmp_path / "first", "--data", quiet.data)
    stopped_at(tmp_path / "first.part", first)
    assert "another backup is being made" in backup(quiet.data, tmp_path / "second", check=3).stderr
    status, said = ended(first)
    assert (status, said) == (0, "")
    backup(quiet.data, tmp_path / "second")
    assert names_in(tmp_path) == ["first", "second"]


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_backup_that_is_ended_leaves_nothing_under_its_name(number, quiet, tmp_path):
    file = tmp_path / "file"
    process = start("backup", file, "--data", quiet.data)
    stopped_at(tmp_path / "file.part", process)
    process.send_signal(number)
    status, said = ended(process)
    assert not file.exists()
    if number == signal.SIGTERM:
        assert status == 3 and "told to end" in said and names_in(tmp_path) == []
    backup(quiet.data, file)
    assert names_in(tmp_path) == ["file"]


def test_a_broker_that_ends_meanwhile_ends_the_backup(town_factory, tmp_path):
    quiet = Quiet(town_factory(accounts=4))
    process = start("backup", tmp_path / "file", "--data", quiet.data)
    stopped_at(tmp_path / "file.part", process)
    quiet.town.broker.kill()
    status, said = ended(process)
    assert status == 3 and "try again" in said and names_in(tmp_path) == []
    quiet.town.broker.start()
    assert quiet.is_in(quiet.town.broker)


def test_no_broker_begins_while_a_backup_is_made_without_one(town_factory, tmp_path):
    quiet = Quiet(town_factory(accounts=4))
    quiet.town.broker.stop()
    process = start("backup", tmp_path / "file", "--data", quiet.data)
    stopped_at(tmp_path / "file.part", process)
    done = zchatd("--data", quiet.data, "--port", "0", check=3)
    assert "in use" in done.stderr
    assert ended(process)[0] == 0


def test_a_restore_that_is_killed_leaves_nothing_that_starts(quiet, tmp_path):
    file, folder = tmp_path / "file", tmp_path / "folder"
    backup(quiet.data, file)
    process = start("restore", file, "--data", folder)
    stopped_at(folder / "zchat.db-pieces", process, least=1)
    process.kill()
    ended(process)
    said = zchatd("--data", folder, "--port", "0", check=3).stderr
    assert "missing or empty" in said and "backup" in said
    restore(file, folder)
    assert zchatd("check-store", "--data", folder).returncode == 0
    assert "zchat.db-restoring" not in names_in(folder)


# ---- what the environment refuses ----


def test_a_full_disk_is_said_and_leaves_nothing(quiet, tmp_path):
    mount, file = tmp_path / "disk", tmp_path / "file"
    mount.mkdir()
    backup(quiet.data, file)
    with small_disk(mount, 20) as disk:
        fill(disk.path, 5 * MIB)
        assert "has no room for the backup" in backup(quiet.data, mount / "file", check=3).stderr
        assert names_in(mount) == ["junk"]
        assert "No space left" in restore(file, mount / "folder", check=3).stderr
        assert names_in(mount) == ["junk"]
    assert quiet.is_in(quiet.town.broker)


@pytest.mark.parametrize("mib", [0, 1, 6])
def test_a_limit_of_the_files_size_is_said_and_leaves_nothing(mib, quiet, tmp_path):
    def few():
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_FSIZE, (mib * MIB, mib * MIB))
    process = start("backup", tmp_path / "file", "--data", quiet.data, prepare=few)
    status, said = ended(process)
    assert status == 3 and said.count("\n") == 1 and str(tmp_path / "file") in said, said
    assert names_in(tmp_path) == []
    assert quiet.is_in(quiet.town.broker)


def test_with_few_descriptors_it_is_said_or_done(quiet, tmp_path):
    for number in range(4, 26):
        def few():
            die_with_parent()
            resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))
        process = start("backup", tmp_path / "file", "--data", quiet.data, prepare=few)
        status, said = ended(process)
        assert status in (0, 3), (number, status, said)
        assert names_in(tmp_path) == (["file"] if status == 0 else []), (number, said)
        if status == 0:
            break
        assert said.startswith("zchatd ") and said.count("\n") == 1, said
    assert status == 0, "25 are enough"
    backup(quiet.data, tmp_path / "another")
