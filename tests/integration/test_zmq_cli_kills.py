"""zmq-cli is killed at any moment while it hands what comes to a command. Nothing is skipped, and nothing counts as
read that the command did not accept: the command notes each number, and the numbers begin at 1 and grow by one, but
for those that were under way when it was killed, which come again.

ZCHAT_KILLS says how often."""

import os
import random
import time

import pytest

from support.ids import new_id
from zmq_cli import Cli, end

KILLS = int(os.environ.get("ZCHAT_KILLS", 20))
ENTRIES = 15 * KILLS
# From before the first connection to far in the work, whatever the machine has to do.
SHORTEST_S, LONGEST_S = 0.01, 0.4


class Log:
    """What the command noted: each number that it accepted."""

    def __init__(self, folder):
        self.path = folder / "accepted"
        self.path.touch()
        self.command = f"echo $ZCHAT_SEQ >> {self.path}"

    def numbers(self):
        return [int(line) for line in self.path.read_text().split()]

    def check(self, cursor):
        firsts = list(dict.fromkeys(self.numbers()))
        assert firsts == list(range(1, len(firsts) + 1)), "something was skipped"
        assert cursor <= len(firsts), "something counts as read that was not accepted"


def kill_often(reader, words, log, cursor):
    seed = random.randrange(2**32)
    print(f"seed {seed}")
    chance = random.Random(seed)
    for _ in range(KILLS):
        process = reader.start(*words, "--follow", "--exec", log.command)
        time.sleep(chance.uniform(SHORTEST_S, LONGEST_S))
        process.kill()
        end(process)
        log.check(cursor())


def finish(reader, words, log, cursor):
    while cursor() < ENTRIES:
        reader.ok(*words, "--count", min(ENTRIES - cursor(), 50), "--exec", log.command)
    assert set(log.numbers()) == set(range(1, ENTRIES + 1))
    log.check(ENTRIES)


@pytest.fixture
def reader(town, config_dirs):
    return Cli(town.broker, config_dirs("reader"), town.name(), town.keys)


@pytest.fixture
def watch(town, reader):
    """Another session of the reader's, which sees the cursors."""
    return town.join(reader.environment["ZCHAT_USER"], inbox=False, online=False)


def test_recv_loses_and_skips_nothing(town, reader, watch, tmp_path):
    log, writer = Log(tmp_path), town.join(inbox=False)
    writer.batch([("send_message", dict(id=new_id(), to=watch.user, text=str(n))) for n in range(ENTRIES)])

    def cursor():
        return watch.call("ack").cursor

    kill_often(reader, ["recv"], log, cursor)
    finish(reader, ["recv"], log, cursor)


def test_events_lose_and_skip_nothing(town, reader, watch, tmp_path):
    log, writer, thread = Log(tmp_path), town.join(inbox=False), f"thread of {watch.user}"
    writer.create_thread(thread)
    reader.ok("thread", "follow", thread)
    writer.batch([("post_to_thread", dict(id=new_id(), thread=thread, text=str(n))) for n in range(ENTRIES)])

    def cursor():
        return watch.list_followed()[0].cursor

    kill_often(reader, ["events", "--topic", "thread"], log, cursor)
    finish(reader, ["events", "--topic", "thread"], log, cursor)
