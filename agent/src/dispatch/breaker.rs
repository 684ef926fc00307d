//! The circuit breaker: while the carrier lets nobody in, one message asks for all.
//!
//! It spares the others their attempts, and the carrier a crowd at its door. It opens at once when the account is
//! refused, and after some attempts in a row that reached nobody; any answer closes it. An attempt that met nobody while
//! somebody else's call was answered tells of itself alone: its number may be one whose calls hang.

use std::time::Duration;

use tokio::time::Instant;

use super::backoff;
use crate::carrier::Signal;
use crate::message::Problem;

/// Attempts in a row that reach nobody before the breaker opens: a single cut connection is no outage.
const UNREACHABLE: u32 = 5;

/// What the dispatcher may do now.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Gate {
    /// As it likes.
    Closed,
    /// Publish one message, to see.
    Probe,
    /// Nothing before that moment; `None`: nothing until the probe under way has its answer.
    Shut(Option<Instant>),
}

/// Closed, open, or asking.
#[derive(Debug, Default)]
pub(super) struct Breaker {
    /// Attempts in a row that reached nobody.
    unreachable: u32,
    /// When the carrier last answered anybody.
    answered_at: Option<Instant>,
    open: Option<Open>,
}

#[derive(Debug)]
struct Open {
    problem: Problem,
    probes: u32,
    next: Instant,
    probing: bool,
}

impl Breaker {
    /// What may be done at `now`.
    pub(super) fn gate(&self, now: Instant) -> Gate {
        match &self.open {
            None => Gate::Closed,
            Some(open) if open.probing => Gate::Shut(None),
            Some(open) if open.next <= now => Gate::Probe,
            Some(open) => Gate::Shut(Some(open.next)),
        }
    }

    /// A probe begins.
    pub(super) fn probe(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = true;
        }
    }

    /// A probe ended without asking the carrier.
    pub(super) fn unprobe(&mut self) {
        if let Some(open) = &mut self.open {
            open.probing = false;
        }
    }

    /// What is wrong while it is open.
    pub(super) fn problem(&self) -> Option<&Problem> {
        self.open.as_ref().map(|open| &open.problem)
    }

    /// The carrier answered, whatever it said. True: it was open.
    pub(super) fn answered(&mut self, now: Instant) -> bool {
        self.unreachable = 0;
        self.answered_at = Some(now);
        self.open.take().is_some()
    }

    /// An attempt that began at `began` failed with that signal. True: it opened.
    pub(super) fn failed(&mut self, signal: Signal, problem: &Problem, began: Instant, now: Instant) -> bool {
        match signal {
            Signal::None | Signal::NotPermitted => {
                self.answered(now);
                return false;
            }
            Signal::Unreachable if self.answered_at.is_some_and(|at| at > began) => return false,
            Signal::Unreachable => self.unreachable = self.unreachable.saturating_add(1),
            Signal::Refused => self.unreachable = UNREACHABLE,
        }
        if self.unreachable < UNREACHABLE {
            return false;
        }
        let before = self.open.take();
        // An attempt that began before it opened says nothing new.
        let probes = before.as_ref().map_or(1, |open| open.probes + u32::from(open.probing));
        let next = match &before {
            Some(open) if !open.probing => open.next,
            _ => now + floor(backoff::after(probes)),
        };
        self.open = Some(Open { problem: problem.clone(), probes, next, probing: false });
        before.is_none()
    }
}

/// Full jitter may answer nothing at all; a probe waits a little in any case.
fn floor(wait: Duration) -> Duration {
    wait.max(Duration::from_millis(50))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::Code;

    fn problem() -> Problem {
        Problem::new(Code::CarrierUnavailable, "no route")
    }

    #[test]
    fn a_refused_account_opens_it_at_once_and_one_probe_is_let_through() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        assert!(breaker.failed(Signal::Refused, &problem(), now, now));
        let Gate::Shut(Some(next)) = breaker.gate(now) else { panic!("{:?}", breaker.gate(now)) };
        assert_eq!(breaker.gate(next), Gate::Probe);
        breaker.probe();
        assert_eq!(breaker.gate(next), Gate::Shut(None));
        assert!(!breaker.failed(Signal::Refused, &problem(), next, next), "it was open already");
        assert!(matches!(breaker.gate(next), Gate::Shut(Some(later)) if later > next));
    }

    #[test]
    fn it_takes_five_unreached_attempts_in_a_row_and_any_answer_starts_the_count_anew() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        for _ in 0..4 {
            assert!(!breaker.failed(Signal::Unreachable, &problem(), now, now));
        }
        assert!(!breaker.failed(Signal::None, &problem(), now, now));
        for _ in 0..4 {
            assert!(!breaker.failed(Signal::Unreachable, &problem(), now, now));
        }
        assert_eq!(breaker.gate(now), Gate::Closed);
        assert!(breaker.failed(Signal::Unreachable, &problem(), now, now));
        assert!(breaker.answered(now));
        assert_eq!(breaker.gate(now), Gate::Closed);
    }

    #[test]
    fn calls_that_hang_while_another_is_answered_do_not_count() {
        let (mut breaker, began) = (Breaker::default(), Instant::now());
        let (meanwhile, end) = (began + Duration::from_secs(4), began + Duration::from_secs(5));
        breaker.answered(meanwhile);
        for _ in 0..20 {
            assert!(!breaker.failed(Signal::Unreachable, &problem(), began, end));
        }
        for _ in 0..4 {
            assert!(!breaker.failed(Signal::Unreachable, &problem(), meanwhile, end));
        }
        assert!(breaker.failed(Signal::Unreachable, &problem(), meanwhile, end), "nobody was answered since");
    }

    #[test]
    fn stragglers_that_fail_while_it_is_open_do_not_put_the_probe_off() {
        let (mut breaker, now) = (Breaker::default(), Instant::now());
        breaker.failed(Signal::Refused, &problem(), now, now);
        let before = breaker.gate(now);
        breaker.failed(Signal::Unreachable, &problem(), now, now + Duration::from_millis(10));
        assert_eq!(breaker.gate(now), before);
    }
}
