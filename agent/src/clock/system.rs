//! The agent's timeline: the time since the boot, continued over restarts and boots.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering::Relaxed};
use std::time::Duration;

use super::{Clock, Machine, Shift};
use crate::message::{Timestamp, WallTime};

/// What is shown follows the wall clock once they differ by more. Below that a moment reads the same whenever it is read.
const TOLERANCE: i64 = 250;
/// A reading of both clocks that took longer, in milliseconds, is taken again: the process was interrupted between them.
const TOGETHER: i64 = 20;

/// The most that a wall clock alone may move the timeline on between two boots: the longest `expires_in`. What is longer
/// is a wrong clock or an old copy of the files, and must not wipe out the history and the idempotency keys.
const LONGEST_GAP: i64 = 7 * 86_400_000;

/// What the clocks of the machine said at one moment, to be kept in a file: the next process continues from there.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Anchor {
    /// On the timeline.
    pub at: Timestamp,
    /// By the wall clock.
    pub wall: WallTime,
    /// Since the boot.
    pub since_boot: Duration,
    /// Which boot that was, where the system told.
    pub boot: Option<String>,
}

/// The time between the last anchor of one boot and the first look at the clocks in the next one. Only the wall clock saw
/// it pass, so it is as good as that clock.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Gap {
    /// Milliseconds that the wall clock moved on; negative if it went back.
    pub by_wall: i64,
    /// Milliseconds that have certainly passed.
    pub at_least: i64,
}

impl Gap {
    /// By how many milliseconds the timeline moves on over it.
    pub fn counted(self) -> i64 {
        self.by_wall.clamp(self.at_least.min(LONGEST_GAP), LONGEST_GAP)
    }

    /// The wall clock is behind what has certainly passed: it is wrong now, or was before.
    pub fn is_behind(self) -> bool {
        self.by_wall < self.at_least
    }

    /// It is longer than what is taken from a wall clock.
    pub fn is_too_long(self) -> bool {
        self.by_wall > LONGEST_GAP
    }
}

/// The clock of the process.
pub struct SystemClock {
    machine: Arc<dyn Machine>,
    boot: Option<String>,
    /// What is added to the time since the boot. Fixed for the life of the process.
    origin: i64,
    /// [`Clock::shift`], as last shown.
    shift: AtomicI64,
}

impl SystemClock {
    /// A new timeline, which begins at the time of day.
    pub fn first(machine: Arc<dyn Machine>) -> Self {
        let (since_boot, wall) = reading(machine.as_ref());
        Self::at(machine, wall - since_boot)
    }

    /// The timeline of `last`, continued: exactly within one boot, else by the wall clock. It begins no earlier than
    /// `newest`, the last moment that is known from it.
    pub fn resume(machine: Arc<dyn Machine>, last: &Anchor, newest: Timestamp) -> (Self, Option<Gap>) {
        let (since_boot, wall) = reading(machine.as_ref());
        let passed = since_boot - millis(last.since_boot);
        let boot = machine.boot();
        if boot.is_some() && boot == last.boot && passed >= 0 {
            return (Self::at(machine, last.at.as_millis() - millis(last.since_boot)), None);
        }
        // The whole time since this boot came after `last`; where no boot has a name it may have been this one.
        let at_least = if boot.is_some() && last.boot.is_some() { since_boot } else { passed.max(0) };
        let gap = Gap { by_wall: wall.saturating_sub(last.wall.as_millis()), at_least };
        let now = last.at.as_millis().saturating_add(gap.counted()).max(newest.as_millis());
        (Self::at(machine, now - since_boot), Some(gap))
    }

    fn at(machine: Arc<dyn Machine>, origin: i64) -> Self {
        let (since_boot, wall) = reading(machine.as_ref());
        let boot = machine.boot();
        Self { machine, boot, origin, shift: AtomicI64::new(wall - since_boot - origin) }
    }

    /// The time since the boot, and how far the wall clock is ahead of it, both in milliseconds.
    pub fn look(&self) -> (i64, i64) {
        let (since_boot, wall) = reading(self.machine.as_ref());
        (since_boot, wall - since_boot)
    }

    /// What the clocks say now.
    pub fn anchor(&self) -> Anchor {
        let (since_boot, wall) = reading(self.machine.as_ref());
        Anchor {
            at: Timestamp::from_millis(since_boot + self.origin),
            wall: WallTime::from_millis(wall),
            since_boot: Duration::from_millis(u64::try_from(since_boot).unwrap_or(0)),
            boot: self.boot.clone(),
        }
    }
}

impl Clock for SystemClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(millis(self.machine.since_boot()) + self.origin)
    }

    fn shift(&self) -> Shift {
        let (since_boot, wall) = reading(self.machine.as_ref());
        let (shown, exact) = (self.shift.load(Relaxed), wall - since_boot - self.origin);
        if (exact - shown).abs() <= TOLERANCE {
            return Shift::from_millis(shown);
        }
        self.shift.store(exact, Relaxed);
        Shift::from_millis(exact)
    }
}

/// The time since the boot and the time of day at the same moment, in milliseconds.
fn reading(machine: &dyn Machine) -> (i64, i64) {
    let mut before = millis(machine.since_boot());
    let mut wall = machine.wall().as_millis();
    for _ in 0..3 {
        let after = millis(machine.since_boot());
        if after - before <= TOGETHER {
            break;
        }
        (before, wall) = (after, machine.wall().as_millis());
    }
    (before, wall)
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
