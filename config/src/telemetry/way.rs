//! Connections to the collector: directly, or by way of a proxy.
//!
//! In flows the address of the collector; out flows a connection, under TLS or not. Through a proxy, an `https` collector and
//! one over gRPC are reached by a tunnel (`CONNECT`), and a plain one by asking the proxy for it, as curl does.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};

use http::{HeaderValue, Uri};
use hyper::rt::{Read, ReadBufCursor, Write};
use hyper_rustls::{HttpsConnector, MaybeHttpsStream};
use hyper_util::client::legacy::connect::proxy::Tunnel;
use hyper_util::client::legacy::connect::{Connected, Connection, HttpConnector};
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioIo;
use opentelemetry_http::HttpError;
use rustls::ClientConfig;
use tokio::net::TcpStream;
use tonic::codegen::Service;

/// How the collector is reached, below its own TLS.
#[derive(Clone, Debug)]
pub(super) enum Way {
    /// Without a proxy.
    Direct(HttpConnector),
    /// Through a tunnel.
    Tunnel(Tunnel<HttpsConnector<HttpConnector>>),
    /// By a proxy that is asked for the collector.
    Proxy(Uri, HttpsConnector<HttpConnector>),
}

impl Way {
    /// By `proxy`, if there is one, which is believed by the same certificates; `tunnels` if it is not to see requests.
    pub(super) fn by(proxy: Option<&Intercept>, tunnels: bool, tls: &ClientConfig) -> Self {
        let mut http = HttpConnector::new();
        // Which scheme it is, is seen above.
        http.enforce_http(false);
        let Some(proxy) = proxy else { return Self::Direct(http) };
        let to_proxy = HttpsConnector::from((http, tls.clone()));
        if !tunnels {
            return Self::Proxy(proxy.uri().clone(), to_proxy);
        }
        let tunnel = Tunnel::new(proxy.uri().clone(), to_proxy);
        Self::Tunnel(match proxy.basic_auth() {
            Some(password) => tunnel.with_auth(password.clone()),
            None => tunnel,
        })
    }
}

/// What a request to a plain collector carries for its proxy.
pub(super) fn password(proxy: Option<&Intercept>, uri: &Uri) -> Option<HeaderValue> {
    proxy.filter(|_| uri.scheme_str() != Some("https"))?.basic_auth().cloned()
}

impl Service<Uri> for Way {
    type Response = Line;
    type Error = HttpError;
    type Future = Pin<Box<dyn Future<Output = Result<Line, HttpError>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<Result<(), HttpError>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        match self {
            Self::Direct(http) => {
                let connecting = http.call(uri);
                Box::pin(
                    async move { Ok(Line { inner: MaybeHttpsStream::Http(connecting.await?), is_proxied: false }) },
                )
            }
            Self::Tunnel(tunnel) => {
                let connecting = tunnel.call(uri);
                Box::pin(async move { Ok(Line { inner: connecting.await?, is_proxied: false }) })
            }
            Self::Proxy(proxy, to_proxy) => {
                let connecting = to_proxy.call(proxy.clone());
                Box::pin(async move { Ok(Line { inner: connecting.await?, is_proxied: true }) })
            }
        }
    }
}

/// A connection that knows whether its other end is a proxy.
#[derive(Debug)]
pub(super) struct Line {
    inner: MaybeHttpsStream<TokioIo<TcpStream>>,
    is_proxied: bool,
}

impl Connection for Line {
    fn connected(&self) -> Connected {
        self.inner.connected().proxy(self.is_proxied)
    }
}

impl Read for Line {
    fn poll_read(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: ReadBufCursor<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_read(cx, buf)
    }
}

impl Write for Line {
    fn poll_write(mut self: Pin<&mut Self>, cx: &mut Context<'_>, buf: &[u8]) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.inner).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.inner).poll_shutdown(cx)
    }
}
