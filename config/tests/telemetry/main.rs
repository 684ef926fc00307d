//! Telemetry as a program has it: in a process of its own, with real variables, against a real collector's end.
//!
//! Each test starts this test binary once more as the program (`program` below), with the variables that it is about.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "all of this is test code, outside of test functions too"
)]

#[path = "../peers/mod.rs"]
mod peers;
mod program;
mod proxy;
mod receiver;

use std::time::Duration;

use peers::Collector;
use program::Program;
use proxy::Proxy;
use receiver::{Receiver, Reply};

const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

#[test]
fn a_collector_gets_the_spans_with_their_parent_their_link_and_their_resource() {
    let collector = Collector::start();
    let (http, grpc) = (("http/protobuf", collector.endpoint()), ("grpc", collector.grpc_endpoint()));
    for (service, (protocol, endpoint), compression) in [
        ("plain", http, "none"),
        ("zipped", http, "gzip"),
        ("plain over grpc", grpc, "none"),
        ("zipped over grpc", grpc, "gzip"),
    ] {
        let run = Program::new()
            .set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
            .set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
            .set("OTEL_EXPORTER_OTLP_COMPRESSION", compression)
            .set("OTEL_SERVICE_NAME", service)
            .run();
        assert!(run.log.contains("exporting spans"), "{}", run.log);
        let [server, accept, publish] = ["POST /v1/messages", "accept", "send sms"].map(|name| {
            collector.await_span(name, |span| span.name == name && span.resource["service.name"] == service)
        });
        assert_eq!(server.trace_id, "0af7651916cd43dd8448eb211c80319c");
        assert_eq!((server.parent_span_id.as_str(), server.kind.as_str()), ("b7ad6b7169203331", "SERVER"));
        assert_eq!((&accept.parent_span_id, accept.kind.as_str()), (&server.span_id, "INTERNAL"));
        assert_eq!((publish.parent_span_id.as_str(), publish.kind.as_str()), ("", "CLIENT"));
        assert_ne!(publish.trace_id, server.trace_id, "a span that came later has a trace of its own");
        assert_eq!((&publish.links[0].trace_id, &publish.links[0].span_id), (&server.trace_id, &server.span_id));
    }
}

#[test]
fn spans_go_through_the_proxies_of_the_process() {
    let collector = Collector::start();
    let place = |endpoint: &str| endpoint.trim_start_matches("http://").trim_end_matches('/').to_owned();
    for (service, protocol, endpoint, asked) in [
        ("by proxy", "http/protobuf", collector.endpoint(), "POST http://collector.test:4318/v1/traces HTTP/1.1"),
        ("by tunnel", "grpc", collector.grpc_endpoint(), "CONNECT collector.test:4317 HTTP/1.1"),
    ] {
        let proxy = Proxy::to(&place(endpoint));
        let port = if protocol == "grpc" { 4317 } else { 4318 };
        let program = || {
            Program::new()
                .set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol)
                .set("OTEL_SERVICE_NAME", service)
                .set("HTTP_PROXY", &format!("http://user:sesame@{}", proxy.place))
        };
        let run = program().set("OTEL_EXPORTER_OTLP_ENDPOINT", &format!("http://collector.test:{port}")).run();
        collector.await_span("its span", |span| span.resource["service.name"] == service);
        let head = proxy.next();
        assert!(head.starts_with(asked), "{head}");
        // user:sesame
        assert!(head.to_ascii_lowercase().contains("proxy-authorization: basic dxnlcjpzzxnhbwu="), "{head}");
        assert!(!run.log.contains("sesame"), "{}", run.log);

        while !proxy.is_unused() {}
        program().set("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint).run();
        assert!(proxy.is_unused(), "what is on this machine goes past it");
    }
}

#[test]
fn what_is_no_proxy_stops_the_start_and_is_not_shown() {
    let run = Program::new()
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://collector.test:4318")
        .set("HTTP_PROXY", "socks5://sesame")
        .run();
    assert!(run.said.contains("HTTP_PROXY: must be the URL of a proxy"), "{}", run.said);
    assert!(!run.said.contains("sesame") && !run.log.contains("sesame"), "{} {}", run.said, run.log);
}

#[test]
fn what_leaves_is_ours_alone_and_holds_no_number_and_nothing_of_the_machine() {
    let receiver = Receiver::http(Reply::Taken);
    let run = Program::new().set("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()).set("RUST_LOG", "trace").run();

    let request = receiver.next();
    let mut names: Vec<_> = request.spans().map(|span| span.name.as_str()).collect();
    names.sort_unstable();
    assert_eq!(names, ["POST /v1/messages", "accept", "send sms"]);
    let keys: Vec<_> = request.spans().flat_map(|span| &span.attributes).map(|one| one.key.as_str()).collect();
    assert_eq!(keys, ["slip"]);
    assert!(request.spans().all(|span| span.events.is_empty()), "a line of the log is no event of a span");
    for outside in [&run.log, &format!("{request:?}")] {
        assert!(!outside.contains("2065550100"), "{outside}");
    }
    assert!(run.log.contains(" WARN aws_runtime: ") && !run.log.contains("the number is"), "{}", run.log);
    assert!(!run.log.contains("PhoneNumber="), "{}", run.log);
}

#[test]
fn the_variables_name_the_service_and_its_attributes() {
    let receiver = Receiver::http(Reply::Taken);
    let attributes = "service.name=by-attribute,deployment.environment.name=test,service.version=9";
    let program = || {
        Program::new().set("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()).set("OTEL_RESOURCE_ATTRIBUTES", attributes)
    };
    program().set("OTEL_RESOURCE_ATTRIBUTES", "").run();
    let request = receiver.next();
    assert_eq!(request.path, "/v1/traces");
    assert_eq!(request.header("content-type"), Some("application/x-protobuf"));
    assert_eq!(request.resource("service.name"), Some("sms-agent"));
    assert_eq!(request.resource("service.version"), Some(env!("CARGO_PKG_VERSION")));

    program().run();
    let request = receiver.next();
    assert_eq!(request.resource("service.name"), Some("by-attribute"));
    assert_eq!(request.resource("deployment.environment.name"), Some("test"));
    assert_eq!(request.resource("service.version"), Some("9"));

    program().set("OTEL_SERVICE_NAME", "by-name").run();
    assert_eq!(receiver.next().resource("service.name"), Some("by-name"));
}

#[test]
fn gzip_headers_and_the_traces_own_endpoint_are_as_the_variables_say() {
    let receiver = Receiver::http(Reply::Taken);
    Program::new()
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .set("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", &format!("{}/custom", receiver.url()))
        .set("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip")
        .set("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc,x-tenant=7")
        .run();
    let request = receiver.next();
    assert_eq!(request.path, "/custom");
    assert_eq!(request.header("content-encoding"), Some("gzip"));
    assert_eq!(request.header("authorization"), Some("Bearer abc"));
    assert_eq!(request.header("x-tenant"), Some("7"));
    assert_eq!(request.spans().count(), 3);
}

#[test]
fn https_works_with_a_certificate_that_is_named_and_not_with_one_that_nobody_signed() {
    let receiver = Receiver::https(Reply::Taken);
    let program = || Program::new().set("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url());
    let certificate = receiver.file("certificate.pem");
    program().set("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate).run();
    let request = receiver.next();
    assert_eq!((request.spans().count(), request.known), (3, false));

    program()
        .set("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate)
        .set("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &certificate)
        .set("OTEL_EXPORTER_OTLP_CLIENT_KEY", &receiver.file("key.pem"))
        .run();
    assert!(receiver.next().known);

    let run = program().run();
    assert!(run.log.contains("spans cannot be exported") && run.log.contains("certificate"), "{}", run.log);
    assert!(receiver.is_idle());
}

#[test]
fn a_collector_that_is_down_costs_spans_and_one_line() {
    for protocol in ["http/protobuf", "grpc"] {
        let endpoint = ("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9");
        let run = Program::new().set(endpoint.0, endpoint.1).set("OTEL_EXPORTER_OTLP_PROTOCOL", protocol).run();
        assert_eq!(run.log.matches("spans cannot be exported").count(), 1, "{}", run.log);
        assert!(run.log.contains("refused"), "{}", run.log);
        assert!(run.started < Duration::from_millis(500) && run.stopped < Duration::from_secs(4), "{run:?}");
    }
}

#[test]
fn over_grpc_too_a_certificate_that_is_named_is_believed_and_no_other() {
    let receiver = Receiver::https(Reply::Taken);
    let program = || {
        let program = Program::new().set("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url());
        program.set("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")
    };
    let certificate = receiver.file("certificate.pem");
    program()
        .set("OTEL_EXPORTER_OTLP_CERTIFICATE", &certificate)
        .set("OTEL_EXPORTER_OTLP_CLIENT_CERTIFICATE", &certificate)
        .set("OTEL_EXPORTER_OTLP_CLIENT_KEY", &receiver.file("key.pem"))
        .set("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20abc")
        .run();
    let request = receiver.next();
    assert_eq!(request.path, "/opentelemetry.proto.collector.trace.v1.TraceService/Export");
    assert_eq!(request.header("authorization"), Some("Bearer abc"));
    assert_eq!((request.spans().count(), request.known), (3, true));

    let run = program().run();
    assert!(run.log.contains("spans cannot be exported") && run.log.contains("certificate"), "{}", run.log);
    assert!(receiver.is_idle());
}

#[test]
fn a_collector_that_never_answers_holds_up_neither_start_nor_end() {
    let receiver = Receiver::http(Reply::Never);
    let run = Program::new().set("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url()).set("PROGRAM_FLUSH_MS", "300").run();
    assert!(run.log.contains("the last spans were not exported in time"), "{}", run.log);
    assert!(run.started < Duration::from_millis(500) && run.stopped < Duration::from_secs(2), "{run:?}");
}

#[test]
fn a_collector_that_refuses_is_named_with_its_answer() {
    let receiver = Receiver::http(Reply::Unauthorized);
    let endpoint = receiver.url().replace("http://", "http://user:hidden@");
    let run = Program::new().set("OTEL_EXPORTER_OTLP_ENDPOINT", &endpoint).run();
    assert!(run.log.contains("it answers 401"), "{}", run.log);
    assert!(!run.log.contains("hidden"), "{}", run.log);
}

#[test]
fn with_export_off_nothing_is_sent_and_our_spans_are_skipped_where_they_are_made() {
    let receiver = Receiver::http(Reply::Taken);
    for off in [("OTEL_SDK_DISABLED", "true"), ("OTEL_TRACES_EXPORTER", "none")] {
        let run = Program::new()
            .set("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url())
            .set("RUST_LOG", "trace")
            .set(off.0, off.1)
            .run();
        assert!(run.said.contains("recorded: false") && run.said.contains("traceparent: None"), "{}", run.said);
    }
    let run = Program::new().run();
    assert!(run.said.contains("recorded: false"), "{}", run.said);
    assert!(receiver.is_idle());
}

#[test]
fn the_sampler_of_the_variables_decides() {
    let receiver = Receiver::http(Reply::Taken);
    Program::new()
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", &receiver.url())
        .set("OTEL_TRACES_SAMPLER", "parentbased_always_off")
        .run();
    let request = receiver.next();
    let names: Vec<_> = request.spans().map(|span| span.name.as_str()).collect();
    assert!(!names.contains(&"send sms") && names.contains(&"accept"), "only the caller's sampled trace: {names:?}");
}

#[test]
fn values_that_cannot_be_used_are_named_in_the_log_and_wrong_ones_stop_the_start() {
    let run = Program::new()
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:9")
        .set("OTEL_TRACES_SAMPLER", "sometimes")
        .set("RUST_LOG", "sms_agent=loud")
        .run();
    assert!(run.log.contains("OTEL_TRACES_SAMPLER") && run.log.contains("RUST_LOG"), "{}", run.log);
    assert!(!run.log.contains("sometimes") && !run.log.contains("loud"), "{}", run.log);

    let run = Program::new()
        .set("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4317")
        .set("OTEL_EXPORTER_OTLP_PROTOCOL", "http/json")
        .run();
    assert!(run.said.contains("OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf"), "{}", run.said);
}
