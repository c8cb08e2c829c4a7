"""zmq-cli: with --json every line on stdout and every error on stderr is as its JSON Schema says."""

import json

import pytest

from json_schemas import FOLDER, assert_fits, assert_output_fits, path_of, validator, verbs
from private_calls import accept, start  # noqa: F401
from zmq_cli import Cli
from zmq_cli_world import LIMITS, World, run_examples

VERBS = [row["verb"] for row in verbs()]
ERROR = FOLDER / "error.json"


def test_every_verb_has_a_schema_and_no_schema_is_left_over():
    files = {path.name for path in FOLDER.glob("*.json")}
    assert files == {path_of(verb).name for verb in VERBS} | {"common.json", "error.json"}
    for name in files:
        validator(FOLDER / name)


@pytest.mark.parametrize("what, type", [("message", "message"), ("post", "posted"), ("post", "edited"), ("upload", "uploaded")])
def test_an_event_has_all_that_is_told_of_what_it_is_about(what, type):
    known = json.loads((FOLDER / "common.json").read_text())["$defs"]
    [event] = [event for event in known["event"]["anyOf"] if event["properties"]["type"] == {"const": type}]
    assert known[what]["properties"].keys() <= event["properties"].keys()


@pytest.mark.parametrize("verb, line", [
    ("who", '{"user":"bob","online":true,"last_seen":null,"new":1}'), ("who", '{"user":"bob","online":true}'),
    ("announce", '{"reached":"1"}'), ("stats", "{}"), ("logout", '{"a":1}'), ("rpc", '{"id":1}'),
    ("send", '{"id":"x","seq":"1","time":"2026-01-01T00:00:00.000000Z","status":"stored"}'),
    ("send", '{"id":"01234567-89ab-7def-8123-456789abcdef","seq":1,"time":"2026-01-01T00:00:00.000000Z","status":"stored"}'),
    ("send", '{"id":"01234567-89ab-7def-8123-456789abcdef","seq":"1","time":"2026-01-01T00:00:00Z","status":"stored"}'),
    ("who", '[]'),
])
def test_what_does_not_fit_is_found(verb, line):
    with pytest.raises(AssertionError):
        assert_fits(path_of(verb), line)


@pytest.mark.parametrize("verb", VERBS)
def test_the_error_of_a_wrong_call_fits(tmp_path, verb):
    cli = Cli(None, tmp_path)
    for words in ([*verb.split(), "--no-such"], [*verb.split(), *["word"] * 4, "--timeout", "soon"]):
        done = cli(*words, check=2)
        assert done.out == ""
        assert_output_fits(verb, done)


def test_lines_of_a_private_chat_fit(start, alice, bob):  # noqa: F811
    accept(start, bob, "--once", stdin="yes, nine\n")
    done = alice.ok("private", "start", bob.environment["ZCHAT_USER"])
    assert [line["text"] for line in done.lines] == ["yes, nine"]
    assert_output_fits("private start", done)


def test_what_the_examples_print_fits(broker_factory, tmp_path):
    world = World(broker_factory(*LIMITS), tmp_path, "--json")
    printed = set()
    for verb, done in run_examples(world):
        piped = " | " in done.words.partition("zmq-cli")[2] or " && " in done.words
        if not piped:
            assert_output_fits(verb, done)
        printed |= {verb} if done.out and not piped else set()
    assert set(VERBS) - printed == {"private start", "private stop"}
