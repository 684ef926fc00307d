//! How far messages may be published without an fsync of their own.
//!
//! The disk has to know that a message may have gone out before it goes, or after a power cut it goes again, unmarked. An
//! fsync for each claim is a millisecond or more in which a free slot of the dispatcher waits. So one fsync moves a
//! horizon over the messages that leave next, and who is claimed within it waits for none: its claim is in the file, and
//! outlives the process like everything that was committed. While a backlog drains that fsync is one of the log beside
//! the writer, so that nobody waits for it; a stall would also bunch the publishes behind it, and keep them bunched.
//!
//! The horizon counts only once the machine itself went down: what waits within it then is in doubt, since the commit
//! that claimed it may be lost. It is published, and says that it may be a duplicate; it is not counted as a resend, since
//! most of it was never begun. In flow the order of the queue and the start of the machine; out flows which claims may go
//! on at once.
//!
//! Where nobody can tell one start of the machine from another, and where nothing is to be published that may have been,
//! there is no horizon, and every claim waits.

use std::fs::File;
use std::io;
use std::path::Path;

use rusqlite::{Connection, OptionalExtension};

use super::transaction::Transaction;
use crate::message::Timestamp;

/// How many messages of both lanes one fsync covers: as many as are in flight by default.
pub(super) const AHEAD: u32 = 64;

/// Another one with each start of a Linux machine.
const BOOT_ID: &str = "/proc/sys/kernel/random/boot_id";

/// The last message of a lane that the disk knows of, by what the queue is ordered by: when it is due, and its number. And
/// the last message that there was then: later ones are beyond the horizon, wherever a clock puts them.
type Place = (i64, i64, i64);

/// What the rows of the table say once they are on the disk, and how far the claims have come.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Horizon {
    lanes: [Option<Place>; 2],
    /// Claims within it, so far.
    passed: u64,
    /// How many there will be when all are claimed that waited as it was moved; some may be taken back.
    until: u64,
    /// Whether there is to be one; not any more once it was withdrawn.
    is_wanted: bool,
}

impl Horizon {
    /// Whether the disk knows that this message may be published.
    pub(super) fn covers(&self, lane: u8, due_at: i64, seq: i64) -> bool {
        let place = self.lanes[usize::from(lane)];
        place.is_some_and(|(last_due, last, newest)| (due_at, seq) <= (last_due, last) && seq <= newest)
    }

    /// One that was within it is claimed.
    pub(super) fn passed(self) -> Self {
        Self { passed: self.passed + 1, ..self }
    }

    /// About how many messages within it wait.
    pub(super) fn left(&self) -> u64 {
        self.until.saturating_sub(self.passed)
    }

    /// This one once the disk has `moved`, which was made of an earlier state of it.
    pub(super) fn reached(self, moved: Self) -> Self {
        if !self.is_wanted {
            return self;
        }
        // A claim may have moved it meanwhile. The rows only rise, so the greater one is what they say.
        let [urgent, other] = self.lanes;
        Self { lanes: [urgent.max(moved.lanes[0]), other.max(moved.lanes[1])], until: moved.until, ..self }
    }
}

/// The start of the machine; nothing where the system does not tell it.
pub(super) fn boot_id() -> Option<String> {
    std::fs::read_to_string(BOOT_ID).ok().map(|id| id.trim().to_owned()).filter(|id| !id.is_empty())
}

/// Puts what waits within the horizon of the last process in doubt, if the machine went down since, and begins anew. To be
/// committed with an fsync.
pub(super) fn begin(connection: &Connection, boot: Option<&str>, is_wanted: bool) -> rusqlite::Result<Horizon> {
    let last: Option<String> = connection.query_row("SELECT id FROM boot", (), |row| row.get(0))?;
    if boot.is_none() || last.as_deref() != boot {
        connection.execute(
            "UPDATE message SET doubtful = 1 WHERE seq IN \
             (SELECT message.seq FROM message JOIN horizon USING (lane) WHERE status = 0 \
             AND (message.due_at, message.seq) <= (horizon.due_at, horizon.seq) AND message.seq <= newest)",
            (),
        )?;
        connection.execute("UPDATE boot SET id = ?1", [boot])?;
    }
    connection.execute("DELETE FROM horizon", ())?;
    Ok(Horizon { is_wanted: is_wanted && boot.is_some(), ..Horizon::default() })
}

/// Writes down a horizon that is moved over the messages that leave next. It counts once the disk has it.
pub(super) fn moved(transaction: &Transaction<'_>, now: Timestamp) -> rusqlite::Result<Horizon> {
    let mut horizon = transaction.horizon.get();
    if !horizon.is_wanted {
        return Ok(horizon);
    }
    let newest: Option<i64> =
        transaction.prepare_cached("SELECT max(seq) FROM message")?.query_row((), |row| row.get(0))?;
    let mut ahead = 0;
    for lane in [0_u8, 1] {
        let next: Vec<(i64, i64)> = transaction
            .prepare_cached(
                "SELECT due_at, seq FROM message WHERE status = 0 AND lane = ?1 AND due_at <= ?2 \
                 ORDER BY due_at, seq LIMIT ?3",
            )?
            .query_map((lane, now, AHEAD - ahead), |row| row.try_into())?
            .collect::<rusqlite::Result<_>>()?;
        ahead += u32::try_from(next.len()).unwrap_or(AHEAD);
        // Never back, nor behind one that the disk is just taking: who was claimed within it may be on the way to a phone.
        if let Some((due_at, seq)) = next.last() {
            transaction
                .prepare_cached(
                    "INSERT INTO horizon (lane, due_at, seq, newest) VALUES (?1, ?2, ?3, ?4) ON CONFLICT (lane) DO UPDATE \
                     SET due_at = excluded.due_at, seq = excluded.seq, newest = excluded.newest \
                     WHERE (excluded.due_at, excluded.seq) > (due_at, seq)",
                )?
                .execute((lane, due_at, seq, newest))?;
        }
        // What the disk is going to have, and nothing else, whoever wrote it.
        horizon.lanes[usize::from(lane)] = transaction
            .prepare_cached("SELECT due_at, seq, newest FROM horizon WHERE lane = ?1")?
            .query_row([lane], |row| row.try_into())
            .optional()?;
    }
    horizon.until = horizon.passed + u64::from(ahead);
    Ok(horizon)
}

/// Has the disk take all that was committed so far, while others go on committing: what is in the log is synced here, and
/// what is in it no longer was synced when it was moved into the file. The files of an outbox that is open stay the same.
pub(super) fn sync(log: &Path) -> io::Result<()> {
    File::open(log)?.sync_data()
}

/// Takes the horizon back for good: every claim waits for its fsync again, and what waits in the queue was not published.
/// To be committed with an fsync, by which all claims within it are on the disk too.
pub(super) fn withdraw(transaction: &Transaction<'_>) -> rusqlite::Result<()> {
    transaction.execute("DELETE FROM horizon", ())?;
    transaction.horizon.set(Horizon::default());
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::super::Options;
    use super::super::log::Log;
    use super::super::writer::Writer;
    use super::*;

    const NOW: Timestamp = Timestamp::from_millis(1_795_464_000_000);

    /// So many more messages wait in a lane.
    fn wait(connection: &Connection, lane: u8, messages: usize) {
        let sql = "INSERT INTO message (id, status, lane, recipient, encoding, segments, attempts, unknowns, \
             possible_duplicate, due_at, ends_at, created_at, updated_at, give_up_at) \
             VALUES (randomblob(16), 0, ?1, '', 0, 1, 0, 0, 0, 1, 2, 1, 1, 2)";
        (0..messages).for_each(|_| assert_eq!(connection.execute(sql, [lane]).unwrap(), 1));
    }

    fn on_disk(connection: &Connection, lane: u8) -> (i64, i64) {
        let sql = "SELECT due_at, seq FROM horizon WHERE lane = ?1";
        connection.query_row(sql, [lane], |row| row.try_into()).unwrap()
    }

    /// Runs that in a transaction of an empty outbox.
    fn in_an_outbox(work: impl FnOnce(&Transaction<'_>) -> rusqlite::Result<()>) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.db");
        Writer::open(&path, Arc::<Log>::default(), Options::default(), None).unwrap().transaction(true, work).unwrap();
    }

    /// The messages that came in between take from what the other lane is given.
    #[test]
    fn a_horizon_that_another_overtakes_goes_back_neither_on_the_disk_nor_here() {
        in_an_outbox(|transaction| {
            wait(transaction, 1, 100);
            let first = moved(transaction, NOW)?;
            wait(transaction, 0, 60);
            let second = moved(transaction, NOW)?;
            assert_eq!(on_disk(transaction, 1), (1, 64), "the first has gone further");
            for (earlier, later) in [(first, second), (second, first)] {
                let now = transaction.horizon.get().reached(earlier).reached(later);
                assert!(now.covers(0, 1, 160) && now.covers(1, 1, 64) && !now.covers(1, 1, 65), "{now:?}");
            }
            Ok(())
        });
    }

    /// By the clock of whoever accepted them, or by its being set back.
    #[test]
    fn what_comes_before_the_horizon_and_later_than_it_is_beyond_it() {
        in_an_outbox(|transaction| {
            for lane in [0, 1] {
                wait(transaction, lane, 10);
                transaction.horizon.set(moved(transaction, NOW)?);
            }
            wait(transaction, 0, 10);
            transaction.execute("UPDATE message SET due_at = 0 WHERE seq > 20", ())?;
            transaction.horizon.set(moved(transaction, NOW)?);
            let horizon = transaction.horizon.get();
            assert!(horizon.covers(0, 1, 10) && horizon.covers(1, 1, 20), "{horizon:?}");
            assert!((21..=30).all(|seq| !horizon.covers(0, 0, seq)), "the disk knows nothing of these: {horizon:?}");
            Ok(())
        });
    }

    #[test]
    fn what_was_moved_before_it_was_taken_back_does_not_count() {
        in_an_outbox(|transaction| {
            wait(transaction, 0, 10);
            let moved = moved(transaction, NOW)?;
            assert!(transaction.horizon.get().reached(moved).covers(0, 1, 1));
            withdraw(transaction)?;
            assert!(!transaction.horizon.get().reached(moved).covers(0, 1, 1));
            Ok(())
        });
    }
}
