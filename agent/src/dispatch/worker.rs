//! One attempt of one message: look at the clock, publish, write down what became of it, tell who waits.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;
use tracing::Instrument;

use super::{Shared, Slot, span};
use crate::carrier::{Attempt, Deadline, PublishError, Signal, Verdict};
use crate::message::{Code, MessageId, Problem};
use crate::outbox::{Claim, Outcome, endings};

/// The first pause before an outcome that could not be written is written again; it doubles up to [`LONGEST_PAUSE`].
const PAUSE: Duration = Duration::from_millis(100);
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// The trace that a publish belongs to.
pub enum Origin {
    /// The request is still there: the publish is part of it.
    Request(tracing::Span),
    /// It was queued; the publish is linked to the trace that asked for it.
    Stored(Option<String>),
}

/// Works one claim to its end. The slot is free again once the carrier has answered, or however it ends.
pub(super) async fn work(slot: Slot, claim: Claim, origin: Origin) {
    let shared = Arc::clone(&slot.shared);
    let mut handed_over = false;
    let attempt = AssertUnwindSafe(attempt(&shared, &claim, &origin, &mut handed_over)).catch_unwind().await;
    // Whatever breaks down here, the message gets an outcome, and whoever waits for it is told.
    let outcome = attempt.unwrap_or_else(|_| {
        tracing::error!(id = %claim.id, handed_over, "a defect of the agent's own broke an attempt off");
        let error = broken_off(handed_over);
        let now = Instant::now();
        shared.state().failed(error.signal, &error.problem, now, now);
        shared.policy.failed(&claim, error, shared.clock.now())
    });
    let outcome = in_its_place(&shared, &claim, outcome);
    let again = if let Outcome::Retry { at, .. } = &outcome { Some(*at) } else { None };
    settle(&shared, claim.id, outcome).await;
    if let Some(at) = again {
        let ends_at = claim.expires_at.map_or(claim.give_up_at, |expires_at| expires_at.min(claim.give_up_at));
        shared.state().requeued(at, ends_at);
        shared.wake.notify_one();
    }
    drop(slot);
}

/// One attempt, up to its outcome. `handed_over`: from then on the carrier has it, and it may have gone out.
async fn attempt(shared: &Shared, claim: &Claim, origin: &Origin, handed_over: &mut bool) -> Outcome {
    if let Some(outcome) = shared.policy.unpublished(claim, shared.clock.now()) {
        return outcome;
    }
    let publishing = span::publish(claim, origin);
    *handed_over = true;
    let published = publish(shared, claim).instrument(publishing.clone()).await;
    if shared.state().answered(claim.id) {
        shared.wake.notify_one();
    }
    match published {
        Ok(provider_id) => {
            span::published(&publishing, &provider_id);
            Outcome::Sent(provider_id)
        }
        Err(error) => {
            span::failed(&publishing, &error.problem);
            shared.policy.failed(claim, error, shared.clock.now())
        }
    }
}

/// A defect of ours in the middle of an attempt. A carrier that breaks down has not said whether the message went out;
/// one that knows says so itself, and does not break down.
fn broken_off(handed_over: bool) -> PublishError {
    let (verdict, code, detail) = if handed_over {
        (Verdict::Unknown, Code::OutcomeUnknown, "A defect of the agent's own broke the publish off.")
    } else {
        (
            Verdict::NotSent,
            Code::Internal,
            "A defect of the agent's own broke the attempt off before anything was sent.",
        )
    };
    // No answer of the carrier: where it meets one message after the other, the breaker opens.
    PublishError { verdict, signal: Signal::Unreachable, problem: Problem::new(code, detail) }
}

/// While the carrier lets nobody in, that is what everybody waits for: who asked for all keeps its place in the queue.
fn in_its_place(shared: &Shared, claim: &Claim, outcome: Outcome) -> Outcome {
    match outcome {
        Outcome::Retry { problem, unknown: false, .. } if shared.state().is_shut() => {
            Outcome::Retry { at: claim.accepted_at, problem, unknown: false }
        }
        other => other,
    }
}

async fn publish(shared: &Shared, claim: &Claim) -> Result<String, PublishError> {
    let deadline = claim.expires_at.map(|at| Deadline { clock: Arc::clone(&shared.clock), at });
    let attempt = Attempt {
        id: claim.id,
        number: claim.attempt,
        sms: &claim.sms,
        timeout: shared.attempt_timeout,
        deadline: deadline.as_ref(),
    };
    let began = Instant::now();
    let publishing = async { shared.carrier.publish(attempt).await };
    let published = AssertUnwindSafe(publishing).catch_unwind().await.unwrap_or_else(|_| {
        tracing::error!(id = %claim.id, "a defect of the agent's own broke a publish off: it may have gone out");
        Err(broken_off(true))
    });
    match &published {
        Ok(_) => {
            if shared.state().published(Instant::now()) {
                tracing::info!("the carrier takes messages again");
                shared.wake.notify_one();
            }
        }
        Err(error) => {
            if shared.state().failed(error.signal, &error.problem, began, Instant::now()) {
                tracing::warn!(
                    code = error.problem.code.as_str(),
                    detail = %error.problem.detail,
                    "the carrier lets nobody in: messages wait while one at a time asks again"
                );
            }
        }
    }
    published
}

/// Writes an outcome down, however long the outbox takes to let it: only the end of the process stops it, and that
/// leaves the message as one of unknown outcome.
pub(super) async fn settle(shared: &Shared, id: MessageId, outcome: Outcome) {
    let mut pause = PAUSE;
    loop {
        let settling = async { shared.outbox.settle(id, outcome.clone(), shared.clock.now(), false).await };
        let settled = AssertUnwindSafe(settling).catch_unwind().await;
        match settled.unwrap_or_else(|_| Err(Problem::new(Code::Internal, "A defect of the agent's own."))) {
            Ok(Some(message)) => {
                endings::tell_of(&message);
                return shared.waiting.tell(&message);
            }
            Ok(None) => {
                tracing::error!(%id, "a message was settled by somebody else while its publish was under way");
                return;
            }
            Err(_) => {
                tokio::time::sleep(pause).await;
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
    }
}
