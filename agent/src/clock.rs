//! What time it is: on the agent's own timeline, by which it decides, and by the wall clock, which it shows to people.
//!
//! In flow the clocks of the [`Machine`]; out flow moments. The rule it keeps: a step of the wall clock changes what is
//! shown, and no deadline.

mod machine;
mod system;

use crate::message::{Timestamp, WallTime};

pub use self::machine::{Machine, ThisMachine};
pub use self::system::{Anchor, Gap, SystemClock};

/// Tells the time. It is handed in, so that a test can turn it. For short waits use `tokio::time`, which tests can pause.
pub trait Clock: Send + Sync {
    /// Now, on the agent's timeline.
    fn now(&self) -> Timestamp;

    /// How moments of the timeline read by the wall clock now.
    fn shift(&self) -> Shift {
        Shift::default()
    }

    /// The time of day.
    fn wall(&self) -> WallTime {
        self.shift().shown(self.now())
    }
}

/// How far the wall clock is ahead of the timeline, in milliseconds. The default is not at all.
#[derive(Clone, Copy, Debug, Default, Eq, PartialEq)]
pub struct Shift(i64);

impl Shift {
    /// That many milliseconds.
    pub fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds; negative where the wall clock is behind.
    pub fn as_millis(self) -> i64 {
        self.0
    }

    /// The moment as the wall clock has it.
    pub fn shown(self, at: Timestamp) -> WallTime {
        WallTime::from_millis(at.as_millis().saturating_add(self.0))
    }
}
