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

/// How long a stop waits for the receive that is still under way, after it put messages into the queue: it may well get them,
/// and LocalStack brings them a second later.
const LAST_RECEIVE: Duration = Duration::from_secs(2);

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
        // Once more for what our own last receive gets of that.
        for _ in 0..2 {
            let in_hand = self.taking.held.ids();
            let gave = if sends { self.send_anew(in_hand).await } else { self.show(in_hand).await };
            if !gave {
                break;
            }
            drop(tokio::time::timeout(LAST_RECEIVE, self.taking.polled()).await);
        }
        self.taking.deleting.done().await;
    }

    /// False: none of these only waits here.
    async fn send_anew(&self, ids: Vec<MessageId>) -> bool {
        let back = self.rows.give_back(ids).await.unwrap_or_default();
        if back.is_empty() {
            return false;
        }
        if !self.forwarding.emptied().await {
            return self.show(back).await;
        }
        let receipts = back.into_iter().filter_map(|id| self.taking.held.release(id));
        receipts.for_each(|receipt| self.taking.deleting.push(receipt));
        true
    }

    /// False: none of these only waits here.
    async fn show(&self, ids: Vec<MessageId>) -> bool {
        let left = self.rows.let_go(ids).await.unwrap_or_default();
        let receipts: Vec<_> = left.into_iter().filter_map(|id| Some((self.taking.held.release(id)?, 0))).collect();
        // What that does not reach is seen again after its visibility time.
        join_all(receipts.chunks(BATCH).map(|batch| self.queue.hide(batch))).await;
        !receipts.is_empty()
    }
}
