//! Where an accepted message lives until nothing more will be published for it, and its history after that.
//!
//! In flow drafts that admission let pass; out flow claims for the dispatcher and records for the history. The rule
//! it keeps: what it has answered as accepted survives, and a message is in one worker's hands at a time. One narrow
//! trait, [`Outbox`]; `sqlite` is the embedded engine behind it, `sqs` the one for several agents. It knows nothing of
//! HTTP and nothing of carriers.

mod claim;
pub mod endings;
mod history;
pub mod housekeeping;
mod letter;
pub mod sqlite;
pub mod sqs;

use futures_util::future::BoxFuture;

use crate::message::{Draft, Message, MessageId, Problem, Timestamp};

pub use self::claim::{Allowance, Claim, Claims, Demand, Fetched, Rest};
pub use self::history::{Cursor, Filter, NoCursor, Page};

/// One message to accept.
#[derive(Clone, Debug)]
pub struct Entry {
    /// Its name, made by the caller, so that it can be waited for before it exists.
    pub id: MessageId,
    /// What was asked for.
    pub draft: Draft,
    /// The moment of acceptance.
    pub at: Timestamp,
    /// When the dispatcher stops trying, whatever `expires_in` says.
    pub give_up_at: Timestamp,
    /// Whether the first attempt begins with the acceptance: the caller holds a slot of the dispatcher for it.
    pub claimed: bool,
    /// The caller's trace, as the header `traceparent` has it, to which the publish is linked.
    pub trace: Option<String>,
}

/// An `Idempotency-Key` as the outbox knows it: two HMACs, so that the files hold neither the key nor a bare hash of
/// the body.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Idempotency {
    /// Of the key.
    pub key: [u8; 32],
    /// Of the request's members.
    pub fingerprint: [u8; 32],
}

/// A message of a batch that was not accepted.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Refusal {
    /// Its place in the batch, from 0.
    pub position: usize,
    /// Why.
    pub problem: Problem,
}

/// What is accepted in one step: all of it or nothing.
#[derive(Clone, Debug)]
pub struct Acceptance {
    /// The messages, at least one.
    pub entries: Vec<Entry>,
    /// Those of the same batch that are not among them; remembered with the key.
    pub refusals: Vec<Refusal>,
    /// The key that covers them.
    pub key: Option<Idempotency>,
    /// Whether the answer waits until the disk has it.
    pub durable: bool,
}

/// What the outbox did with an acceptance.
#[derive(Clone, Debug)]
pub enum Accepted {
    /// It has them now.
    New(Vec<Message>),
    /// It had them already, under the same key and fingerprint: these messages, in order, and what was refused.
    Replay(Vec<MessageId>, Vec<Refusal>),
    /// The key was used for another body.
    KeyReused,
    /// Too many wait already; nothing was accepted.
    Full,
}

/// What became of the wish to take a message back.
#[derive(Clone, Debug)]
pub enum Canceled {
    /// It will not be published any more. Its status is `canceled`, or `unknown` if an earlier attempt of it may have
    /// gone out: no more than that is known.
    Done(Message),
    /// It does not wait in the queue: this is what it is.
    TooLate(Message),
}

/// What a worker says became of its attempt, or a receipt of the message.
#[derive(Clone, Debug)]
pub enum Outcome {
    /// The carrier took it and calls it so.
    Sent(String),
    /// It goes back to the queue, to be tried at `at`.
    Retry {
        /// When it is due again.
        at: Timestamp,
        /// What the attempt met.
        problem: Problem,
        /// Whether the attempt may have gone out.
        unknown: bool,
    },
    /// It ended: refused or given up.
    Failed(Problem),
    /// It ended unpublished: too late.
    Expired(Problem),
    /// It ended and nobody can know how.
    Unknown(Problem),
    /// The carrier's report: it arrived. Only from `sent`.
    Delivered,
    /// The carrier's report: it did not arrive. Only from `sent`.
    Undeliverable(Problem),
}

/// What a sweep did.
#[derive(Clone, Debug)]
pub struct Swept {
    /// The messages that it ended.
    pub ended: Vec<Message>,
    /// When the next one ends, unless it leaves before.
    pub next: Option<Timestamp>,
}

/// Accepts durably, hands out, settles, remembers.
pub trait Outbox: Send + Sync {
    /// Takes messages in. Once this answered, the process may die and they are still there; with `durable`, the
    /// machine may.
    ///
    /// # Errors
    /// `outbox_unavailable`; nothing was accepted then. `internal`: the disk failed in a way that leaves open whether it
    /// was, should the machine go down.
    fn accept(&self, acceptance: Acceptance) -> BoxFuture<'static, Result<Accepted, Problem>>;

    /// The messages accepted under a key, if there are any: what decides a replay before admission is asked.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn replay(&self, key: Idempotency, now: Timestamp) -> BoxFuture<'static, Result<Option<Accepted>, Problem>>;

    /// Hands out messages that are due.
    ///
    /// # Errors
    /// `outbox_unavailable`; nothing was handed out then.
    fn claim(&self, now: Timestamp, demand: Demand) -> BoxFuture<'static, Result<Claims, Problem>>;

    /// Hands out those of these messages that are due; of [`Claims::rest`], too, only they count.
    ///
    /// # Errors
    /// `outbox_unavailable`; nothing was handed out then.
    fn claim_among(
        &self,
        ids: Vec<MessageId>,
        now: Timestamp,
        demand: Demand,
    ) -> BoxFuture<'static, Result<Claims, Problem>>;

    /// Ends what waits in the queue past its `expires_at` or its `give_up_at`.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn sweep(&self, now: Timestamp) -> BoxFuture<'static, Result<Swept, Problem>>;

    /// Writes down what became of a message; answers with it as it is now, or with `None` if that outcome cannot
    /// follow on what it was. With `durable`, waits for the disk.
    ///
    /// # Errors
    /// `outbox_unavailable`: what the files say of it is as before.
    fn settle(
        &self,
        id: MessageId,
        outcome: Outcome,
        now: Timestamp,
        durable: bool,
    ) -> BoxFuture<'static, Result<Option<Message>, Problem>>;

    /// Takes a message back if it waits in the queue, and erases its text; `None`: there is no such message. On the
    /// disk once this answered.
    ///
    /// # Errors
    /// `outbox_unavailable`; it may still be published then.
    fn cancel(&self, id: MessageId, now: Timestamp) -> BoxFuture<'static, Result<Option<Canceled>, Problem>>;

    /// At most `limit` messages accepted before the place `before`, the newest first.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn page(&self, filter: Filter, before: Option<Cursor>, limit: usize) -> BoxFuture<'static, Result<Page, Problem>>;

    /// Forgets some of what is past its days: settled messages and idempotency keys. Answers with where to go on, or
    /// `None` if there was nothing to forget.
    ///
    /// # Errors
    /// `outbox_unavailable`; nothing was forgotten then.
    fn forget(&self, now: Timestamp, after: Option<Cursor>) -> BoxFuture<'static, Result<Option<Cursor>, Problem>>;

    /// Makes sure that all that was accepted and settled so far is on the disk.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn sync(&self) -> BoxFuture<'static, Result<(), Problem>>;

    /// One message.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn message(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Message>, Problem>>;

    /// The messages that were in a worker's hands when the process ended: asked once at start, before any claim. Their
    /// last attempt has an unknown outcome.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn interrupted(&self) -> BoxFuture<'static, Result<Vec<Claim>, Problem>>;

    /// Whether writes are taken and reach the disk. At most once a second something is written for it: what was last
    /// refused, if that is so, and not for good.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    fn probe(&self) -> BoxFuture<'static, Result<(), Problem>>;

    /// Whether what is accepted goes to a queue that several agents share, and comes back, if at all, by
    /// [`Outbox::fetch`].
    fn is_shared(&self) -> bool {
        false
    }

    /// Waits for up to `most` messages of a queue that several agents share, however long none comes: with no such
    /// queue, for ever.
    fn fetch(&self, _most: usize) -> BoxFuture<'static, Fetched> {
        Box::pin(std::future::pending())
    }

    /// What does not work of a queue that several agents share, while messages are accepted all the same.
    fn trouble(&self) -> Option<String> {
        None
    }

    /// Gives back what is in hand and is not being published: to a queue that several agents share, or here for good, so
    /// that nothing that waits is taken for published after a power cut. Asked at a stop, and once more after the last
    /// publish; nothing is fetched any more.
    fn release(&self) -> BoxFuture<'static, ()> {
        Box::pin(std::future::ready(()))
    }
}
