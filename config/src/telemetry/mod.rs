//! What the program says about itself while it runs: lines on standard error, spans to an OpenTelemetry collector.
//!
//! In flow `tracing` events and spans; out flow a log and, where the standard `OTEL_*` variables ask for it, OTLP over
//! http/protobuf. The one rule: no phone number leaves through either, and neither ever holds up the program.

pub mod context;

mod collector;
mod export;
mod exporter;
mod log;
mod mask;
mod trust;
mod variables;

use std::io::{IsTerminal, Write};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use opentelemetry::KeyValue;
use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::{ExporterBuildError, Protocol, SpanExporter, WithExportConfig, WithHttpConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::resource::{EnvResourceDetector, TelemetryResourceDetector};
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::level_filters::LevelFilter;
use tracing::{info, warn};
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;
use tracing_subscriber::{Layer, registry};

use collector::{Collector, LastFailure};
use export::Export;
use exporter::GuardedExporter;
use variables::Variables;

/// The crates whose words are our own.
const OURS: [&str; 3] = ["sms_agent", "sms_config", "sms_provision"];

/// What keeps telemetry from starting. None of them tells the value: it may hold a token.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The collector is to be spoken to in a way that is not built in.
    #[error("{variable}: only http/protobuf is built in; set it to that (collectors listen for it on port 4318)")]
    Protocol {
        /// Who asks for it.
        variable: &'static str,
    },
    /// The collector's address is none.
    #[error("{variable}: must be a URL that begins with http:// or https://, as in http://localhost:4318")]
    Endpoint {
        /// Where it was read.
        variable: &'static str,
    },
    /// A file of certificates or a key is not there or is none.
    #[error("{variable}: the file it names cannot be read or holds no valid PEM; check the path and its permissions")]
    Certificate {
        /// Where its path was read.
        variable: &'static str,
    },
    /// A certificate of ours without its key, or the other way round.
    #[error("{variable}: a client certificate and its key go together; set both or neither")]
    HalfIdentity {
        /// The one that is set.
        variable: &'static str,
    },
    /// The level of the log cannot be read.
    #[error("RUST_LOG: must be a level or targets with levels, as in info,sms_agent=debug")]
    LogFilter,
    /// The SDK's exporter could not be made.
    #[error("OTEL_EXPORTER_OTLP_*: {0}")]
    Exporter(#[from] ExporterBuildError),
    /// Something else in this process logs already.
    #[error("telemetry was started twice in one process")]
    Twice,
}

/// The telemetry of this process, from its start to its last flush.
#[derive(Debug)]
pub struct Telemetry {
    provider: Option<SdkTracerProvider>,
}

impl Telemetry {
    /// Begins to log to standard error and, if the process's `OTEL_*` variables ask for it, to export spans.
    ///
    /// `service` is the binary's name: `service.name` where no variable says otherwise. It needs no runtime and waits
    /// for nobody; the collector is first spoken to when there is a batch, on a thread of its own.
    ///
    /// # Errors
    /// A variable without which spans would go nowhere cannot be used, or telemetry was started before.
    pub fn start(service: &'static str) -> Result<Self, TelemetryError> {
        let read = |name: &str| std::env::var(name).ok();
        let variables = Variables(&read);
        let export = Export::read(&variables)?;
        let endpoint = export.as_ref().map(Export::shown_endpoint);
        let provider = export.map(|export| provider(service, &variables, export)).transpose()?;
        if provider.is_some() && variables.follows_trace_context() {
            global::set_text_map_propagator(TraceContextPropagator::new());
        }
        let spans = provider.as_ref().map(|provider| {
            let ours = filter_fn(|metadata| metadata.is_span() && is_ours(metadata.target()) && is_info(metadata));
            tracing_opentelemetry::layer()
                .with_tracer(provider.tracer(service))
                .with_context_activation(false)
                .with_location(false)
                .with_target(false)
                .with_threads(false)
                .with_tracked_inactivity(false)
                .with_filter(ours.with_max_level_hint(LevelFilter::INFO))
        });
        let asked = log::level(variables.get("RUST_LOG").as_deref());
        let unreadable = asked.as_ref().err().map(ToString::to_string);
        let colours = std::io::stderr().is_terminal() && variables.get("NO_COLOR").is_none();
        let lines = log::layer(asked.or_else(|_| log::level(None))?, colours, || -> Box<dyn Write> {
            Box::new(std::io::stderr())
        });
        registry().with(spans).with(lines).try_init().map_err(|_| TelemetryError::Twice)?;

        if let Some(unreadable) = unreadable {
            warn!("{unreadable}; logging at info");
        }
        if let Some(endpoint) = endpoint {
            for (variable, allowed) in variables.unusable() {
                warn!(variable, allowed, "this value cannot be used and is left out");
            }
            info!(endpoint, "exporting spans");
        }
        Ok(Self { provider })
    }

    /// Sends what is left and ends; returns after `within` at the latest, whatever the collector does.
    ///
    /// What could not be sent by then is lost. Spans made afterwards go nowhere; the log goes on.
    pub async fn shutdown(self, within: Duration) {
        let Some(provider) = self.provider else { return };
        // It waits for the export thread, so it must not be this thread that waits: the program may have only one.
        let flush = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(within));
        if !matches!(tokio::time::timeout(within, flush).await, Ok(Ok(Ok(())))) {
            warn!("the last spans were not exported in time and are lost");
        }
    }
}

/// The SDK's provider with its background batches, its exporter behind our gate, our client behind its exporter.
fn provider(
    service: &'static str,
    variables: &Variables<'_>,
    export: Export,
) -> Result<SdkTracerProvider, TelemetryError> {
    let last_failure = LastFailure::default();
    let endpoint = export.shown_endpoint();
    let inner = SpanExporter::builder()
        .with_http()
        .with_endpoint(export.endpoint.to_string())
        .with_protocol(Protocol::HttpBinary)
        .with_timeout(export.timeout)
        .with_http_client(Collector::new(export.timeout, export.trust, Arc::clone(&last_failure)))
        .build()?;
    let longest_value = export.longest_value;
    let exporter = GuardedExporter { inner, endpoint, longest_value, last_failure, trouble: Mutex::default() };
    let resource = Resource::builder_empty()
        .with_attributes([
            KeyValue::new("service.name", service),
            KeyValue::new("service.version", env!("CARGO_PKG_VERSION")),
        ])
        .with_detectors(&[Box::new(TelemetryResourceDetector), Box::new(EnvResourceDetector::new())]);
    let resource = match variables.get("OTEL_SERVICE_NAME") {
        Some(name) => resource.with_service_name(name),
        None => resource,
    };
    Ok(SdkTracerProvider::builder().with_resource(resource.build()).with_batch_exporter(exporter).build())
}

fn is_ours(target: &str) -> bool {
    OURS.contains(&target.split_once("::").map_or(target, |(name, _)| name))
}

fn is_info(metadata: &tracing::Metadata<'_>) -> bool {
    *metadata.level() <= tracing::Level::INFO
}
