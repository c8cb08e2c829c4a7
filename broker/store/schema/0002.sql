-- Version 2: threads, their posts and files, and who follows them.
--
-- A thread is a stream (stream.kind 2). What happens in it is in the log, too; each row makes one
-- entry, in the thread's stream: stream_a and seq_a, and stream_b is NULL.
--   kind 2: a post, body its text.
--   kind 3: an edit, body the new text; kind 4: a deletion. seq_b is the post's pos.
--   kind 5: a file that is complete now, id the file's. seq_b is the file's number.
-- A thread that is removed takes its rows out of the log; of nothing else do rows ever go.

-- messages: how many of the log's rows up to the watermark are messages. streams, files: the last
-- number that was given to one; none is given again.
INSERT INTO meta (name, value) VALUES
    ('messages', (SELECT value FROM meta WHERE name = 'watermark')),
    ('streams', (SELECT coalesce(max(id), 0) FROM stream)),
    ('files', 0);

-- posts: how many stand. uploads: how many files are complete. last_us: when something last happened.
CREATE TABLE thread (
    stream     INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    title      TEXT NOT NULL UNIQUE,
    creator    INTEGER NOT NULL,
    created_us INTEGER NOT NULL,
    last_us    INTEGER NOT NULL,
    posts      INTEGER NOT NULL DEFAULT 0,
    uploads    INTEGER NOT NULL DEFAULT 0
);

-- The posts that stand; of a deleted one only the log tells. pos: of the post in the log, text_pos: of
-- the row with its present text. edited_us 0: never.
CREATE TABLE post (
    stream    INTEGER NOT NULL,
    seq       INTEGER NOT NULL,
    pos       INTEGER NOT NULL,
    text_pos  INTEGER NOT NULL,
    edited_us INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (stream, seq)
) WITHOUT ROWID;

-- How many posts stand among the sequence numbers 256 * block .. 256 * block + 255, so that a post's
-- number is found without counting all before it.
CREATE TABLE post_block (
    stream INTEGER NOT NULL,
    block  INTEGER NOT NULL,
    posts  INTEGER NOT NULL,
    PRIMARY KEY (stream, block)
) WITHOUT ROWID;

-- seq 0: not complete; then received bytes from the first on are stored, hash_state is the hash's
-- over them (NULL: complete), and hash may be empty: it comes with the last ones. time_us: when it was
-- complete, or begun; chunk_us: when the last bytes came.
CREATE TABLE file (
    file       INTEGER PRIMARY KEY,
    id         BLOB NOT NULL UNIQUE,
    stream     INTEGER NOT NULL,
    name       TEXT NOT NULL,
    uploader   INTEGER NOT NULL,
    size       INTEGER NOT NULL,
    hash       BLOB NOT NULL,
    received   INTEGER NOT NULL,
    hash_state BLOB,
    seq        INTEGER NOT NULL DEFAULT 0,
    time_us    INTEGER NOT NULL,
    chunk_us   INTEGER NOT NULL
);
CREATE UNIQUE INDEX file_name ON file (stream, name);
CREATE INDEX file_complete ON file (stream, seq) WHERE seq > 0;
CREATE INDEX file_unfinished ON file (chunk_us) WHERE seq = 0;

-- A file's bytes in pieces of 262144, the last one shorter. place: 1048576 * file + the piece's number
-- from 0 on. A piece has its full length from its first byte on.
CREATE TABLE piece (
    place INTEGER PRIMARY KEY,
    bytes BLOB NOT NULL
);

-- cursor: the account has read the thread's entries up to this number.
CREATE TABLE follow (
    account INTEGER NOT NULL,
    stream  INTEGER NOT NULL,
    cursor  INTEGER NOT NULL,
    PRIMARY KEY (account, stream)
) WITHOUT ROWID;
CREATE INDEX follow_stream ON follow (stream);
