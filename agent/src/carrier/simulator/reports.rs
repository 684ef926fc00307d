//! What becomes of the simulated messages, told when it is time.
//!
//! Out flow reports that are due, each until it is acknowledged; the file keeps them over a restart. Between two of
//! its answers a report is in one pair of hands only.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;

use super::numbers;
use super::store::{Pending, Store};
use crate::carrier::{Delivery, Report};
use crate::clock::Clock;
use crate::message::{MessageId, Timestamp};

/// Reports that fall due within this are told together.
const GATHER: Duration = Duration::from_millis(20);
/// How long a returned report, or a file that cannot be read, is left alone.
const AGAIN: Duration = Duration::from_secs(1);

pub(super) struct Reports {
    store: Arc<Mutex<Store>>,
    clock: Arc<dyn Clock>,
    hands: Mutex<Hands>,
    earlier: Notify,
}

#[derive(Default)]
struct Hands {
    /// What was given out, by its place in the file; with a time, it was given back until then.
    given: HashMap<i64, (MessageId, Option<Timestamp>)>,
    /// When whoever waits will look again by itself; `None`: only when told to.
    looks_at: Option<Timestamp>,
}

impl Reports {
    pub(super) fn new(store: Arc<Mutex<Store>>, clock: Arc<dyn Clock>) -> Self {
        Self { store, clock, hands: Mutex::default(), earlier: Notify::new() }
    }

    /// A report was written that is due at `due_at`: wakes whoever would look too late.
    pub(super) fn written(&self, due_at: Timestamp) {
        if self.hands().looks_at.is_none_or(|at| due_at < at) {
            self.earlier.notify_one();
        }
    }

    pub(super) async fn due(&self, limit: usize) -> Vec<Report> {
        loop {
            // Whatever is written from here on is told, until it is known when to look again.
            self.hands().looks_at = None;
            let now = self.clock.now();
            let wait = match self.take(now, limit) {
                Ok(reports) if !reports.is_empty() => return reports,
                Ok(_) => self.next(now),
                Err(error) => {
                    tracing::warn!(%error, "cannot read the simulator's file; trying again");
                    Some(AGAIN)
                }
            };
            let wait = wait.map(|wait| wait.max(GATHER));
            self.hands().looks_at = wait.map(|wait| now.plus(wait));
            match wait {
                None => self.earlier.notified().await,
                Some(wait) => drop(tokio::time::timeout(wait, self.earlier.notified()).await),
            }
        }
    }

    fn take(&self, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<Report>> {
        let mut hands = self.hands();
        let given = |seq: &i64| hands.given.get(seq).is_some_and(|(_, again)| again.is_none_or(|at| at > now));
        let mut due = self.store().due(now, limit.saturating_add(hands.given.len()))?;
        due.retain(|pending| !given(&pending.seq));
        due.truncate(limit);
        for pending in &due {
            hands.given.insert(pending.seq, (pending.id, None));
        }
        Ok(due.into_iter().map(report).collect())
    }

    fn next(&self, now: Timestamp) -> Option<Duration> {
        let returned = self.hands().given.values().filter_map(|(_, again)| *again).min();
        let written = self.store().next_due(now).ok().flatten();
        [returned, written].into_iter().flatten().min().map(|at| at.since(now))
    }

    pub(super) fn acknowledge(&self, ids: &[MessageId]) {
        let mut hands = self.hands();
        let done: Vec<i64> = seqs(&hands, ids);
        // Where it fails, they stay given out and are told again after the next start.
        if let Err(error) = self.store().forget(&done) {
            tracing::warn!(%error, "cannot write the simulator's file; delivery reports will be repeated");
            return;
        }
        for seq in done {
            hands.given.remove(&seq);
        }
    }

    pub(super) fn retry_later(&self, ids: &[MessageId]) {
        let mut hands = self.hands();
        let at = self.clock.now().plus(AGAIN);
        for seq in seqs(&hands, ids) {
            if let Some((_, again)) = hands.given.get_mut(&seq) {
                *again = Some(at);
            }
        }
        drop(hands);
        self.written(at);
    }

    fn hands(&self) -> MutexGuard<'_, Hands> {
        self.hands.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn store(&self) -> MutexGuard<'_, Store> {
        self.store.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn seqs(hands: &Hands, ids: &[MessageId]) -> Vec<i64> {
    hands.given.iter().filter(|(_, (id, _))| ids.contains(id)).map(|(seq, _)| *seq).collect()
}

fn report(pending: Pending) -> Report {
    let delivery =
        if pending.delivered { Delivery::Delivered } else { Delivery::Undeliverable(numbers::undeliverable()) };
    Report { id: pending.id, delivery }
}
