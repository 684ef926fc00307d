//! The program on its simulator, over a real socket: the numbers that always answer the same, and what a send answers.

mod process;

use process::{Agent, Start};

fn agent() -> Agent {
    Start::new().serve()
}

#[test]
fn an_sms_is_sent_and_seen_on_the_phone_and_later_delivered() {
    let agent = Start::new().env("SMS_SIMULATOR__DELIVERY_DELAY", "50ms").serve();
    let answer = agent.send("+12065550100");
    assert_eq!(answer.status, 200, "{answer:?}");
    let message = answer.json();
    let id = message["id"].as_str().unwrap();
    assert_eq!((&message["status"], &message["attempts"]), (&"sent".into(), &1.into()));
    assert_eq!((&message["encoding"], &message["segments"]), (&"GSM-7".into(), &1.into()));
    let phone = agent.phone();
    assert_eq!(phone.len(), 1);
    assert_eq!((&phone[0]["id"], &phone[0]["to"]), (&message["id"], &"+12065550100".into()));
    assert_eq!((&phone[0]["body"], &phone[0]["message_id"]), (&"Your code is 424242".into(), &message["message_id"]));
    let delivered = agent.wait_for(id, &["delivered", "failed"]);
    assert_eq!((&delivered["status"], &delivered["error"]), (&"delivered".into(), &serde_json::Value::Null));
}

#[test]
fn a_message_always_has_all_its_members_and_never_its_text() {
    let agent = agent();
    let message = agent.send("+12065550100").json();
    let mut members: Vec<&str> = message.as_object().unwrap().keys().map(String::as_str).collect();
    members.sort_unstable();
    let mut all = [
        "id",
        "status",
        "to",
        "type",
        "sender_id",
        "encoding",
        "segments",
        "message_id",
        "attempts",
        "possible_duplicate",
        "next_attempt_at",
        "expires_at",
        "reference",
        "created_at",
        "updated_at",
        "error",
    ];
    all.sort_unstable();
    assert_eq!(members, all);
    assert!(!agent.get(&format!("/v1/messages/{}", message["id"].as_str().unwrap())).body.contains("424242"));
}

#[test]
fn number_1_is_refused_by_the_carrier() {
    let agent = agent();
    let answer = agent.send("+15005550001");
    assert_eq!((answer.status, answer.problem().as_str()), (422, "carrier_rejected"));
    let id = answer.json()["id"].as_str().unwrap().to_owned();
    let message = agent.get(&format!("/v1/messages/{id}")).json();
    assert_eq!((&message["status"], &message["error"]["code"]), (&"failed".into(), &"carrier_rejected".into()));
    assert!(agent.phone().is_empty());
}

#[test]
fn number_2_has_opted_out_and_nothing_is_stored() {
    let agent = agent();
    let answer = agent.send("+15005550002");
    assert_eq!((answer.status, answer.problem().as_str()), (422, "opted_out"));
    assert!(answer.json().get("id").is_none());
    assert_eq!(agent.get("/v1/opt-outs/%2B15005550002").json()["opted_out"], true);
    assert_eq!(agent.get("/v1/opt-outs/+12065550100").json()["opted_out"], false);
}

#[test]
fn number_3_is_throttled_twice_and_then_sent() {
    let agent = agent();
    let answer = agent.send("+15005550003");
    assert_eq!((answer.status, &answer.json()["attempts"]), (200, &3.into()));
    assert_eq!(agent.phone().len(), 1);
}

#[test]
fn number_4_is_throttled_for_ever_and_answered_202_when_the_wait_is_over() {
    let agent = Start::new().env("SMS_AGENT__WAIT", "1s").serve();
    let answer = agent.send("+15005550004");
    assert_eq!(answer.status, 202, "{answer:?}");
    let message = answer.json();
    assert_eq!(answer.header("location"), Some(format!("/v1/messages/{}", message["id"].as_str().unwrap()).as_str()));
    assert!(["queued", "sending"].contains(&message["status"].as_str().unwrap()), "{message}");
    assert_eq!(message["error"]["code"], "carrier_throttled");
    assert_eq!(agent.get("/readyz").status, 200, "no outcome of the simulator's numbers touches readiness");
}

#[test]
fn number_5_is_not_permitted_and_readiness_stays() {
    let agent = agent();
    let answer = agent.send("+15005550005");
    assert_eq!((answer.status, answer.problem().as_str()), (502, "carrier_unauthorized"));
    assert_eq!(agent.get("/readyz").status, 200);
}

#[test]
fn number_6_is_refused_a_connection_once_and_then_sent() {
    let agent = agent();
    let answer = agent.send("+15005550006");
    assert_eq!((answer.status, &answer.json()["attempts"]), (200, &2.into()));
}

#[test]
fn number_7_is_sent_and_later_reported_as_not_delivered() {
    let agent = Start::new().env("SMS_SIMULATOR__DELIVERY_DELAY", "50ms").serve();
    let answer = agent.send("+15005550007");
    assert_eq!(answer.status, 200);
    let message = agent.wait_for(answer.json()["id"].as_str().unwrap(), &["failed", "delivered"]);
    assert_eq!((&message["status"], &message["error"]["code"]), (&"failed".into(), &"undeliverable".into()));
}

#[test]
fn number_8_hangs_and_ends_unknown_after_two_resends() {
    let agent = Start::new().env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "200ms").serve();
    let answer = agent.send("+15005550008");
    assert_eq!(answer.status, 202, "{answer:?}");
    let message = answer.json();
    assert_eq!((&message["status"], &message["attempts"]), (&"unknown".into(), &3.into()));
    assert_eq!((&message["error"]["code"], &message["possible_duplicate"]), (&"outcome_unknown".into(), &true.into()));
    assert_eq!(message["error"]["retryable"], false);
    assert!(agent.phone().is_empty());
}

#[test]
fn who_asks_not_to_wait_is_answered_202_at_once() {
    let agent = Start::new().env("SMS_SIMULATOR__LATENCY", "300ms").serve();
    let headers = [("Content-Type", "application/json"), ("Prefer", "respond-async")];
    let answer = agent.request("POST", "/v1/messages", &headers, r#"{"to":"+12065550100","body":"Hello"}"#);
    assert_eq!((answer.status, answer.header("preference-applied")), (202, Some("respond-async")));
    let message = answer.json();
    assert_eq!(message["status"], "queued");
    let id = message["id"].as_str().unwrap();
    assert_eq!(answer.header("location"), Some(format!("/v1/messages/{id}").as_str()));
    agent.wait_for(id, &["sent", "delivered"]);
}

#[test]
fn what_expires_before_it_is_published_is_answered_409_and_never_sent() {
    let agent = agent();
    let answer = agent.post("/v1/messages", r#"{"to":"+15005550004","body":"Code 1","expires_in":1}"#);
    assert_eq!((answer.status, answer.problem().as_str()), (409, "expired"));
    let message = agent.get(&format!("/v1/messages/{}", answer.json()["id"].as_str().unwrap())).json();
    assert_eq!(message["status"], "expired");
}

#[test]
fn the_same_key_with_the_same_members_sends_once_and_with_others_is_refused() {
    let agent = agent();
    let send = |body: &str| {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "order 7")];
        agent.request("POST", "/v1/messages", &headers, body)
    };
    let first = send(r#"{"to":"+12065550100","body":"Hello","reference":null}"#);
    let again = send(r#"{ "body":"Hello", "to":"+12065550100" }"#);
    assert_eq!((first.status, first.header("idempotency-replayed")), (200, None));
    assert_eq!((again.status, again.header("idempotency-replayed")), (200, Some("true")));
    assert_eq!(first.json()["id"], again.json()["id"]);
    assert_eq!(agent.phone().len(), 1);
    let other = send(r#"{"to":"+12065550100","body":"Other"}"#);
    assert_eq!((other.status, other.problem().as_str()), (422, "idempotency_key_reused"));
}

#[test]
fn a_preview_says_what_would_happen_and_sends_nothing() {
    let agent = agent();
    let preview = |body: &str| agent.post("/v1/messages/preview", body).json();
    let good = preview(r#"{"to":"+12065550100","body":"Grüße"}"#);
    assert_eq!(good, serde_json::json!({"encoding":"GSM-7","segments":1,"country":"US","admitted":true,"problems":[]}));
    let unassigned = preview(r#"{"to":"+15551234567","body":"Hello"}"#);
    assert_eq!((&unassigned["admitted"], &unassigned["country"]), (&true.into(), &serde_json::Value::Null));
    assert_eq!(unassigned["problems"][0]["code"], "phone_number_unassigned");
    let bad = preview(r#"{"to":"0123","body":"","sender_id":"!"}"#);
    let codes: Vec<_> = bad["problems"].as_array().unwrap().iter().map(|problem| problem["code"].clone()).collect();
    assert_eq!(codes, ["invalid_phone_number", "invalid_body", "invalid_parameter"]);
    assert_eq!((&bad["admitted"], &bad["encoding"]), (&false.into(), &serde_json::Value::Null));
    assert!(agent.phone().is_empty());
}

#[test]
fn a_number_in_an_unassigned_range_goes_unless_the_settings_say_otherwise() {
    assert_eq!(agent().send("+15551234567").status, 200);
    let strict = Start::new().env("SMS_AGENT__NUMBERS", "assigned").serve();
    let answer = strict.send("+15551234567");
    assert_eq!((answer.status, answer.problem().as_str()), (400, "invalid_phone_number"));
}
