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
        // What other agents put back while this one stops may come to it; once is enough to wait for that.
        let mut waits = self.taking.close();
        let sends = self.forwarding.emptied().await;
        // Again for what our own last receive gets of that, and for what was just being published.
        for _ in 0..ROUNDS {
            let in_hand = self.taking.held.ids();
            let gave = if sends { self.send_anew(in_hand).await } else { self.show(in_hand).await };
            if std::mem::take(&mut waits) || gave {
                drop(tokio::time::timeout(LAST_RECEIVE, self.taking.polled()).await);
            }
            if self.taking.held.ids().is_empty() {
                break;
            }
            tokio::time::sleep(PAUSE).await;
        }
        self.taking.deleting.done().await;
    }

    /// False: none of these only waits here.
    async fn send_anew(&self, ids: Vec<MessageId>) -> bool {
        let back = self.rows.give_back(ids).await.unwrap_or_default();
        if back.is_empty() {
            return false;
        }
        // Out of hand before they are sent: what our own last receive gets of that is another message of the queue, and
        // must not be deleted in the place of this one.
        let receipts = self.out_of_hand(&back);
        if self.forwarding.emptied().await {
            receipts.into_iter().for_each(|receipt| self.taking.deleting.push(receipt));
        } else {
            drop(self.rows.let_go(back).await);
            self.reveal(receipts).await;
        }
        true
    }

    /// False: none of these only waits here.
    async fn show(&self, ids: Vec<MessageId>) -> bool {
        let left = self.rows.let_go(ids).await.unwrap_or_default();
        self.reveal(self.out_of_hand(&left)).await;
        !left.is_empty()
    }

    fn out_of_hand(&self, ids: &[MessageId]) -> Vec<String> {
        ids.iter().filter_map(|id| self.taking.held.release(*id)).collect()
    }

    /// What that does not reach is seen again after its visibility time.
    async fn reveal(&self, receipts: Vec<String>) {
        let receipts: Vec<_> = receipts.into_iter().map(|receipt| (receipt, 0)).collect();
        join_all(receipts.chunks(BATCH).map(|batch| self.queue.hide(batch))).await;
    }
}
