//! What a collector sees of a message's way.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod fleet;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use peers::Collector;
use process::Start;

const TRACE: &str = "0af7651916cd43dd8448eb211c80319c";
const PARENT: &str = "b7ad6b7169203331";

fn traced(collector: &Collector) -> Start {
    Start::new().env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint()).env("OTEL_BSP_SCHEDULE_DELAY", "100")
}

fn headers(traceparent: &str) -> [(&str, &str); 2] {
    [("Content-Type", "application/json"), ("traceparent", traceparent)]
}

const BODY: &str = r#"{"to":"+12065550100","body":"Hello"}"#;

#[test]
fn a_send_is_one_trace_from_the_callers_span_to_the_publish() {
    let collector = Collector::start();
    let agent = traced(&collector).serve();
    // Until the dispatcher has looked into the outbox once, a message takes its turn there.
    agent.send("+12065550100");
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let answer = agent.request("POST", "/v1/messages", &headers(&traceparent), BODY);
    assert_eq!(answer.status, 200);
    let of_this = |name: &'static str| move |span: &peers::Span| span.name == name && span.trace_id == TRACE;
    let server = collector.await_span("the request", of_this("POST /v1/messages"));
    let accept = collector.await_span("the accept", of_this("accept sms"));
    let publish = collector.await_span("the publish", of_this("publish sms"));
    assert_eq!(
        (server.trace_id.as_str(), server.parent_span_id.as_str(), server.kind.as_str()),
        (TRACE, PARENT, "SERVER")
    );
    assert_eq!(server.resource["service.name"], "sms-agent");
    assert_eq!(server.attributes["http.route"], "/v1/messages");
    assert_eq!(server.attributes["http.response.status_code"], 200);
    for span in [&accept, &publish] {
        assert_eq!(span.parent_span_id, server.span_id, "{}", span.name);
    }
    assert_eq!(publish.kind, "CLIENT");
    assert_eq!(publish.attributes["messaging.system"], "aws_sns");
    assert_eq!(publish.attributes["messaging.destination.name"], "sms");
    assert_eq!(publish.attributes["messaging.message.id"], answer.json()["message_id"]);
    assert!(publish.links.is_empty());
}

#[test]
fn spans_reach_a_collector_over_grpc_too() {
    let collector = Collector::start();
    let agent = traced(&collector)
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.grpc_endpoint())
        .env("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
        .serve();
    assert_eq!(agent.send("+12065550100").status, 200);
    collector.await_span("the publish", |span| span.name == "publish sms");
    agent.terminate();
    assert_eq!(agent.wait().0.code(), Some(0));
    collector.await_span("the request", |span| span.name == "POST /v1/messages");
}

#[test]
fn a_publish_that_was_queued_is_linked_to_the_request_that_asked_for_it() {
    let collector = Collector::start();
    let agent = traced(&collector).serve();
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    let mut asynchronous = headers(&traceparent).to_vec();
    asynchronous.push(("Prefer", "respond-async"));
    assert_eq!(agent.request("POST", "/v1/messages", &asynchronous, BODY).status, 202);
    let server = collector.await_span("the request", |span| span.name == "POST /v1/messages");
    let publish = collector.await_span("the publish", |span| span.name == "publish sms");
    assert_ne!(publish.trace_id, TRACE);
    assert_eq!(publish.links.len(), 1);
    assert_eq!((publish.links[0].trace_id.as_str(), &publish.links[0].span_id), (TRACE, &server.span_id));
}

#[test]
fn a_publish_by_another_agent_is_linked_to_the_request_that_asked_for_it() {
    let collector = Collector::start();
    let fleet = fleet::Fleet::new(60, 20);
    let observed = |role| {
        let start = fleet.agent(role).env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint());
        start.env("OTEL_BSP_SCHEDULE_DELAY", "100").serve()
    };
    let (accepting, _dispatching) = (observed("accept"), observed("dispatch"));
    let traceparent = format!("00-{TRACE}-{PARENT}-01");
    assert_eq!(accepting.request("POST", "/v1/messages", &headers(&traceparent), BODY).status, 202);
    let server = collector.await_span("the request", |span| span.name == "POST /v1/messages");
    let publish = collector.await_span("the publish", |span| span.name == "publish sms");
    assert_eq!(publish.links.len(), 1);
    assert_eq!((publish.links[0].trace_id.as_str(), &publish.links[0].span_id), (TRACE, &server.span_id));
}

#[test]
fn a_failed_publish_is_an_error_with_its_code() {
    let collector = Collector::start();
    let agent = traced(&collector).serve();
    agent.send("+15005550001");
    let publish = collector.await_span("the publish", |span| span.name == "publish sms");
    assert_eq!((publish.status.as_str(), &publish.attributes["error.type"]), ("ERROR", &"carrier_rejected".into()));
}

#[test]
fn spans_still_in_hand_at_sigterm_are_exported() {
    let collector = Collector::start();
    let agent = Start::new()
        .env("OTEL_EXPORTER_OTLP_ENDPOINT", collector.endpoint())
        .env("OTEL_BSP_SCHEDULE_DELAY", "600000")
        .serve();
    agent.send("+12065550100");
    agent.terminate();
    assert_eq!(agent.wait().0.code(), Some(0));
    collector.await_span("the publish", |span| span.name == "publish sms");
}

#[test]
fn a_collector_that_is_down_costs_nothing_but_spans() {
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let agent = Start::new().env("OTEL_EXPORTER_OTLP_ENDPOINT", format!("http://{closed}")).serve();
    for _ in 0..20 {
        assert_eq!(agent.send("+12065550100").status, 200);
    }
    agent.terminate();
    assert_eq!(agent.wait().0.code(), Some(0));
}

#[test]
fn no_variable_no_export() {
    let collector = Collector::start();
    let agent = traced(&collector).env("OTEL_SDK_DISABLED", "true").serve();
    agent.send("+12065550100");
    agent.terminate();
    assert_eq!(agent.wait().0.code(), Some(0));
    assert!(collector.spans().is_empty());
}
