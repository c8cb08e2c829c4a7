"""What proto/README.md says of the commands: its table, and what any command may be refused with."""

import re

from support import schema
from support.broker import ROOT

TEXT = (ROOT / "proto" / "README.md").read_text()


def section(heading):
    return re.search(rf"^## {heading}\n(.*?)(?=^## |\Z)", TEXT, re.M | re.S)[1]


# The last number of the schema that the page tells what it brought.
SCHEMA = max(int(number) for number in re.findall(r"^\| (\d+) \|", section("How the schema may change"), re.M))


def _commands():
    for line in section("All commands").splitlines():
        if re.match(r"\| `[A-Z]", line) and line.count("|") == 7:
            name, *cells = (cell.strip() for cell in line.strip("|").split("|"))
            yield re.sub(r"(?<!^)([A-Z])", r"_\1", name.strip("`")).lower(), cells


def _of_any():
    table = section("All commands").partition("| any command |")[2]
    return {word for line in table.splitlines() for word in re.findall(r"`([A-Z_]+)`", line)}


# {command, as a field: [state, cost, activity, retry, reasons]}
COMMANDS = dict(_commands())
OF_ANY = _of_any()


def reasons(command):
    """The reasons, without REASON_, that the page tells of a command by its field's name; None: an unknown one."""
    return OF_ANY | set(re.findall(r"`(\w+)`", COMMANDS[command][-1]) if command else ())


def assert_told(command, error):
    """That the page tells of this refusal of the Command."""
    body, reason = command.WhichOneof("body"), schema.Reason.Name(error.reason).removeprefix("REASON_")
    assert reason in reasons(body), f"proto/README.md does not say that {body} may be refused with {reason}"
