//! From the queue into the rows here, and what is in hand stays hidden from the others.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::future::join_all;
use sms_config::foreign;
use tokio::sync::{OnceCell, watch};

use super::deleting::Deleting;
use super::held::{Extension, Held};
use super::queue::{BATCH, Nature, Queue, Received};
use super::unreadable::Unreadable;
use super::way::Way;
use super::wire;
use crate::clock::Clock;
use crate::message::MessageId;
use crate::outbox::Fetched;
use crate::outbox::letter::{Delivery, Taken};
use crate::outbox::sqlite::SqliteOutbox;

/// The least time between two looks at what is to be hidden on.
const SHORTEST_ROUND: Duration = Duration::from_millis(200);
/// A message that cannot be read comes again after a second, so that the queue's redrive policy takes it away soon.
const UNREADABLE: Duration = Duration::from_secs(1);
/// Where no policy does, it comes seldom, and is never deleted.
const UNREADABLE_FOR_EVER: Duration = Duration::from_secs(900);
const MANY_RECEIVES: u32 = 100;
/// Messages in hand, at most: where most have to be tried again, the others are left to other agents.
const MOST_IN_HAND: usize = 1000;
/// How long to leave rows alone that cannot be written, and a queue while too much of it is in hand.
const PAUSE: Duration = Duration::from_secs(1);

/// Takes from the queue.
pub(super) struct Taking {
    rows: Arc<SqliteOutbox>,
    queue: Arc<Queue>,
    clock: Arc<dyn Clock>,
    pub(super) held: Held,
    pub(super) deleting: Deleting,
    /// The way out of the queue.
    pub(super) way: Way,
    /// Keeping hidden what is in hand.
    hiding: Way,
    nature: OnceCell<Nature>,
    /// Whether a receive is under way.
    polling: watch::Sender<bool>,
    closing: AtomicBool,
    unreadable: Unreadable,
}

impl Taking {
    /// Nothing is taken before [`Taking::fetch`]. To be called inside a tokio runtime.
    pub(super) fn new(rows: Arc<SqliteOutbox>, queue: Arc<Queue>, clock: Arc<dyn Clock>) -> Arc<Self> {
        let deleting = Deleting::start(Arc::clone(&queue), rows.tasks());
        Arc::new(Self {
            rows,
            queue,
            held: Held::new(Arc::clone(&clock)),
            clock,
            deleting,
            way: Way::new("Taking from the SQS queue"),
            hiding: Way::new("Hiding messages in hand from the other agents on the SQS queue"),
            nature: OnceCell::new(),
            polling: watch::Sender::new(false),
            closing: AtomicBool::new(false),
            unreadable: Unreadable::default(),
        })
    }

    /// Waits for up to `most` messages, however long none comes. Whoever asked may go away: no call can be taken back
    /// from SQS, so what it brings is taken in hand in any case.
    pub(super) fn fetch(self: Arc<Self>, most: usize) -> impl Future<Output = Fetched> + Send + use<> {
        let tasks = self.rows.tasks().clone();
        let fetching = tokio::spawn(async move {
            self.polling.send_replace(true);
            let fetched = self.poll(most).await;
            self.polling.send_replace(false);
            fetched
        });
        async move {
            match fetching.await {
                Ok(Some(fetched)) => fetched,
                // The engine closes, or the agent stops by itself.
                ended => {
                    if ended.is_err_and(|ended| ended.is_panic()) {
                        tasks.fail("taking from the SQS queue");
                    }
                    std::future::pending().await
                }
            }
        }
    }

    async fn poll(&self, most: usize) -> Option<Fetched> {
        while !self.closing.load(Ordering::Relaxed) {
            self.way.passable().await;
            if self.held.count() >= MOST_IN_HAND {
                tokio::time::sleep(PAUSE).await;
                continue;
            }
            let received = match self.nature().await {
                // After trouble nothing is known to work before an answer comes, and it need not wait for messages.
                Ok(_) => self.queue.receive(most, self.way.trouble().is_none(), self.clock.wall()).await,
                Err(trouble) => Err(trouble),
            };
            match received {
                Ok(received) => {
                    self.way.worked();
                    let fetched = self.keep(received).await;
                    if fetched.is_some() {
                        return fetched;
                    }
                }
                Err(trouble) => self.way.failed(&trouble),
            }
        }
        None
    }

    /// Begins no call any more. False: it did not before, either.
    pub(super) fn close(&self) -> bool {
        !self.closing.swap(true, Ordering::Relaxed)
    }

    /// Returns once no receive is under way.
    pub(super) async fn polled(&self) {
        let mut polling = self.polling.subscribe();
        // It only fails without a sender, which is here.
        drop(polling.wait_for(|polling| !polling).await);
    }

    async fn nature(&self) -> Result<Nature, super::queue::Trouble> {
        let ask = async {
            let nature = self.queue.nature().await?;
            if !nature.redrives {
                tracing::warn!("the queue has no redrive policy: a message that nobody can settle stays in it");
            }
            Ok(nature)
        };
        self.nature.get_or_try_init(|| ask).await.copied()
    }

    /// `None`: nothing of it is due here.
    async fn keep(&self, received: Vec<Received>) -> Option<Fetched> {
        let (now, visibility) = (self.clock.now(), self.nature.get()?.visibility);
        let until = now.plus(visibility);
        let (mut deliveries, mut readable) = (Vec::new(), Vec::new());
        for one in received {
            match wire::read(&one.text, one.trace.as_deref(), one.waited, now) {
                Some(letter) => {
                    deliveries.push(Delivery { letter, receives: one.receives });
                    readable.push(one);
                }
                None => self.leave(one).await,
            }
        }
        if deliveries.is_empty() {
            return None;
        }
        let ids: Vec<_> = deliveries.iter().map(|delivery| delivery.letter.id).collect();
        let Ok(taken) = self.rows.take(deliveries, now).await else {
            // They come again once they are seen again; the rows have said why.
            tokio::time::sleep(PAUSE).await;
            return None;
        };
        let mut fetched = Fetched { due: 0, ends_at: None, suspects: Vec::new() };
        for ((id, one), taken) in ids.into_iter().zip(readable).zip(taken) {
            match taken {
                Taken::Over => self.deleting.push(one.receipt),
                Taken::InHand => {
                    let copy = self.held.received_again(id, one, until);
                    copy.into_iter().for_each(|receipt| self.deleting.push(receipt));
                }
                Taken::Due(ends_at) => {
                    fetched.due += 1;
                    fetched.ends_at = Some(fetched.ends_at.map_or(ends_at, |other| other.min(ends_at)));
                    self.held.hold(id, one, until);
                }
                Taken::Suspect(claim) => {
                    fetched.suspects.push(*claim);
                    self.held.hold(id, one, until);
                }
            }
        }
        (fetched.due > 0 || !fetched.suspects.is_empty()).then_some(fetched)
    }

    /// Leaves what cannot be read to the queue's redrive policy.
    async fn leave(&self, one: Received) {
        if let Some(so_far) = self.unreadable.met(&one.name) {
            tracing::error!(
                name = foreign::identifier(&one.name).unwrap_or("not shown"),
                receives = one.receives,
                so_far,
                "a message of the queue cannot be read: it is left to the queue's redrive policy, for its dead-letter queue"
            );
        }
        let time = if one.receives < MANY_RECEIVES { UNREADABLE } else { UNREADABLE_FOR_EVER };
        // If that fails it comes again a little later.
        drop(self.queue.hide(&[(one.receipt, seconds(time))]).await);
    }

    /// What is wrong with what was taken, while something is.
    pub(super) fn trouble(&self) -> Option<String> {
        self.way.trouble().or_else(|| self.hiding.trouble()).or_else(|| self.deleting.trouble())
    }

    /// Keeps what is in hand hidden, for as long as it is polled.
    pub(super) async fn keep_hidden(self: Arc<Self>) {
        loop {
            let visibility = self.nature.get().map_or(SHORTEST_ROUND, |nature| nature.visibility);
            let round = (visibility / 4).max(SHORTEST_ROUND);
            if self.hiding.trouble().is_some() {
                // Sooner than otherwise, and never later: what is not hidden on is in two hands.
                drop(tokio::time::timeout(round, self.hiding.passable()).await);
            } else {
                tokio::time::sleep(round).await;
            }
            let extensions = self.held.to_extend(visibility);
            if extensions.is_empty() {
                self.hiding.forget();
            }
            join_all(extensions.chunks(BATCH).map(|batch| self.hide(batch))).await;
        }
    }

    async fn hide(&self, extensions: &[Extension]) {
        let began = self.clock.now();
        let batch: Vec<_> = extensions.iter().map(|one| (one.receipt.clone(), seconds(one.time))).collect();
        match self.queue.hide(&batch).await {
            Ok(done) => {
                self.hiding.worked();
                for (one, done) in extensions.iter().zip(done) {
                    if done { self.held.extended(one.id, began.plus(one.time)) } else { self.held.lost(one.id) }
                }
            }
            Err(trouble) => self.hiding.failed(&trouble),
        }
    }

    /// Lets those go that the others may have taken meanwhile, unless their publish is under way.
    pub(super) async fn drop_lapsed(&self) {
        let lapsed = self.held.lapsed();
        if !lapsed.is_empty()
            && let Ok(gone) = self.rows.let_go(lapsed).await
        {
            gone.into_iter().for_each(|id| drop(self.held.release(id)));
        }
    }

    /// That message is settled.
    pub(super) fn settled(&self, id: MessageId) {
        self.held.release(id).into_iter().for_each(|receipt| self.deleting.push(receipt));
    }
}

/// Rounded up.
fn seconds(time: Duration) -> i32 {
    i32::try_from(time.as_millis().div_ceil(1000)).unwrap_or(i32::MAX)
}
