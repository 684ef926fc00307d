-- One row a message, from acceptance to the end of its history. Times are milliseconds since 1970 in UTC.
CREATE TABLE message (
    seq INTEGER PRIMARY KEY,            -- order of acceptance
    id BLOB NOT NULL UNIQUE,            -- ULID, 16 bytes
    status INTEGER NOT NULL,            -- 0 queued, 1 sending, 2 sent, 3 delivered, 4 failed, 5 expired, 6 canceled, 7 unknown
    lane INTEGER NOT NULL,              -- 0 transactional, 1 promotional: the order in which they leave
    recipient TEXT NOT NULL,
    words TEXT,                         -- NULL once nothing more will be published
    encoding INTEGER NOT NULL,          -- 0 GSM-7, 1 UCS-2
    segments INTEGER NOT NULL,
    sender_id TEXT,
    origination_number TEXT,
    max_price_usd TEXT,
    entity_id TEXT,
    template_id TEXT,
    reference TEXT,
    trace TEXT,                         -- traceparent of the request
    attempts INTEGER NOT NULL,          -- publish calls begun
    unknowns INTEGER NOT NULL,          -- of these, the ones whose outcome nobody knows
    possible_duplicate INTEGER NOT NULL,
    due_at INTEGER,                     -- next attempt, while queued
    ends_at INTEGER NOT NULL,           -- the earlier of expires_at and give_up_at
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    expires_at INTEGER,
    give_up_at INTEGER NOT NULL,
    provider_id TEXT,
    error_code TEXT,
    error_detail TEXT,
    error_request_id TEXT
) STRICT;

-- Partial, so that history costs them nothing.
CREATE INDEX message_due ON message (lane, due_at) WHERE status = 0;
CREATE INDEX message_ends ON message (ends_at) WHERE status = 0;
CREATE INDEX message_sending ON message (seq) WHERE status = 1;

CREATE TABLE idempotency (
    key BLOB PRIMARY KEY,               -- HMAC of the caller's key
    fingerprint BLOB NOT NULL,          -- HMAC of the request's members
    ids BLOB NOT NULL,                  -- the messages, 16 bytes each
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX idempotency_created ON idempotency (created_at);

-- Rewritten to prove that writes are taken, and to give an fsync something to do.
CREATE TABLE heartbeat (one INTEGER PRIMARY KEY CHECK (one = 1), beats INTEGER NOT NULL) STRICT;
INSERT INTO heartbeat (one, beats) VALUES (1, 0);
