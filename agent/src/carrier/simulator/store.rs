//! The simulator's file: what its phones received, and the delivery reports that are still to be made.
//!
//! In flow published messages, one transaction each; out flow pages of them, newest first, and reports that are due.
//! It survives the death of the process and, but for the newest messages, that of the machine. All calls are short
//! (some ten microseconds) and made in place, without a thread of their own.

use std::io::Read;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OptionalExtension, Row, params};

use super::phone::Received;
use crate::message::{MessageId, SmsType, Timestamp, WallTime};
use crate::private_file;

const SCHEMA_VERSION: i64 = 1;
const SCHEMA: &str = "
    CREATE TABLE received (
        seq INTEGER PRIMARY KEY, id BLOB NOT NULL, message_id TEXT NOT NULL, recipient TEXT NOT NULL,
        body TEXT NOT NULL, type TEXT NOT NULL, sender_id TEXT, segments INTEGER NOT NULL, received_at INTEGER NOT NULL
    ) STRICT;
    CREATE TABLE reports (
        seq INTEGER PRIMARY KEY, id BLOB NOT NULL, due_at INTEGER NOT NULL, delivered INTEGER NOT NULL
    ) STRICT;
    CREATE INDEX reports_due ON reports (due_at);
    PRAGMA user_version = 1;
";
const COLUMNS: &str = "seq, id, message_id, recipient, body, type, sender_id, segments, received_at";

/// What SQLite may hold of the file in memory; the newest messages are all that is looked at often.
const CACHE_KIB: i64 = 512;

/// Messages between two looks at whether the phones hold too many, and the most that one look removes: more than come
/// in between, so that a lower `simulator.keep` is reached in time, and few enough not to be felt.
const TRIM_EVERY: u32 = 64;
const TRIM_AT_MOST: i64 = 256;

/// Why the simulator cannot start.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The file cannot be made or opened.
    #[error("cannot open the simulator's file {path}: {cause}; check the folder agent.data_dir", path = .0.display(), cause = .1)]
    File(PathBuf, std::io::Error),
    /// It is no database, or a damaged one.
    #[error("cannot use the simulator's file {path}: {cause}; it holds simulated messages only and may be deleted", path = .0.display(), cause = .1)]
    Database(PathBuf, rusqlite::Error),
    /// A newer release has written it.
    #[error("the simulator's file {path} is of a newer release; it holds simulated messages only and may be deleted", path = .0.display())]
    Newer(PathBuf),
}

/// A report in the file.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Pending {
    /// Its place in the file.
    pub(super) seq: i64,
    /// The message.
    pub(super) id: MessageId,
    /// Whether it arrived.
    pub(super) delivered: bool,
}

/// The open file.
pub(super) struct Store {
    connection: Connection,
    keep: i64,
    newest: i64,
    untrimmed: u32,
}

impl Store {
    /// Opens the file, or makes it, readable by its owner only.
    pub(super) fn open(path: &Path, keep: u32) -> Result<Self, StoreError> {
        let file = |error| StoreError::File(path.to_owned(), error);
        // SQLite gives the files beside it the same permissions.
        private_file::open(path).map_err(file)?;
        let database = |error| StoreError::Database(path.to_owned(), error);
        let connection = Connection::open(path).map_err(database)?;
        let version = Self::prepare(&connection).map_err(database)?;
        if version > SCHEMA_VERSION {
            return Err(StoreError::Newer(path.to_owned()));
        }
        let newest = Self::newest(&connection).map_err(database)?;
        // From here on it is used on the runtime's own thread, which does not wait for another program's lock: the publish
        // did not happen, and is tried again.
        connection.busy_timeout(std::time::Duration::from_millis(50)).map_err(database)?;
        Ok(Self { connection, keep: i64::from(keep), newest, untrimmed: 0 })
    }

    /// Looks whether the file could be opened, or made, and changes nothing.
    pub(super) fn check(path: &Path) -> Result<(), StoreError> {
        const BEGINNING: &[u8] = b"SQLite format 3\0";
        let file = |error| StoreError::File(path.to_owned(), error);
        private_file::check(path).map_err(file)?;
        let mut beginning = Vec::new();
        match std::fs::File::open(path) {
            Ok(found) => found.take(BEGINNING.len() as u64).read_to_end(&mut beginning).map_err(file)?,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(()),
            Err(error) => return Err(file(error)),
        };
        // What its log holds counts before the file.
        let has_log = std::fs::metadata(path.with_extension("db-wal")).is_ok_and(|log| log.len() > 0);
        if has_log || beginning.is_empty() || beginning == BEGINNING {
            return Ok(());
        }
        let cause = rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_NOTADB);
        let cause = rusqlite::Error::SqliteFailure(cause, Some("file is not a database".to_owned()));
        Err(StoreError::Database(path.to_owned(), cause))
    }

    fn prepare(connection: &Connection) -> rusqlite::Result<i64> {
        connection.pragma_update(None, "journal_mode", "wal")?;
        connection.pragma_update(None, "synchronous", "normal")?;
        connection.pragma_update(None, "cache_size", -CACHE_KIB)?;
        let version = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
        if version == 0 {
            connection.execute_batch(&format!("BEGIN; {SCHEMA} COMMIT;"))?;
        }
        Ok(version)
    }

    fn newest(connection: &Connection) -> rusqlite::Result<i64> {
        connection.query_row("SELECT coalesce(max(seq), 0) FROM received", [], |row| row.get(0))
    }

    /// Writes down one published message: on the phone if it arrives, and the report to make of it.
    pub(super) fn publish(&mut self, received: &Received, delivered: bool, due_at: Timestamp) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        if delivered {
            transaction
                .prepare_cached(
                    "INSERT INTO received (id, message_id, recipient, body, type, sender_id, segments, received_at)
                     VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                )?
                .execute(params![
                    received.id.to_bytes(),
                    received.message_id,
                    received.to,
                    received.body,
                    received.kind.as_str(),
                    received.sender_id,
                    received.segments,
                    received.received_at.as_millis(),
                ])?;
            self.newest = transaction.last_insert_rowid();
        }
        transaction
            .prepare_cached("INSERT INTO reports (id, due_at, delivered) VALUES (?1, ?2, ?3)")?
            .execute(params![received.id.to_bytes(), due_at.as_millis(), delivered])?;
        self.untrimmed += 1;
        if self.untrimmed >= TRIM_EVERY {
            self.untrimmed = 0;
            transaction
                .prepare_cached("DELETE FROM received WHERE seq <= ?1 AND seq < (SELECT min(seq) FROM received) + ?2")?
                .execute([self.newest - self.keep, TRIM_AT_MOST])?;
        }
        transaction.commit()
    }

    /// Received messages before the place `before`, the newest first.
    pub(super) fn page(
        &self,
        to: Option<&str>,
        before: Option<i64>,
        limit: usize,
    ) -> rusqlite::Result<Vec<(i64, Received)>> {
        let sql = format!(
            "SELECT {COLUMNS} FROM received
             WHERE seq > ?1 AND seq < ?2 AND (?3 IS NULL OR recipient = ?3) ORDER BY seq DESC LIMIT ?4"
        );
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        let kept_from = self.newest - self.keep;
        let mut statement = self.connection.prepare_cached(&sql)?;
        statement.query_map(params![kept_from, before.unwrap_or(i64::MAX), to, limit], read)?.collect()
    }

    /// Reports that are due at `now`, the longest due first.
    pub(super) fn due(&self, now: Timestamp, limit: usize) -> rusqlite::Result<Vec<Pending>> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.connection
            .prepare_cached("SELECT seq, id, delivered FROM reports WHERE due_at <= ?1 ORDER BY due_at, seq LIMIT ?2")?
            .query_map([now.as_millis(), limit], |row| {
                Ok(Pending { seq: row.get(0)?, id: MessageId::from_bytes(row.get(1)?), delivered: row.get(2)? })
            })?
            .collect()
    }

    /// When the first report after `now` is due.
    pub(super) fn next_due(&self, now: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
        let mut statement =
            self.connection.prepare_cached("SELECT due_at FROM reports WHERE due_at > ?1 ORDER BY due_at LIMIT 1")?;
        let due: Option<i64> = statement.query_row([now.as_millis()], |row| row.get(0)).optional()?;
        Ok(due.map(Timestamp::from_millis))
    }

    /// Makes reports due at `latest` that are due later: a wrong clock wrote them.
    pub(super) fn hasten(&self, latest: Timestamp) -> rusqlite::Result<()> {
        let latest = latest.as_millis();
        self.connection.execute("UPDATE reports SET due_at = ?1 WHERE due_at > ?1", [latest]).map(drop)
    }

    /// Forgets reports.
    pub(super) fn forget(&mut self, reports: &[i64]) -> rusqlite::Result<()> {
        let transaction = self.connection.transaction()?;
        for seq in reports {
            transaction.prepare_cached("DELETE FROM reports WHERE seq = ?1")?.execute([seq])?;
        }
        transaction.commit()
    }
}

fn read(row: &Row<'_>) -> rusqlite::Result<(i64, Received)> {
    let kind: String = row.get(5)?;
    let received = Received {
        id: MessageId::from_bytes(row.get(1)?),
        message_id: row.get(2)?,
        to: row.get(3)?,
        body: row.get(4)?,
        kind: SmsType::parse(&kind).unwrap_or(SmsType::Transactional),
        sender_id: row.get(6)?,
        segments: row.get(7)?,
        received_at: WallTime::from_millis(row.get(8)?),
    };
    Ok((row.get(0)?, received))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_report_that_a_wrong_clock_put_far_ahead_is_due_within_the_delay() {
        let folder = tempfile::tempdir().unwrap();
        let mut store = Store::open(&folder.path().join("simulator.db"), 10).unwrap();
        let received = Received {
            id: MessageId::from_bytes([1; 16]),
            message_id: "m".to_owned(),
            to: "+12065550100".to_owned(),
            body: "sesame".to_owned(),
            kind: SmsType::Transactional,
            sender_id: None,
            segments: 1,
            received_at: WallTime::from_millis(0),
        };
        let at = Timestamp::from_millis;
        for due_at in [at(500), at(172_800_000)] {
            store.publish(&received, true, due_at).unwrap();
        }
        store.hasten(at(1000)).unwrap();
        assert_eq!((store.due(at(999), 9).unwrap().len(), store.due(at(1000), 9).unwrap().len()), (1, 2));
    }
}
