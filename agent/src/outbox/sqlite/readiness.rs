//! Whether the outbox takes writes, asked as often as anybody likes: at most one probe a second writes to the disk, and all
//! who ask meanwhile share its outcome.
//!
//! In flow questions, and what ordinary writes met; out flows the last outcome. A write that failed since counts at once;
//! that the outbox works again only a probe can say.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::message::Problem;

/// How long the outcome of a probe counts.
const FRESH: Duration = Duration::from_secs(1);

/// The last probe.
#[derive(Default)]
pub(super) struct Readiness {
    last: Mutex<Option<(Instant, Result<(), Problem>)>>,
    /// Held by the one who probes.
    turn: tokio::sync::Mutex<()>,
}

impl Readiness {
    /// The outcome of a probe that is not older than a second; `probe` runs only if there is none, and never twice at a
    /// time. `since` says what has failed since.
    ///
    /// # Errors
    /// What the probe, or a write after it, met.
    pub(super) async fn ask<P>(
        &self,
        since: impl Fn() -> Option<Problem>,
        probe: impl FnOnce() -> P,
    ) -> Result<(), Problem>
    where
        P: Future<Output = Result<(), Problem>>,
    {
        let known = || self.last().map(|last| last.and_then(|()| since().map_or(Ok(()), Err)));
        if let Some(known) = known() {
            return known;
        }
        let _turn = self.turn.lock().await;
        if let Some(known) = known() {
            return known;
        }
        let outcome = probe().await;
        *self.last.lock().unwrap_or_else(PoisonError::into_inner) = Some((Instant::now(), outcome.clone()));
        outcome
    }

    fn last(&self) -> Option<Result<(), Problem>> {
        let last = self.last.lock().unwrap_or_else(PoisonError::into_inner);
        last.as_ref().filter(|(at, _)| at.elapsed() < FRESH).map(|(_, outcome)| outcome.clone())
    }
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use futures_util::future::join_all;

    use super::*;
    use crate::message::Code;

    fn problem() -> Problem {
        Problem::new(Code::OutboxUnavailable, "It is full.")
    }

    #[tokio::test(start_paused = true)]
    async fn many_who_ask_at_once_share_one_probe_and_so_do_those_of_the_next_second() {
        let (readiness, probes) = (Readiness::default(), Cell::new(0));
        let ask = || {
            readiness.ask(
                || None,
                || async {
                    tokio::time::sleep(Duration::from_millis(3)).await;
                    probes.set(probes.get() + 1);
                    Ok(())
                },
            )
        };
        assert!(join_all((0..100).map(|_| ask())).await.iter().all(Result::is_ok));
        assert!(join_all((0..100).map(|_| ask())).await.iter().all(Result::is_ok));
        assert_eq!(probes.get(), 1);
        tokio::time::advance(FRESH).await;
        ask().await.unwrap();
        assert_eq!(probes.get(), 2);
    }

    #[tokio::test(start_paused = true)]
    async fn a_write_that_fails_counts_at_once_and_a_probe_says_when_it_is_over() {
        let (readiness, failed) = (Readiness::default(), Cell::new(None));
        let since = || {
            let problem = failed.take();
            failed.set(problem.clone());
            problem
        };
        readiness.ask(since, || async { Ok(()) }).await.unwrap();
        failed.set(Some(problem()));
        assert_eq!(readiness.ask(since, || async { panic!("not yet") }).await, Err(problem()));
        tokio::time::advance(FRESH).await;
        assert_eq!(readiness.ask(since, || async { Err(problem()) }).await, Err(problem()));
        failed.set(None);
        assert_eq!(readiness.ask(since, || async { panic!("not yet") }).await, Err(problem()), "only a probe says so");
        tokio::time::advance(FRESH).await;
        readiness.ask(since, || async { Ok(()) }).await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn an_asker_that_goes_away_leaves_its_turn_to_the_next() {
        let readiness = Readiness::default();
        let gone = readiness.ask(|| None, std::future::pending);
        assert!(tokio::time::timeout(Duration::from_secs(5), gone).await.is_err());
        readiness.ask(|| None, || async { Ok(()) }).await.unwrap();
    }
}
