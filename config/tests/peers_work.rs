//! The peers themselves: each starts, answers, and ends with its test.

mod peers;

use std::net::TcpStream;
use std::process::Command;

use peers::{Collector, Ministack, Moto, get, post};

const PUBLISH: &[u8] = b"Action=Publish&Version=2010-03-31&PhoneNumber=%2B12065550100&Message=hello";
const SIGNED: (&str, &str) = (
    "Authorization",
    "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/sns/aws4_request, SignedHeaders=host, Signature=0",
);
const FORM: (&str, &str) = ("Content-Type", "application/x-www-form-urlencoded");

#[test]
fn moto_takes_an_sms_shows_it_and_forgets_it() {
    let moto = Moto::start();
    let answer = post(moto.endpoint(), "/", &[SIGNED, FORM], PUBLISH);
    assert_eq!(answer.status, 200);

    let sent = moto.sent_sms();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].phone_number.as_str(), sent[0].message.as_str()), ("+12065550100", "hello"));
    assert!(answer.body.contains(&sent[0].message_id));

    moto.reset();
    assert_eq!(moto.sent_sms(), []);
}

#[test]
fn two_motos_know_nothing_of_each_other() {
    let (one, other) = (Moto::start(), Moto::start());
    post(one.endpoint(), "/", &[SIGNED, FORM], PUBLISH);
    assert_eq!((one.sent_sms().len(), other.sent_sms().len()), (1, 0));
}

#[test]
fn a_peer_ends_with_its_test() {
    let moto = Moto::start();
    let address = moto.endpoint().trim_start_matches("http://").to_owned();
    assert!(TcpStream::connect(&address).is_ok());
    drop(moto);
    assert!(TcpStream::connect(&address).is_err());
}

#[test]
fn ministack_believes_nobody_whose_signature_is_wrong() {
    let ministack = Ministack::start();
    assert_eq!(get(ministack.endpoint(), "/_ministack/health").status, 200);
    assert_eq!(post(ministack.endpoint(), "/", &[SIGNED, FORM], PUBLISH).status, 400);
    assert_eq!(ministack.sent_sms()["sms_messages"], serde_json::json!({}));
}

#[test]
fn the_collector_shows_a_span_with_all_that_belongs_to_it() {
    let collector = Collector::start();
    let made = Command::new(peers::python())
        .args(["-c", include_str!("peers/export_a_span.py"), collector.endpoint()])
        .status()
        .unwrap();
    assert!(made.success());

    let span = collector.await_span("the span", |span| span.name == "publish");
    assert_eq!(span.resource["service.name"], "somebody");
    assert_eq!(span.kind, "CLIENT");
    assert_eq!(span.trace_id, "61".repeat(16));
    assert_eq!(span.attributes["http.response.status_code"], 200);
    assert_eq!(span.links[0].span_id, "63".repeat(8));
    assert_eq!((span.status.as_str(), span.status_message.as_str()), ("ERROR", "refused"));
    assert_eq!(collector.spans().len(), 1);
}

#[test]
fn the_tools_that_the_requirements_bring_run() {
    let schemathesis = peers::command("st").arg("--version").output().unwrap();
    assert!(schemathesis.status.success());
    assert!(String::from_utf8_lossy(&schemathesis.stdout).contains("4.32"));
    assert!(Command::new(peers::python()).args(["-c", "import phonenumbers"]).status().unwrap().success());
}
