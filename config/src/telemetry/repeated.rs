//! Lines that would otherwise be written again and again: once, once a minute while it lasts, and once when it is over.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How often a line is repeated while what it tells lasts.
const REPEAT: Duration = Duration::from_secs(60);

/// One line of the log that may have many occasions. It says when to write; the caller writes, in its own words.
#[derive(Debug, Default)]
pub struct Repeated {
    told: Mutex<Told>,
    lasts: AtomicBool,
}

#[derive(Debug)]
struct Told {
    at: Option<Instant>,
    occasions: u64,
}

impl Default for Told {
    fn default() -> Self {
        Self::NEVER
    }
}

impl Told {
    const NEVER: Self = Self { at: None, occasions: 0 };
}

impl Repeated {
    /// A line that was never written. Constant, so that it may be a `static`.
    pub const fn new() -> Self {
        Self { told: Mutex::new(Told::NEVER), lasts: AtomicBool::new(false) }
    }

    /// There is an occasion. `Some` if the line is to be written now, with the number of occasions since it was written
    /// last, this one included.
    pub fn met(&self) -> Option<u64> {
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.occasions += 1;
        // What comes and goes is no news either.
        if told.at.is_some_and(|at| now.duration_since(at) < REPEAT) {
            return None;
        }
        told.at = Some(now);
        self.lasts.store(true, Ordering::Relaxed);
        Some(std::mem::take(&mut told.occasions))
    }

    /// It is over. `Some` if that is to be written: the line was, and its end was not yet; with the number of occasions
    /// since the line was written. Costs one comparison where there is nothing to tell.
    pub fn over(&self) -> Option<u64> {
        if !self.lasts.load(Ordering::Relaxed) || !self.lasts.swap(false, Ordering::Relaxed) {
            return None;
        }
        Some(std::mem::take(&mut self.told.lock().unwrap_or_else(PoisonError::into_inner).occasions))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn a_line_is_due_once_and_once_a_minute_and_when_it_is_over() {
        let line = Repeated::new();
        let due = |times: u64| (0..times).filter_map(|_| line.met()).collect::<Vec<_>>();
        assert_eq!(line.over(), None);
        assert_eq!(due(100), [1]);
        tokio::time::advance(REPEAT).await;
        assert_eq!(due(100), [100]);
        assert_eq!((line.over(), line.over()), (Some(99), None));
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_and_goes_is_told_no_more_often() {
        let line = Repeated::new();
        let told: Vec<_> = (0..100).map(|_| (line.met(), line.over())).filter(|told| *told != (None, None)).collect();
        assert_eq!(told, [(Some(1), Some(0))]);
        tokio::time::advance(REPEAT).await;
        assert_eq!(line.met(), Some(100));
    }
}
