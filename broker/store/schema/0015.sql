-- Version 15: a message may correct an earlier one or take it back. Both are entries of the log; this finds from the
-- original what was said of it last.

-- original and last: positions in the log. gone: last takes the original back; else it has the text that stands.
CREATE TABLE amended (
    original INTEGER PRIMARY KEY,
    last     INTEGER NOT NULL,
    gone     INTEGER NOT NULL
);
