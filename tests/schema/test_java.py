#!/usr/bin/python3
"""What protoc makes of the schema for Java compiles."""

import subprocess

import schema

JAR = "/usr/share/java/protobuf.jar"
# What is compiled once gains nothing from a compiler that warms up.
JAVAC = ("javac", "-J-XX:TieredStopAtLevel=1", "-J-XX:+UseSerialGC", "-g:none", "-nowarn", "-proc:none")


class Java(schema.InFolder):
    def test_the_generated_code_compiles(self):
        sources, classes = self.folder / "java", self.folder / "classes"
        schema.protoc(sources, f"--java_out={sources}")
        paths = self.folder / "paths"
        paths.write_text("".join(f"{path}\n" for path in sources.rglob("*.java")))
        done = subprocess.run([*JAVAC, "-cp", JAR, "-d", classes, f"@{paths}"], text=True, timeout=schema.SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertTrue((classes / "zchat/v1/CommandBatch.class").exists())


if __name__ == "__main__":
    schema.run_or_skip("javac", JAR)
