-- For a queue that lies elsewhere and that several agents share. A message in it has status 8: queued, and not here.
-- Queued without a time of its own is what is to be sent there.
ALTER TABLE message ADD COLUMN forwards INTEGER NOT NULL DEFAULT 0; -- sends there that were begun and not surely refused
ALTER TABLE message ADD COLUMN receives INTEGER NOT NULL DEFAULT 0; -- how often it had been taken when this agent last did
CREATE INDEX message_forward ON message (seq) WHERE status = 0 AND due_at IS NULL;
DROP INDEX message_queued;
CREATE INDEX message_queued ON message (seq) WHERE status IN (0, 8);
