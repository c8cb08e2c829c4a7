"""zmq-cli: announce, user lock, unlock, reset, admin: for administrators."""

import pexpect
import pytest

from support.town import ADMIN
from zmq_cli import Cli

OLD, NEW = "correct horse", "another horse"


@pytest.fixture
def admin(script):
    return script(ADMIN)


def test_an_announcement_says_how_many_it_reached(town, admin):
    friend = town.join(public_events=True)
    town.join(friend.user)
    town.join()
    assert admin.ok("announce", "back", "at", "nine").one == {"reached": 2}
    assert friend.wait_notice("back at nine").notice.sender == ADMIN
    admin.options = []
    assert admin.ok("announce", "-", stdin="two\nlines\n").out == "reached 2\n"
    friend.wait_notice("two\nlines")


def test_what_a_member_may_not_announce_is_told_to_nobody(town, alice):
    friend = town.join(public_events=True)
    error = alice.fails(6, "FORBIDDEN", "announce", "hear me")
    assert error["reason"] == "NOT_ADMIN" and "administrator" in error["message"]
    friend.ping()
    assert not any(event.HasField("notice") for event in friend.events)


@pytest.mark.parametrize("words", [["announce"], ["announce", ""], ["announce", "x" * (16 * 1024 + 1)]],
                         ids=["nothing", "empty", "long"])
def test_what_is_no_announcement_is_refused(admin, words):
    admin.fails(2, "INVALID", *words)


# ---- accounts ----


@pytest.fixture
def member(town, tmp_path):
    """Somebody with a password, and one device that is trusted."""
    folder = tmp_path / "member"
    folder.mkdir(mode=0o700)
    cli = Cli(town.broker, folder, town.fresh_name())
    cli.ok("register", "--password-file", town.broker.password_file(OLD))
    cli.name = cli.environment["ZCHAT_USER"]
    return cli


def test_lock_ends_sessions_and_unlock_lets_in_again(town, admin, member):
    waiting = member.start("recv", "--follow")
    member.ok("who")
    done = admin.ok("user", "lock", member.name.upper()).one
    assert done["user"] == member.name and done["sessions"] <= 1
    assert waiting.wait(20) == 4 and "locked by an administrator" in waiting.stderr.read()
    error = member.fails(4, "AUTH", "who")
    assert error["reason"] == "LOCKED_BY_ADMIN"
    admin.options = []
    assert admin.ok("user", "lock", member.name).out == f"{member.name} is locked\n"
    assert admin.ok("user", "unlock", member.name).out == f"{member.name} is unlocked\n"
    member.ok("who")


def test_reset_takes_the_new_password_from_a_file_or_a_command(town, admin, member):
    old, new = town.broker.password_file(OLD), town.broker.password_file(NEW)
    assert admin.ok("user", "reset", member.name, "--new-password-file", new).one == {"user": member.name, "sessions": 0}
    member.fails(4, "AUTH", "who")
    member.fails(4, "AUTH", "who", "--password-file", old)
    member.ok("login", "--password-file", new)
    member.ok("who")
    admin.options = []
    done = admin.ok("user", "reset", member.name, "--new-password-cmd", f"echo '{OLD}'")
    assert done.out == f"{member.name} has the new password and trusts no device\n"
    member.ok("login", "--password-file", old)


def test_reset_asks_at_a_terminal_twice_and_shows_nothing(town, admin, member):
    command = admin.command(["user", "reset", member.name])
    terminal = pexpect.spawn(command[0], command[1:], env=admin.environment, timeout=40, encoding="utf-8")
    terminal.expect_exact("New password: ")
    terminal.sendline(NEW)
    terminal.expect_exact("The same again: ")
    terminal.sendline(NEW)
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert terminal.exitstatus == 0 and NEW not in terminal.before
    member.ok("login", "--password-file", town.broker.password_file(NEW))


def test_reset_without_a_terminal_says_what_to_give(admin, member):
    error = admin.fails(2, "INVALID", "user", "reset", member.name)
    assert "--new-password-file" in error["message"]
    admin.fails(2, "INVALID", "user", "reset", member.name, NEW)
    member.ok("who")


def test_admin_gives_and_takes_the_right(admin, member):
    member.fails(6, "FORBIDDEN", "announce", "x")
    assert admin.ok("user", "admin", member.name).one == {"user": member.name, "sessions": 0}
    member.ok("announce", "x")
    admin.options = []
    assert admin.ok("user", "admin", member.name, "--revoke").out == f"{member.name} is no administrator\n"
    member.fails(6, "FORBIDDEN", "announce", "x")


@pytest.mark.parametrize("verb", ["lock", "unlock", "reset", "admin"])
def test_errors_are_those_of_the_contract(town, admin, alice, verb):
    more = ["--new-password-file", town.broker.password_file(NEW)] if verb == "reset" else []
    assert alice.fails(6, "FORBIDDEN", "user", verb, ADMIN, *more)["reason"] == "NOT_ADMIN"
    assert admin.fails(2, "INVALID", "user", verb, ADMIN, *more)["reason"] == "ONESELF"
    assert admin.fails(5, "NOT_FOUND", "user", verb, town.fresh_name(), *more)["reason"] == "NO_SUCH_USER"
    admin.fails(2, "INVALID", "user", verb, "no name", *more)
    admin.fails(2, "INVALID", "user", verb, *more)
    assert "user lock" in admin.ok("user", "--help").out
