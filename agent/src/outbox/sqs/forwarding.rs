//! From the rows here into the queue.
//!
//! In flow messages that were accepted here; out flow batches to SQS. The rule: a row is marked before its send begins
//! and leaves this agent's care only once SQS has said that it took it; whatever the send meets, the row is sent again.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::Instant;

use super::queue::{BATCH, Queue, Trouble};
use super::way::Way;
use super::wire;
use crate::clock::Clock;
use crate::message::MessageId;
use crate::outbox::letter::Letter;
use crate::outbox::sqlite::SqliteOutbox;

/// Calls at a time.
const LANES: u32 = 8;
/// How long a message rests that SQS refused while it took others.
const REST: Duration = Duration::from_secs(5);
/// How long to leave rows alone that cannot be read.
const PAUSE: Duration = Duration::from_secs(1);
/// The most messages that rest at a time: with more, it is not the messages that are to blame.
const MOST_RESTING: usize = 500;

/// Sends what the rows hold.
pub(super) struct Forwarding {
    rows: Arc<SqliteOutbox>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    /// The way into the queue.
    pub(super) way: Way,
    more: Notify,
    /// Those under way, and those that rest until then.
    busy: Mutex<HashMap<MessageId, Option<Instant>>>,
    /// Who waits until it was tried to send their message.
    waiting: Mutex<HashMap<MessageId, oneshot::Sender<()>>>,
    /// Told when nothing more is to be sent, and when sending does not work.
    empty: Notify,
}

impl Forwarding {
    pub(super) fn new(rows: Arc<SqliteOutbox>, queue: Arc<Queue>, clock: Arc<dyn Clock>) -> Arc<Self> {
        Arc::new(Self {
            rows,
            queue,
            clock,
            way: Way::new("Sending to the SQS queue"),
            more: Notify::new(),
            busy: Mutex::default(),
            waiting: Mutex::default(),
            empty: Notify::new(),
        })
    }

    /// Ends once it was tried to send that message, if the way is open. To be called before the message is there.
    pub(super) fn tried(&self, id: MessageId) -> oneshot::Receiver<()> {
        let (tell, told) = oneshot::channel();
        if self.way.trouble().is_none() {
            lock(&self.waiting).insert(id, tell);
        }
        told
    }

    /// Nobody waits for these.
    pub(super) fn forget(&self, ids: &[MessageId]) {
        let mut waiting = lock(&self.waiting);
        ids.iter().for_each(|id| drop(waiting.remove(id)));
    }

    /// There is more to be sent.
    pub(super) fn wake(&self) {
        self.more.notify_one();
    }

    /// Returns once nothing more is to be sent, as far as can be seen; false: sending does not work.
    pub(super) async fn emptied(&self) -> bool {
        let empty = self.empty.notified();
        if self.way.trouble().is_none() {
            self.wake();
            empty.await;
        }
        self.way.trouble().is_none()
    }

    /// Sends for as long as it is polled.
    pub(super) async fn run(self: Arc<Self>) {
        let lanes = Arc::new(Semaphore::new(LANES as usize));
        loop {
            // While the way is down, one call at a time asks for all.
            let taken = if self.way.trouble().is_some() { LANES } else { 1 };
            let Ok(lane) = Arc::clone(&lanes).acquire_many_owned(taken).await else { return };
            self.way.passable().await;
            match self.rows.pick(self.busy(), BATCH).await {
                Ok(letters) if letters.is_empty() => {
                    drop(lane);
                    self.pause(&lanes).await;
                }
                Ok(letters) => {
                    lock(&self.busy).extend(letters.iter().map(|letter| (letter.id, None)));
                    self.rows.tasks().spawn("sending to the SQS queue", Arc::clone(&self).send(letters, lane));
                }
                // The rows have said why.
                Err(_) => tokio::time::sleep(PAUSE).await,
            }
        }
    }

    /// Waits for more, or for the first that has rested.
    async fn pause(&self, lanes: &Semaphore) {
        if lanes.available_permits() == LANES as usize && lock(&self.busy).is_empty() {
            // What could not be sent was taken back or has expired.
            self.way.forget();
            self.empty.notify_waiters();
        }
        let rested = lock(&self.busy).values().filter_map(|until| *until).min();
        let resting = async {
            match rested {
                Some(until) => tokio::time::sleep_until(until).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = resting => {}
            () = self.more.notified() => {}
        }
    }

    /// Those that are not to be picked now.
    fn busy(&self) -> HashSet<MessageId> {
        let now = Instant::now();
        let mut busy = lock(&self.busy);
        busy.retain(|_, until| until.is_none_or(|until| until > now));
        busy.keys().copied().collect()
    }

    async fn send(self: Arc<Self>, letters: Vec<Letter>, lane: OwnedSemaphorePermit) {
        let now = self.clock.now();
        let texts: Vec<_> = letters.iter().map(|letter| (wire::write(letter, now), letter.trace.clone())).collect();
        let ids: Vec<_> = letters.iter().map(|letter| letter.id).collect();
        match self.queue.send(&texts).await {
            Ok(verdicts) => self.sent(&ids, verdicts).await,
            Err(trouble) => {
                self.way.failed(&trouble);
                if trouble.certain {
                    // Should it not be written down, the message is only more careful than it need be.
                    drop(self.rows.not_forwarded(ids.clone()).await);
                }
                // Nobody is to wait for what may take long; their messages are on the disk.
                lock(&self.waiting).clear();
                let mut busy = lock(&self.busy);
                busy.retain(|id, _| !ids.contains(id));
            }
        }
        self.forget(&ids);
        if self.way.trouble().is_some() {
            self.empty.notify_waiters();
        }
        drop(lane);
        // Whoever pauses looks again: what was busy may have to be sent anew.
        self.wake();
    }

    async fn sent(&self, ids: &[MessageId], verdicts: Vec<(usize, Result<(), String>)>) {
        let (mut taken, mut refused) = (Vec::new(), Vec::new());
        for (place, verdict) in verdicts {
            let Some(id) = ids.get(place) else { continue };
            match verdict {
                Ok(()) => taken.push(*id),
                Err(code) => {
                    tracing::warn!(%id, code, "the queue refused a message and took others; it is sent again");
                    refused.push(*id);
                }
            }
        }
        if taken.is_empty() {
            self.way.failed(&Trouble::refused("it refuses every message"));
        } else {
            self.way.worked();
        }
        let marked = self.rows.forwarded(taken.clone()).await.is_ok();
        if !refused.is_empty() {
            drop(self.rows.not_forwarded(refused.clone()).await);
        }
        let until = Instant::now() + REST;
        let mut busy = lock(&self.busy);
        for id in ids {
            let rests = refused.contains(id) || !marked;
            if rests && busy.len() < MOST_RESTING {
                busy.insert(*id, Some(until));
            } else {
                busy.remove(id);
            }
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
