//! Keeps the write-ahead log short: texts of settled messages must not stay in it, and it must not grow for ever.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::committer::Committer;
use super::damage::Damage;
use super::run_note::Note;
use super::trouble::Trouble;
use super::writer::Writer;

/// When the log is emptied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How long what was written may stay in it while nobody else reads the file. The promise is a minute.
    oldest: Duration,
    /// How many pages it may have before it is begun anew. That stops all for a moment, so not often.
    largest: i32,
}

impl Default for Bounds {
    /// 8 MiB of pages of 4 KiB.
    fn default() -> Self {
        Self { oldest: Duration::from_secs(20), largest: 2048 }
    }
}

/// How often a growing log is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// What is known of the log without looking at its file, which keeps its length when it is begun anew.
#[derive(Debug, Default)]
pub(super) struct Log {
    written: Notify,
    pages: AtomicI32,
    /// The disk may lack something of it.
    in_doubt: AtomicBool,
    /// How often that began.
    doubts: AtomicU64,
    note: OnceLock<Note>,
}

impl Log {
    /// Hears after each commit how many pages the log has.
    pub(super) fn grown(&self, pages: i32) {
        self.pages.store(pages, Ordering::Relaxed);
        self.note.get().into_iter().for_each(Note::log_holds);
        self.written.notify_one();
    }

    /// Hears that all of it is in the file.
    pub(super) fn moved(&self) {
        self.note.get().into_iter().for_each(Note::log_moved);
    }

    /// Where to note whether it holds something. Once.
    pub(super) fn noted_in(&self, note: Note) {
        drop(self.note.set(note));
    }

    /// Hears whether the disk may lack something of it, until it is repaired.
    pub(super) fn doubted(&self, in_doubt: bool) {
        if in_doubt {
            self.doubts.fetch_add(1, Ordering::AcqRel);
            self.written.notify_one();
        }
        self.in_doubt.store(in_doubt, Ordering::Release);
    }

    /// How often it came into doubt so far, unless it is in doubt now: what was synced between two equal answers is on the
    /// disk.
    pub(super) fn sound(&self) -> Option<u64> {
        (!self.in_doubt.load(Ordering::Acquire)).then(|| self.doubts.load(Ordering::Acquire))
    }

    fn pages(&self) -> i32 {
        self.pages.load(Ordering::Relaxed)
    }
}

/// The longest pause between two tries to empty a log that a reader keeps: it is empty that soon after the reader ends.
const LONGEST_PAUSE: Duration = Duration::from_secs(1);

/// How long a reader may keep the log before the agent warns of it.
const TOLERATED: Duration = Duration::from_secs(5);

/// Tries in a row at a log that was moved into the file and that only a reader of this moment keeps, and the pause between.
const TRIES: u32 = 4;
const BETWEEN_TRIES: Duration = Duration::from_millis(5);

/// Empties the log of `database` as needed, for as long as it is polled. Sleeps while nothing is written.
///
/// A log that is only large is begun anew in place: cutting the file costs some milliseconds in which nobody is answered,
/// and a commit that makes the file longer syncs more slowly than one that writes over what was there. One that is old is
/// cut.
///
/// A program that reads the outbox keeps its log from being emptied for as long as it reads. Nothing waits for it: the log
/// grows meanwhile, and is tried again after a pause.
pub(super) async fn keep(database: PathBuf, committer: Committer, damage: Damage, log: Arc<Log>, bounds: Bounds) {
    let trouble = Trouble::of_one(damage);
    let mut keeper = Keeper { database, connection: None };
    loop {
        log.written.notified().await;
        let since = Instant::now();
        let (mut pause, mut kept) = (GLANCE, Kept::default());
        loop {
            tokio::time::sleep(pause).await;
            if log.sound().is_none() {
                // Moving pages into the file that the disk lacks in the log would leave neither whole after a power cut.
                let relieved = committer.lend(Writer::relieve).await.map(|relieved| trouble.of(relieved));
                pause = if matches!(relieved, Some(Ok(()))) { GLANCE } else { LONGEST_PAUSE };
                continue;
            }
            let is_old = since.elapsed() >= bounds.oldest;
            if !is_old && log.pages() <= bounds.largest {
                pause = GLANCE;
                continue;
            }
            if committer.lend(|writer| writer.is_cut()).await == Some(true) {
                // The pages that are missing would be moved into the file as zeros.
                pause = LONGEST_PAUSE;
                continue;
            }
            let end = if is_old { Writer::truncate_log } else { Writer::restart_log };
            let emptied = keeper.empty(&committer, &trouble, end).await;
            kept.hear(emptied, log.pages());
            if emptied != Emptied::Done {
                pause = (pause * 2).min(LONGEST_PAUSE);
                continue;
            }
            if is_old {
                break;
            }
            // The next commit says anew how many there are.
            log.pages.store(0, Ordering::Relaxed);
            pause = GLANCE;
        }
    }
}

/// What became of an attempt to empty the log.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
enum Emptied {
    Done,
    /// Another connection reads, checkpoints or writes.
    InUse,
    /// The disk did not take it; that was logged.
    Failed,
}

/// Moves pages from the log into the file, beside the writer.
struct Keeper {
    database: PathBuf,
    /// Kept open: the kernel tells each descriptor that was open of a write that it dropped, and no later one.
    connection: Option<Connection>,
}

impl Keeper {
    async fn empty(
        &mut self,
        committer: &Committer,
        trouble: &Trouble,
        end: fn(&Writer) -> rusqlite::Result<bool>,
    ) -> Emptied {
        // The bulk goes while others write on; what is left then is short work for the writer itself.
        let is_moved = match self.pass().await.map(|moved| trouble.of_ref(moved)) {
            Some(Ok(is_moved)) => is_moved,
            Some(Err(error)) => {
                committer.lend(move |writer| writer.hear_of_checkpoint(&error)).await;
                return Emptied::Failed;
            }
            None => return Emptied::Failed,
        };
        // What a reader still needs of the log may be long, and the writer would only look at all of it in vain.
        if !is_moved {
            return Emptied::InUse;
        }
        for _ in 0..TRIES {
            let ended = committer.lend(move |writer| end(writer).inspect_err(|error| writer.hear_of_checkpoint(error)));
            match ended.await.map(|emptied| trouble.of(emptied)) {
                Some(Ok(true)) => return Emptied::Done,
                Some(Ok(false)) => tokio::time::sleep(BETWEEN_TRIES).await,
                Some(Err(_)) | None => return Emptied::Failed,
            }
        }
        Emptied::InUse
    }

    /// Moves what no reader needs of the log; true: all of it. `None`: the runtime is ending.
    async fn pass(&mut self) -> Option<rusqlite::Result<bool>> {
        let (open, database) = (self.connection.take(), self.database.clone());
        let passing = tokio::task::spawn_blocking(move || {
            let connection = open.map_or_else(|| Connection::open(database), Ok)?;
            super::file::keep_log(&connection)?;
            let moved = connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |row| {
                let (busy, pages, moved): (i64, i64, i64) = row.try_into()?;
                Ok(busy == 0 && pages == moved)
            });
            Ok::<_, rusqlite::Error>((connection, moved))
        });
        match passing.await.ok()? {
            Ok((connection, moved)) => {
                self.connection = Some(connection);
                Some(moved)
            }
            Err(error) => Some(Err(error)),
        }
    }
}

/// Since when another program keeps the log, and whether the agent has warned of it.
#[derive(Debug, Default)]
struct Kept {
    since: Option<Instant>,
    is_told: bool,
}

impl Kept {
    /// Hears of an attempt to empty a log of so many pages.
    fn hear(&mut self, emptied: Emptied, pages: i32) {
        match emptied {
            Emptied::InUse => {
                let since = *self.since.get_or_insert_with(Instant::now);
                if since.elapsed() >= TOLERATED && !std::mem::replace(&mut self.is_told, true) {
                    tracing::warn!(
                        pages,
                        "another process has `outbox.db` open in a transaction (a sqlite3 shell, a backup, a monitor), so the \
                         write-ahead log cannot be emptied: `outbox.db-wal` grows, and texts of settled messages stay in \
                         it until that process ends its transaction. Sending goes on"
                    );
                }
            }
            Emptied::Done => {
                if std::mem::take(self).is_told {
                    tracing::info!("the write-ahead log of the outbox is emptied again");
                }
            }
            Emptied::Failed => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    /// An end for what hangs.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// An outbox whose log is kept within `bounds`; `commit` makes it longer.
    struct Outbox {
        folder: tempfile::TempDir,
        committer: Committer,
        log: Arc<Log>,
    }

    impl Outbox {
        fn within(bounds: Bounds) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (database, log) = (folder.path().join("outbox.db"), Arc::<Log>::default());
            let writer = Writer::open(&database, Arc::clone(&log), Options::default(), None).unwrap();
            let committer = Committer::new(writer, Damage::default(), crate::tasks::Tasks::default());
            tokio::spawn(keep(database, committer.clone(), Damage::default(), Arc::clone(&log), bounds));
            Self { folder, committer, log }
        }

        async fn commit(&self) {
            self.committer.run(false, |transaction| super::super::writer::beat(transaction)).await.unwrap();
        }

        fn length(&self) -> u64 {
            std::fs::metadata(self.folder.path().join("outbox.db-wal")).unwrap().len()
        }
    }

    #[tokio::test]
    async fn a_log_that_is_large_is_begun_anew_and_its_file_keeps_its_length() {
        let outbox = Outbox::within(Bounds { oldest: LONG, largest: 50 });
        let mut most = 0;
        let until = Instant::now() + PATIENCE;
        while outbox.log.pages() >= most {
            most = outbox.log.pages();
            assert!(Instant::now() < until, "it has {most} pages");
            outbox.commit().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        outbox.commit().await;
        let pages = outbox.log.pages();
        assert!((1..50).contains(&pages) && most > 50, "it had {most} pages and then {pages}");
        assert!(outbox.length() > 50 * 4096, "the file was cut to {}", outbox.length());
    }

    #[tokio::test]
    async fn a_log_that_is_old_is_cut_to_nothing_however_short() {
        let outbox = Outbox::within(Bounds { oldest: Duration::from_millis(100), largest: i32::MAX });
        outbox.commit().await;
        assert!(outbox.length() > 0);
        let until = Instant::now() + PATIENCE;
        while outbox.length() > 0 {
            assert!(Instant::now() < until, "it still has {} bytes", outbox.length());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    /// A reader in a transaction, as of another program, at the end of the log as it is now.
    fn reader(outbox: &Outbox) -> Connection {
        let reader = Connection::open(outbox.folder.path().join("outbox.db")).unwrap();
        reader.execute_batch("BEGIN; SELECT count(*) FROM message").unwrap();
        reader
    }

    #[tokio::test]
    async fn the_writer_does_not_wait_for_a_reader_and_the_log_is_cut_once_it_ended() {
        let outbox = Outbox::within(Bounds { oldest: Duration::from_millis(100), largest: 10 });
        outbox.commit().await;
        let reader = reader(&outbox);
        let writing = Instant::now();
        // Long enough that the log is old, and large, many times over.
        for _ in 0..100 {
            outbox.commit().await;
            tokio::time::sleep(Duration::from_millis(10)).await;
            let tried = outbox.committer.lend(|writer| {
                let begun = Instant::now();
                assert!(!writer.truncate_log().unwrap() && !writer.restart_log().unwrap(), "a reader is in the way");
                begun.elapsed()
            });
            assert!(tried.await.unwrap() < Duration::from_secs(1), "it waited for the reader");
        }
        assert!(writing.elapsed() < PATIENCE);
        assert!(outbox.length() > 0);
        drop(reader);
        let until = Instant::now() + PATIENCE;
        while outbox.length() > 0 {
            assert!(Instant::now() < until, "it still has {} bytes", outbox.length());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_reader_that_stays_is_warned_of_once_and_one_that_passes_is_not() {
        let said = super::super::trouble::Said::default();
        let _logging = said.hear();
        let mut kept = Kept::default();
        kept.hear(Emptied::InUse, 3);
        kept.hear(Emptied::Done, 0);
        assert_eq!(said.take(), [""; 0]);
        for _ in 0..100 {
            kept.hear(Emptied::InUse, 3);
            tokio::time::advance(LONGEST_PAUSE).await;
        }
        assert_eq!(said.take(), ["WARN"]);
        kept.hear(Emptied::Failed, 3);
        kept.hear(Emptied::Done, 0);
        assert_eq!(said.take(), ["INFO"]);
    }
}
