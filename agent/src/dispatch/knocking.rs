//! Asking whether the carrier lets us in again when no message waits that could be tried.
//!
//! Without it, a breaker that opened for a message which then expired would stay open, and readiness red, until somebody
//! sends; and nobody sends to an agent that is not ready.

use std::panic::AssertUnwindSafe;
use std::sync::Arc;

use futures_util::FutureExt;
use tokio::time::Instant;

use super::Dispatcher;
use crate::carrier::{PublishError, Signal, Verdict};
use crate::message::{Code, Problem};

impl Dispatcher {
    /// Asks once, in the background. [`super::state::State`] says when: at the breaker's own pace, one question at a time.
    pub(super) fn knock(&self) {
        let shared = Arc::clone(&self.0);
        tokio::spawn(async move {
            let began = Instant::now();
            let asking = async { shared.carrier.knock().await };
            let answer = AssertUnwindSafe(asking).catch_unwind().await.unwrap_or_else(|_| Err(broken_off()));
            if shared.state().knocked(answer.as_ref().err(), began, Instant::now()) {
                tracing::info!("the carrier lets us in again");
            }
            shared.wake.notify_one();
        });
    }
}

fn broken_off() -> PublishError {
    let problem = Problem::new(Code::Internal, "A defect of the agent's own broke the question to the carrier off.");
    PublishError { verdict: Verdict::NotSent, signal: Signal::Unreachable, problem }
}
