"""The build itself: in a path with a blank, in the build type that keeps least, and what `cmake --install` puts where."""

import os
import re
import shlex
import shutil
import subprocess

import pytest

from support.broker import ROOT

BUILD_S = 540
PROGRAM = """
#include <stdio.h>
#include <zchat.h>
int main(void) {
    zchat *z = NULL;
    char error[200];
    const zchat_options options = {.server = "no host"};
    printf("%d %s\\n", zchat_new(&z, &options, error, sizeof error) != ZCHAT_OK, error);
    zchat_free(z);
    return 0;
}
"""


def run(*words, **more):
    done = subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=BUILD_S, **more)
    assert done.returncode == 0, f"{words}\n{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory):
    """Where a MinSizeRel build of a copy of the checkout, both in paths with blanks, was installed to."""
    folder = tmp_path_factory.mktemp("a folder")
    checkout, build, prefix = folder / "the checkout", folder / "the build", folder / "the prefix"
    checkout.mkdir()
    shutil.copy(ROOT / "CMakeLists.txt", checkout)
    for name in "proto", "broker", "client", "tools":
        shutil.copytree(ROOT / name, checkout / name, ignore=shutil.ignore_patterns("__pycache__"))
    run("cmake", "-S", checkout, "-B", build, "-G", "Ninja", "-DBUILD_TESTING=OFF", "-DCMAKE_BUILD_TYPE=MinSizeRel",
        "-DCMAKE_COMPILE_WARNING_AS_ERROR=ON", f"-DCMAKE_INSTALL_PREFIX={prefix}", "-DCMAKE_INSTALL_LIBDIR=lib")
    run("cmake", "--build", build)
    run("cmake", "--install", build)
    return prefix


def test_the_programs_are_installed_and_run(installed):
    for name in "sbin/zchatd", "bin/zchat", "bin/zmq-cli", "bin/zchat-bench":
        assert "usage" in (help := run(installed / name, "--help")).lower() or len(help) > 200
    version = re.search(r"VERSION ([0-9.]+)", (ROOT / "CMakeLists.txt").read_text().split("project(")[1])[1]
    assert run(installed / "bin" / "zmq-cli", "--version") == f"zmq-cli {version}\n"


def test_the_schema_and_its_page_are_installed(installed):
    schema = installed / "share" / "zchat" / "proto" / "zchat" / "v1"
    assert sorted(path.name for path in schema.iterdir()) == sorted(
        path.name for path in (ROOT / "proto" / "zchat" / "v1").glob("*.proto"))
    assert (installed / "share" / "doc" / "zchat" / "protocol.md").exists()


def test_a_program_is_built_with_the_installed_library(installed, tmp_path):
    source = tmp_path / "program.c"
    source.write_text(PROGRAM)
    flags = run("pkg-config", "--cflags", "--libs", "zchat",
                env=dict(os.environ, PKG_CONFIG_PATH=str(installed / "lib" / "pkgconfig")))
    run("cc", "-std=c11", source, "-o", tmp_path / "program", *shlex.split(flags))
    assert run(tmp_path / "program").startswith("1 ")
