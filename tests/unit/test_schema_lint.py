#!/usr/bin/python3
"""schema_lint.py sees each kind of breach: every rule is broken once in a copy of the schema."""

import pathlib
import shutil
import tempfile
import unittest

import schema_lint

SCHEMA = pathlib.Path(__file__).parents[2] / "proto"

# A name for the breach: the file, what is replaced in it, by what, and what the lint must say.
BREACHES = {
    "another package": ("greeter", "package zchat.v1;", "package zchat.v2;", "is not proto3 of the"),
    "a file's option": ("greeter", "package zchat.v1;",
                        "package zchat.v1; option cc_enable_arenas = false;", "has other options"),
    "another namespace": ("greeter", '"Zchat.V1"', '"Zchat.V2"', "has other options"),
    "a field's option": ("people", "bool online = 2;", "bool online = 2 [deprecated = true];",
                         "PresenceEvent.online: has no jstype"),
    "a wide number without jstype": ("people", "uint64 seconds = 1 [jstype = JS_NUMBER];", "uint64 seconds = 1;",
                                     "SinceRequest.seconds: has no jstype"),
    "a message's option": ("people", "message UnblockUserResponse {}",
                           "message UnblockUserResponse { option deprecated = true; }",
                           "UnblockUserResponse: has options"),
    "a field's name that is a word": ("people", "sender", "from", "MessageEvent.from: has a name that is a word"),
    "a field's name that is its message's": ("common", "string user = 1;", "string user = 1;\n// person is. "
                                             "\nstring person = 9;", "Person.person: has its message's name"),
    "a type's name that is taken": ("greeter", "message Greeting {", "message Task {}\nmessage Greeting {",
                                "Task: has a name that languages"),
    "a number that is kept": ("greeter", "string software = 6;", "string software = 20;",
                              "Greeting.software: has a number that is kept"),
    "a reason of no code": ("common", "REASON_RATE = 701;", "REASON_RATE = 1701;",
                            "Reason.REASON_RATE: has a number that is of no code"),
    "a command that is not in the service": ("batch", "rpc Ping(PingRequest) returns (PingResponse);", "",
                                             "Command.ping: is not in the service"),
    "a method that is no command": ("batch", "rpc Ping(", "rpc More(PingRequest) returns (WhoResponse);\nrpc Ping(",
                                    "the service: has what is no command"),
    "an enum's option": ("common", "enum Code {", "enum Code {\n option deprecated = true;",
                         "Code: has options"),
    "a service": ("greeter", "message Greeting {", "service S {}\nmessage Greeting {", "services"),
    "a map": ("people", "repeated string users = 1;", "map<string, string> users = 1;", "is a map"),
    "an optional field": ("people", "uint64 seconds = 1 [", "optional uint64 seconds = 1 [",
                          "SinceRequest.seconds: is optional"),
    "a repeated number": ("people", "uint64 seconds = 1 [", "repeated uint64 seconds = 1 [",
                          "SinceRequest.seconds: is a repeated number"),
    "recursion": ("people", "uint64 seconds = 1 [",
                  "// again is again.\nSinceRequest again = 33;\nuint64 seconds = 1 [", "contains itself"),
    "recursion by a detour": ("common", "uint64 head = 2 [jstype = JS_NUMBER];",
                              "uint64 head = 2 [jstype = JS_NUMBER];\n// up is up.\nDown up = 3;\n}\n// Down is down.\n"
                              "message Down {\n// back is back.\nrepeated TopicHead back = 1;",
                              "contains itself"),
    "a message without a comment": ("admin", "// Stat is one counter or gauge.", "",
                                    "Stat: has no comment"),
    "a field without a comment": ("common", "// user is the account's name. Never empty.", "",
                                  "Person.user: has no comment"),
    "another field's comment": ("common", "// user is the account's", "// users are the account's",
                                "Person.user: has a comment that does not begin with user"),
    "a value without a comment": ("common", "// CODE_BUSY: a budget", "// A budget",
                                  "CODE_BUSY: has a comment that does not"),
    "an enum without a comment": ("admin", "// EndReason says why a session ended.", "",
                                  "EndReason: has no comment"),
    "a oneof without a comment": ("batch", "// body is what happened.", "// What happened.",
                                  "ServerEvent.body: has a comment"),
    "a zero with a meaning": ("common", "CODE_UNSPECIFIED", "CODE_FINE", "CODE_UNSPECIFIED = 0"),
    "a value without its prefix": ("common", "CODE_BUSY", "BUSY", "Code.BUSY: does not begin with"),
    "a value's name that is taken": ("common", "REASON_ONESELF", "REASON_SELF", "REASON_SELF: has a name that Rust"),
    "a name in camel case": ("people", "require_online", "requireOnline", "is not lower_snake_case"),
    "a command without a reply": ("batch", "    PingResponse ping = 40;\n", "", "Command.ping: is 40"),
    "a reply of another number": ("batch", "PingResponse ping = 40;", "PingResponse ping = 1049;",
                                  "Command.ping: is 40, its reply 1049"),
}


class SchemaLint(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.schema = pathlib.Path(folder.name)
        shutil.copytree(SCHEMA / "zchat", self.schema / "zchat")

    def edit(self, name, old, new):
        path = self.schema / "zchat/v1" / f"{name}.proto"
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))

    def test_the_schema_itself_is_clean(self):
        self.assertEqual(schema_lint.lint(self.schema), [])

    def test_a_file_of_proto2_is_seen(self):
        (self.schema / "zchat/v1/old.proto").write_text('syntax = "proto2"; package zchat.v1;')
        self.assertIn("zchat/v1/old.proto: is not proto3 of the package zchat.v1",
                      schema_lint.lint(self.schema))

    def test_an_import_from_elsewhere_is_seen(self):
        (self.schema / "google").mkdir()
        (self.schema / "google/any.proto").write_text('syntax = "proto3"; package google;')
        self.edit("people", "package zchat.v1;", 'package zchat.v1; import "google/any.proto";')
        self.assertIn("zchat/v1/people.proto: imports google/any.proto, which is not ours",
                      schema_lint.lint(self.schema))

    def test_a_number_reserved_in_the_reply_is_not_used_by_a_command(self):
        self.edit("batch", "CommandError error = 2;", "CommandError error = 2;\n  reserved 99;")
        self.edit("batch", "PingRequest ping = 40;", "PingRequest ping = 40;\n    PingRequest pong = 99;")
        self.assertIn("Command.pong: is reserved in Reply", schema_lint.lint(self.schema))


def plant(name, old, new, wanted):
    def test(self):
        self.edit(name, old, new)
        breaches = schema_lint.lint(self.schema)
        self.assertTrue(any(wanted in breach for breach in breaches), breaches)
    return test


for breach, planted in BREACHES.items():
    setattr(SchemaLint, f"test_{breach.replace(' ', '_')}_is_seen", plant(*planted))

if __name__ == "__main__":
    unittest.main()
