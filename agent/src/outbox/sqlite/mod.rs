//! The embedded engine: one SQLite file in write-ahead mode.
//!
//! In flow the calls of [`Outbox`]; each becomes a job in a transaction that it may share with others (`committer`).
//! Reads go over a connection of their own and see what was committed. The rule it keeps: an answer is given after
//! the commit that it speaks of, and one that promises the disk after its fsync.

mod committer;
mod ending;
mod entry;
mod file;
mod log;
mod queue;
mod row;
mod schema;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rusqlite::{Connection, OptionalExtension};
use tokio::sync::Notify;

use self::committer::Committer;
pub use self::file::OpenError;
use self::writer::Writer;
use super::{Acceptance, Accepted, Claim, Claims, Demand, Idempotency, Outbox, Outcome, Swept};
use crate::message::{Message, MessageId, Problem, Timestamp};

/// What of the settings the engine needs.
#[derive(Clone, Copy, Debug)]
pub struct Options {
    /// Whether the text of a settled message is kept.
    pub keep_text: bool,
    /// How long an idempotency key is remembered.
    pub idempotency_ttl: Duration,
}

/// The outbox in one file.
pub struct SqliteOutbox {
    committer: Committer,
    reader: Mutex<Connection>,
    options: Options,
    /// Held for the life of the process: one agent a folder.
    _lock: std::fs::File,
}

impl SqliteOutbox {
    /// Opens the outbox in `folder`, or makes both. To be called inside a tokio runtime, which it uses to keep the
    /// write-ahead log short.
    ///
    /// # Errors
    /// The folder is another agent's, cannot be used, or holds something else or something damaged.
    pub fn open(folder: &Path, options: Options) -> Result<Self, OpenError> {
        let lock = file::own(folder)?;
        let path = folder.join("outbox.db");
        let written = Arc::new(Notify::new());
        let open = || {
            let writer = Writer::open(&path, Arc::clone(&written))?;
            let reader = Connection::open(&path)?;
            file::configure(&reader)?;
            reader.pragma_update(None, "query_only", true)?;
            Ok::<_, file::Cause>((writer, reader))
        };
        let (writer, reader) = open().map_err(|source| OpenError::new(&path, source))?;
        let committer = Committer::new(writer);
        tokio::spawn(log::keep(path, committer.clone(), written));
        Ok(Self { committer, reader: Mutex::new(reader), options, _lock: lock })
    }

    /// Moves the whole write-ahead log into the file now, as happens by itself within a minute of every write.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    pub async fn empty_log(&self) -> Result<(), Problem> {
        match self.committer.lend(|writer| writer.truncate_log()).await {
            Some(Ok(true)) => Ok(()),
            Some(Err(error)) => Err(file::problem(&error)),
            Some(Ok(false)) | None => Err(file::unavailable("the log of the outbox is in use")),
        }
    }

    fn read<T: Send + 'static>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> BoxFuture<'static, Result<T, Problem>> {
        let answer = work(&self.reader.lock().unwrap_or_else(PoisonError::into_inner));
        Box::pin(std::future::ready(answer.map_err(|error| file::problem(&error))))
    }
}

impl Outbox for SqliteOutbox {
    fn accept(&self, acceptance: Acceptance) -> BoxFuture<'static, Result<Accepted, Problem>> {
        let ttl = self.options.idempotency_ttl;
        let durable = acceptance.durable;
        Box::pin(self.committer.run(durable, move |connection| entry::accept(connection, &acceptance, ttl)))
    }

    fn replay(&self, key: Idempotency, now: Timestamp) -> BoxFuture<'static, Result<Option<Accepted>, Problem>> {
        let ttl = self.options.idempotency_ttl;
        self.read(|connection| entry::replay(connection, key, now, ttl))
    }

    fn claim(&self, now: Timestamp, demand: Demand) -> BoxFuture<'static, Result<Claims, Problem>> {
        // Durable: after a power cut a claim that the disk never had would be published again, unmarked.
        Box::pin(self.committer.run(true, move |connection| queue::claim(connection, now, demand)))
    }

    fn sweep(&self, now: Timestamp) -> BoxFuture<'static, Result<Swept, Problem>> {
        let keep_text = self.options.keep_text;
        Box::pin(self.committer.run(false, move |connection| ending::sweep(connection, now, keep_text)))
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
            self.committer.run(durable, move |connection| ending::settle(connection, id, &outcome, now, keep_text)),
        )
    }

    fn sync(&self) -> BoxFuture<'static, Result<(), Problem>> {
        Box::pin(self.committer.run(true, |_| Ok(())))
    }

    fn message(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Message>, Problem>> {
        self.read(|connection| {
            let sql = concat!("SELECT ", row::message_columns!(), " FROM message WHERE id = ?1");
            connection.prepare_cached(sql)?.query_row([id], row::message).optional()
        })
    }

    fn interrupted(&self) -> BoxFuture<'static, Result<Vec<Claim>, Problem>> {
        self.read(|connection| {
            let sql = concat!("SELECT ", row::claim_columns!(), " FROM message WHERE status = 1");
            connection.prepare(sql)?.query_map((), row::claim)?.collect()
        })
    }

    fn probe(&self) -> BoxFuture<'static, Result<(), Problem>> {
        Box::pin(self.committer.run(false, writer::beat))
    }
}
