-- Version 7: the log's rows are packed: each has entries of one transaction that follow each other, as
-- many as fit into a page (log_row.h). An entry's pos is counted as before; last: that of the row's last
-- entry, so that its first one is at last - count + 1. Each transaction of a broker ends with a row. Of
-- a thread that is removed the entries' places stay, empty.
DROP TABLE log;
CREATE TABLE log (
    last    INTEGER PRIMARY KEY,
    count   INTEGER NOT NULL,
    entries BLOB NOT NULL
);

-- Where in the log an id is, for entries up to ids in meta: a run of up to 40 ids in order, the last of
-- them last_id, each with its pos in 8 bytes, the highest first. Newer ones the process keeps in
-- memory.
CREATE TABLE id_run (
    last_id BLOB PRIMARY KEY,
    places  BLOB NOT NULL
) WITHOUT ROWID;
INSERT INTO meta (name, value) VALUES ('ids', 0);
