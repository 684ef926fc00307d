//! May this message go? And if it may: into the outbox, to the dispatcher, and what became of it back to the caller.
//!
//! In flow checked drafts from the API; out flow messages as the contract shows them, or the problem that answers for
//! them. The rule it keeps: nothing is accepted that a rule objects to, and nothing is lost once it was accepted,
//! whether or not its caller still listens. It knows nothing of HTTP and nothing of storage engines.

mod assigned;
mod batch;
mod door;
mod intake;
mod preview;

use std::time::Duration;

use futures_util::future::BoxFuture;

use crate::message::{Draft, Message, MessageId, PhoneNumber, Problem};
use crate::outbox::{Canceled, Cursor, Filter, Idempotency, Page};

pub use self::assigned::AssignedNumbers;
pub use self::door::{Door, Rooms};

/// One send as the API hands it over.
#[derive(Clone, Debug)]
pub struct Submission {
    /// What is sent.
    pub draft: Draft,
    /// The caller's key, if one came.
    pub key: Option<Idempotency>,
    /// How long the caller waits for the outcome; `None`: it asked for none and is answered once the message is on
    /// the disk.
    pub wait: Option<Duration>,
    /// The caller's trace, as the header `traceparent` has it: a publish that begins later is linked to it.
    pub trace: Option<String>,
}

/// An accepted message as it is now.
#[derive(Clone, Debug)]
pub struct Submitted {
    /// The message. Where its status is not settled it is on the disk, so that a 202 may be said.
    pub message: Message,
    /// Whether an earlier request with the same key had made it.
    pub replayed: bool,
}

/// Several sends as the API hands them over, each on its own merits.
#[derive(Clone, Debug)]
pub struct Batch {
    /// What is sent, or why it cannot be.
    pub items: Vec<Result<Draft, Problem>>,
    /// The caller's key for all of it, if one came.
    pub key: Option<Idempotency>,
    /// The caller's trace.
    pub trace: Option<String>,
}

/// What became of a batch.
#[derive(Clone, Debug)]
pub struct Batched {
    /// In the order of the batch: the message, which is on the disk, or why there is none.
    pub results: Vec<Result<Message, Problem>>,
    /// Whether an earlier request with the same key had made them.
    pub replayed: bool,
}

/// One reason to keep a message from going; each is one file.
pub trait Rule: Send + Sync {
    /// Why a message to this number may not go, if it may not.
    fn objection(&self, to: &PhoneNumber) -> Option<Problem>;
}

/// The door that the API knocks at.
pub trait Intake: Send + Sync {
    /// Accepts one message and waits for its outcome as long as the caller wishes. Dropping the future changes
    /// nothing for the message.
    ///
    /// # Errors
    /// Why nothing was accepted.
    fn submit(&self, submission: Submission) -> BoxFuture<'static, Result<Submitted, Problem>>;

    /// Accepts those of a batch that may go, in one step, and waits for no outcome. If none may, nothing is stored.
    ///
    /// # Errors
    /// Why nothing was accepted at all.
    fn submit_batch(&self, batch: Batch) -> BoxFuture<'static, Result<Batched, Problem>>;

    /// Takes a message back if it still waits in the queue; `None`: there is no such message.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn cancel(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Canceled>, Problem>>;

    /// At most `limit` messages of the history, older than the place `before`, the newest first.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn page(&self, filter: Filter, before: Option<Cursor>, limit: usize) -> BoxFuture<'static, Result<Page, Problem>>;

    /// Every reason why a message to this number would not go or not arrive, as far as rules and carrier tell. The flag
    /// is whether a send would be admitted.
    fn preview(&self, to: PhoneNumber) -> BoxFuture<'static, (bool, Vec<Problem>)>;

    /// One message.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn message(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Message>, Problem>>;

    /// Whether the number has opted out of SMS from this account.
    ///
    /// # Errors
    /// Why that cannot be had now.
    fn opted_out(&self, to: PhoneNumber) -> BoxFuture<'static, Result<bool, Problem>>;

    /// Whether a message could be accepted and published now.
    ///
    /// # Errors
    /// What is missing.
    fn ready(&self) -> BoxFuture<'static, Result<(), Problem>>;

    /// What does not work although messages are accepted: they wait for it.
    fn trouble(&self) -> Option<String>;

    /// Whether the agent is stopping: new requests are refused then.
    fn is_stopping(&self) -> bool;
}
