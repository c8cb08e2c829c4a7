"""The JSON Schemas in json_schema/, one for what each verb of zmq-cli prints with --json, one for errors, and
common.json for what several print.

Keys are only ever added, so for readers the schemas are open. Our tests close them: a key that is in no schema is an
error, so that who adds one adds it there, too.
"""

import functools
import json
import pathlib
import subprocess

import jsonschema

from support.broker import program

FOLDER = pathlib.Path(__file__).parent / "json_schema"


@functools.cache
def verbs():
    """The rows of the program's own list."""
    out = subprocess.run([program("zmq-cli"), "help", "--json"], capture_output=True, text=True, check=True).stdout
    return [json.loads(line) for line in out.splitlines()]


def path_of(verb):
    return FOLDER / (verb.replace(" ", "-") + ".json")


def close(schema):
    """The same, without room for keys that it does not name."""
    if isinstance(schema, list):
        return [close(part) for part in schema]
    if not isinstance(schema, dict):
        return schema
    closed = {key: close(part) for key, part in schema.items()}
    if schema.get("type") == "object" and "properties" in schema:
        closed.setdefault("additionalProperties", False)
    return closed


@functools.cache
def validator(path):
    schema, common = (close(json.loads(file.read_text())) for file in (path, FOLDER / "common.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    resolver = jsonschema.RefResolver("", schema, store={"common.json": common})
    return jsonschema.Draft202012Validator(schema, resolver=resolver)


def assert_fits(path, line):
    value = json.loads(line)
    assert isinstance(value, dict), line
    fault = jsonschema.exceptions.best_match(validator(path).iter_errors(value))
    assert fault is None, f"{path.name} does not allow {line}: {fault.message[:500]}"


def assert_output_fits(verb, done):
    """Each line on stdout is what the verb prints; each one on stderr is a notice or an error."""
    for line in done.out.splitlines():
        assert_fits(path_of(verb), line)
    for line in done.err.splitlines():
        if not line.startswith("zmq-cli: "):
            assert_fits(FOLDER / "error.json", line)
