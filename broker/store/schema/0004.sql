-- Version 4: pieces that come whole are in slots of 262144 bytes in a file beside the database, and
-- piece has the others: those that came in parts, the shorter last ones, and all that are older.
CREATE TABLE piece_slot (
    place INTEGER PRIMARY KEY,
    slot  INTEGER NOT NULL
);
