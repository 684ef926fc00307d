//! The history: read a page at a time, and forgotten in small steps.
//!
//! The rule it keeps: whatever is asked, one index is walked, from the newest down, and no more than some rows of it
//! are looked at; so a page costs the same however long the history is.

use std::time::Duration;

use rusqlite::Connection;

use super::{entry, row};
use crate::clock::Shift;
use crate::message::{Status, Timestamp};
use crate::outbox::{Cursor, Filter, Page};

/// Rows that one page looks at, at most: with several filters, those that the walked index does not know are held
/// against the rows themselves.
const LOOKED_AT: usize = 1000;

/// Rows that one step forgets, at most.
const FORGOTTEN: i64 = 250;

macro_rules! walk {
    ($filter:literal) => {
        concat!("SELECT ", row::message_columns!(), ", seq FROM message WHERE seq < ?1", $filter, " ORDER BY seq DESC")
    };
}

const BY_REFERENCE: &str = walk!(" AND reference = ?2");
const BY_RECIPIENT: &str = walk!(" AND recipient = ?2");
// An index that is partial is used only where the statement says the same as the index.
const QUEUED: &str = walk!(" AND status IN (0, 8)");
const SENDING: &str = walk!(" AND status = 1");
const SETTLED: &str = walk!(" AND status = ?2 AND status >= 2");
const ALL: &str = walk!("");

pub(super) fn page(
    connection: &Connection,
    filter: &Filter,
    before: Option<Cursor>,
    limit: usize,
    shift: Shift,
) -> rusqlite::Result<Page> {
    let before = before.map_or(i64::MAX, Cursor::seq);
    let walk = |sql| connection.prepare_cached(sql);
    let mut statement;
    // The filter that leaves the fewest goes first.
    let mut rows = match filter {
        Filter { reference: Some(reference), .. } => {
            statement = walk(BY_REFERENCE)?;
            statement.query((before, reference))?
        }
        Filter { to: Some(to), .. } => {
            statement = walk(BY_RECIPIENT)?;
            statement.query((before, to.as_str()))?
        }
        Filter { status: Some(Status::Queued), .. } => {
            statement = walk(QUEUED)?;
            statement.query([before])?
        }
        Filter { status: Some(Status::Sending), .. } => {
            statement = walk(SENDING)?;
            statement.query([before])?
        }
        Filter { status: Some(status), .. } => {
            statement = walk(SETTLED)?;
            statement.query((before, status))?
        }
        Filter { status: None, to: None, reference: None } => {
            statement = walk(ALL)?;
            statement.query([before])?
        }
    };
    let (mut messages, mut looked_at, mut last) = (Vec::new(), 0, before);
    while let Some(row) = rows.next()? {
        if messages.len() == limit || looked_at == LOOKED_AT {
            return Ok(Page { messages, next: Some(Cursor::at(last)) });
        }
        looked_at += 1;
        last = row.get("seq")?;
        let message = row::message(row, shift)?;
        if filter.admits(&message) {
            messages.push(message);
        }
    }
    Ok(Page { messages, next: None })
}

const OLDEST: &str = "SELECT seq, status >= 2 AND coalesce(accepted_at, created_at) < ?2, idempotency_key FROM message \
    WHERE seq > ?1 ORDER BY seq LIMIT ?3";
const KEY_LIVES: &str = "SELECT 1 FROM idempotency WHERE key = ?1";
const OLD_KEYS: &str = "SELECT key, ids FROM idempotency WHERE created_at <= ?1 ORDER BY created_at LIMIT ?2";

/// Walks on from the oldest message. It ends with the first step that found nothing, not with the first message that
/// is too young: a clock that once was wrong must not keep the history for ever.
pub(super) fn forget(
    connection: &Connection,
    now: Timestamp,
    after: Option<Cursor>,
    keep: Duration,
    ttl: Duration,
) -> rusqlite::Result<Option<Cursor>> {
    let keys: Vec<([u8; 32], Vec<u8>)> = connection
        .prepare_cached(OLD_KEYS)?
        .query_map((before(now, ttl), FORGOTTEN), |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    for (key, ids) in &keys {
        if entry::any_open(connection, &entry::message_ids(ids))? {
            // Its time begins anew, so that it does not stand in the way of those behind it.
            connection.prepare_cached("UPDATE idempotency SET created_at = ?2 WHERE key = ?1")?.execute((key, now))?;
            continue;
        }
        connection.prepare_cached("DELETE FROM refusal WHERE key = ?1")?.execute([key])?;
        connection.prepare_cached("DELETE FROM idempotency WHERE key = ?1")?.execute([key])?;
    }
    let mut place = after.map_or(i64::MIN, Cursor::seq);
    let oldest: Vec<(i64, bool, Option<[u8; 32]>)> = connection
        .prepare_cached(OLDEST)?
        .query_map((place, before(now, keep), FORGOTTEN), |row| row.try_into())?
        .collect::<rusqlite::Result<_>>()?;
    let mut found = !keys.is_empty();
    for (seq, old, key) in oldest {
        place = seq;
        // A repetition under its key is answered with it.
        let answers = |key| connection.prepare_cached(KEY_LIVES)?.exists([key]);
        if old && !key.map_or(Ok(false), answers)? {
            found = true;
            connection.prepare_cached("DELETE FROM message WHERE seq = ?1")?.execute([seq])?;
        }
    }
    Ok(found.then(|| Cursor::at(place)))
}

fn before(now: Timestamp, age: Duration) -> Timestamp {
    let age = i64::try_from(age.as_millis()).unwrap_or(i64::MAX);
    Timestamp::from_millis(now.as_millis().saturating_sub(age))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::outbox::sqlite::schema;

    #[test]
    fn no_page_and_no_step_sorts_or_reads_what_it_does_not_need() {
        let mut connection = Connection::open_in_memory().unwrap();
        schema::migrate(&mut connection).unwrap();
        for (sql, index) in [
            (BY_REFERENCE, "message_reference (reference=? AND rowid<?)"),
            (BY_RECIPIENT, "message_recipient (recipient=? AND rowid<?)"),
            (QUEUED, "message_queued (seq<?)"),
            (SENDING, "message_sending (seq<?)"),
            (SETTLED, "message_settled (status=? AND rowid<?)"),
            (ALL, "INTEGER PRIMARY KEY (rowid<?)"),
            (OLDEST, "INTEGER PRIMARY KEY (rowid>?)"),
            (OLD_KEYS, "idempotency_created (created_at<?)"),
        ] {
            let mut statement = connection.prepare(&format!("EXPLAIN QUERY PLAN {sql}")).unwrap();
            let parameters: Vec<_> = (0..statement.parameter_count()).map(|_| 2).collect();
            let steps =
                statement.query_map(rusqlite::params_from_iter(parameters), |row| row.get::<_, String>("detail"));
            let steps: Vec<_> = steps.unwrap().map(Result::unwrap).collect();
            assert!(
                matches!(&steps[..], [only] if only.starts_with("SEARCH") && only.ends_with(index)),
                "{sql}: {steps:?}"
            );
        }
    }
}
