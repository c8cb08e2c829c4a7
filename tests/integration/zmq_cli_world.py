"""A small town in which the examples of the help and of the README can be run as they are printed: alice's
shell, bob who waits for private chats, mallory, keeper the administrator, and the files that examples name."""

import os
import pathlib
import signal
import subprocess
import threading

from support.broker import die_with_parent, program
from support.town import NO_LIMITS
from zmq_cli import CALL_S, Cli, Done

PASSWORD = "correct horse 42"
LIMITS = [word for option in NO_LIMITS for word in (option, "0")]
ANSWER = "#!/bin/sh\ncat > answered\n"


class World:
    def __init__(self, broker, folder):
        self.broker, self.folder = broker, folder
        self.home = folder / "home"
        self.home.mkdir()
        self.write_files()
        broker.add_user("keeper", PASSWORD, admin=True)
        self.alice = self.enter("alice", "register")
        self.enter("alice", "login", "second")
        self.bob = self.enter("bob", "register")
        self.mallory = self.enter("mallory", "register")
        self.alice.ok("--user", "keeper", "--password-file", self.password, "login")
        self.alice.ok("thread", "create", "picnic")
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

    def environment(self, **more):
        path = f"{pathlib.Path(program('zmq-cli')).parent}:{os.environ['PATH']}"
        return dict(self.alice.environment, PATH=path, HOME=str(self.home), **more)

    def start(self, line):
        """Begins a line of alice's shell, and leaves it running."""
        process = subprocess.Popen(["bash", "-c", line], cwd=self.home, env=self.environment(), text=True,
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

    def run(self, line):
        return self.end(self.start(line))

    def answered(self):
        """What ./answer was given, once it was."""
        return (self.home / "answered").read_text()
