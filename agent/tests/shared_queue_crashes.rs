//! Agents on one queue that are killed at work: what was promised is published, and twice only where it says so.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod fleet;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use std::collections::{HashMap, HashSet};

use fleet::Fleet;
use process::{Agent, Start};
use serde_json::Value;

const ROUNDS: usize = 3;
const BATCHES: usize = 3;

/// Hands in three hundred, and adds the ids of those that were promised.
fn hand_in(agent: &Agent, promised: &mut HashSet<String>) {
    let one = r#"{"to":"+12065550100","body":"sesame"}"#;
    let body = format!(r#"{{"messages":[{}]}}"#, vec![one; 100].join(","));
    let answer = agent.post("/v1/messages/batch", &body);
    assert_eq!(answer.status, 200, "{answer:?}");
    for result in answer.json()["results"].as_array().unwrap() {
        assert_eq!(result["status"], 202, "{result}");
        promised.insert(result["message"]["id"].as_str().unwrap().to_owned());
    }
}

/// All pages of a list.
fn pages(agent: &Agent, path: &str) -> Vec<Value> {
    let (mut all, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = agent.get(&format!("{path}?limit=100{cursor}")).json();
        all.extend(page["messages"].as_array().unwrap().iter().cloned());
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => return all,
        }
    }
}

fn slow(start: Start) -> Agent {
    start.env("SMS_SIMULATOR__LATENCY", "30ms").env("SMS_DISPATCH__CONCURRENCY", "16").serve()
}

#[test]
fn every_message_that_was_promised_is_published_and_twice_only_where_it_says_so() {
    let fleet = Fleet::new(8, 20);
    let mut promised = HashSet::new();
    let survivor = slow(fleet.agent("both"));
    let mut victim = slow(fleet.agent("both"));
    for round in 0..ROUNDS {
        for _ in 0..BATCHES {
            hand_in(&victim, &mut promised);
        }
        hand_in(&survivor, &mut promised);
        let before = victim.phone().len();
        victim.until("it is in the middle of it", |agent| agent.phone().len() > before || before >= 100);
        let folder = victim.kill();
        victim = slow(fleet.agent_in(folder.path(), "both")).in_folder(folder);
        assert_eq!(promised.len(), (round + 1) * (BATCHES + 1) * 100);
    }
    let published = |agents: [&Agent; 2]| {
        let mut times = HashMap::<String, usize>::new();
        for phone in agents.map(|agent| pages(agent, "/v1/simulator/messages")) {
            for sms in phone {
                *times.entry(sms["id"].as_str().unwrap().to_owned()).or_default() += 1;
            }
        }
        times
    };
    victim.at_leisure("the queue is empty and nothing is in hand", |_| fleet.lying() == (0, 0));
    victim.at_leisure("all are published", |agent| published([agent, &survivor]).len() == promised.len());
    let times = published([&victim, &survivor]);
    assert!(promised.iter().all(|id| times.contains_key(id)), "some are lost");
    assert_eq!(fleet.dead(), 0);

    let histories = [&victim, &survivor].map(|agent| pages(agent, "/v1/messages"));
    let told: HashSet<_> = histories
        .iter()
        .flatten()
        .filter(|message| message["possible_duplicate"] == true)
        .map(|message| message["id"].as_str().unwrap().to_owned())
        .collect();
    for (id, times) in times.iter().filter(|(_, times)| **times > 1) {
        assert!(told.contains(id), "{id} was published {times} times, and nobody says so");
    }
    for message in histories.iter().flatten() {
        assert_ne!(message["status"], "failed", "{message}");
    }
}
