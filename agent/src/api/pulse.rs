//! Whether a connection still does something that it may do: what a watchdog looks at every few seconds.
//!
//! In flow bytes read, writes that wait, requests that begin and end; out flows whether the connection is overdue. One
//! time-out around a whole connection would cut honest ones, and none would let silent ones pile up.

use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// How long the head of a request may take to arrive. For the first one it counts from the connection's beginning: a
/// connection that never says a word must not hold its place for as long as one that is used again and again.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long a connection may be without a request after one. Above the 90 seconds for which Go's client keeps one: whoever
/// closes first must not be the one that is about to be asked.
pub(super) const IDLE_FOR: Duration = Duration::from_secs(120);

/// How long the other side may leave an answer unread.
pub(super) const UNREAD_FOR: Duration = Duration::from_secs(30);

/// What is going on on one connection.
pub(super) struct Pulse(Mutex<State>);

struct State {
    in_hand: usize,
    /// Whether a request ever came.
    asked: bool,
    quiet_since: Instant,
    head_since: Option<Instant>,
    stalled_since: Option<Instant>,
    /// Over HTTP/2, bytes need not be a request: pings, window updates.
    multiplexed: bool,
}

impl Pulse {
    /// Of a connection that was accepted just now.
    pub(super) fn new() -> Self {
        Self(Mutex::new(State {
            in_hand: 0,
            asked: false,
            quiet_since: Instant::now(),
            head_since: None,
            stalled_since: None,
            multiplexed: false,
        }))
    }

    /// Bytes came.
    pub(super) fn received(&self) {
        let mut state = self.state();
        if state.in_hand == 0 && !state.multiplexed && state.head_since.is_none() {
            state.head_since = Some(Instant::now());
        }
    }

    /// A write has to wait, or waits no longer.
    pub(super) fn stalled(&self, stalled: bool) {
        self.state().stalled_since = stalled.then(Instant::now);
    }

    /// A request came; it is in hand until what this returns is dropped.
    pub(super) fn begin(&self, multiplexed: bool) -> InHand<'_> {
        let mut state = self.state();
        state.in_hand += 1;
        state.asked = true;
        state.head_since = None;
        state.multiplexed = multiplexed;
        InHand(self)
    }

    /// Whether nothing good will come of it any more.
    pub(super) fn is_overdue(&self) -> bool {
        let state = self.state();
        let late = |since: Option<Instant>, limit| since.is_some_and(|since| since.elapsed() >= limit);
        late(state.stalled_since, UNREAD_FOR)
            || state.in_hand == 0
                && (late(state.head_since, HEAD_WITHIN)
                    || late(Some(state.quiet_since), if state.asked { IDLE_FOR } else { HEAD_WITHIN }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in hand.
pub(super) struct InHand<'a>(&'a Pulse);

impl Drop for InHand<'_> {
    fn drop(&mut self) {
        let mut state = self.0.state();
        state.in_hand -= 1;
        state.quiet_since = Instant::now();
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const A_BLINK: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_is_overdue_and_one_that_does_is_not() {
        let pulse = Pulse::new();
        pulse.received();
        advance(HEAD_WITHIN - A_BLINK).await;
        pulse.received();
        assert!(!pulse.is_overdue());
        advance(A_BLINK).await;
        assert!(pulse.is_overdue(), "a trickle does not buy time");
        drop(pulse.begin(false));
        assert!(!pulse.is_overdue());
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_is_idle_from_its_last_request_on() {
        let pulse = Pulse::new();
        drop(pulse.begin(true));
        advance(IDLE_FOR - A_BLINK).await;
        drop(pulse.begin(true));
        advance(IDLE_FOR - A_BLINK).await;
        pulse.received();
        assert!(!pulse.is_overdue());
        advance(A_BLINK).await;
        assert!(pulse.is_overdue(), "a ping is no request");
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_never_asked_anything_has_no_longer_than_a_head() {
        let pulse = Pulse::new();
        advance(HEAD_WITHIN - A_BLINK).await;
        assert!(!pulse.is_overdue());
        advance(A_BLINK).await;
        assert!(pulse.is_overdue());
        drop(pulse.begin(false));
        advance(HEAD_WITHIN).await;
        assert!(!pulse.is_overdue());
    }

    #[tokio::test(start_paused = true)]
    async fn a_request_in_hand_is_waited_for_however_long_it_takes() {
        let pulse = Pulse::new();
        let in_hand = pulse.begin(false);
        pulse.received();
        advance(10 * IDLE_FOR).await;
        assert!(!pulse.is_overdue());
        drop(in_hand);
        assert!(!pulse.is_overdue());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_reads_is_overdue_even_with_a_request_in_hand() {
        let pulse = Pulse::new();
        let _in_hand = pulse.begin(false);
        pulse.stalled(true);
        advance(UNREAD_FOR).await;
        assert!(pulse.is_overdue());
        pulse.stalled(false);
        assert!(!pulse.is_overdue());
    }
}
