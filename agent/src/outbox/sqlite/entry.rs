//! How messages come in: under a key once, whoever comes with it again.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::transaction::Transaction;
use super::{Options, row};
use crate::message::{MessageId, Problem, Timestamp};
use crate::outbox::{Acceptance, Accepted, Idempotency, Refusal};

pub(super) fn accept(
    transaction: &Transaction<'_>,
    acceptance: &Acceptance,
    options: Options,
) -> rusqlite::Result<Accepted> {
    let Acceptance { entries, refusals, key, durable: _ } = acceptance;
    if let Some((key, first)) = key.zip(entries.first())
        && let Some(earlier) = replay(transaction, key, first.at, options.idempotency_ttl)?
    {
        return Ok(earlier);
    }
    // All or nothing: the same batch finds room later, under the same key. What leaves at once does not wait yet, but it
    // may come back: without room for one more, those who wait for their outcome would fill the queue by retries.
    let waiting = entries.iter().filter(|entry| !entry.claimed).count().max(1) as u64;
    if transaction.queued() + waiting > options.max_queued {
        return Ok(Accepted::Full);
    }
    if let Some((key, first)) = key.zip(entries.first()) {
        let ids: Vec<u8> = entries.iter().flat_map(|entry| entry.id.to_bytes()).collect();
        remember(transaction, key, &ids, first.at, refusals)?;
    }
    let mut messages = Vec::with_capacity(entries.len());
    for entry in entries {
        // One that is to be sent elsewhere is not due here.
        let due_at = (!entry.claimed && !options.forwards).then_some(entry.at);
        messages.push(row::insert(transaction, entry, due_at, key.map(|key| key.key))?);
        if !entry.claimed {
            transaction.enqueued();
        }
    }
    Ok(Accepted::New(messages))
}

/// Writes the key down, in the place of an earlier one whose time is over.
fn remember(
    connection: &Connection,
    key: Idempotency,
    ids: &[u8],
    at: Timestamp,
    refusals: &[Refusal],
) -> rusqlite::Result<()> {
    connection
        .prepare_cached(
            "INSERT OR REPLACE INTO idempotency (key, fingerprint, ids, created_at) \
             VALUES (:key, :fingerprint, :ids, :at)",
        )?
        .execute(named_params! { ":key": key.key, ":fingerprint": key.fingerprint, ":ids": ids, ":at": at })?;
    connection.prepare_cached("DELETE FROM refusal WHERE key = ?1")?.execute([key.key])?;
    for Refusal { position, problem } in refusals {
        let position = i64::try_from(*position).unwrap_or(i64::MAX);
        connection
            .prepare_cached(
                "INSERT INTO refusal (key, position, error_code, error_detail, parameter) \
                 VALUES (:key, :position, :code, :detail, :parameter)",
            )?
            .execute(named_params! {
                ":key": key.key, ":position": position, ":code": problem.code, ":detail": problem.detail,
                ":parameter": problem.parameter,
            })?;
    }
    Ok(())
}

pub(super) fn replay(
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
    let Some((fingerprint, ids, created_at)): Option<(_, _, Timestamp)> = earlier else { return Ok(None) };
    let ids: Vec<_> = message_ids(&ids);
    // As long as a message waits, its repetition would be a second one.
    if now.since(created_at) >= ttl && !any_open(connection, &ids)? {
        return Ok(None);
    }
    if fingerprint != key.fingerprint {
        return Ok(Some(Accepted::KeyReused));
    }
    let refusals = connection
        .prepare_cached(
            "SELECT position, error_code, error_detail, parameter FROM refusal WHERE key = ?1 ORDER BY position",
        )?
        .query_map([key.key], |row| {
            let mut problem = Problem::new(row.get(1)?, row.get::<_, String>(2)?);
            problem.parameter = row.get::<_, Option<String>>(3)?.map(Into::into);
            Ok(Refusal { position: row.get::<_, u32>(0)? as usize, problem })
        })?
        .collect::<rusqlite::Result<_>>()?;
    Ok(Some(Accepted::Replay(ids, refusals)))
}

/// Whether keys are remembered for which a repetition may still come.
pub(super) fn remembers(connection: &Connection, now: Timestamp, ttl: Duration) -> rusqlite::Result<bool> {
    let mut keys = connection.prepare_cached("SELECT created_at, ids FROM idempotency ORDER BY created_at DESC")?;
    let mut rows = keys.query(())?;
    while let Some(row) = rows.next()? {
        if now.since(row.get(0)?) < ttl || any_open(connection, &message_ids(row.get_ref(1)?.as_blob()?))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// The messages of a key, as its row has them.
pub(super) fn message_ids(stored: &[u8]) -> Vec<MessageId> {
    stored.as_chunks().0.iter().copied().map(MessageId::from_bytes).collect()
}

/// Whether one of these messages may still be published.
pub(super) fn any_open(connection: &Connection, ids: &[MessageId]) -> rusqlite::Result<bool> {
    let mut open = connection.prepare_cached("SELECT 1 FROM message WHERE id = ?1 AND status < 2")?;
    for id in ids {
        if open.exists([id])? {
            return Ok(true);
        }
    }
    Ok(false)
}
