-- Deadlines are on the agent's own timeline, which a step of the wall clock does not move: due_at, ends_at, expires_at,
-- give_up_at, accepted_at and idempotency.created_at. What is only shown is by the wall clock: created_at, updated_at.
ALTER TABLE message ADD COLUMN accepted_at INTEGER;     -- NULL in rows from before, where created_at says the same

-- Where the timeline was when it was last written down, so that the next process continues it.
CREATE TABLE timeline (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    at INTEGER NOT NULL,
    wall INTEGER NOT NULL,              -- the wall clock then
    since_boot INTEGER NOT NULL,        -- the time since the boot then, in milliseconds, sleep included
    boot TEXT,                          -- which boot that was, where the system tells
    -- What was accepted up to there came before this boot: only the wall clock knows how long ago.
    before INTEGER NOT NULL,
    gap INTEGER NOT NULL,               -- how far the wall clock moved on meanwhile, as it is set now, in milliseconds
    gap_at_least INTEGER NOT NULL       -- and how much time has certainly passed
) STRICT;
