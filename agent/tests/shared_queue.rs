//! Several agents on one SQS queue of moto's: what one accepts another publishes.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod fleet;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use fleet::{Fleet, message, send};

#[test]
fn what_one_agent_accepts_another_publishes_and_nothing_is_left_in_the_queue() {
    let fleet = Fleet::new(60, 20);
    let accepting = fleet.agent("accept").serve();
    let id = send(&accepting, r#","reference":"table 17","type":"promotional","sender_id":"ACME""#);
    assert_eq!(fleet.lying(), (1, 0), "the answer is given once SQS has it");
    let here = message(&accepting, &id);
    assert_eq!((here["status"].as_str(), here["attempts"].as_u64()), (Some("queued"), Some(0)));

    let dispatching = fleet.agent("dispatch").serve();
    dispatching.until("it comes", |agent| agent.get(&format!("/v1/messages/{id}")).status == 200);
    let sent = dispatching.wait_for(&id, &["sent", "delivered"]);
    assert_eq!((sent["reference"].as_str(), sent["type"].as_str()), (Some("table 17"), Some("promotional")));
    assert_eq!((sent["sender_id"].as_str(), sent["attempts"].as_u64()), (Some("ACME"), Some(1)));
    assert_eq!((&sent["possible_duplicate"], &sent["created_at"]), (&false.into(), &here["created_at"]));
    let phone = dispatching.phone();
    assert_eq!(phone.len(), 1);
    assert_eq!((phone[0]["id"].as_str(), phone[0]["body"].as_str()), (Some(id.as_str()), Some("sesame 424242")));
    dispatching.until("it is deleted", |_| fleet.lying() == (0, 0));
    assert!(accepting.phone().is_empty());
}

#[test]
fn an_agent_alone_on_its_queue_answers_a_send_with_its_outcome() {
    let fleet = Fleet::new(60, 20);
    let agent = fleet.agent("both").serve();
    let answer = agent.send("+12065550100");
    assert_eq!(answer.status, 200, "{answer:?}");
    // Throttled twice: it goes through the queue after its first attempt, and keeps the count.
    let answer = agent.send("+15005550003");
    assert_eq!((answer.status, &answer.json()["attempts"]), (200, &3.into()), "{answer:?}");
    assert_eq!(answer.json()["possible_duplicate"], false);
    let id = send(&agent, "");
    agent.wait_for(&id, &["sent", "delivered"]);
    assert_eq!(agent.phone().len(), 3);
    agent.until("all is deleted", |_| fleet.lying() == (0, 0));
}
