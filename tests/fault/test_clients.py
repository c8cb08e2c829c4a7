"""zmq-cli and zchat with few file descriptors, and when one call fails that the environment can refuse:
each ends with a sentence and a status of its contract, or works; nothing hangs."""

import os
import resource
import subprocess

import pytest

from support.broker import Broker, bin_dir, die_with_parent, program
from support.patience import WAIT_S

LIBRARY = bin_dir().parent / "lib" / "libzchat_test_fault.so"
FUNCTIONS = ("open", "malloc", "calloc", "realloc", "eventfd", "rename")
EACH_MAX = 6
STATUSES = {0, 1, 2, 3, 4, 124}
SCRIPT = "send bob hello\nwho\n"


def is_sanitized():
    return b"__asan_init" in open(program("zmq-cli"), "rb").read()


pytestmark = pytest.mark.skipif(is_sanitized(), reason="the sanitizer has the allocator")


class Scene:
    def __init__(self, broker, folder):
        self.broker, self.folder, self.runs = broker, folder, 0
        self.password = broker.password_file("secret")

    def command(self, name):
        server = self.broker.address.removeprefix("tcp://")
        common = ["--server-key", self.broker.server_key, "--user", "alice", "--password-file", str(self.password)]
        if name == "zmq-cli":
            return [program(name), "--server", server, *common, "--timeout", "3", "send", "bob", "hello"]
        return [program(name), *common, server]

    def run(self, name, descriptors=None, **environment):
        """A run with a home of its own; its status and what it said."""
        self.runs += 1
        home = self.folder / f"home-{self.runs}"
        home.mkdir()

        def prepare():
            die_with_parent()
            if descriptors is not None:
                resource.setrlimit(resource.RLIMIT_NOFILE, (descriptors, descriptors))
        environment = dict(os.environ, HOME=str(home), XDG_CONFIG_HOME=str(home), XDG_STATE_HOME=str(home),
                           TERM="dumb", **environment)
        what = f"{name} {descriptors or ''} {environment.get('ZCHAT_FAULT', '')}"
        try:
            done = subprocess.run(self.command(name), input=SCRIPT if name == "zchat" else "", env=environment,
                                  capture_output=True, text=True, timeout=WAIT_S, preexec_fn=prepare, check=False)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{what}: it hangs") from None
        assert done.returncode in STATUSES, f"{what}: status {done.returncode}\n{done.stderr}"
        assert done.returncode == 0 or f"{name}: " in done.stderr, f"{what}: no sentence\n{done}"
        assert "Assertion" not in done.stderr, f"{what}\n{done.stderr}"
        return done.returncode


@pytest.fixture(scope="module")
def scene(tmp_path_factory):
    with Broker("--rate-passwords", "0", "--block-duration", "1", "--sessions-per-user", "1000") as broker:
        for user in ("alice", "bob"):
            broker.add_user(user, password="secret")
        yield Scene(broker, tmp_path_factory.mktemp("homes"))


@pytest.mark.parametrize("name", ["zmq-cli", "zchat"])
def test_with_few_descriptors_it_says_so_or_works(name, scene):
    step = 1 if os.environ.get("ZCHAT_FAULT_ALL") else 2
    numbers = [*range(6 + (name == "zchat") % step, 41, step), 64]
    statuses = [scene.run(name, descriptors=number) for number in numbers]
    assert statuses[0] != 0 and statuses[-1] == 0


def some(count):
    if os.environ.get("ZCHAT_FAULT_ALL") or count <= EACH_MAX:
        return range(1, count + 1)
    return sorted({1 + (count - 1) * step // (EACH_MAX - 1) for step in range(EACH_MAX)})


@pytest.mark.parametrize("name", ["zmq-cli", "zchat"])
def test_a_call_that_fails_is_an_error_with_a_sentence_or_is_survived(name, scene, tmp_path):
    path = tmp_path / "counts"
    assert scene.run(name, LD_PRELOAD=str(LIBRARY), ZCHAT_FAULT_COUNTS=str(path)) == 0
    counts = {function: int(count) for function, count in (line.split() for line in path.read_text().splitlines())}
    assert sum(counts[function] for function in FUNCTIONS) > 20, "nothing is called: the test means nothing"
    for function in FUNCTIONS:
        for nth in some(counts[function]):
            scene.run(name, LD_PRELOAD=str(LIBRARY), ZCHAT_FAULT=f"{function} {nth}")
