-- Version 10: what is merged of many streams shares rows. Streams whose numbers follow each other, 250 of
-- them, are a band. Of streams that have few entries at once, the entries are in band_row, those of a band
-- together, in the order in which they were merged (sqlite/index_row.h); others, and what was merged before, stay
-- in entry. stream.merged_seq, read_seq and read_all are as the last version left them, or as the cursor
-- was moved; the band has what is newer.

-- band: from 0 on. rows: how many it has in band_row, last_bytes: the last one's. streams: of each one up
-- to which number its entries are merged, and its cursor.
CREATE TABLE band (
    band       INTEGER PRIMARY KEY,
    rows       INTEGER NOT NULL,
    last_bytes INTEGER NOT NULL,
    streams    BLOB NOT NULL
);

-- place: 16777216 * band + the row's number, from 1 on.
CREATE TABLE band_row (
    place  INTEGER PRIMARY KEY,
    groups BLOB NOT NULL
);
