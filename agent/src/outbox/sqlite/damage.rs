//! Whether the file is damaged, or only its disk fails to read it.
//!
//! SQLite reports a page that the disk does not give as a damaged one. So before anyone is told to put a file away, the
//! whole file is read here, and checked over a connection of its own. Nothing that is found is final: it is looked at again
//! after a while, since disks recover and files are put back.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rusqlite::{Connection, ErrorCode, OpenFlags};
use tokio::sync::Notify;
use tokio::time::Instant;

use super::file::unavailable;
use super::log_repair::log_of;
use crate::message::Problem;

/// How long a question of readiness waits for a check that is under way.
const PATIENCE: Duration = Duration::from_secs(3);

/// What is known of the file.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
enum Verdict {
    #[default]
    Sound,
    /// SQLite met something that it takes for damage; a check says what it is.
    Suspected,
    /// The disk does not give all of it.
    Unreadable,
    /// Another file lies in its place.
    Replaced,
    Damaged,
}

impl Verdict {
    fn words(self) -> Option<&'static str> {
        Some(match self {
            Self::Sound => return None,
            Self::Suspected => "SQLite could not make sense of a page of `outbox.db`; the file is being checked",
            Self::Unreadable => {
                "the disk of the outbox fails to read `outbox.db` (an I/O error, which is no damage of the file): check the \
                 disk. Nothing is lost as long as the file stays where it is; the agent goes on once it can be read"
            }
            Self::Replaced => {
                "`outbox.db` in `agent.data_dir` is not the file that the agent opened: it was moved, removed or replaced \
                 meanwhile. Stop the agent, put the right file in its place with its -wal file, and start again"
            }
            Self::Damaged => {
                "the outbox is damaged: stop the agent, copy `outbox.db` in `agent.data_dir` away with its -wal and -shm \
                 files, and put a backup in its place or what `sqlite3 outbox.db .recover` saves of it; without one the \
                 agent starts with an empty outbox"
            }
        })
    }

    /// How long it counts before the file is looked at again.
    fn lasts(self) -> Duration {
        match self {
            Self::Sound | Self::Suspected | Self::Unreadable | Self::Replaced => Duration::from_secs(1),
            Self::Damaged => Duration::from_secs(60),
        }
    }
}

/// What is known of one file to all who use it. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Damage(Arc<Shared>);

#[derive(Default)]
struct Shared {
    /// Open as long as any connection: closing it would release SQLite's own locks on the file.
    file: Option<(PathBuf, File)>,
    state: Mutex<State>,
    checked: Notify,
}

#[derive(Default)]
struct State {
    verdict: Verdict,
    is_checking: bool,
    checked_at: Option<Instant>,
}

impl Damage {
    /// Of that file, which is to be opened by SQLite after this and to be closed before.
    pub(super) fn of(path: &Path) -> io::Result<Self> {
        let file = Some((path.to_owned(), File::open(path)?));
        Ok(Self(Arc::new(Shared { file, ..Shared::default() })))
    }

    /// Whether SQLite takes that for damage.
    pub(super) fn is_suspected_by(error: &rusqlite::Error) -> bool {
        matches!(error.sqlite_error_code(), Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase))
    }

    /// SQLite met something like it.
    pub(super) fn met(&self, error: &rusqlite::Error) -> Problem {
        let mut state = self.lock();
        if state.verdict == Verdict::Sound {
            state.verdict = Verdict::Suspected;
            let code = error.sqlite_error().map(|error| error.extended_code);
            tracing::warn!(code, "{}", Verdict::Suspected.words().unwrap_or_default());
        }
        self.check_if_due(&mut state);
        unavailable(state.verdict.words().unwrap_or_default())
    }

    /// Nothing of the kind is known.
    ///
    /// # Errors
    /// `outbox_unavailable`, with the way out.
    pub(super) fn none(&self) -> Result<(), Problem> {
        let mut state = self.lock();
        match state.verdict.words() {
            None => Ok(()),
            Some(words) => {
                self.check_if_due(&mut state);
                Err(unavailable(words))
            }
        }
    }

    /// Waits a while for the check that is under way, if one is.
    pub(super) async fn checked(&self) {
        let checked = async {
            loop {
                let checked = self.0.checked.notified();
                if !self.lock().is_checking {
                    return;
                }
                checked.await;
            }
        };
        // A large file takes longer; what is known until then is said.
        drop(tokio::time::timeout(PATIENCE, checked).await);
    }

    fn check_if_due(&self, state: &mut State) {
        let is_due = state.checked_at.is_none_or(|at| at.elapsed() >= state.verdict.lasts());
        if state.is_checking || !is_due {
            return;
        }
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            state.is_checking = true;
            let this = self.clone();
            drop(runtime.spawn_blocking(move || this.check()));
        }
    }

    fn check(&self) {
        let verdict = self.0.file.as_ref().map_or(Verdict::Damaged, |(path, file)| look(path, file));
        let mut state = self.lock();
        let before = std::mem::replace(&mut state.verdict, verdict);
        (state.is_checking, state.checked_at) = (false, Some(Instant::now()));
        // Before anyone is answered with it.
        match verdict.words() {
            _ if before == verdict => {}
            None => {
                tracing::info!("the outbox was checked and is sound: what could not be read was an error of the disk")
            }
            Some(words) => tracing::error!("{words}"),
        }
        drop(state);
        self.0.checked.notify_waiters();
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn look(path: &Path, file: &File) -> Verdict {
    let is_same = |one: &Metadata, other: &Metadata| (one.dev(), one.ino()) == (other.dev(), other.ino());
    match (std::fs::metadata(path), file.metadata()) {
        (Ok(there), Ok(open)) if is_same(&there, &open) => {}
        (Err(error), _) if error.kind() != io::ErrorKind::NotFound => return Verdict::Unreadable,
        (_, Err(_)) => return Verdict::Unreadable,
        _ => return Verdict::Replaced,
    }
    if read_all(file).is_err() || read_log(path).is_err() {
        return Verdict::Unreadable;
    }
    let checked =
        Connection::open_with_flags(path, OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX)
            .and_then(|other| other.query_row("PRAGMA quick_check(1)", (), |row| row.get::<_, String>(0)));
    match checked {
        Ok(found) if found == "ok" => Verdict::Sound,
        Ok(_) => Verdict::Damaged,
        Err(error) if Damage::is_suspected_by(&error) => Verdict::Damaged,
        Err(_) => Verdict::Unreadable,
    }
}

/// What the disk says when it is to give the whole outbox, if it does not. Only while no connection is open.
pub(super) fn unreadable(path: &Path) -> Option<io::Error> {
    File::open(path).and_then(|file| read_all(&file)).and_then(|()| read_log(path)).err()
}

/// SQLite's locks do not depend on the log, so that it may be opened and closed.
fn read_log(path: &Path) -> io::Result<()> {
    match File::open(log_of(path)) {
        Ok(log) => read_all(&log),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

fn read_all(file: &File) -> io::Result<()> {
    let (mut buffer, mut place) = (vec![0; 1 << 18], 0);
    loop {
        match file.read_at(&mut buffer, place)? {
            0 => return Ok(()),
            read => place += read as u64,
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::ffi;

    use super::super::trouble::Said;
    use super::*;

    fn corrupt() -> rusqlite::Error {
        rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), None)
    }

    fn database() -> (tempfile::TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.db");
        Connection::open(&path).unwrap().execute_batch("CREATE TABLE t (n); INSERT INTO t VALUES (1)").unwrap();
        (folder, path)
    }

    #[tokio::test(start_paused = true)]
    async fn an_error_of_reading_that_passed_is_not_damage() {
        let (_folder, path) = database();
        let (damage, said) = (Damage::of(&path).unwrap(), Said::default());
        assert!(damage.none().is_ok());
        assert!(damage.met(&corrupt()).detail.contains("being checked"));
        damage.checked().await;
        assert!(damage.none().is_ok());
        // It is met once more, at once: it is not looked at for every request.
        let _logging = said.hear();
        damage.met(&corrupt());
        assert_eq!(said.take(), ["WARN"]);
        assert!(damage.none().is_err());
    }

    #[tokio::test(start_paused = true)]
    async fn damage_is_said_with_the_way_out_and_is_over_once_the_file_is_whole_again() {
        let (_folder, path) = database();
        let whole = std::fs::read(&path).unwrap();
        let damage = Damage::of(&path).unwrap();
        std::fs::write(&path, vec![0xa5; whole.len()]).unwrap();
        for _ in 0..3 {
            damage.met(&corrupt());
            damage.checked().await;
        }
        assert!(damage.none().unwrap_err().detail.contains(".recover"));
        std::fs::write(&path, whole).unwrap();
        assert!(damage.none().unwrap_err().detail.contains(".recover"), "it is looked at once a minute");
        tokio::time::advance(Verdict::Damaged.lasts()).await;
        assert!(damage.none().is_err());
        damage.checked().await;
        assert!(damage.none().is_ok());
    }

    #[tokio::test(start_paused = true)]
    async fn a_file_that_was_replaced_is_told_as_that() {
        let (folder, path) = database();
        let damage = Damage::of(&path).unwrap();
        std::fs::rename(&path, folder.path().join("away")).unwrap();
        for _ in 0..2 {
            damage.met(&corrupt());
            damage.checked().await;
            let told = damage.none().unwrap_err().detail;
            assert!(told.contains("moved, removed or replaced") && !told.contains(".recover"), "{told}");
            std::fs::write(&path, "another").unwrap();
            tokio::time::advance(Verdict::Replaced.lasts()).await;
        }
    }
}
