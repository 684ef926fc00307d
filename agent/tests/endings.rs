//! How the program ends, asked and unasked, and what it knows when it starts again.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use process::{Agent, Answer, Start};

const ASYNC: [(&str, &str); 2] = [("Content-Type", "application/json"), ("Prefer", "respond-async")];

fn send_async(agent: &Agent, to: &str) -> Answer {
    agent.request("POST", "/v1/messages", &ASYNC, &format!(r#"{{"to":"{to}","body":"Your code is 424242"}}"#))
}

fn id(answer: &Answer) -> String {
    answer.json()["id"].as_str().unwrap().to_owned()
}

#[test]
fn what_was_accepted_is_published_after_a_kill_9_before_its_publish() {
    // The pace lets one segment a second go, so that the others cannot have left when the kill comes.
    let agent = Start::new().env("SMS_DISPATCH__SEGMENTS_PER_SECOND", "1").serve();
    let ids: Vec<String> = (0..5).map(|_| id(&send_async(&agent, "+12065550100"))).collect();
    let folder = agent.kill();
    let agent = Start::in_folder(folder.path()).serve();
    for id in &ids {
        agent.wait_for(id, &["sent", "delivered"]);
    }
    let mut received: Vec<String> = agent.phone().iter().map(|sms| sms["id"].as_str().unwrap().to_owned()).collect();
    received.dedup();
    received.sort_unstable();
    assert_eq!(received, ids);
}

#[test]
fn a_publish_cut_off_by_a_kill_9_is_sent_again_and_marked() {
    let agent = Start::new().env("SMS_SIMULATOR__LATENCY", "10m").env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "5m").serve();
    let id = id(&send_async(&agent, "+12065550100"));
    agent.wait_for(&id, &["sending"]);
    let folder = agent.kill();
    let agent = Start::in_folder(folder.path()).serve();
    let message = agent.wait_for(&id, &["sent", "delivered"]);
    assert_eq!((&message["possible_duplicate"], &message["attempts"]), (&true.into(), &2.into()));
}

#[test]
fn a_publish_cut_off_by_a_kill_9_stays_unknown_where_the_settings_hold_it() {
    let agent = Start::new().env("SMS_SIMULATOR__LATENCY", "10m").env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "5m").serve();
    let id = id(&send_async(&agent, "+12065550100"));
    agent.wait_for(&id, &["sending"]);
    let folder = agent.kill();
    let agent = Start::in_folder(folder.path()).env("SMS_DISPATCH__ON_UNKNOWN", "hold").serve();
    let message = agent.wait_for(&id, &["unknown", "sent", "delivered"]);
    assert_eq!((&message["status"], &message["possible_duplicate"]), (&"unknown".into(), &false.into()));
    assert!(agent.phone().is_empty());
}

#[test]
fn a_replay_survives_a_kill_9() {
    let send = |agent: &Agent| {
        let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "order 7")];
        agent.request("POST", "/v1/messages", &headers, r#"{"to":"+12065550100","body":"Hello"}"#)
    };
    let agent = Start::new().serve();
    let first = id(&send(&agent));
    let folder = agent.kill();
    let agent = Start::in_folder(folder.path()).serve();
    let again = send(&agent);
    assert_eq!((id(&again), again.header("idempotency-replayed")), (first, Some("true")));
    assert_eq!(agent.phone().len(), 1);
}

#[test]
fn a_lost_key_of_the_fingerprints_is_made_anew_only_while_nothing_is_remembered_by_it() {
    let agent = Start::new().serve();
    agent.send("+12065550100");
    let key = agent.data_dir().join("fingerprint-key");
    let folder = agent.kill();
    std::fs::remove_file(&key).unwrap();

    let agent = Start::in_folder(folder.path()).serve();
    let made = std::fs::read(&key).unwrap();
    let headers = [("Content-Type", "application/json"), ("Idempotency-Key", "order 7")];
    let send = |agent: &Agent| agent.request("POST", "/v1/messages", &headers, r#"{"to":"+12065550100","body":"Hi"}"#);
    assert_eq!(send(&agent).status, 200);
    drop(agent);
    std::fs::remove_file(&key).unwrap();
    let output = Start::in_folder(folder.path()).output();
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("fingerprint-key is missing") && log.contains("backup") && log.contains("openssl"), "{log}");
    assert!(!key.exists());

    std::fs::write(&key, made).unwrap();
    let agent = Start::in_folder(folder.path()).serve();
    assert_eq!(send(&agent).header("idempotency-replayed"), Some("true"));
}

#[test]
fn sigterm_with_nothing_in_hand_ends_at_once_with_0() {
    let agent = Start::new().serve();
    agent.send("+12065550100");
    agent.terminate();
    let (status, log, _) = agent.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn sigterm_lets_a_waiting_sender_have_its_outcome_and_refuses_new_ones() {
    let agent = Start::new().env("SMS_SIMULATOR__LATENCY", "2s").serve();
    std::thread::scope(|scope| {
        let waiting = scope.spawn(|| agent.send("+12065550100"));
        while agent.get("/readyz").status == 200 && !in_flight(&agent) {}
        agent.terminate();
        while agent.get("/readyz").status == 200 {}
        let refused = agent.send("+12065550100");
        assert_eq!((refused.status, refused.problem().as_str()), (503, "shutting_down"));
        let ready = agent.get("/readyz");
        assert_eq!((ready.status, ready.problem().as_str()), (503, "shutting_down"));
        assert_eq!(waiting.join().unwrap().status, 200);
    });
    let (status, log, _) = agent.wait();
    assert_eq!(status.code(), Some(0), "{log}");
}

#[test]
fn sigterm_goes_on_with_the_retries_of_a_message_that_somebody_waits_for() {
    // Throttled twice. The pace lets the third attempt go two seconds after the first at the earliest.
    let agent = Start::new().env("SMS_DISPATCH__SEGMENTS_PER_SECOND", "1").serve();
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| agent.send("+15005550003"));
        agent.until("it was tried once", |agent| count(agent, "attempts = 1 AND status = 0") > 0);
        agent.terminate();
        waiting.join().unwrap()
    });
    assert_eq!((answer.status, &answer.json()["attempts"]), (200, &3.into()));
    assert_eq!(agent.wait().0.code(), Some(0));
}

#[test]
fn sigterm_at_its_deadline_answers_202_for_a_message_between_two_retries() {
    let agent = Start::new().env("SMS_AGENT__SHUTDOWN_TIMEOUT", "1s").serve();
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| agent.send("+15005550004"));
        agent.until("it was tried", |agent| count(agent, "attempts > 0") > 0);
        agent.terminate();
        waiting.join().unwrap()
    });
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (202, &"carrier_throttled".into()));
    assert!(answer.header("location").is_some());
    let (status, log, folder) = agent.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    let agent = Start::in_folder(folder.unwrap().path()).serve();
    assert_eq!(agent.get(&format!("/v1/messages/{}", id(&answer))).status, 200);
}

/// The head of a send has come and its body has not; `rest` does what follows.
fn with_a_body_on_its_way(agent: &Agent, rest: impl FnOnce(TcpStream, &str)) {
    let body = r#"{"to":"+12065550100","body":"Hello"}"#;
    let request = Agent::written("POST", "/v1/messages", &[("Content-Type", "application/json")], body);
    let mut stream = TcpStream::connect(agent.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(30))).unwrap();
    // «100 Continue» says that the agent has the head and waits for the body.
    let head = request.replace("Content-Type", "Expect: 100-continue\r\nContent-Type").replace(body, "");
    stream.write_all(head.as_bytes()).unwrap();
    let mut told = [0; 25];
    stream.read_exact(&mut told).unwrap();
    assert_eq!(&told, b"HTTP/1.1 100 Continue\r\n\r\n");
    agent.terminate();
    agent.until("it stops", |agent| agent.get("/readyz").status == 503);
    rest(stream, body);
}

#[test]
fn a_body_that_comes_after_sigterm_is_answered_shutting_down() {
    let agent = Start::new().serve();
    with_a_body_on_its_way(&agent, |stream, body| {
        // Longer than connections get to close once all is answered.
        std::thread::sleep(Duration::from_secs(3));
        let answer = Answer::to(stream, body);
        assert_eq!((answer.status, answer.problem().as_str()), (503, "shutting_down"));
        assert_eq!(answer.header("connection"), Some("close"));
    });
    assert_eq!(agent.wait().0.code(), Some(0));
}

#[test]
fn a_body_that_never_comes_is_answered_shutting_down_at_the_deadline() {
    let agent = Start::new().env("SMS_AGENT__SHUTDOWN_TIMEOUT", "1s").serve();
    with_a_body_on_its_way(&agent, |stream, _| {
        assert_eq!(Answer::to(stream, "").problem(), "shutting_down");
    });
    assert_eq!(agent.wait().0.code(), Some(0));
}

/// Whether a publish is under way: the outbox's file tells, since the sender has no answer yet.
fn in_flight(agent: &Agent) -> bool {
    count(agent, "status = 1") > 0
}

fn count(agent: &Agent, messages: &str) -> i64 {
    let connection = rusqlite::Connection::open(agent.data_dir().join("outbox.db")).unwrap();
    connection.query_row(&format!("SELECT count(*) FROM message WHERE {messages}"), (), |row| row.get(0)).unwrap()
}

#[test]
fn sigterm_at_its_deadline_answers_202_and_leaves_the_publish_as_unknown() {
    let agent = Start::new()
        .env("SMS_SIMULATOR__LATENCY", "10m")
        .env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "5m")
        .env("SMS_AGENT__SHUTDOWN_TIMEOUT", "1s")
        .serve();
    let answer = std::thread::scope(|scope| {
        let waiting = scope.spawn(|| agent.send("+12065550100"));
        while !in_flight(&agent) {}
        agent.terminate();
        waiting.join().unwrap()
    });
    assert_eq!((answer.status, &answer.json()["status"]), (202, &"sending".into()));
    let (status, log, folder) = agent.wait();
    assert_eq!(status.code(), Some(0), "{log}");
    let agent = Start::in_folder(folder.unwrap().path()).serve();
    assert_eq!(agent.wait_for(&id(&answer), &["sent", "delivered"])["possible_duplicate"], true);
}

#[test]
fn a_second_signal_ends_it_at_once_with_1() {
    let agent = Start::new().env("SMS_SIMULATOR__LATENCY", "10m").env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "5m").serve();
    let id = id(&send_async(&agent, "+12065550100"));
    agent.wait_for(&id, &["sending"]);
    agent.terminate();
    while agent.get("/readyz").status == 200 {}
    agent.signal("INT");
    assert_eq!(agent.wait().0.code(), Some(1));
}

#[test]
fn a_second_agent_on_the_same_folder_is_refused() {
    let agent = Start::new().serve();
    let output = Start::in_folder(agent.data_dir().parent().unwrap()).output();
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("another sms-agent") && log.contains("agent.data_dir"), "{log}");
}
