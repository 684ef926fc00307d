//! How long to wait before the next attempt: exponential, with full jitter, so that those who failed together do not
//! come back together.

use std::time::Duration;

const BASE: Duration = Duration::from_millis(200);
const CAP: Duration = Duration::from_secs(60);

/// A random time between nothing and the limit for the attempt after `failures` failed ones.
pub(super) fn after(failures: u32) -> Duration {
    let limit = limit(failures);
    // Without randomness everybody waits the full time, which is correct, only less kind.
    let fraction = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
    limit.mul_f64(fraction)
}

/// The longest that [`after`] may answer.
fn limit(failures: u32) -> Duration {
    let doublings = failures.saturating_sub(1).min(16);
    BASE.saturating_mul(1 << doublings).min(CAP)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_limit_doubles_from_200_ms_up_to_a_minute_and_no_wait_is_longer() {
        assert_eq!(limit(1), Duration::from_millis(200));
        assert_eq!(limit(2), Duration::from_millis(400));
        assert_eq!(limit(9), Duration::from_millis(51_200));
        assert_eq!(limit(10), CAP);
        assert_eq!(limit(u32::MAX), CAP);
        for failures in 1..100 {
            assert!(after(failures) <= limit(failures));
        }
    }

    #[test]
    fn two_who_fail_together_do_not_come_back_together() {
        assert_ne!(after(10), after(10));
    }
}
