//! A small program that does what the agent does with telemetry, run as a process of its own.

use std::process::{Command, Stdio};
use std::time::Duration;

use http::HeaderMap;
use sms_config::{Telemetry, trace};
use tokio::time::Instant;
use tracing::{info, info_span, trace as trace_line, warn};

/// Its command line.
pub(crate) struct Program(Command);

/// What it said and how long its parts took.
#[derive(Debug)]
pub(crate) struct Run {
    pub(crate) log: String,
    pub(crate) said: String,
    pub(crate) started: Duration,
    pub(crate) stopped: Duration,
}

impl Program {
    /// With none of the variables that telemetry reads.
    pub(crate) fn new() -> Self {
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "program::the_program_of_the_other_tests", "--nocapture"]).stdin(Stdio::null());
        for (name, _) in std::env::vars().filter(|(name, _)| name.starts_with("OTEL_") || name == "RUST_LOG") {
            command.env_remove(name);
        }
        command.env("PROGRAM_FLUSH_MS", "5000");
        Self(command)
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.0.env(name, value);
        self
    }

    pub(crate) fn run(mut self) -> Run {
        let output = self.0.output().unwrap();
        let said = String::from_utf8(output.stdout).unwrap();
        let log = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success(), "{said}{log}");
        let took = |what: &str| {
            let line = said.lines().find_map(|line| line.strip_prefix(what));
            Duration::from_millis(line.map_or(0, |millis| millis.trim().parse().unwrap()))
        };
        Run { started: took("started:"), stopped: took("stopped:"), log, said }
    }
}

/// On one thread, as the agent may be, so that a flush which needs that thread hangs.
#[tokio::test]
async fn the_program_of_the_other_tests() {
    // Among the tests themselves it has nothing to do.
    let Ok(flush) = std::env::var("PROGRAM_FLUSH_MS") else { return };
    let before = Instant::now();
    let telemetry = match Telemetry::start("sms-agent") {
        Ok(telemetry) => telemetry,
        Err(error) => return println!("\nerror: {error}"),
    };
    println!("\nstarted: {}", before.elapsed().as_millis());
    let stored = request();
    later(stored.as_deref());
    let before = Instant::now();
    telemetry.shutdown(Duration::from_millis(flush.parse().unwrap())).await;
    println!("stopped: {}", before.elapsed().as_millis());
}

fn request() -> Option<String> {
    let caller = (http::HeaderName::from_static("traceparent"), super::CALLER.parse().unwrap());
    let span = info_span!(target: "sms_agent::trace", "POST /v1/messages", otel.kind = "server");
    println!("recorded: {}", !span.is_disabled());
    trace::set_remote_parent(&span, &HeaderMap::from_iter([caller]));
    let stored = trace::traceparent(&span);
    println!("traceparent: {stored:?}");
    span.in_scope(|| {
        let accept = info_span!(target: "sms_agent::trace", "accept", slip = "for +12065550100");
        accept.in_scope(|| info!(target: "sms_agent::outbox", "accepted"));
        let foreign = info_span!(target: "aws_sdk_sns::operation", "SNS.Publish", number = "+12065550100");
        let _entered = foreign.enter();
        trace_line!(target: "aws_smithy_runtime::client", "PhoneNumber=%2B12065550100");
        warn!(target: "aws_runtime", "the number is +12065550100");
    });
    stored
}

fn later(stored: Option<&str>) {
    let span = info_span!(target: "sms_agent::trace", "send sms", otel.kind = "client");
    if let Some(stored) = stored {
        trace::link(&span, stored);
    }
}
