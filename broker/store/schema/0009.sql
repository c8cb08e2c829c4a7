-- Version 9: posts have their rows (post, post_block, the counts in thread and account) up to `posted` in
-- meta, a position in the log. Of newer ones the process keeps them in memory, and writes them later.
INSERT INTO meta (name, value) VALUES ('posted', (SELECT coalesce(max(last), 0) FROM log));
