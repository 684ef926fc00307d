//! What the program says about itself while it runs: lines on standard error, spans to an OpenTelemetry collector.
//!
//! In flow `tracing` events and spans; out flow a log and, where the standard `OTEL_*` variables ask for it, OTLP over
//! http/protobuf or gRPC. The one rule: no phone number leaves through either, and neither ever holds up the program.

pub mod context;

mod collector;
mod export;
mod exporter;
mod grpc;
mod lines;
mod log;
mod mask;
mod repeated;
mod traces;
mod trust;
mod variables;
mod way;

use std::io::{IsTerminal, Write};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use opentelemetry::global;
use opentelemetry::trace::TracerProvider;
use opentelemetry_otlp::ExporterBuildError;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use opentelemetry_sdk::trace::SdkTracerProvider;
use tracing::{info, warn};
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::registry;
use tracing_subscriber::util::SubscriberInitExt;

use export::Export;
pub use lines::Lines;
pub use mask::mask_numbers;
pub use repeated::Repeated;
use variables::Variables;

/// The crates whose words are our own.
const OURS: [&str; 3] = ["sms_agent", "sms_config", "sms_provision"];

/// What keeps telemetry from starting. None of them tells the value: it may hold a token.
#[derive(Debug, thiserror::Error)]
pub enum TelemetryError {
    /// The collector is to be spoken to in a way that is not built in.
    #[error("{variable}: must be http/protobuf (collectors listen for it on port 4318) or grpc (on port 4317)")]
    Protocol {
        /// Who asks for it.
        variable: &'static str,
    },
    /// The collector's address is none.
    #[error(
        "{variable}: must be a URL that begins with http:// or https:// and has no #fragment, as in http://localhost:4318"
    )]
    Endpoint {
        /// Where it was read.
        variable: &'static str,
    },
    /// The collector's address has a query, which gRPC cannot send.
    #[error("{variable}: over grpc the URL must have no query; send a key as a header, by OTEL_EXPORTER_OTLP_HEADERS")]
    Query {
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
    /// A proxy on the way to the collector is none.
    #[error("{variable}: must be {}; correct it or unset it", crate::proxies::ALLOWED)]
    Proxy {
        /// Where it was read.
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
    ending: Arc<AtomicBool>,
}

impl Telemetry {
    /// Begins to log to standard error, line by line and waiting for each, and, if the process's `OTEL_*` variables ask for it, to export spans.
    ///
    /// `service` is the binary's name: `service.name` where no variable says otherwise. It needs no runtime and waits
    /// for nobody; the collector is first spoken to when there is a batch, on a thread of its own.
    ///
    /// # Errors
    /// A variable without which spans would go nowhere cannot be used, or telemetry was started before.
    pub fn start(service: &'static str) -> Result<Self, TelemetryError> {
        Self::start_with(service, log::USUAL)
    }

    /// The same with another log than `info` where `RUST_LOG` says nothing, in the form of `RUST_LOG`.
    ///
    /// # Errors
    /// As [`Telemetry::start`], or `usual` cannot be read.
    pub fn start_with(service: &'static str, usual: &str) -> Result<Self, TelemetryError> {
        Self::begin(service, usual, || Box::new(std::io::stderr()))
    }

    /// As [`Telemetry::start_with`], but the log goes to `stderr` and waits for nobody who reads it.
    ///
    /// # Errors
    /// As [`Telemetry::start_with`].
    pub fn start_on(service: &'static str, usual: &str, stderr: &Lines) -> Result<Self, TelemetryError> {
        let stderr = stderr.clone();
        Self::begin(service, usual, move || Box::new(stderr.clone()))
    }

    fn begin<W>(service: &'static str, usual: &str, stderr: W) -> Result<Self, TelemetryError>
    where
        W: Fn() -> Box<dyn Write> + Send + Sync + 'static,
    {
        let read = |name: &str| std::env::var(name).ok();
        let variables = Variables(&read);
        let export = Export::read(&variables)?;
        let endpoint = export.as_ref().map(Export::shown_endpoint);
        let ending = Arc::<AtomicBool>::default();
        let provider =
            export.map(|export| traces::provider(service, &variables, export, Arc::clone(&ending))).transpose()?;
        if provider.is_some() && variables.follows_trace_context() {
            global::set_text_map_propagator(TraceContextPropagator::new());
        }
        let usual = log::level(usual)?;
        let asked = variables.get("RUST_LOG").map_or(Ok(usual.clone()), |asked| log::level(&asked));
        let unreadable = asked.as_ref().err().map(ToString::to_string);
        let asked = asked.unwrap_or(usual);
        let plain = variables.get("NO_COLOR").is_some() || variables.get("TERM").is_some_and(|term| term == "dumb");
        let colours = std::io::stderr().is_terminal() && !plain;
        // Not an `Option` of a layer: one that is `None` makes `tracing` take every span for wanted.
        let installed = match &provider {
            Some(provider) => registry()
                .with(traces::layer(provider.tracer(service)))
                .with(log::layer(asked, colours, stderr))
                .try_init(),
            None => registry().with(log::layer(asked, colours, stderr)).try_init(),
        };
        installed.map_err(|_| TelemetryError::Twice)?;

        if let Some(unreadable) = unreadable {
            warn!("{unreadable}; logging as usual");
        }
        if let Some(endpoint) = endpoint {
            for (variable, allowed) in variables.unusable() {
                warn!(variable, allowed = &*allowed, "this value cannot be used and is left out");
            }
            info!(endpoint, "exporting spans");
        }
        Ok(Self { provider, ending })
    }

    /// Sends what is left and ends; returns after `within` at the latest, whatever the collector does.
    ///
    /// What could not be sent by then is lost. Spans made afterwards go nowhere; the log goes on.
    pub async fn shutdown(self, within: Duration) {
        let Some(provider) = self.provider else { return };
        self.ending.store(true, Ordering::Relaxed);
        // It waits for the export thread, so it must not be this thread that waits: the program may have only one.
        let flush = tokio::task::spawn_blocking(move || provider.shutdown_with_timeout(within));
        if !matches!(tokio::time::timeout(within, flush).await, Ok(Ok(Ok(())))) {
            warn!("the last spans were not exported in time and are lost");
        }
    }
}

fn is_ours(target: &str) -> bool {
    OURS.contains(&target.split_once("::").map_or(target, |(name, _)| name))
}
