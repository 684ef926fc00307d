//! The log of the real program, and the signals that it is told of there.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use process::{Agent, Start};

/// Not ready: there are no credentials for SNS.
fn not_ready() -> Start {
    let start = Start::new().env("SMS_AGENT__CARRIER", "sns").env("SMS_AGENT__AUTH", "off");
    start.env("AWS_REGION", "us-east-1").env("AWS_EC2_METADATA_DISABLED", "true")
}

fn flood(agent: &Agent, times: usize) {
    (0..times).for_each(|_| assert_eq!(agent.get("/readyz").status, 503));
}

#[test]
fn a_standard_error_that_nobody_reads_holds_up_neither_answers_nor_the_stop() {
    let agent = not_ready().env("RUST_LOG", "trace").unread().serve();
    // More than a pipe and the queue hold together.
    flood(&agent, 4_000);
    assert_eq!(agent.get("/healthz").status, 200);
    agent.terminate();
    assert!(agent.wait().0.success());
}

#[test]
fn asking_again_and_again_while_not_ready_costs_a_line() {
    let agent = not_ready().serve();
    flood(&agent, 500);
    let log = agent.whole_log();
    let lines = log.matches("/readyz").count();
    assert!((1..=2).contains(&lines), "{log}");
    assert!(log.contains("carrier=\"sns\"") && log.contains("auth=\"off\""), "{log}");
}

#[test]
fn signals_that_are_no_request_to_stop_are_ignored_and_told_of() {
    let agent = Start::new().serve();
    let ignored = ["HUP", "USR1", "USR2", "ALRM", "VTALRM", "PROF", "IO", "PWR", "34", "64"];
    for signal in ignored {
        agent.signal(signal);
        assert_eq!(agent.get("/healthz").status, 200, "{signal}");
    }
    agent.terminate();
    let (status, log, _) = agent.wait();
    assert!(status.success(), "{log}");
    for name in ["SIGHUP", "SIGUSR1", "SIGUSR2", "SIGALRM", "SIGRTMIN+0", "SIGRTMIN+30"] {
        assert!(log.contains(name), "{name}: {log}");
    }
}

#[test]
fn sigquit_stops_in_order() {
    let agent = Start::new().serve();
    agent.signal("QUIT");
    let (status, log, _) = agent.wait();
    assert!(status.success() && log.contains("stopping"), "{log}");
}

#[test]
fn a_message_that_was_refused_is_told_of_without_its_number() {
    let agent = Start::new().serve();
    let answer = agent.send("+15005550001");
    assert_eq!(answer.status, 422, "{answer:?}");
    let log = agent.whole_log();
    assert!(log.contains("status=\"failed\"") && log.contains("attempts=1") && !log.contains("5005550001"), "{log}");
}

#[test]
fn a_near_miss_of_a_setting_is_told_of_once_and_without_its_value() {
    let agent = Start::new().env("SMS_AGENT_CARRIER", "hidden").env("SMS_AGENT_TOKEN", "hidden").serve();
    let log = agent.whole_log();
    assert_eq!(log.matches("is not read").count(), 1, "{log}");
    assert!(log.contains("SMS_AGENT__CARRIER") && !log.contains("hidden"), "{log}");
}

#[test]
fn a_message_that_is_canceled_is_logged_once_without_its_number_and_text() {
    let agent = Start::new().env("SMS_AGENT__WAIT", "100ms").serve();
    let id = agent.send("+15005550004").json()["id"].as_str().unwrap().to_owned();
    agent
        .until("it is canceled", |agent| agent.request("DELETE", &format!("/v1/messages/{id}"), &[], "").status == 200);
    let log = agent.whole_log();
    let lines: Vec<_> = log.lines().filter(|line| line.contains(&id)).collect();
    assert!(matches!(lines[..], [line] if line.contains("status=\"canceled\"") && line.contains("attempts=")), "{log}");
    assert!(!log.contains("5550004") && !log.contains("Hi"), "{log}");
}
