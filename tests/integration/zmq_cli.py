"""Calls zmq-cli as a script does: without a terminal, and with nothing of the caller's environment
that it would heed."""

import json
import os
import re
import subprocess
import threading

from support.broker import die_with_parent, program
from support.patience import WAIT_S

# An error's sentence begins in lower case (or with a name) and has no full stop; the dots of a usage
# say that more may follow.
ONE_VOICE = re.compile(r"(?![A-Z][a-z]).*([^.\s]|\.\.\.)$", re.DOTALL)
# Such sentences, behind the program's name and a line's number, on a stderr that is for people.
SENTENCE = re.compile(r"^(?:zchat|zchatd user|zmq-cli): (?:line \d+: )?(.*)$", re.MULTILINE)
RFC3339 = re.compile(r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z$")
UUID7 = re.compile(r"^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$")
CALL_S = WAIT_S + 10


class Done:
    """How a call ended: status, out, err."""

    def __init__(self, words, status, out, err):
        self.words, self.status, self.out, self.err = words, status, out, err

    def __repr__(self):
        return f"{self.words} exited with {self.status}\nstdout: {self.out}\nstderr: {self.err}"

    @property
    def lines(self):
        """The objects on stdout, one a line."""
        return [json.loads(line) for line in self.out.splitlines()]

    @property
    def one(self):
        """The only object on stdout."""
        assert len(self.lines) == 1, self
        return self.lines[0]

    @property
    def error(self):
        """The error object: the only line of stderr that is no notice."""
        [line] = [line for line in self.err.splitlines() if not line.startswith("zmq-cli: ")]
        return json.loads(line)["error"]


def assert_one_voice(text):
    """Each sentence of our programs in the text is written in the one way."""
    for sentence in SENTENCE.findall(text):
        assert ONE_VOICE.match(sentence), sentence


def assert_help_in_one_voice(text):
    """No line of the help begins or ends like a sentence of a book."""
    for line in text.splitlines():
        assert not re.search(r"[a-z]\. [A-Z][a-z]|[a-z]\.$|^ *(?!MiB)[A-Z][a-z]", line), line


def clean_environment(home, **more):
    """An environment without any of our variables, at home in `home`."""
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(("ZCHAT_", "XDG_")) and name != "USER" or name == "ZCHAT_BIN_DIR"}
    return dict(kept, HOME=str(home), **{name: str(value) for name, value in more.items()})


class Cli:
    """zmq-cli with a config folder of its own, against one broker, as one user."""

    timeout_s = WAIT_S  # of each call: a busy machine takes more than the default; None: the default

    def __init__(self, broker, folder, user=None, keys=None, json_lines=True):
        self.folder = folder
        self.environment = clean_environment(folder, ZCHAT_CONFIG_DIR=folder)
        if self.timeout_s is not None:
            self.environment["ZCHAT_TIMEOUT"] = str(self.timeout_s)
        self.options = ["--json"] if json_lines else []
        if broker is not None:
            self.environment.update(ZCHAT_SERVER=broker.address, ZCHAT_SERVER_KEY=broker.server_key)
        if user is not None:
            self.environment["ZCHAT_USER"] = user
        if keys is not None:
            use_device_key(folder, keys)

    def command(self, words):
        return [program("zmq-cli"), *self.options, *(str(word) for word in words)]

    def __call__(self, *words, stdin="", check=None, **environment):
        """Runs a call to its end; `check` is the exit status that it must have."""
        command = self.command(words)
        done = subprocess.run(command, input=stdin.encode() if isinstance(stdin, str) else stdin,
                              capture_output=True, timeout=CALL_S,
                              env=dict(self.environment, **environment))
        done = Done(command, done.returncode, done.stdout.decode(), done.stderr.decode())
        if check is not None:
            assert done.status == check, done
        return done

    def ok(self, *words, **options):
        return self(*words, check=0, **options)

    def fails(self, status, code, *words, **options):
        """Runs a call that must fail so, and returns its error object."""
        done = self(*words, check=status, **options)
        assert done.out == "", done
        assert done.error["code"] == code, done
        assert ONE_VOICE.match(done.error["message"]), done
        return done.error

    def start(self, *words, stdout=subprocess.PIPE, **environment):
        """Starts a call and leaves it running, but no longer than CALL_S; its stdout is a text
        stream."""
        process = subprocess.Popen(self.command(words), stdin=subprocess.DEVNULL, stdout=stdout,
                                   stderr=subprocess.PIPE, text=True, preexec_fn=die_with_parent,
                                   env=dict(self.environment, **environment))
        process.limit = threading.Timer(CALL_S, process.kill)
        process.limit.daemon = True
        process.limit.start()
        return process


def end(process):
    """Waits for a started call and returns how it ended, with what was not yet read of its stdout.
    (communicate() would pass over what readline() had buffered.)"""
    out = process.stdout.read() if process.stdout else ""
    err = process.stderr.read()
    status = process.wait(CALL_S)
    process.limit.cancel()
    return Done(process.args, status, out, err)


def use_device_key(folder, keys):
    """Makes `keys` the device key of a config folder."""
    path = folder / "device.key"
    path.write_text('curve\n    public-key = "%s"\n    secret-key = "%s"\n'
                    % (keys.public.decode(), keys.secret.decode()))
    path.chmod(0o600)


def is_message(message):
    """Whether an object has the shape of a message."""
    return (UUID7.match(message["id"]) and message["seq"].isdigit() and
            RFC3339.match(message["time"]) and message["from"] and message["to"] and
            message["text"])
