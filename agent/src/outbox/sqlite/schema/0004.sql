-- The idempotency key that a message came with: it stays as long as its key is remembered, since a repetition is answered
-- with it.
ALTER TABLE message ADD COLUMN idempotency_key BLOB;
