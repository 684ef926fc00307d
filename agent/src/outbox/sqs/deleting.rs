//! What is settled leaves the queue: deleted by tens, a few times if it must be.
//!
//! A deletion that never works is no loss: the message comes again, and is deleted then. Where SQS cannot be reached it is
//! repeated until then, so that what was only an outage is over with it.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, watch};
use tokio::time::Instant;

use super::queue::{BATCH, Queue, Trouble};
use super::way::Way;
use crate::tasks::Tasks;

/// Calls at a time.
const LANES: usize = 4;
/// How often a call is made before it counts as trouble, and is left to come again if SQS was reached.
const TRIES: u32 = 3;
/// After the visibility time as `sms-provision` sets it, the queue brings the message again.
const LONGEST: Duration = Duration::from_secs(60);
const PAUSE: Duration = Duration::from_millis(200);

/// Deletes messages by their receipts. Clones are one.
#[derive(Clone)]
pub(super) struct Deleting(Arc<Shared>);

struct Shared {
    queue: Arc<Queue>,
    way: Way,
    receipts: Mutex<Vec<String>>,
    more: Notify,
    /// How many are not deleted yet.
    open: watch::Sender<usize>,
}

impl Deleting {
    /// Begins at once, in the runtime in which it is called.
    pub(super) fn start(queue: Arc<Queue>, tasks: &Tasks) -> Self {
        let deleting = Self(Arc::new(Shared {
            queue,
            way: Way::new("Deleting from the SQS queue"),
            receipts: Mutex::default(),
            more: Notify::new(),
            open: watch::Sender::new(0),
        }));
        for _ in 0..LANES {
            tasks.spawn("deleting from the SQS queue", deleting.clone().run());
        }
        deleting
    }

    /// Deletes this one soon.
    pub(super) fn push(&self, receipt: String) {
        self.0.open.send_modify(|open| *open += 1);
        self.0.receipts.lock().unwrap_or_else(PoisonError::into_inner).push(receipt);
        self.0.more.notify_one();
    }

    /// What is wrong, while something is. What is not deleted is published again by others, and ends as a dead letter.
    pub(super) fn trouble(&self) -> Option<String> {
        self.0.way.trouble()
    }

    /// Returns once all that was pushed is done with.
    pub(super) async fn done(&self) {
        let mut open = self.0.open.subscribe();
        // It only fails without a sender, which is here.
        drop(open.wait_for(|open| *open == 0).await);
    }

    async fn run(self) {
        loop {
            let (batch, more) = {
                let mut receipts = self.0.receipts.lock().unwrap_or_else(PoisonError::into_inner);
                let kept = receipts.len().saturating_sub(BATCH);
                (receipts.split_off(kept), kept > 0)
            };
            if more {
                self.0.more.notify_one();
            }
            if batch.is_empty() {
                self.0.more.notified().await;
                continue;
            }
            self.delete(&batch).await;
            self.0.open.send_modify(|open| *open = open.saturating_sub(batch.len()));
        }
    }

    async fn delete(&self, batch: &[String]) {
        let (mut left, begun) = (batch.to_vec(), Instant::now());
        for attempt in 1.. {
            let trouble = match self.0.queue.delete(&left).await {
                Ok(done) => {
                    left = left.into_iter().zip(done).filter(|(_, done)| !done).map(|(one, _)| one).collect();
                    Trouble::refused("SQS did not take all of it")
                }
                Err(trouble) => trouble,
            };
            if left.is_empty() {
                return self.0.way.worked();
            }
            if attempt < TRIES {
                tokio::time::sleep(PAUSE * attempt).await;
                continue;
            }
            self.0.way.failed(&trouble);
            if trouble.reached || begun.elapsed() >= LONGEST {
                return;
            }
            self.0.way.passable().await;
        }
    }
}
