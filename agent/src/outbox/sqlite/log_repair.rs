//! Makes the write-ahead log sound again after a commit, or a sync of the log, has failed.
//!
//! When a sync fails after everything was written, the frames of the commit are in the file, complete. SQLite no longer
//! counts them, but whoever opens the file next, after a kill, would take them for committed. And the kernel may have
//! dropped what it could not write: its pages look clean, the next sync succeeds, and the disk has a hole in the log,
//! behind which a power cut loses everything. So the log is cut behind its last commit, read, held against its
//! checksums, written once more as it is, and synced. Until that has succeeded, nothing is promised.
//!
//! A process that died may have left such a log, so every start does the same. The form of the file is SQLite's
//! "WAL-mode File Format".

use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, ffi};

const HEADER: usize = 32;
const FRAME_HEADER: usize = 24;
/// The magic number of a log whose checksums are of big-endian words; the other one is less by one.
const BIG_ENDIAN: u32 = 0x377f_0683;
const LARGEST_PAGE: usize = 65536;

/// The write-ahead log of that outbox.
pub(super) fn log_of(database: &Path) -> PathBuf {
    database.with_extension("db-wal")
}

/// Cuts, rewrites and syncs the log of `database`, to which `writer` belongs. Does nothing if it is empty.
///
/// # Errors
/// What SQLite or the disk says; the log may be cut then, and is not sound.
pub(super) fn run(writer: &Connection, database: &Path) -> rusqlite::Result<()> {
    let log = log_of(database);
    if std::fs::metadata(&log).is_ok_and(|file| file.len() == 0) {
        return Ok(());
    }
    // No other program writes to the log meanwhile.
    writer.execute_batch("BEGIN IMMEDIATE")?;
    let repaired = last_commit(database).and_then(|frames| repair(&log, frames).map_err(failure));
    let ended = writer.execute_batch("ROLLBACK");
    repaired.and(ended)
}

/// How many frames of the log SQLite counts: up to its last commit. SQLite does not tell that of the connection that holds
/// the write lock.
fn last_commit(database: &Path) -> rusqlite::Result<u32> {
    let other = Connection::open(database)?;
    super::file::keep_log(&other)?;
    other.query_row("PRAGMA wal_checkpoint(NOOP)", (), |row| row.get(1))
}

fn repair(log: &Path, frames: u32) -> io::Result<()> {
    let file = File::options().read(true).write(true).open(log)?;
    if frames == 0 {
        // All of it is in the database file, and the next commit begins anew.
        file.set_len(0)?;
        return file.sync_all();
    }
    let mut reader = Frames::of(&file)?;
    cut(&file, reader.place_of(frames))?;
    file.write_all_at(&reader.header, 0)?;
    for number in 0..frames {
        let place = reader.place_of(number);
        if !reader.is_next_whole()? {
            return Err(io::Error::new(
                io::ErrorKind::InvalidData,
                "the disk no longer has what was written to the log",
            ));
        }
        file.write_all_at(&reader.frame, place)?;
    }
    file.sync_all()
}

/// Whether the log has at least so many frames that SQLite would count, one after the other from its beginning.
///
/// # Errors
/// The disk does not give it. A log that is too short is no error.
pub(super) fn has_frames(log: &Path, frames: u32) -> io::Result<bool> {
    let whole = || -> io::Result<bool> {
        let file = File::open(log)?;
        let mut reader = Frames::of(&file)?;
        for _ in 0..frames {
            if !reader.is_next_whole()? {
                return Ok(false);
            }
        }
        Ok(reader.is_header_whole())
    };
    match if frames == 0 { Ok(true) } else { whole() } {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        whole => whole,
    }
}

/// The frames of a log in their order, each held against its checksum.
struct Frames<'f> {
    file: &'f File,
    header: [u8; HEADER],
    frame: Vec<u8>,
    sums: (u32, u32),
    read: u32,
}

impl<'f> Frames<'f> {
    fn of(file: &'f File) -> io::Result<Self> {
        let mut header = [0; HEADER];
        file.read_exact_at(&mut header, 0)?;
        let page = usize::try_from(word(&header, 8)).map_err(io::Error::other)?.min(LARGEST_PAGE);
        let sums = (word(&header, 24), word(&header, 28));
        Ok(Self { file, header, frame: vec![0; FRAME_HEADER + page], sums, read: 0 })
    }

    fn is_big_endian(&self) -> bool {
        word(&self.header, 0) == BIG_ENDIAN
    }

    fn is_header_whole(&self) -> bool {
        let sums = (word(&self.header, 24), word(&self.header, 28));
        word(&self.header, 0) | 1 == BIG_ENDIAN && checksum((0, 0), &self.header[..24], self.is_big_endian()) == sums
    }

    /// Where the frame of that number begins.
    fn place_of(&self, number: u32) -> u64 {
        (HEADER as u64) + u64::from(number) * (self.frame.len() as u64)
    }

    /// Reads the next frame.
    fn is_next_whole(&mut self) -> io::Result<bool> {
        let place = self.place_of(self.read);
        self.file.read_exact_at(&mut self.frame, place)?;
        self.read += 1;
        let (frame, is_big_endian) = (&self.frame, self.is_big_endian());
        self.sums = checksum(checksum(self.sums, &frame[..8], is_big_endian), &frame[FRAME_HEADER..], is_big_endian);
        Ok(frame[8..16] == self.header[16..24] && self.sums == (word(frame, 16), word(frame, 20)))
    }
}

/// Has nothing be valid behind that place.
fn cut(file: &File, end: u64) -> io::Result<()> {
    if file.metadata()?.len() <= end {
        return Ok(());
    }
    // A frame without its number ends the log as well.
    file.set_len(end).or_else(|_| file.write_all_at(&[0; FRAME_HEADER], end))
}

fn word(bytes: &[u8], place: usize) -> u32 {
    bytes[place..].first_chunk().map_or(0, |bytes| u32::from_be_bytes(*bytes))
}

fn checksum(sums: (u32, u32), bytes: &[u8], is_big_endian: bool) -> (u32, u32) {
    let word = |bytes: &[u8; 4]| if is_big_endian { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) };
    let (pairs, _) = bytes.as_chunks::<4>().0.as_chunks::<2>();
    pairs.iter().fold(sums, |(one, other), [first, second]| {
        let one = one.wrapping_add(word(first)).wrapping_add(other);
        (one, other.wrapping_add(word(second)).wrapping_add(one))
    })
}

/// What the system says, in SQLite's words.
fn failure(error: io::Error) -> rusqlite::Error {
    let code = match error.kind() {
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => ffi::SQLITE_FULL,
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => ffi::SQLITE_IOERR_READ,
        _ => ffi::SQLITE_IOERR_FSYNC,
    };
    rusqlite::Error::SqliteFailure(ffi::Error::new(code), None)
}

/// Whether a commit that failed like this may have left complete frames in the log, or dropped pages of it. A write that
/// failed has not: the last frame, which makes the others count, is written last.
pub(super) fn is_needed_after(error: &rusqlite::Error) -> bool {
    let code = error.sqlite_error().map_or(ffi::SQLITE_ERROR, |error| error.extended_code);
    !matches!(code & 0xff, ffi::SQLITE_FULL | ffi::SQLITE_BUSY | ffi::SQLITE_LOCKED) && code != ffi::SQLITE_IOERR_WRITE
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A database with so many commits in its log, each of one row, and its writer.
    fn committed(rows: u32) -> (tempfile::TempDir, PathBuf, Connection) {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("outbox.db");
        let writer = Connection::open(&database).unwrap();
        writer.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; CREATE TABLE t (n)").unwrap();
        for row in 0..rows {
            writer.execute("INSERT INTO t VALUES (?1)", [row]).unwrap();
        }
        (folder, database, writer)
    }

    /// The rows that the next process would find after a kill.
    fn after_a_kill(database: &Path) -> u32 {
        let folder = tempfile::tempdir().unwrap();
        let copy = folder.path().join("outbox.db");
        std::fs::copy(database, &copy).unwrap();
        std::fs::copy(log_of(database), log_of(&copy)).unwrap();
        Connection::open(copy).unwrap().query_row("SELECT count(*) FROM t", (), |row| row.get(0)).unwrap()
    }

    #[test]
    fn what_sqlite_does_not_count_is_cut_and_the_rest_stays_byte_for_byte() {
        let (_folder, database, writer) = committed(3);
        let counted = last_commit(&database).unwrap();
        let before = std::fs::read(log_of(&database)).unwrap();
        writer.execute("INSERT INTO t VALUES (3)", ()).unwrap();
        assert_eq!(after_a_kill(&database), 4);
        // As after a sync that failed: the frames are there, and SQLite counts them no more.
        repair(&log_of(&database), counted).unwrap();
        assert_eq!(after_a_kill(&database), 3);
        assert_eq!(std::fs::read(log_of(&database)).unwrap(), before);
    }

    #[test]
    fn a_sound_log_is_left_as_it_is_and_its_writer_goes_on() {
        let (_folder, database, writer) = committed(3);
        let before = std::fs::read(log_of(&database)).unwrap();
        run(&writer, &database).unwrap();
        assert_eq!(std::fs::read(log_of(&database)).unwrap(), before);
        writer.execute("INSERT INTO t VALUES (3)", ()).unwrap();
        assert_eq!(after_a_kill(&database), 4);
        // One that was begun anew has frames of an earlier generation behind its end, and then none that count.
        writer.query_row("PRAGMA wal_checkpoint(RESTART)", (), |_| Ok(())).unwrap();
        writer.execute("INSERT INTO t VALUES (4)", ()).unwrap();
        run(&writer, &database).unwrap();
        writer.execute("INSERT INTO t VALUES (5)", ()).unwrap();
        assert_eq!(after_a_kill(&database), 6);
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
        run(&writer, &database).unwrap();
        writer.execute("INSERT INTO t VALUES (6)", ()).unwrap();
        assert_eq!(after_a_kill(&database), 7);
    }

    #[test]
    fn a_log_that_lost_what_was_written_is_not_called_sound() {
        let (_folder, database, writer) = committed(3);
        let file = File::options().write(true).open(log_of(&database)).unwrap();
        // What a file system that drops pages it could not write shows instead.
        file.write_all_at(&[0; 4096], 4096).unwrap();
        assert!(run(&writer, &database).is_err());
    }

    #[test]
    fn only_a_failure_that_may_leave_a_complete_commit_asks_for_repair() {
        let met = |code| is_needed_after(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        assert!([ffi::SQLITE_IOERR_FSYNC, ffi::SQLITE_IOERR_SHMMAP, ffi::SQLITE_NOMEM].into_iter().all(met));
        assert!(![ffi::SQLITE_FULL, ffi::SQLITE_IOERR_WRITE, ffi::SQLITE_BUSY].into_iter().any(met));
    }
}
