//! The outbound pace: a bucket of segments that fills evenly and holds one second of them.
//!
//! SNS and the carriers behind it count parts, not messages. A message larger than the bucket goes when the bucket is
//! full and leaves a debt, so that the pace holds over time whatever the sizes are.

use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use crate::outbox::Allowance;

/// One bucket.
#[derive(Debug)]
pub(super) struct Pace {
    per_second: u32,
    /// Segments there at `at`; below zero is the debt of a large message.
    level: f64,
    at: Instant,
}

impl Pace {
    /// A full bucket.
    pub(super) fn new(per_second: NonZeroU32, now: Instant) -> Self {
        Self { per_second: per_second.get(), level: f64::from(per_second.get()), at: now }
    }

    /// What may go now.
    pub(super) fn allowance(&mut self, now: Instant) -> Allowance {
        self.fill(now);
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "between 0 and a u32")]
        let whole = self.level.max(0.0) as u32;
        Allowance { now: whole, full: self.per_second }
    }

    /// Takes the segments of a message that [`Allowance::take`] let pass.
    pub(super) fn spend(&mut self, segments: u32) {
        self.level -= f64::from(segments);
    }

    /// How long until a message of so many segments may go.
    pub(super) fn until(&mut self, segments: u32, now: Instant) -> Duration {
        self.fill(now);
        let missing = f64::from(segments.min(self.per_second)) - self.level;
        // A microsecond more, so that rounding does not end the wait just before the time.
        Duration::from_secs_f64(missing.max(0.0) / f64::from(self.per_second)) + Duration::from_micros(1)
    }

    fn fill(&mut self, now: Instant) {
        let full = f64::from(self.per_second);
        let gained = now.saturating_duration_since(self.at).as_secs_f64() * full;
        self.level = (self.level + gained).min(full);
        self.at = now;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pace(per_second: u32) -> (Pace, Instant) {
        let now = Instant::now();
        (Pace::new(NonZeroU32::new(per_second).unwrap(), now), now)
    }

    fn take(pace: &mut Pace, segments: u32, now: Instant) -> bool {
        let fits = pace.allowance(now).take(segments);
        if fits {
            pace.spend(segments);
        }
        fits
    }

    #[test]
    fn one_second_of_segments_goes_at_once_and_then_the_pace_holds() {
        let (mut pace, now) = pace(20);
        assert!(take(&mut pace, 20, now));
        assert!(!take(&mut pace, 1, now));
        let soon = now + pace.until(1, now);
        assert!(take(&mut pace, 1, soon));
        assert!(!take(&mut pace, 20, soon + Duration::from_millis(900)));
    }

    #[test]
    fn a_message_larger_than_the_bucket_goes_when_it_is_full_and_leaves_a_debt() {
        let (mut pace, now) = pace(2);
        assert!(take(&mut pace, 1, now));
        assert!(!take(&mut pace, 11, now), "the bucket is not full");
        let full = now + pace.until(11, now);
        assert!(take(&mut pace, 11, full));
        let wait = pace.until(1, full);
        assert!(wait > Duration::from_millis(4_900) && wait < Duration::from_millis(5_100), "{wait:?}");
    }

    #[test]
    fn over_ten_minutes_no_mix_of_sizes_goes_faster_than_the_pace() {
        let (mut pace, start) = pace(20);
        let (mut now, mut sent) = (start, 0);
        for segments in [1, 1, 7, 25, 3].into_iter().cycle().take(2_000) {
            let wait = pace.until(segments, now);
            if !take(&mut pace, segments, now) {
                now += wait;
                assert!(take(&mut pace, segments, now));
            }
            sent += segments;
        }
        let seconds = (now - start).as_secs_f64();
        assert!(f64::from(sent) <= seconds * 20.0 + 20.0 + 25.0, "{sent} segments in {seconds} s");
        assert!(f64::from(sent) >= seconds * 20.0 * 0.99, "{sent} segments in {seconds} s");
    }
}
