//! The span of one publish, by OpenTelemetry's messaging conventions.
//!
//! It carries no number and no text: the destination is always `sms`. Its target is that of all spans of ours, so that
//! nothing is spent on it while export is off.

use sms_config::trace;
use tracing::Span;
use tracing::field::{Empty, display};

use super::Origin;
use crate::message::Problem;
use crate::outbox::Claim;

/// The span of an attempt that begins now: part of the request that asked for it, or linked to it.
pub(super) fn publish(claim: &Claim, origin: &Origin) -> Span {
    let parent = match origin {
        Origin::Request(span) => span.id(),
        Origin::Stored(_) => None,
    };
    let span = tracing::info_span!(
        target: "sms_agent::trace",
        parent: parent,
        "publish sms",
        otel.kind = "client",
        otel.status_code = Empty,
        messaging.system = "aws_sns",
        messaging.operation.type = "send",
        messaging.operation.name = "publish",
        messaging.destination.name = "sms",
        messaging.message.id = Empty,
        sms.message.id = %claim.id,
        sms.attempt = i64::from(claim.attempt),
        sms.segments = i64::from(claim.sms.text.segments()),
        error.type = Empty,
        aws.request_id = Empty,
    );
    if let Origin::Stored(Some(trace)) = origin {
        trace::link(&span, trace);
    }
    span
}

/// The carrier took it.
pub(super) fn published(span: &Span, provider_id: &str) {
    span.record("messaging.message.id", provider_id);
}

/// It did not.
pub(super) fn failed(span: &Span, problem: &Problem) {
    span.record("otel.status_code", "ERROR");
    span.record("error.type", problem.code.as_str());
    if let Some(id) = &problem.aws_request_id {
        span.record("aws.request_id", display(id));
    }
}
