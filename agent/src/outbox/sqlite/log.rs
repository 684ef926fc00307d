//! Keeps the write-ahead log short: texts of settled messages must not stay in it, and it must not grow for ever.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use rusqlite::Connection;
use tokio::sync::Notify;
use tokio::time::Instant;

use super::committer::Committer;
use super::trouble::{Damage, Trouble};

/// How long what was written may stay in the log. The promise is a minute.
const OLDEST: Duration = Duration::from_secs(20);
/// How large the log may become before it is emptied at once. Emptying stops all for some milliseconds, so not often.
const LARGEST: u64 = 8 << 20;
/// How often a growing log is looked at.
const GLANCE: Duration = Duration::from_millis(50);

/// Empties the log of `database` as needed, for as long as it is polled. Sleeps while nothing is written.
pub(super) async fn keep(database: PathBuf, committer: Committer, damage: Damage, written: Arc<Notify>) {
    let log = {
        let mut name = database.clone().into_os_string();
        name.push("-wal");
        PathBuf::from(name)
    };
    let trouble = Trouble::of_one(damage);
    loop {
        written.notified().await;
        let since = Instant::now();
        loop {
            tokio::time::sleep(GLANCE).await;
            let size = std::fs::metadata(&log).map_or(0, |file| file.len());
            if (size > LARGEST || since.elapsed() >= OLDEST) && empty(&database, &committer, &trouble).await {
                break;
            }
        }
    }
}

async fn empty(database: &std::path::Path, committer: &Committer, trouble: &Trouble) -> bool {
    let path = database.to_owned();
    // The bulk goes while others write on; what is left then is short work for the writer itself.
    let moved = tokio::task::spawn_blocking(move || {
        let connection = Connection::open(path)?;
        connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", (), |_| Ok(()))
    });
    if !matches!(moved.await.map(|moved| trouble.of(moved)), Ok(Ok(()))) {
        return false;
    }
    let emptied = committer.lend(|writer| writer.truncate_log()).await;
    matches!(emptied.map(|emptied| trouble.of(emptied)), Some(Ok(true)))
}
