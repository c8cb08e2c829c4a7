"""zchat-bench: each workload in a short form ends, prints one line of JSON, and loses nothing.

What it measures is not judged: other things run on this machine, too.
"""

import json

import pytest

from support.broker import program, run

ECHOES = "echo", "echo_fdatasync"
BOUNDS = {"server", "generator", "both", "neither", "unknown"}


def bench(*words, check=0):
    """The JSON that a workload prints; it is all that it prints."""
    done = run([program("zchat-bench"), *words], timeout=100, check=check)
    assert done.stdout.count("\n") == 1, done.stdout
    return json.loads(done.stdout)


def assert_nothing_is_wrong(told):
    for fault in "lost", "doubled", "out_of_order":
        assert told[fault] == 0, told


def assert_limit(told, name):
    """The limit was measured, and the workload compared with it."""
    assert told[f"{name}_per_s"] > 0, told
    assert told[f"{name}_bound"] in BOUNDS, told
    assert told[f"of_{name}"] > 0, told


def test_delivered():
    told = bench("send", "--senders", "4", "--receivers", "8", "--accounts", "8", "--window", "16",
                 "--seconds", "1", "--limit-seconds", "0", "--check")
    assert_nothing_is_wrong(told)
    assert told["delivered"] == told["acknowledged"] > 0
    assert "of_echo" not in told


def test_stored():
    told = bench("send", "--senders", "4", "--receivers", "4", "--accounts", "300",
                 "--window", "64", "--seconds", "1", "--limit-seconds", "0", "--check")
    assert_nothing_is_wrong(told)
    assert told["checked_accounts"] == 300
    assert told["checked_messages"] >= 2 * told["acknowledged"] > 0


def test_send_beside_its_limits():
    for words in [], ["--rate", "500"]:
        told = bench("send", "--senders", "2", "--receivers", "2", "--accounts", "50", "--window", "16",
                     "--seconds", "0.5", "--limit-seconds", "0.4", *words)
        assert_nothing_is_wrong(told)
        for echo in ECHOES:
            assert_limit(told, echo)
        assert told["log_per_s"] > 0


def test_idle():
    told = bench("idle", "--clients", "10", "--seconds", "0.5")
    assert told["clients"] == 10 and told["connections"] == 2
    assert told["broker_cpu_percent"] >= 0 and told["bare_cpu_percent"] >= 0
    assert told["bytes_of_bare"] is not None
    assert "bare_cpu_percent" not in bench("idle", "--clients", "3", "--seconds", "0.2", "--alone")


@pytest.mark.parametrize("events, connections", [("none", 1), ("inline", 1), ("sub", 2)])
def test_login(events, connections):
    told = bench("login", "--clients", "20", "--rounds", "2", "--events", events)
    assert told["clients"] == 20 and told["connections"] == connections
    assert told["logins_per_s"] > 0
    assert_limit(told, "connects")


@pytest.mark.parametrize("words", [["sparse", "--pairs", "20"], ["latency", "--rate", "500"]])
def test_pairs(words):
    told = bench(*words, "--seconds", "0.5", "--limit-seconds", "0.2")
    assert_nothing_is_wrong(told)
    assert told["delivered"] == told["acknowledged"] > 0
    assert_limit(told, "forward")
    assert_limit(told, "forward_fdatasync")
    assert told["p50_times_forward_fdatasync"] > 0


@pytest.mark.parametrize("what", ["broadcast", "post"])
@pytest.mark.parametrize("events", ["inline", "sub"])
def test_fanout(what, events):
    told = bench("fanout", "--what", what, "--events", events, "--clients", "10", "--senders", "3",
                 "--window", "8", "--seconds", "0.4", "--limit-seconds", "0.2")
    assert_nothing_is_wrong(told)
    assert told["delivered"] == 10 * told["acknowledged"] > 0
    assert_limit(told, "bare")
    assert told["bare_fdatasync"] == (what == "post")


def test_growth(tmp_path):
    kept = "--data", str(tmp_path / "data"), "--config-dir", str(tmp_path)
    short = ("growth", "--accounts", "2000", "--messages", "4000", "--visits", "20", "--seconds", "0.2")
    told = bench(*short, *kept)
    assert told["lost"] == 0
    assert told["send_of_small"] > 0 and told["page_times_small"] > 0
    assert told["start_ms"] > 0 and told["wait_after_max_ms"] > 0
    again = bench(*short, *kept, "--filled", "--alone")
    assert again["lost"] == 0 and "send_of_small" not in again


def test_files():
    told = bench("files", "--size-mib", "4", "--runs", "1")
    assert told["upload_of_copy"] > 0


def test_private():
    told = bench("private", "--lines", "20000", "--runs", "2")
    assert told["lines"] == 20000


@pytest.fixture
def refused():
    def refuse(*words):
        done = run([program("zchat-bench"), *words], check=2)
        assert done.stdout == ""
        assert done.stderr.count("\n") == 1, done.stderr
        return done.stderr.strip()

    return refuse


def test_options(refused):
    assert refused("send", "--limit-seconds", "-1") == \
        'zchat-bench: --limit-seconds wants a number from 0 to 3600, not "-1"'
    assert refused("send", "--limit-frame", "65") == \
        'zchat-bench: --limit-frame wants a whole number from 1 to 64, not "65"'
    assert refused("send", "--senders") == \
        "zchat-bench: --senders needs a value: N"
    assert refused("idle", "--limit-frame", "1") == \
        "zchat-bench: --limit-frame is no option; zchat-bench idle --help lists them"
    assert refused("login", "--clients", "0") == \
        'zchat-bench: --clients wants a whole number from 1 to 20000, not "0"'
    assert refused("login", "--events", "all") == \
        'zchat-bench: --events wants none or inline or sub, not "all"'
    assert refused("growth", "--filled") == \
        "zchat-bench: --filled needs --data and --config-dir of the earlier run"
    assert refused("latency", "--rate", "0") == \
        'zchat-bench: --rate wants a whole number from 1 to 1000000, not "0"'
    assert refused("sparse", "--window", "2") == \
        "zchat-bench: --window is no option; zchat-bench sparse --help lists them"
    assert refused("fanout", "--events", "none") == \
        'zchat-bench: --events wants inline or sub, not "none"'
    assert refused("fanout", "--what", "mail") == \
        'zchat-bench: --what wants broadcast or post, not "mail"'
    assert refused("send", "--receivers", "2", "--accounts", "1") == \
        "zchat-bench: there can't be more --receivers than --accounts"
