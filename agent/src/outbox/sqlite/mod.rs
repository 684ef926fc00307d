//! The embedded engine: one SQLite file in write-ahead mode.
//!
//! In flow the calls of [`Outbox`]; each becomes a job in a transaction that it may share with others (`committer`).
//! Reads go over a connection of their own and see what was committed. The rule it keeps: an answer is given after
//! the commit that it speaks of, and one that promises the disk after its fsync.

mod committer;
mod file;
mod log;
mod row;
mod schema;
mod writer;

use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::future::BoxFuture;
use rusqlite::{Connection, OptionalExtension, named_params};
use tokio::sync::Notify;

use self::committer::Committer;
pub use self::file::OpenError;
use self::writer::Writer;
use super::{Acceptance, Accepted, Claim, Claims, Demand, Idempotency, Outbox, Outcome, Rest, Swept};
use crate::message::{Code, Message, MessageId, Problem, Status, Timestamp};

/// How many messages one sweep ends at most, so that it keeps nobody waiting.
const SWEEP: u32 = 256;

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
        Box::pin(self.committer.run(durable, move |connection| accept(connection, &acceptance, ttl)))
    }

    fn replay(&self, key: Idempotency, now: Timestamp) -> BoxFuture<'static, Result<Option<Accepted>, Problem>> {
        let ttl = self.options.idempotency_ttl;
        self.read(|connection| replay(connection, key, now, ttl))
    }

    fn claim(&self, now: Timestamp, demand: Demand) -> BoxFuture<'static, Result<Claims, Problem>> {
        // Durable: after a power cut a claim that the disk never had would be published again, unmarked.
        Box::pin(self.committer.run(true, move |connection| claim(connection, now, demand)))
    }

    fn sweep(&self, now: Timestamp) -> BoxFuture<'static, Result<Swept, Problem>> {
        let keep_text = self.options.keep_text;
        Box::pin(self.committer.run(false, move |connection| sweep(connection, now, keep_text)))
    }

    fn settle(
        &self,
        id: MessageId,
        outcome: Outcome,
        now: Timestamp,
        durable: bool,
    ) -> BoxFuture<'static, Result<Option<Message>, Problem>> {
        let keep_text = self.options.keep_text;
        Box::pin(self.committer.run(durable, move |connection| settle(connection, id, &outcome, now, keep_text)))
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

fn accept(connection: &Connection, acceptance: &Acceptance, ttl: Duration) -> rusqlite::Result<Accepted> {
    if let Some((key, first)) = acceptance.key.zip(acceptance.entries.first()) {
        if let Some(earlier) = replay(connection, key, first.at, ttl)? {
            return Ok(earlier);
        }
        let ids: Vec<u8> = acceptance.entries.iter().flat_map(|entry| entry.id.to_bytes()).collect();
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO idempotency (key, fingerprint, ids, created_at) \
                 VALUES (:key, :fingerprint, :ids, :at)",
            )?
            .execute(named_params! {
                ":key": key.key, ":fingerprint": key.fingerprint, ":ids": ids, ":at": first.at,
            })?;
    }
    let messages = acceptance.entries.iter().map(|entry| row::insert(connection, entry));
    messages.collect::<rusqlite::Result<_>>().map(Accepted::New)
}

fn replay(
    connection: &Connection,
    key: Idempotency,
    now: Timestamp,
    ttl: Duration,
) -> rusqlite::Result<Option<Accepted>> {
    let sql = "SELECT fingerprint, ids, created_at FROM idempotency WHERE key = ?1";
    let earlier = connection
        .prepare_cached(sql)?
        .query_row([key.key], |row| Ok((row.get::<_, [u8; 32]>(0)?, row.get::<_, Vec<u8>>(1)?, row.get(2)?)))
        .optional()?;
    Ok(earlier.and_then(|(fingerprint, ids, created_at): (_, _, Timestamp)| {
        if now.since(created_at) >= ttl {
            return None;
        }
        if fingerprint != key.fingerprint {
            return Some(Accepted::KeyReused);
        }
        Some(Accepted::Replay(ids.as_chunks().0.iter().copied().map(MessageId::from_bytes).collect()))
    }))
}

fn claim(connection: &Connection, now: Timestamp, demand: Demand) -> rusqlite::Result<Claims> {
    let mut allowance = demand.segments;
    let mut claims = Vec::new();
    for lane in [0, 1] {
        let mut due = connection.prepare_cached(
            "SELECT seq, segments FROM message WHERE status = 0 AND lane = ?1 AND due_at <= ?2 \
             ORDER BY due_at, seq LIMIT ?3",
        )?;
        let room = i64::try_from(demand.messages - claims.len()).unwrap_or(i64::MAX);
        let due: Vec<(i64, u32)> =
            due.query_map((lane, now, room), |row| Ok((row.get(0)?, row.get(1)?)))?.collect::<rusqlite::Result<_>>()?;
        for (seq, segments) in due {
            if let Some(allowance) = &mut allowance
                && !allowance.take(segments)
            {
                return Ok(Claims { claims, rest: Rest::Paced(segments) });
            }
            claims.push(take(connection, seq, now)?);
        }
        if claims.len() == demand.messages {
            return Ok(Claims { claims, rest: Rest::More });
        }
    }
    let next = connection
        .prepare_cached(
            "SELECT min(due_at) FROM (SELECT min(due_at) AS due_at FROM message WHERE status = 0 AND lane = 0 \
             UNION ALL SELECT min(due_at) FROM message WHERE status = 0 AND lane = 1)",
        )?
        .query_row((), |row| row.get(0))?;
    Ok(Claims { claims, rest: Rest::Idle(next) })
}

fn take(connection: &Connection, seq: i64, now: Timestamp) -> rusqlite::Result<Claim> {
    let sql = concat!(
        "UPDATE message SET status = 1, due_at = NULL, attempts = attempts + 1, possible_duplicate = unknowns > 0, \
         updated_at = ?2 WHERE seq = ?1 RETURNING ",
        row::claim_columns!()
    );
    connection.prepare_cached(sql)?.query_row((seq, now), row::claim)
}

fn sweep(connection: &Connection, now: Timestamp, keep_text: bool) -> rusqlite::Result<Swept> {
    let late: Vec<(MessageId, Option<Timestamp>, Option<Problem>)> = connection
        .prepare_cached(concat!(
            "SELECT ",
            row::message_columns!(),
            " FROM message WHERE status = 0 AND ends_at <= ?1 ORDER BY ends_at LIMIT ?2"
        ))?
        .query_map((now, SWEEP), row::message)?
        .map(|message| message.map(|message| (message.id, message.expires_at, message.error)))
        .collect::<rusqlite::Result<_>>()?;
    let mut ended = Vec::with_capacity(late.len());
    for (id, expires_at, last) in late {
        let outcome = match expires_at {
            Some(expires_at) if expires_at <= now => {
                Outcome::Expired(Problem::new(Code::Expired, "its `expires_in` ran out before it could be published"))
            }
            _ => Outcome::Failed(last.unwrap_or_else(|| {
                Problem::new(Code::CarrierUnavailable, "it was given up before a first attempt could be made")
            })),
        };
        ended.extend(end(connection, id, Status::Queued, &outcome, now, keep_text)?);
    }
    let next = connection
        .prepare_cached("SELECT min(ends_at) FROM message WHERE status = 0")?
        .query_row((), |row| row.get(0))?;
    Ok(Swept { ended, next })
}

fn settle(
    connection: &Connection,
    id: MessageId,
    outcome: &Outcome,
    now: Timestamp,
    keep_text: bool,
) -> rusqlite::Result<Option<Message>> {
    match outcome {
        Outcome::Retry { at, problem, unknown } => retry(connection, id, *at, problem, *unknown, now),
        Outcome::Delivered | Outcome::Undeliverable(_) => end(connection, id, Status::Sent, outcome, now, keep_text),
        _ => end(connection, id, Status::Sending, outcome, now, keep_text),
    }
}

fn retry(
    connection: &Connection,
    id: MessageId,
    at: Timestamp,
    problem: &Problem,
    unknown: bool,
    now: Timestamp,
) -> rusqlite::Result<Option<Message>> {
    let sql = concat!(
        "UPDATE message SET status = 0, due_at = :at, unknowns = unknowns + :unknown, updated_at = :now, \
         error_code = :code, error_detail = :detail, error_request_id = :request \
         WHERE id = :id AND status = 1 RETURNING ",
        row::message_columns!()
    );
    let values = named_params! {
        ":id": id, ":at": at, ":unknown": unknown, ":now": now, ":code": problem.code, ":detail": problem.detail,
        ":request": problem.aws_request_id,
    };
    connection.prepare_cached(sql)?.query_row(values, row::message).optional()
}

/// Ends a message that is in status `from`, and erases its text.
fn end(
    connection: &Connection,
    id: MessageId,
    from: Status,
    outcome: &Outcome,
    now: Timestamp,
    keep_text: bool,
) -> rusqlite::Result<Option<Message>> {
    let (status, provider_id, problem) = match outcome {
        Outcome::Sent(provider_id) => (Status::Sent, Some(provider_id), None),
        Outcome::Delivered => (Status::Delivered, None, None),
        Outcome::Failed(problem) | Outcome::Undeliverable(problem) => (Status::Failed, None, Some(problem)),
        Outcome::Expired(problem) => (Status::Expired, None, Some(problem)),
        Outcome::Unknown(problem) => (Status::Unknown, None, Some(problem)),
        Outcome::Retry { .. } => return Ok(None),
    };
    let unknown = matches!(outcome, Outcome::Unknown(_));
    let sql = concat!(
        "UPDATE message SET status = :status, due_at = NULL, words = CASE WHEN :keep THEN words END, \
         unknowns = unknowns + :unknown, provider_id = coalesce(:provider_id, provider_id), updated_at = :now, \
         error_code = :code, error_detail = :detail, error_request_id = :request \
         WHERE id = :id AND status = :from RETURNING ",
        row::message_columns!()
    );
    let values = named_params! {
        ":id": id, ":from": from, ":status": status, ":keep": keep_text, ":unknown": unknown,
        ":provider_id": provider_id, ":now": now,
        ":code": problem.map(|problem| problem.code),
        ":detail": problem.map(|problem| problem.detail.as_ref()),
        ":request": problem.and_then(|problem| problem.aws_request_id.as_deref()),
    };
    connection.prepare_cached(sql)?.query_row(values, row::message).optional()
}
