-- The history, one index for each filter. Every index ends with seq, so that a page is one walk along it.
-- The open ones have their own, small as long as few wait; the others enter the index of the settled ones once.
-- Measured: a page of any of them takes the same at ten thousand and at a million messages; a send pays 12 microseconds
-- for all of them with ten thousand, 27 with a million, most of it for the two whose keys come in no order.
CREATE INDEX message_recipient ON message (recipient);
CREATE INDEX message_reference ON message (reference) WHERE reference IS NOT NULL;
CREATE INDEX message_settled ON message (status) WHERE status >= 2;
CREATE INDEX message_queued ON message (seq) WHERE status = 0;

-- What was refused of a batch that came with an idempotency key. Gone with its key.
CREATE TABLE refusal (
    key BLOB NOT NULL,
    position INTEGER NOT NULL,          -- in the batch, from 0
    error_code TEXT NOT NULL,
    error_detail TEXT NOT NULL,
    parameter TEXT,
    PRIMARY KEY (key, position)
) STRICT, WITHOUT ROWID;
