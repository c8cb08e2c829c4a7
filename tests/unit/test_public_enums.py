#!/usr/bin/python3
"""The codes, reasons and changes of zchat.h are those of the schema."""

import pathlib
import re
import unittest

import schema_lint

TOP = pathlib.Path(__file__).parents[2]
HEADER = (TOP / "client/include/zchat.h").read_text()
# Of the connection and of this machine: the schema knows nothing of them.
OWN_CODES = 100


def header_enum(name, prefix):
    body = re.search(rf"typedef enum {name} \{{(.*?)\n\}} {name};", HEADER, re.DOTALL)[1]
    return {n: int(number) for n, number in re.findall(rf"{prefix}(\w+) = (\d+)", body)}


def schema_enum(name, prefix):
    files = schema_lint.compile_schema(TOP / "proto").file
    enum = next(enum for file in files for enum in file.enum_type if enum.name == name)
    return {value.name.removeprefix(prefix): value.number for value in enum.value if value.number}


class PublicEnums(unittest.TestCase):
    def test_the_codes_are_the_schemas(self):
        codes = {n: number for n, number in header_enum("zchat_code", "ZCHAT_").items() if 0 < number < OWN_CODES}
        self.assertEqual(codes, schema_enum("Code", "CODE_"))

    def test_the_reasons_are_the_schemas(self):
        reasons = header_enum("zchat_reason", "ZCHAT_REASON_")
        self.assertEqual(reasons.pop("NONE"), 0)
        self.assertEqual(reasons, schema_enum("Reason", "REASON_"))

    def test_the_changes_of_an_account_are_the_schemas(self):
        self.assertEqual(header_enum("zchat_account_change", "ZCHAT_ACCOUNT_CHANGE_"),
                         schema_enum("AccountChange", "ACCOUNT_CHANGE_"))


if __name__ == "__main__":
    unittest.main()
