-- Whose outbox this is, and which run of the agent had it last.
CREATE TABLE belonging (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    carrier TEXT,                       -- 'simulator' or 'sns'; NULL until the first start that says so
    region TEXT,                        -- with SNS
    account TEXT,                       -- with SNS, once AWS has named it
    key_check BLOB,                     -- HMAC of a constant under the key of the fingerprints
    run BLOB,                           -- 16 random bytes, new with each run
    state INTEGER NOT NULL              -- 0 never run, 1 running, 2 ended in order, 3 a backup
) STRICT;
INSERT INTO belonging (one, state) VALUES (1, 0);
