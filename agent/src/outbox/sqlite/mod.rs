//! The embedded engine: one SQLite file in write-ahead mode.
//!
//! In flow the calls of [`Outbox`]; each becomes a job in a transaction that it may share with others (`committer`).
//! Reads go over a connection of their own and see what was committed. The rule it keeps: an answer is given after
//! the commit that it speaks of, and one that promises the disk after its fsync.

mod ahead;
mod backup;
mod committer;
mod damage;
mod elsewhere;
mod ending;
mod entry;
mod file;
mod history;
mod horizon;
mod inspection;
mod job;
mod key_check;
mod log;
mod log_index;
mod log_repair;
mod not_committed;
mod opening;
mod options;
mod owner;
mod presence;
mod queue;
mod readiness;
mod row;
mod run;
mod run_note;
mod schema;
mod timeline;
mod transaction;
mod trouble;
mod untaken;
mod writer;

use std::sync::{Arc, Mutex, PoisonError};

use futures_util::future::BoxFuture;
use rusqlite::Connection;

use self::ahead::Ahead;
pub use self::backup::{BackedUp, BackupError, backup};
use self::committer::Committer;
use self::damage::Damage;
pub use self::file::OpenError;
pub use self::inspection::{Inspected, inspect};
pub use self::options::Options;
pub use self::owner::{Account, Owner, OwnerError};
use self::presence::Presence;
use self::readiness::Readiness;
use self::transaction::Transaction;
use self::trouble::Trouble;
use self::untaken::Untaken;
use super::{
    Acceptance, Accepted, Canceled, Claim, Claims, Cursor, Demand, Filter, Idempotency, Outbox, Outcome, Page, Swept,
};
use crate::clock::Clock;
use crate::message::{Message, MessageId, Problem, Timestamp};
use crate::tasks::Tasks;

/// The outbox in one file.
pub struct SqliteOutbox {
    committer: Committer,
    reader: Arc<Mutex<Connection>>,
    /// For what reads many rows: off the runtime's threads, one reader at a time.
    history: Arc<tokio::sync::Mutex<Connection>>,
    trouble: Arc<Trouble>,
    damage: Damage,
    untaken: Untaken,
    readiness: Arc<Readiness>,
    ahead: Arc<Ahead>,
    options: Options,
    clock: Arc<dyn Clock>,
    presence: Arc<Presence>,
    tasks: Tasks,
    /// Held for the life of the process: one agent a folder. They are closed last.
    _locks: [std::fs::File; 2],
}

impl SqliteOutbox {
    /// Whether idempotency keys are remembered for which a repetition may still come at `now`.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    pub async fn remembers_keys(&self, now: Timestamp) -> Result<bool, Problem> {
        let ttl = self.options.idempotency_ttl;
        self.read(|connection| entry::remembers(connection, now, ttl)).await
    }

    /// The tasks of the agent that has it.
    pub(super) fn tasks(&self) -> &Tasks {
        &self.tasks
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> BoxFuture<'static, Result<T, Problem>> {
        let answer = work(&self.reader.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(std::future::ready(self.trouble.of(answer)))
    }
}

impl Outbox for SqliteOutbox {
    fn accept(&self, acceptance: Acceptance) -> BoxFuture<'static, Result<Accepted, Problem>> {
        if let Err(gone) = self.presence.check() {
            return Box::pin(std::future::ready(Err(gone)));
        }
        let options = self.options;
        let (rows, durable) = (acceptance.entries.len(), acceptance.durable);
        let acceptance = Arc::new(acceptance);
        let (accepted, untaken, presence) = (Arc::clone(&acceptance), self.untaken.clone(), Arc::clone(&self.presence));
        let accepting = self.committer.run_many(rows, durable, move |transaction| {
            // It was looked at directly before this transaction, if that is a durable one.
            presence.check().map_err(|_| presence::moved())?;
            entry::accept(transaction, &acceptance, options)
        });
        Box::pin(async move {
            let answer = accepting.await;
            untaken.hear(Arc::clone(&accepted), &answer);
            answer.map_err(|problem| not_committed::named(problem, &accepted))
        })
    }

    fn replay(&self, key: Idempotency, now: Timestamp) -> BoxFuture<'static, Result<Option<Accepted>, Problem>> {
        let ttl = self.options.idempotency_ttl;
        self.read(|connection| entry::replay(connection, key, now, ttl))
    }

    fn claim(&self, now: Timestamp, demand: Demand) -> BoxFuture<'static, Result<Claims, Problem>> {
        Box::pin(Arc::clone(&self.ahead).claim(now, demand))
    }

    fn claim_among(
        &self,
        ids: Vec<MessageId>,
        now: Timestamp,
        demand: Demand,
    ) -> BoxFuture<'static, Result<Claims, Problem>> {
        let claim = move |transaction: &Transaction<'_>| queue::claim_among(transaction, &ids, now, demand);
        Box::pin(self.committer.run(true, claim))
    }

    fn sweep(&self, now: Timestamp) -> BoxFuture<'static, Result<Swept, Problem>> {
        let keep_text = self.options.keep_text;
        Box::pin(self.committer.run(false, move |transaction| ending::sweep(transaction, now, keep_text)))
    }

    fn settle(
        &self,
        id: MessageId,
        outcome: Outcome,
        now: Timestamp,
        durable: bool,
    ) -> BoxFuture<'static, Result<Option<Message>, Problem>> {
        let keep_text = self.options.keep_text;
        Box::pin(
            self.committer.run(durable, move |transaction| ending::settle(transaction, id, &outcome, now, keep_text)),
        )
    }

    fn cancel(&self, id: MessageId, now: Timestamp) -> BoxFuture<'static, Result<Option<Canceled>, Problem>> {
        let keep_text = self.options.keep_text;
        Box::pin(self.committer.run(true, move |transaction| ending::cancel(transaction, id, now, keep_text)))
    }

    fn page(&self, filter: Filter, before: Option<Cursor>, limit: usize) -> BoxFuture<'static, Result<Page, Problem>> {
        let (history, trouble, shift) = (Arc::clone(&self.history), Arc::clone(&self.trouble), self.shift());
        Box::pin(async move {
            let history = history.lock_owned().await;
            let read = tokio::task::spawn_blocking(move || history::page(&history, &filter, before, limit, shift));
            read.await
                .map_or_else(|_| Err(file::unavailable("the reader of the history ended")), |page| trouble.of(page))
        })
    }

    fn forget(&self, now: Timestamp, after: Option<Cursor>) -> BoxFuture<'static, Result<Option<Cursor>, Problem>> {
        let Options { keep, idempotency_ttl, .. } = self.options;
        // Durable, not for its promise but for its place: off the runtime's threads, since it is some milliseconds' work.
        Box::pin(
            self.committer
                .run(true, move |transaction| history::forget(transaction, now, after, keep, idempotency_ttl)),
        )
    }

    fn sync(&self) -> BoxFuture<'static, Result<(), Problem>> {
        Box::pin(self.committer.run(true, |_| Ok(())))
    }

    fn message(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Message>, Problem>> {
        let shift = self.shift();
        self.read(move |connection| row::find(connection, id, shift))
    }

    fn interrupted(&self) -> BoxFuture<'static, Result<Vec<Claim>, Problem>> {
        self.read(|connection| {
            let sql = concat!("SELECT ", row::claim_columns!(), " FROM message WHERE status = 1");
            connection.prepare(sql)?.query_map((), row::claim)?.collect()
        })
    }

    fn probe(&self) -> BoxFuture<'static, Result<(), Problem>> {
        let (committer, untaken, damage) = (self.committer.clone(), self.untaken.clone(), self.damage.clone());
        let (readiness, options, presence) = (Arc::clone(&self.readiness), self.options, Arc::clone(&self.presence));
        Box::pin(async move {
            presence::now(&presence).await;
            presence.check()?;
            let failed = || damage.none().err().or_else(|| committer.problem()).or_else(|| untaken.problem());
            let probe = || async {
                let probed = untaken.probe(&committer, options).await;
                damage.checked().await;
                damage.none()?;
                // Whether the probe itself is undone matters to nobody.
                probed.map_err(|problem| committer.problem().unwrap_or(problem))
            };
            readiness.ask(failed, probe).await
        })
    }

    /// What waits when a process stops in order was not published, whatever becomes of the machine then.
    fn release(&self) -> BoxFuture<'static, ()> {
        let withdrawing = Arc::clone(&self.ahead).withdraw();
        // What it fails at is told of as at every write; after a power cut it may cost a mark too many.
        Box::pin(async move { drop(withdrawing.await) })
    }
}
