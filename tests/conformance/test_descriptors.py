"""The broker's descriptors: as many as the hard limit allows, some kept back, none of the standard ones
given to a file. And connections whose other end is gone without a word."""

import os
import re
import resource
import subprocess
import threading
import time

import pytest

from support import schema
from support.broker import die_with_parent, program
from support.client import TimedOut, make_command
from support.curve import Raw, null_handshake
from support.network import Network, NotPermitted
from support.patience import WAIT_S
from support.town import Town

NOTICED_S = 20


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def test_the_soft_limit_is_raised_to_the_hard_one_and_told(broker_factory):
    soft, hard = 100, 300
    broker = broker_factory(start=False)
    prepare = broker.prepare

    def lower():
        prepare()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))

    broker.prepare = lower
    broker.start()
    assert resource.prlimit(broker.pid, resource.RLIMIT_NOFILE) == (hard, hard)
    assert int(broker.wait_log(r"event=descriptors max=(\d+)")[1]) == hard


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
def test_with_standard_descriptors_closed_nothing_is_written_into_its_files(broker_factory, closed):
    """What is meant for people must not end up in a file of the broker that got their descriptor."""
    broker = broker_factory()
    broker.stop()
    (broker.data / "endpoints.json").unlink(missing_ok=True)
    process = subprocess.Popen(["sh", "-c", f'exec "$@" {closed}', "sh", program("zchatd"), "--bind", "127.0.0.1",
                                "--port", "0", "--data", str(broker.data)], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent)
    try:
        deadline = time.monotonic() + WAIT_S
        while not (broker.data / "endpoints.json").exists():
            assert time.monotonic() < deadline and process.poll() is None
        standard = [os.readlink(f"/proc/{process.pid}/fd/{number}") for number in range(3)]
        assert standard == ["/dev/null"] * 3
    finally:
        process.terminate()
        assert process.wait(10) == 0
    assert (broker.data / "lock").read_bytes() == b""


def cpu_ticks(pid):
    with open(f"/proc/{pid}/stat") as file:
        fields = file.read().rpartition(")")[2].split()
    return int(fields[11]) + int(fields[12])


def test_members_who_take_all_descriptors_are_told_of_and_the_broker_rests(town_factory):
    """Nobody is cut who is in, it is said in the log, and what can't be accepted is not tried all the time."""
    town = town_factory(accounts=150, nofile=120)
    members = []
    try:
        for _ in range(100):
            members.append(town.join(timeout=20))
    except TimedOut:
        pass
    assert len(members) > 60
    town.broker.wait_log("event=descriptors_short")
    used = descriptors(town.broker.pid)
    assert used <= 115, f"{used} of 120 are in use: none is kept"
    for member in members:
        member.ping()
    before, start = cpu_ticks(town.broker.pid), time.monotonic()
    time.sleep(1)  # what is measured is a share of that second
    share = (cpu_ticks(town.broker.pid) - before) / os.sysconf("SC_CLK_TCK") / (time.monotonic() - start)
    assert share < 0.5, f"it uses {share:.0%} of a core"
    members[0].logout()
    members[0].close()
    for member in members[1:5]:
        member.close()
    town.enter()


def test_a_bound_of_lines_tells_of_what_was_cut(town_factory):
    town = town_factory(accounts=5, nofile=256)
    crowd = []
    for _ in range(600):
        try:
            crowd.append(null_handshake(town.broker.address))
        except OSError:
            pass
    town.broker.wait_log("event=connection_cut")
    for sock in crowd:
        sock.close()
    lines = re.findall("event=connection_cut", town.broker.log_text())
    assert 1 <= len(lines) <= 10
    town.join()


# ---- the other end is gone ----

class Far:
    """A broker at one host, and a client at another one whose link is going to be cut."""

    def __init__(self):
        self.network = Network(2)
        try:
            here = self.network.hosts[0]
            with here:
                self.town = Town(accounts=5, bind=here.address)
        except BaseException:
            self.network.close()
            raise

    def close(self):
        try:
            with self.network.hosts[0]:
                self.town.close()
        finally:
            self.network.close()


@pytest.fixture
def far():
    try:
        made = Far()
    except NotPermitted as error:
        pytest.skip(str(error))
    yield made
    made.close()


def connections_of(pid, port):
    """How many established connections of the broker's network have that port of ours."""
    rows = []
    for table in ("tcp", "tcp6"):
        with open(f"/proc/{pid}/net/{table}") as file:
            rows += [line.split() for line in file.readlines()[1:]]
    return sum(1 for row in rows if row[3] == "01" and int(row[1].rsplit(":", 1)[1], 16) == port)


def test_a_peer_that_is_gone_without_a_word_is_noticed_within_20_s(far):
    here, there = far.network.hosts
    town, made = far.town, {}
    ports = [int(getattr(town.broker, name).rsplit(":", 1)[1]) for name in ("address", "commands", "events")]

    def go_there():
        with there:
            key = town.broker.server_key.encode()
            made["greeter"] = null_handshake(town.broker.address)
            made["client"] = Raw(town.broker.commands, key, town.keys)
            login = make_command(1, "login", protocol=1, user=town.name())
            made["client"].send(schema.CommandBatch(commands=[login]).SerializeToString())
            assert made["client"].receive() is not None
            made["ear"] = Raw(town.broker.events, key, town.keys, kind=b"SUB")
            made["ear"].send(b"\x01x")

    thread = threading.Thread(target=go_there)
    thread.start()
    thread.join(WAIT_S)
    assert "ear" in made
    deadline = time.monotonic() + WAIT_S
    while [connections_of(town.broker.pid, port) for port in ports] != [1, 1, 1]:
        assert time.monotonic() < deadline
    subprocess.run(["ip", "-n", there.namespace, "link", "set", "eth0", "down"], check=True, timeout=WAIT_S)
    start = time.monotonic()
    while sum(connections_of(town.broker.pid, port) for port in ports) > 0:
        assert time.monotonic() - start < NOTICED_S + 2, [connections_of(town.broker.pid, port) for port in ports]
        time.sleep(0.1)  # between two looks at the table of connections
    town.broker.wait_log("event=session_end", 5)
