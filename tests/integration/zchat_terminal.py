"""zchat in a real terminal, tmux's, as a person sees and types it; and zchat as a script.

What the program writes also comes through a pipe: that is the event on which a wait looks at the
screen again, and `raw` keeps it all.
"""

import contextlib
import os
import re
import select
import shlex
import signal
import subprocess
import tempfile
import time

from support.broker import die_with_parent, program
from support.patience import WAIT_S
from zmq_cli import assert_one_voice, clean_environment, use_device_key

SCRIPT_S = 60
EXIT = re.compile(r"\[exit (\d+)\]")


class Person:
    """Somebody's machine: config and state folders, and zchat against one broker."""

    def __init__(self, broker, folder, keys=None, **environment):
        self.broker, self.folder = broker, folder
        self.config, self.state = folder / "config", folder / "state"
        for path in (self.config, self.state):
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        if keys is not None:
            use_device_key(self.config, keys)
        self.environment = clean_environment(folder, ZCHAT_CONFIG_DIR=self.config,
                                             XDG_STATE_HOME=self.state, LANG="C.UTF-8", TZ="UTC")
        self.environment.pop("NO_COLOR", None)
        self.environment.update(environment)

    @property
    def history(self):
        """The file of the only account that typed something here."""
        found, = self.histories()
        return found

    def histories(self, user="*"):
        return sorted((self.state / "zchat").glob(f"history-{user}-*"))

    def command(self, user=None, *options, known=True):
        """The command line; known=False: the broker's key is not given."""
        key = ["--server-key", self.broker.server_key] if known else []
        place = self.broker.address.removeprefix("tcp://")
        return [program("zchat"), *key, *options, f"{user}@{place}" if user else place]

    def password_file(self, password, name="password"):
        path = self.folder / name
        path.write_text(password + "\n")
        path.chmod(0o600)
        return path

    def script(self, lines, user=None, *options, known=True, check=None):
        """Runs a script of commands to its end."""
        done = subprocess.run(self.command(user, *options, known=known), text=True,
                              input="".join(line + "\n" for line in lines), capture_output=True,
                              timeout=SCRIPT_S, env=self.environment)
        if check is not None:
            assert done.returncode == check, (done.returncode, done.stdout, done.stderr)
        assert_one_voice(done.stderr)
        return done


def start_script(person, *words, stdout=subprocess.PIPE):
    """Starts a script whose lines are still to be written."""
    return subprocess.Popen(person.command(*words), stdin=subprocess.PIPE, stdout=stdout,
                            stderr=subprocess.PIPE, text=True, env=person.environment,
                            preexec_fn=die_with_parent)


class Terminal:
    """A tmux of its own with one program in it."""

    def __init__(self, command, environment, columns=60, rows=20):
        self.folder = tempfile.TemporaryDirectory(prefix="zchat-tmux-")
        self.socket = os.path.join(self.folder.name, "socket")
        self.server = subprocess.Popen(["tmux", "-D", "-S", self.socket, "-f", "/dev/null"],
                                       env=dict(environment, TERM="xterm"),
                                       preexec_fn=die_with_parent)
        self.raw = b""
        self._wait_server()
        fifo = os.path.join(self.folder.name, "out")
        os.mkfifo(fifo)
        self.out = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
        start = os.path.join(self.folder.name, "start")
        os.mkfifo(start)
        words = " ".join(shlex.quote(word) for word in command)
        self.tmux("new-session", "-d", "-x", str(columns), "-y", str(rows),
                  f"read go < {start}; {words}; echo \"[exit $?]\"; exec cat > /dev/null")
        self.tmux("pipe-pane", "-o", f"exec cat > {fifo}")
        with open(start, "w") as go:
            go.write("go\n")

    def _wait_server(self):
        deadline = time.monotonic() + WAIT_S
        while not os.path.exists(self.socket):
            assert self.server.poll() is None and time.monotonic() < deadline, "tmux does not start"
            select.select([], [], [], 0.01)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self):
        """The program goes before its terminal: at a hangup's SIGCONT, LeakSanitizer waits for ever."""
        panes = subprocess.run(["tmux", "-S", self.socket, "list-panes", "-a", "-F", "#{pane_pid}"],
                               capture_output=True, text=True, timeout=WAIT_S)
        for pane in panes.stdout.split():
            with contextlib.suppress(ProcessLookupError):  # it was about to end
                os.killpg(int(pane), signal.SIGKILL)
        self.server.terminate()
        self.server.wait(WAIT_S)
        os.close(self.out)
        self.folder.cleanup()

    def tmux(self, *words):
        done = subprocess.run(["tmux", "-S", self.socket, *words], capture_output=True, text=True,
                              timeout=WAIT_S)
        assert done.returncode == 0, done
        return done.stdout

    # ---- what a person does ----

    def type(self, text):
        self.tmux("send-keys", "-l", text)

    def key(self, *names):
        self.tmux("send-keys", *names)

    def enter(self, text):
        self.type(text)
        self.key("Enter")

    def resize(self, columns, rows=20):
        self.tmux("resize-window", "-x", str(columns), "-y", str(rows))

    # ---- what a person sees ----

    def lines(self):
        """The screen's rows that are not empty; one that is where all are, amid a redrawing."""
        return [line for line in self.tmux("capture-pane", "-p").split("\n") if line] or [""]

    def all_lines(self):
        """The same with what scrolled away, and wrapped rows joined."""
        return [line.rstrip() for line in
                self.tmux("capture-pane", "-p", "-J", "-S", "-").split("\n") if line.strip()]

    def text(self):
        return "\n".join(self.all_lines())

    def last(self):
        """The line at the bottom, wrapped rows joined: the one being typed."""
        lines = self.all_lines()
        return lines[-1] if lines else ""

    def cursor(self):
        column, row = self.tmux("display-message", "-p", "#{cursor_x} #{cursor_y}").split()
        return int(column), int(row)

    def _drain(self, left):
        select.select([self.out], [], [], left)
        try:
            while got := os.read(self.out, 65536):
                self.raw += got
        except BlockingIOError:
            pass

    def wait(self, condition, what=None, timeout=WAIT_S):
        """Waits until condition() is true, looking after each output."""
        deadline = time.monotonic() + timeout
        while True:
            value = condition()
            if value:
                return value
            left = deadline - time.monotonic()
            if left <= 0:
                raise AssertionError(f"{what or 'it'} did not come within {timeout} s; the screen:\n"
                                     + self.tmux("capture-pane", "-p"))
            self._drain(min(left, 1))

    def wait_for(self, text, timeout=WAIT_S):
        return self.wait(lambda: text in self.text(), repr(text), timeout)

    def wait_last(self, text, timeout=WAIT_S):
        """The line being typed reads so, prompt included."""
        return self.wait(lambda: self.last() == text, f"the typed line {text!r}", timeout)

    def wait_match(self, pattern, timeout=WAIT_S):
        return self.wait(lambda: re.search(pattern, self.text(), re.M), pattern, timeout)

    def wait_exit(self, status, timeout=WAIT_S):
        found = self.wait(lambda: EXIT.search(self.text()), "the end of zchat", timeout)
        assert int(found[1]) == status, self.text()
