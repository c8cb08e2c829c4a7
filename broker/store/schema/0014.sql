-- Version 14: whether those who send an account messages may learn that they were read.
ALTER TABLE account ADD COLUMN receipts INTEGER NOT NULL DEFAULT 1;
