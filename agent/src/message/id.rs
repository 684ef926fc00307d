//! The name of a message: a ULID, so that names sort by the time of acceptance.

use std::fmt;
use std::str::FromStr;
use std::sync::Mutex;

use ulid::{Generator, Ulid};

use super::{Timestamp, WallTime};

/// Names one message for good, in the API, in the outbox and in the logs. It says when, and nothing about whom.
#[derive(Clone, Copy, Debug, Eq, Hash, Ord, PartialEq, PartialOrd)]
pub struct MessageId(Ulid);

impl MessageId {
    /// The sixteen bytes, most significant first: they sort as the text does.
    pub fn to_bytes(self) -> [u8; 16] {
        self.0.to_bytes()
    }

    /// The name again from its sixteen bytes.
    pub fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(Ulid::from_bytes(bytes))
    }
}

impl fmt::Display for MessageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl FromStr for MessageId {
    type Err = ulid::DecodeError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse().map(Self)
    }
}

/// Makes names that rise strictly, also within one millisecond and when the clock steps back.
pub struct IdSource(Mutex<Generator>);

impl IdSource {
    /// A source that has made none yet.
    pub fn new() -> Self {
        Self(Mutex::new(Generator::new()))
    }

    /// The next name, made at `now`. It is taken from the timeline and not from the wall clock, so that names rise over
    /// restarts, too.
    pub fn next(&self, now: Timestamp) -> MessageId {
        let mut generator = self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let datetime = WallTime::from_millis(now.as_millis()).to_system_time();
        // It fails only once 2^80 names were made within one millisecond; a random one is as good then.
        MessageId(generator.generate_from_datetime(datetime).unwrap_or_else(|_| Ulid::generate()))
    }
}

impl Default for IdSource {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_rise_within_one_millisecond_and_when_the_clock_steps_back() {
        let source = IdSource::new();
        let now = Timestamp::from_millis(1_795_464_000_000);
        let names = [source.next(now), source.next(now), source.next(Timestamp::from_millis(1_795_463_999_000))];
        assert!(names.is_sorted() && names[0] != names[1] && names[1] != names[2], "{names:?}");
    }

    #[test]
    fn the_text_and_the_bytes_lead_back_to_the_name() {
        let name = IdSource::new().next(Timestamp::from_millis(1_795_464_000_000));
        assert_eq!(name.to_string().parse(), Ok(name));
        assert_eq!(MessageId::from_bytes(name.to_bytes()), name);
    }
}
