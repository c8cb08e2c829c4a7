#!/usr/bin/python3
"""Who may include what: the layers of the sources, read from their #include lines.

    include_law.py SOURCE_DIR       prints each breach, exits 1 if there is one

Everyone may use proto/; broker/ and client/ never see each other; client/cli and tools/ see of ours
only zchat.h and proto/common/, which has what programs share and nothing of the protocol (zmq-cli also
proto/json/, which has the schema as descriptors and text, and no frames); a library's header appears in as few files as can be. tests/ are judged only where
they say so. A new place for a library is a line here, with a reason in its commit.
"""

import collections
import fnmatch
import pathlib
import re
import sys

FOLDERS = ("proto", "broker", "client", "tools")
INCLUDE = re.compile(r'^[ \t]*#[ \t]*include[ \t]*([<"])([^>"]+)[>"]', re.MULTILINE)

# Of our own headers, besides those of the file's own folder: the first row that fits decides.
OURS = [
    ("proto/common/*", ["proto/common/*"]),
    ("proto/json/*", ["proto/*"]),
    ("proto/*", ["proto/*"]),
    ("broker/core/*", ["proto/*", "broker/core/*", "broker/store/store.h", "broker/store/store_backup.h",
                       "broker/store/threads.h", "broker/unicode/unicode.h"]),
    ("broker/store/disk/*", ["proto/*"]),
    ("broker/store/memory/*", ["proto/*", "broker/store/threads.h"]),
    ("broker/store/*", ["proto/*", "broker/store/*", "broker/unicode/unicode.h"]),
    ("broker/unicode/*", ["proto/*", "broker/unicode/*"]),
    ("broker/*", ["proto/*", "broker/*"]),
    ("client/lib/core/*", ["proto/*", "client/lib/core/*", "client/include/zchat.h"]),
    ("client/lib/private/*", ["proto/*", "client/lib/core/*", "client/lib/private/*",
                              "client/include/zchat.h"]),
    ("client/lib/*", ["proto/*", "client/lib/*", "client/include/zchat.h"]),
    ("client/cli/*", ["proto/common/*", "client/include/zchat.h"]),
    ("client/*", ["client/include/zchat.h"]),
    ("tools/bench/light.c", ["proto/*"]),
    ("tools/zmq-cli/*", ["proto/common/*", "proto/json/*", "client/include/zchat.h"]),
    ("tools/*", ["proto/common/*", "client/include/zchat.h"]),
]

# Headers of others: the only files that may include them.
THEIRS = [
    ("zmq.h", ["proto/crypto.c", "client/lib/*", "broker/server.[ch]", "broker/pipe.c", "broker/poller.c", "broker/sockets.[ch]",
               "broker/connection.[ch]", "broker/intake.c", "broker/subscription.[ch]",
               "broker/identity.[ch]", "broker/zap.[ch]", "broker/greeter.[ch]",
               "broker/worker.[ch]", "broker/monitor.[ch]",
               "tools/zmq-cli/raw*.c", "tools/bench/bare.c", "tools/bench/curve.c",
               "tools/bench/curve_copy.c", "tools/bench/line.c", "tests/*"]),
    ("sodium.h", ["proto/crypto.c", "broker/password.c", "client/lib/*", "tests/*"]),
    ("sodium/*", []),
    ("sqlite3.h", ["broker/store/disk/*", "broker/store/sqlite/*", "tests/*"]),
    ("libpq-fe.h", ["broker/store/*", "tests/*"]),
    ("unicode/*", ["broker/unicode/*", "tests/*"]),
    ("readline/*", ["client/cli/*"]),
    ("*.pb-c.h", ["proto/wire.h"]),
    ("commands.h", ["broker/core/command.h"]), # made from the schema, too
]

# The cores are fed with bytes and the time: no sockets, no clock, no files. Nor has what the store keeps in memory any.
OUTSIDE = ["zmq.h", "czmq.h", "sqlite3.h", "time.h", "unistd.h", "fcntl.h", "poll.h", "signal.h",
           "pthread.h", "sys/*", "common/clock.h"]
NEVER = [
    ("broker/core/*", OUTSIDE),
    ("broker/store/memory/*", OUTSIDE),
    ("client/lib/core/*", OUTSIDE),
    ("client/lib/private/*", OUTSIDE),
    ("client/cli/*", ["zmq.h", "czmq.h"]),
    ("tools/*", ["czmq.h"]),
]


def fits(path, patterns):
    return any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)


class Law:
    def __init__(self, root):
        self.root = pathlib.Path(root)
        self.headers = collections.defaultdict(list)
        for path in self.sources(FOLDERS):
            if path.endswith(".h"):
                self.headers[pathlib.PurePath(path).name].append(path)

    def sources(self, folders):
        return sorted(str(p.relative_to(self.root)) for folder in folders
                      for p in (self.root / folder).rglob("*.[ch]"))

    def ours(self, path, name):
        """Whether the file may include our header of that name."""
        folder = pathlib.PurePath(path).parent
        if (self.root / folder / name).exists() and ".." not in name:
            return True
        allowed = next(patterns for pattern, patterns in OURS if fnmatch.fnmatchcase(path, pattern))
        found = [header for header in self.headers[pathlib.PurePath(name).name]
                 if header.endswith("/" + name)]
        return any(fits(header, allowed) for header in found)

    def breaches(self):
        for path in self.sources((*FOLDERS, "tests")):
            text = (self.root / path).read_text()
            for quote, name in INCLUDE.findall(text):
                yield from self.judge(path, quote, name)

    def judge(self, path, quote, name):
        for header, places in THEIRS:
            if fnmatch.fnmatchcase(name, header) and not fits(path, places):
                yield f"{path}: may not include {name}"
        for place, headers in NEVER:
            if fnmatch.fnmatchcase(path, place) and fits(name, headers):
                yield f"{path}: must never include {name}"
        theirs = any(fnmatch.fnmatchcase(name, header) for header, _ in THEIRS)
        judged = not path.startswith("tests/") and not theirs
        if judged and quote == '"' and not self.ours(path, name):
            yield f'{path}: "{name}" is no header of ours that it may see'
        if judged and quote == "<" and self.headers.get(name) and name != "limits.h":
            yield f"{path}: <{name}> is ours: include it in quotes"


if __name__ == "__main__":
    breaches = list(Law(sys.argv[1]).breaches())
    print("\n".join(breaches) or "every #include is lawful")
    sys.exit(1 if breaches else 0)
