//! A collector: takes spans by OTLP as any does, and shows what came in.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::process::Peer;

/// A collector of this test's own; it ends when this is dropped.
pub(crate) struct Collector {
    endpoint: String,
    grpc_endpoint: String,
    peer: Peer,
}

/// A span as it came in. Ids are in lower-case hexadecimal, times in nanoseconds since 1970.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Span {
    /// The attributes of its resource: `service.name` and the like.
    pub(crate) resource: BTreeMap<String, Value>,
    /// The library that made it.
    pub(crate) scope: String,
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
    /// Empty for a root.
    pub(crate) parent_span_id: String,
    pub(crate) name: String,
    /// `SERVER`, `CLIENT`, `INTERNAL`, `PRODUCER` or `CONSUMER`.
    pub(crate) kind: String,
    pub(crate) start_time_unix_nano: u64,
    pub(crate) end_time_unix_nano: u64,
    pub(crate) attributes: BTreeMap<String, Value>,
    pub(crate) events: Vec<Event>,
    pub(crate) links: Vec<Link>,
    /// `UNSET`, `OK` or `ERROR`.
    pub(crate) status: String,
    pub(crate) status_message: String,
}

/// Something that happened during a span.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Event {
    pub(crate) name: String,
    pub(crate) attributes: BTreeMap<String, Value>,
}

/// Another span that this one belongs with.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub(crate) struct Link {
    pub(crate) trace_id: String,
    pub(crate) span_id: String,
}

impl Collector {
    /// Starts one and waits until it listens (about a second).
    pub(crate) fn start() -> Self {
        let peer = Peer::start("the collector", include_str!("collector.py"));
        let addresses = peer.await_line("its addresses", |line| line.starts_with("http://"));
        let (endpoint, grpc_endpoint) = addresses.split_once(' ').expect("two addresses");
        Self { endpoint: endpoint.to_owned(), grpc_endpoint: grpc_endpoint.to_owned(), peer }
    }

    /// Where it takes OTLP over HTTP, for `OTEL_EXPORTER_OTLP_ENDPOINT`: `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Where it takes OTLP over gRPC: `http://127.0.0.1:PORT`.
    pub(crate) fn grpc_endpoint(&self) -> &str {
        &self.grpc_endpoint
    }

    /// The first span that matches, once it came in.
    ///
    /// # Panics
    /// If none comes within a minute.
    pub(crate) fn await_span(&self, what: &str, matches: impl Fn(&Span) -> bool) -> Span {
        let line = self.peer.await_line(what, |line| parse(line).is_some_and(|span| matches(&span)));
        parse(&line).expect("it was parsed before")
    }

    /// All spans so far.
    pub(crate) fn spans(&self) -> Vec<Span> {
        self.peer.lines().iter().filter_map(|line| parse(line)).collect()
    }

    /// All that came in so far as text, to look for what must not be in it.
    pub(crate) fn text(&self) -> String {
        self.peer.lines().join("\n")
    }
}

/// The span of a line; the first line, the addresses, has none.
fn parse(line: &str) -> Option<Span> {
    line.starts_with('{').then(|| serde_json::from_str(line).expect("a span is printed with all its members"))
}
