-- Version 6: what each account has of what has a quota. post_bytes: the rows of the log that it made in
-- threads that stand, texts and 128 bytes for each; threads: those it made that stand; file_bytes: its
-- files, complete or not, and 1024 bytes for each.
ALTER TABLE account ADD COLUMN post_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN threads INTEGER NOT NULL DEFAULT 0;
ALTER TABLE account ADD COLUMN file_bytes INTEGER NOT NULL DEFAULT 0;

CREATE TEMP TABLE used (account INTEGER PRIMARY KEY, bytes INTEGER NOT NULL);
INSERT INTO used SELECT author, sum(length(CAST(body AS BLOB)) + 128) FROM log WHERE kind IN (2, 3, 4) GROUP BY author;
UPDATE account SET
    post_bytes = coalesce((SELECT bytes FROM used WHERE used.account = account.id), 0),
    threads = (SELECT count(*) FROM thread WHERE creator = account.id),
    file_bytes = (SELECT coalesce(sum(size + 1024), 0) FROM file WHERE uploader = account.id);
DROP TABLE used;
