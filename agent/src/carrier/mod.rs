//! Who takes an SMS from us: one narrow trait, with Amazon SNS and the simulator behind it.
//!
//! In flows one checked SMS and the time it may take; out flows the carrier's name for it, or what the failure means
//! for this message and for all others. A carrier never retries: that is the dispatcher's alone (a repeated publish
//! is a second SMS). It knows nothing of HTTP and nothing of storage.

pub mod simulator;
pub mod sns;

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use crate::clock::Clock;
use crate::message::{MessageId, PhoneNumber, Problem, Sms, Timestamp};

/// One publish call.
#[derive(Clone, Copy, Debug)]
pub struct Attempt<'a> {
    /// Our name of the message.
    pub id: MessageId,
    /// Which attempt of this message it is, from 1.
    pub number: u32,
    /// What is published.
    pub sms: &'a Sms,
    /// The carrier answers within this; past it the outcome is [`Verdict::Unknown`], unless it is certain that
    /// nothing went out.
    pub timeout: Duration,
    /// The end of its `expires_in`: nothing goes out after it, however long the way to the carrier takes.
    pub deadline: Option<&'a Deadline>,
}

/// When it is too late for a publish to begin.
#[derive(Clone)]
pub struct Deadline {
    /// By this clock, which counts on while the machine sleeps.
    pub clock: Arc<dyn Clock>,
    /// Then.
    pub at: Timestamp,
}

impl Deadline {
    /// Whether it is too late now.
    pub fn is_over(&self) -> bool {
        self.at <= self.clock.now()
    }
}

impl fmt::Debug for Deadline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Deadline").field("at", &self.at).finish_non_exhaustive()
    }
}

/// What a failed publish means for its message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Verdict {
    /// It certainly did not go out and may later: back off, try again.
    NotSent,
    /// It did not go out and never will as it is.
    Rejected,
    /// It may have gone out.
    Unknown,
}

/// What a failed publish says about the way to the carrier, so about every other message.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Signal {
    /// Nothing.
    None,
    /// The carrier was not reached: enough of these in a row open the circuit breaker.
    Unreachable,
    /// The account is not let in: the circuit breaker opens at once.
    Refused,
    /// This call is not permitted: not ready until the next success, but other messages are tried.
    NotPermitted,
}

/// A publish that brought no message id.
#[derive(Clone, Debug)]
pub struct PublishError {
    /// What it means for this message.
    pub verdict: Verdict,
    /// What it says about the others.
    pub signal: Signal,
    /// What is told to people; masked.
    pub problem: Problem,
}

/// What the carrier later says of a message that it took.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Report {
    /// Our name of the message.
    pub id: MessageId,
    /// What became of it.
    pub delivery: Delivery,
}

/// Whether a message arrived.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Delivery {
    /// It did.
    Delivered,
    /// It did not, and why.
    Undeliverable(Problem),
}

/// The other end.
pub trait Carrier: Send + Sync {
    /// Publishes one SMS, once; answers with the carrier's own name for it.
    ///
    /// # Errors
    /// Whatever is not an acceptance, with its meaning.
    fn publish<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<String, PublishError>>;

    /// What the carrier would say against this number without asking anybody: checked before acceptance.
    fn objection(&self, to: &PhoneNumber) -> Option<Problem>;

    /// Whether the number has opted out of SMS from this account.
    ///
    /// # Errors
    /// Why that cannot be had now.
    fn opted_out<'a>(&'a self, to: &'a PhoneNumber) -> BoxFuture<'a, Result<bool, Problem>>;

    /// Asks the carrier something harmless in the name of the same account, to see whether it lets that account in. For
    /// when no message is there to be tried.
    ///
    /// # Errors
    /// As of a publish. Its signal tells whether the carrier was reached and knows the account; its verdict means nothing.
    fn knock(&self) -> BoxFuture<'_, Result<(), PublishError>> {
        std::future::ready(Ok(())).boxed()
    }

    /// Whether a publish could be tried now: credentials can be had.
    ///
    /// # Errors
    /// What is missing.
    fn ready(&self) -> BoxFuture<'_, Result<(), Problem>>;
}
