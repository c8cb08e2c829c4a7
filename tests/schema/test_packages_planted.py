#!/usr/bin/python3
"""packages.py says what is wrong where npm or its registry can't be had."""

import os
import socket
import subprocess
import sys
import unittest

import schema

SCRIPT = schema.TESTS / "schema/packages.py"


class Packages(schema.InFolder):
    def install(self, **environment):
        done = subprocess.run([sys.executable, "-B", SCRIPT, self.folder / "packages"], text=True,
                              env={**os.environ, **environment}, timeout=schema.SECONDS, stdout=subprocess.PIPE,
                              stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 1, done.stdout)
        return done.stdout

    def test_a_registry_that_cannot_be_reached_is_told(self):
        with socket.socket() as nobody:
            nobody.bind(("127.0.0.1", 0))
            said = self.install(npm_config_registry=f"http://127.0.0.1:{nobody.getsockname()[1]}/",
                                npm_config_cache=str(self.folder / "cache"))
        self.assertIn("ECONNREFUSED", said)
        self.assertIn("see that the registry of `npm config get registry` can be reached", said)

    def test_a_missing_node_is_told(self):
        self.assertIn("node is missing: tools/build test installs it", self.install(PATH=str(self.folder)))


if __name__ == "__main__":
    unittest.main()
