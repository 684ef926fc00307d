//! Whether the open file is still the one at its path.
//!
//! A file that was removed or replaced while it is open goes on taking writes, and a restart would find none of them. So
//! nothing more is promised then; what was accepted before is still sent.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Weak};
use std::time::Duration;

use super::file::unavailable;
use crate::message::Problem;

/// How often it is looked at.
const LOOK_EVERY: Duration = Duration::from_secs(1);

const GONE: &str = "`outbox.db` or its -wal file in `agent.data_dir` was removed or replaced while the agent uses it: what it \
    has accepted is still sent, but a restart would lose what it accepts now. Move the same files back; or stop the agent, \
    put a backup in place, and start it";

/// Device and inode of a file.
type Identity = (u64, u64);

/// The files of an outbox as they were when it was opened.
pub(super) struct Presence {
    files: [(PathBuf, Option<Identity>); 2],
    gone: AtomicBool,
}

impl Presence {
    /// Of the file at `path` and its log, both open.
    pub(super) fn of(path: &Path) -> Self {
        let file = |path: PathBuf| {
            let identity = identity(&path);
            (path, identity)
        };
        Self { files: [file(path.to_owned()), file(path.with_extension("db-wal"))], gone: AtomicBool::new(false) }
    }

    /// Looks at the paths now. Not on the runtime's thread: a disk may hang.
    pub(super) fn look(&self) {
        let gone = self.files.iter().any(|(path, opened)| opened.is_some() && identity(path) != *opened);
        match (self.gone.swap(gone, Ordering::Relaxed), gone) {
            (false, true) => tracing::error!("{GONE}"),
            (true, false) => tracing::info!("the files of the outbox are back at their place"),
            _ => {}
        }
    }

    /// As of the last look.
    ///
    /// # Errors
    /// `outbox_unavailable`, with what to do.
    pub(super) fn check(&self) -> Result<(), Problem> {
        if self.gone.load(Ordering::Relaxed) { Err(unavailable(GONE)) } else { Ok(()) }
    }
}

fn identity(path: &Path) -> Option<Identity> {
    std::fs::symlink_metadata(path).ok().map(|file| (file.dev(), file.ino()))
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
