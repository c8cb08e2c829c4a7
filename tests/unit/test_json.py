#!/usr/bin/python3
"""proto/json against Google's mapping for Python, in both directions, on random messages of every type.

    test_json.py JSON_LINES [MESSAGES]      MESSAGES each way (300), spread over all types

What JSON can say in several ways (names, numbers, base64, enums, white space, order) is said in ways
chosen at random. ZCHAT_JSON_SEED is another seed than 1.
"""

import base64
import json
import os
import pathlib
import random
import subprocess
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1]))

from google.protobuf import json_format
from google.protobuf.descriptor import FieldDescriptor as Field
from google.protobuf.message import Message

from support import schema

# What a text of the schema may hold: all but NUL and surrogates. The edges of UTF-8's lengths are likely.
EDGES = [1, 9, 10, 0x1F, 0x20, 0x22, 0x2F, 0x5C, 0x7F, 0x80, 0x7FF, 0x800, 0x2028, 0xD7FF, 0xE000, 0xFEFF,
         0xFFFD, 0xFFFF, 0x10000, 0x1F600, 0x10FFFF]
BITS = {Field.TYPE_UINT32: (0, 32), Field.TYPE_UINT64: (0, 64), Field.TYPE_INT32: (31, 31), Field.TYPE_INT64: (63, 63)}
BIG = (Field.TYPE_UINT64, Field.TYPE_INT64)
JSON_NUMBER_MAX = 2**63 - 1  # jansson has no larger ones: they are texts


def types():
    kinds = {value for value in vars(schema).values() if isinstance(value, type) and issubclass(value, Message)}
    return sorted(kinds, key=lambda kind: kind.DESCRIPTOR.name)


def character(chance):
    code = chance.choice(EDGES) if chance.random() < 0.3 else chance.choice([
        chance.randrange(0x20, 0x7F), chance.randrange(1, 0x800), chance.randrange(1, 0x110000)])
    return chr(code) if not 0xD800 <= code <= 0xDFFF else "?"


def number(chance, kind):
    below, above = BITS[kind]
    low, high = -(2**below) if below else 0, 2**above - 1
    near = chance.choice([low, high, 0, 2**53, -(2**53), chance.randrange(low, high + 1), chance.randrange(256)])
    return min(max(near + chance.randrange(-2, 3), low), high)


def value(chance, field):
    if field.type == Field.TYPE_BOOL:
        return chance.random() < 0.5
    if field.type == Field.TYPE_STRING:
        return "".join(character(chance) for _ in range(chance.choice([0, 1, 5, 40])))
    if field.type == Field.TYPE_BYTES:
        return chance.randbytes(chance.choice([0, 1, 2, 3, 16, 32, 64, chance.randrange(200)]))
    if field.type == Field.TYPE_ENUM:
        known = chance.choice(field.enum_type.values).number
        return known if chance.random() < 0.8 else number(chance, Field.TYPE_INT32)
    return number(chance, field.type)


def fill(chance, message):
    """Sets fields as chance has it, of a oneof at most one."""
    chosen = {oneof.name: chance.choice([None, *oneof.fields]) for oneof in message.DESCRIPTOR.oneofs}
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if chosen[oneof.name] is not field if oneof else chance.random() < 0.2:
            continue
        if field.label == Field.LABEL_REPEATED:
            for _ in range(chance.choice([0, 1, 2, 5])):
                if field.type == Field.TYPE_MESSAGE:
                    fill(chance, getattr(message, field.name).add())
                else:
                    getattr(message, field.name).append(value(chance, field))
        elif field.type == Field.TYPE_MESSAGE:
            getattr(message, field.name).SetInParent()
            fill(chance, getattr(message, field.name))
        else:
            setattr(message, field.name, value(chance, field))
    return message


def in_other_words(chance, field, said):
    """The same value as JSON may say it, too."""
    if field.type == Field.TYPE_BYTES:
        data = base64.b64decode(said)
        said = (base64.urlsafe_b64encode if chance.random() < 0.5 else base64.b64encode)(data).decode()
        return said.rstrip("=") if chance.random() < 0.5 else said
    if field.type == Field.TYPE_ENUM and chance.random() < 0.5:
        known = field.enum_type.values_by_name.get(said)
        return known.number if known else said
    if field.type in BITS and chance.random() < 0.5:
        exact = int(said)
        if isinstance(said, str):
            return exact if exact <= JSON_NUMBER_MAX else said
        return chance.choice([str(exact), float(exact)])
    return said


def reworded(chance, kind, said):
    """An object in other words: spellings, order, nulls for what is not there."""
    fields = {field.json_name: field for field in kind.fields}
    out = {}
    for name, field in fields.items():
        if name not in said:
            if chance.random() < 0.1:
                out[name] = None
            continue
        one = said[name]
        every = one if field.label == Field.LABEL_REPEATED else [one]
        if field.type == Field.TYPE_MESSAGE:
            every = [reworded(chance, field.message_type, each) for each in every]
        else:
            every = [in_other_words(chance, field, each) for each in every]
        spelt = field.name if chance.random() < 0.5 else name
        out[spelt] = every if field.label == Field.LABEL_REPEATED else every[0]
    names = list(out)
    chance.shuffle(names)
    return {name: out[name] for name in names}


def text_of(chance, said):
    separators = chance.choice([(",", ":"), (", ", ": "), (" ,\t", " :\r ")])
    return json.dumps(said, ensure_ascii=chance.random() < 0.5, separators=separators)


class Lines:
    def __init__(self, program):
        self.process = subprocess.Popen([program], stdin=subprocess.PIPE, stdout=subprocess.PIPE)

    def ask(self, verb, kind, text):
        self.process.stdin.write(f"{verb} {kind.DESCRIPTOR.name} {text}\n".encode())
        self.process.stdin.flush()
        return self.process.stdout.readline().decode().rstrip("\n")

    def end(self):
        self.process.stdin.close()
        return self.process.wait(30)


def difference_to(lines, kind, message):
    """What our JSON of a message has that Google's has not; None: nothing."""
    ours = lines.ask("to", kind, message.SerializeToString().hex())
    googles = json_format.MessageToDict(message)
    if ours.startswith("!") or json.loads(ours) != googles:
        return f"{kind.DESCRIPTOR.name} becomes\n  {ours}\nnot\n  {json.dumps(googles)}"
    return None


def difference_from(lines, chance, kind, message):
    defaults = chance.random() < 0.3
    said = json_format.MessageToDict(message, including_default_value_fields=defaults)
    text = text_of(chance, reworded(chance, kind.DESCRIPTOR, said))
    theirs = json_format.Parse(text, kind()).SerializeToString(deterministic=True).hex()
    ours = lines.ask("from", kind, text)
    if ours != theirs or theirs != message.SerializeToString(deterministic=True).hex():
        return f"{kind.DESCRIPTOR.name}: {text}\nbecomes\n  {ours}\nnot\n  {theirs}"
    return None


def main(program, messages=300):
    chance = random.Random(int(os.environ.get("ZCHAT_JSON_SEED", "1")))
    lines, kinds, found = Lines(program), types(), []
    assert len(kinds) > 100
    for i in range(max(int(messages), len(kinds))):
        kind = kinds[i % len(kinds)]
        message = fill(chance, kind())
        found += [difference_to(lines, kind, message), difference_from(lines, chance, kind, message)]
    differences = [one for one in found if one]
    print("\n".join(differences[:10]))
    print(f"{len(found) // 2} messages of {len(kinds)} types each way, {len(differences)} differences")
    return 1 if differences or lines.end() else 0


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
