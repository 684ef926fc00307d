//! Keeps the write-ahead log short: texts of settled messages must not stay in it, and it must not grow for ever.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI32, Ordering};
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::committer::Committer;
use super::trouble::{Damage, Trouble};
use super::writer::Writer;

/// When the log is emptied.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bounds {
    /// How long what was written may stay in it. The promise is a minute.
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
}

impl Log {
    /// Hears after each commit how many pages the log has.
    pub(super) fn grown(&self, pages: i32) {
        self.pages.store(pages, Ordering::Relaxed);
        self.written.notify_one();
    }

    fn pages(&self) -> i32 {
        self.pages.load(Ordering::Relaxed)
    }
}

/// Empties the log of `database` as needed, for as long as it is polled. Sleeps while nothing is written.
///
/// A log that is only large is begun anew in place: cutting the file costs some milliseconds in which nobody is answered,
/// and a commit that makes the file longer syncs more slowly than one that writes over what was there. One that is old is
/// cut.
pub(super) async fn keep(database: PathBuf, committer: Committer, damage: Damage, log: Arc<Log>, bounds: Bounds) {
    let trouble = Trouble::of_one(damage);
    loop {
        log.written.notified().await;
        let since = Instant::now();
        loop {
            tokio::time::sleep(GLANCE).await;
            if since.elapsed() >= bounds.oldest {
                if empty(&database, &committer, &trouble, Writer::truncate_log).await {
                    break;
                }
            } else if log.pages() > bounds.largest && empty(&database, &committer, &trouble, Writer::restart_log).await
            {
                // The next commit says anew how many there are.
                log.pages.store(0, Ordering::Relaxed);
            }
        }
    }
}

async fn empty(
    database: &Path,
    committer: &Committer,
    trouble: &Trouble,
    end: fn(&Writer) -> rusqlite::Result<bool>,
) -> bool {
    let path = database.to_owned();
    // The bulk goes while others write on; what is left then is short work for the writer itself.
    let moved = tokio::task::spawn_blocking(move || {
        let connection = Connection::open(path)?;
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))
    });
    if !matches!(moved.await.map(|moved| trouble.of(moved)), Ok(Ok(()))) {
        return false;
    }
    let emptied = committer.lend(move |writer| end(writer)).await;
    matches!(emptied.map(|emptied| trouble.of(emptied)), Some(Ok(true)))
}

#[cfg(test)]
mod tests {
    use super::super::Options;
    use super::*;

    const LONG: Duration = Duration::from_secs(3600);
    /// An end for what hangs.
    const PATIENCE: Duration = Duration::from_secs(30);

    /// An outbox whose log is kept within `bounds`; `commit` makes it longer.
    struct Kept {
        folder: tempfile::TempDir,
        committer: Committer,
        log: Arc<Log>,
    }

    impl Kept {
        fn within(bounds: Bounds) -> Self {
            let folder = tempfile::tempdir().unwrap();
            let (database, log) = (folder.path().join("outbox.db"), Arc::<Log>::default());
            let writer = Writer::open(&database, Arc::clone(&log), Options::default(), None).unwrap();
            let committer = Committer::new(writer, Damage::default());
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
        let kept = Kept::within(Bounds { oldest: LONG, largest: 50 });
        let mut most = 0;
        let until = Instant::now() + PATIENCE;
        while kept.log.pages() >= most {
            most = kept.log.pages();
            assert!(Instant::now() < until, "it has {most} pages");
            kept.commit().await;
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
        kept.commit().await;
        let pages = kept.log.pages();
        assert!((1..50).contains(&pages) && most > 50, "it had {most} pages and then {pages}");
        assert!(kept.length() > 50 * 4096, "the file was cut to {}", kept.length());
    }

    #[tokio::test]
    async fn a_log_that_is_old_is_cut_to_nothing_however_short() {
        let kept = Kept::within(Bounds { oldest: Duration::from_millis(100), largest: i32::MAX });
        kept.commit().await;
        assert!(kept.length() > 0);
        let until = Instant::now() + PATIENCE;
        while kept.length() > 0 {
            assert!(Instant::now() < until, "it still has {} bytes", kept.length());
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}
