"""Passwords and keys: where they must not be seen."""

import pathlib
import stat

import zmq

from support.client import Keys
from support.sockets import curve_socket
from support.tap import Tap
from support.town import refused

PASSWORD = "tr0ub4dor-und-drei-secret"
NEW = "n3w-und-vier-secret"
WRONG = "wr0ng-und-fuenf-secret"
TEXT = "a-message-und-sechs-secret"
ALL = [PASSWORD, NEW, WRONG]


def use_passwords(town, client, name):
    client.register(name, PASSWORD)
    refused("AUTH", client.login, name, WRONG)
    client.login(name, PASSWORD)
    client.call("change_password", old_password=PASSWORD, new_password=NEW)
    client.message(town.name(), TEXT)


def files_of(folder):
    return [path for path in pathlib.Path(folder).rglob("*") if path.is_file()]


def processes_arguments():
    for path in pathlib.Path("/proc").glob("[0-9]*"):
        for file in ("cmdline", "environ"):
            try:
                yield (path / file).read_bytes()
            except OSError:
                pass


def assert_nowhere(town, secrets):
    for secret in secrets:
        assert secret not in town.broker.log_text(), "the log shows it"
        for path in files_of(town.broker.data):
            assert secret.encode() not in path.read_bytes(), f"{path.name} shows it"
        for arguments in processes_arguments():
            assert secret.encode() not in arguments, "the process list shows it"


def test_passwords_are_not_in_the_log_the_store_or_the_process_list(town_factory):
    town = town_factory("--log-level", "debug", accounts=1)
    use_passwords(town, town.guest(), "yoda")
    assert_nowhere(town, ALL)
    assert TEXT not in town.broker.log_text(), "the log shows a message"
    town.leave()
    town.broker.stop()
    town.broker.add_user("luke", password=WRONG + "-offline")
    assert_nowhere(town, ALL)
    store = b"".join(path.read_bytes() for path in files_of(town.broker.data))
    assert store.count(b"$argon2id$") >= 2, "passwords are kept as Argon2id hashes"
    town.broker.start()
    town.guest().login("luke", WRONG + "-offline")


def test_neither_passwords_nor_messages_are_on_the_wire(town_factory):
    town = town_factory(accounts=1)
    client = town.guest()
    client.close()
    with Tap(town.broker.commands) as tap:
        client.dealer = curve_socket(zmq.DEALER, town.broker.server_key.encode(), client.keys)
        client.dealer.connect(tap.address)
        use_passwords(town, client, "yoda")
        seen = tap.data()
    assert b"CURVE" in seen, "the tap saw the connection"
    for secret in [*ALL, TEXT, "yoda"]:
        assert secret.encode() not in seen


def test_the_folder_and_its_files_are_their_owners_alone(town_factory):
    town = town_factory(accounts=1)
    use_passwords(town, town.guest(), "yoda")
    assert stat.S_IMODE(town.broker.data.stat().st_mode) == 0o700
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in files_of(town.broker.data)}
    assert "zchat.db" in modes and "endpoints.json" in modes
    for name, mode in modes.items():
        assert mode & 0o077 == 0 or name == "endpoints.json", f"{name} has {mode:o}"


def test_the_secret_key_is_told_to_nobody(town_factory):
    town = town_factory("--log-level", "debug", accounts=1)
    keys = Keys()
    client = town.guest(keys)
    client.register("yoda", PASSWORD)
    client.login("yoda")
    log = town.broker.log_text()
    for path in files_of(town.broker.data):
        content = path.read_bytes()
        assert keys.secret not in content
        for line in content.decode(errors="replace").splitlines():
            word = line.rpartition("=")[2].strip().strip('"')
            if "secret" in line and len(word) >= 40:
                assert word not in log
    assert keys.secret.decode() not in log
