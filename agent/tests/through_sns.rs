//! The program through SNS as moto has it, and through an address where nobody answers.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use peers::{Collector, Moto};
use process::{Agent, Start};

const TO: &str = "+12065550100";

fn start(moto: &Moto) -> Start {
    moto.environment()
        .into_iter()
        .fold(Start::new(), |start, (name, value)| start.env(name, value))
        .env("SMS_AGENT__CARRIER", "sns")
}

/// With the token, since SNS costs money: no request of a stranger is let in.
fn send(agent: &Agent, to: &str, headers: &[(&str, &str)]) -> process::Answer {
    let token = std::fs::read_to_string(agent.data_dir().join("token")).unwrap();
    let bearer = format!("Bearer {}", token.trim());
    let mut all = vec![("Content-Type", "application/json"), ("Authorization", bearer.as_str())];
    all.extend_from_slice(headers);
    agent.request("POST", "/v1/messages", &all, &format!(r#"{{"to":"{to}","body":"sesame 424242"}}"#))
}

fn get(agent: &Agent, path: &str) -> process::Answer {
    let token = std::fs::read_to_string(agent.data_dir().join("token")).unwrap();
    agent.request("GET", path, &[("Authorization", &format!("Bearer {}", token.trim()))], "")
}

#[test]
fn an_sms_reaches_sns_under_the_id_that_is_answered() {
    let moto = Moto::start();
    let agent = start(&moto).serve();
    assert_eq!(agent.send(TO).status, 401, "with SNS the token is needed");
    let answer = send(&agent, TO, &[]);
    assert_eq!(answer.status, 200, "{answer:?}");
    let sent = moto.sent_sms();
    assert_eq!(sent.len(), 1);
    assert_eq!((sent[0].phone_number.as_str(), sent[0].message.as_str()), (TO, "sesame 424242"));
    assert_eq!(answer.json()["message_id"], sent[0].message_id);
    assert_eq!(agent.get("/readyz").status, 200);
    assert_eq!(get(&agent, "/v1/simulator/messages").problem(), "not_found");
}

#[test]
fn opt_outs_are_asked_of_sns_where_they_are_asked_for_and_not_on_the_way_of_a_send() {
    let moto = Moto::start();
    let agent = start(&moto).serve();
    assert_eq!(get(&agent, "/v1/opt-outs/+12065550199").json()["opted_out"], true);
    assert_eq!(get(&agent, "/v1/opt-outs/+12065550100").json()["opted_out"], false);
    assert_eq!(send(&agent, "+12065550199", &[]).status, 200, "SNS takes it, and so does the agent");
}

#[test]
fn while_sns_cannot_be_reached_messages_wait_and_readiness_says_so_and_then_they_go() {
    let moto = Moto::start();
    // A port that nobody listens on: it is taken and given back.
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let agent = start(&moto).env("AWS_ENDPOINT_URL", format!("http://{closed}")).env("SMS_AGENT__WAIT", "5s").serve();
    let answer = send(&agent, TO, &[]);
    assert_eq!(answer.status, 202, "{answer:?}");
    let message = answer.json();
    assert_eq!(
        (&message["error"]["code"], &message["possible_duplicate"]),
        (&"carrier_unavailable".into(), &false.into())
    );
    let ready = get(&agent, "/readyz");
    assert_eq!((ready.status, ready.problem().as_str()), (503, "carrier_unavailable"));
    let folder = agent.kill();
    let agent = moto
        .environment()
        .into_iter()
        .fold(Start::in_folder(folder.path()), |start, (name, value)| start.env(name, value))
        .env("SMS_AGENT__CARRIER", "sns")
        .env("SMS_AGENT__AUTH", "off")
        .serve();
    agent.wait_for(message["id"].as_str().unwrap(), &["sent"]);
    assert_eq!(moto.sent_sms().len(), 1);
}

#[test]
fn no_region_is_an_error_at_start_that_names_the_settings() {
    let output = Start::new().env("SMS_AGENT__CARRIER", "sns").env("AWS_EC2_METADATA_DISABLED", "true").output();
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.contains("aws.region") && log.contains("AWS_REGION"), "{log}");
}

#[test]
fn no_region_is_told_without_the_words_of_the_sdk_that_looked_for_one() {
    let nobody = "http://127.0.0.1:1";
    let start = Start::new().env("SMS_AGENT__CARRIER", "sns").env("AWS_EC2_METADATA_SERVICE_ENDPOINT", nobody);
    let output = start.output();
    assert_eq!(output.status.code(), Some(1));
    let log = String::from_utf8(output.stderr).unwrap();
    assert!(log.starts_with("sms-agent: no AWS region") && log.trim_end().lines().count() == 1, "{log}");
}

#[test]
fn a_profile_that_is_in_no_file_is_named_at_the_start_and_by_readyz_and_found_once_it_is_written() {
    let home = tempfile::tempdir().unwrap();
    let agent = Start::new()
        .env("HOME", home.path())
        .env("SMS_AGENT__CARRIER", "sns")
        .env("AWS_PROFILE", "nope")
        .env("AWS_REGION", "us-east-1")
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .serve();
    let ready = get(&agent, "/readyz");
    assert_eq!((ready.status, ready.problem().as_str()), (503, "carrier_unavailable"));
    let named = |text: &str| {
        text.contains("no AWS profile") && text.contains("AWS_PROFILE names") && text.contains(".aws/credentials")
    };
    assert!(named(ready.json()["detail"].as_str().unwrap()), "{ready:?}");

    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let keys = "[nope]\naws_access_key_id = AKIALATE\naws_secret_access_key = secret\n";
    std::fs::write(home.path().join(".aws/credentials"), keys).unwrap();
    agent.at_leisure("the profile is found", |agent| agent.get("/readyz").status == 200);
    let log = agent.whole_log();
    assert!(named(&log) && log.contains("WARN"), "{log}");
}

#[test]
fn at_trace_level_no_number_text_or_token_is_in_log_or_spans() {
    let (moto, collector) = (Moto::start(), Collector::start());
    let agent = start(&moto)
        .env("RUST_LOG", "trace,aws_smithy_runtime=trace,hyper=trace,h2=trace")
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
        .env("OTEL_BSP_SCHEDULE_DELAY", "100")
        .env("SMS_AGENT__WAIT", "2s")
        .serve();
    let token = std::fs::read_to_string(agent.data_dir().join("token")).unwrap().trim().to_owned();
    assert_eq!(send(&agent, TO, &[("Idempotency-Key", "sesame-key")]).status, 200);
    // moto quotes what it refuses, as SNS does: a number that SNS does not know.
    send(&agent, "+8820000000", &[]);
    send(&agent, "+1206555010", &[]);
    get(&agent, "/v1/opt-outs/+12065550100?nonsense=+12065550100");
    get(&agent, "/v1/messages/+12065550100");
    agent.request("POST", "/v1/messages", &[("Authorization", "Bearer sesame")], "+12065550100");
    collector.await_span("the publish", |span| span.name == "publish sms");
    agent.terminate();
    let (status, log, _) = agent.wait();
    assert_eq!(status.code(), Some(0));
    assert!(log.contains("answered"), "the log says nothing at all: {log}");
    let spans = collector.text();
    for (name, shown) in [("the log", &log), ("the spans", &spans)] {
        for secret in ["2065550100", "8820000000", "sesame", "424242", token.as_str()] {
            let at = shown.find(secret).map(|at| shown.get(at.saturating_sub(200)..at + 60));
            assert!(at.is_none(), "{name} holds what it must not: {at:?}");
        }
    }
}
