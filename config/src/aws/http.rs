//! The HTTP client under all AWS calls: rustls with ring, one pool of connections for each set of time-outs.
//!
//! The SDK's own client reads the machine's root certificates when it is built, used or not: a few milliseconds and
//! more than a megabyte. This one reads them with the first `https` request, so that a plain endpoint (an emulator,
//! the container and instance credential services) never pays for them.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;

/// An idle connection is closed before the other end does it (60 s is the usual time there): a request written to a
/// connection that is just being closed has an unknown outcome.
const IDLE: Duration = Duration::from_secs(50);

/// The client that all AWS clients of a process share.
pub(super) fn client() -> SharedHttpClient {
    SharedHttpClient::new(LazyTls::default())
}

#[derive(Debug, Default)]
struct LazyTls {
    connectors: Mutex<Vec<(HttpConnectorSettings, SharedHttpConnector)>>,
}

impl HttpClient for LazyTls {
    fn http_connector(&self, settings: &HttpConnectorSettings, _: &RuntimeComponents) -> SharedHttpConnector {
        let mut connectors = self.connectors.lock().unwrap_or_else(PoisonError::into_inner);
        let same = |other: &HttpConnectorSettings| {
            other.connect_timeout() == settings.connect_timeout() && other.read_timeout() == settings.read_timeout()
        };
        if let Some((_, connector)) = connectors.iter().find(|(other, _)| same(other)) {
            return connector.clone();
        }
        let connector = SharedHttpConnector::new(ByScheme::new(settings.clone()));
        connectors.push((settings.clone(), connector.clone()));
        connector
    }
}

#[derive(Debug)]
struct ByScheme {
    settings: HttpConnectorSettings,
    plain: OnceLock<Result<Connector, String>>,
    tls: OnceLock<Result<Connector, String>>,
}

impl ByScheme {
    fn new(settings: HttpConnectorSettings) -> Self {
        Self { settings, plain: OnceLock::new(), tls: OnceLock::new() }
    }

    fn connector(&self, trust: TrustStore) -> Result<Connector, String> {
        let context = TlsContext::builder().with_trust_store(trust).build().map_err(|error| error.to_string())?;
        Ok(Connector::builder()
            .connector_settings(self.settings.clone())
            .pool_idle_timeout(IDLE)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context)
            .build())
    }
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        let (slot, trust) = if request.uri().starts_with("https:") {
            (&self.tls, TrustStore::default())
        } else {
            (&self.plain, TrustStore::empty())
        };
        match slot.get_or_init(|| self.connector(trust)) {
            Ok(connector) => connector.call(request),
            Err(error) => HttpConnectorFuture::ready(Err(ConnectorError::user(error.clone().into()))),
        }
    }
}

#[cfg(test)]
mod tests {
    use aws_smithy_types::body::SdkBody;

    use super::*;

    async fn call(connector: &ByScheme, uri: &str) {
        let mut request = HttpRequest::new(SdkBody::empty());
        request.set_uri(uri).unwrap();
        connector.call(request).await.unwrap_err();
    }

    #[tokio::test]
    async fn root_certificates_are_read_for_the_first_https_request_and_not_before() {
        let nobody = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let connector = ByScheme::new(HttpConnectorSettings::default());
        call(&connector, &format!("http://{nobody}/")).await;
        assert!(connector.tls.get().is_none());
        call(&connector, &format!("https://{nobody}/")).await;
        assert!(connector.tls.get().is_some());
    }
}
