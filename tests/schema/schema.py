"""The schema for the tests beside this file: where it is, buf, protoc, and a copy to plant breaches in.

    schema.py image    writes tests/golden/schema.binpb, against which the schema may only grow

The environment's ZCHAT_SCHEMA_PACKAGES is the folder of packages.py.
"""

import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

TESTS = pathlib.Path(__file__).resolve().parents[1]
PROTO = TESTS.parent / "proto"
IMAGE = TESTS / "golden/schema.binpb"
SECONDS = 120
SKIPPED = 77  # as in CMakeLists.txt


def packages():
    return pathlib.Path(os.environ["ZCHAT_SCHEMA_PACKAGES"])


def buf(*arguments):
    """Returns what buf complains of: nothing if all is well."""
    environment = {**os.environ, "BUF_CACHE_DIR": str(packages() / "cache")}
    done = subprocess.run([packages() / "node_modules/.bin/buf", *map(str, arguments)], env=environment, text=True,
                          timeout=SECONDS, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    return done.stdout or ("" if done.returncode == 0 else f"buf ended with {done.returncode}")


def write_image():
    return buf("build", PROTO, "--exclude-source-info", "-o", IMAGE)


def breaches(proto):
    """What does not only add to the image."""
    return buf("breaking", proto, "--against", IMAGE)


def protoc(out, *options, proto=PROTO):
    """Generates code of all files; `options` say of which kind."""
    out.mkdir(parents=True, exist_ok=True)
    names = sorted(str(path.relative_to(proto)) for path in proto.rglob("*.proto"))
    subprocess.run(["protoc", f"-I{proto}", *options, *names], check=True, timeout=SECONDS)


class InFolder(unittest.TestCase):
    """Each test has a folder of its own."""

    maxDiff = None  # buf's whole complaint

    def setUp(self, parent=None):
        folder = tempfile.TemporaryDirectory(dir=parent)
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def plant_message(self, field, message="Marker"):
        """Returns a schema of one message with one field."""
        path = self.folder / "planted/zchat/v1/planted.proto"
        path.parent.mkdir(parents=True)
        path.write_text('syntax = "proto3";\npackage zchat.v1;\noption go_package = "zchat/v1;zchatv1";\n'
                        'option java_multiple_files = true;\noption java_package = "zchat.v1";\n'
                        f"message {message} {{\n  string {field} = 1;\n}}\n")
        return self.folder / "planted"


class InCopy(InFolder):
    """Each test has a copy of the schema to change."""

    def setUp(self):
        super().setUp()
        self.copy = self.folder / "proto"
        shutil.copytree(PROTO / "zchat", self.copy / "zchat")
        shutil.copyfile(PROTO / "buf.yaml", self.copy / "buf.yaml")

    def edit(self, name, old, new):
        path = self.copy / f"zchat/v1/{name}.proto"
        text = path.read_text()
        self.assertIn(old, text)
        path.write_text(text.replace(old, new))


def run_or_skip(*needed):
    """Runs the calling file's tests, or says which of the needed tools and files the machine lacks."""
    lacks = [thing for thing in needed if not shutil.which(thing) and not os.path.exists(thing)]
    if lacks:
        print(f"SKIPPED: this machine has no {' and no '.join(lacks)}")
        sys.exit(SKIPPED)
    unittest.main()


if __name__ == "__main__":
    wrong = write_image() if sys.argv[1:] == ["image"] else __doc__
    print(wrong or f"wrote {IMAGE}: commit it with the schema")
    sys.exit(1 if wrong else 0)
