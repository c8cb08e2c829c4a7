"""zmq-cli: shutdown, with and without --wipe."""

import signal

import pexpect
import pytest

from support.town import ADMIN
from zmq_cli import Cli, end

SECRET = "open sesame"


@pytest.fixture
def secret(tmp_path):
    path = tmp_path / "admin.password"
    path.write_text(SECRET + "\n")
    path.chmod(0o600)
    return path


@pytest.fixture
def own(town_factory, secret):
    """A broker of one's own with an admin password."""
    return town_factory("--admin-password-file", secret, accounts=3)


@pytest.fixture
def script(own, tmp_path):
    made = []

    def make(user=None):
        folder = tmp_path / f"config-{len(made)}"
        folder.mkdir(mode=0o700)
        made.append(Cli(own.broker, folder, user or own.name(), own.keys))
        return made[-1]

    return make


def spawn(cli, *words):
    command = cli.command(words)
    return pexpect.spawn(command[0], command[1:], env=cli.environment, timeout=40, encoding="utf-8")


def status_of(terminal):
    terminal.expect(pexpect.EOF)
    terminal.wait()
    terminal.close()
    return terminal.exitstatus


def fill(cli, other, path):
    """A thread, a post, a file, a message; all that reads them."""
    path.write_bytes(b"bytes")
    cli.ok("thread", "create", "t")
    cli.ok("thread", "post", "t", "text")
    cli.ok("file", "put", "t", path)
    cli.ok("send", other.environment["ZCHAT_USER"], "hello")


def test_the_admin_password_shuts_it_down_and_the_next_start_finds_everything(own, script, secret, tmp_path):
    alice, bob = script(), script()
    fill(alice, bob, tmp_path / "file")
    before = [cli.ok(*words).out for cli, words in ((bob, ["inbox"]), (bob, ["thread", "read", "t"]),
                                                    (bob, ["thread", "list"]))]
    done = alice.ok("shutdown", "--admin-password-file", secret)
    assert done.one == {"server": own.broker.address, "wipe": False}
    assert own.broker.exits_with() == 0
    alice.fails(3, "UNREACHABLE", "ping")
    own.broker.start()
    assert before == [cli.ok(*words).out for cli, words in ((bob, ["inbox"]), (bob, ["thread", "read", "t"]),
                                                            (bob, ["thread", "list"]))]
    assert bob.ok("file", "get", "t", "file", "-o", "-").out == "bytes"


def test_an_administrator_needs_no_password(own, script):
    admin = script(ADMIN)
    admin.options = []
    assert admin.ok("sht").out == f"{own.broker.address} shuts down\n"
    assert own.broker.exits_with() == 0


def test_the_password_may_come_from_a_command(own, script, secret):
    script().ok("SHT", "--admin-password-cmd", f"cat {secret}")
    assert own.broker.exits_with() == 0


def test_who_may_not_is_refused_and_it_goes_on(own, script, tmp_path):
    alice = script()
    wrong, empty = tmp_path / "wrong", tmp_path / "empty"
    wrong.write_text("close sesame\n")
    empty.write_text("")
    alice.fails(6, "FORBIDDEN", "shutdown")
    alice.fails(4, "AUTH", "shutdown", "--admin-password-file", wrong)
    alice.fails(2, "INVALID", "shutdown", "--admin-password-file", empty)
    alice.fails(3, "IO", "shutdown", "--admin-password-file", tmp_path / "missing")
    error = alice.fails(2, "INVALID", "SHT", SECRET)
    assert "--admin-password-file" in error["message"] and SECRET not in error["message"]
    alice.ok("ping")


def test_a_broker_without_an_admin_password_obeys_administrators_only(town_factory, tmp_path, secret):
    town = town_factory(accounts=1)
    cli = Cli(town.broker, tmp_path, town.name(), town.keys)
    cli.fails(6, "FORBIDDEN", "shutdown", "--admin-password-file", secret)
    cli.ok("-u", ADMIN, "shutdown")
    assert town.broker.exits_with() == 0


def test_those_who_wait_say_what_happened(own, script):
    """They are told, and are there again when the broker is."""
    alice, bob = script(), script()
    process = bob.start("recv", "--follow", "--online", "--count", "1")
    while not alice.ok("who").lines:
        pass
    script(ADMIN).ok("shutdown")
    assert own.broker.exits_with() == 0
    own.broker.start()
    alice.ok("send", bob.environment["ZCHAT_USER"], "again")
    done = end(process)
    assert done.status == 0 and done.one["text"] == "again"
    assert "the broker is shutting down" in done.err, done


# --wipe.

def test_a_wipe_without_a_terminal_needs_yes(own, script):
    error = script(ADMIN).fails(2, "INVALID", "shutdown", "--wipe")
    assert "--yes" in error["message"]
    own.broker.add_user("still.there", device_key=own.keys.public)
    script("still.there").ok("who")


def test_a_wipe_leaves_a_store_as_new(own, script, tmp_path):
    alice, bob = script(), script()
    fill(alice, bob, tmp_path / "file")
    alice.ok("thread", "read", "t")
    assert script(ADMIN).ok("shutdown", "--wipe", "--yes").one["wipe"] is True
    assert own.broker.exits_with() == 0
    own.broker.start()
    alice.fails(4, "AUTH", "who")
    name = alice.environment["ZCHAT_USER"]
    own.broker.add_user(name, device_key=own.keys.public)
    own.broker.add_user(bob.environment["ZCHAT_USER"], device_key=own.keys.public)
    assert alice.ok("thread", "list").lines == []
    assert bob.ok("inbox").lines == []
    alice.ok("thread", "create", "t")
    assert alice.ok("thread", "post", "t", "first").one["number"] == "1"
    assert alice.ok("file", "list", "t").lines == []
    alice.ok("thread", "edit", "t", "1", "new")


def test_a_terminal_is_asked_before_a_wipe(own, script):
    admin = script(ADMIN)
    admin.options = []
    terminal = spawn(admin, "shutdown", "--wipe")
    terminal.expect_exact("will be deleted. Go on? (yes/no) ")
    terminal.sendline("no")
    terminal.expect_exact("nothing was deleted")
    assert status_of(terminal) == 1
    admin.ok("ping")
    terminal = spawn(admin, "shutdown", "--wipe")
    terminal.expect_exact("(yes/no) ")
    terminal.kill(signal.SIGINT)
    assert status_of(terminal) == 130
    terminal = spawn(admin, "shutdown", "--wipe")
    terminal.expect_exact("(yes/no) ")
    terminal.sendline("yes")
    terminal.expect_exact("shuts down and deletes everything")
    assert status_of(terminal) == 0
    assert own.broker.exits_with() == 0


def test_a_terminal_is_asked_for_the_admin_password(own, script):
    alice = script()
    alice.options = []
    terminal = spawn(alice, "shutdown")
    terminal.expect_exact("Admin password: ")
    terminal.waitnoecho()
    terminal.sendline("wrong")
    terminal.expect_exact("wrong admin password")
    assert status_of(terminal) == 4
    terminal = spawn(alice, "shutdown")
    terminal.expect_exact("Admin password: ")
    terminal.waitnoecho()
    terminal.sendline(SECRET)
    terminal.expect_exact("shuts down")
    assert status_of(terminal) == 0
    assert own.broker.exits_with() == 0
