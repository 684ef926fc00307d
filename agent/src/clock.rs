//! The wall clock, handed in, so that a test can turn it.

use std::time::SystemTime;

use crate::message::Timestamp;

/// Tells the time of day. For durations use `tokio::time`, which tests can pause.
pub trait Clock: Send + Sync {
    /// Now.
    fn now(&self) -> Timestamp;
}

/// The machine's own clock.
#[derive(Clone, Copy, Debug, Default)]
pub struct SystemClock;

impl Clock for SystemClock {
    #[allow(clippy::disallowed_methods, reason = "the one place that reads the wall clock")]
    fn now(&self) -> Timestamp {
        SystemTime::now().into()
    }
}
