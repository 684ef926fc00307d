//! One attempt of one message: look at the clock, publish, write down what became of it, tell who waits.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use tokio::time::Instant;
use tracing::Instrument;

use super::{Shared, Slot, span};
use crate::carrier::{Attempt, PublishError, Signal, Verdict};
use crate::message::{Code, MessageId, Problem};
use crate::outbox::{Claim, Outcome};

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
    let now = shared.clock.now();
    let outcome = match shared.policy.unpublished(&claim, now) {
        Some(outcome) => outcome,
        None => {
            let publishing = span::publish(&claim, &origin);
            let published = publish(&shared, &claim).instrument(publishing.clone()).await;
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
                    shared.policy.failed(&claim, error, shared.clock.now())
                }
            }
        }
    };
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
    let attempt = Attempt { id: claim.id, number: claim.attempt, sms: &claim.sms, timeout: shared.attempt_timeout };
    let began = Instant::now();
    // A carrier that panics has not said whether the message went out.
    let published = AssertUnwindSafe(shared.carrier.publish(attempt)).catch_unwind().await.unwrap_or_else(|_| {
        Err(PublishError {
            verdict: Verdict::Unknown,
            signal: Signal::None,
            problem: Problem::new(Code::OutcomeUnknown, "The carrier met a defect of the agent's own."),
        })
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
        match shared.outbox.settle(id, outcome.clone(), shared.clock.now(), false).await {
            Ok(Some(message)) => return shared.waiting.tell(&message),
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
