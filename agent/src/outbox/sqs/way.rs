//! Whether the queue can be reached, in one direction: said in the log once, and how long to leave it alone.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::queue::Trouble;

const BASE: Duration = Duration::from_millis(200);
/// Where no connection comes about, the end of an outage is to be heard of soon.
const CAP_OUT_OF_REACH: Duration = Duration::from_secs(2);
/// An SQS that is reached and slow has too much to do, and what it is sent again it may have twice.
const CAP: Duration = Duration::from_secs(10);
/// How often lasting trouble is said again.
const REPEAT: Duration = Duration::from_secs(60);

/// One direction.
#[derive(Debug)]
pub(super) struct Way {
    what: &'static str,
    down: Mutex<Option<Down>>,
}

#[derive(Debug)]
struct Down {
    words: String,
    failures: u32,
    told: Instant,
    until: Instant,
}

impl Way {
    /// `what` does not work when it is down.
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, down: Mutex::default() }
    }

    /// A call failed.
    pub(super) fn failed(&self, trouble: &Trouble) {
        let Trouble { words, reached, .. } = trouble;
        let cap = if *reached { CAP } else { CAP_OUT_OF_REACH };
        let now = Instant::now();
        let mut down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        let failures = down.as_ref().map_or(0, |down| down.failures).saturating_add(1);
        let mut told = down.as_ref().map(|down| down.told);
        if told.is_none_or(|told| now - told >= REPEAT) {
            tracing::warn!(failures, detail = words.as_str(), "{} does not work; it is tried again", self.what);
            told = None;
        }
        let pause = BASE.saturating_mul(1 << (failures - 1).min(16)).min(cap);
        // Those who failed together must not come back together.
        let share = getrandom::u32().map_or(1.0, |random| f64::from(random) / f64::from(u32::MAX));
        let until = now + pause / 2 + (pause / 2).mul_f64(share);
        *down = Some(Down { words: words.clone(), failures, told: told.unwrap_or(now), until });
    }

    /// A call worked.
    pub(super) fn worked(&self) {
        if let Some(down) = self.down.lock().unwrap_or_else(PoisonError::into_inner).take() {
            tracing::info!(failures = down.failures, "{} works again", self.what);
        }
    }

    /// Nothing waits for it any more, so that its last failure is no trouble.
    pub(super) fn forget(&self) {
        if self.down.lock().unwrap_or_else(PoisonError::into_inner).take().is_some() {
            tracing::info!("{}: there is nothing left to be tried again", self.what);
        }
    }

    /// What is wrong, while something is.
    pub(super) fn trouble(&self) -> Option<String> {
        let down = self.down.lock().unwrap_or_else(PoisonError::into_inner);
        down.as_ref().map(|down| format!("{} does not work: {}.", self.what, down.words.trim_end_matches('.')))
    }

    /// Returns once it is worth another call.
    pub(super) async fn passable(&self) {
        let until = self.down.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|down| down.until);
        if let Some(until) = until {
            tokio::time::sleep_until(until).await;
        }
    }
}
