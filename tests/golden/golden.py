#!/usr/bin/python3
"""The golden messages: bytes of the protocol that must never change their meaning.

    golden.py check SCHEMA_DIR BUILD_DIR    do the bytes mean the same to Python?
    golden.py add SCHEMA_DIR BUILD_DIR      append what a new command or event lacks

messages.txt holds a name, the bytes and what they mean (protobuf's text format). Each field of a
message is set by one rule, here and in test_golden.c, so that no field can be forgotten. `add` only
appends. Where a message got a new field, rename its entry (command.login@1) and then add: what was
sent once must be read for ever.
"""

import importlib
import pathlib
import re
import subprocess
import sys

from google.protobuf import text_format
from google.protobuf.descriptor import FieldDescriptor as Field

MESSAGES = pathlib.Path(__file__).parent / "messages.txt"
NO_BODY = -1
TOPICS = ("presence", "broadcast", "notice")


def generate(schema_dir, build_dir):
    """Returns the generated modules batch, greeter and peer."""
    build_dir = pathlib.Path(build_dir)
    build_dir.mkdir(parents=True, exist_ok=True)
    names = sorted(p.relative_to(schema_dir) for p in pathlib.Path(schema_dir).rglob("*.proto"))
    subprocess.run(["protoc", f"-I{schema_dir}", f"--python_out={build_dir}", *map(str, names)],
                   check=True)
    sys.path.insert(0, str(build_dir))
    return [importlib.import_module(f"zchat.v1.{name}_pb2") for name in ("batch", "greeter", "peer")]


def value(field):
    return {
        Field.TYPE_ENUM: 1,
        Field.TYPE_STRING: f"{field.name} \u00e9",
        Field.TYPE_BYTES: bytes(17 * i for i in range(16)),
        Field.TYPE_BOOL: True,
        Field.TYPE_UINT32: 300 + field.number,
        Field.TYPE_UINT64: 2**40 + field.number,
        Field.TYPE_INT64: 1700000000000000 + field.number,
    }[field.type]


def fill(message, body=0):
    """Sets every field; of a oneof the one with the number `body`, or the first."""
    kind = message.DESCRIPTOR
    inner = 0 if kind.oneofs else body
    for field in kind.fields:
        oneof = field.containing_oneof
        if oneof and field.number != (body or oneof.fields[0].number):
            continue
        if kind.name == "Reply" and field.name == "error" and body != NO_BODY:
            continue
        repeated = field.label == Field.LABEL_REPEATED
        for _ in range(2 if repeated else 1):
            if field.type == Field.TYPE_MESSAGE:
                part = getattr(message, field.name)
                part = part.add() if repeated else part
                part.SetInParent()
                fill(part, inner)
            elif repeated:
                getattr(message, field.name).append(value(field))
            else:
                setattr(message, field.name, value(field))
    return message


def bodies(kind):
    return {f.name: f.number for f in kind.DESCRIPTOR.oneofs_by_name["body"].fields}


def all_cases(batch, greeter, peer):
    """Yields each name with its message."""
    for name, number in bodies(batch.Command).items():
        yield f"command.{name}", batch.CommandBatch(commands=[fill(batch.Command(), number)])
    for name, number in {**bodies(batch.Reply), "error": NO_BODY}.items():
        yield f"reply.{name}", batch.ServerBatch(replies=[fill(batch.Reply(), number)])
    for name, number in bodies(batch.ServerEvent).items():
        yield f"event.{name}", batch.ServerBatch(events=[fill(batch.ServerEvent(), number)])
    for name, number in bodies(batch.ServerEvent().thread).items():
        event = fill(batch.ServerEvent(), bodies(batch.ServerEvent)["thread"])
        event.thread.CopyFrom(fill(type(event.thread)(), number))
        yield f"event.thread.{name}", batch.ServerBatch(events=[event])
    for name in TOPICS:
        yield f"publication.{name}", fill(batch.Publication(), bodies(batch.ServerEvent)[name])
        yield f"subscription.{name}", batch.Publication(topic=name)
    yield "server_batch", fill(batch.ServerBatch())
    yield "greeting_request", fill(greeter.GreetingRequest())
    yield "greeting", fill(greeter.Greeting())
    for name, number in bodies(peer.PeerMessage).items():
        yield f"peer.{name}", peer.PeerBatch(messages=[fill(peer.PeerMessage(), number)])


def read_messages():
    """Returns {name: (bytes, text)}."""
    entries = {}
    for line in MESSAGES.read_text().splitlines() if MESSAGES.exists() else []:
        word, _, rest = line.partition(" ")
        if word == "name":
            name = rest
        elif word == "bytes":
            data = bytes.fromhex(rest)
        elif word == "text":
            assert name not in entries, f"{name} stands there twice"
            entries[name] = (data, rest)
        else:
            assert not line or line[0] == "#", f"a line of messages.txt is of no kind: {line}"
    return entries


def type_of(name, batch, greeter, peer):
    kinds = {"command": batch.CommandBatch, "reply": batch.ServerBatch, "event": batch.ServerBatch,
             "server_batch": batch.ServerBatch, "publication": batch.Publication,
             "subscription": batch.Publication, "greeting_request": greeter.GreetingRequest,
             "greeting": greeter.Greeting, "peer": peer.PeerBatch}
    return kinds[re.split("[.@]", name)[0]]


def check(*modules):
    entries = read_messages()
    wrong = [f"{name} has no golden bytes: run golden.py add" for name, _ in all_cases(*modules)
             if name not in entries]
    for name, (data, text) in entries.items():
        kind = type_of(name, *modules)
        meant = text_format.Parse(text, kind())
        if kind.FromString(data) != meant:
            wrong.append(f"{name}: the bytes mean {kind.FromString(data)}")
        if meant.SerializeToString(deterministic=True) != data:
            wrong.append(f"{name}: packs to {meant.SerializeToString(deterministic=True).hex()}")
    print("\n".join(wrong) or f"{len(entries)} golden messages mean the same")
    return 1 if wrong else 0


def add(*modules):
    entries = read_messages()
    with MESSAGES.open("a") as out:
        for name, message in all_cases(*modules):
            if name not in entries:
                text = text_format.MessageToString(message, as_one_line=True, as_utf8=True)
                out.write(f"\nname {name}\nbytes {message.SerializeToString().hex()}\ntext {text}\n")
    return 0


if __name__ == "__main__":
    verb = {"check": check, "add": add}[sys.argv[1]]
    sys.exit(verb(*generate(sys.argv[2], sys.argv[3])))
