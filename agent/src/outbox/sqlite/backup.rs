//! A copy of the outbox that is whole.
//!
//! The copy is made by a connection that reads, in one transaction: the agent may run meanwhile, and its writer waits for
//! nothing. An outbox that is restored from it is recognized (`run`).

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags};
use thiserror::Error;

use super::run::BACKUP;

/// Why there is no backup. Nothing is left of it then.
#[derive(Debug, Error)]
pub enum BackupError {
    /// There is no outbox.
    #[error("there is no outbox {}: check `agent.data_dir` (`sms-agent check` shows it)", .0.display())]
    Missing(PathBuf),
    /// Standard output is meant.
    #[error("a backup is written to a new file, not to standard output: name a file (`./-` if it is to be called so)")]
    Output,
    /// There is something in its place.
    #[error("{} is there already, and a backup replaces nothing: name another file", .0.display())]
    Exists(PathBuf),
    /// The file cannot be made.
    #[error("cannot write the backup {}: {}; check its folder, its permissions and the space", .0.display(), .1)]
    Write(PathBuf, io::Error),
    /// The outbox cannot be read or copied.
    #[error(
        "cannot copy the outbox {}: {}; check that this user may read it and that there is space for the copy. One of an \
         earlier version has to be opened once by this one: start the agent", .0.display(), .1
    )]
    Copy(PathBuf, rusqlite::Error),
}

/// What a backup holds.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct BackedUp {
    /// Messages, those of the history included.
    pub messages: u64,
    /// Of these, the ones that wait or are being sent.
    pub waiting: u64,
}

/// Copies the outbox in `folder` to `target`, a new file with mode 0600, which is on the disk afterwards.
///
/// # Errors
/// [`BackupError`].
pub fn backup(folder: &Path, target: &Path) -> Result<BackedUp, BackupError> {
    if target == Path::new("-") {
        return Err(BackupError::Output);
    }
    let source = folder.join("outbox.db");
    if !std::fs::metadata(&source).is_ok_and(|file| file.is_file() && file.len() > 0) {
        return Err(BackupError::Missing(source));
    }
    let write = |error| BackupError::Write(target.to_owned(), error);
    if std::fs::symlink_metadata(target).is_ok() {
        return Err(BackupError::Exists(target.to_owned()));
    }
    // Under another name until it is whole.
    let mut draft = target.as_os_str().to_owned();
    draft.push(format!(".{}.part", std::process::id()));
    let draft = PathBuf::from(draft);
    let made = crate::private_file::open(&draft).map_err(write).and_then(|_| {
        let held = copy(&source, &draft).map_err(|error| BackupError::Copy(source.clone(), error))?;
        File::open(&draft).and_then(|file| file.sync_all()).map_err(write)?;
        // Unlike a rename, a link replaces nothing.
        std::fs::hard_link(&draft, target).map_err(|error| match error.kind() {
            io::ErrorKind::AlreadyExists => BackupError::Exists(target.to_owned()),
            _ => write(error),
        })?;
        Ok(held)
    });
    drop(std::fs::remove_file(&draft));
    let held = made?;
    let beside = target.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    File::open(beside).and_then(|folder| folder.sync_all()).map_err(write)?;
    Ok(held)
}

fn copy(source: &Path, draft: &Path) -> rusqlite::Result<BackedUp> {
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
    let reader = Connection::open_with_flags(source, flags)?;
    // The log of an agent that was killed is for its next start to look at.
    super::file::keep_log(&reader)?;
    reader.busy_timeout(std::time::Duration::from_secs(5))?;
    reader.query_row("SELECT state FROM belonging", (), |row| row.get::<_, i64>(0))?;
    reader.execute("VACUUM INTO ?1", [draft.to_str().unwrap_or_default()])?;
    let made = Connection::open(draft)?;
    made.query_row("PRAGMA journal_mode = DELETE", (), |_| Ok(()))?;
    made.execute("UPDATE belonging SET state = ?1", [BACKUP])?;
    made.query_row("SELECT count(*), count(*) FILTER (WHERE status IN (0, 1, 8)) FROM message", (), |row| {
        let (messages, waiting): (i64, i64) = row.try_into()?;
        Ok(BackedUp { messages: messages.unsigned_abs(), waiting: waiting.unsigned_abs() })
    })
}
