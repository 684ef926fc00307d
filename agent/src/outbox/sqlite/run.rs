//! What a run of the agent leaves for the next one: whether it ended in order, and which one it was.
//!
//! While the agent runs, the newest of what it accepted is in the log. So a file that says that its run did not end, and has
//! no log beside it, or less of it than was committed, has lost that, or is a copy that was made meanwhile. A run also has a
//! random id, in the outbox and in a file beside it (`run_note`): an outbox whose last run is another one, or that is another
//! file, was restored or copied, and what waits in it may have been sent since.

use std::io;
use std::path::Path;

use super::file::{self, OpenError};
use super::horizon::boot_id;
use super::not_committed::NotCommitted;
use super::run_note::{Note, Noted};
use super::transaction::Transaction;
use super::writer::Writer;
use super::{Options, Owner, SqliteOutbox};
use super::{log_index, log_repair};
use crate::message::Problem;

/// States of an outbox; 0 is one that no run has had.
const RUNNING: i64 = 1;
const ENDED: i64 = 2;
pub(super) const BACKUP: i64 = 3;

/// Refuses a file without the log that a run which did not end in order has left, or with less of it than was committed. The
/// operator may say that what is lost is lost. True: there is no log, and something of it may be.
///
/// A program that reads the outbox after such a run, as a sqlite3 shell does, moves the log into the file and removes it and
/// its index. Who removes only the log leaves the index; who removes both leaves a file that nothing was moved into; and a
/// copy of the file alone is not the file of the last run.
pub(super) fn refuse_without_log(path: &Path) -> Result<bool, OpenError> {
    let said = said(path);
    let Some(last) = in_file(path).filter(|last| last.state == RUNNING) else { return Ok(false) };
    let log = log_repair::log_of(path);
    let (is_gone, is_lost) = if log.exists() {
        (false, last.boot.is_some() && last.boot == boot_id() && lacks_frames(path, &log))
    } else {
        let noted = Noted::read(path).filter(|noted| noted.run == hex(last.run) && !noted.is_of_another(path));
        (true, path.with_extension("db-shm").exists() || noted.is_none_or(|noted| noted.is_log_needed(path)))
    };
    if is_lost && !said.exists() {
        return Err(OpenError::LogLost { path: path.to_owned(), said });
    }
    Ok(is_gone || is_lost)
}

/// Whether the log has less than the last process had committed. What the disk does not give is no proof.
fn lacks_frames(path: &Path, log: &Path) -> bool {
    log_index::frames(path).is_some_and(|frames| matches!(log_repair::has_frames(log, frames), Ok(false)))
}

fn said(path: &Path) -> std::path::PathBuf {
    path.with_extension("db-wal.lost")
}

/// What a file says of the last run.
struct Last {
    state: i64,
    run: [u8; 16],
    /// The start of the machine.
    boot: Option<String>,
}

/// What the file alone says, whatever its log says; nothing where it cannot be read so.
fn in_file(path: &Path) -> Option<Last> {
    let connection = file::open_alone(path)?.ok()?;
    let sql = "SELECT state, run, (SELECT id FROM boot) FROM belonging";
    connection.query_row(sql, (), |row| Ok(Last { state: row.get(0)?, run: row.get(1)?, boot: row.get(2)? })).ok()
}

/// Begins a run of the agent on the outbox, for `owner`.
pub(super) fn begin(
    writer: &mut Writer,
    path: &Path,
    options: Options,
    owner: Option<&Owner>,
    is_loss_accepted: bool,
) -> Result<Note, file::Cause> {
    let mut id = [0_u8; 16];
    getrandom::fill(&mut id).map_err(|error| failure(io::Error::other(error)))?;
    let (noted, moved) = (Noted::read(path), path.with_extension("db.moved"));
    let is_copy = noted.as_ref().is_some_and(|noted| noted.is_of_another(path)) && !moved.exists();
    let mut marked = None;
    let begun = writer.transaction(true, |transaction| {
        let (state, last) = transaction.query_row("SELECT state, run FROM belonging", (), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<[u8; 16]>>(1)?))
        })?;
        let is_other = last.is_some_and(|last| noted.as_ref().map_or(state == ENDED, |noted| noted.run != hex(last)));
        transaction.execute("UPDATE belonging SET state = ?1, run = ?2", (RUNNING, id))?;
        let is_restored = state == BACKUP || is_other || is_copy || is_loss_accepted;
        marked = is_restored.then(|| mark(transaction, options)).transpose()?;
        owner.map_or(Ok(()), |owner| owner.take(transaction))
    });
    begun.map_err(NotCommitted::error)?;
    // Where another program reads, the log's keeper does it later.
    let is_emptied = writer.truncate_log().unwrap_or(false);
    let note = Note::begin(path, &hex(id)).map_err(failure)?;
    if !is_emptied {
        note.log_holds();
    }
    // They count for one start.
    drop(std::fs::remove_file(said(path)));
    drop(std::fs::remove_file(moved));
    if let Some(messages) = marked {
        tracing::warn!(
            messages,
            "the outbox was restored from a backup or a copy: what waits in it may have been sent since that was made, and \
             is marked as a possible duplicate, or `unknown` where the settings hold such messages"
        );
    }
    Ok(note)
}

impl SqliteOutbox {
    /// Writes down that the run ends in order: `outbox.db` alone is the whole outbox afterwards.
    pub async fn end_run(&self) {
        // A file that is gone is whole nowhere; and what fails here costs the next start a look at the log.
        if self.presence.check().is_ok() {
            let ended =
                self.committer.run(true, |transaction| transaction.execute("UPDATE belonging SET state = ?1", [ENDED]));
            drop(ended.await);
            drop(self.empty_log().await);
        }
    }

    /// Moves the whole write-ahead log into the file now, as happens by itself within a minute of every write.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    pub async fn empty_log(&self) -> Result<(), Problem> {
        match self.committer.lend(|writer| writer.patiently(|writer| writer.truncate_log())).await {
            Some(Ok(true)) => Ok(()),
            Some(Err(error)) => Err(self.trouble.met(&error)),
            Some(Ok(false)) | None => Err(file::unavailable("the log of the outbox is in use")),
        }
    }
}

fn hex(id: [u8; 16]) -> String {
    format!("{:032x}", u128::from_be_bytes(id))
}

fn failure(error: io::Error) -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(
        rusqlite::ffi::Error::new(rusqlite::ffi::SQLITE_IOERR),
        Some(format!("cannot write outbox.run: {error}")),
    )
}

/// In an outbox that was restored, what waits may have been sent since: it goes out marked as a possible
/// duplicate, or, where such a message is not to go out at all, its outcome is unknown. How many there are.
fn mark(transaction: &Transaction<'_>, options: Options) -> rusqlite::Result<usize> {
    if options.ahead || options.forwards {
        return transaction.execute("UPDATE message SET doubtful = 1 WHERE status = 0", ());
    }
    let held = "UPDATE message SET status = 1, due_at = NULL, attempts = max(attempts, 1) WHERE status = 0";
    let changed = transaction.execute(held, ())?;
    (0..changed).for_each(|_| transaction.dequeued());
    Ok(changed)
}
