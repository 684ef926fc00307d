//! What the dispatcher knows at one moment, and what follows from it. Pure but for the clocks' readings handed in.

mod knocking;
mod room;
mod stopping;

use std::collections::HashSet;
use std::num::NonZeroU32;
use std::time::Duration;

use tokio::time::Instant;

use super::breaker::{Breaker, Gate};
use super::pace::Pace;
use crate::carrier::Signal;
use crate::message::{MessageId, Problem, Timestamp};
use crate::outbox::{Demand, Rest};

/// The longest sleep while something waits. Timers stand still while the machine sleeps, and deadlines do not: a message
/// that fell due meanwhile must not wait for the rest of a timer.
const GLANCE: Duration = Duration::from_secs(1);
/// How long a refusal of one call by AWS keeps the agent from being ready. Only another publish can tell whether the next
/// one is permitted, and nobody sends to an agent that is not ready.
const DENIED_FOR: Duration = Duration::from_secs(30);
/// The same while messages only have to be ended in time. Nothing is published late for it: each attempt looks at the
/// clock.
const LONG_GLANCE: Duration = Duration::from_secs(10);

/// What the loop does next.
#[derive(Clone, Copy, Debug)]
pub(super) enum Next {
    /// End what waited too long.
    Sweep,
    /// Ask the carrier whether it lets us in: no message is there to be tried.
    Knock,
    /// Ask the outbox for messages; slots for them are set aside.
    Claim(Demand),
    /// Sleep so long, or until something happens.
    Wait(Option<Duration>),
}

/// The dispatcher's own memory. What is lost with it the outbox still has.
#[derive(Debug)]
pub(super) struct State {
    /// Slots that neither a publish nor a claim under way holds.
    free: usize,
    in_flight: HashSet<MessageId>,
    /// Of these, the ones that the carrier has answered: their slots are free while their outcomes are written down.
    answered: HashSet<MessageId>,
    pace: Option<Pace>,
    breaker: Breaker,
    /// The publish that asks for all while the breaker is open.
    probe: Option<MessageId>,
    /// A claim is under way. What is heard meanwhile adds to what it answers: it may have looked before that was there.
    claiming: bool,
    /// It is to be a probe.
    claiming_probe: bool,
    /// AWS did not permit the last publish, and when it said so.
    denied: Option<(Problem, Instant)>,
    /// Something due may wait in the outbox; so nothing new may pass it.
    backlog: bool,
    /// The pace that the next message in the outbox needs, where it is known.
    needs: u32,
    /// When the next attempt in the outbox is due.
    next_due: Option<Timestamp>,
    /// When the next message in the outbox ends unpublished.
    next_end: Option<Timestamp>,
    /// Only what somebody waits for is published any more.
    stopping: bool,
    /// Nothing is.
    halted: bool,
    /// Most messages lie in a queue that several agents share, and are fetched as far as there is room for them.
    shared: bool,
}

impl State {
    /// Nothing is known of the outbox yet, so it is asked first.
    pub(super) fn new(concurrency: usize, per_second: Option<NonZeroU32>, shared: bool, now: Instant) -> Self {
        Self {
            free: concurrency,
            in_flight: HashSet::new(),
            answered: HashSet::new(),
            pace: per_second.map(|per_second| Pace::new(per_second, now)),
            breaker: Breaker::default(),
            probe: None,
            claiming: false,
            claiming_probe: false,
            denied: None,
            backlog: true,
            needs: 1,
            next_due: None,
            next_end: Some(Timestamp::from_millis(0)),
            stopping: false,
            halted: false,
            shared,
        }
    }

    /// What to do now; `None`: nothing any more.
    pub(super) fn next(&mut self, now: Timestamp, instant: Instant) -> Option<Next> {
        if self.halted {
            return None;
        }
        if self.next_end.is_some_and(|end| end <= now) {
            self.next_end = None;
            return Some(Next::Sweep);
        }
        if self.next_due.is_some_and(|due| due <= now) {
            self.more(1);
        }
        let end = self.next_end.map(|end| end.since(now));
        if !self.backlog {
            let due = self.next_due.map(|due| due.since(now).min(GLANCE));
            let end = end.map(|end| end.min(LONG_GLANCE));
            let knock = self.until_knock(instant);
            if knock.is_some_and(|until| until.is_zero()) {
                self.breaker.probe();
                return Some(Next::Knock);
            }
            return Some(Next::Wait(earlier(earlier(due, end), earlier(knock, self.until_room(instant)))));
        }
        let end = end.map(|end| end.min(GLANCE));
        let gate = self.breaker.gate(instant);
        if let Gate::Shut(until) = gate {
            let probe = until.map(|until| until.saturating_duration_since(instant));
            return Some(Next::Wait(earlier(probe, end)));
        }
        if self.free == 0 {
            return Some(Next::Wait(end));
        }
        let segments = match &mut self.pace {
            None => None,
            Some(pace) => {
                let allowance = pace.allowance(instant);
                let mut trial = allowance;
                if !trial.take(self.needs) {
                    return Some(Next::Wait(earlier(Some(pace.until(self.needs, instant)), end)));
                }
                Some(allowance)
            }
        };
        let to_probe = gate == Gate::Probe;
        let messages = if to_probe { 1 } else { self.free };
        if to_probe {
            self.breaker.probe();
            self.claiming_probe = true;
        }
        self.free -= messages;
        (self.claiming, self.backlog, self.next_due) = (true, false, None);
        Some(Next::Claim(Demand { messages, segments, to_probe }))
    }

    /// The outbox handed out messages, named with their segments; as many slots as were asked for are set aside.
    pub(super) fn claimed(&mut self, asked: usize, messages: &[(MessageId, u32)], rest: Rest) {
        self.free += asked.saturating_sub(messages.len());
        for (id, segments) in messages {
            self.in_flight.insert(*id);
            if let Some(pace) = &mut self.pace {
                pace.spend(*segments);
            }
        }
        if std::mem::take(&mut self.claiming_probe) {
            match messages {
                [] => self.breaker.unprobe(),
                [(id, _), ..] => self.probe = Some(*id),
            }
        }
        self.claiming = false;
        match rest {
            Rest::More => self.more(1),
            Rest::Paced(segments) => self.more(segments),
            Rest::Idle(None) => {}
            Rest::Idle(Some(due)) => self.due(due),
        }
    }

    /// The outbox could hand out nothing; it may have more.
    pub(super) fn claimed_nothing(&mut self, asked: usize) {
        self.claimed(asked, &[], Rest::More);
    }

    /// A new message is in the outbox, due now; or on its way to the queue that is shared.
    pub(super) fn queued(&mut self, ends_at: Timestamp) {
        if self.shared {
            return self.end(ends_at);
        }
        self.backlog = true;
        self.needs = 1;
        self.end(ends_at);
    }

    /// A message is back in the outbox.
    pub(super) fn requeued(&mut self, due_at: Timestamp, ends_at: Timestamp) {
        self.due(due_at);
        self.end(ends_at);
    }

    /// The outbox ended what was late, and says when to look again.
    pub(super) fn swept(&mut self, next: Option<Timestamp>) {
        if let Some(next) = next {
            self.end(next);
        }
    }

    /// More is due, and the first of it needs so many segments, unless something came before it.
    fn more(&mut self, segments: u32) {
        if !self.backlog {
            self.needs = segments;
        }
        self.backlog = true;
    }

    fn due(&mut self, due: Timestamp) {
        self.next_due = Some(self.next_due.map_or(due, |other| other.min(due)));
    }

    fn end(&mut self, end: Timestamp) {
        self.next_end = Some(self.next_end.map_or(end, |other| other.min(end)));
    }

    /// Sets a slot aside for a message that may pass the outbox by.
    pub(super) fn reserve(&mut self, id: MessageId, segments: u32, instant: Instant) -> bool {
        if self.stopping || self.claiming || self.backlog || self.free == 0 {
            return false;
        }
        let gate = self.breaker.gate(instant);
        if matches!(gate, Gate::Shut(_)) {
            return false;
        }
        if let Some(pace) = &mut self.pace {
            if !pace.allowance(instant).take(segments) {
                return false;
            }
            pace.spend(segments);
        }
        if gate == Gate::Probe {
            self.breaker.probe();
            self.probe = Some(id);
        }
        self.free -= 1;
        self.in_flight.insert(id);
        true
    }

    /// The carrier took a message. True: it had let nobody in before.
    pub(super) fn published(&mut self, instant: Instant) -> bool {
        self.denied = None;
        self.breaker.answered(instant)
    }

    /// A publish that began at `began` failed. True: the carrier lets nobody in any more.
    pub(super) fn failed(&mut self, signal: Signal, problem: &Problem, began: Instant, instant: Instant) -> bool {
        if signal == Signal::NotPermitted {
            self.denied = Some((problem.clone(), instant));
        }
        self.breaker.failed(signal, problem, began, instant)
    }

    /// The carrier has answered, and another publish may begin before this one's outcome is on the disk: the next claim
    /// shares its transaction. True: somebody may have waited for that.
    pub(super) fn answered(&mut self, id: MessageId) -> bool {
        if self.answered.insert(id) {
            self.free += 1;
        }
        self.backlog || self.shared
    }

    /// A publish is over and written down, or never began. True: somebody may have waited for its slot.
    pub(super) fn ended(&mut self, id: MessageId) -> bool {
        self.in_flight.remove(&id);
        if !self.answered.remove(&id) {
            self.free += 1;
        }
        if self.probe == Some(id) {
            self.probe = None;
            self.breaker.unprobe();
            return true;
        }
        self.backlog || self.shared || self.is_shut()
    }

    /// Whether the carrier lets nobody in.
    pub(super) fn is_shut(&self) -> bool {
        self.breaker.problem().is_some()
    }

    /// What keeps messages from leaving, as far as is known at that moment.
    pub(super) fn obstacle(&self, instant: Instant) -> Option<&Problem> {
        let denied = self.denied.as_ref().filter(|(_, at)| instant.saturating_duration_since(*at) < DENIED_FOR);
        self.breaker.problem().or(denied.map(|(problem, _)| problem))
    }
}

fn earlier(one: Option<Duration>, other: Option<Duration>) -> Option<Duration> {
    one.into_iter().chain(other).min()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::IdSource;

    const NOW: Timestamp = Timestamp::from_millis(1_795_464_000_000);

    /// The state after the outbox was asked once and has nothing due before `next`.
    fn asked(next: Option<Timestamp>) -> State {
        let mut state = State::new(1, None, false, Instant::now());
        assert!(matches!(state.next(NOW, Instant::now()), Some(Next::Sweep)));
        state.swept(None);
        assert!(matches!(state.next(NOW, Instant::now()), Some(Next::Claim(_))));
        state.claimed(1, &[], Rest::Idle(next));
        state
    }

    #[test]
    fn a_clock_that_is_set_back_delays_a_retry_by_no_more_than_a_glance() {
        let due = NOW.plus(Duration::from_millis(300));
        let mut state = asked(Some(due));
        let an_hour_earlier = Timestamp::from_millis(NOW.as_millis() - 3_600_000);
        let Some(Next::Wait(Some(sleep))) = state.next(an_hour_earlier, Instant::now()) else {
            panic!("it does not wait")
        };
        assert!(sleep <= GLANCE, "{sleep:?}");
        assert!(matches!(state.next(due, Instant::now()), Some(Next::Claim(_))), "the clock is right again");
    }

    /// The answer of a claim or a sweep may be older than what is heard before it is.
    #[test]
    fn what_is_heard_while_the_outbox_is_asked_is_not_forgotten_for_its_answer() {
        let end = NOW.plus(Duration::from_secs(60));
        let due = NOW.plus(Duration::from_millis(300));

        let mut state = State::new(1, None, false, Instant::now());
        assert!(matches!(state.next(NOW, Instant::now()), Some(Next::Sweep)));
        state.queued(end);
        state.swept(None);
        assert!(matches!(state.next(NOW, Instant::now()), Some(Next::Claim(_))));
        assert!(!state.reserve(IdSource::new().next(NOW), 1, Instant::now()), "the outbox may hand out older ones");
        state.queued(end);
        state.claimed(1, &[], Rest::Idle(None));
        assert!(matches!(state.next(NOW, Instant::now()), Some(Next::Claim(_))), "the new message was forgotten");
        state.requeued(due, end);
        state.claimed(1, &[], Rest::Idle(None));
        assert!(matches!(state.next(due, Instant::now()), Some(Next::Claim(_))), "the retry was forgotten");
        state.claimed(1, &[], Rest::Idle(None));
        assert!(matches!(state.next(end, Instant::now()), Some(Next::Sweep)), "the end was forgotten");
    }

    /// And once only: it is not free a second time when the outcome is written.
    #[test]
    fn a_slot_is_free_as_soon_as_the_carrier_has_answered() {
        let (mut state, id) = (asked(None), IdSource::new().next(NOW));
        assert!(state.reserve(id, 1, Instant::now()));
        state.queued(NOW.plus(Duration::from_secs(60)));
        assert!(matches!(state.next(NOW, Instant::now()), Some(Next::Wait(_))), "there is one slot");
        assert!(state.answered(id), "a message waits for it");
        assert!(state.in_flight.contains(&id), "a stop waits for the outcome");
        let Some(Next::Claim(demand)) = state.next(NOW, Instant::now()) else { panic!("the slot is not free") };
        assert!(!state.ended(id));
        assert_eq!((demand.messages, state.free), (1, 0));
    }

    #[test]
    fn with_nothing_to_wait_for_it_sleeps_until_it_is_woken() {
        assert!(matches!(asked(None).next(NOW, Instant::now()), Some(Next::Wait(None))));
    }
}
