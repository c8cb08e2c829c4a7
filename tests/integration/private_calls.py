"""What tests of private chats between two calls of zmq-cli share."""

import contextlib
import json
import subprocess
import threading

import pytest

from support.broker import die_with_parent
from support.ids import new_id
from support.private import invite
from zmq_cli import CALL_S


@pytest.fixture
def start():
    """Starts a call whose stdin is a pipe; all end with the test."""
    processes = []

    def run(cli, *words, stdin=None):
        process = subprocess.Popen(cli.command(words), stdin=subprocess.PIPE, env=cli.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                   preexec_fn=die_with_parent)
        process.limit = threading.Timer(2 * CALL_S, process.kill)
        process.limit.daemon = True
        process.limit.start()
        processes.append(process)
        if stdin is not None:
            with contextlib.suppress(BrokenPipeError):  # it may have ended by now
                process.stdin.write(stdin)
                process.stdin.flush()
            with contextlib.suppress(BrokenPipeError):
                process.stdin.close()
        return process

    yield run
    for process in processes:
        if process.poll() is None:
            process.kill()
        process.wait(CALL_S)
        process.limit.cancel()


def name_of(cli):
    return cli.environment["ZCHAT_USER"]


def accept(start, cli, *words, stdin=None):
    """Starts `private accept`, and waits until it can be invited."""
    process = start(cli, "private", "accept", *words, stdin=stdin)
    assert process.stderr.readline().startswith("zmq-cli: waiting for an invitation")
    return process


def texts(done):
    return [line["text"] for line in done.lines]


def errors(done):
    return errors_in(done.err)


def errors_in(text):
    return [json.loads(line)["error"] for line in text.splitlines()
            if not line.startswith("zmq-cli: ")]


def invite_as(client, user):
    """A client of the tests' own invites; the invitation's id."""
    id = new_id()
    invite(client, user, id)
    return id
