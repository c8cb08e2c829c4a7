#!/usr/bin/python3
"""What protoc-gen-go makes of the schema compiles, and Go's vet finds nothing in it. Where Debian's packages golang-go,
protoc-gen-go and golang-google-protobuf-dev are installed: 490 MB are too much for tools/build."""

import os
import subprocess

import schema

LIBRARIES = "/usr/share/gocode"


class Go(schema.InFolder):
    def test_the_generated_code_compiles(self):
        sources = self.folder / "go/src"
        schema.protoc(sources, f"--go_out={sources}")
        environment = {**os.environ, "GO111MODULE": "off", "GOFLAGS": "", "GOPATH": f"{self.folder}/go:{LIBRARIES}",
                       "GOCACHE": str(self.folder / "cache")}
        done = subprocess.run(["go", "vet", "zchat/v1"], env=environment, text=True, timeout=schema.SECONDS,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.assertEqual((done.returncode, done.stdout), (0, ""))


if __name__ == "__main__":
    schema.run_or_skip("go", "protoc-gen-go", f"{LIBRARIES}/src/google.golang.org/protobuf")
