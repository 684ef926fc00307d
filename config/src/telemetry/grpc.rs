//! The way to a collector over gRPC: the SDK's own client, on a runtime and over connections of ours.
//!
//! In flow batches, on the plain thread that the SDK exports from; out flows what the collector said. As over http, the
//! program's runtime has no part in it, and the files of `trust` count here too.

use std::fmt;
use std::future::ready;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use http::Uri;
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder, MaybeHttpsStream};
use hyper_util::client::proxy::matcher::Intercept;
use opentelemetry_http::HttpError;
use opentelemetry_otlp::{ExporterBuildError, SpanExporter, WithExportConfig, WithTonicConfig};
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::SpanData;
use tokio::runtime::{Builder, Runtime};
use tonic::codegen::Service;
use tonic::transport::Endpoint;

use super::collector::{LastFailure, TO_HEAR, remember};
use super::export::Export;
use super::trust::Trust;
use super::way::{Line, Way};
use crate::foreign::causes_in;
use crate::running::within;

/// The SDK's exporter, and over gRPC what drives it. One type for both ways: the SDK's batching is compiled once.
#[derive(Debug)]
pub(super) struct Driven {
    inner: SpanExporter,
    driver: Option<Driver>,
}

/// Sends one batch at a time and waits for it in place, so it belongs on a thread of its own.
struct Driver {
    timeout: Duration,
    last_failure: LastFailure,
    runtime: Runtime,
}

impl Driven {
    /// One that waits in its own client.
    pub(super) fn by_itself(inner: SpanExporter) -> Self {
        Self { inner, driver: None }
    }

    /// A client over gRPC that has not connected yet.
    ///
    /// # Errors
    /// The system has no descriptor left for a runtime, or a variable cannot be used.
    pub(super) fn over_grpc(export: Export, last_failure: LastFailure) -> Result<Self, ExporterBuildError> {
        let runtime = Builder::new_current_thread().enable_io().enable_time().build();
        let runtime = runtime.map_err(|error| ExporterBuildError::InternalFailure(error.to_string()))?;
        let entered = runtime.enter();
        let channel =
            Endpoint::from(export.endpoint).connect_with_connector_lazy(Connector::Unused(export.trust, export.proxy));
        let inner = SpanExporter::builder().with_tonic().with_channel(channel).with_timeout(export.timeout).build()?;
        drop(entered);
        Ok(Self { inner, driver: Some(Driver { timeout: export.timeout, last_failure, runtime }) })
    }
}

impl opentelemetry_sdk::trace::SpanExporter for Driven {
    async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
        // Boxed, so that it is compiled once for its two ways.
        let exporting: BoxFuture<'_> = Box::pin(self.inner.export(batch));
        match &self.driver {
            None => exporting.await,
            Some(driver) => driver.wait_for(exporting),
        }
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

type BoxFuture<'a> = Pin<Box<dyn Future<Output = OTelSdkResult> + Send + 'a>>;

impl Driver {
    fn wait_for(&self, exporting: BoxFuture<'_>) -> OTelSdkResult {
        let outcome = self.runtime.block_on(async {
            tokio::time::sleep(TO_HEAR).await;
            let late = |_| Err(OTelSdkError::Timeout(self.timeout));
            within(self.timeout, exporting).await.unwrap_or_else(late)
        });
        remember(&self.last_failure, outcome.as_ref().err().map(reason));
        outcome
    }
}

impl fmt::Debug for Driver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Driver").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

/// gRPC's code and the causes below it, without the SDK's own words around them.
fn reason(error: &OTelSdkError) -> String {
    match error {
        OTelSdkError::Timeout(_) => "no answer in time".to_owned(),
        _ => {
            let words = error.to_string();
            causes_in(words.split_once("gRPC code: ").map_or(words.as_str(), |(_, known)| known))
        }
    }
}

/// Our connections, with HTTP/2 on them. The roots are read for the first one: in the background, and only if needed.
enum Connector {
    Unused(Trust, Option<Intercept>),
    Ready(HttpsConnector<Way>),
    Broken,
}

impl Connector {
    fn made(&mut self, https: bool) -> Result<&mut HttpsConnector<Way>, HttpError> {
        if let Self::Unused(trust, proxy) = self {
            let (trust, proxy) = (std::mem::take(trust), proxy.take());
            *self = Self::Broken;
            let by_tls = proxy.as_ref().is_some_and(|proxy| proxy.uri().scheme_str() == Some("https"));
            let tls = trust.into_tls(https || by_tls)?;
            // HTTP/2 goes through no proxy but by a tunnel.
            let way = Way::by(proxy.as_ref(), true, &tls);
            let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http2();
            *self = Self::Ready(builder.wrap_connector(way));
        }
        let Self::Ready(connector) = self else { return Err("the client could not be set up".into()) };
        Ok(connector)
    }
}

impl Service<Uri> for Connector {
    type Response = MaybeHttpsStream<Line>;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, HttpError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HttpError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self.made(uri.scheme_str() == Some("https")) {
            Ok(connector) => connector.call(uri),
            Err(error) => Box::pin(ready(Err(error))),
        }
    }
}
