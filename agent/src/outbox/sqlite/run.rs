//! What a run of the agent leaves for the next one: whether it ended in order, and which one it was.
//!
//! While the agent runs, the newest of what it accepted is in the log. So a file that says that its run did not end, and has
//! no log beside it, has lost that, or is a copy that was made meanwhile. A run also has a random id, in the outbox and in a
//! file beside it: an outbox whose last run is another one was restored, and what waits in it may have been sent since.

use std::fs::File;
use std::io::{self, Write};
use std::path::Path;

use rusqlite::{Connection, OpenFlags};

use super::file::{self, OpenError};
use super::not_committed::NotCommitted;
use super::writer::{Transaction, Writer};
use super::{Options, Owner, SqliteOutbox};

/// States of an outbox; 0 is one that no run has had.
const RUNNING: i64 = 1;
const ENDED: i64 = 2;
pub(super) const BACKUP: i64 = 3;

/// Refuses a file without the log that a run which did not end in order has left. The operator may say that what is lost is
/// lost. True: there is no log, and something of it may be.
///
/// A program that reads the outbox after such a run, as a sqlite3 shell does, moves the log into the file and removes it and
/// its index. Who removes the log alone leaves the index; and a copy of the file alone is not the file of the last run.
pub(super) fn refuse_without_log(path: &Path) -> Result<bool, OpenError> {
    let said = said(path);
    let Some((RUNNING, run)) = in_file(path).filter(|_| !path.with_extension("db-wal").exists()) else {
        return Ok(false);
    };
    let is_last = std::fs::read_to_string(path.with_extension("run")).is_ok_and(|noted| noted == hex(run));
    if (path.with_extension("db-shm").exists() || !is_last) && !said.exists() {
        return Err(OpenError::LogLost { path: path.to_owned(), said });
    }
    Ok(true)
}

fn said(path: &Path) -> std::path::PathBuf {
    path.with_extension("db-wal.lost")
}

/// The state and the last run that the file alone has, whatever its log says; nothing where it cannot be read so.
fn in_file(path: &Path) -> Option<(i64, [u8; 16])> {
    let escaped = path.to_str()?.replace('%', "%25").replace('?', "%3f").replace('#', "%23");
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(format!("file:{escaped}?immutable=1"), flags).ok()?;
    connection.query_row("SELECT state, run FROM belonging", (), |row| row.try_into()).ok()
}

/// Begins a run of the agent on the outbox, for `owner`.
pub(super) fn begin(
    writer: &mut Writer,
    path: &Path,
    options: Options,
    owner: Option<&Owner>,
    is_loss_accepted: bool,
) -> Result<(), file::Cause> {
    let mut id = [0_u8; 16];
    getrandom::fill(&mut id).map_err(|error| failure(io::Error::other(error)))?;
    let beside = path.with_extension("run");
    let noted = std::fs::read_to_string(&beside).ok();
    let mut marked = None;
    let begun = writer.transaction(true, |transaction| {
        let (state, last) = transaction.query_row("SELECT state, run FROM belonging", (), |row| {
            Ok((row.get::<_, i64>(0)?, row.get::<_, Option<[u8; 16]>>(1)?))
        })?;
        let is_other = last.is_some_and(|last| noted.as_ref().map_or(state == ENDED, |noted| *noted != hex(last)));
        transaction.execute("UPDATE belonging SET state = ?1, run = ?2", (RUNNING, id))?;
        let is_restored = state == BACKUP || is_other || is_loss_accepted;
        marked = is_restored.then(|| mark(transaction, options)).transpose()?;
        owner.map_or(Ok(()), |owner| owner.take(transaction))
    });
    begun.map_err(NotCommitted::error)?;
    note(&beside, &hex(id)).map_err(failure)?;
    // Where another program reads, the log's keeper does it later.
    drop(writer.truncate_log());
    drop(std::fs::remove_file(said(path)));
    if let Some(messages) = marked {
        tracing::warn!(
            messages,
            "the outbox was restored from a backup or a copy: what waits in it may have been sent since that was made, and \
             is marked as a possible duplicate, or `unknown` where the settings hold such messages"
        );
    }
    Ok(())
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
}

fn hex(id: [u8; 16]) -> String {
    format!("{:032x}\n", u128::from_be_bytes(id))
}

/// Replaces the file in one step.
fn note(path: &Path, text: &str) -> io::Result<()> {
    let draft = path.with_extension("run.part");
    let mut file: File = crate::private_file::open(&draft)?;
    file.set_len(0)?;
    file.write_all(text.as_bytes())?;
    file.sync_all()?;
    std::fs::rename(&draft, path)?;
    File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()
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
