#!/usr/bin/python3
"""buf finds the schema well-formed, and grown at most: each kind of change is planted once in a copy.

What was in tests/golden/schema.binpb stays for ever. After an addition, renew it and commit both:

    cmake --build build --target schema_image
"""

import unittest

import schema

# A name for the change: the file, what is replaced in it, by what, and what buf must say.
BREACHES = {
    "a renamed field": ("common", "uint32 retry_after_s = 3;", "uint32 wait_s = 3;",
                        'Field "3" on message "CommandError" changed name from "retry_after_s" to "wait_s"'),
    "another type": ("common", "uint32 retry_after_s = 3;", "string retry_after_s = 3;",
                     'Field "3" with name "retry_after_s" on message "CommandError" changed type'),
    "a number used again": ("common", "uint32 retry_after_s = 3;", "bytes trace = 3;",
                            'Field "3" on message "CommandError" changed name from "retry_after_s" to "trace"'),
    "another number": ("common", "uint32 retry_after_s = 3;", "uint32 retry_after_s = 9;",
                       'Previously present field "3" with name "retry_after_s" on message "CommandError" was deleted'),
    "a deleted field": ("common", "uint32 retry_after_s = 3;", "reserved 3;",
                        'Previously present field "3" with name "retry_after_s" on message "CommandError" was deleted'),
    "another cardinality": ("common", "string message = 2;", "repeated string message = 2;",
                            'Field "2" with name "message" on message "CommandError" changed cardinality'),
    "another jstype": ("common", "head = 2 [jstype = JS_NUMBER]", "head = 2 [jstype = JS_STRING]",
                       'Field "2" with name "head" on message "TopicHead" changed option "jstype"'),
    "a renamed message": ("common", "message TopicHead", "message Place", 'message "TopicHead" was deleted'),
    "a renamed value": ("common", "CODE_BUSY = 7;", "CODE_FULL = 7;",
                        'Enum value "7" on enum "Code" changed name from "CODE_BUSY" to "CODE_FULL"'),
    "a deleted value": ("common", "  CODE_EXPIRED = 8;\n", "",
                        'Previously present enum value "8" on enum "Code" was deleted'),
    "a field out of its oneof": ("batch", "  oneof body {\n    LoginRequest login = 10;",
                                 "  LoginRequest login = 10;\n  oneof body {",
                                 'Field "10" with name "login" on message "Command" moved from inside to outside'),
    "a method without its command": ("batch", "  rpc Ping(PingRequest) returns (PingResponse);\n", "",
                                     'RPC "Ping" on service "BrokerService" was deleted'),
    "another namespace": ("common", '"Zchat.V1"', '"Zchat"', 'option "csharp_namespace" changed'),
}


class Buf(schema.InCopy):
    def breach(self, name, old, new, wanted):
        self.edit(name, old, new)
        if name == "common" and "TopicHead" in old:
            for user in ("account", "admin"):
                self.edit(user, "TopicHead", "Place")
        self.assertIn(wanted, schema.breaches(self.copy))

    def test_the_schema_is_of_bufs_standard(self):
        self.assertEqual(schema.buf("lint", schema.PROTO), "")

    def test_the_schema_only_grew(self):
        self.assertEqual(schema.breaches(schema.PROTO), "")

    def test_what_is_not_of_the_standard_is_seen(self):
        self.edit("common", "uint32 retry_after_s = 3;", "uint32 retryAfter = 3;")
        self.assertIn('Field name "retryAfter" should be lower_snake_case', schema.buf("lint", self.copy))

    def test_a_response_of_another_name_is_seen(self):
        self.edit("batch", "returns (PingResponse)", "returns (WhoResponse)")
        self.assertIn("PingResponse", schema.buf("lint", self.copy))

    def test_an_addition_is_let_through(self):
        self.edit("common", "uint32 retry_after_s = 3;", "uint32 retry_after_s = 3;\n  bytes trace = 99;")
        self.edit("common", "CODE_EXPIRED = 8;", "CODE_EXPIRED = 8;\n  // CODE_LATER.\n  CODE_LATER = 99;")
        self.edit("admin", "message PingRequest {}", "message PingRequest {}\n// New.\nmessage LookRequest {}\n"
                  "// New.\nmessage LookResponse {}")
        self.edit("batch", "PingRequest ping = 40;", "PingRequest ping = 40;\n    LookRequest look = 199;")
        self.edit("batch", "PingResponse ping = 40;", "PingResponse ping = 40;\n    LookResponse look = 199;")
        self.edit("batch", "  rpc Ping(", "  rpc Look(LookRequest) returns (LookResponse);\n  rpc Ping(")
        self.assertEqual(schema.breaches(self.copy), "")
        self.assertEqual(schema.buf("lint", self.copy), "")


def plant(change):
    return lambda self: self.breach(*change)


for title, planted in BREACHES.items():
    setattr(Buf, f"test_{title.replace(' ', '_')}_is_seen", plant(planted))

if __name__ == "__main__":
    unittest.main()
