//! The `Date` of answers, by the wall clock as it is set now.
//!
//! hyper's own keeps its last value for as long as the clock is set back.

use std::cell::RefCell;

use http::header::DATE;
use http::{HeaderValue, Response};

use crate::message::WallTime;

thread_local! {
    /// The second that was last written, and how.
    static WRITTEN: RefCell<Option<(i64, HeaderValue)>> = const { RefCell::new(None) };
}

/// Says in an answer when it was made.
pub(super) fn put<B>(answer: &mut Response<B>, now: WallTime) {
    if let Some(value) = header(now) {
        answer.headers_mut().insert(DATE, value);
    }
}

fn header(now: WallTime) -> Option<HeaderValue> {
    let second = now.as_millis().div_euclid(1000);
    WRITTEN.with_borrow_mut(|written| match written {
        Some((known, value)) if *known == second => Some(value.clone()),
        _ => {
            let shown = now.min(WallTime::LAST).to_system_time();
            let value = HeaderValue::try_from(httpdate::fmt_http_date(shown)).ok()?;
            *written = Some((second, value.clone()));
            Some(value)
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_follows_the_clock_forward_and_back_and_outlives_a_clock_beyond_the_year_9999() {
        for (millis, text) in [
            (1_795_464_000_007, "Mon, 23 Nov 2026 20:00:00 GMT"),
            (1_795_464_000_999, "Mon, 23 Nov 2026 20:00:00 GMT"),
            (1_795_464_001_000, "Mon, 23 Nov 2026 20:00:01 GMT"),
            (1_795_460_400_000, "Mon, 23 Nov 2026 19:00:00 GMT"),
            (i64::MAX, "Fri, 31 Dec 9999 23:59:59 GMT"),
            (i64::MIN, "Thu, 01 Jan 1970 00:00:00 GMT"),
        ] {
            let mut answer = Response::new(());
            put(&mut answer, WallTime::from_millis(millis));
            assert_eq!(answer.headers()[DATE], text);
        }
    }
}
