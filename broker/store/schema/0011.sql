-- Version 11: file.hash is BLAKE2b-512, 64 bytes, and so is what hash_state leads to; before, it was
-- BLAKE2b-256, 32 bytes. What is there is hashed anew when the store is opened (sqlite/rehash.c): `rehashed`
-- in meta, while there is anything left, is the last file that was. Of a file whose bytes were found not to
-- be those of its first hash, or can't be read, hash is the first one with 32 zeros behind it: no bytes have
-- that one, so whoever compares finds the damage.
INSERT OR REPLACE INTO meta (name, value) SELECT 'rehashed', 0 WHERE EXISTS (SELECT 1 FROM file);
