"""Nothing is told before the disk has it: the broker's syncs wait for the test, or fail."""

import os
import threading

import pytest

from support.broker import bin_dir
from support.client import new_id
from support.patience import WAIT_S

# How long an answer would have to come that must not come: it takes some milliseconds otherwise.
SILENCE_S = 0.3


class Gate:
    """Holds a broker's syncs from close() on."""

    def __init__(self, folder):
        self.path = str(folder / "gate")
        self.environment = {
            "LD_PRELOAD": str(bin_dir().parent / "lib" / "libzchat_test_preload.so"),
            "ZCHAT_TEST_GATE": self.path,
            "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":verify_asan_link_order=0",
        }
        self._held = None

    def close(self):
        os.mkfifo(self.path)

    def wait_held(self):
        """Until a sync stands before it."""
        opened = []
        opener = threading.Thread(target=lambda: opened.append(os.open(self.path, os.O_WRONLY)), daemon=True)
        opener.start()
        opener.join(WAIT_S)
        assert opened, f"nothing was synced within {WAIT_S} s"
        self._held = opened[0]

    def open(self, failing=False):
        if failing:
            os.write(self._held, b"x")
        os.unlink(self.path)
        os.close(self._held)


@pytest.fixture
def gate(tmp_path):
    return Gate(tmp_path)


def send(client, to, text):
    return client.start("send_message", id=new_id(), to=to, text=text)


def test_a_message_is_told_and_acknowledged_once_the_disk_has_it(gate, town_factory):
    town = town_factory(accounts=3, environment=gate.environment)
    alice, bob, carol = town.join(), town.join(), town.join()
    alice.message("user.001", "before")
    bob.wait_text("before")
    gate.close()
    first = send(alice, "user.001", "held")
    gate.wait_held()
    second = send(carol, "user.001", "behind it")
    for client in alice, bob, carol:
        client.pump(SILENCE_S)
    assert first not in alice.replies and second not in carol.replies
    assert bob.texts() == ["before"]
    gate.open()
    assert alice.wait_reply(first).seq == 2
    assert carol.wait_reply(second).seq == 1
    bob.wait_have(3)
    assert bob.texts() == ["before", "held", "behind it"]


def test_a_sync_that_fails_acknowledges_nothing_and_a_retry_sends_once(gate, town_factory):
    town = town_factory(accounts=2, environment=gate.environment)
    alice, bob = town.join(), town.join()
    gate.close()
    request = send(alice, "user.001", "once")
    gate.wait_held()
    gate.open(failing=True)
    assert town.broker.exits_with() == 1
    assert "the store failed" in town.broker.log_text()
    alice.pump(0)
    assert request not in alice.replies
    town.broker.start()
    alice.resume()
    bob.resume()
    assert alice.wait_reply(request).seq == 1
    bob.wait_have(1)
    assert bob.texts() == ["once"]
