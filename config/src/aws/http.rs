//! The HTTP client under all AWS calls: rustls with ring, one pool of connections for each set of time-outs.
//!
//! The SDK's own client reads the machine's root certificates when it is built, used or not: a few milliseconds and
//! more than a megabyte. This one reads them with the first `https` request, so that a plain endpoint (an emulator,
//! the container and instance credential services) never pays for them.

use std::sync::{Mutex, OnceLock, PoisonError};
use std::time::Duration;

use aws_smithy_http_client::Connector;
use aws_smithy_http_client::proxy::ProxyConfig;
use aws_smithy_http_client::tls::rustls_provider::CryptoMode;
use aws_smithy_http_client::tls::{Provider, TlsContext, TrustStore};
use aws_smithy_runtime_api::client::http::{
    HttpClient, HttpConnector, HttpConnectorFuture, HttpConnectorSettings, SharedHttpClient, SharedHttpConnector,
};
use aws_smithy_runtime_api::client::orchestrator::HttpRequest;
use aws_smithy_runtime_api::client::result::ConnectorError;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use http::Uri;

use crate::foreign::OwnWords;
use crate::proxies::Proxies;

/// An idle connection is closed before the other end does it (60 s is the usual time there): a request written to a
/// connection that is just being closed has an unknown outcome.
const IDLE: Duration = Duration::from_secs(50);

/// The client that all AWS clients of a process share: through these proxies, and trusting these certificates.
pub(super) fn client(proxies: Proxies, trust: TrustStore) -> SharedHttpClient {
    SharedHttpClient::new(LazyTls { way: Way { proxies, trust }, connectors: Mutex::default() })
}

/// How hosts are reached.
#[derive(Clone, Debug)]
struct Way {
    proxies: Proxies,
    trust: TrustStore,
}

#[derive(Debug)]
struct LazyTls {
    way: Way,
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
        let connector = SharedHttpConnector::new(ByScheme::new(self.way.clone(), settings.clone()));
        connectors.push((settings.clone(), connector.clone()));
        connector
    }
}

type Made = OnceLock<Result<Connector, String>>;

/// One connector for each way: the pool of each has connections of one kind only.
#[derive(Debug)]
struct ByScheme {
    way: Way,
    settings: HttpConnectorSettings,
    plain: Made,
    tls: Made,
    plain_by_proxy: Made,
    tls_by_proxy: Made,
}

impl ByScheme {
    fn new(way: Way, settings: HttpConnectorSettings) -> Self {
        let made = OnceLock::new;
        Self { way, settings, plain: made(), tls: made(), plain_by_proxy: made(), tls_by_proxy: made() }
    }

    fn connector(&self, needs_trust: bool, proxy: ProxyConfig) -> Result<Connector, String> {
        let trust = if needs_trust { self.way.trust.clone() } else { TrustStore::empty() };
        let context = TlsContext::builder()
            .with_trust_store(trust)
            .build()
            .map_err(|_| "TLS cannot be set up with the certificates that are trusted".to_owned())?;
        Ok(Connector::builder()
            .connector_settings(self.settings.clone())
            .pool_idle_timeout(IDLE)
            .proxy_config(proxy)
            .tls_provider(Provider::Rustls(CryptoMode::Ring))
            .tls_context(context)
            .build())
    }

    /// The connector for a request to that URI.
    fn of(&self, uri: &str) -> &Result<Connector, String> {
        let https = uri.starts_with("https:");
        let parsed = uri.parse::<Uri>().ok();
        let proxy = parsed.as_ref().and_then(|uri| self.way.proxies.of(uri));
        let slot = match (https, proxy) {
            (false, None) => &self.plain,
            (true, None) => &self.tls,
            (false, Some(_)) => &self.plain_by_proxy,
            (true, Some(_)) => &self.tls_by_proxy,
        };
        slot.get_or_init(|| {
            let Some(proxy) = proxy else { return self.connector(https, ProxyConfig::disabled()) };
            let config = if https { ProxyConfig::https(proxy) } else { ProxyConfig::http(proxy) };
            // Its own words may repeat the URL, and with it a password.
            let config = config.map_err(|_| "the proxy cannot be used".to_owned())?;
            self.connector(https || proxy.starts_with("https:"), config)
        })
    }
}

impl HttpConnector for ByScheme {
    fn call(&self, request: HttpRequest) -> HttpConnectorFuture {
        match self.of(request.uri()) {
            Ok(connector) => connector.call(request),
            Err(error) => HttpConnectorFuture::ready(Err(ConnectorError::user(OwnWords(error.clone()).into()))),
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
        let connector = ByScheme::new(
            Way { proxies: Proxies::default(), trust: TrustStore::default() },
            HttpConnectorSettings::default(),
        );
        call(&connector, &format!("http://{nobody}/")).await;
        assert!(connector.tls.get().is_none());
        call(&connector, &format!("https://{nobody}/")).await;
        assert!(connector.tls.get().is_some());
    }
}
