//! How it comes to its end: first only what somebody waits for goes on, then nothing.

use super::State;
use crate::message::MessageId;

impl State {
    /// Whether a publish of that message is in flight.
    pub(in crate::dispatch) fn is_in_flight(&self, id: MessageId) -> bool {
        self.in_flight.contains(&id)
    }

    /// Whether no publish is in flight.
    pub(in crate::dispatch) fn is_idle(&self) -> bool {
        self.in_flight.is_empty()
    }

    /// What was heard of the outbox so far does not tell of the messages that still count.
    pub(in crate::dispatch) fn stop(&mut self) {
        self.stopping = true;
        self.more(1);
    }

    pub(in crate::dispatch) fn halt(&mut self) {
        self.halted = true;
    }

    pub(in crate::dispatch) fn is_stopping(&self) -> bool {
        self.stopping
    }
}
