//! Room for messages from a queue that several agents share.

use std::time::Duration;

use tokio::time::Instant;

use super::{State, earlier};
use crate::dispatch::breaker::Gate;
use crate::message::Timestamp;

/// Messages of one fetch. Some may have to wait here for a moment; a call for each would cost more than that.
const TOGETHER: usize = 10;

impl State {
    /// How many messages may be fetched: none while anything here has to wait for its turn, and no more than leave within
    /// about a second.
    pub(in crate::dispatch) fn room(&mut self, instant: Instant) -> usize {
        if !self.shared || self.stopping || self.backlog || self.claiming || self.free == 0 {
            return 0;
        }
        let most = match self.breaker.gate(instant) {
            Gate::Closed => TOGETHER,
            Gate::Probe => 1,
            Gate::Shut(_) => return 0,
        };
        match self.pace.as_mut().map(|pace| pace.allowance(instant)) {
            None => most,
            Some(allowance) if allowance.now == 0 => 0,
            Some(allowance) => most.min(allowance.full as usize),
        }
    }

    /// How long until there may be room where only time makes some.
    pub(super) fn until_room(&mut self, instant: Instant) -> Option<Duration> {
        if !self.shared || self.stopping {
            return None;
        }
        let probe = match self.breaker.gate(instant) {
            Gate::Shut(Some(until)) => Some(until.saturating_duration_since(instant)),
            _ => None,
        };
        let paced = self.pace.as_mut().and_then(|pace| {
            let spent = pace.allowance(instant).now == 0;
            spent.then(|| pace.until(1, instant))
        });
        earlier(probe, paced)
    }

    /// Messages that were fetched are in the outbox, due now.
    pub(in crate::dispatch) fn fetched(&mut self, ends_at: Option<Timestamp>) {
        self.more(1);
        ends_at.into_iter().for_each(|ends_at| self.end(ends_at));
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;

    use super::*;
    use crate::carrier::Signal;
    use crate::dispatch::state::Next;
    use crate::message::{Code, IdSource, Problem};
    use crate::outbox::Rest;

    const NOW: Timestamp = Timestamp::from_millis(1_795_464_000_000);

    /// On a shared queue, the rows here asked once and found empty.
    fn idle(concurrency: usize, per_second: u32, shared: bool) -> State {
        let mut state = State::new(concurrency, NonZeroU32::new(per_second), shared, Instant::now());
        assert_eq!(state.room(Instant::now()), 0, "what is here goes first");
        assert!(matches!(state.next(NOW, Instant::now()), Some(Next::Sweep)));
        assert!(matches!(state.next(NOW, Instant::now()), Some(Next::Claim(_))));
        state.claimed(concurrency, &[], Rest::Idle(None));
        state
    }

    #[test]
    fn a_full_fetch_is_asked_for_while_one_may_be_published_and_none_otherwise() {
        assert_eq!(idle(1, 0, false).room(Instant::now()), 0);
        let mut state = idle(1, 0, true);
        assert_eq!(state.room(Instant::now()), TOGETHER);
        assert!(state.reserve(IdSource::new().next(NOW), 1, Instant::now()));
        assert_eq!(state.room(Instant::now()), 0, "no slot is free");
        let mut state = idle(1, 0, true);
        state.stop();
        assert_eq!(state.room(Instant::now()), 0);
    }

    #[test]
    fn nothing_is_fetched_while_the_pace_is_spent_and_no_more_than_a_second_of_it() {
        let (mut state, now) = (idle(100, 3, true), Instant::now());
        assert_eq!(state.room(now), 3);
        assert!(state.reserve(IdSource::new().next(NOW), 3, now));
        assert_eq!(state.room(now), 0);
        let Some(Next::Wait(Some(wait))) = state.next(NOW, now) else { panic!("it does not wait") };
        assert!(wait < Duration::from_millis(340), "{wait:?}");
        assert_eq!(state.room(now + wait), 3);
    }

    #[test]
    fn while_the_carrier_lets_nobody_in_one_is_fetched_to_ask_for_all() {
        let (mut state, now) = (idle(100, 0, true), Instant::now());
        state.failed(Signal::Refused, &Problem::new(Code::CarrierUnauthorized, "no"), now, now);
        assert_eq!(state.room(now), 0);
        let Some(Next::Wait(Some(wait))) = state.next(NOW, now) else { panic!("it does not wait") };
        assert_eq!(state.room(now + wait), 1);
    }
}
