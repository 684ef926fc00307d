//! Where the agent's timeline is, written down so that the next process continues it.
//!
//! Within one boot of the machine it continues exactly. Over a boot only the wall clock knows how much time passed, and it
//! may be wrong until it is set: what was accepted before the boot is therefore judged by the wall clock for as long as it
//! waits. When that is set, the `expires_at` of these messages moves with it, so that no stale code goes out; nothing that
//! was accepted since the boot moves. That time counts for no `give_up_at`, since a wrong clock would end messages by it
//! which could still go out.
//!
//! The row is written along with what is committed anyway, every few seconds, so that an idle agent writes nothing.

use std::sync::Arc;
use std::time::Duration;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::SqliteOutbox;
use crate::clock::{Anchor, Clock, Gap, Machine, Shift, SystemClock};
use crate::message::Timestamp;

/// The least time between two writes of the row, in milliseconds.
const WRITE_EVERY: i64 = 5_000;
/// A smaller step of the wall clock, in milliseconds, is none: it is slewed, or was read a little late.
const STEP: i64 = 1_000;
/// Nothing is scheduled further ahead than the longest pause between two attempts, in milliseconds: what is due later was
/// scheduled by a wrong clock.
const LONGEST_PAUSE: i64 = 60_000;

/// How often the wall clock is looked at while nothing else does.
const LOOK_AT_CLOCK: Duration = Duration::from_secs(10);

/// The timeline of an open outbox.
pub(super) struct Timeline {
    /// `None`: the caller hands in every moment, and nothing is written down.
    clock: Option<Arc<SystemClock>>,
    kept: Kept,
}

/// The clock of a timeline that the caller keeps.
struct HandedIn;

impl Clock for HandedIn {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(0)
    }
}

/// What the row says.
#[derive(Clone, Copy, Debug)]
struct Kept {
    /// The time since the boot, in milliseconds, when it was written.
    at: i64,
    /// How far the wall clock was ahead of the time since the boot when it was last found to be set.
    ahead: i64,
    /// The last message from before this boot.
    before: i64,
    gap: Gap,
}

/// What is to be written in the transaction that is beginning.
pub(super) struct Turn {
    anchor: Anchor,
    kept: Kept,
    /// How many milliseconds longer the gap before this boot is found to have been.
    longer: i64,
}

impl Timeline {
    /// One that its caller keeps.
    pub(super) fn handed_in() -> Self {
        let gap = Gap { by_wall: 0, at_least: 0 };
        Self { clock: None, kept: Kept { at: 0, ahead: 0, before: 0, gap } }
    }

    /// Continues the timeline of this outbox, or begins one, and brings the deadlines of what waits onto it.
    pub(super) fn begin(connection: &Connection, machine: Arc<dyn Machine>) -> rusqlite::Result<Self> {
        let Some((last, mut kept)) = read(connection)? else { return Self::first(connection, machine) };
        let newest: Option<i64> = connection
            .query_row("SELECT accepted_at FROM message ORDER BY seq DESC LIMIT 1", (), |row| row.get(0))
            .optional()?
            .flatten();
        // Later than the newest message, by whose millisecond its name was made: names rise.
        let newest = newest.map_or(last.at, |newest| Timestamp::from_millis(newest.saturating_add(1)));
        let (clock, gap) = SystemClock::resume(machine, &last, newest);
        if let Some(gap) = gap {
            kept = Kept { before: last_seq(connection)?, gap, ..kept };
            kept.ahead = ahead(&clock.anchor());
            told(gap);
            if !gap.is_too_long() {
                spare(connection, gap.counted())?;
            }
        }
        let now = clock.now();
        let mut timeline = Self { clock: Some(Arc::new(clock)), kept };
        hasten(connection, now)?;
        timeline.write_now(connection)?;
        Ok(timeline)
    }

    /// The first timeline: all times so far are by the wall clock.
    fn first(connection: &Connection, machine: Arc<dyn Machine>) -> rusqlite::Result<Self> {
        let clock = SystemClock::first(machine);
        let anchor = clock.anchor();
        // Accepted in the future: by a clock that was ahead and was set back since.
        connection.execute(
            "UPDATE message SET accepted_at = ?1, expires_at = expires_at - (created_at - ?1), \
             give_up_at = give_up_at - (created_at - ?1), ends_at = ends_at - (created_at - ?1) \
             WHERE status IN (0, 1, 8) AND created_at > ?1",
            [anchor.at.as_millis()],
        )?;
        let gap = Gap { by_wall: 0, at_least: 0 };
        let kept = Kept { at: 0, ahead: ahead(&anchor), before: 0, gap };
        let mut timeline = Self { clock: Some(Arc::new(clock)), kept };
        hasten(connection, anchor.at)?;
        timeline.write_now(connection)?;
        Ok(timeline)
    }

    /// The clock of this timeline.
    pub(super) fn clock(&self) -> Arc<dyn Clock> {
        match &self.clock {
            Some(clock) => Arc::<SystemClock>::clone(clock),
            None => Arc::new(HandedIn),
        }
    }

    /// How its moments read by the wall clock.
    pub(super) fn shift(&self) -> Shift {
        self.clock.as_ref().map_or_else(Shift::default, |clock| clock.shift())
    }

    /// What the next transaction writes, if it is time for that or the wall clock was set.
    pub(super) fn turn(&self) -> Option<Turn> {
        let clock = self.clock.as_ref()?;
        let (at, ahead) = clock.look();
        let step = ahead - self.kept.ahead;
        let is_set = step.abs() >= STEP;
        if !is_set && at - self.kept.at < WRITE_EVERY {
            return None;
        }
        let mut kept = Kept { at, ..self.kept };
        if is_set {
            kept.ahead += step;
            kept.gap.by_wall += step;
        }
        let longer = if kept.before > 0 { kept.gap.counted() - self.kept.gap.counted() } else { 0 };
        Some(Turn { anchor: clock.anchor(), kept, longer })
    }

    /// That was committed.
    pub(super) fn turned(&mut self, turn: &Turn) {
        let step = turn.kept.ahead - self.kept.ahead;
        if step != 0 {
            let by = seconds(step);
            let way = if step > 0 { "forward" } else { "back" };
            tracing::warn!("the wall clock was set {way} by {by}; what waits keeps its deadlines");
        }
        self.kept = turn.kept;
    }

    fn write_now(&mut self, connection: &Connection) -> rusqlite::Result<()> {
        self.kept.at = i64::MIN / 2;
        if let Some(turn) = self.turn() {
            turn.write(connection)?;
            self.turned(&turn);
        }
        Ok(())
    }
}

impl Turn {
    pub(super) fn write(&self, connection: &Connection) -> rusqlite::Result<()> {
        let Self { anchor, kept, longer } = self;
        if *longer != 0 {
            connection.execute(
                "UPDATE message SET expires_at = expires_at - ?1, ends_at = min(expires_at - ?1, give_up_at) \
                 WHERE seq <= ?2 AND status IN (0, 1, 8) AND expires_at IS NOT NULL",
                [longer, &kept.before],
            )?;
        }
        connection
            .prepare_cached(
                "INSERT OR REPLACE INTO timeline (one, at, wall, since_boot, boot, before, gap, gap_at_least) \
                 VALUES (1, :at, :wall, :since_boot, :boot, :before, :gap, :gap_at_least)",
            )?
            .execute(named_params! {
                ":at": anchor.at, ":wall": anchor.wall, ":since_boot": millis(anchor.since_boot), ":boot": anchor.boot,
                ":before": kept.before, ":gap": kept.gap.by_wall, ":gap_at_least": kept.gap.at_least,
            })
            .map(drop)
    }
}

fn read(connection: &Connection) -> rusqlite::Result<Option<(Anchor, Kept)>> {
    let sql = "SELECT at, wall, since_boot, boot, before, gap, gap_at_least FROM timeline";
    connection
        .query_row(sql, (), |row| {
            let since_boot: i64 = row.get(2)?;
            let anchor = Anchor {
                at: row.get(0)?,
                wall: row.get(1)?,
                since_boot: Duration::from_millis(u64::try_from(since_boot).unwrap_or(0)),
                boot: row.get(3)?,
            };
            let gap = Gap { by_wall: row.get(5)?, at_least: row.get(6)? };
            let kept = Kept { at: since_boot, ahead: ahead(&anchor), before: row.get(4)?, gap };
            Ok((anchor, kept))
        })
        .optional()
}

fn last_seq(connection: &Connection) -> rusqlite::Result<i64> {
    connection.query_row("SELECT coalesce(max(seq), 0) FROM message", (), |row| row.get(0))
}

/// Leaves the time of a gap out of what counts until messages are given up.
fn spare(connection: &Connection, gap: i64) -> rusqlite::Result<()> {
    let sql = "UPDATE message SET give_up_at = give_up_at + ?1, \
               ends_at = min(coalesce(expires_at, give_up_at + ?1), give_up_at + ?1) WHERE status IN (0, 1, 8)";
    connection.execute(sql, [gap]).map(drop)
}

/// Makes due what is due later than anything can be.
fn hasten(connection: &Connection, now: Timestamp) -> rusqlite::Result<()> {
    let latest = now.as_millis().saturating_add(LONGEST_PAUSE);
    let sql = "UPDATE message SET due_at = ?1 WHERE status = 0 AND due_at > ?2";
    connection.execute(sql, [now.as_millis(), latest]).map(drop)
}

fn told(gap: Gap) {
    if gap.is_behind() {
        tracing::warn!(
            "the wall clock is {} behind what has passed since the last start: what waits may be older than the agent \
             knows until the clock is set",
            seconds(gap.at_least - gap.by_wall)
        );
    } else if gap.is_too_long() {
        tracing::warn!(
            "by the wall clock the agent was off for {}: {} of that count. If the clock is wrong, set it; what expires or \
             is given up by it stays so",
            seconds(gap.by_wall),
            seconds(gap.counted())
        );
    }
}

/// A difference of clocks as people read it, to the second.
fn seconds(millis: i64) -> humantime::FormattedDuration {
    humantime::format_duration(Duration::from_secs((millis.unsigned_abs() + 500) / 1000))
}

/// How far the wall clock is ahead of the time since the boot, in milliseconds.
fn ahead(anchor: &Anchor) -> i64 {
    anchor.wall.as_millis() - millis(anchor.since_boot)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}

impl SqliteOutbox {
    /// The clock of its timeline. Where the caller keeps the timeline, it stands still.
    pub fn clock(&self) -> Arc<dyn Clock> {
        Arc::clone(&self.clock)
    }

    /// Looks at the wall clock every few seconds, for as long as it is polled, and writes down when it was set: what was
    /// accepted before this boot is judged by it.
    pub fn keep_time(&self) -> impl Future<Output = ()> + Send + use<> {
        let (clock, committer) = (self.clock(), self.committer.clone());
        async move {
            let mut known = clock.shift().as_millis();
            loop {
                tokio::time::sleep(LOOK_AT_CLOCK).await;
                let shift = clock.shift().as_millis();
                // Every transaction writes it down. Where it fails, the outbox has said why, and the next look tries again.
                if (shift - known).abs() >= STEP && committer.run(false, |_| Ok(())).await.is_ok() {
                    known = shift;
                }
            }
        }
    }

    pub(super) fn shift(&self) -> Shift {
        self.clock.shift()
    }
}
