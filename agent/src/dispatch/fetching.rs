//! Messages from a queue that several agents share: asked for as long as there is room, and not otherwise.
//!
//! So neither an outage of the carrier nor a spent pace takes messages out of the queue that others could publish, or
//! walks them into its dead-letter queue.

use std::time::Duration;

use futures_util::future::BoxFuture;
use tokio::time::Instant;

use super::{Dispatcher, worker};
use crate::outbox::{Fetched, Outcome};

/// The question under way, if there is one. It outlives the waits in which it is listened to: an answer that nobody
/// hears would hide its messages from all agents for a while.
#[derive(Default)]
pub(super) struct Fetching(Option<BoxFuture<'static, Fetched>>);

impl Fetching {
    async fn answer(&mut self) -> Fetched {
        let answer = match &mut self.0 {
            Some(question) => question.await,
            None => std::future::pending().await,
        };
        self.0 = None;
        answer
    }
}

impl Dispatcher {
    /// Waits so long, or until something happens, or until messages come.
    pub(super) async fn wait(&self, duration: Option<Duration>, fetching: &mut Fetching) {
        let room = self.state().room(Instant::now());
        if self.state().is_stopping() {
            fetching.0 = None;
        } else if fetching.0.is_none() && room > 0 {
            fetching.0 = Some(self.0.outbox.fetch(room));
        }
        let fetched = tokio::select! {
            () = self.pause(duration) => None,
            fetched = fetching.answer() => Some(fetched),
        };
        if let Some(fetched) = fetched {
            self.take(fetched).await;
        }
    }

    async fn take(&self, fetched: Fetched) {
        for claim in fetched.suspects {
            let outcome = self.0.policy.suspected(&claim, self.0.clock.now());
            let again = if let Outcome::Retry { at, .. } = &outcome { Some(*at) } else { None };
            worker::settle(&self.0, claim.id, outcome).await;
            if let Some(at) = again {
                let ends_at = claim.expires_at.map_or(claim.give_up_at, |at| at.min(claim.give_up_at));
                self.state().requeued(at, ends_at);
            }
        }
        if fetched.due > 0 {
            self.state().fetched(fetched.ends_at);
        }
    }
}
