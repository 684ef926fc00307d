//! What the outbox hands out to be published, and how much of it is asked for.

use crate::message::{MessageId, Sms, Timestamp};

/// A message in the hands of a worker: its status is `sending`.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Its name.
    pub id: MessageId,
    /// What is published.
    pub sms: Sms,
    /// Which attempt this is, from 1.
    pub attempt: u32,
    /// Attempts whose outcome is unknown.
    pub unknowns: u32,
    /// Whether there may have been another one, which the machine forgot when it went down.
    pub doubtful: bool,
    /// When it was accepted.
    pub accepted_at: Timestamp,
    /// Not published later than this.
    pub expires_at: Option<Timestamp>,
    /// Not tried again later than this.
    pub give_up_at: Timestamp,
    /// The trace that asked for it.
    pub trace: Option<String>,
}

impl Claim {
    /// Whether an earlier attempt may have gone out.
    pub fn may_have_gone_out(&self) -> bool {
        self.unknowns > 0 || self.doubtful
    }
}

/// How much the dispatcher can take.
#[derive(Clone, Copy, Debug)]
pub struct Demand {
    /// Messages at most; at least 1.
    pub messages: usize,
    /// Segments that the pace allows now; `None` is no pace.
    pub segments: Option<Allowance>,
    /// Whether the one message asks whether the carrier answers: not, if another waits, one of which that is not known
    /// after an attempt, nor one to the same number.
    pub to_probe: bool,
}

/// What the pace allows at one moment.
#[derive(Clone, Copy, Debug)]
pub struct Allowance {
    /// Segments that may go now.
    pub now: u32,
    /// What a full bucket holds: a message larger than that goes when the bucket is full.
    pub full: u32,
}

impl Allowance {
    /// Takes the segments of one message, if it may go now: a message larger than a full bucket may once that is
    /// full, and leaves nothing for the next.
    pub fn take(&mut self, segments: u32) -> bool {
        let fits = segments.min(self.full) <= self.now;
        if fits {
            self.now = self.now.saturating_sub(segments);
        }
        fits
    }
}

/// What the outbox handed out.
#[derive(Clone, Debug)]
pub struct Claims {
    /// The messages, the oldest transactional first.
    pub claims: Vec<Claim>,
    /// Why there are not more of them.
    pub rest: Rest,
}

/// What still waits in the outbox after a claim.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Rest {
    /// There may be more that is due.
    More,
    /// The next one needs so many segments of the pace.
    Paced(u32),
    /// Nothing is due; the next attempt is due then, if any is scheduled.
    Idle(Option<Timestamp>),
}

/// What came from a queue that several agents share.
#[derive(Clone, Debug)]
pub struct Fetched {
    /// Messages that are due here now, to be claimed like any other.
    pub due: usize,
    /// When the first of them ends unpublished.
    pub ends_at: Option<Timestamp>,
    /// Messages that another agent may have published: as if their last attempt had been cut off, and to be settled so.
    pub suspects: Vec<Claim>,
}
