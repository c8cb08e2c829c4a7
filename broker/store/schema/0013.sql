-- Version 13: what is removed is gone with its row of thread or of file; the rest of it is rubbish, which goes later,
-- some rows at a time.

-- stream: of a removed thread. Its row of stream is left until all else is gone: rows of follow and file, the log's
-- entries after gone_seq, and what finds them.
CREATE TABLE rubbish_thread (
    stream   INTEGER PRIMARY KEY,
    gone_seq INTEGER NOT NULL DEFAULT 0
);

-- file: a number that no row of file has any more. Rows of piece and piece_slot may be left.
CREATE TABLE rubbish_file (
    file INTEGER PRIMARY KEY
);
