//! What the index of the log (`outbox.db-shm`) says, read without SQLite.
//!
//! The index is in memory that processes share, and its file keeps what it held when the last of them was killed. SQLite
//! itself trusts only the log, and takes a log that was cut for one that never was longer. So a start compares the two
//! before SQLite opens them. After the machine went down the file holds whatever reached the disk, and says nothing.
//!
//! No process may call this while it has the outbox open: closing the file would give up SQLite's locks on it. The form of
//! the file is SQLite's "WAL-Index File Format".

use std::fs::File;
use std::os::unix::fs::FileExt;
use std::path::Path;

/// The length of the header; a second copy of it follows.
const HEADER: usize = 48;
const VERSION: u32 = 3_007_000;

/// How many frames of the log had been committed when the last process that used the outbox ended or was killed. `None`:
/// there is no index, or it was being written at that moment.
pub(super) fn frames(database: &Path) -> Option<u32> {
    let mut headers = [0; 2 * HEADER];
    File::open(database.with_extension("db-shm")).and_then(|file| file.read_exact_at(&mut headers, 0)).ok()?;
    let (header, copy) = headers.split_at(HEADER);
    let is_whole = header == copy && word(header, 0) == Some(VERSION) && header[12] == 1;
    word(header, 16).filter(|_| is_whole)
}

/// A number in the byte order of the machine.
fn word(bytes: &[u8], place: usize) -> Option<u32> {
    bytes.get(place..)?.first_chunk().copied().map(u32::from_ne_bytes)
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;

    #[test]
    fn the_index_of_a_process_that_was_killed_says_how_many_frames_it_had_committed() {
        let folder = tempfile::tempdir().unwrap();
        let (database, killed) = (folder.path().join("outbox.db"), folder.path().join("killed.db"));
        assert_eq!(frames(&database), None, "there is none");
        let writer = Connection::open(&database).unwrap();
        writer.execute_batch("PRAGMA journal_mode = WAL; CREATE TABLE t (n)").unwrap();
        writer.execute("INSERT INTO t VALUES (1)", ()).unwrap();
        let counted = |expected: u32| {
            std::fs::copy(database.with_extension("db-shm"), killed.with_extension("db-shm")).unwrap();
            assert_eq!(frames(&killed), Some(expected));
        };
        let log: u32 = writer.query_row("PRAGMA wal_checkpoint(NOOP)", (), |row| row.get(1)).unwrap();
        assert!(log > 0);
        counted(log);
        writer.query_row("PRAGMA wal_checkpoint(TRUNCATE)", (), |_| Ok(())).unwrap();
        counted(0);
        std::fs::write(killed.with_extension("db-shm"), [1; 96]).unwrap();
        assert_eq!(frames(&killed), None, "it is no index");
    }
}
