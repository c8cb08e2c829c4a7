#!/usr/bin/python3
"""include_law.py sees each kind of breach, in small trees made for it, and passes what is lawful."""

import pathlib
import tempfile
import unittest

from include_law import Law

# What stands in every tree.
HEADERS = ["proto/common/clock.h", "proto/json/schema.h", "proto/wire.h", "proto/limits.h", "broker/log.h",
           "broker/core/core.h",
           "broker/store/store.h", "broker/store/memory/view.h", "broker/store/sqlite/inside.h", "client/include/zchat.h",
           "client/lib/session.h", "client/lib/core/client_core.h", "client/cli/line.h", "tools/zmq-cli/verb.h"]

LAWFUL = {
    "proto/wire.h": '#include "limits.h"\n#include "zchat/v1/batch.pb-c.h"\n#include <limits.h>',
    "proto/crypto.c": "#include <sodium.h>\n#include <zmq.h>",
    "broker/server.c": '#include "core.h"\n#include "store.h"\n#include "wire.h"\n#include <zmq.h>',
    "broker/core/core.c": '#include "core.h"\n#include "store.h"\n#include "wire.h"\n#include <stdio.h>',
    "broker/store/sqlite/message.c": '#include "memory/view.h"\n#include <sqlite3.h>\n#include <unistd.h>',
    "broker/password.c": "#include <sodium.h>",
    "client/lib/session.c": '#include "session.h"\n#include "zchat.h"\n#include <zmq.h>',
    "client/lib/core/client_core.c": '#include "client_core.h"\n#include "zchat.h"\n#include <sodium.h>',
    "client/cli/line.c": '#include "line.h"\n#include "common/clock.h"\n#include "zchat.h"\n'
                         "#include <readline/readline.h>",
    "tools/zmq-cli/main.c": '#include "verb.h"\n#include "zchat.h"\n#include <time.h>',
    "tools/zmq-cli/rpc.c": '#include "json/schema.h"',
    "tools/zmq-cli/raw.c": "#include <zmq.h>",
    "tests/store/test_store.c": '#include "store.h"\n#include <sqlite3.h>',
}

BREACHES = [
    ("broker/server.c", '#include "session.h"'),
    ("broker/server.c", '#include "zchat.h"'),
    ("broker/server.c", '#include "../client/include/zchat.h"'),
    ("broker/log.c", "#include <zmq.h>"),
    ("broker/log.c", "#include <sodium.h>"),
    ("broker/log.c", "#include <sqlite3.h>"),
    ("broker/core/core.c", '#include "log.h"'),
    ("broker/core/core.c", '#include "view.h"'),
    ("broker/core/core.c", '#include "memory/view.h"'),
    ("broker/core/core.c", '#include "../log.h"'),
    ("broker/core/core.c", "#include <zmq.h>"),
    ("broker/core/core.c", "#include <czmq.h>"),
    ("broker/core/core.c", "#include <sqlite3.h>"),
    ("broker/core/core.c", "#include <time.h>"),
    ("broker/core/core.c", "  #  include <unistd.h>"),
    ("broker/core/core.c", "#include <sys/socket.h>"),
    ("broker/core/core.c", '#include "common/clock.h"'),
    ("proto/common/clock.h", '#include "wire.h"'),
    ("broker/store/sqlite/message.c", '#include "core.h"'),
    ("broker/store/sqlite/message.c", '#include "log.h"'),
    ("broker/store/sqlite/message.c", "#include <zmq.h>"),
    ("broker/store/store.h", "#include <sqlite3.h>"),
    ("broker/store/disk/head.c", '#include "memory/view.h"'),
    ("broker/store/disk/head.c", '#include "store.h"'),
    ("broker/store/memory/view.c", '#include "sqlite/inside.h"'),
    ("broker/store/memory/view.c", "#include <sqlite3.h>"),
    ("broker/store/memory/view.c", "#include <pthread.h>"),
    ("client/lib/session.c", '#include "store.h"'),
    ("client/lib/session.c", "#include <readline/readline.h>"),
    ("client/lib/core/client_core.c", '#include "session.h"'),
    ("client/lib/private/chats.c", '#include "session.h"'),
    ("client/lib/private/chats.c", "#include <sys/socket.h>"),
    ("client/lib/core/client_core.c", "#include <zmq.h>"),
    ("client/lib/core/client_core.c", "#include <time.h>"),
    ("client/cli/line.c", '#include "session.h"'),
    ("client/cli/line.c", '#include "wire.h"'),
    ("client/cli/line.c", '#include "limits.h"'),
    ("client/cli/line.c", "#include <zmq.h>"),
    ("client/cli/line.c", "#include <sodium.h>"),
    ("tools/zmq-cli/main.c", '#include "limits.h"'),
    ("tools/zmq-cli/main.c", '#include "wire.h"'),
    ("tools/bench/main.c", '#include "json/schema.h"'),
    ("client/cli/line.c", '#include "json/schema.h"'),
    ("tools/zmq-cli/main.c", '#include "line.h"'),
    ("tools/zmq-cli/main.c", "#include <zmq.h>"),
    ("tools/zmq-cli/main.c", "#include <czmq.h>"),
    ("tools/zmq-cli/main.c", "#include <readline/readline.h>"),
    ("proto/text.c", '#include "store.h"'),
    ("proto/text.c", '#include "zchat/v1/batch.pb-c.h"'),
    ("broker/server.c", "#include <zchat/v1/batch.pb-c.h>"),
    ("broker/server.c", "#include <wire.h>"),
    ("tests/unit/test_wire.c", '#include "zchat/v1/batch.pb-c.h"'),
]


class IncludeLaw(unittest.TestCase):
    def breaches(self, files):
        with tempfile.TemporaryDirectory() as folder:
            for path, text in {**dict.fromkeys(HEADERS, ""), **files}.items():
                place = pathlib.Path(folder) / path
                place.parent.mkdir(parents=True, exist_ok=True)
                place.write_text(text + "\n")
            return list(Law(folder).breaches())

    def test_lawful_sources_pass(self):
        self.assertEqual(self.breaches(LAWFUL), [])

    def test_each_breach_is_seen(self):
        for path, text in BREACHES:
            with self.subTest(path=path, text=text):
                breaches = self.breaches({path: text})
                self.assertTrue(breaches)
                self.assertTrue(all(breach.startswith(path) for breach in breaches), breaches)


if __name__ == "__main__":
    unittest.main()
