//! The files of the outbox: who owns them, how they are opened, what their errors mean to people.

use std::fs::{File, TryLockError};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode, OpenFlags};
use thiserror::Error;

use super::damage;
use crate::message::{Code, Problem, sentence};
use crate::private_file;

/// What is wrong with a file.
#[derive(Debug, Error)]
pub enum Cause {
    /// SQLite says so.
    #[error(transparent)]
    Sqlite(#[from] rusqlite::Error),
    /// Its schema is unknown to this program.
    #[error("a newer sms-agent wrote it; run that version or a newer one")]
    Newer,
}

/// Why the outbox cannot be opened.
#[derive(Debug, Error)]
pub enum OpenError {
    /// Another agent works on the folder.
    #[error("another sms-agent runs on {folder}: stop it, or give this one its own `agent.data_dir`")]
    InUse {
        /// The folder.
        folder: PathBuf,
    },
    /// The folder or the lock in it cannot be made.
    #[error("cannot use {path} (`agent.data_dir`): {source}")]
    Folder {
        /// What could not be made or opened.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is damaged.
    #[error(
        "the outbox {path} is damaged or not an outbox ({source}); nothing was changed. Stop here and copy it away \
         with its -wal and -shm files: `sqlite3 {path} .recover` saves what can be saved. Once they are moved, \
         the agent starts with an empty outbox"
    )]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: Cause,
    },
    /// Its log is gone.
    #[error(
        "the outbox {path} has lost its -wal file or a part of it, or is a copy that was made of it alone while an agent ran: \
         what was accepted last is missing; nothing was changed. Put the -wal file back beside it, or a copy that `sms-agent \
         backup` made in its place. To go on with what it holds: `touch {said}` and start again; what waits is then marked as \
         a possible duplicate"
    )]
    LogLost {
        /// The file.
        path: PathBuf,
        /// The file by which the operator says so.
        said: PathBuf,
    },
    /// The key of the fingerprints is not the one that it was used with.
    #[error(
        "{key} is not the key that the outbox was used with: requests that are repeated would be sent again. Put the former \
         key back from a backup; or, if that may be, say so with `touch {key}.replaced` and start again"
    )]
    ForeignKey {
        /// The file of the key.
        key: PathBuf,
    },
    /// The disk does not give it.
    #[error(
        "cannot read the outbox {path}: {source}; nothing was changed. That is an error of the disk and no damage of the \
         file: check the disk, leave the file where it is, and start again once it can be read"
    )]
    Unreadable {
        /// The file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It has no byte, or is not there, and once had some.
    #[error(
        "the outbox {path} is empty or gone, and {beside} beside it shows that it was in use; nothing was changed. Put the file \
         back from a backup, or what the disk's check has saved of it; or, if what it held may be lost, remove it and \
         its -wal and -shm files: the agent then starts with an empty outbox"
    )]
    Emptied {
        /// The file.
        path: PathBuf,
        /// What is made only once there is an outbox.
        beside: PathBuf,
    },
    /// It belongs to somebody else.
    #[error(transparent)]
    Owner(#[from] super::owner::OwnerError),
    /// There is no space for what it needs to be opened.
    #[error(
        "cannot open the outbox {path}: no space is left on its disk, or none that the agent's user may take; nothing was \
         changed. Make some room and start again, or let `agent.data_dir` name a folder on a disk that has some"
    )]
    Full {
        /// The file.
        path: PathBuf,
    },
    /// SQLite cannot open or migrate it.
    #[error(
        "cannot open the outbox {path}: {source}; nothing was changed. Unless that says otherwise, check the space and the \
         permissions of its folder"
    )]
    Unusable {
        /// The file.
        path: PathBuf,
        /// What SQLite says.
        source: Cause,
    },
}

impl OpenError {
    /// What an error at opening means.
    pub(super) fn new(path: &Path, source: Cause) -> Self {
        let path = path.to_owned();
        let code = if let Cause::Sqlite(error) = &source { error.sqlite_error_code() } else { None };
        match code {
            // SQLite reports a page that the disk does not give as a damaged one.
            Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => match damage::unreadable(&path) {
                Some(source) => Self::Unreadable { path, source },
                None => Self::Damaged { path, source },
            },
            Some(ErrorCode::DiskFull) => Self::Full { path },
            // Its index is a file that SQLite makes larger in a way of its own, and a lack of space is an error like any other.
            Some(ErrorCode::SystemIoFailure) if is_full(&path) => Self::Full { path },
            _ => Self::Unusable { path, source },
        }
    }
}

/// Whether the disk of this file refuses another one, as large as SQLite's index.
fn is_full(beside: &Path) -> bool {
    let path = beside.with_extension("room");
    let full = private_file::open(&path).is_ok_and(|file| has_no_room(&file));
    // Not there, or another start removes it.
    drop(std::fs::remove_file(&path));
    full
}

fn has_no_room(mut file: &File) -> bool {
    let written = file.write_all(&[0; 1 << 16]);
    written.is_err_and(|error| matches!(error.kind(), io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded))
}

/// Whether the folder is one that the agent may use, or could be made, without making it.
///
/// # Errors
/// A file is in its place, or in that of a folder above it, it cannot be looked at, or others may change what is in it.
pub(super) fn check_folder(folder: &Path) -> Result<(), OpenError> {
    let failed = |source| OpenError::Folder { path: folder.to_owned(), source };
    for path in folder.ancestors().filter(|path| !path.as_os_str().is_empty()) {
        match std::fs::metadata(path) {
            // Only the folder itself is the agent's own.
            Ok(_) if path == folder => return private_file::folder(folder).map_err(failed),
            Ok(found) if found.is_dir() => return Ok(()),
            Ok(_) => return Err(failed(io::ErrorKind::NotADirectory.into())),
            Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {}
            Err(error) => return Err(failed(error)),
        }
    }
    Ok(())
}

/// Makes the folder, readable by its owner only, and takes it for this process; it is held until the lock is dropped
/// or the process dies.
pub(super) fn own(folder: &Path) -> Result<File, OpenError> {
    let failed = |path: &Path| {
        let path = path.to_owned();
        move |source| OpenError::Folder { path, source }
    };
    private_file::folder(folder).map_err(failed(folder))?;
    let path = folder.join("lock");
    let lock = private_file::open(&path).map_err(failed(&path))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(OpenError::Folder { path, source }),
    }
}

/// What the agent makes beside the outbox once it is open: a start that was cut off before has none of it.
const MADE_LATER: [&str; 3] = ["outbox.db-wal", "fingerprint-key", "simulator.db"];

/// Refuses a file of no byte where there was an outbox: SQLite would make a new one of it, as if nothing had been lost. And
/// no file beside a log, which may hold all that was not moved into the file yet: SQLite would begin the log anew.
pub(super) fn refuse_emptied(folder: &Path, path: &Path) -> Result<(), OpenError> {
    private_file::check(path).map_err(|source| OpenError::Folder { path: path.to_owned(), source })?;
    let length = |path: &Path| std::fs::metadata(path).ok().map(|file| file.len());
    let shows = match length(path) {
        Some(0) => &MADE_LATER[..],
        Some(_) => return Ok(()),
        None => &MADE_LATER[..1],
    };
    let mut made = shows.iter().map(|name| folder.join(name));
    match made.find(|path| length(path).is_some_and(|length| length > 0)) {
        Some(beside) => Err(OpenError::Emptied { path: path.to_owned(), beside }),
        None => Ok(()),
    }
}

/// Makes the outbox's file, or takes the one that is there, and locks it itself: whoever removes the lock file lets nobody
/// else in. To be closed after all connections to the file: closing it gives up the locks that SQLite holds.
pub(super) fn hold(folder: &Path, path: &Path) -> Result<File, OpenError> {
    let failed = |path: &Path, source| OpenError::Folder { path: path.to_owned(), source };
    for beside in ["db-wal", "db-shm"].map(|extension| path.with_extension(extension)) {
        private_file::check(&beside).map_err(|source| failed(&beside, source))?;
    }
    let file = private_file::open(path).map_err(|source| failed(path, source))?;
    match file.try_lock() {
        Ok(()) => Ok(file),
        Err(TryLockError::WouldBlock) => Err(OpenError::InUse { folder: folder.to_owned() }),
        Err(TryLockError::Error(source)) => Err(failed(path, source)),
    }
}

/// What both connections need.
pub(super) fn configure(connection: &Connection) -> rusqlite::Result<()> {
    // At a start another program's lock is waited for.
    connection.busy_timeout(std::time::Duration::from_secs(5))?;
    keep_log(connection)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "cache_size", -1024)?;
    connection.pragma_update(None, "temp_store", "MEMORY")?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(())
}

/// Lets the log be where it is when the last connection is closed: only a run that ended in order needs none.
pub(super) fn keep_log(connection: &Connection) -> rusqlite::Result<()> {
    connection.set_db_config(rusqlite::config::DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).map(drop)
}

/// A connection that reads.
pub(super) fn open_to_read(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    configure(&connection)?;
    connection.pragma_update(None, "query_only", true)?;
    // Some reads run on the runtime's own thread. No reader waits for a writer here; what could lock it out is another
    // program that recovers the log or takes the file for itself.
    connection.busy_timeout(std::time::Duration::from_millis(50))?;
    Ok(connection)
}

/// A connection that reads the file alone, whatever its log says, and takes no lock: nobody may write to it meanwhile. `None`:
/// its path cannot be told to SQLite.
pub(super) fn open_alone(path: &Path) -> Option<rusqlite::Result<Connection>> {
    let escaped = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Some(Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags))
}

/// The outbox cannot do what was asked, for that reason.
pub(super) fn unavailable(why: &'static str) -> Problem {
    Problem::new(Code::OutboxUnavailable, sentence(why))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn met(path: &Path, code: i32) -> OpenError {
        OpenError::new(path, Cause::Sqlite(rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(code), None)))
    }

    #[test]
    fn a_disk_without_space_is_told_from_one_that_fails() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.db");
        let full = met(&path, rusqlite::ffi::SQLITE_FULL);
        assert!(matches!(full, OpenError::Full { .. }), "{full}");
        assert!(full.to_string().contains("no space is left") && full.to_string().contains("outbox.db"), "{full}");
        let fails = met(&path, rusqlite::ffi::SQLITE_IOERR_SHMSIZE);
        assert!(matches!(fails, OpenError::Unusable { .. }), "{fails}");
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "what was tried is gone");
        assert!(has_no_room(&File::options().write(true).open("/dev/full").unwrap()));
    }
}
