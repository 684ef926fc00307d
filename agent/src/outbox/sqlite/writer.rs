//! The one connection that writes.

use std::cell::Cell;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, ffi};
use tokio::time::Instant;

use super::horizon::Horizon;
use super::log::Log;
use super::not_committed::NotCommitted;
use super::presence::Presence;
use super::timeline::Timeline;
use super::transaction::Transaction;
use super::{Options, elsewhere, file, horizon, log_repair, schema};
use crate::clock::{Clock, Machine};

/// Owns the connection and knows what of it the disk may not have yet.
pub(super) struct Writer {
    connection: Connection,
    /// How the next commit syncs: `None` until it was said once.
    full: Option<bool>,
    /// Whether a commit went without its fsync since the last one with.
    unsynced: bool,
    /// Why the log cannot be relied on until it is repaired, if that is so.
    doubt: Option<Doubt>,
    log: Arc<Log>,
    path: PathBuf,
    /// Whether another program held the write lock when it was last needed.
    is_locked_out: bool,
    /// Messages that wait in the queue, as of the last commit.
    queued: u64,
    /// As of the last commit.
    horizon: Horizon,
    timeline: Timeline,
    presence: Option<Arc<Presence>>,
}

/// What failed, and when a repair was last tried.
#[derive(Clone, Copy)]
struct Doubt {
    /// The extended code of SQLite.
    code: i32,
    tried: Option<Instant>,
}

/// How often a repair is tried: it writes the whole log.
const REPAIRS: Duration = Duration::from_millis(500);

impl Writer {
    /// Opens the file, or makes it, and brings it to this program's schema.
    pub(super) fn open(
        path: &Path,
        log: Arc<Log>,
        options: Options,
        machine: Option<Arc<dyn Machine>>,
    ) -> Result<Self, file::Cause> {
        let mut connection = Connection::open(path)?;
        file::configure(&connection)?;
        // The process before may have died after a sync that failed: nothing is promised on top of what the disk lacks.
        log_repair::run(&connection, path)?;
        // Checkpoints are run by the log's keeper: inside a commit they would stop everybody for two fsyncs.
        connection.pragma_update(None, "wal_autocheckpoint", 0)?;
        let grown = Arc::clone(&log);
        connection.wal_hook(Some(move |_: &mut _, pages| {
            grown.grown(pages);
            Ok(())
        }))?;
        connection.pragma_update(None, "secure_delete", true)?;
        connection.pragma_update(None, "synchronous", "FULL")?;
        schema::migrate(&mut connection)?;
        // What comes from a queue elsewhere is claimed message by message, each with its fsync.
        let is_wanted = options.ahead && !options.forwards;
        let begun = connection.transaction()?;
        let horizon = horizon::begin(&begun, horizon::boot_id().as_deref(), is_wanted)?;
        // Only then: it is by their times that messages lie within the horizon.
        elsewhere::sort(&begun, options.forwards)?;
        let timeline = match machine {
            Some(machine) => Timeline::begin(&begun, machine)?,
            None => Timeline::handed_in(),
        };
        begun.commit()?;
        let waiting = "SELECT count(*) FROM message WHERE status = 0";
        let queued = connection.query_row(waiting, (), |row| row.get::<_, u32>(0))?.into();
        let mut writer = Self {
            connection,
            full: None,
            unsynced: true,
            doubt: None,
            log,
            path: path.to_owned(),
            is_locked_out: false,
            queued,
            horizon,
            timeline,
            presence: None,
        };
        // The first sync makes the directory entries of the file and of its log durable too.
        writer.transaction(true, |_| Ok(())).map_err(NotCommitted::error)?;
        writer.connection.busy_timeout(Duration::ZERO)?;
        Ok(writer)
    }

    /// Does some work that may wait a moment for the locks of other programs. Not on the runtime's own thread: everything
    /// else there waits too. A lock that outlasts that moment is waited for only briefly until it has gone.
    pub(super) fn patiently<T>(&mut self, work: impl FnOnce(&mut Self) -> T) -> T {
        let patience = if self.is_locked_out { Duration::from_millis(50) } else { Duration::from_secs(1) };
        // Both calls store a number and cannot fail on an open connection.
        drop(self.connection.busy_timeout(patience));
        let done = work(self);
        drop(self.connection.busy_timeout(Duration::ZERO));
        done
    }

    /// The clock of the timeline.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        self.timeline.clock()
    }

    /// Runs `work` in a transaction. Committed, it survives the process; with `durable`, the machine.
    ///
    /// # Errors
    /// Nothing of it is left for this process, and for the next one. A durable one is not even begun while the log is in
    /// doubt and cannot be repaired.
    pub(super) fn transaction(
        &mut self,
        durable: bool,
        work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>,
    ) -> Result<(), NotCommitted> {
        if durable {
            self.relieve().map_err(NotCommitted::Undone)?;
        }
        self.begin(durable).map_err(NotCommitted::Undone)?;
        let (queued, horizon) = (Cell::new(self.queued), Cell::new(self.horizon));
        let (shift, turn) = (self.timeline.shift(), self.timeline.turn());
        let transaction = Transaction { connection: &self.connection, queued, horizon, shift };
        let done = turn
            .as_ref()
            .map_or(Ok(()), |turn| turn.write(&self.connection))
            .and_then(|()| work(&transaction))
            .and_then(|()| if durable && self.unsynced { beat(&self.connection) } else { Ok(()) });
        let is_done = done.is_ok();
        match done.and_then(|()| self.connection.prepare_cached("COMMIT")?.execute(())) {
            Ok(_) => {
                self.queued = transaction.queued.get();
                self.horizon = transaction.horizon.get();
                self.unsynced = !durable;
                turn.iter().for_each(|turn| self.timeline.turned(turn));
                Ok(())
            }
            Err(error) => {
                self.roll_back();
                if !is_done || !log_repair::is_needed_after(&error) {
                    return Err(NotCommitted::Undone(error));
                }
                self.doubt(&error);
                // Waits for the disk. Most often this is a blocking thread already, and it is no ordinary case.
                let relieved = self.relieve();
                Err(if relieved.is_ok() { NotCommitted::Undone(error) } else { NotCommitted::Unknown(error) })
            }
        }
    }

    fn begin(&mut self, durable: bool) -> rusqlite::Result<()> {
        if self.full != Some(durable) {
            self.connection.pragma_update(None, "synchronous", if durable { "FULL" } else { "NORMAL" })?;
            self.full = Some(durable);
        }
        let begun = self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute(());
        self.is_locked_out = begun.as_ref().is_err_and(is_busy);
        begun.map(drop)
    }

    /// Whether the disk may lack something of the log, although it has confirmed it.
    pub(super) fn is_in_doubt(&self) -> bool {
        self.doubt.is_some()
    }

    /// A sync of the log failed, here or elsewhere: nothing durable is promised until the log is repaired.
    pub(super) fn doubt(&mut self, error: &rusqlite::Error) {
        let code = error.sqlite_error().map_or(ffi::SQLITE_IOERR_FSYNC, |error| error.extended_code);
        self.doubt = Some(Doubt { code, tried: None });
        self.log.doubted(true);
    }

    /// A checkpoint failed: it may have been its sync of the log.
    pub(super) fn hear_of_checkpoint(&mut self, error: &rusqlite::Error) {
        if error.sqlite_error_code() == Some(ErrorCode::SystemIoFailure) {
            self.doubt(error);
        }
    }

    /// Repairs a log that is in doubt, or says why it still is.
    pub(super) fn relieve(&mut self) -> rusqlite::Result<()> {
        let Some(doubt) = &mut self.doubt else { return Ok(()) };
        if doubt.tried.is_some_and(|tried| tried.elapsed() < REPAIRS) {
            return Err(rusqlite::Error::SqliteFailure(ffi::Error::new(doubt.code), None));
        }
        let repaired = log_repair::run(&self.connection, &self.path);
        // From its end: what hangs is not to be tried again at once.
        doubt.tried = Some(Instant::now());
        repaired?;
        (self.doubt, self.unsynced) = (None, true);
        self.log.doubted(false);
        Ok(())
    }

    /// Undoes a transaction that is still open, if there is one.
    pub(super) fn roll_back(&self) {
        // SQLite has rolled back by itself after some errors, and says so with an error.
        drop(self.connection.execute_batch("ROLLBACK"));
    }

    /// Moves the whole log into the file and cuts it to nothing. False: a reader was in the way. It is not waited for: every
    /// send would wait too.
    pub(super) fn truncate_log(&self) -> rusqlite::Result<bool> {
        self.checkpoint("PRAGMA wal_checkpoint(TRUNCATE)")
    }

    /// Moves the whole log into the file, and has the next commit write it from its beginning again, over what was there.
    /// False: a reader was in the way.
    pub(super) fn restart_log(&self) -> rusqlite::Result<bool> {
        self.checkpoint("PRAGMA wal_checkpoint(RESTART)")
    }

    fn checkpoint(&self, pragma: &str) -> rusqlite::Result<bool> {
        if self.is_cut() {
            // The pages that are missing would be moved into the file as zeros.
            return Ok(false);
        }
        let is_moved = self.connection.query_row(pragma, (), |row| row.get(0)).map(|busy: i64| busy == 0)?;
        if is_moved {
            self.log.moved();
        }
        Ok(is_moved)
    }

    /// Whether the files are still there is looked at before each durable commit of many callers.
    pub(super) fn watch(&mut self, presence: Arc<Presence>) {
        self.presence = Some(presence);
    }

    /// Looks at the files.
    pub(super) fn look(&self) {
        self.presence.iter().for_each(|presence| presence.look());
    }

    /// Whether something of the log is lost.
    pub(super) fn is_cut(&self) -> bool {
        self.presence.as_ref().is_some_and(|presence| presence.is_cut())
    }
}

/// Whether another program holds a lock that was needed.
pub(super) fn is_busy(error: &rusqlite::Error) -> bool {
    matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked))
}

/// Changes a row, so that a commit has something to sync: an empty one syncs nothing.
pub(super) fn beat(connection: &Connection) -> rusqlite::Result<()> {
    connection.prepare_cached("UPDATE heartbeat SET beats = beats + 1")?.execute(()).map(drop)
}
