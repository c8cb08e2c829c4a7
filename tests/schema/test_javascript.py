#!/usr/bin/python3
"""The schema in JavaScript: what protoc-gen-es makes of it is imported by node, has no name with an escape, and reads
and writes the golden messages as they are."""

import re
import shutil
import subprocess
import unittest

import schema

ESCAPED = re.compile(r"^export (?:declare )?(?:const|enum|type|class) (\w*[$]\w*|\w+_)(?= )", re.M)


class JavaScript(schema.InFolder):
    def setUp(self):
        """Beside the packages, where node finds them."""
        super().setUp(schema.packages())

    def generate(self, proto):
        out = self.folder / "gen"
        plugin = schema.packages() / "node_modules/.bin/protoc-gen-es"
        schema.protoc(out, f"--plugin=protoc-gen-es={plugin}", f"--es_out={out}",
                      "--es_opt=target=js+dts,import_extension=js", proto=proto)
        return out / "zchat/v1"

    def run_node(self, *arguments):
        shutil.copy(schema.TESTS / "schema/golden.js", self.folder)
        return subprocess.run(["node", "golden.js", *map(str, arguments)], cwd=self.folder, text=True,
                              timeout=schema.SECONDS, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)

    def test_the_golden_messages_are_read_and_written(self):
        out = self.generate(schema.PROTO)
        done = self.run_node(out, schema.TESTS / "golden/messages.txt")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertRegex(done.stdout, r"^[1-9]\d\d golden messages mean the same")
        for path in out.glob("*.d.ts"):
            self.assertEqual(ESCAPED.findall(path.read_text()), [], path.name)

    def test_a_field_that_has_to_be_escaped_is_seen(self):
        out = self.generate(self.plant_message("to_string"))
        self.assertIn("Marker.to_string is toString$", self.run_node(out).stdout)

    def test_a_type_that_has_to_be_escaped_is_seen(self):
        out = self.generate(self.plant_message("text", message="Object"))
        self.assertEqual(ESCAPED.findall((out / "planted_pb.d.ts").read_text()), ["Object$"])


if __name__ == "__main__":
    unittest.main()
