//! The mark of a key that is being made, a tag of its user: since when, and where. A key that was made under the mark and
//! is in no file was lost by a run that was cut off, and may be replaced. While the mark is young and another place's, that
//! run may still be writing the key down: its key is left alone.

use std::collections::hash_map::DefaultHasher;
use std::fs::{self, File, OpenOptions};
use std::hash::{Hash, Hasher};
use std::io::ErrorKind;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use tokio::time::sleep;

/// Longer than a run takes between the mark and its removal, repetitions of its calls included.
const LEASE: Duration = Duration::from_secs(180);

/// How often a lock is tried that another run on this machine holds.
const TRY_EVERY: Duration = Duration::from_millis(250);

/// What the tag says.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Mark {
    since: Option<DateTime>,
    by: Option<String>,
}

impl Mark {
    /// Reads the value of the tag: a time, and the place that set it, which marks of earlier versions lack. A mark without
    /// a time marks nothing.
    pub(super) fn read(value: &str) -> Self {
        let (time, by) = value.split_once('/').map_or((value, None), |(time, by)| (time, Some(by.to_owned())));
        Self { since: DateTime::from_str(time, Format::DateTime).ok(), by }
    }

    /// The value of the tag for a key that is made now in `place`; nothing for a time that cannot be written.
    pub(super) fn value(now: &DateTime, place: &str) -> Option<String> {
        let time = DateTime::from_secs(now.secs()).fmt(Format::DateTime).ok()?;
        Some(format!("{time}/{place}"))
    }

    /// The time from which on keys are made under it.
    pub(super) fn since(&self) -> Option<&DateTime> {
        self.since.as_ref()
    }

    /// Whether it is another place's.
    pub(super) fn is_of_another(&self, place: &str) -> bool {
        self.by.as_deref().is_some_and(|by| by != place)
    }

    /// Whether a run in another place than `place` may be making a key under it at this moment.
    pub(super) fn is_busy(&self, place: &str, now: &DateTime) -> bool {
        let age = self.since.as_ref().map(|since| now.secs().saturating_sub(since.secs()));
        self.is_of_another(place) && age.is_some_and(|age| age < LEASE.as_secs() as i64)
    }
}

/// What tells one section of one file on one machine from all others. It names neither.
pub(super) fn place(file: &Path, profile: &str) -> String {
    let mut hasher = DefaultHasher::new();
    let machine = fs::read("/etc/machine-id").unwrap_or_default();
    let name = rustix::system::uname().nodename().to_owned();
    let file = file.canonicalize().unwrap_or_else(|_| file.to_owned());
    (machine, name, file, profile).hash(&mut hasher);
    format!("{:016x}", hasher.finish())
}

/// Held by the one run on this machine that makes a key for a place. It ends with the process.
#[derive(Debug)]
pub struct Alone {
    path: PathBuf,
    _file: File,
}

impl Alone {
    /// Waits for its turn. Nothing where no file can be locked: whoever cannot lock goes on alone.
    pub(super) async fn in_place(place: &str) -> Option<Self> {
        let path = std::env::temp_dir().join(format!("sms-provision-{place}.lock"));
        loop {
            let no_link = rustix::fs::OFlags::NOFOLLOW.bits() as i32;
            let open = OpenOptions::new().write(true).create(true).mode(0o600).custom_flags(no_link).open(&path);
            let file = open.ok()?;
            match file.try_lock() {
                // Whoever held it before may have removed the file meanwhile.
                Ok(()) if is_at(&file, &path) => return Some(Self { path, _file: file }),
                Ok(()) => {}
                Err(fs::TryLockError::WouldBlock) => sleep(TRY_EVERY).await,
                Err(fs::TryLockError::Error(error)) if error.kind() == ErrorKind::Interrupted => {}
                Err(fs::TryLockError::Error(_)) => return None,
            }
        }
    }
}

impl Drop for Alone {
    fn drop(&mut self) {
        // What stays is an empty file.
        drop(fs::remove_file(&self.path));
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    let inode = |found: fs::Metadata| (found.dev(), found.ino());
    file.metadata().map(inode).ok() == fs::symlink_metadata(path).map(inode).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: i64 = 1_795_464_000;

    fn at(seconds: i64) -> DateTime {
        DateTime::from_secs(seconds)
    }

    #[test]
    fn a_young_mark_of_another_place_is_left_alone_and_one_of_this_place_is_not() {
        let mark = Mark::read(&Mark::value(&at(NOW), "here").unwrap());
        assert_eq!(mark.since(), Some(&at(NOW)));
        assert!(mark.is_busy("there", &at(NOW)) && mark.is_busy("there", &at(NOW + 179)));
        assert!(!mark.is_busy("there", &at(NOW + 180)), "that run was cut off");
        assert!(!mark.is_busy("here", &at(NOW)));
    }

    #[test]
    fn a_mark_without_a_place_is_of_a_run_that_was_cut_off_and_one_without_a_time_marks_nothing() {
        assert!(!Mark::read("2026-11-24T20:00:00Z").is_busy("here", &at(NOW)));
        assert_eq!(Mark::read("whenever").since(), None);
        assert!(!Mark::read("whenever/there").is_busy("here", &at(NOW)));
    }

    #[tokio::test]
    async fn one_run_a_machine_makes_a_key_for_a_place_and_the_next_waits_for_it() {
        let place = place(Path::new("/nowhere"), &format!("test {}", std::process::id()));
        let first = Alone::in_place(&place).await.unwrap();
        let second = Alone::in_place(&place);
        tokio::pin!(second);
        assert!(futures_util::poll!(&mut second).is_pending());
        drop(first);
        let second = second.await.unwrap();
        assert!(second.path.exists());
    }
}
