-- Version 3: the hash of an upload runs behind its bytes. file.hash_state is over the first `hashed`
-- of the `received` bytes.
ALTER TABLE file ADD COLUMN hashed INTEGER NOT NULL DEFAULT 0;
UPDATE file SET hashed = received;
