//! When the carrier is asked whether it lets us in, with no message there to be tried.

use std::time::Duration;

use tokio::time::Instant;

use super::State;
use crate::carrier::{PublishError, Signal};
use crate::dispatch::breaker::Gate;

impl State {
    /// How long until the question is due: zero is now, `None` never. Messages that wait or are in flight ask by
    /// themselves.
    pub(super) fn until_knock(&self, instant: Instant) -> Option<Duration> {
        if self.stopping || self.claiming || self.backlog || self.next_due.is_some() || !self.in_flight.is_empty() {
            return None;
        }
        match self.breaker.gate(instant) {
            Gate::Closed | Gate::Shut(None) => None,
            Gate::Probe => Some(Duration::ZERO),
            Gate::Shut(Some(until)) => Some(until.saturating_duration_since(instant)),
        }
    }

    /// The question that began at `began` has its answer, and `failure` is what it met. True: the carrier had let nobody in
    /// before, and does now.
    pub(in crate::dispatch) fn knocked(
        &mut self,
        failure: Option<&PublishError>,
        began: Instant,
        instant: Instant,
    ) -> bool {
        match failure {
            Some(error) if matches!(error.signal, Signal::Refused | Signal::Unreachable) => {
                self.breaker.failed(error.signal, &error.problem, began, instant);
                self.breaker.unprobe();
                false
            }
            _ => self.breaker.answered(instant),
        }
    }
}
