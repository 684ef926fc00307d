//! Agents on one queue that are killed at work: what was promised is published, and twice only where it says so.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod fleet;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use std::collections::HashSet;

use fleet::{Fleet, assert_told, hand_in, published};
use process::{Agent, Start};

const ROUNDS: usize = 6;
const BATCHES: usize = 4;

fn slow(start: Start) -> Agent {
    start.env("SMS_SIMULATOR__LATENCY", "30ms").env("SMS_DISPATCH__CONCURRENCY", "16").serve()
}

#[test]
fn every_message_that_was_promised_is_published_and_twice_only_where_it_says_so() {
    let fleet = Fleet::of_many(8, 20);
    let mut promised = HashSet::new();
    let survivor = slow(fleet.agent("both"));
    let mut victim = slow(fleet.agent("both"));
    for round in 0..ROUNDS {
        for _ in 0..BATCHES {
            promised.extend(hand_in(&victim, 100));
        }
        promised.extend(hand_in(&survivor, 100));
        let before = victim.phone().len();
        victim.until("it is in the middle of it", |agent| agent.phone().len() > before || before >= 100);
        let folder = victim.kill();
        victim = slow(fleet.agent_in(folder.path(), "both")).in_folder(folder);
        assert_eq!(promised.len(), (round + 1) * (BATCHES + 1) * 100);
    }
    victim.at_leisure("the queue is empty and nothing is in hand", |_| fleet.lying() == (0, 0));
    victim.at_leisure("all are published", |agent| published(&[agent, &survivor]).len() == promised.len());
    let times = published(&[&victim, &survivor]);
    assert!(promised.iter().all(|id| times.contains_key(id)), "some are lost");
    assert_eq!(fleet.dead(), 0);

    assert_told(&[&victim, &survivor], &times);
    let histories = [&victim, &survivor].map(|agent| agent.pages("/v1/messages"));
    for message in histories.iter().flatten() {
        assert_ne!(message["status"], "failed", "{message}");
    }
}
