//! What this agent has in hand of the queue: hidden from the others until it is settled.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use super::queue::Received;
use crate::clock::Clock;
use crate::message::{MessageId, Timestamp};

/// SQS hides nothing for longer than this at once.
const LONGEST: Duration = Duration::from_secs(43_200);

/// The messages in hand. Their times are on the timeline, which counts on while the machine sleeps: SQS does, too.
pub(super) struct Held {
    clock: Arc<dyn Clock>,
    holds: Mutex<HashMap<MessageId, Hold>>,
}

#[derive(Debug)]
struct Hold {
    /// What SQS calls it: a second copy has another name.
    name: String,
    receipt: String,
    /// When the others see it again.
    until: Timestamp,
    /// When it is tried again, if it waits for that.
    again: Option<Timestamp>,
}

/// A message that is to be hidden for longer.
#[derive(Clone, Debug)]
pub(super) struct Extension {
    pub(super) id: MessageId,
    pub(super) receipt: String,
    /// So long from now on.
    pub(super) time: Duration,
}

impl Held {
    /// None yet.
    pub(super) fn new(clock: Arc<dyn Clock>) -> Self {
        Self { clock, holds: Mutex::default() }
    }

    /// Takes one in hand that is hidden until then.
    pub(super) fn hold(&self, id: MessageId, received: Received, until: Timestamp) {
        self.lock().insert(id, Hold { name: received.name, receipt: received.receipt, until, again: None });
    }

    /// Hears that one in hand was received again: it has a new receipt. `Some`: it is a second copy, and this its receipt.
    pub(super) fn received_again(&self, id: MessageId, received: Received, until: Timestamp) -> Option<String> {
        let mut held = self.lock();
        if held.get(&id).is_some_and(|hold| hold.name != received.name) {
            return Some(received.receipt);
        }
        let again = held.get(&id).and_then(|hold| hold.again);
        held.insert(id, Hold { name: received.name, receipt: received.receipt, until, again });
        None
    }

    /// Whether it is in hand.
    pub(super) fn has(&self, id: MessageId) -> bool {
        self.lock().contains_key(&id)
    }

    /// It is tried again at that time.
    pub(super) fn rests(&self, id: MessageId, again: Timestamp) {
        if let Some(hold) = self.lock().get_mut(&id) {
            hold.again = Some(again);
        }
    }

    /// It is not in hand any more; this is its receipt.
    pub(super) fn release(&self, id: MessageId) -> Option<String> {
        self.lock().remove(&id).map(|hold| hold.receipt)
    }

    /// How many there are.
    pub(super) fn count(&self) -> usize {
        self.lock().len()
    }

    /// All of them.
    pub(super) fn ids(&self) -> Vec<MessageId> {
        self.lock().keys().copied().collect()
    }

    /// Those that the others see again.
    pub(super) fn lapsed(&self) -> Vec<MessageId> {
        let now = self.clock.now();
        self.lock().iter().filter(|(_, hold)| hold.until <= now).map(|(id, _)| *id).collect()
    }

    /// Those that would be seen before most of `visibility` is over, or before they are tried again.
    pub(super) fn to_extend(&self, visibility: Duration) -> Vec<Extension> {
        let now = self.clock.now();
        let extend = |(id, hold): (&MessageId, &Hold)| {
            let again = hold.again.map_or(Duration::ZERO, |again| again.since(now));
            let left = hold.until.since(now);
            let short = left < again + visibility.mul_f64(0.7);
            let time = (again + visibility).min(LONGEST);
            short.then(|| Extension { id: *id, receipt: hold.receipt.clone(), time })
        };
        self.lock().iter().filter_map(extend).collect()
    }

    /// It is hidden until then.
    pub(super) fn extended(&self, id: MessageId, until: Timestamp) {
        if let Some(hold) = self.lock().get_mut(&id) {
            hold.until = until;
        }
    }

    /// The others see it already, or it is gone.
    pub(super) fn lost(&self, id: MessageId) {
        self.extended(id, self.clock.now());
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MessageId, Hold>> {
        self.holds.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use tokio::time::Instant;

    use crate::message::IdSource;

    const VISIBILITY: Duration = Duration::from_secs(60);

    fn received(name: &str, receipt: &str) -> Received {
        Received {
            name: name.to_owned(),
            receipt: receipt.to_owned(),
            text: String::new(),
            trace: None,
            receives: 1,
            waited: Duration::ZERO,
        }
    }

    struct TokioClock(Instant);

    impl Clock for TokioClock {
        fn now(&self) -> Timestamp {
            Timestamp::from_millis(1_795_464_000_000).plus(self.0.elapsed())
        }
    }

    fn one() -> (Held, MessageId) {
        let held = Held::new(Arc::new(TokioClock(Instant::now())));
        let id = IdSource::new().next(held.clock.now());
        held.hold(id, received("a", "first"), later(&held, VISIBILITY));
        (held, id)
    }

    fn later(held: &Held, time: Duration) -> Timestamp {
        held.clock.now().plus(time)
    }

    #[tokio::test(start_paused = true)]
    async fn a_message_in_hand_is_hidden_on_for_as_long_as_it_is_and_through_its_pause() {
        let (held, id) = one();
        assert!(held.to_extend(VISIBILITY).is_empty(), "it was hidden just now");
        tokio::time::advance(VISIBILITY / 3).await;
        let extension = held.to_extend(VISIBILITY).remove(0);
        assert_eq!((extension.receipt.as_str(), extension.time), ("first", VISIBILITY));
        held.extended(id, later(&held, VISIBILITY));
        assert!(held.to_extend(VISIBILITY).is_empty());
        held.rests(id, later(&held, VISIBILITY * 2));
        assert_eq!(held.to_extend(VISIBILITY).remove(0).time, VISIBILITY * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_seen_again_by_others_is_told() {
        let (held, id) = one();
        assert!(held.lapsed().is_empty());
        tokio::time::advance(VISIBILITY).await;
        assert_eq!(held.lapsed(), [id]);
        assert!(held.received_again(id, received("a", "second"), later(&held, VISIBILITY)).is_none());
        assert!(held.lapsed().is_empty());
        held.lost(id);
        assert_eq!(held.lapsed(), [id]);
        assert_eq!(held.release(id).as_deref(), Some("second"), "the newest receipt counts");
    }

    #[tokio::test(start_paused = true)]
    async fn a_second_copy_is_to_be_deleted_and_changes_nothing() {
        let (held, id) = one();
        let copy = held.received_again(id, received("b", "copy"), later(&held, VISIBILITY));
        assert_eq!(copy.as_deref(), Some("copy"));
        assert_eq!(held.release(id).as_deref(), Some("first"));
    }
}
