//! Several agents on one SQS queue: what one accepts another publishes. `SMS_FLEET_SQS` names another SQS than the tests' own.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod fleet;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use fleet::{Fleet, message, send};
use process::Start;

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
fn sqs_is_called_in_the_region_of_the_queue_whichever_that_of_sns_is() {
    let fleet = Fleet::in_region("eu-west-1", 60, 20);
    let url = format!("https://sqs.eu-west-1.amazonaws.com/{}", fleet.path());
    let agent = fleet.agent("accept").env("SMS_AGENT__QUEUE_URL", url).serve();
    send(&agent, "");
    assert_eq!(fleet.lying(), (1, 0));
}

#[test]
fn a_queue_that_is_none_of_sqs_stops_the_start() {
    let start = |url: &str| {
        let start = Start::new().env("SMS_AGENT__QUEUE", "sqs").env("SMS_AGENT__QUEUE_URL", url);
        let output = start.env("AWS_REGION", "us-east-1").output();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    };
    for url in
        ["https://sesame.example/123456789012/q", "https://sqs.eu-west-1.amazonaws.com/sesame", "ftp://sesame/1/q"]
    {
        let (status, log) = start(url);
        assert_eq!(status, Some(1), "{log}");
        assert!(log.contains("agent.queue_url") && log.contains("https://sqs.<region>.amazonaws.com/"), "{log}");
        assert!(!log.contains("sesame"), "{log}");
    }
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

#[test]
fn an_agent_that_only_accepts_answers_at_once_and_what_is_in_the_queue_is_not_canceled() {
    let fleet = Fleet::new(60, 20);
    let agent = fleet.agent("accept").env("SMS_AGENT__WAIT", "10m").serve();
    let answer = agent.send("+12065550100");
    assert_eq!(answer.status, 202, "{answer:?}");
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    assert_eq!(answer.header("location"), Some(format!("/v1/messages/{id}").as_str()));
    assert_eq!(agent.request("DELETE", &format!("/v1/messages/{id}"), &[], "").problem(), "not_cancelable");
    let queued = agent.get("/v1/messages?status=queued").json();
    assert_eq!(queued["messages"][0]["id"], id.as_str());
    let batch = agent.post("/v1/messages/batch", r#"{"messages":[{"to":"+12065550100","body":"Hello"},{"to":"1"}]}"#);
    let results = batch.json()["results"].clone();
    assert_eq!((&results[0]["status"], &results[1]["status"]), (&202.into(), &400.into()));
    assert_eq!(fleet.lying(), (2, 0));
}

#[test]
fn an_agent_that_only_dispatches_has_no_routes_to_send_by_and_all_the_others() {
    let fleet = Fleet::new(60, 20);
    let agent = fleet.agent("dispatch").serve();
    assert_eq!(agent.send("+12065550100").problem(), "not_found");
    assert_eq!(agent.post("/v1/messages/batch", r#"{"messages":[]}"#).problem(), "not_found");
    for path in ["/v1/messages", "/v1/opt-outs/+12065550100", "/v1/simulator/messages", "/healthz", "/readyz"] {
        assert_eq!(agent.get(path).status, 200, "{path}");
    }
    let preview = agent.post("/v1/messages/preview", r#"{"to":"+12065550100","body":"Hello"}"#);
    assert_eq!(preview.status, 200, "{preview:?}");
    assert_eq!(agent.request("DELETE", "/v1/messages/01JDC0000000000000000000AA", &[], "").problem(), "not_found");
}

/// A text as an agent writes it, whose clock says something else altogether.
fn letter(id: &str, left: i64) -> String {
    let (sent_at, give_up_at) = (1_000, 86_401_000);
    format!(
        r#"{{"v":1,"id":"{id}","to":"+12065550100","body":"sesame","type":"transactional","created_at":500,
        "sent_at":{sent_at},"expires_at":{},"give_up_at":{give_up_at}}}"#,
        sent_at + left
    )
}

#[test]
fn what_has_expired_is_not_published_whatever_the_clocks_say() {
    let fleet = Fleet::new(60, 20);
    let accepting = fleet.agent("accept").serve();
    let id = send(&accepting, r#","expires_in":1"#);
    fleet.put(&letter("01JDC0000000000000000000AA", 3_600_000));
    fleet.put(&letter("01JDC0000000000000000000AB", 0));
    let created = message(&accepting, &id)["created_at"].as_str().unwrap().to_owned();
    accepting.until("its second is over", |agent| {
        let later = send(agent, "");
        let now = message(agent, &later)["created_at"].as_str().unwrap().to_owned();
        // The same text form, so that they compare as they follow on each other.
        now.get(..19) > created.get(..19) && now.get(20..) > created.get(20..)
    });
    let dispatching = fleet.agent("dispatch").serve();
    for (id, status) in [(id.as_str(), "expired"), ("01JDC0000000000000000000AB", "expired")] {
        dispatching.until("it comes", |agent| agent.get(&format!("/v1/messages/{id}")).status == 200);
        dispatching.wait_for(id, &[status]);
    }
    dispatching.wait_for("01JDC0000000000000000000AA", &["sent", "delivered"]);
    dispatching.until("the queue is empty", |_| fleet.lying() == (0, 0));
    assert!(dispatching.phone().iter().all(|sms| sms["id"] != id.as_str()));
}

#[test]
fn what_cannot_be_read_goes_to_the_dead_letter_queue_and_stops_nothing() {
    let fleet = Fleet::new(2, 3);
    let agent = fleet.agent("both").serve();
    fleet.put("sesame");
    fleet.put(r#"{"v":2,"id":"01JDC0000000000000000000AA"}"#);
    let id = send(&agent, "");
    agent.wait_for(&id, &["sent", "delivered"]);
    agent.until("they are taken away", |_| fleet.dead() == 2);
    agent.until("nothing else is left", |_| fleet.lying() == (0, 0));
    agent.terminate();
    let (_, log, _) = agent.wait();
    assert_eq!(log.matches("cannot be read").count(), 2, "each is told once, though each came three times: {log}");
    assert!(log.contains("so_far=2") && !log.contains("sesame"), "{log}");
}

#[test]
fn what_another_agent_took_before_is_published_as_a_possible_duplicate_or_not_at_all() {
    for (on_unknown, ends, publishes) in [("resend", ["sent", "delivered"], 1), ("hold", ["unknown", "unknown"], 0)] {
        let fleet = Fleet::new(1, 20);
        let accepting = fleet.agent("accept").serve();
        let id = send(&accepting, "");
        assert!(fleet.steal()["Body"].as_str().unwrap().contains(&id));
        let agent = fleet.agent("dispatch").env("SMS_DISPATCH__ON_UNKNOWN", on_unknown).serve();
        agent.until("it comes", |agent| agent.get(&format!("/v1/messages/{id}")).status == 200);
        let ended = agent.wait_for(&id, &ends);
        assert_eq!(ended["possible_duplicate"], publishes == 1, "{ended}");
        assert_eq!(agent.phone().len(), publishes);
        agent.until("it is deleted", |_| fleet.lying() == (0, 0));
    }
}

#[test]
fn an_agent_that_stops_gives_back_what_it_has_in_hand_with_all_that_is_known_of_it() {
    let fleet = Fleet::new(600, 20);
    let agent = fleet.agent("both").serve();
    let headers = [("Content-Type", "application/json"), ("Prefer", "respond-async")];
    let body = r#"{"to":"+15005550004","body":"sesame"}"#;
    let id = agent.request("POST", "/v1/messages", &headers, body).json()["id"].as_str().unwrap().to_owned();
    agent.until("it was tried three times", |agent| message(agent, &id)["attempts"].as_u64() >= Some(3));
    assert_eq!(fleet.lying(), (0, 1), "it is hidden from the others");
    agent.terminate();
    let (status, log, _folder) = agent.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(fleet.lying(), (1, 0), "{log}");
    let other = fleet.agent("dispatch").serve();
    other.until("the other has it", |agent| agent.get(&format!("/v1/messages/{id}")).status == 200);
    other.until("it goes on with the count", |agent| message(agent, &id)["attempts"].as_u64() >= Some(4));
    assert_eq!(message(&other, &id)["possible_duplicate"], false, "{}", message(&other, &id));
}

#[test]
fn what_one_agent_gives_back_is_not_left_in_the_hands_of_another_that_stops_at_the_same_moment() {
    let fleet = Fleet::new(600, 20);
    let busy = fleet.agent("both").serve();
    let headers = [("Content-Type", "application/json"), ("Prefer", "respond-async")];
    busy.request("POST", "/v1/messages", &headers, r#"{"to":"+15005550004","body":"sesame"}"#);
    busy.until("it has it in hand", |_| fleet.lying() == (0, 1));
    let idle = fleet.agent("dispatch").serve();
    idle.until("it asks the queue", |agent| agent.get("/readyz").status == 200);
    busy.terminate();
    idle.terminate();
    for agent in [busy, idle] {
        let (status, log, _folder) = agent.wait();
        assert_eq!(status.code(), Some(0), "{log}");
    }
    assert_eq!(fleet.lying(), (1, 0));
}

#[test]
fn what_was_taken_and_not_begun_is_given_back_while_a_publish_uses_up_the_time_of_the_stop() {
    let fleet = Fleet::new(600, 20);
    let accepting = fleet.agent("accept").serve();
    (0..10).for_each(|_| drop(send(&accepting, "")));
    let agent = fleet.hanging(fleet.agent("dispatch"));
    assert!(fleet.lying().1 > 1, "it took more than it can publish at once: {:?}", fleet.lying());
    agent.terminate();
    let (status, log, _folder) = agent.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    assert_eq!(fleet.lying(), (9, 1), "{log}");
    let other = fleet.agent("dispatch").serve();
    other.until("the other publishes them", |agent| agent.phone().len() == 9);
    let page = other.get("/v1/messages").json();
    assert!(page["messages"].as_array().unwrap().iter().all(|one| one["possible_duplicate"] == false), "{page}");
}

#[test]
fn the_trace_of_the_request_travels_as_an_attribute() {
    let fleet = Fleet::new(60, 20);
    let agent = fleet.agent("accept").serve();
    let trace = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
    let headers = [("Content-Type", "application/json"), ("traceparent", trace)];
    let answer = agent.request("POST", "/v1/messages", &headers, r#"{"to":"+12065550100","body":"sesame"}"#);
    assert_eq!(answer.status, 202, "{answer:?}");
    let taken = fleet.steal();
    assert_eq!(taken["MessageAttributes"]["traceparent"]["StringValue"], trace, "{taken}");
}
