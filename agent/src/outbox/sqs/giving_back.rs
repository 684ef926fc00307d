//! What is in hand and not being published goes back to the queue when the agent stops.
//!
//! It is sent anew, with what is known of it: another agent could not know that a message which was taken before was not
//! published. Where sending does not work, the message that was taken is shown to the others as it is, which is better
//! than to hide it until its visibility time is over.

use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;

use super::forwarding::Forwarding;
use super::queue::{BATCH, Queue};
use super::taking::Taking;
use crate::message::MessageId;
use crate::outbox::sqlite::SqliteOutbox;

/// How long a stop waits for the receive that is still under way. It may well get what this agent, or another one that stops
/// at the same moment, puts back into the queue, and LocalStack brings that a second later.
const LAST_RECEIVE: Duration = Duration::from_secs(2);
/// How often it looks into its hands, and how long it leaves between two looks.
const ROUNDS: u32 = 4;
const PAUSE: Duration = Duration::from_millis(100);

/// The way back.
#[derive(Clone)]
pub(super) struct GivingBack {
    pub(super) rows: Arc<SqliteOutbox>,
    pub(super) queue: Arc<Queue>,
    pub(super) forwarding: Arc<Forwarding>,
    pub(super) taking: Arc<Taking>,
}

impl GivingBack {
    /// Gives back all that only waits here, and sees what is settled out of the queue. Nothing is taken any more.
    pub(super) async fn all(self) {
        self.taking.close();
        let sends = self.forwarding.emptied().await;
        // Again for what our own last receive gets of that, and for what was just being published.
        for _ in 0..ROUNDS {
            let in_hand = self.taking.held.ids();
            if sends {
                self.send_anew(in_hand).await;
            } else {
                self.show(in_hand).await;
            }
            drop(tokio::time::timeout(LAST_RECEIVE, self.taking.polled()).await);
            if self.taking.held.ids().is_empty() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.taking.deleting.done().await;
    }

    async fn send_anew(&self, ids: Vec<MessageId>) {
        let back = self.rows.give_back(ids).await.unwrap_or_default();
        if back.is_empty() {
            return;
        }
        if !self.forwarding.emptied().await {
            return self.show(back).await;
        }
        let receipts = back.into_iter().filter_map(|id| self.taking.held.release(id));
        receipts.for_each(|receipt| self.taking.deleting.push(receipt));
    }

    async fn show(&self, ids: Vec<MessageId>) {
        let left = self.rows.let_go(ids).await.unwrap_or_default();
        let receipts: Vec<_> = left.into_iter().filter_map(|id| Some((self.taking.held.release(id)?, 0))).collect();
        // What that does not reach is seen again after its visibility time.
        join_all(receipts.chunks(BATCH).map(|batch| self.queue.hide(batch))).await;
    }
}
