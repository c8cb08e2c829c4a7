-- Version 8: slots have checksums, of each 65536 bytes XXH3 in 8 bytes, the highest first. NULL: the piece
-- is older, and is read as it is.
ALTER TABLE piece_slot ADD COLUMN sums BLOB;
