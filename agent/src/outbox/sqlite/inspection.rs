//! What would keep an outbox from being opened, seen without making or changing anything.
//!
//! Each refusal is the one of the start itself. Where an agent has the outbox at this moment, what only a start may ask is
//! not asked: its log is in use.

use std::fs::{File, TryLockError};
use std::path::Path;
use std::time::Duration;

use rusqlite::{Connection, OpenFlags};

use super::file::{self, OpenError};
use super::owner::Owner;
use super::{entry, run, schema};
use crate::message::Timestamp;
use crate::private_file;

/// How long another program's lock is waited for.
const PATIENCE: Duration = Duration::from_secs(5);

/// What is known of an outbox that could be opened.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Inspected {
    /// Whether an agent has it at this moment.
    pub in_use: bool,
    /// Whether it remembers idempotency keys for which a repetition may still come.
    pub remembers_keys: bool,
    /// The check value of the key that they were made with, if it knows one.
    pub key_check: Option<Vec<u8>>,
}

/// Looks at the outbox in `folder` as a start for `owner` would, at `now`, with keys that are remembered for `ttl`.
///
/// # Errors
/// What that start would be refused with.
pub fn inspect(folder: &Path, owner: &Owner, now: Timestamp, ttl: Duration) -> Result<Inspected, OpenError> {
    let failed = |path: &Path, source| OpenError::Folder { path: path.to_owned(), source };
    file::check_folder(folder)?;
    let path = folder.join("outbox.db");
    let (log, index) = (path.with_extension("db-wal"), path.with_extension("db-shm"));
    for file in [&folder.join("lock"), &path, &log, &index] {
        private_file::check(file).map_err(|source| failed(file, source))?;
    }
    file::refuse_emptied(folder, &path)?;
    if !path.exists() {
        return Ok(Inspected::default());
    }
    let in_use = is_locked(&folder.join("lock")) || is_locked(&path);
    if !in_use {
        run::refuse_without_log(&path)?;
    }
    let told = |source| OpenError::new(&path, source);
    let connection = open(&path, in_use).map_err(|error| told(error.into()))?;
    schema::refuse_newer(&connection).map_err(told)?;
    owner.check_in(&connection, folder, &path)?;
    Ok(Inspected {
        in_use,
        // An earlier version has no such tables yet.
        remembers_keys: entry::remembers(&connection, now, ttl).unwrap_or(false),
        key_check: connection.query_row("SELECT key_check FROM belonging", (), |row| row.get(0)).unwrap_or_default(),
    })
}

/// Whether another process holds the lock of a file. It is not kept.
fn is_locked(path: &Path) -> bool {
    File::open(path).is_ok_and(|file| matches!(file.try_lock_shared(), Err(TryLockError::WouldBlock)))
}

/// A connection for reading that makes and changes no file. If nobody else has the outbox open, it keeps the index of the log
/// in its own memory, which SQLite does for a connection that locks the others out.
fn open(path: &Path, in_use: bool) -> rusqlite::Result<Connection> {
    if !path.with_extension("db-wal").exists()
        && let Some(alone) = file::open_alone(path)
    {
        return alone;
    }
    let access = if in_use { OpenFlags::SQLITE_OPEN_READ_ONLY } else { OpenFlags::SQLITE_OPEN_READ_WRITE };
    let flags = access | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let connection = Connection::open_with_flags(path, flags)?;
    file::keep_log(&connection)?;
    connection.busy_timeout(PATIENCE)?;
    if !in_use {
        connection.pragma_update(None, "locking_mode", "EXCLUSIVE")?;
    }
    connection.pragma_update(None, "query_only", true)?;
    Ok(connection)
}
