"""zmq-cli, zchat and libzchat where this machine refuses: every call works, or ends with a sentence and an
exit code of the contract, in time."""

import resource
import subprocess

import pytest

from support.broker import die_with_parent, program
from support.patience import WAIT_S

LIMITS = [*range(6, 32), 40, 64]
ENOUGH = 40


@pytest.fixture
def title(town, alice):
    title = "few descriptors " + town.fresh_name()
    alice.ok("thread", "create", title)
    alice.ok("thread", "post", title, "a post")
    return title


def run_command(command, environment, limit, stdin):
    """With so many descriptors; fails the test where it does not end by itself."""
    def restrict():
        die_with_parent()
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NOFILE, (limit, limit))

    return subprocess.run(command, input=stdin, env=environment, capture_output=True, timeout=40,
                          preexec_fn=restrict, check=False)


def run(cli, limit, words, stdin=b""):
    return run_command(cli.command(["--timeout", "2", *words]), cli.environment, limit, stdin)


@pytest.mark.parametrize("words", [
    ["ping"], ["login"], ["send", "USER", "-"], ["recv", "--exec", "cat", "--wait", "0.1"],
    ["thread", "read", "TITLE"], ["file", "put", "TITLE", "/etc/hostname", "--name", "NAME"],
    ["--password-cmd", "echo x", "-u", "nobody-there", "who"],
    ["private", "accept", "--once"]], ids=lambda words: "_".join(words[:2]).replace("-", ""))
def test_few_descriptors_are_an_error_with_a_sentence(alice, bob, title, words):
    users = {"USER": bob.environment["ZCHAT_USER"], "TITLE": title}
    for limit in LIMITS:
        done = run(alice, limit, [users.get(word, word.replace("NAME", f"name {limit}"))
                                  for word in words], b"hi")
        allowed = {0, 3} if words[0] in ("ping", "login", "send", "thread", "file") else \
            {0, 1, 3, 4, 124}
        assert done.returncode in allowed, (limit, done)
        assert done.returncode == 0 or done.stderr.strip(), (limit, done)
        assert b"src/" not in done.stderr, (limit, done)
        if limit >= ENOUGH and words[0] in ("ping", "login", "send", "thread", "file"):
            assert done.returncode == 0, (limit, done)


def test_a_script_of_zchat_with_few_descriptors_ends_the_same_way(town, alice):
    user = alice.environment["ZCHAT_USER"]
    command = [program("zchat"), f"{user}@{town.broker.address.removeprefix('tcp://')}"]
    for limit in LIMITS:
        done = run_command(command, alice.environment, limit, b"who\n")
        assert done.returncode in (0, 3) and done.stderr + done.stdout, (limit, done)
        assert b"src/" not in done.stderr and (done.returncode == 0 or limit < ENOUGH), (limit, done)


def test_many_descriptors_that_are_open_already_are_no_trouble(alice):
    """More than select could take."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if hard < 1200:
        pytest.skip("the hard limit is too low")
    script = "exec 3</dev/null; i=10; while [ $i -lt 1100 ]; do eval \"exec $i<&3\"; i=$((i+1)); done; "
    done = subprocess.run(["bash", "-c", f"ulimit -n 1200 && {script} exec \"$@\"", "bash",
                           *alice.command(["who"])], env=alice.environment, capture_output=True,
                          timeout=WAIT_S, check=False)
    assert done.returncode == 0, done


@pytest.mark.parametrize("words", [["--help"], ["who", "--help"], ["--version"], ["ping"]])
@pytest.mark.parametrize("stdout", ["full", "closed"])
def test_a_stdout_that_takes_nothing_is_exit_3_with_a_sentence(alice, words, stdout):
    redirect = "> /dev/full" if stdout == "full" else ">&-"
    done = subprocess.run(["sh", "-c", f'"$@" {redirect}', "sh", *alice.command(words)],
                          env=alice.environment, capture_output=True, timeout=WAIT_S, check=False)
    assert done.returncode == 3 and b"standard output" in done.stderr, done
