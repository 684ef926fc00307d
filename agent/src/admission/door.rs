//! The way of one send through the rooms.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use sms_config::within;
use tokio::sync::oneshot;
use tracing::Instrument;

use super::{Rule, Submission, Submitted};
use crate::carrier::Carrier;
use crate::clock::Clock;
use crate::dispatch::{Dispatcher, Origin, Watch};
use crate::message::{Code, IdSource, Message, MessageId, PhoneNumber, Problem, Status};
use crate::outbox::{Acceptance, Accepted, Claim, Entry, Outbox};

/// When to come again to an outbox that is full.
const ROOM_AFTER: Duration = Duration::from_secs(5);

/// What the door leads to.
pub struct Rooms {
    /// Where accepted messages live.
    pub outbox: Arc<dyn Outbox>,
    /// Who publishes them.
    pub dispatcher: Dispatcher,
    /// Whom to ask about a number.
    pub carrier: Arc<dyn Carrier>,
    /// What time it is.
    pub clock: Arc<dyn Clock>,
    /// What may keep a message from going, in the order in which they are asked.
    pub rules: Vec<Box<dyn Rule>>,
    /// `dispatch.give_up_after`.
    pub give_up_after: Duration,
    /// Whether this agent publishes: otherwise there is no outcome that anybody could wait for.
    pub publishes: bool,
}

/// [`super::Intake`] over the rooms of this process. Clones share one.
#[derive(Clone)]
pub struct Door(pub(super) Arc<Inner>);

pub(super) struct Inner {
    pub(super) rooms: Rooms,
    pub(super) ids: IdSource,
    pub(super) stopping: AtomicBool,
}

impl Door {
    /// An open door.
    pub fn new(rooms: Rooms) -> Self {
        Self(Arc::new(Inner { rooms, ids: IdSource::new(), stopping: AtomicBool::new(false) }))
    }

    /// Refuses all that comes from now on.
    pub fn close(&self) {
        self.0.stopping.store(true, Ordering::Relaxed);
    }

    pub(super) fn objection(&self, to: &PhoneNumber) -> Option<Problem> {
        let rooms = &self.0.rooms;
        let ruled = rooms.rules.iter().find_map(|rule| rule.objection(to));
        ruled.or_else(|| rooms.carrier.objection(to))
    }

    pub(super) async fn send(self, submission: Submission) -> Result<Submitted, Problem> {
        let rooms = &self.0.rooms;
        let wait = submission.wait.filter(|_| rooms.publishes);
        let submission = Submission { wait, ..submission };
        if let Some(key) = submission.key
            && let Some(earlier) = rooms.outbox.replay(key, rooms.clock.now()).await?
        {
            return self.follow(earlier, wait).await;
        }
        if let Some(problem) = self.objection(&submission.draft.sms.to) {
            return Err(problem);
        }
        let keyed = submission.key.is_some();
        let id = self.0.ids.next(rooms.clock.now());
        let watch = wait.map(|_| rooms.dispatcher.watch(id));
        match self.accept(id, submission).await? {
            Accepted::New(messages) => {
                let message = messages.into_iter().next().ok_or_else(lost)?;
                let message = match wait.zip(watch) {
                    Some((wait, watch)) => self.outcome(message, watch, wait, keyed).await?,
                    None => message,
                };
                Ok(Submitted { message, replayed: false })
            }
            // The same key raced us there, or there is no room.
            earlier => self.follow(earlier, wait).await,
        }
    }

    /// Takes the message into the outbox and on its way. A task of its own, since a sender that hangs up between the
    /// two must not leave the message in nobody's hands.
    async fn accept(&self, id: MessageId, submission: Submission) -> Result<Accepted, Problem> {
        let door = self.clone();
        let request = tracing::Span::current();
        let (reply, answer) = oneshot::channel();
        tokio::spawn(async move {
            let accepted = door.take_in(id, submission, request).await;
            // It may have hung up.
            drop(reply.send(accepted));
        });
        answer.await.unwrap_or_else(|_| Err(lost()))
    }

    async fn take_in(self, id: MessageId, submission: Submission, request: tracing::Span) -> Result<Accepted, Problem> {
        let rooms = &self.0.rooms;
        let now = rooms.clock.now();
        let sms = submission.draft.sms.clone();
        let expires_at = submission.draft.expires_in.map(|seconds| now.plus(Duration::from_secs(seconds.into())));
        let give_up_at = now.plus(rooms.give_up_after);
        // Who waits for the outcome goes at once if the way is free; who does not, takes its turn.
        let slot = match submission.wait {
            Some(_) => rooms.dispatcher.try_reserve(id, sms.text.segments()),
            None => None,
        };
        let entry = Entry {
            id,
            draft: submission.draft,
            at: now,
            give_up_at,
            claimed: slot.is_some(),
            trace: submission.trace,
        };
        let durable = submission.wait.is_none() || submission.key.is_some();
        let accepting = tracing::info_span!(target: "sms_agent::trace", parent: &request, "accept sms", sms.message.id = %id, durable);
        let acceptance = Acceptance { entries: vec![entry], refusals: Vec::new(), key: submission.key, durable };
        let accepted = rooms.outbox.accept(acceptance).instrument(accepting).await?;
        if matches!(accepted, Accepted::New(_)) {
            match slot {
                Some(slot) => {
                    let claim = Claim {
                        id,
                        sms,
                        attempt: 1,
                        unknowns: 0,
                        doubtful: false,
                        accepted_at: now,
                        expires_at,
                        give_up_at,
                        trace: None,
                    };
                    rooms.dispatcher.publish(slot, claim, Origin::Request(request));
                }
                None => rooms.dispatcher.queued(expires_at.map_or(give_up_at, |at| at.min(give_up_at))),
            }
        }
        Ok(accepted)
    }

    /// Answers for an earlier request with the same key.
    async fn follow(&self, earlier: Accepted, wait: Option<Duration>) -> Result<Submitted, Problem> {
        let Accepted::Replay(ids, _) = earlier else { return Err(refused(&earlier)) };
        let id = *ids.first().ok_or_else(lost)?;
        let rooms = &self.0.rooms;
        let watch = rooms.dispatcher.watch(id);
        let mut message = rooms.outbox.message(id).await?.ok_or_else(gone)?;
        if let Some(wait) = wait
            && !message.status.is_settled()
        {
            message = self.outcome(message, watch, wait, true).await?;
        } else {
            rooms.outbox.sync().await?;
        }
        Ok(Submitted { message, replayed: true })
    }

    /// The message once it is settled, or as it is when the wait is over. Whatever is not simply sent is on the disk
    /// then, and all of it where the caller may come again with its key.
    async fn outcome(
        &self,
        message: Message,
        mut watch: Watch,
        wait: Duration,
        keyed: bool,
    ) -> Result<Message, Problem> {
        let rooms = &self.0.rooms;
        let settled = match within(wait, watch.outcome()).await {
            Ok(Some(settled)) => settled,
            _ => {
                let read = rooms.outbox.message(message.id).await;
                read.map_err(|problem| unconfirmed(&message, &problem))?.unwrap_or(message)
            }
        };
        if keyed || !is_final_answer(settled.status) {
            rooms.outbox.sync().await.map_err(|problem| unconfirmed(&settled, &problem))?;
        }
        Ok(settled)
    }
}

/// What is said where a message was accepted and the outbox fails afterwards. Not `outbox_unavailable`: that would
/// promise that nothing was accepted.
fn unconfirmed(message: &Message, problem: &Problem) -> Problem {
    let detail = format!("Message {} was accepted, and the disk does not confirm it: {}", message.id, problem.detail);
    Problem::new(Code::Internal, detail)
}

/// Whether the answer is something else than a 202, which promises the disk.
fn is_final_answer(status: Status) -> bool {
    !matches!(status, Status::Queued | Status::Sending | Status::Unknown)
}

/// Why an acceptance that is neither new nor a replay was none.
pub(super) fn refused(accepted: &Accepted) -> Problem {
    match accepted {
        Accepted::KeyReused => {
            Problem::new(Code::IdempotencyKeyReused, "This `Idempotency-Key` came before, with another body.")
        }
        Accepted::Full => {
            let mut full = Problem::new(Code::OutboxFull, "As many messages wait as `outbox.max_queued` allows.");
            full.retry_after = Some(ROOM_AFTER);
            full
        }
        Accepted::New(_) | Accepted::Replay(..) => lost(),
    }
}

/// The key outlived its message.
pub(super) fn gone() -> Problem {
    Problem::new(Code::NotFound, "The message of this `Idempotency-Key` is no longer in the history.")
}

pub(super) fn lost() -> Problem {
    Problem::new(Code::Internal, "The outbox gave no answer.")
}
