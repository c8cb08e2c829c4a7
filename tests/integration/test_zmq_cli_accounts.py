"""zmq-cli: what COMMANDS.md says about accounts."""

import pathlib

import pytest

from zmq_cli import Cli, RFC3339, end

RIGHT, WRONG = "correct horse", "wrong horse"
TOWN_ARGS = ("--block-duration", "30")


class Person:
    """An account with a password, and one device of it."""

    def __init__(self, broker, config_dirs, name, device="desk", password=RIGHT):
        self.name = name
        self.cli = Cli(broker, config_dirs(f"{name}-{device}"), name)
        self.secret = broker.password_file(password)
        self.wrong = broker.password_file(WRONG)

    def with_password(self, *words):
        return ("--password-file", self.secret, *words)


@pytest.fixture
def newcomer(town, config_dirs):
    """Somebody without an account yet."""
    return Person(town.broker, config_dirs, town.fresh_name())


@pytest.fixture
def member(newcomer):
    """Somebody with an account that trusts his device."""
    newcomer.cli.ok("register", newcomer.name, "--password-file", newcomer.secret, "--timeout", "30")
    return newcomer


@pytest.fixture
def second(town, config_dirs, member):
    """The same person at another device, which is not trusted yet."""
    return Person(town.broker, config_dirs, member.name, "phone")


def test_register_makes_an_account_that_trusts_the_device(newcomer):
    done = newcomer.cli.ok(*newcomer.with_password("register", newcomer.name.upper()))
    assert done.one == {"user": newcomer.name}
    assert newcomer.cli.ok("who").out == ""


@pytest.mark.parametrize("form", [b"%s", b"%s\r\n", b"\xef\xbb\xbf%s\n", b"%s\nsecond line\0\n",
                                  b"\xef\xbb\xbf%s\r\n\r\n"])
def test_a_password_is_the_same_in_every_form_of_its_file(second, tmp_path, form):
    file = tmp_path / "password"
    file.write_bytes(form % RIGHT.encode())
    second.cli.ok("--password-file", file, "login", "--no-trust")
    second.cli.ok("--password-cmd", f"cat {file}", "login", "--no-trust")


@pytest.mark.parametrize("form", [b"%s\0b\n", b"\0%s\n", b"%s\xff\n", b"%s" + b"x" * 1100],
                         ids=["NUL", "NUL first", "no UTF-8", "long"])
def test_what_is_no_password_is_refused_and_never_cut(second, tmp_path, form):
    file = tmp_path / "password"
    file.write_bytes(form % RIGHT.encode())
    for words in (("--password-file", file), ("--password-cmd", f"cat {file}")):
        error = second.cli.fails(2, "INVALID", *words, "login")
        assert "password" in error["message"]
    second.cli.fails(2, "INVALID", *second.with_password("passwd", "--new-password-file", file))


def test_register_without_trust(newcomer):
    newcomer.cli.ok(*newcomer.with_password("register", "--no-trust"))
    newcomer.cli.fails(4, "AUTH", "who")
    newcomer.cli.ok(*newcomer.with_password("login", "--no-trust"))
    newcomer.cli.fails(4, "AUTH", "who")


def test_register_errors(town, config_dirs, member, broker_factory):
    member.cli.fails(7, "CONFLICT", *member.with_password("register", member.name))
    member.cli.fails(2, "INVALID", *member.with_password("register", "no name!"))
    member.cli.fails(2, "INVALID", *member.with_password("register", "x" * 33))
    member.cli.fails(2, "INVALID", "--password-file", "/dev/null", "register", town.fresh_name())
    closed = broker_factory("--registration", "closed")
    stranger = Person(closed, config_dirs, "stranger")
    stranger.cli.fails(6, "FORBIDDEN", *stranger.with_password("register", "stranger"))


def test_login_with_the_password_trusts_the_device(member, second):
    second.cli.fails(4, "AUTH", "who")
    done = second.cli.ok(*second.with_password("login")).one
    assert done["user"] == member.name and done["trusted"] is True and done["admin"] is False
    assert done["head"] == "0" and RFC3339.match(done["time"])
    second.cli.ok("who")


def test_any_verb_with_the_password_trusts_the_device(second):
    second.cli.ok(*second.with_password("who"))
    second.cli.ok("who")


def test_unknown_name_and_wrong_password_read_the_same(town, member, second):
    wrong = second.cli.fails(4, "AUTH", "--password-file", second.wrong, "login")
    unknown = second.cli.fails(4, "AUTH", "--password-file", second.wrong, "login",
                               town.fresh_name())
    assert wrong["message"] == unknown["message"]


def test_login_checks_the_password_even_where_the_device_is_trusted(member):
    member.cli.fails(4, "AUTH", "--password-file", member.wrong, "login")
    member.cli.ok("--password-file", member.wrong, "who")
    member.cli.ok("login")


def test_three_wrong_passwords_lock_but_not_for_a_trusted_device(member, second):
    for _ in range(3):
        second.cli.fails(4, "AUTH", "--password-file", second.wrong, "login")
    locked = second.cli.fails(4, "AUTH", *second.with_password("login"))
    assert 0 < locked["retry_after"] <= 30
    assert str(locked["retry_after"]) in locked["message"]
    member.cli.ok("who")


def test_a_call_without_password_and_trust_says_what_would_help(second):
    assert "--password-file" in second.cli.fails(4, "AUTH", "who")["message"]


def test_logout_leaves(member):
    assert member.cli.ok("logout").one == {}
    member.cli.options = []
    assert member.cli.ok("logout").out == "logged out\n"


def test_passwd_changes_the_password(town, member, second):
    fresh = town.broker.password_file("another horse")
    member.cli.fails(4, "AUTH", "--password-file", member.wrong, "--new-password-file", fresh,
                     "passwd")
    member.cli.ok(*member.with_password("passwd", "--new-password-file", fresh))
    second.cli.fails(4, "AUTH", *second.with_password("login"))
    second.cli.ok("--password-file", fresh, "login")


def test_passwd_without_a_password_to_give_is_a_usage_error(member):
    member.cli.fails(2, "INVALID", "passwd")
    member.cli.fails(2, "INVALID", *member.with_password("passwd"))


def test_passwd_gives_a_password_to_an_account_without_one(town, config_dirs):
    name = town.name()
    owner = Cli(town.broker, config_dirs("owner"), name, town.keys)
    fresh = town.broker.password_file("first horse")
    owner.ok("--password-file", "/dev/null", "--new-password-file", fresh, "passwd")
    Cli(town.broker, config_dirs("guest"), name).ok("--password-file", fresh, "login")


def test_devices_are_listed_and_revoked(member, second):
    second.cli.ok(*second.with_password("login"))
    devices = {device["current"]: device for device in member.cli.ok("devices").lines}
    mine, other = devices[True], devices[False]
    assert sorted(mine) == ["current", "device", "fingerprint", "label", "trusted", "used"]
    assert mine["device"].isdigit() and mine["device"] != other["device"]
    assert mine["fingerprint"] != other["fingerprint"] and RFC3339.match(mine["trusted"])

    follower = second.cli.start("recv", "--follow")
    wait_for_session(member.cli)
    revoked = member.cli.ok("revoke", other["device"]).one
    assert revoked == {"device": other["device"], "sessions": 1}
    ended = end(follower)
    assert ended.status == 4 and ended.error["code"] == "AUTH", ended
    second.cli.fails(4, "AUTH", "who")
    member.cli.fails(5, "NOT_FOUND", "revoke", other["device"])
    member.cli.fails(2, "INVALID", "revoke", "phone")
    member.cli.fails(2, "INVALID", "revoke", "0")


def wait_for_session(cli):
    """Waits until a second session beside one's own is counted."""
    for _ in range(200):
        if int(cli.ok("stats").one["sessions"]) >= 2:
            return
    raise AssertionError("the other session never came")


def test_devices_in_words(member):
    member.cli.options = []
    [line] = member.cli.ok("devices").out.splitlines()
    assert "(this device)" in line and "trusted 20" in line


def test_with_one_session_for_a_user_a_second_is_already_online(town_factory, config_dirs):
    town = town_factory("--sessions-per-user", "1", accounts=2)
    cli = Cli(town.broker, config_dirs("one"), town.name(), town.keys)
    town.join(cli.environment["ZCHAT_USER"])
    error = cli.fails(7, "CONFLICT", "--online", "who")
    assert "already online" in error["message"]
    cli.ok("who")


def test_an_idle_session_ends_with_its_reason(town_factory, config_dirs):
    town = town_factory("--timeout", "1", accounts=2)
    cli = Cli(town.broker, config_dirs("idle"), town.name(), town.keys)
    error = cli.fails(4, "AUTH", "--online", "recv", "--follow")
    assert error["message"]


# Where passwords come from.

def test_password_from_a_command(second):
    second.cli.ok("--password-cmd", f"printf '%s\\n' '{RIGHT}' and more; seq 100000", "login")


def test_password_sources_that_fail(second, tmp_path):
    second.cli.fails(3, "IO", "--password-cmd", "exit 3", "login")
    second.cli.fails(3, "IO", "--password-file", tmp_path / "missing", "login")
    second.cli.fails(3, "IO", "--password-file", tmp_path, "login")
    second.cli.fails(2, "INVALID", "--password-file", "/dev/null", "login")
    second.cli.fails(2, "INVALID", *second.with_password("--password-cmd", "true", "login"))
    long = tmp_path / "long"
    long.write_text("x" * 1025)
    second.cli.fails(2, "INVALID", "--password-file", long, "login")


def test_only_the_first_line_of_the_file_is_the_password(second, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text(RIGHT + "\na note\n")
    second.cli.ok("--password-file", secret, "login")


def test_passwords_are_neither_in_argv_nor_in_the_environment(second):
    process = second.cli.start(*second.with_password("recv", "--follow"))
    try:
        wait_for_trust(second.cli)
        folder = pathlib.Path("/proc", str(process.pid))
        for name in ("cmdline", "environ"):
            assert RIGHT.encode() not in (folder / name).read_bytes()
    finally:
        process.terminate()
        assert end(process).status == 130


def wait_for_trust(cli):
    for _ in range(200):
        if cli("who").status == 0:
            return
    raise AssertionError("the device was never trusted")
