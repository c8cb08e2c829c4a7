#!/usr/bin/python3
"""What the schema must keep so that other languages, wire.c and its readers can rely on it.

    schema_lint.py SCHEMA_DIR       prints each breach, exits 1 if there is one

Some rules protoc knows as well; they stand here because they are promises of proto/README.md.
"""

import pathlib
import re
import subprocess
import sys
import tempfile

from google.protobuf import descriptor_pb2

PACKAGE = "zchat.v1"
SERVICE = "zchat/v1/batch.proto"
FILE_OPTIONS = {"csharp_namespace": "Zchat.V1", "go_package": "zchat/v1;zchatv1", "java_multiple_files": True,
                "java_package": "zchat.v1", "objc_class_prefix": "ZCH", "php_namespace": "Zchat\\V1",
                "ruby_package": "Zchat::V1"}
# What a generator would have to escape, or what hides a language's own: as a field, and as a type.
FIELD_NAMES = set("""abstract and as assert async await begin bool boolean break byte bytes case catch char class const
continue def default del delete do double elif else end ensure enum eval except export extends extern false final
finally float for foreach from func function global go goto hash if implements import in inline instanceof int
interface is lambda let list long map method module namespace native new next nil none nonlocal not null object or
package pass print private protected public raise register rescue return self send short sizeof static str string
struct super switch synchronized template this throw true try type typedef typeof union unless unsigned using var
virtual void volatile when while with yield""".split())
TYPE_NAMES = set("""Any Array Boolean Class Comparable Date Enum Error Event Exception File Function Hash Integer
Iterator Kernel List Map Message Method Module Mutex Nil None Null Number Object Option Process Promise Queue Range
Record Result Self Set Signal Some Status String Struct Symbol Sync Task Thread Time Type Union Unit Vec Void""".split())
# Rust and Swift take an enum's name off its values, and have these themselves.
VALUE_NAMES = {"INIT", "NONE", "SELF", "TYPE"}
# Numbers that are kept free: for several brokers (proto/README.md says so).
ROOM = {"Greeting": range(20, 30), "LoginResponse": range(20, 30), "Command": range(100, 120),
        "Reply": range(100, 120), "ServerEvent": range(100, 120)}
SNAKE = re.compile(r"[a-z][a-z0-9]*(_[a-z0-9]+)*")
Field = descriptor_pb2.FieldDescriptorProto
# Numbers in the paths of source locations: the fields of descriptor.proto.
MESSAGE, ENUM, FIELD, NESTED, NESTED_ENUM, ONEOF, VALUE = 4, 5, 2, 3, 4, 8, 2


def compile_schema(schema_dir):
    names = sorted(str(p.relative_to(schema_dir)) for p in pathlib.Path(schema_dir).rglob("*.proto"))
    with tempfile.NamedTemporaryFile() as out:
        subprocess.run(["protoc", f"-I{schema_dir}", "--include_source_info",
                        f"--descriptor_set_out={out.name}", *names], check=True)
        return descriptor_pb2.FileDescriptorSet.FromString(pathlib.Path(out.name).read_bytes())


def snake(camel):
    return re.sub(r"(?<!^)(?=[A-Z])", "_", camel).upper()


class Lint:
    """Walks the files once; breaches are sentences that begin with the place."""

    def __init__(self, files):
        self.files = files
        self.breaches = []
        self.messages = {}

    def run(self):
        for file in self.files:
            self.check_file(file)
        self.check_recursion()
        self.check_replies()
        self.check_service()
        self.check_reasons()
        return self.breaches

    def say(self, place, what):
        self.breaches.append(f"{place}: {what}")

    def check_file(self, file):
        comments = {tuple(location.path): location.leading_comments.strip()
                    for location in file.source_code_info.location}
        if file.package != PACKAGE or file.syntax != "proto3":
            self.say(file.name, f"is not proto3 of the package {PACKAGE}")
        if file.extension or (file.service and file.name != SERVICE):
            self.say(file.name, "has services or extensions")
        if {field.name: value for field, value in file.options.ListFields()} != FILE_OPTIONS:
            self.say(file.name, f"has other options than {FILE_OPTIONS}")
        for name in file.dependency:
            if not name.startswith("zchat/v1/"):
                self.say(file.name, f"imports {name}, which is not ours")
        for i, message in enumerate(file.message_type):
            self.check_message(message, message.name, (MESSAGE, i), comments)
        for i, enum in enumerate(file.enum_type):
            self.check_enum(enum, enum.name, (ENUM, i), comments)

    def check_comment(self, place, name, comment):
        if not comment:
            self.say(place, "has no comment")
        elif not re.match(rf"{name}\b", comment):
            self.say(place, f"has a comment that does not begin with {name}")

    def check_options(self, place, descriptor):
        if descriptor.HasField("options"):
            self.say(place, "has options")

    def check_message(self, message, place, path, comments):
        self.messages[f".{PACKAGE}.{place}"] = message
        if message.options.map_entry:
            self.say(place, "is a map")
            return
        self.check_comment(place, message.name, comments.get(path))
        self.check_options(place, message)
        if message.name in TYPE_NAMES:
            self.say(place, "has a name that languages use themselves")
        if message.extension_range or message.extension:
            self.say(place, "has extensions")
        for i, field in enumerate(message.field):
            self.check_field(field, f"{place}.{field.name}", comments.get((*path, FIELD, i)))
        for i, oneof in enumerate(message.oneof_decl):
            self.check_comment(f"{place}.{oneof.name}", oneof.name, comments.get((*path, ONEOF, i)))
            self.check_options(f"{place}.{oneof.name}", oneof)
        for i, nested in enumerate(message.nested_type):
            self.check_message(nested, f"{place}.{nested.name}", (*path, NESTED, i), comments)
        for i, enum in enumerate(message.enum_type):
            self.check_enum(enum, f"{place}.{enum.name}", (*path, NESTED_ENUM, i), comments)
        self.check_reserved(place, message, message, 0)

    def check_field(self, field, place, comment):
        """A member of a oneof may go without a comment: its message has one."""
        if comment or not field.HasField("oneof_index"):
            self.check_comment(place, field.name, comment)
        self.check_field_options(place, field)
        self.check_field_name(place, field)
        if not SNAKE.fullmatch(field.name):
            self.say(place, "is not lower_snake_case")
        if field.proto3_optional:
            self.say(place, "is optional")
        if field.type == Field.TYPE_GROUP:
            self.say(place, "is a group")
        numeric = field.type not in (Field.TYPE_STRING, Field.TYPE_BYTES, Field.TYPE_MESSAGE)
        if field.label == Field.LABEL_REPEATED and numeric:
            self.say(place, "is a repeated number: wire.c refuses their packed form")

    def check_field_options(self, place, field):
        """JavaScript's numbers hold what stays below 2^53, as all of ours do."""
        wide = field.type in (Field.TYPE_INT64, Field.TYPE_UINT64)
        wanted = [("jstype", descriptor_pb2.FieldOptions.JS_NUMBER)] if wide else []
        if [(option.name, value) for option, value in field.options.ListFields()] != wanted:
            self.say(place, "has no jstype = JS_NUMBER, or other options")

    def check_field_name(self, place, field):
        kind = place.split(".")[-2]
        if field.name in FIELD_NAMES:
            self.say(place, "has a name that is a word of some language")
        if field.name.replace("_", "") == kind.lower():
            self.say(place, "has its message's name, which C# can't have")
        if field.number in ROOM.get(kind, ()):
            self.say(place, "has a number that is kept for several brokers")

    def check_enum(self, enum, place, path, comments):
        self.check_comment(place, enum.name, comments.get(path))
        self.check_options(place, enum)
        prefix = snake(enum.name) + "_"
        if enum.value[0].number != 0 or enum.value[0].name != prefix + "UNSPECIFIED":
            self.say(place, f"does not begin with {prefix}UNSPECIFIED = 0")
        for i, value in enumerate(enum.value):
            self.check_comment(f"{place}.{value.name}", value.name, comments.get((*path, VALUE, i)))
            self.check_options(f"{place}.{value.name}", value)
            if not value.name.startswith(prefix):
                self.say(f"{place}.{value.name}", f"does not begin with {prefix}")
            if value.name.removeprefix(prefix) in VALUE_NAMES:
                self.say(f"{place}.{value.name}", "has a name that Rust or Swift uses itself")

    def check_reserved(self, place, message, other, first):
        """That no number from `first` on is used in `message` and reserved in `other`."""
        for field in message.field:
            ranges = [r for r in other.reserved_range if r.start <= field.number < r.end]
            if field.number >= first and (ranges or field.name in other.reserved_name):
                self.say(f"{place}.{field.name}", f"is reserved in {other.name}")

    def check_recursion(self):
        for name in self.messages:
            if self.reaches(name, name, set()):
                self.say(name, "contains itself")

    def reaches(self, start, wanted, seen):
        for field in self.messages[start].field:
            inner = field.type_name
            if field.type != Field.TYPE_MESSAGE or inner not in self.messages or inner in seen:
                continue
            seen.add(inner)
            if inner == wanted or self.reaches(inner, wanted, seen):
                return True
        return False

    def bodies(self, name):
        message = self.messages[f".{PACKAGE}.{name}"]
        return {field.name: field.number for field in message.field if field.HasField("oneof_index")}

    def check_replies(self):
        commands, replies = self.bodies("Command"), self.bodies("Reply")
        for name in sorted(commands.keys() | replies.keys()):
            if commands.get(name) != replies.get(name):
                self.say(f"Command.{name}", f"is {commands.get(name)}, its reply {replies.get(name)}")
            if min(commands.get(name, 10), replies.get(name, 10)) < 10:
                self.say(f"Command.{name}", "has a number of the envelope")
        command, reply = self.messages[f".{PACKAGE}.Command"], self.messages[f".{PACKAGE}.Reply"]
        self.check_reserved("Command", command, reply, 10)
        self.check_reserved("Reply", reply, command, 10)

    def check_service(self):
        """It pairs each command's type with its result's."""
        bodies = [{field.name: field.type_name for field in self.messages[f".{PACKAGE}.{name}"].field
                   if field.HasField("oneof_index")} for name in ("Command", "Reply")]
        told = {(method.input_type, method.output_type)
                for file in self.files for service in file.service for method in service.method}
        for name, kind in bodies[0].items():
            if (kind, bodies[1].get(name)) not in told:
                self.say(f"Command.{name}", "is not in the service")
        if len(told) != len(bodies[0]):
            self.say("the service", "has what is no command")

    def check_reasons(self):
        """The hundreds of a reason are its code."""
        enums = {enum.name: enum for file in self.files for enum in file.enum_type}
        codes = {value.number for value in enums["Code"].value}
        for value in enums["Reason"].value:
            if value.number and value.number // 100 not in codes - {0}:
                self.say(f"Reason.{value.name}", "has a number that is of no code")


def lint(schema_dir):
    return Lint(compile_schema(schema_dir).file).run()


if __name__ == "__main__":
    breaches = lint(sys.argv[1])
    print("\n".join(breaches) or "the schema keeps its rules")
    sys.exit(1 if breaches else 0)
