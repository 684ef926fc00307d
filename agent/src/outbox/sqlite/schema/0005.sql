-- How far in the order in which they leave, lane by lane, messages may be published without an fsync of their own; what
-- waits up to there when the machine went down may have been.
CREATE TABLE horizon (
    lane INTEGER PRIMARY KEY,
    due_at INTEGER NOT NULL,
    seq INTEGER NOT NULL,
    newest INTEGER NOT NULL             -- the last message that there was: later ones are beyond it, whatever the clock said
) STRICT;
-- Whether the machine went down while it waited up to there: it may have been published by a claim that was lost.
ALTER TABLE message ADD COLUMN doubtful INTEGER NOT NULL DEFAULT 0;

-- The start of the machine that the last process ran in.
CREATE TABLE boot (one INTEGER PRIMARY KEY CHECK (one = 1), id TEXT) STRICT;
INSERT INTO boot (one, id) VALUES (1, NULL);
