"""What the README prints, typed as printed: its tour in three terminals and the administrator's part, top to bottom, and
tools/run before, between and after. On a host of its own, where port 4000 is free."""

import os
import pathlib
import re
import signal
import socket
import time

import pytest

from support.broker import ROOT, Broker, program
from support.network import Network, NotPermitted
from support.patience import WAIT_S
from zchat_terminal import Terminal
from zmq_cli import clean_environment, end
from zmq_cli_world import LIMITS, World

README = (ROOT / "README.md").read_text()
TYPED = re.compile(r"    (?P<where>broker\$|bob\$|alice\$|admin\$|zchat>|bob>) (?P<line>.*)")
PASSWORD = "correct horse 42"


def steps(*headings):
    """(where, line, what is printed then) of each line that the sections tell to type."""
    found = []
    for heading in headings:
        section = re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", README, re.M | re.S)[1]
        for line in section.splitlines():
            if typed := TYPED.fullmatch(line):
                found.append((typed["where"], typed["line"], []))
            elif line.startswith("    ") and found and line.strip() != "…":
                found[-1][2].append(line.strip())
    return found


@pytest.fixture
def host():
    try:
        network = Network(1)
    except NotPermitted as reason:
        pytest.skip(f"needs network namespaces: {reason}")
    yield network.hosts[0]
    network.close()


@pytest.fixture
def checkout(tmp_path):
    """A folder like a checkout that is built."""
    folder = tmp_path / "zchat"
    folder.mkdir()
    (folder / "README.md").write_text(README)
    (folder / "tools").symlink_to(ROOT / "tools")
    (folder / "build").mkdir()
    (folder / "build" / "bin").symlink_to(pathlib.Path(program("zchatd")).parent)
    return folder


@pytest.fixture
def terminals(host, checkout, tmp_path):
    """Makes a shell in a terminal: terminals("bob")."""
    home = tmp_path / "home"
    home.mkdir()
    environment = clean_environment(home, LANG="C.UTF-8", TZ="UTC", HISTFILE="/dev/null",
                                    BASH_SILENCE_DEPRECATION_WARNING="1",
                                    ZCHAT_TIMEOUT=str(WAIT_S)) # a busy machine takes more than the default
    environment.pop("ZCHAT_BIN_DIR", None)
    made = []

    def make(name, **more):
        with host:
            shell = ["env", "-C", checkout, f"PS1={name}$ ", *(f"{key}={value}" for key, value in more.items()),
                     "bash", "--norc", "--noprofile", "-i"]
            made.append(Terminal([str(word) for word in shell], environment, columns=200, rows=50))
        made[-1].wait_last(f"{name}$")
        return made[-1]

    yield make
    for terminal in made:
        print(terminal.text(), end="\n\n") # pytest shows it where the test failed
        terminal.tmux("send-keys", "C-c")
        terminal.close()


def listens(host):
    with host, socket.socket() as sock:
        return sock.connect_ex(("127.0.0.1", 4000)) == 0


def looks_like(printed):
    """The pattern of a line of the README, where "…" stands for anything."""
    return ".*".join(map(re.escape, printed.split("…")))


def enter_with_a_new_account(alice, name="alice"):
    """What Alice is asked: trust, a password, an account. Returns the fingerprint that she was shown."""
    shown = alice.wait_match(r"fingerprint is\n +((?:[0-9a-f]{4} ){7}[0-9a-f]{4})$", WAIT_S)[1]
    alice.wait_for("(yes/no)")
    alice.enter("yes")
    register(alice, name)
    return shown


def register(alice, name):
    alice.wait_for(f"{name}'s password:", WAIT_S)
    alice.enter(PASSWORD)
    alice.wait_for("new account?")
    alice.enter("yes")
    alice.wait_for("the same password again:")
    alice.enter(PASSWORD)
    alice.wait_last("zchat>", WAIT_S)


class Tour:
    def __init__(self, terminals):
        self.terminals, self.open, self.fingerprint = terminals, {}, None

    def shell(self, name):
        if name not in self.open:
            self.open[name] = self.terminals(name)
        return self.open[name]

    def broker(self, line, printed):
        self.shell("broker").enter(line)
        self.fingerprint = self.shell("broker").wait_match(looks_like(printed[0]) + "$", WAIT_S)[0]
        self.fingerprint = self.fingerprint.rpartition("=")[2]

    def restart_broker(self, line, printed):
        broker = self.shell("broker")
        broker.key("C-c")
        broker.wait_last("broker$", WAIT_S)
        self.shell("alice").wait_for("the connection", WAIT_S)
        broker.tmux("clear-history")
        broker.enter("clear")
        broker.wait(lambda: broker.text() == "broker$")
        self.broker(line, printed)
        self.shell("alice").wait_match("connected again|is back|again", WAIT_S)

    def prompt_of_zchat(self):
        return self.shell("alice").wait(lambda: re.fullmatch(r"(zchat|bob)>", self.shell("alice").last()))[0]

    def in_zchat(self, where, line, printed):
        alice = self.shell("alice")
        alice.wait_last(where, WAIT_S)
        alice.enter(line)
        for wanted in printed:
            alice.wait_match("^" + looks_like(wanted), WAIT_S)

    def in_shell(self, name, line, printed):
        shell = self.shell(name)
        before = shell.text().count(f"{name}$")
        shell.enter(line)
        for wanted in printed:
            shell.wait_match("^" + looks_like(wanted), WAIT_S)
        shell.wait(lambda: shell.text().count(f"{name}$") > before and shell.last() == f"{name}$",
                   f"the end of {line!r}", WAIT_S)
        shell.enter("echo status $?")
        shell.wait_match(r"^status \d+$")
        assert shell.text().rpartition("\nstatus ")[2].startswith("0\n"), shell.text()
        shell.wait_last(f"{name}$")


def test_the_readme_prints_commands_for_all_terminals():
    places = {where for where, _, _ in steps("A tour in three terminals", "For administrators")}
    assert places == {"broker$", "bob$", "alice$", "admin$", "zchat>", "bob>"}


def test_the_tour_runs_as_printed(terminals, tmp_path):
    tour, serve = Tour(terminals), None
    for where, line, printed in steps("A tour in three terminals"):
        alice = tour.open.get("alice")
        if where == "broker$":
            serve = line, printed
            tour.broker(line, printed)
        elif where == "alice$":
            tour.shell("alice").enter(line)
            assert enter_with_a_new_account(tour.shell("alice")).split() == tour.fingerprint.split("-")
        elif where == "bob>" and line.startswith("plain lines"):
            alice.wait_last("bob>")     # the README shows what the prompt now means
            alice.enter(line)
            alice.wait_for("bob is away; stored for later")
        elif where in ("zchat>", "bob>"):
            if line.startswith("thread create"):
                tour.restart_broker(*serve)
            tour.in_zchat(where, line, printed)
        elif "private accept" in line:
            tour.shell("bob").enter(line)
            tour.shell("bob").wait_match("^" + looks_like(printed[0]), WAIT_S)
        else:
            tour.in_shell("bob", line, printed)
    tour.shell("bob").wait_match("alice: only for you$", WAIT_S)
    tour.shell("bob").wait_last("bob$", WAIT_S)
    tour.shell("alice").wait_last("alice$", WAIT_S)
    for text in ("on my way", "who brings the ladders?", "README.md"):
        assert text in tour.shell("alice").text()
    assert (tmp_path / "home" / "README.md").read_text() == README
    for where, line, printed in steps("For administrators"):
        tour.in_shell("admin", line, printed)
    tour.shell("broker").wait_last("broker$", WAIT_S)


def test_tools_run_leaves_nothing_behind_and_bears_what_the_tour_leaves(terminals, host, tmp_path):
    """Its own broker, with one identity; then the tour's broker, with another; then its own again."""
    serve = next(line for where, line, _ in steps("A tour in three terminals") if where == "broker$")
    run = terminals("run", ZCHAT_BIN_DIR=pathlib.Path(program("zchatd")).parent, ZCHAT_DATA=tmp_path / "run-data")
    assert not listens(host)
    run.enter("tools/run alice@localhost")
    run.wait_for("started a broker, which ends when you leave", WAIT_S)
    register(run, "alice")
    second = terminals("second", ZCHAT_BIN_DIR=pathlib.Path(program("zchatd")).parent, ZCHAT_DATA=tmp_path / "run-data")
    second.enter("tools/run alice@localhost")
    second.wait_for("the broker of an earlier tools/run is listening", WAIT_S)
    second.wait_last("zchat>", WAIT_S)
    second.enter("quit")
    second.wait_last("second$", WAIT_S)
    assert listens(host)
    run.enter("quit")
    run.wait_last("run$", WAIT_S)
    assert not listens(host)
    broker = terminals("broker")
    broker.enter(serve)
    broker.wait_match("^ready ", WAIT_S)
    run.enter("clear")
    run.enter("tools/run carol@localhost")
    run.wait_for("a broker is listening already; joining it", WAIT_S)
    enter_with_a_new_account(run, "carol")
    run.enter("quit")
    run.wait_last("run$", WAIT_S)
    assert listens(host)
    broker.key("C-c")
    broker.wait_last("broker$", WAIT_S)
    run.enter("clear")
    run.enter("tools/run alice@localhost")
    run.wait_for("started a broker", WAIT_S)
    run.wait_last("zchat>", WAIT_S)
    assert "was pinned" not in run.text()
    run.enter("quit")
    run.wait_last("run$", WAIT_S)


# ---- the lines for scripts ----


def script_of(words):
    """The lines of the section "For scripts" between two comments, that one with these words in its comment."""
    section = re.search(r"^## For scripts\n(.*?)(?=^## )", README, re.M | re.S)[1]
    parts = re.split(r"^    # ", section, flags=re.M)[1:]
    [part] = [part for part in parts if words in part.partition("\n")[0]]
    return "\n".join(line[4:] for line in part.splitlines()[1:])


@pytest.fixture(scope="module")
def _world(tmp_path_factory):
    broker = Broker(*LIMITS)
    try:
        yield World(broker, tmp_path_factory.mktemp("world"))
        broker.finish()
    finally:
        broker.close()


@pytest.fixture
def world(_world):
    """Alice has read all that Bob's scripts wrote to her before."""
    _world.alice.ok("recv", "--drain")
    return _world


def test_no_line_for_scripts_is_left_out():
    with open(__file__) as file:
        tested = set(re.findall(r'script_of\("(.*?)"\)', file.read()))
    section = re.search(r"^## For scripts\n(.*?)(?=^## )", README, re.M | re.S)[1]
    assert section.count("\n    # ") == len(tested) == 9
    assert all(script_of(words) for words in tested)


def test_mail_from_cron(world):
    assert world.run(script_of("from cron"), world.bob).status == 0
    assert "Filesystem" in world.alice.ok("wait").one["text"]


def test_a_deployment_waits_for_an_answer_that_is_newer_than_its_question(world):
    (world.home / "deploy").write_text("#!/bin/sh\necho deployed\n")
    (world.home / "deploy").chmod(0o755)
    world.alice.ok("send", "bob", "yes")
    for answer, out in (("no", ""), ("yes", "deployed\n")):
        process = world.start(script_of("her answer"), world.bob)
        world.alice.ok("wait", "--from", "bob", "--match", "^deploy", "--ack")
        world.alice.ok("send", "bob", "not yet: yes or no?")
        world.alice.ok("send", "bob", answer)
        assert world.end(process).out == out


def test_a_bot_answers(world):
    (world.home / "answer").write_text("#!/bin/sh\nsed 's/^/you said: /'\n")
    world.bob.ok("recv", "--drain")
    process = world.start(script_of("a bot"), world.bob)
    for text in ("one", "two\nlines"):
        world.alice.ok("send", "bob", text)
        assert "you said: " + text.split()[0] in world.alice.ok("wait", "--from", "bob", "--ack").one["text"]
    world.interrupt(process)


def test_alerts_come_as_they_are_logged(world):
    log = world.home / "app.log"
    log.write_text("fine\n-1 ERROR: disk\n")
    process = world.start(script_of("alerts"), world.bob)
    assert world.alice.ok("wait", "--ack").one["text"] == "-1 ERROR: disk"
    with log.open("a") as file:
        file.write("fine again\nERROR: net\n")
    assert world.alice.ok("wait", "--ack").one["text"] == "ERROR: net"
    world.interrupt(process)


def test_who_is_there_is_told_in_private(world):
    assert world.run(script_of("is she there?"), world.bob).status != 0
    alice = world.alice.start("--online", "private", "accept", "--once")
    assert alice.stderr.readline().startswith("zmq-cli: waiting for an invitation")
    done = world.run(script_of("is she there?"), world.bob)
    assert done.status == 0, done
    assert '"the code is 4711"' in end(alice).out


def test_a_build_goes_into_a_thread(world):
    world.bob.ok("thread", "create", "harvest")
    assert world.run(script_of("from a build"), world.bob).status == 0
    file, post = world.alice.ok("thread", "read", "harvest").lines
    assert re.fullmatch(r"report-\d{4}-\d\d-\d\d\.pdf", file["file"]) and post["text"].startswith("built 2")


def test_a_thread_is_followed_from_where_the_last_call_ended(world):
    world.bob.ok("thread", "follow", "harvest")
    for texts in (["one", "two"], ["three"]):
        for text in texts:
            world.alice.ok("thread", "post", "harvest", text)
        process = world.start(script_of("as it grows"), world.bob)
        assert [process.stdout.readline() for _ in texts] == [text + "\n" for text in texts]
        world.interrupt(process)


def test_what_was_said_is_found(world):
    world.bob.ok("send", "alice", "two ladders are enough")
    done = world.run(script_of("since yesterday"), world.bob)
    assert done.status == 0 and "\ntwo ladders are enough\n" in done.out and " bob to alice: " in done.out, done


def test_commands_go_over_one_connection(world):
    done = world.run(script_of("over one connection"), world.bob)
    assert done.status == 0 and re.fullmatch(r'"\d+"\n', done.out), done
    assert world.alice.ok("wait").one["text"] == "hi"
