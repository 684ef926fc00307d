//! Moments: on the agent's own timeline, by which it decides, and by the wall clock, which it shows to people.

use std::fmt;
use std::time::{Duration, SystemTime};

/// A moment on the agent's own timeline, in milliseconds. Deadlines, due times and ages are measured on it. It starts at
/// the time of day, never goes back and never jumps with the wall clock, so it is not a time to show to people:
/// [`WallTime`] is.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct Timestamp(i64);

impl Timestamp {
    /// A moment from its milliseconds on the timeline.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds on the timeline.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// This moment and `duration` more, or the last representable one.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(self.0.saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)))
    }

    /// How long after `earlier` this moment is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }
}

/// A moment by the wall clock, in milliseconds since 1970-01-01T00:00:00Z: what people see. The wall clock may be set at
/// any time, so nothing is decided by it.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct WallTime(i64);

impl WallTime {
    /// The last moment that texts can name: the end of the year 9999.
    pub const LAST: Self = Self(253_402_300_799_999);

    /// A moment from its milliseconds since the epoch.
    pub const fn from_millis(millis: i64) -> Self {
        Self(millis)
    }

    /// Milliseconds since the epoch.
    pub const fn as_millis(self) -> i64 {
        self.0
    }

    /// How long after `earlier` this moment is; zero if it is not.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// The same moment as the standard library has it. A moment before the epoch reads as the epoch.
    pub fn to_system_time(self) -> SystemTime {
        SystemTime::UNIX_EPOCH + Duration::from_millis(u64::try_from(self.0).unwrap_or(0))
    }
}

impl From<SystemTime> for WallTime {
    fn from(time: SystemTime) -> Self {
        let since_epoch = time.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
        Self(i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX))
    }
}

/// RFC 3339 in UTC with milliseconds: `2026-11-23T20:00:00.000Z`.
impl fmt::Display for WallTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // Beyond the year 9999 the formatter fails; a clock that is that wrong must not take the process down.
        let shown = (*self).min(Self::LAST).to_system_time();
        humantime::format_rfc3339_millis(shown).fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_written_in_utc_with_milliseconds() {
        assert_eq!(WallTime::from_millis(1_795_464_000_007).to_string(), "2026-11-23T20:00:00.007Z");
    }

    #[test]
    fn a_clock_beyond_the_year_9999_does_not_panic() {
        assert_eq!(WallTime::from_millis(i64::MAX).to_string(), "9999-12-31T23:59:59.999Z");
    }

    #[test]
    fn since_is_never_negative() {
        let (early, late) = (Timestamp::from_millis(1_000), Timestamp::from_millis(4_000));
        assert_eq!(late.since(early), Duration::from_secs(3));
        assert_eq!(early.since(late), Duration::ZERO);
    }
}
