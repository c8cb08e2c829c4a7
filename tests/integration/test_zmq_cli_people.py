"""zmq-cli: what COMMANDS.md says about people."""

import pytest

from zmq_cli import Cli, RFC3339, UUID7, end

ID = "01934f7c-8b30-7abc-8def-0123456789ab"


@pytest.fixture
def folder(config_dirs):
    return config_dirs("people")


@pytest.fixture
def script(town, folder):
    """Makes a zmq-cli for an account: script("bob")."""
    return lambda user, **options: Cli(town.broker, folder, user, town.keys, **options)


@pytest.fixture
def pair(town, script):
    """Two accounts, a and b."""
    return [script(name) for name in town.names(2)]


def name_of(cli):
    return cli.environment["ZCHAT_USER"]


def test_send_to_one_who_is_away_is_stored(pair):
    alice, bob = pair
    sent = alice.ok("send", name_of(bob), "hello", "there,  you").one
    assert sorted(sent) == ["id", "seq", "status", "time"]
    assert sent["status"] == "stored"
    assert sent["seq"] == "1" and UUID7.match(sent["id"]) and RFC3339.match(sent["time"])
    [got] = bob.ok("inbox").lines
    assert got["text"] == "hello there,  you"
    assert (got["id"], got["from"], got["to"]) == (sent["id"], name_of(alice), name_of(bob))
    assert got["time"] == sent["time"]


def test_send_to_one_who_is_there_is_delivered(town, pair):
    alice, bob = pair
    town.join(name_of(bob))
    assert alice.ok("send", name_of(bob), "hi").one["status"] == "delivered"


def test_send_says_it_in_words_without_json(town, script):
    alice = script(town.name(), json_lines=False)
    out = alice.ok("message", town.name(), "hi").out.split()
    assert out[0] == "stored" and UUID7.match(out[1]) and out[2].endswith("Z")


def test_send_errors(pair, town):
    alice, bob = pair
    alice.fails(5, "NOT_FOUND", "send", town.fresh_name(), "hi")
    alice.fails(2, "INVALID", "send", name_of(alice), "hi")
    alice.fails(2, "INVALID", "send", "no such name!", "hi")
    alice.fails(2, "INVALID", "send", name_of(bob))
    alice.fails(2, "INVALID", "send", name_of(bob), "")
    alice.fails(2, "INVALID", "send", name_of(bob), "x" * (16 * 1024 + 1))
    assert bob.ok("inbox").lines == []


def test_send_is_refused_by_a_block_in_either_direction_with_its_own_text(pair):
    alice, bob = pair
    alice.ok("block", name_of(bob))
    mine = alice.fails(6, "FORBIDDEN", "send", name_of(bob), "hi")
    theirs = bob.fails(6, "FORBIDDEN", "send", name_of(alice), "hi")
    assert (mine["reason"], theirs["reason"]) == ("BLOCKED_BY_YOU", "BLOCKED_BY_THEM")
    assert mine["message"] != theirs["message"]


def test_require_online_stores_nothing_for_one_who_is_away(town, pair):
    alice, bob = pair
    alice.fails(6, "FORBIDDEN", "send", "--require-online", name_of(bob), "now or never")
    assert bob.ok("inbox").lines == []
    town.join(name_of(bob))
    alice.ok("send", name_of(bob), "--require-online", "now")


def test_the_same_id_is_the_same_message(pair):
    alice, bob = pair
    first = alice.ok("send", "--id", ID, name_of(bob), "once").one
    again = alice.ok("send", name_of(bob), "--id=" + ID.upper(), "once").one
    assert first["id"] == ID and again["seq"] == first["seq"] and again["time"] == first["time"]
    assert [message["text"] for message in bob.ok("inbox").lines] == ["once"]
    alice.fails(7, "CONFLICT", "send", "--id", ID, name_of(bob), "something else")
    alice.fails(2, "INVALID", "send", "--id", "42", name_of(bob), "hi")


def test_text_from_stdin_loses_one_newline_only(pair):
    alice, bob = pair
    alice.ok("send", name_of(bob), "-", stdin="two\nlines\n\n")
    alice.ok("send", name_of(bob), "-", stdin="none")
    alice.ok("send", name_of(bob), "-", "dash", stdin="not read")
    texts = [message["text"] for message in bob.ok("inbox").lines]
    assert texts == ["two\nlines\n", "none", "- dash"]


@pytest.mark.parametrize("stdin", ["", "\n", "x" * (16 * 1024 + 1), "y" * (1024 * 1024 + 1), "a\0b",
                                   b"\xff\xfe\xfd"],
                         ids=["nothing", "newline", "long", "huge", "NUL", "bytes"])
def test_what_is_no_text_on_stdin_is_refused(pair, stdin):
    alice, bob = pair
    alice.fails(2, "INVALID", "send", name_of(bob), "-", stdin=stdin)
    assert bob.ok("inbox").lines == []


def test_nothing_in_a_text_behind_two_dashes_is_an_option(pair):
    alice, bob = pair
    alice.ok("send", name_of(bob), "--", "say", "--json", "-q", "--", "--no-such")
    alice.ok("send", "--", name_of(bob), "--help")
    texts = [message["text"] for message in bob.ok("inbox").lines]
    assert texts == ["say --json -q -- --no-such", "--help"]


def test_broadcast_counts_whom_it_reached(town, pair):
    alice, bob = pair
    town.join()
    town.join()
    town.join(name_of(bob))
    bob.ok("block", name_of(alice))
    assert alice.ok("broadcast", "hello", "all").one == {"reached": 2, "skipped": 1}
    alice.options = []
    assert alice.ok("broadcast", "-", stdin="hello\n").out == "reached 2, skipped 1\n"


def test_who_lists_those_online_but_oneself_and_those_who_blocked_the_asker(town, pair):
    alice, bob = pair
    carol, dave = town.names(2)
    for name in (name_of(alice), name_of(bob), carol):
        town.join(name)
    bob.ok("block", name_of(alice))
    [person] = alice.ok("who").lines
    assert sorted(person) == ["last_seen", "online", "user"]
    assert person["user"] == carol and person["online"] is True
    assert RFC3339.match(person["last_seen"])
    assert dave not in bob.ok("whoelse").out


def test_a_call_is_not_online_unless_it_says_so(town, pair):
    alice, bob = pair
    assert alice.ok("who").lines == []
    process = bob.start("recv", "--follow", "--online")
    try:
        assert wait_who(alice, name_of(bob))
    finally:
        process.terminate()
        end(process)
    assert alice.ok("who").lines == []


def wait_who(cli, user):
    """Asks until `user` is online; each call waits for the broker's answer."""
    for _ in range(200):
        if any(person["user"] == user for person in cli.ok("who").lines):
            return True
    raise AssertionError(f"{user} was never online")


def test_since_lists_who_was_there(town, pair):
    alice, bob = pair
    gone = town.join()
    gone_name = gone.user
    gone.logout()
    here = town.join()
    people = alice.ok("since", "60").lines
    found = {person["user"]: person for person in people}
    assert found[here.user]["online"] is True and found[gone_name]["online"] is False
    assert RFC3339.match(found[gone_name]["last_seen"])
    assert people.index(found[here.user]) < people.index(found[gone_name])
    assert name_of(alice) not in found
    assert alice.ok("whoelsesince", "60").lines


@pytest.mark.parametrize("seconds", ["0", "-1", "1.5", "soon", "", "18446744073709551616"])
def test_since_wants_a_positive_number(pair, seconds):
    pair[0].fails(2, "INVALID", "since", "--", seconds)


def test_blocks_come_and_go(pair, town):
    alice, bob = pair
    assert alice.ok("block", name_of(bob).upper()).one == {"user": name_of(bob)}
    assert alice.ok("blocked").lines == [{"user": name_of(bob)}]
    assert bob.ok("blocked").lines == []
    alice.fails(7, "CONFLICT", "block", name_of(bob))
    assert alice.ok("unblock", name_of(bob)).one == {"user": name_of(bob)}
    assert alice.ok("blocked").lines == []
    alice.fails(7, "CONFLICT", "unblock", name_of(bob))
    for verb in ("block", "unblock"):
        alice.fails(5, "NOT_FOUND", verb, town.fresh_name())
        alice.fails(2, "INVALID", verb)
    alice.fails(2, "INVALID", "block", name_of(alice))


def test_plain_lists_are_aligned(town, script):
    alice = script(town.name(), json_lines=False)
    town.join()
    [line] = alice.ok("who").out.splitlines()
    user, online, seen = line.split()
    assert user.startswith("user.") and online == "online" and seen.endswith("Z")
    alice.ok("block", user)
    assert alice.ok("blocked").out == user + "\n"
    assert alice.ok("unblock", user).out == f"unblocked {user}\n"


def test_ping_needs_no_account(town, folder):
    nobody = Cli(town.broker, folder)
    pong = nobody.ok("ping").one
    assert pong["software"] and RFC3339.match(pong["time"]) and pong["round_trip_us"] >= 0
    assert pong["server"] == town.broker.address
    nobody.options = []
    assert town.broker.address in nobody.ok("ping").out


def test_too_many_commands_are_busy_and_say_when_to_retry(town_factory, folder):
    town = town_factory("--rate-account", "1", accounts=1)
    cli = Cli(town.broker, folder, town.name(), town.keys)
    refused = [done for done in (cli("who") for _ in range(5)) if done.status != 0]
    assert refused
    for done in refused:
        assert done.status == 8 and done.error["code"] == "BUSY" and done.error["retry_after"] > 0


def test_stats_are_one_object_of_counters_as_strings(pair):
    stats = pair[0].ok("stats").one
    assert stats and all(value.isdigit() for value in stats.values())
    pair[0].options = []
    assert len(pair[0].ok("stats").out.splitlines()) == len(stats)
