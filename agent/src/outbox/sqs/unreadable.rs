//! Messages of the queue that cannot be read, each counted once, however often the queue brings it.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Names kept, at most: a message that cannot be read comes once a second until the redrive policy takes it away.
const MOST_NAMES: usize = 1000;

/// Those that this agent has met.
#[derive(Debug, Default)]
pub(super) struct Unreadable(Mutex<Met>);

#[derive(Debug, Default)]
struct Met {
    /// SQS's names of the last ones, the newest at the end.
    names: VecDeque<String>,
    so_far: u64,
}

impl Unreadable {
    /// Hears of one. `Some`: it is a new one, and there were so many so far.
    pub(super) fn met(&self, name: &str) -> Option<u64> {
        let mut met = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if met.names.iter().any(|other| other == name) {
            return None;
        }
        if met.names.len() >= MOST_NAMES {
            met.names.pop_front();
        }
        met.names.push_back(name.to_owned());
        met.so_far += 1;
        Some(met.so_far)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_counts_once_however_often_it_comes_and_memory_has_an_end() {
        let unreadable = Unreadable::default();
        assert_eq!(["a", "a", "b", "a", "b"].map(|name| unreadable.met(name)), [Some(1), None, Some(2), None, None]);
        for number in 0..MOST_NAMES {
            assert!(unreadable.met(&number.to_string()).is_some());
        }
        assert_eq!(unreadable.0.lock().unwrap().names.len(), MOST_NAMES);
        assert_eq!(unreadable.met("999"), None);
    }
}
