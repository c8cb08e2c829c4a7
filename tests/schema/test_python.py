#!/usr/bin/python3
"""The schema in Python: each module is imported, and each message, field and value has a name that Python takes."""

import importlib
import keyword
import sys
import unittest

import schema


def messages(found):
    for message in found:
        yield message
        yield from messages(message.nested_types)


def sayings(file):
    """Every name of a file's descriptor as a program says it, from its module on."""
    kinds = list(messages(file.message_types_by_name.values()))
    for kind in kinds:
        name = kind.full_name.removeprefix(f"{file.package}.")
        yield f"{name}()"
        for field in kind.fields:
            yield f"{name}().{field.name}"
            yield f"{name}({field.name}=None)"
    for enum in [*file.enum_types_by_name.values(), *(enum for kind in kinds for enum in kind.enum_types)]:
        name = enum.full_name.removeprefix(f"{file.package}.")
        for value in enum.values:
            yield f"{name}.{value.name}"


class Python(schema.InFolder):
    def modules(self, proto):
        schema.protoc(self.folder, f"--python_out={self.folder}", proto=proto)
        sys.path.insert(0, str(self.folder))
        self.addCleanup(sys.path.remove, str(self.folder))
        return [importlib.import_module(f"zchat.v1.{path.stem}_pb2") for path in proto.rglob("*.proto")]

    def say_all(self, proto):
        """Returns how many names there are."""
        said = 0
        for module in self.modules(proto):
            for saying in sayings(module.DESCRIPTOR):
                eval(f"module.{saying}", {"module": module})  # pylint: disable=eval-used
                said += 1
        return said

    def test_every_name_is_said_plainly(self):
        self.assertGreater(self.say_all(schema.PROTO), 600)

    def test_no_name_is_a_keyword(self):
        for module in self.modules(schema.PROTO):
            words = {word for saying in sayings(module.DESCRIPTOR)
                     for word in saying.replace("(", ".").replace("=", ".").split(".")}
            self.assertEqual(words & set(keyword.kwlist) - {"None"}, set(), module.__name__)

    def test_a_field_that_python_cannot_say_is_seen(self):
        with self.assertRaises(SyntaxError):
            self.say_all(self.plant_message("from"))


if __name__ == "__main__":
    unittest.main()
