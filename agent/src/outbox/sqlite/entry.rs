//! How messages come in: under a key once, whoever comes with it again.

use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::row;
use crate::message::{MessageId, Timestamp};
use crate::outbox::{Acceptance, Accepted, Idempotency};

pub(super) fn accept(connection: &Connection, acceptance: &Acceptance, ttl: Duration) -> rusqlite::Result<Accepted> {
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
