//! What SNS, STS or a proxy writes into an error reaches no output of the agent and no file of it.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::{Arc, Mutex};

use process::{Agent, Start};

const TO: &str = "+12065550100";
const TEXT: &str = "Your code is 424242";
const ACCESS_KEY: &str = "AKIAIOSFODNN7EXAMPLE";
const SECRET_KEY: &str = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY";
const SESSION: &str = "IQoJb3JpZ2luX2VjEGsesame";
const BODY_HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";

/// The text, the number and the keys, as they are and as a peer may quote them. The number itself and the text of a message
/// that waits are in the outbox by right.
const QUOTED: [&str; 11] = [
    "Your%20code%20is%20424242",
    "Your+code+is+424242",
    "WW91ciBjb2RlIGlzIDQyNDI0Mg==",
    "596f757220636f6465206973203432343234",
    "%2B12065550100",
    "KzEyMDY1NTUwMTAw",
    "+1 (206) 555-0100",
    ACCESS_KEY,
    SECRET_KEY,
    SESSION,
    BODY_HASH,
];

/// A peer that gives every request the same answer, which can be changed.
struct Peer {
    url: String,
    answer: Arc<Mutex<(u16, String)>>,
}

impl Peer {
    fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let answer = Arc::new(Mutex::new((500, String::new())));
        let shared = Arc::clone(&answer);
        std::thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let shared = Arc::clone(&shared);
                std::thread::spawn(move || drop(serve(client, &shared)));
            }
        });
        Self { url, answer }
    }

    fn answers(&self, status: u16, body: &str) {
        *self.answer.lock().unwrap() = (status, body.to_owned());
    }

    fn refuses(&self, status: u16, code: &str, message: &str) {
        let message = message.replace('&', "&amp;").replace('<', "&lt;").replace('\u{1b}', "[");
        self.answers(
            status,
            &format!(
                "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>\
                 <RequestId>{SESSION}</RequestId></ErrorResponse>"
            ),
        );
    }
}

fn serve(mut client: TcpStream, answer: &Mutex<(u16, String)>) -> std::io::Result<()> {
    let mut reader = BufReader::new(client.try_clone()?);
    while peers::read_message(&mut reader)?.is_some() {
        let (status, body) = answer.lock().unwrap().clone();
        let length = body.len();
        let head = format!("HTTP/1.1 {status} X\r\nx-amzn-requestid: {SESSION}\r\ncontent-type: text/xml");
        write!(client, "{head}\r\ncontent-length: {length}\r\n\r\n{body}")?;
    }
    Ok(())
}

/// All that a peer may quote, in one message with line breaks and a terminal's colours.
fn quotes() -> String {
    format!("sesame {TEXT} {TO}\r\n2026-11-27T00:00:00Z  INFO sms_agent: forged\u{1b}[31m {}", QUOTED.join(" "))
}

/// As SNS answers a wrong secret access key.
fn canonical_request() -> String {
    format!(
        "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key \
         and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request should \
         have been\n'POST\n/\n\nhost:sns.us-east-1.amazonaws.com\nx-amz-date:20261127T080000Z\nx-amz-security-token:{SESSION}\
         \n\nhost;x-amz-date;x-amz-security-token\n{BODY_HASH}'\n\nThe String-to-Sign should have been\n'AWS4-HMAC-SHA256\n\
         20261127T080000Z\n20261127/us-east-1/sns/aws4_request\n{BODY_HASH}'\n"
    )
}

fn start(peer: &Peer) -> Start {
    Start::new()
        .env("SMS_AGENT__CARRIER", "sns")
        .env("SMS_AGENT__WAIT", "2s")
        .env("SMS_DISPATCH__ON_UNKNOWN", "hold")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_ENDPOINT_URL", &peer.url)
        .env("AWS_ACCESS_KEY_ID", ACCESS_KEY)
        .env("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
        .env("AWS_SESSION_TOKEN", SESSION)
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("RUST_LOG", "trace")
}

fn asked(agent: &Agent, method: &str, path: &str, body: &str) -> process::Answer {
    let token = std::fs::read_to_string(agent.data_dir().join("token")).unwrap();
    let bearer = format!("Bearer {}", token.trim());
    agent.request(method, path, &[("Content-Type", "application/json"), ("Authorization", &bearer)], body)
}

fn holds_nothing(what: &str, shown: &str) {
    for secret in QUOTED.iter().chain(&["sesame", "forged", "x-amz-security-token", "AWS4-HMAC", "Canonical"]) {
        let at = shown.find(secret).map(|at| shown.get(at.saturating_sub(200)..at + secret.len()));
        assert!(at.is_none(), "{what} has {secret}: {at:?}");
    }
}

fn files(folder: &Path) -> Vec<(String, String)> {
    let entries = std::fs::read_dir(folder).unwrap().map(Result::unwrap);
    let text = |path: &Path| String::from_utf8_lossy(&std::fs::read(path).unwrap()).into_owned();
    entries
        .filter(|entry| entry.file_type().unwrap().is_file())
        .map(|entry| (entry.path().display().to_string(), text(&entry.path())))
        .collect()
}

#[test]
fn nothing_that_sns_writes_into_an_error_is_shown_or_kept() {
    let peer = Peer::start();
    let agent = start(&peer).serve();
    let body = format!(r#"{{"to":"{TO}","body":"{TEXT}"}}"#);
    let page = format!("<html><body>{}</body></html>", quotes());
    for (status, code) in [
        (400, "InvalidParameter"),
        (400, "SomethingNew"),
        (403, "AuthorizationError"),
        (403, "AccessDenied"),
        (500, "InternalError"),
        (502, ""),
        (400, SESSION),
        (403, "SignatureDoesNotMatch"),
    ] {
        let settles = code != "SignatureDoesNotMatch";
        match code {
            "" => peer.answers(status, &page),
            code => peer.refuses(status, code, &if settles { quotes() } else { canonical_request() }),
        }
        let answer = asked(&agent, "POST", "/v1/messages", &body);
        assert_ne!(answer.status, 200, "{code}: {answer:?}");
        holds_nothing(code, &answer.body);
        let list = asked(&agent, "GET", "/v1/messages", "");
        assert_eq!(list.status, 200);
        holds_nothing(code, &list.body);
        let ready = asked(&agent, "GET", "/readyz", "");
        holds_nothing(code, &ready.body);
        let opted_out = asked(&agent, "GET", "/v1/opt-outs/+12065550100", "");
        holds_nothing(code, &opted_out.body);
        for (file, text) in files(&agent.data_dir()) {
            holds_nothing(&file, &text);
        }
    }
    let ready = agent.get("/readyz");
    assert_eq!(ready.json()["code"], "carrier_unauthorized");
    assert!(ready.json().get("detail").is_none(), "{ready:?}");
    let told = asked(&agent, "GET", "/readyz", "").json()["detail"].to_string();
    assert!(told.contains("SignatureDoesNotMatch") && told.contains("secret access key"), "{told}");
    let log = agent.whole_log();
    holds_nothing("the log", &log);
    assert!(!log.contains("424242") && !log.contains("2065550100"), "{log}");
}

#[test]
fn nothing_that_sts_writes_about_a_role_is_shown_and_what_to_do_is() {
    let peer = Peer::start();
    peer.refuses(403, "AccessDenied", &quotes());
    let agent = start(&peer).env("SMS_AWS__ROLE_ARN", "arn:aws:iam::123456789012:role/sms").serve();
    let ready = asked(&agent, "GET", "/readyz", "");
    assert_eq!(ready.status, 503);
    holds_nothing("readiness", &ready.body);
    let told = ready.json()["detail"].to_string();
    assert!(told.contains("AccessDenied") && told.contains("external ID") && told.contains("trust policy"), "{told}");
    holds_nothing("the log", &agent.whole_log());
}

#[test]
fn what_a_credential_process_complains_of_is_not_shown() {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let script = format!("[default]\ncredential_process = sh -c 'echo \"sesame {SECRET_KEY} forged\" >&2; exit 3'\n");
    std::fs::write(home.path().join(".aws/config"), script).unwrap();
    let agent = Start::new()
        .env("HOME", home.path())
        .env("PATH", "/usr/bin:/bin")
        .env("SMS_AGENT__CARRIER", "sns")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .serve();
    let ready = asked(&agent, "GET", "/readyz", "");
    assert_eq!(ready.status, 503);
    holds_nothing("readiness", &ready.body);
    holds_nothing("the log", &agent.whole_log());
}
