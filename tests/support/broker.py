"""A broker of one's own for a test: starts zchatd on free ports with a temporary data folder.

Every wait is bounded and waits for an event. Only processes that this file started are stopped, by
their id; should the test itself be killed, the kernel ends its brokers.
"""

import array
import collections
import ctypes
import fcntl
import os
import pathlib
import random
import re
import resource
import select
import shutil
import signal
import socket
import subprocess
import tempfile
import termios
import threading
import time

from support.patience import WAIT_S

ROOT = pathlib.Path(__file__).resolve().parents[2]
READY = re.compile(r"^.*\bready\b.*\baddress=(?P<address>\S+) commands=(?P<commands>\S+)"
                   r" events=(?P<events>\S+) server_key=(?P<server_key>\S+)")
START_S = 30
STOP_S = 30
PR_SET_PDEATHSIG = 1

_libc = ctypes.CDLL(None, use_errno=True)


def bin_dir():
    """The folder of the programs under test."""
    return pathlib.Path(os.environ.get("ZCHAT_BIN_DIR", ROOT / "build" / "bin"))


def program(name):
    """The path of one of our programs."""
    return str(bin_dir() / name)


def limited(nofile):
    """For preexec_fn: the same, with so many descriptors (soft and hard)."""

    def prepare():
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_NOFILE, (nofile, nofile))

    return prepare


def die_with_parent():
    """For preexec_fn: the child does not outlive the thread that started it."""
    _libc.prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def run(command, stdin="", timeout=60, check=None, env=None, cwd=None):
    """Runs a command to its end and returns its CompletedProcess (text).

    `check` is the exit status that it must have; with None any will do. Whatever fails, the
    command's output is in the error. `env` is added to this process's environment.
    """
    command = [str(word) for word in command]
    environment = dict(os.environ, **(env or {}))
    try:
        done = subprocess.run(command, input=stdin, text=True, capture_output=True,
                              timeout=timeout, env=environment, cwd=cwd)
    except subprocess.TimeoutExpired as expired:
        raise AssertionError(f"{command} did not end within {timeout} s\n"
                             f"stdout: {expired.stdout}\nstderr: {expired.stderr}") from None
    if check is not None and done.returncode != check:
        raise AssertionError(f"{command} exited with {done.returncode}, not {check}\n"
                             f"stdout: {done.stdout}\nstderr: {done.stderr}")
    return done


def free_ports():
    """The first of three free ports in a row, which the broker can come back to after a restart.

    They are outside the range from which the kernel takes ports for connections.
    """
    first, last = map(int, pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split())
    ranges = [range(10_000, first - 3), range(last + 1, 65_533)]
    choices = [port for ports in ranges for port in ports]
    while True:
        port = random.choice(choices)
        sockets = [socket.socket() for _ in range(3)]
        try:
            for number, sock in enumerate(sockets):
                sock.bind(("127.0.0.1", port + number))
            return port
        except OSError:
            continue
        finally:
            for sock in sockets:
                sock.close()


def waiting_bytes(pipe):
    count = array.array("i", [0])
    fcntl.ioctl(pipe, termios.FIONREAD, count)
    return count[0]


class Broker:
    """A zchatd. Running from its making on, unless start=False.

    It gets three free ports in a row, so that a restart finds them again; port=0 lets zchatd take
    any three.

    address, commands, events   endpoints, "tcp://HOST:PORT"
    host, port                  of the greeter, which people know
    server_key                  its CURVE public key as the broker prints it (Z85)
    data, log                   its data folder, and the file with a copy of all its stderr
    pid                         its process id
    """

    def __init__(self, *args, start=True, environment=None, port=None, bind="127.0.0.1", nofile=None):
        self.args = [str(arg) for arg in args]
        self.environment = environment or {}
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="zchatd-"))
        self.data = self.folder / "data"
        self.log = self.folder / "log"
        self.process = None
        self.port, self.bind = port, bind
        self.prepare = die_with_parent if nofile is None else limited(nofile)
        self._lines = collections.deque()
        self._news = threading.Condition()
        self._reader = None
        self._ended = True
        if start:
            try:
                self.start()
            except BaseException:
                self.close()
                raise

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def start(self, port=None):
        """Starts it and waits until it serves: on the ports that it had, unless one is given."""
        assert self.process is None, "the broker runs already"
        if port is None:
            port = self.port
        chosen = port is None
        for attempt in range(5):
            self._launch(free_ports() if chosen else port)
            try:
                ready = self.wait_log(READY, START_S)
                break
            except AssertionError as error:
                self.kill()
                if not chosen or attempt == 4 or "in use" not in str(error):
                    raise
        self.address, self.commands = ready["address"], ready["commands"]
        self.events, self.server_key = ready["events"], ready["server_key"]
        self.host, port_text = self.address.removeprefix("tcp://").rsplit(":", 1)
        self.port = int(port_text)

    def start_without_waiting(self):
        """Starts it on free ports; it may end before it serves."""
        self._launch(free_ports())

    def _launch(self, port):
        self.log.touch()
        command = [program("zchatd"), "--bind", self.bind, "--port", str(port),
                   "--data", str(self.data), *self.args]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                                        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                                        env=dict(os.environ, **self.environment),
                                        preexec_fn=self.prepare)
        with self._news:
            self._lines.clear()
            self._ended, self._stderr = False, self.process.stderr
        self._reader = threading.Thread(target=self._read, args=(self._stderr,), daemon=True)
        self._reader.start()

    @property
    def pid(self):
        return self.process.pid

    def _read(self, stream):
        """What was written is in the pipe or, where nobody holds the lock, in the log."""
        ready, rest = select.poll(), b""
        ready.register(stream, select.POLLIN)
        with stream, open(self.log, "ab", buffering=0) as copy:
            while not self._ended:
                ready.poll()
                with self._news:
                    some = os.read(stream.fileno(), 65536)
                    copy.write(some)
                    *lines, rest = (rest + (some or b"\n" * bool(rest))).split(b"\n")
                    self._lines.extend(line.decode(errors="replace") for line in lines)
                    self._ended = not some
                    self._news.notify_all()

    def wait_log(self, pattern, timeout=WAIT_S):
        """The match of the first line since the start that fits, waiting for it."""
        pattern = re.compile(pattern)
        deadline = time.monotonic() + timeout
        seen = 0
        with self._news:
            while True:
                for line in list(self._lines)[seen:]:
                    found = pattern.search(line)
                    if found:
                        return found
                seen = len(self._lines)
                left = deadline - time.monotonic()
                if self._ended or left <= 0:
                    why = "ended" if self._ended else f"said nothing like it for {timeout} s"
                    raise AssertionError(f"no line like {pattern.pattern!r}: zchatd {why}; its stderr:\n"
                                         + "\n".join(list(self._lines)[-50:]))
                self._news.wait(left)

    def log_text(self):
        """All it ever wrote to stderr."""
        with self._news:
            while not self._ended and waiting_bytes(self._stderr) > 0:
                self._news.wait()
        return self.log.read_text(errors="replace")

    def _reap(self, timeout):
        status = self.process.wait(timeout)
        self._reader.join(timeout)
        self.process = None
        return status

    def kill(self):
        """SIGKILL, as a power cut would; nothing if it does not run."""
        if self.process is not None:
            self.process.kill()
            self._reap(STOP_S)

    def stop(self):
        """SIGTERM; it must drain and leave with 0."""
        self.process.terminate()
        try:
            status = self._reap(STOP_S)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"zchatd did not end within {STOP_S} s of SIGTERM") from None
        assert status == 0, f"zchatd exited with {status}; its stderr:\n{self.log_text()[-4000:]}"

    def restart(self, same_ports=True):
        """Stops it, if it runs, and starts it again on the same data and ports."""
        if self.process is not None:
            self.stop()
        self.start(self.port if same_ports else free_ports())

    def hup(self):
        """SIGHUP: it rereads its configuration."""
        self.process.send_signal(signal.SIGHUP)

    def exits_with(self, timeout=STOP_S):
        """Waits for it to end by itself and returns its exit status."""
        return self._reap(timeout)

    # Accounts can be added with and without a broker at work.

    def add_user(self, name, password=None, device_key=None, admin=False):
        """Adds an account; the key is 40 characters of Z85 (or 64 hex digits)."""
        command = [program("zchatd"), "user", "add", name, "--create", "--data", self.data]
        secret = None
        if device_key is not None:
            command += ["--device-key", _text(device_key)]
        if admin:
            command += ["--admin"]
        if password is not None:
            secret = self.password_file(password)
            command += ["--password-file", secret]
        try:
            run(command, check=0)
        finally:
            if secret is not None:
                secret.unlink()

    def add_users(self, names, device_key):
        """Adds many accounts that one device key enters."""
        run([program("zchatd"), "user", "add", "-", "--create", "--device-key", _text(device_key),
             "--data", self.data], stdin="".join(f"{name}\n" for name in names), check=0, timeout=60)

    def password_file(self, password):
        """A file, 0600, that holds one password; lives as long as the broker's folder."""
        handle, path = tempfile.mkstemp(prefix="password-", dir=self.folder)
        with os.fdopen(handle, "w") as file:
            file.write(password + "\n")
        return pathlib.Path(path)

    def finish(self):
        """At a test's end: it must still run, unless the test ended it, and leave with 0."""
        try:
            if self.process is not None:
                self.stop()
        finally:
            self.close()

    def close(self):
        """Ends it however it stands and removes its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)


def _text(key):
    return key.decode("ascii") if isinstance(key, bytes) else key
