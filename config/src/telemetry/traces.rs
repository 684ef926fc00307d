//! The traces: our own spans, batched in the background and sent as OTLP over http/protobuf or gRPC.
//!
//! In flow finished spans; out flow batches from the SDK's own thread, through our gate and our client. Its queue is
//! bounded: when the collector is slow, spans are dropped and requests are not.

use std::sync::atomic::AtomicBool;
use std::sync::{Arc, Mutex};

use opentelemetry::KeyValue;
use opentelemetry_otlp::{SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::resource::TelemetryResourceDetector;
use opentelemetry_sdk::trace::{BatchSpanProcessor, SdkTracer, SdkTracerProvider};
use tracing::Level;
use tracing_subscriber::filter::{LevelFilter, filter_fn};
use tracing_subscriber::{Layer, Registry};

use super::collector::{Collector, LastFailure};
use super::export::{Export, Protocol};
use super::exporter::GuardedExporter;
use super::grpc::Driven;
use super::variables::Variables;
use super::{TelemetryError, is_ours};

/// The SDK's provider with its background batches, its exporter behind our gate, our client behind its exporter.
///
/// # Errors
/// The exporter cannot be made of what it was given.
pub(super) fn provider(
    service: &'static str,
    variables: &Variables<'_>,
    export: Export,
    ending: Arc<AtomicBool>,
) -> Result<SdkTracerProvider, TelemetryError> {
    let last_failure = LastFailure::default();
    let endpoint = export.shown_endpoint();
    let longest_value = export.longest_value;
    let last = Arc::clone(&last_failure);
    let inner = match export.protocol {
        Protocol::HttpProtobuf => Driven::by_itself(over_http(export, last)?),
        Protocol::Grpc => Driven::over_grpc(export, last)?,
    };
    let exporter = GuardedExporter { inner, endpoint, longest_value, last_failure, ending, trouble: Mutex::default() };
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_detectors(&[Box::new(TelemetryResourceDetector)])
        .with_attributes(variables.resource_attributes().unwrap_or_default());
    let resource = match variables.get("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name),
        None => resource,
    };
    let batches = BatchSpanProcessor::builder(exporter).with_batch_config(variables.batches()).build();
    Ok(SdkTracerProvider::builder().with_resource(resource.build()).with_span_processor(batches).build())
}

fn over_http(export: Export, last_failure: LastFailure) -> Result<SpanExporter, TelemetryError> {
    Ok(SpanExporter::builder()
        .with_http()
        .with_endpoint(export.endpoint.to_string())
        .with_protocol(opentelemetry_otlp::Protocol::HttpBinary)
        .with_timeout(export.timeout)
        .with_http_client(Collector::new(export.timeout, export.trust, export.proxy, last_failure))
        .build()?)
}

/// The layer that records our own spans, and nothing but what they say themselves.
pub(super) fn layer(tracer: SdkTracer) -> impl Layer<Registry> + Send + Sync {
    let ours =
        filter_fn(|metadata| metadata.is_span() && is_ours(metadata.target()) && *metadata.level() <= Level::INFO);
    tracing_opentelemetry::layer()
        .with_tracer(tracer)
        .with_context_activation(false)
        .with_location(false)
        .with_target(false)
        .with_threads(false)
        .with_tracked_inactivity(false)
        .with_filter(ours.with_max_level_hint(LevelFilter::INFO))
}
