//! Tracks what happens on one connection, so that a watchdog can end connections that no longer do anything useful.
//!
//! It is told of bytes that arrive, writes that block, requests that begin, and answers that wait to be written, and
//! says whether the connection is overdue. One time-out around a whole connection would cut honest ones; without any,
//! silent connections would pile up.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::OwnedSemaphorePermit;
use tokio::time::Instant;

/// How long the head of a request may take to arrive. For the first one it counts from the connection's beginning: a
/// connection that never says a word must not hold its place for as long as one that is used again and again.
pub(super) const HEAD_WITHIN: Duration = Duration::from_secs(10);

/// How long a connection may be without a request after one. Above the 90 seconds for which Go's client keeps one: whoever
/// closes first must not be the one that is about to be asked.
pub(super) const IDLE_FOR: Duration = Duration::from_secs(120);

/// How long the other side may leave an answer unread.
pub(super) const UNREAD_FOR: Duration = Duration::from_secs(30);

/// How often the watchdog looks at a connection.
const LOOK_EVERY: Duration = Duration::from_secs(2);

/// The time limits of a connection.
#[derive(Clone, Copy)]
pub(super) struct Patience {
    head: Duration,
    idle: Duration,
    unread: Duration,
    /// How often the watchdog looks.
    pub(super) look_every: Duration,
}

impl Patience {
    /// The limits of a connection that has a place of its own.
    pub(super) const USUAL: Self =
        Self { head: HEAD_WITHIN, idle: IDLE_FOR, unread: UNREAD_FOR, look_every: LOOK_EVERY };

    /// Every limit is `time`.
    pub(super) fn of(time: Duration) -> Self {
        Self { head: time, idle: time, unread: time, look_every: time / 2 }
    }
}

/// The state of one connection.
pub(super) struct Pulse {
    patience: Patience,
    state: Mutex<State>,
}

struct State {
    in_hand: usize,
    /// Whether a request ever came.
    asked: bool,
    quiet_since: Instant,
    head_since: Option<Instant>,
    stalled_since: Option<Instant>,
    /// Since when answers wait to be written, oldest first. Over HTTP/2 the other side can hold back each of them without
    /// the socket ever blocking.
    unread_since: Vec<Instant>,
    /// Over HTTP/2, bytes need not be a request: pings, window updates.
    multiplexed: bool,
}

impl Pulse {
    /// Of a connection that was accepted just now.
    pub(super) fn new(patience: Patience) -> Arc<Self> {
        let state = State {
            in_hand: 0,
            asked: false,
            quiet_since: Instant::now(),
            head_since: None,
            stalled_since: None,
            unread_since: Vec::new(),
            multiplexed: false,
        };
        Arc::new(Self { patience, state: Mutex::new(state) })
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
    pub(super) fn begin(self: &Arc<Self>, multiplexed: bool) -> InHand {
        let mut state = self.state();
        state.in_hand += 1;
        state.asked = true;
        state.head_since = None;
        state.multiplexed = multiplexed;
        InHand { pulse: Arc::clone(self), answered_at: None, place: None }
    }

    /// Requests that came and whose answers are not written yet.
    pub(super) fn in_hand(&self) -> usize {
        self.state().in_hand
    }

    /// Whether the connection has used up one of its time limits.
    pub(super) fn is_overdue(&self) -> bool {
        let (state, now) = (self.state(), Instant::now());
        let late = |since: Option<Instant>, limit| since.is_some_and(|since| now.duration_since(since) >= limit);
        late(state.stalled_since, self.patience.unread)
            || late(state.unread_since.first().copied(), self.patience.unread)
            || state.in_hand == 0
                && (late(state.head_since, self.patience.head)
                    || late(Some(state.quiet_since), if state.asked { self.patience.idle } else { self.patience.head }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A request in hand, until its answer is written.
pub(super) struct InHand {
    pulse: Arc<Pulse>,
    answered_at: Option<Instant>,
    place: Option<OwnedSemaphorePermit>,
}

impl InHand {
    /// Holds this place as well, for as long as the request is in hand.
    pub(super) fn hold(&mut self, place: OwnedSemaphorePermit) {
        self.place = Some(place);
    }

    /// The answer is there and only has to be written. From now on the other side's time to read it runs.
    pub(super) fn answered(mut self) -> Self {
        let now = Instant::now();
        self.answered_at = Some(now);
        self.pulse.state().unread_since.push(now);
        self
    }
}

impl Drop for InHand {
    fn drop(&mut self) {
        let mut state = self.pulse.state();
        state.in_hand -= 1;
        state.quiet_since = Instant::now();
        let written = state.unread_since.iter().position(|since| Some(*since) == self.answered_at);
        if let Some(written) = written {
            state.unread_since.remove(written);
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::time::advance;

    use super::*;

    const A_BLINK: Duration = Duration::from_millis(1);

    #[tokio::test(start_paused = true)]
    async fn a_head_that_does_not_end_is_overdue_and_one_that_does_is_not() {
        let pulse = Pulse::new(Patience::USUAL);
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
        let pulse = Pulse::new(Patience::USUAL);
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
        let pulse = Pulse::new(Patience::USUAL);
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
        let pulse = Pulse::new(Patience::USUAL);
        let in_hand = pulse.begin(false);
        pulse.received();
        advance(10 * IDLE_FOR).await;
        assert!(!pulse.is_overdue());
        drop(in_hand);
        assert!(!pulse.is_overdue());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_nobody_reads_is_overdue_even_with_a_request_in_hand() {
        let pulse = Pulse::new(Patience::USUAL);
        let _in_hand = pulse.begin(false);
        pulse.stalled(true);
        advance(UNREAD_FOR).await;
        assert!(pulse.is_overdue());
        pulse.stalled(false);
        assert!(!pulse.is_overdue());
    }

    #[tokio::test(start_paused = true)]
    async fn an_answer_that_is_not_written_is_overdue_however_many_others_are() {
        let pulse = Pulse::new(Patience::USUAL);
        let unread = pulse.begin(true).answered();
        advance(UNREAD_FOR - A_BLINK).await;
        drop(pulse.begin(true).answered());
        let fresh = pulse.begin(true).answered();
        assert!(!pulse.is_overdue());
        advance(A_BLINK).await;
        assert!(pulse.is_overdue(), "progress of one answer buys no time for another");
        drop(unread);
        assert!(!pulse.is_overdue());
        assert_eq!(pulse.in_hand(), 1);
        drop(fresh);
        assert_eq!(pulse.in_hand(), 0);
    }
}
