#!/usr/bin/python3
"""The schema in languages that are compiled: no generator has to put an underscore after a name that its language has
already. What is generated is only looked at here; test_java.py and test_go.py compile it."""

import re
import shutil
import unittest

import schema

# For each language: protoc's option, what an escaped name looks like, and a field and its message that get one.
LANGUAGES = {
    "java": ("--java_out", r"\b(?:get|set|has|add|clear)\w*_\(", "class", "Marker"),
    "java_files": ("--java_out", r"(?m)^public final class \w+OuterClass\b", "text", "Planted"),
    "csharp": ("--csharp_out", r"public [\w.:<>]+ \w+_ \{", "marker", "Marker"),
    "cpp": ("--cpp_out", r"\b\w+_\(\) const;", "class", "Marker"),
    "go": ("--go_out", r"(?m)^(?:type|\t)\s*[A-Z]\w*_ ", "reset", "Marker"),
    "php": ("--php_out", r"class PB\w+ extends", "text", "Empty"),
}


class Names(schema.InFolder):
    def escaped(self, option, pattern, proto):
        """What of the generated code has an escape."""
        out = self.folder / "out"
        schema.protoc(out, f"{option}={out}", proto=proto)
        paths = [path for path in out.rglob("*") if path.is_file()]
        self.assertTrue(paths)
        return [found for path in paths for found in re.findall(pattern, path.read_text(errors="replace"))]

    def need(self, language):
        if language == "go" and not shutil.which("protoc-gen-go"):
            self.skipTest("this machine has no protoc-gen-go")


def add(language, option, pattern, field, message):
    def keeps(self):
        self.need(language)
        self.assertEqual(self.escaped(option, pattern, schema.PROTO), [])

    def sees(self):
        self.need(language)
        self.assertNotEqual(self.escaped(option, pattern, self.plant_message(field, message=message)), [])

    setattr(Names, f"test_no_name_is_escaped_in_{language}", keeps)
    setattr(Names, f"test_an_escape_in_{language}_is_seen", sees)


for title, facts in LANGUAGES.items():
    add(title, *facts)

if __name__ == "__main__":
    unittest.main()
