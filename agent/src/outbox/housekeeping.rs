//! Forgets what is past its days, in steps so small that nobody waits for one.

use std::sync::Arc;
use std::time::Duration;

use super::Outbox;
use crate::clock::Clock;

/// How often it is looked for what is past its days: an idle process sleeps in between.
const ROUND: Duration = Duration::from_secs(3600);
/// How long the outbox belongs to others between two steps.
const PAUSE: Duration = Duration::from_millis(50);

/// Keeps the history and the idempotency keys to their days, for as long as it is polled.
pub async fn keep(outbox: Arc<dyn Outbox>, clock: Arc<dyn Clock>) {
    loop {
        let mut next = None;
        // What cannot be forgotten now is left to the next round; the outbox has said why.
        while let Ok(Some(after)) = outbox.forget(clock.now(), next).await {
            next = Some(after);
            tokio::time::sleep(PAUSE).await;
        }
        tokio::time::sleep(ROUND).await;
    }
}
