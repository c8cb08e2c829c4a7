"""zmq-cli: help, which fits a screen and begins with examples that work; and what was mistyped."""

import re

import pytest

from json_schemas import verbs
from zmq_cli import ONE_VOICE, Cli, assert_help_in_one_voice
from zmq_cli_world import LIMITS, World, expected_status, run_examples

ROWS, COLUMNS = 24, 80
TOPICS = ["", "options", "status", "thread", "user"]


VERBS = verbs()
GROUPS = sorted({row["group"] for row in VERBS})


@pytest.fixture
def cli(tmp_path):
    """Knows no broker."""
    return Cli(None, tmp_path)


# ---- pages ----


@pytest.mark.parametrize("words", [row["verb"] for row in VERBS] + TOPICS + GROUPS)
def test_each_page_fits_a_screen_and_speaks_in_one_voice(cli, words):
    cli.options = []
    out = cli.ok("help", *words.split()).out
    assert len(out.splitlines()) <= ROWS, out
    assert all(len(line) <= COLUMNS and line == line.rstrip() for line in out.splitlines()), out
    assert_help_in_one_voice(out.partition("examples:")[0] + out.partition("\n\n")[2])


@pytest.mark.parametrize("row", VERBS, ids=lambda row: row["verb"])
def test_help_of_a_verb_begins_with_examples_and_is_the_same_in_every_way(cli, row):
    cli.options = []
    words = row["verb"].split()
    out = cli.ok("help", *words).out
    lines = out.splitlines()
    assert lines.pop(0) == f"zmq-cli [OPTIONS] {row['verb']} {row['words']}".rstrip()
    if row["classic"]:
        assert lines.pop(0) == f"classic name: {row['classic']}"
        assert cli.ok("help", row["classic"]).out == out
    assert 1 <= len(row["examples"]) <= 3, "a verb needs an example, VERB_EXAMPLES()"
    assert lines[:len(row["examples"]) + 1] == ["examples:"] + ["  " + line for line in row["examples"]]
    for option in row["options"]:
        assert f"--{option['option']}" in out
    assert cli.ok(*words, "--help").out == out
    full = cli.ok(*words, "--help", "-v").out
    assert "--timeout SECONDS" in full and "(default 5)" in full and "130 interrupted" in full


def test_the_page_of_the_program_names_every_verb_once(cli):
    cli.options = []
    out = cli.ok("--help").out
    assert out == cli.ok("help").out
    groups = dict(re.findall(r"^  (\w+) +(.*(?:\n {12}.*)*)", out.partition("verbs, by group:")[2], re.M))
    named = []
    for verbs in groups.values():
        for verb in re.split(r",\s+", verbs):
            first, _, seconds = verb.partition(" ")
            named += [f"{first} {second}" for second in seconds.split("|")] if seconds else [first]
    assert named == [row["verb"] for row in VERBS]
    assert sorted(groups) == GROUPS
    for row in VERBS:
        assert f"\n  {row['verb']}" in cli.ok("help", row["group"]).out


def test_help_needs_no_broker_no_user_and_no_valid_configuration(cli):
    (cli.folder / "zmq-cli.conf").write_text("nonsense\n")
    cli.options = []
    assert "ZCHAT" not in cli.ok("help", "status").out
    assert cli.ok("help", "thread").out.startswith("zmq-cli [OPTIONS] VERB ...   the forum\n")
    assert "user lock NAME" in cli.ok("user", "--help").out
    assert "$ZCHAT_SERVER" in cli.ok("help", "options").out


def test_help_as_json_has_a_verb_a_line(cli):
    assert cli.ok("help", "recv").one == next(row for row in VERBS if row["verb"] == "recv")
    assert {line["group"] for line in cli.ok("help", "file").lines} == {"file"}
    assert len(cli.ok("help").lines) == len(VERBS)


# ---- what was mistyped ----


@pytest.mark.parametrize("words, meant", [
    ("sned bob hi", "did you mean send?"), ("thread raed harvest", "did you mean thread read?"),
    ("tread read harvest", "did you mean thread read?"), ("tread", "did you mean thread?"),
    ("thread rem x", "did you mean thread remove?"), ("hist bob", "did you mean history?"),
    ("post harvest hi", "did you mean thread post?"), ("whoo", "did you mean who?"),
    ("thread show x", "after thread comes one of create, list, post, read, edit, delete, remove, follow, unfollow"),
    ("recv --folow", "did you mean --follow?"), ("--folow recv", "did you mean --follow?"),
    ("recv --foll", "did you mean --follow?"), ("send --requ bob hi", "did you mean --require-online?"),
    ("send --folow bob hi", "--follow goes with recv, events, not with send"),
    ("recv --from bob", "recv has no option --from, which goes with wait; did you mean --from-seq?"),
    ("wait --follow", "wait has no option --follow, which goes with recv, events"),
    ("--folow", "did you mean --follow?"), ("help raed", "did you mean thread read?"), ("help thread raed", "thread read?"),
])
def test_what_was_mistyped_is_told_with_what_was_meant(cli, words, meant):
    message = cli.fails(2, "INVALID", *words.split())["message"]
    assert meant in message and ONE_VOICE.match(message)


@pytest.mark.parametrize("words", ["abracadabra", "x", "\u4f60\u597d", "who " + "x" * 5000, "x" * 5000, "y" * 5000 + " z",
                                   "recv --" + "x" * 5000, "thread " + "x" * 5000, "help " + "x" * 5000])
def test_what_is_far_from_everything_gets_no_guess(cli, words):
    assert "did you mean" not in cli.fails(2, "INVALID", *words.split())["message"]


def test_only_the_first_mistake_is_told(cli):
    assert "--timeout" in cli.fails(2, "INVALID", "--timeout", "soon", "sned", "--folow")["message"]
    assert "sned" in cli.fails(2, "INVALID", "sned", "--timeout", "soon", "--folow")["message"]
    assert "--folow" in cli.fails(2, "INVALID", "--folow", "sned", "--timeout", "soon")["message"]


# ---- examples ----


@pytest.fixture
def world(broker_factory, tmp_path):
    return World(broker_factory(*LIMITS), tmp_path)


def test_every_example_does_what_it_shows(world):
    wrong = [done for _, done in run_examples(world) if done.status != expected_status(done.words)]
    assert not wrong
