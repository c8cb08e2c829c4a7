"""Makes stores as earlier versions of zchatd left them, with messages.

    python3 -m support.old FOLDER MESSAGES [ACCOUNTS]        from the folder tests, for measurements
"""

import array
import hashlib
import itertools
import pathlib
import sqlite3
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
APPLICATION_ID = 0x7A636874
RUN_ENTRIES = 112
PIECE_BYTES = 262144
TIME_US = 1_700_000_000_000_000


def _schema(store, version):
    """Versions 1 to `version`, as their migrations make them of an empty file."""
    for name in ("title_form", "title_look", "title_fold"):
        store.create_function(name, 1, lambda text: text, deterministic=True)
    for number in range(1, version + 1):
        store.executescript((ROOT / f"broker/store/schema/{number:04}.sql").read_text())
    store.executescript(f"PRAGMA application_id = {APPLICATION_ID}; PRAGMA user_version = {version}")


def message_id(number):
    """Grows with its number, as real ones do with the time."""
    return (TIME_US // 1000 + number // 50).to_bytes(6, "big") + (0x7000 << 64 | number * 2654435761 % 2**64
                                                                  ).to_bytes(10, "big")


def text_of(number):
    return f"message {number} " + "x" * 86


def _message(number, accounts):
    """Author and recipient: two different ones."""
    author = number * 7919 % accounts + 1
    return author, (author + number % (accounts - 1)) % accounts + 1


class _Streams:
    def __init__(self, accounts):
        self.positions = [array.array("q") for _ in range(accounts + 1)]

    def add(self, stream, position):
        self.positions[stream].append(position)
        return len(self.positions[stream])

    def runs(self, merged):
        """The rows of the table entry, of positions up to `merged`."""
        for stream, positions in enumerate(self.positions):
            count = sum(1 for _ in itertools.takewhile(lambda p: p <= merged, positions))
            for begin in range(0, count, RUN_ENTRIES):
                run = array.array("q", positions[begin:min(begin + RUN_ENTRIES, count)])
                last = begin + len(run)
                run.byteswap()
                yield stream, last, run.tobytes()

    def merged(self, position):
        for stream, positions in enumerate(self.positions):
            if stream:
                yield sum(1 for _ in itertools.takewhile(lambda p: p <= position, positions)), stream


def make(path, messages, accounts=3, version=6, unmerged=1000):
    """`accounts` of them, user1 and so on, have sent each other `messages`; each 1000th position is a
    gap, as a removed thread leaves it. Returns the positions' end."""
    store = sqlite3.connect(path, isolation_level=None)
    store.executescript("PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA cache_size = -200000")
    _schema(store, version)
    streams = _Streams(accounts)
    store.execute("BEGIN")
    store.executemany("INSERT INTO account (id, name, password_hash, admin, created_us) VALUES (?, ?, '', 0, 1)",
                      ((number, f"user{number}") for number in range(1, accounts + 1)))

    def rows():
        position = 0
        for number in range(messages):
            position += 2 if position % 1000 == 998 else 1
            author, to = _message(number, accounts)
            yield (position, message_id(number), TIME_US + number, author, to, streams.add(to, position), author,
                   streams.add(author, position), number % 2, text_of(number))

    store.executemany("INSERT INTO log (pos, id, kind, time_us, author, stream_a, seq_a, stream_b, seq_b, delivered,"
                      " body) VALUES (?, ?, 1, ?, ?, ?, ?, ?, ?, ?, ?)", rows())
    last, = store.execute("SELECT max(pos) FROM log").fetchone()
    merged = max(0, last - unmerged)
    store.executemany("INSERT INTO entry VALUES (?, ?, ?)", streams.runs(merged))
    store.executemany("INSERT INTO stream (merged_seq, id, kind) VALUES (?, ?, 1)", streams.merged(merged))
    counted, = store.execute("SELECT count(*) FROM log WHERE pos <= ?", (merged,)).fetchone()
    values = [(merged, "watermark"), (accounts, "accounts"), (counted, "messages"), (accounts, "streams")]
    store.executemany("UPDATE meta SET value = ? WHERE name = ?", values)
    store.execute("COMMIT")
    store.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    store.close()
    return last


def add_file(path, title, name, data, whole=True):
    """A thread of user1's with that file, complete, in a store of the sixth version that `make` made. Its hash
    is the one of that time; not `whole`: of other bytes."""
    store = sqlite3.connect(path, isolation_level=None)
    stream, = store.execute("SELECT max(id) + 1 FROM stream").fetchone()
    position, = store.execute("SELECT max(pos) + 1 FROM log").fetchone()
    id = message_id(10**7)
    digest = hashlib.blake2b(data if whole else data + b"!", digest_size=32).digest()
    store.execute("BEGIN")
    store.execute("INSERT INTO stream (id, kind) VALUES (?, 2)", (stream,))
    store.execute("INSERT INTO thread (stream, id, title, creator, created_us, last_us, uploads, look, folded)"
                  " VALUES (?, ?, ?, 1, ?, ?, 1, ?, ?)",
                  (stream, message_id(10**7 + 1), title, TIME_US, TIME_US, title, title))
    store.execute("INSERT INTO file (file, id, stream, name, uploader, size, hash, received, seq, time_us, chunk_us,"
                  " hashed, look, folded) VALUES (1, ?, ?, ?, 1, ?, ?, ?, 1, ?, ?, ?, ?, ?)",
                  (id, stream, name, len(data), digest, len(data), TIME_US, TIME_US, len(data), name, name))
    store.execute("INSERT INTO log (pos, id, kind, time_us, author, stream_a, seq_a, seq_b, delivered, body)"
                  " VALUES (?, ?, 5, ?, 1, ?, 1, 1, 0, '')", (position, id, TIME_US, stream))
    store.executemany("INSERT INTO piece VALUES (?, ?)",
                      ((2**20 + at // PIECE_BYTES, data[at:at + PIECE_BYTES])
                       for at in range(0, len(data), PIECE_BYTES)))
    store.execute("UPDATE meta SET value = ? WHERE name = 'streams'", (stream,))
    store.execute("UPDATE meta SET value = 1 WHERE name = 'files'")
    store.execute("UPDATE account SET threads = 1, file_bytes = ? WHERE id = 1", (len(data) + 1024,))
    store.execute("COMMIT")
    store.close()


def main():
    folder, messages, *rest = sys.argv[1:]
    pathlib.Path(folder).mkdir(mode=0o700, exist_ok=True)
    make(pathlib.Path(folder) / "zchat.db", int(messages), int(rest[0]) if rest else 10_000)


if __name__ == "__main__":
    main()
