//! A message on its way between agents: all that one of them has to know of it to publish it in another's place.

use super::Claim;
use crate::message::{MessageId, Sms, Timestamp, WallTime};

/// One message and what its agents have learnt of it.
#[derive(Clone, Debug)]
pub(super) struct Letter {
    /// Its name, the same at every agent.
    pub(super) id: MessageId,
    /// What is published.
    pub(super) sms: Sms,
    /// The caller's own word.
    pub(super) reference: Option<String>,
    /// Publish calls begun.
    pub(super) attempts: u32,
    /// Of these, the ones whose outcome nobody knows.
    pub(super) unknowns: u32,
    /// When it was accepted, by the wall clock of the agent that did.
    pub(super) created_at: WallTime,
    /// Not published later than this.
    pub(super) expires_at: Option<Timestamp>,
    /// Not tried again later than this.
    pub(super) give_up_at: Timestamp,
    /// The trace that asked for it.
    pub(super) trace: Option<String>,
    /// Whether it was sent before and may have arrived then: there may be two of it.
    pub(super) again: bool,
}

/// A letter as it was taken from the queue.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    /// What it says, its deadlines on this agent's timeline.
    pub(super) letter: Letter,
    /// How often it was taken so far, by whomever, this time included.
    pub(super) receives: u32,
}

/// What a delivered letter is to this agent.
#[derive(Clone, Debug)]
pub(super) enum Taken {
    /// A message that is due; it ends at that time.
    Due(Timestamp),
    /// A message that another agent may have published. It is as if its attempt had been cut off.
    Suspect(Box<Claim>),
    /// One that is in hand already.
    InHand,
    /// One that is settled here: nothing more is published for it.
    Over,
}
