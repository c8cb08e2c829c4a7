"""The broker's key: its fingerprint, the pin at first contact, the alarm, and forget."""

import hashlib
import re
import shlex
import subprocess

import pytest

from support.broker import program
from support.client import Keys
from support.patience import WAIT_S
from zchat_terminal import Person
from zmq_cli import Cli


def fingerprint_of(key_z85):
    import zmq
    digits = hashlib.blake2b(zmq.utils.z85.decode(key_z85), digest_size=16).hexdigest()
    return [digits[i:i + 4] for i in range(0, 32, 4)]


@pytest.fixture
def newcomer(town, config_dirs):
    """A zmq-cli that knows the address alone."""
    cli = Cli(town.broker, config_dirs("newcomer"))
    del cli.environment["ZCHAT_SERVER_KEY"]
    return cli


def known(cli):
    return cli.folder / "known_brokers"


def pin_another_key(cli):
    """As if the broker had another identity since."""
    cli.ok("--trust-new", "ping")
    name, _ = known(cli).read_text().split()
    known(cli).write_text(f"{name} {Keys().public.decode()}\n")
    return name


def test_the_broker_prints_the_fingerprint_that_clients_show(town, newcomer):
    told = town.broker.wait_log(r"\bready\b.* fingerprint=(\S+)$")[1]
    assert told.split("-") == fingerprint_of(town.broker.server_key)
    assert shlex.split(told) == [told] and shlex.quote(told) == told
    error = newcomer.fails(3, "UNKNOWN_KEY", "ping")
    assert " ".join(told.split("-")) in error["message"]


@pytest.mark.parametrize("between", ["-", " ", ":", ""])
def test_the_fingerprint_stands_for_the_key(town, newcomer, between):
    right = fingerprint_of(town.broker.server_key)
    newcomer.ok("ping", "--server-key", between.join(right))
    newcomer.ok("ping", "--server-key", between.join(right).upper())
    assert not known(newcomer).exists()
    error = newcomer.fails(3, "WRONG_KEY", "ping", "--server-key", between.join(right[::-1]))
    assert " ".join(right) in error["message"] and " ".join(right[::-1]) in error["message"]


@pytest.mark.parametrize("key", ["", "0123-4567", "0123-4567-89ab-cdef-0123-4567-89ab-cde",
                                 "0123-4567-89ab-cdef-0123-4567-89ab-cdef-0", "x" * 32])
def test_a_part_of_a_fingerprint_is_no_key(newcomer, key):
    newcomer.fails(2, "INVALID", "ping", "--server-key", key)


def test_zchat_takes_the_fingerprint_as_well(town, tmp_path):
    person = Person(town.broker, tmp_path)
    key = "-".join(fingerprint_of(town.broker.server_key))
    assert "answered in" in person.script(["ping"], None, "--server-key", key, known=False, check=0).stdout


def test_the_alarm_names_the_file_and_a_command_that_lets_go(newcomer):
    name = pin_another_key(newcomer)
    error = newcomer.fails(3, "WRONG_KEY", "ping")
    assert name in error["message"] and "known_brokers" in error["message"]
    command = re.search(r"run: zmq-cli (forget .*?) \(", error["message"])[1]
    done = subprocess.run(f"{shlex.quote(str(program('zmq-cli')))} {command}", shell=True, text=True,
                          capture_output=True, timeout=WAIT_S)
    assert done.returncode == 0 and done.stdout.startswith(f"forgot {name}, whose key was "), done
    assert known(newcomer).read_text() == ""
    newcomer.fails(3, "UNKNOWN_KEY", "ping")


def test_the_command_of_the_alarm_bears_a_blank_in_the_path(town, tmp_path):
    folder = tmp_path / "a folder"
    folder.mkdir(mode=0o700)
    cli = Cli(town.broker, folder)
    del cli.environment["ZCHAT_SERVER_KEY"]
    pin_another_key(cli)
    command = re.search(r"run: zmq-cli (forget .*?) \(", cli.fails(3, "WRONG_KEY", "ping")["message"])[1]
    subprocess.run(f"{shlex.quote(str(program('zmq-cli')))} {command}", shell=True, check=True,
                   capture_output=True, timeout=WAIT_S)
    assert known(cli).read_text() == ""


def test_forget_takes_one_line_and_asks_nobody(town, newcomer):
    newcomer.ok("--trust-new", "ping")
    line = known(newcomer).read_text()
    name, key = line.split()
    others = ["before:4000 " + Keys().public.decode(), f"x{name} " + Keys().public.decode(),
              "behind:4000 no key at all"]
    known(newcomer).write_text("\n".join([others[0], others[1], line + others[2]]))
    told = newcomer.ok("forget", name, ZCHAT_SERVER="127.0.0.1:1").one
    assert told == {"forgotten": name, "fingerprint": " ".join(fingerprint_of(key))}
    assert known(newcomer).read_text() == "\n".join(others)
    error = newcomer.fails(5, "NOT_FOUND", "forget", name)
    assert str(known(newcomer)) in error["message"]
    assert newcomer.ok("forget", "behind").one["fingerprint"] == ""
    assert known(newcomer).read_text() == "\n".join(others[:2]) + "\n"


@pytest.mark.parametrize("what", ["", "a b", "host:port", "@", "user@"])
def test_what_is_no_host_is_refused(newcomer, what):
    newcomer.fails(2, "INVALID", "forget", what)


def test_forget_knows_the_peers_of_private_chats(newcomer):
    peers = newcomer.folder / "known_peers"
    peers.write_text(f"bob@localhost:4000 {Keys().public.decode()}\n"
                     f"bob@elsewhere:4000 {Keys().public.decode()}\n")
    peers.chmod(0o600)
    newcomer.ok("forget", "bob@localhost")
    assert peers.read_text().startswith("bob@elsewhere:4000 ") and peers.read_text().count("\n") == 1
    newcomer.fails(5, "NOT_FOUND", "forget", "carol@localhost")


@pytest.mark.parametrize("cut", [lambda line: line.split()[0], lambda line: line.split()[0] + " ",
                                 lambda line: line.split()[0][:-2],
                                 lambda line: line.split()[0] + "\n"])
def test_a_pin_that_lost_its_key_is_no_first_contact(newcomer, cut):
    newcomer.ok("--trust-new", "ping")
    damaged = cut(known(newcomer).read_text())
    known(newcomer).write_text(damaged)
    error = newcomer.fails(3, "IO", "--trust-new", "ping")
    assert "known_brokers" in error["message"] and "remove" in error["message"]
    assert known(newcomer).read_text() == damaged
    newcomer.ok("forget", damaged.strip())
    newcomer.ok("--trust-new", "ping")


def test_zchat_forgets_as_well(town, tmp_path):
    person = Person(town.broker, tmp_path)
    person.script(["ping"], None, "--trust-new", known=False, check=0)
    pins = person.config / "known_brokers"
    name = pins.read_text().split()[0]
    done = person.script([f"forget {name}"], None, known=False, check=0)
    assert done.stdout.startswith(f"forgot {name}, whose key was "), done
    assert pins.read_text() == ""
