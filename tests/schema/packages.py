#!/usr/bin/python3
"""Installs the npm packages that package-lock.json pins: packages.py FOLDER.

The folder is in the build, never in the sources. Where it has them already, nothing is done. No package's
install script runs, and each must have the hash of the lock file.
"""

import hashlib
import pathlib
import shutil
import subprocess
import sys

HERE = pathlib.Path(__file__).parent
FILES = ("package.json", "package-lock.json", ".npmrc")
# A registry that can't be reached is given up after about a minute.
NPM_CI = ("npm", "ci", "--ignore-scripts", "--prefer-offline", "--no-audit", "--no-fund", "--loglevel=error",
          "--fetch-retries=1", "--fetch-retry-mintimeout=2000", "--fetch-retry-maxtimeout=5000",
          "--fetch-timeout=30000")


def wanted():
    return hashlib.sha256(b"".join((HERE / name).read_bytes() for name in FILES)).hexdigest()


def install(folder):
    """Returns what went wrong, or None."""
    for tool in ("node", "npm"):
        if not shutil.which(tool):
            return f"{tool} is missing: tools/build test installs it"
    folder.mkdir(parents=True, exist_ok=True)
    stamp = folder / "installed"
    if stamp.exists() and stamp.read_text() == wanted():
        return None
    stamp.unlink(missing_ok=True)
    for name in FILES:
        shutil.copyfile(HERE / name, folder / name)
    if subprocess.run(NPM_CI, cwd=folder, stdin=subprocess.DEVNULL).returncode != 0:
        return ("npm could not install the packages of tests/schema/package-lock.json (its words stand above): "
                "see that the registry of `npm config get registry` can be reached from here")
    stamp.write_text(wanted())
    return None


if __name__ == "__main__":
    wrong = install(pathlib.Path(sys.argv[1]))
    print(wrong or "the pinned packages are installed")
    sys.exit(1 if wrong else 0)
