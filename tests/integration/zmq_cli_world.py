"""A small town in which the examples of the help and of the README can be run as they are printed: alice's
shell, bob who waits for private chats, mallory, keeper the administrator, and the files that examples name."""

import os
import signal
import subprocess
import threading

from json_schemas import verbs
from support.broker import die_with_parent, program
from support.town import NO_LIMITS
from zmq_cli import CALL_S, Cli, Done

PASSWORD = "correct horse 42"
LIMITS = [word for option in NO_LIMITS for word in (option, "0")]
ANSWER = "#!/bin/sh\ncat > answered\n"


class World:
    """`options` go with every zmq-cli of alice's shell."""

    def __init__(self, broker, folder, options=""):
        self.broker, self.folder = broker, folder
        self.home = folder / "home"
        self.home.mkdir()
        self.path = folder / "bin"
        self.path.mkdir()
        (self.path / "zmq-cli").write_text(f'#!/bin/sh\nexec {program("zmq-cli")} {options} "$@"\n')
        (self.path / "zmq-cli").chmod(0o755)
        self.write_files()
        broker.add_user("keeper", PASSWORD, admin=True)
        self.alice = self.enter("alice", "register")
        self.enter("alice", "login", "second")
        self.bob = self.enter("bob", "register")
        self.mallory = self.enter("mallory", "register")
        self.enter("eve", "register")
        self.alice.ok("--user", "keeper", "--password-file", self.password, "login")
        self.alice.ok("block", "eve")
        self.alice.ok("thread", "create", "picnic")
        self.alice.ok("thread", "post", "picnic", "who brings two ladders?")
        self.bob.ok("send", "alice", "two ladders are enough")

    def write_files(self):
        self.password = self.home / "old.password"
        for name, text in (("old", PASSWORD), ("new", "another horse 43"), ("bot", "some horse 44")):
            (self.home / f"{name}.password").write_text(text + "\n")
        (self.home / "build.log").write_text("one\ntwo\nthree\nfour\n")
        (self.home / "report.pdf").write_bytes(b"%PDF-1.7\n" + bytes(range(256)) * 64)
        (self.home / "copies").mkdir()
        (self.home / "answer").write_text(ANSWER)
        (self.home / "answer").chmod(0o755)
        os.mkfifo(self.home / "answered")

    def enter(self, user, how, device="first"):
        """A device of the user's, which the account trusts from now on."""
        folder = self.folder / f"{user}-{device}"
        folder.mkdir(mode=0o700)
        cli = Cli(self.broker, folder, user)
        cli.ok("--password-file", self.password, how)
        return cli

    def environment(self, user):
        return dict(user.environment, PATH=f"{self.path}:{os.environ['PATH']}", HOME=str(self.home))

    def start(self, line, user=None):
        """Begins what is typed into a shell, alice's unless another user is given, and leaves it running."""
        process = subprocess.Popen(["bash", "-c", line], cwd=self.home, env=self.environment(user or self.alice), text=True,
                                   stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   preexec_fn=die_with_parent, start_new_session=True)
        process.limit = threading.Timer(CALL_S, os.killpg, (process.pid, signal.SIGKILL))
        process.limit.daemon = True
        process.limit.start()
        return process

    def end(self, process):
        out, err = process.communicate(timeout=CALL_S)
        process.limit.cancel()
        return Done(process.args[-1], process.returncode, out, err)

    def run(self, line, user=None):
        return self.end(self.start(line, user))

    def interrupt(self, process):
        """Ends all that a line started."""
        os.killpg(process.pid, signal.SIGTERM)
        return self.end(process)

    def answered(self):
        """What ./answer was given, once it was."""
        return (self.home / "answered").read_text()


# ---- the examples of the help ----


def until_interrupted(world, line, cause):
    process = world.start(line)
    cause(process)
    process.send_signal(signal.SIGINT)
    return world.end(process)


def waits_for_an_invitation(world, line, *words):
    """Alice waits for what bob does."""
    process = world.start(line)
    assert process.stderr.readline().startswith("zmq-cli: waiting for an invitation"), line
    world.bob(*words)
    return world.end(process)


def hands_on(world, line):
    def cause(process):
        world.bob.ok("send", "alice", "are you there?")
        assert "are you there?" in world.answered()

    return until_interrupted(world, line, cause)


def sees_somebody_come(world, line):
    process = world.start(line)
    while process.poll() is None:
        world.mallory.ok("--online", "login")
    return world.end(process)


def answered_yes(world, line):
    world.bob.ok("send", "alice", "yes, do it")
    return world.run(line)


def bob_reads(world, line):
    process = world.start(line)
    world.bob.ok("wait", "--match", "are you there$", "--ack")
    return world.end(process)


SENT_TO_ALICE = ("private", "send", "alice", "only for you")
# How an example is run that waits for others. What a line's name begins with.
RUN = {
    "zmq-cli recv --follow --exec": hands_on,
    "zmq-cli events --topic presence": sees_somebody_come,
    "zmq-cli --timeout 3600 wait": answered_yes,
    "zmq-cli send --wait-read": bob_reads,
    "zmq-cli private accept": lambda world, line: waits_for_an_invitation(world, line, *SENT_TO_ALICE),
    "zmq-cli --timeout 60 private accept": lambda world, line: waits_for_an_invitation(world, line, *SENT_TO_ALICE),
    "zmq-cli private decline": lambda world, line: waits_for_an_invitation(world, line, "private", "start", "alice"),
}
# How an example ends if not with 0.
STATUS = {"zmq-cli recv --follow --exec": 130, "zmq-cli private stop": 5, "zmq-cli raw -rc SUB": 124}
LAST = "zmq-cli --user keeper shutdown"


def of_line(table, line, otherwise):
    found = [value for begin, value in table.items() if line.startswith(begin)]
    return found[0] if found else otherwise


def expected_status(line):
    return of_line(STATUS, line, 0)


def run_examples(world):
    """Runs the examples of each verb, the broker's end last; yields the verb and how each one ended."""
    bob = world.bob.start("--online", "private", "accept", "--files-to", world.folder)
    assert bob.stderr.readline().startswith("zmq-cli: waiting for an invitation")
    world.alice.folder.joinpath("known_brokers").write_text(f"chat.example:4000 {world.broker.server_key}\n")
    page = world.run("zmq-cli --help").out.partition("examples:\n")[2].partition("\n\n")[0].split("\n")
    examples = {line: row["verb"] for row in verbs() for line in row["examples"]}
    examples = {**{line.strip(): line.split()[5 if "register" in line else 3] for line in page}, **examples}
    examples[LAST] = examples.pop(LAST)
    for line, verb in examples.items():
        yield verb, of_line(RUN, line, World.run)(world, line)
    assert world.broker.exits_with() == 0
    bob.kill()
    bob.wait()
