//! `outbox.run`: what a run of the agent notes beside the outbox, for the next start to compare.
//!
//! Three lines: the run's id; which file the outbox is (a copy is another file, with a time of birth of its own); and
//! whether the log holds what the file does not. The last line is written over in place, once each time the log was
//! emptied and is used again, and without an fsync: after the machine went down it may be older than the files, so it
//! counts only where a file is missing, which no power cut causes.

use std::fs::File;
use std::io::{self, Write};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::UNIX_EPOCH;

/// Which file the outbox is: its inode and its time of birth, in nanoseconds since 1970, where the file system has one.
/// Not the device, whose number may change when a volume is attached again.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) struct Identity(String);

impl Identity {
    pub(super) fn of(database: &Path) -> Option<Self> {
        let file = std::fs::metadata(database).ok()?;
        let born = file.created().ok().and_then(|born| born.duration_since(UNIX_EPOCH).ok());
        Some(Self(format!("{} {}", file.ino(), born.map_or(0, |born| born.as_nanos()))))
    }
}

/// What the last run noted.
#[derive(Debug)]
pub(super) struct Noted {
    pub(super) run: String,
    /// An earlier version noted the run only.
    pub(super) file: Option<Identity>,
    log: Option<String>,
}

impl Noted {
    pub(super) fn read(database: &Path) -> Option<Self> {
        let text = std::fs::read_to_string(place(database)).ok()?;
        let mut lines = text.lines();
        let run = lines.next()?.to_owned();
        let mut line = |name: &str| Some(lines.next()?.strip_prefix(name)?.trim().to_owned());
        let file = line("file").map(Identity);
        Some(Self { run, file, log: line("log") })
    }

    /// Whether `database` is another file than the one of that run: a copy of it, or one that was put in its place.
    pub(super) fn is_of_another(&self, database: &Path) -> bool {
        self.file.is_some() && self.file != Identity::of(database)
    }

    /// Whether the log held what the file still lacks: nothing was moved into it since.
    pub(super) fn is_log_needed(&self, database: &Path) -> bool {
        self.log.is_some() && self.log == written(database).filter(|at| at != NOTHING)
    }
}

/// The note of this run, open.
#[derive(Debug)]
pub(super) struct Note {
    database: PathBuf,
    file: File,
    /// Where its last line begins.
    line: u64,
    /// Whether it says that the log holds something.
    holds: AtomicBool,
}

/// The log holds nothing that is not in the file.
const NOTHING: &str = "0";

impl Note {
    /// Writes the note of a run that begins on an outbox with an empty log, in one step.
    pub(super) fn begin(database: &Path, run: &str) -> io::Result<Self> {
        let (path, draft) = (place(database), database.with_extension("run.part"));
        let identity = Identity::of(database).map_or_else(String::new, |Identity(identity)| identity);
        let head = format!("{run}\nfile {identity}\n");
        let mut file = crate::private_file::open(&draft)?;
        file.set_len(0)?;
        file.write_all(format!("{head}{}", last_line(NOTHING)).as_bytes())?;
        file.sync_all()?;
        std::fs::rename(&draft, &path)?;
        File::open(path.parent().unwrap_or(Path::new(".")))?.sync_all()?;
        Ok(Self { database: database.to_owned(), file, line: head.len() as u64, holds: AtomicBool::new(false) })
    }

    /// Hears that the log holds something. Costs nothing but the first time after it was emptied.
    pub(super) fn log_holds(&self) {
        if !self.holds.swap(true, Ordering::Relaxed) {
            self.write(&written(&self.database).unwrap_or_else(|| NOTHING.to_owned()));
        }
    }

    /// Hears that all of the log is in the file.
    pub(super) fn log_moved(&self) {
        if self.holds.swap(false, Ordering::Relaxed) {
            self.write(NOTHING);
        }
    }

    /// Without it the next start knows less, and that is all: the disk's own trouble is told elsewhere.
    fn write(&self, at: &str) {
        drop(self.file.write_all_at(last_line(at).as_bytes(), self.line));
    }
}

/// Always of the same length.
fn last_line(at: &str) -> String {
    format!("log {at:>20}\n")
}

fn place(database: &Path) -> PathBuf {
    database.with_extension("run")
}

/// When something was written to the file last, in nanoseconds since 1970.
fn written(database: &Path) -> Option<String> {
    let file = std::fs::metadata(database).ok()?;
    Some((i128::from(file.mtime()) * 1_000_000_000 + i128::from(file.mtime_nsec())).to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_note_says_which_file_it_is_of_and_what_the_log_holds() {
        let folder = tempfile::tempdir().unwrap();
        let (database, copy) = (folder.path().join("outbox.db"), folder.path().join("copy.db"));
        std::fs::write(&database, "one").unwrap();
        let note = Note::begin(&database, "0a1b").unwrap();
        let noted = || Noted::read(&database).unwrap();
        assert_eq!(noted().run, "0a1b");
        assert!(!noted().is_log_needed(&database), "it is empty");
        note.log_holds();
        note.log_holds();
        assert!(noted().is_log_needed(&database));
        note.log_moved();
        assert!(!noted().is_log_needed(&database));
        note.log_holds();
        let later = std::fs::metadata(&database).unwrap().modified().unwrap() + std::time::Duration::from_secs(1);
        File::options().write(true).open(&database).unwrap().set_modified(later).unwrap();
        assert!(!noted().is_log_needed(&database), "somebody has written to the file");

        std::fs::copy(&database, &copy).unwrap();
        assert!(!noted().is_of_another(&database) && noted().is_of_another(&copy));
        std::fs::write(place(&database), "0a1b\n").unwrap();
        assert!(!noted().is_of_another(&copy), "an earlier version noted the run only");
    }
}
