//! How claims go about the horizon: within it at once, beyond it with an fsync of their own, which moves it on. What is
//! known here of it decides only which of the two is tried.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering::Relaxed};

use rusqlite::ffi;

use super::committer::Committer;
use super::horizon::{self, AHEAD, Horizon};
use super::log::Log;
use super::log_repair;
use super::queue::{self, Reach};
use crate::message::{Problem, Timestamp};
use crate::outbox::{Claims, Demand, Rest};
use crate::tasks::Tasks;

/// When the horizon is moved on: with so many left, while a backlog drains at some thousands a second, the disk has time.
const TOO_NEAR: u64 = AHEAD as u64 / 2;

/// Claims messages of the queue.
pub(super) struct Ahead {
    committer: Committer,
    /// The write-ahead log, and whether it can be relied on.
    path: PathBuf,
    log: Arc<Log>,
    /// Messages that wait within the horizon.
    left: AtomicU64,
    /// It is being moved.
    moving: AtomicBool,
    tasks: Tasks,
}

impl Ahead {
    pub(super) fn new(committer: Committer, outbox: &Path, log: Arc<Log>, tasks: Tasks) -> Self {
        let (left, moving) = (AtomicU64::new(0), AtomicBool::new(false));
        Self { committer, path: log_repair::log_of(outbox), log, left, moving, tasks }
    }

    pub(super) async fn claim(self: Arc<Self>, now: Timestamp, demand: Demand) -> Result<Claims, Problem> {
        if self.left.load(Relaxed) > 0 && !demand.to_probe {
            let (claims, left) = self.reaching(Reach::Horizon, now, demand).await?;
            if left < TOO_NEAR && claims.rest == Rest::More {
                Self::move_on(&self, now);
            }
            // What comes before all that the disk knows of is not passed by.
            if !claims.claims.is_empty() || claims.rest != Rest::More {
                return Ok(claims);
            }
        }
        self.reaching(Reach::All, now, demand).await.map(|(claims, _)| claims)
    }

    /// Takes the horizon back, on the disk.
    pub(super) async fn withdraw(self: Arc<Self>) -> Result<(), Problem> {
        self.left.store(0, Relaxed);
        self.committer.run(true, horizon::withdraw).await
    }

    async fn reaching(&self, reach: Reach, now: Timestamp, demand: Demand) -> Result<(Claims, u64), Problem> {
        // After a power cut a claim that the disk never had would be published again, unmarked.
        let is_durable = reach == Reach::All;
        let claiming =
            self.committer.run(is_durable, move |transaction| queue::claim(transaction, now, demand, reach)).await;
        claiming.inspect(|(_, left)| self.left.store(*left, Relaxed))
    }

    /// Moves the horizon on beside whoever claims meanwhile. Where that fails, claims wait for the disk as without one.
    fn move_on(this: &Arc<Self>, now: Timestamp) {
        if this.moving.swap(true, Relaxed) {
            return;
        }
        let moving = this.committer.run(false, move |transaction| horizon::moved(transaction, now));
        let this = Arc::clone(this);
        this.tasks.clone().spawn("the horizon of claims", async move {
            if let Some(left) = this.reach(moving).await {
                this.left.store(left, Relaxed);
            }
            this.moving.store(false, Relaxed);
        });
    }

    /// The horizon that was written down counts once the disk has it: if the log could be relied on all the while.
    async fn reach(&self, moving: impl Future<Output = Result<Horizon, Problem>>) -> Option<u64> {
        let sound = self.log.sound()?;
        let (moved, path) = (moving.await.ok()?, self.path.clone());
        let synced = tokio::task::spawn_blocking(move || horizon::sync(&path)).await.ok()?;
        if synced.is_err() {
            let failure = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_IOERR_FSYNC), None);
            self.committer.lend(move |writer| writer.doubt(&failure)).await;
            return None;
        }
        let log = Arc::clone(&self.log);
        let reaching = self.committer.run(false, move |transaction| {
            // Behind the writer's own syncs: it knows by now if one of them has failed.
            if log.sound() == Some(sound) {
                transaction.horizon.set(transaction.horizon.get().reached(moved));
            }
            Ok(transaction.horizon.get().left())
        });
        reaching.await.ok()
    }
}
