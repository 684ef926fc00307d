//! Whether the open files are still the ones at their paths, and whole.
//!
//! A file that was removed or replaced while it is open goes on taking writes, and a restart would find none of them; what
//! was cut off its log is lost, and with it all that follows. So nothing more is promised then; what was accepted before is
//! still sent.

use std::fs::{File, Metadata};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::time::Duration;

use rusqlite::{Connection, ffi};

use super::file::unavailable;
use super::log_repair::log_of;
use crate::message::Problem;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

pub(super) const GONE: &str = "`outbox.db` or its -wal file in `agent.data_dir` was removed or replaced while the agent uses \
    it: what it has accepted is still sent, but a restart would lose what it accepts now. Move the same files back; or stop \
    the agent, put a backup in place, and start it";

const CUT: &str = "`outbox.db-wal` in `agent.data_dir` was cut while the agent uses it: what the agent accepted last is in its \
    memory only. Let it send what it has, stop it, put a backup in place, and start it";

/// Where the salts of a log are in its header, and in that of a frame: other ones each time that it is begun anew.
const GENERATION: u64 = 16;
const OF_A_FRAME: u64 = 8;

/// A frame of the log; the first one has the number 1.
#[derive(Clone, Copy, Debug)]
struct Frame {
    generation: [u8; 8],
    number: u32,
}

/// Device and inode of a file.
type Identity = (u64, u64);

/// The files of an outbox as they were when it was opened.
pub(super) struct Presence {
    files: [(PathBuf, Option<Identity>); 2],
    /// It knows how long the log has to be.
    reader: Arc<Mutex<Connection>>,
    page_size: u64,
    log: Option<File>,
    /// The last frame that was there at the last look.
    last: Mutex<Option<Frame>>,
    gone: AtomicBool,
    /// For good: what is written behind the gap makes the file long again, and no more whole.
    cut: AtomicBool,
}

impl Presence {
    /// Of the file at `path` and its log, both open, by `reader` too.
    pub(super) fn of(path: &Path, reader: Arc<Mutex<Connection>>) -> Self {
        let file = |path: PathBuf| {
            let identity = metadata(&path).as_ref().map(identity);
            (path, identity)
        };
        let page_size = {
            let reader = reader.lock().unwrap_or_else(PoisonError::into_inner);
            reader.pragma_query_value(None, "page_size", |row| row.get::<_, u32>(0)).map_or(0, u64::from)
        };
        let (gone, cut) = (AtomicBool::new(false), AtomicBool::new(false));
        // No lock of SQLite's is on the log, so it may be opened and closed.
        let (log, last) = (File::open(log_of(path)).ok(), Mutex::default());
        Self { files: [file(path.to_owned()), file(log_of(path))], reader, page_size, log, last, gone, cut }
    }

    /// Looks at the paths now. Not on the runtime's thread: a disk may hang.
    pub(super) fn look(&self) {
        let [_, log] = &self.files;
        let is_there = |(path, opened): &(PathBuf, Option<Identity>)| {
            opened.is_none() || metadata(path).as_ref().map(identity) == *opened
        };
        let gone = !self.files.iter().all(is_there);
        match (self.gone.swap(gone, Ordering::Relaxed), gone) {
            (false, true) => tracing::error!("{GONE}"),
            (true, false) => tracing::info!("the files of the outbox are back at their place"),
            _ => {}
        }
        // Twice: between the two questions another program may empty the log as it should be done.
        if !gone && self.is_short(&log.0) && self.is_short(&log.0) && !self.cut.swap(true, Ordering::Relaxed) {
            tracing::error!("{CUT}");
        }
    }

    /// Whether the log is shorter than what was committed to it, or was since the last look: what is written behind a gap
    /// makes the file long again.
    fn is_short(&self, log: &Path) -> bool {
        let frames = {
            let reader = self.reader.lock().unwrap_or_else(PoisonError::into_inner);
            let counted = reader.prepare_cached("PRAGMA wal_checkpoint(NOOP)");
            counted.and_then(|mut counted| counted.query_row((), |row| row.get::<_, u32>(1))).unwrap_or(0)
        };
        let Some(end) = self.end_of(frames).filter(|_| frames > 0) else { return false };
        if metadata(log).is_some_and(|log| log.len() < end) {
            return true;
        }
        let mut last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        // The generation of the log, which each of its frames has too.
        let Some(generation) = self.read(GENERATION) else { return false };
        let is_broken = last.is_some_and(|last| {
            let place = self.end_of(last.number - 1).map(|begin| begin + OF_A_FRAME);
            last.generation == generation && place.and_then(|place| self.read(place)) != Some(generation)
        });
        if is_broken || generation == [0; 8] {
            return true;
        }
        *last = Some(Frame { generation, number: frames });
        false
    }

    /// Where so many frames end.
    fn end_of(&self, frames: u32) -> Option<u64> {
        const HEADER: u64 = 32;
        const FRAME_HEADER: u64 = 24;
        u64::from(frames).checked_mul(FRAME_HEADER + self.page_size)?.checked_add(HEADER)
    }

    fn read(&self, place: u64) -> Option<[u8; 8]> {
        let mut bytes = [0; 8];
        self.log.as_ref()?.read_exact_at(&mut bytes, place).ok()?;
        Some(bytes)
    }

    /// As of the last look.
    ///
    /// # Errors
    /// `outbox_unavailable`, with what to do.
    pub(super) fn check(&self) -> Result<(), Problem> {
        match () {
            () if self.is_cut() => Err(unavailable(CUT)),
            () if self.gone.load(Ordering::Relaxed) => Err(unavailable(GONE)),
            () => Ok(()),
        }
    }

    /// Whether something of the log is lost, as of the last look.
    pub(super) fn is_cut(&self) -> bool {
        self.cut.load(Ordering::Relaxed)
    }
}

/// What SQLite would say if it looked itself.
pub(super) fn moved() -> rusqlite::Error {
    rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_READONLY_DBMOVED), None)
}

fn metadata(path: &Path) -> Option<Metadata> {
    std::fs::symlink_metadata(path).ok()
}

fn identity(file: &Metadata) -> Identity {
    (file.dev(), file.ino())
}

/// Looks every second, for as long as the outbox is there.
pub(super) async fn watch(presence: Weak<Presence>) {
    loop {
        tokio::time::sleep(LOOK_EVERY).await;
        let Some(presence) = presence.upgrade() else { return };
        now(&presence).await;
    }
}

/// Looks at once.
pub(super) async fn now(presence: &Arc<Presence>) {
    let presence = Arc::clone(presence);
    // It only fails when the runtime is going down.
    drop(tokio::task::spawn_blocking(move || presence.look()).await);
}
