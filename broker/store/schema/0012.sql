-- Version 12: a thread's id names one thread for ever, since the numbers of its stream begin at 1: the ids of
-- those that were removed stay.
CREATE TABLE removed_thread (
    id BLOB PRIMARY KEY
) WITHOUT ROWID;
