//! Batches, the history, cancellation and back-pressure, asked of the real program.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use process::{Agent, Answer, Start};
use serde_json::{Value, json};

const JSON: (&str, &str) = ("Content-Type", "application/json");

/// One segment a second may leave, and the first message has so many that nothing follows for the length of a test.
fn held_up(start: Start) -> Agent {
    let agent = start.env("SMS_DISPATCH__SEGMENTS_PER_SECOND", "1").serve();
    let long = json!({ "to": "+12065550100", "body": "x".repeat(1600) }).to_string();
    assert_eq!(agent.post("/v1/messages", &long).status, 200);
    agent
}

fn queue(agent: &Agent, to: &str) -> Answer {
    let body = json!({ "to": to, "body": "Your code is 424242" }).to_string();
    agent.request("POST", "/v1/messages", &[JSON, ("Prefer", "respond-async")], &body)
}

fn batch(agent: &Agent, key: Option<&str>, messages: &Value) -> Answer {
    let mut headers = vec![JSON];
    headers.extend(key.map(|key| ("Idempotency-Key", key)));
    agent.request("POST", "/v1/messages/batch", &headers, &json!({ "messages": messages }).to_string())
}

fn delete(agent: &Agent, id: &str) -> Answer {
    agent.request("DELETE", &format!("/v1/messages/{id}"), &[], "")
}

fn id(message: &Value) -> String {
    message["id"].as_str().unwrap().to_owned()
}

fn ids(page: &Value) -> Vec<String> {
    page["messages"].as_array().unwrap().iter().map(id).collect()
}

#[test]
fn a_batch_is_accepted_each_on_its_own_merits_and_published() {
    let agent = Start::new().serve();
    let messages = json!([
        { "to": "+12065550100", "body": "one", "reference": "a" },
        { "to": "+15005550002", "body": "it opted out" },
        { "to": "+12065550100", "body": "" },
        { "to": "+12065550101", "body": "two" },
    ]);
    let answer = batch(&agent, None, &messages);
    assert_eq!(answer.status, 200, "{answer:?}");
    let results = answer.json()["results"].as_array().unwrap().clone();
    let statuses: Vec<_> = results.iter().map(|result| result["status"].as_u64().unwrap()).collect();
    assert_eq!(statuses, [202, 422, 400, 202]);
    assert_eq!(results[1]["problem"]["code"], "opted_out");
    assert_eq!(
        (&results[2]["problem"]["parameter"], &results[0]["message"]["reference"]),
        (&"body".into(), &"a".into())
    );
    for accepted in [&results[0], &results[3]] {
        agent.wait_for(&id(&accepted["message"]), &["sent", "delivered"]);
    }
    assert_eq!(agent.phone().len(), 2);
}

#[test]
fn a_replayed_batch_tells_what_was_refused_and_survives_a_kill_9() {
    let agent = Start::new().serve();
    let messages = json!([{ "to": "1", "body": "x" }, { "to": "+12065550100", "body": "x" }, { "to": "+15005550002", "body": "x" }]);
    let first = batch(&agent, Some("friday"), &messages).json();
    let folder = agent.kill();
    let agent = Start::in_folder(folder.path()).serve();
    let again = batch(&agent, Some("friday"), &messages);
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    let again = again.json();
    assert_eq!((&again["results"][0], &again["results"][2]), (&first["results"][0], &first["results"][2]));
    assert_eq!(id(&again["results"][1]["message"]), id(&first["results"][1]["message"]));
    let other = batch(&agent, Some("friday"), &json!([{ "to": "+12065550100", "body": "y" }]));
    assert_eq!((other.status, other.problem().as_str()), (422, "idempotency_key_reused"));
    let single = json!({ "to": "+12065550100", "body": "x" }).to_string();
    let single = agent.request("POST", "/v1/messages", &[JSON, ("Idempotency-Key", "friday")], &single);
    assert_eq!(single.status, 422, "a key is one for all routes");
    assert_eq!(ids(&agent.get("/v1/messages").json()).len(), 1);
}

#[test]
fn a_batch_of_which_nothing_goes_stores_nothing_and_its_key_neither() {
    let agent = Start::new().serve();
    let refused = batch(&agent, Some("k"), &json!([{ "to": "+15005550002", "body": "x" }, 7]));
    assert_eq!((refused.status, refused.header("idempotency-replayed")), (200, None));
    assert!(ids(&agent.get("/v1/messages").json()).is_empty());
    let good = batch(&agent, Some("k"), &json!([{ "to": "+12065550100", "body": "x" }]));
    assert_eq!(good.json()["results"][0]["status"], 202);
}

#[test]
fn a_sender_that_waits_is_told_that_its_message_was_canceled() {
    let agent = held_up(Start::new());
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| agent.send("+12065550101"));
        let mut queued = Vec::new();
        while queued.is_empty() {
            queued = ids(&agent.get("/v1/messages?status=queued&to=+12065550101").json());
        }
        let canceled = delete(&agent, &queued[0]);
        assert_eq!((canceled.status, &canceled.json()["status"]), (200, &"canceled".into()));
        let told = waiting.join().unwrap();
        assert_eq!((told.status, told.problem().as_str()), (409, "canceled"));
        assert_eq!(told.json()["id"], queued[0].as_str());
        let again = delete(&agent, &queued[0]);
        assert_eq!((again.status, again.problem().as_str()), (409, "not_cancelable"));
        assert_eq!(again.json()["id"], queued[0].as_str());
    });
    assert_eq!(agent.phone().len(), 1, "only what held it up");
}

#[test]
fn the_history_is_read_page_by_page_and_by_its_filters() {
    let agent = held_up(Start::new());
    let mut queued: Vec<_> = (0..5).map(|_| id(&queue(&agent, "+12065550101").json())).collect();
    queued.reverse();
    let first = agent.get("/v1/messages?status=queued&limit=2").json();
    queue(&agent, "+12065550102");
    let cursor = first["next_cursor"].as_str().unwrap();
    let rest = agent.get(&format!("/v1/messages?status=queued&cursor={cursor}")).json();
    assert_eq!([ids(&first), ids(&rest)].concat(), queued);
    assert_eq!(rest["next_cursor"], Value::Null);
    assert_eq!(ids(&agent.get("/v1/messages?to=%2B12065550101").json()), queued);
    assert_eq!(agent.get("/v1/messages?cursor=nonsense").problem(), "invalid_parameter");
    assert!(!agent.get("/v1/messages").body.contains("424242"), "no text in the history");
}

#[test]
fn beyond_what_may_wait_sends_and_batches_are_refused_wholly() {
    let agent = held_up(Start::new().env("SMS_OUTBOX__MAX_QUEUED", "2"));
    assert_eq!(queue(&agent, "+12065550101").status, 202);
    let two = json!([{ "to": "+12065550101", "body": "x" }, { "to": "+12065550101", "body": "x" }]);
    let full = batch(&agent, Some("k"), &two);
    assert_eq!((full.status, full.problem().as_str()), (503, "outbox_full"));
    let last = id(&queue(&agent, "+12065550101").json());
    let full = agent.send("+12065550101");
    assert_eq!((full.status, full.problem().as_str()), (503, "outbox_full"));
    assert_eq!(delete(&agent, &last).status, 200, "which makes room");
    assert_eq!(batch(&agent, Some("k"), &two).status, 503);
    assert_eq!(batch(&agent, Some("k"), &json!([two[0]])).status, 200, "the key of what was refused is free");
}
