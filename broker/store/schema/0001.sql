-- Version 1: accounts, devices, inboxes, blocks, presence.
--
-- A stream is a numbered sequence of entries; an account's inbox is the stream with the account's
-- number. The log is the truth: one row for each message, in the order of the commits, which names the
-- entries that it makes. The table entry is derived from it, for log rows up to the watermark; of newer
-- rows the process keeps the entries in memory.

-- One number each: watermark (every log row up to it is in entry), accounts (how many), alive_us
-- (when a broker last said that it lives).
CREATE TABLE meta (
    name  TEXT PRIMARY KEY,
    value INTEGER NOT NULL
) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('watermark', 0), ('accounts', 0), ('alive_us', 0);

-- kind 1: an account's inbox. merged_seq: the last entry of the stream that is in entry. read_seq: its
-- cursor; read_all: whether that was the stream's last entry when it was set, so that entries
-- of the owner's own that follow directly count as read.
CREATE TABLE stream (
    id         INTEGER PRIMARY KEY,
    kind       INTEGER NOT NULL,
    merged_seq INTEGER NOT NULL DEFAULT 0,
    read_seq   INTEGER NOT NULL DEFAULT 0,
    read_all   INTEGER NOT NULL DEFAULT 1
);

-- kind 1: a message, stream_a the recipient's inbox, stream_b the author's, body the text; delivered:
-- whether it was handed to a live session when it came.
CREATE TABLE log (
    pos      INTEGER PRIMARY KEY,
    id       BLOB NOT NULL UNIQUE,
    kind     INTEGER NOT NULL,
    time_us  INTEGER NOT NULL,
    author   INTEGER NOT NULL,
    stream_a INTEGER NOT NULL,
    seq_a    INTEGER NOT NULL,
    stream_b INTEGER,
    seq_b    INTEGER,
    delivered INTEGER NOT NULL,
    body     TEXT NOT NULL
);

-- A run of entries of a stream: the positions in the log of those that end with last_seq, in order,
-- 8 bytes each, the highest first. One row for each run, not for each entry, so that a merge writes few.
CREATE TABLE entry (
    stream    INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    positions BLOB NOT NULL,
    PRIMARY KEY (stream, last_seq)
) WITHOUT ROWID;

-- password_hash '': only device keys enter. devices: how many device numbers were ever given.
CREATE TABLE account (
    id            INTEGER PRIMARY KEY,
    name          TEXT NOT NULL UNIQUE,
    password_hash TEXT NOT NULL,
    admin         INTEGER NOT NULL,
    locked        INTEGER NOT NULL DEFAULT 0,
    created_us    INTEGER NOT NULL,
    devices       INTEGER NOT NULL DEFAULT 0
);

-- used_us 0: never.
CREATE TABLE device (
    account    INTEGER NOT NULL,
    device     INTEGER NOT NULL,
    key        BLOB NOT NULL,
    label      TEXT NOT NULL,
    trusted_us INTEGER NOT NULL,
    used_us    INTEGER NOT NULL,
    PRIMARY KEY (account, device)
) WITHOUT ROWID;
CREATE UNIQUE INDEX device_key ON device (account, key);

-- Names with wrong passwords, whether an account has the name or not.
CREATE TABLE login_failure (
    name            TEXT PRIMARY KEY,
    failures        INTEGER NOT NULL,
    locked_until_us INTEGER NOT NULL,
    changed_us      INTEGER NOT NULL
) WITHOUT ROWID;
CREATE INDEX login_failure_age ON login_failure (changed_us);

CREATE TABLE block (
    account  INTEGER NOT NULL,
    blocked  INTEGER NOT NULL,
    since_us INTEGER NOT NULL,
    PRIMARY KEY (account, blocked)
) WITHOUT ROWID;

-- last_seen_us: the end of the last session, or the beginning of the open one.
CREATE TABLE presence (
    account      INTEGER PRIMARY KEY,
    online       INTEGER NOT NULL,
    last_seen_us INTEGER NOT NULL
);
CREATE INDEX presence_last_seen ON presence (last_seen_us);
CREATE INDEX presence_online ON presence (account) WHERE online = 1;
