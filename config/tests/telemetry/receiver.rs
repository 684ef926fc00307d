//! The collector's end, over HTTP and over gRPC: hyper's server, and OpenTelemetry's own decoder of what came.

use std::convert::Infallible;
use std::io::Read;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{Receiver as Channel, Sender, channel};
use std::time::Duration;

use bytes::Bytes;
use flate2::read::GzDecoder;
use http::{HeaderMap, Response, StatusCode};
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceRequest;
use opentelemetry_proto::tonic::common::v1::any_value::Value;
use opentelemetry_proto::tonic::trace::v1::Span;
use prost::Message;
use tokio::net::TcpListener;
use tokio::runtime::Runtime;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::pki_types::PrivateKeyDer;
use tokio_rustls::rustls::server::WebPkiClientVerifier;
use tokio_rustls::rustls::{RootCertStore, ServerConfig};

/// What it answers.
#[derive(Clone, Copy)]
pub(crate) enum Reply {
    Taken,
    Unauthorized,
    Never,
}

/// One that listens until it is dropped.
pub(crate) struct Receiver {
    scheme: &'static str,
    address: SocketAddr,
    folder: Option<PathBuf>,
    requests: Channel<Request>,
    _runtime: Runtime,
}

/// One export, decoded.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) path: String,
    headers: HeaderMap,
    /// Whether the client showed a certificate.
    pub(crate) known: bool,
    body: ExportTraceServiceRequest,
}

impl Receiver {
    pub(crate) fn http(reply: Reply) -> Self {
        Self::listen("http", reply, None, None)
    }

    /// With a certificate that it signed itself, and that it takes from clients too.
    pub(crate) fn https(reply: Reply) -> Self {
        let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("collector-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("certificate.pem"), made.cert.pem()).unwrap();
        std::fs::write(folder.join("key.pem"), made.signing_key.serialize_pem()).unwrap();
        let key = PrivateKeyDer::try_from(made.signing_key.serialize_der()).unwrap();
        let mut known = RootCertStore::empty();
        known.add(made.cert.der().clone()).unwrap();
        let clients = WebPkiClientVerifier::builder(Arc::new(known)).allow_unauthenticated().build().unwrap();
        let tls = ServerConfig::builder().with_client_cert_verifier(clients);
        let mut tls = tls.with_single_cert(vec![made.cert.der().clone()], key).unwrap();
        tls.alpn_protocols = vec![b"h2".to_vec(), b"http/1.1".to_vec()];
        Self::listen("https", reply, Some(folder), Some(TlsAcceptor::from(Arc::new(tls))))
    }

    pub(crate) fn url(&self) -> String {
        format!("{}://localhost:{}", self.scheme, self.address.port())
    }

    /// The path of its certificate or of the key to it.
    pub(crate) fn file(&self, name: &str) -> String {
        self.folder.as_deref().unwrap().join(name).display().to_string()
    }

    pub(crate) fn next(&self) -> Request {
        self.requests.recv_timeout(Duration::from_secs(20)).expect("an export")
    }

    /// To be asked when the program that might have sent something has ended.
    pub(crate) fn is_idle(&self) -> bool {
        self.requests.try_recv().is_err()
    }

    fn listen(scheme: &'static str, reply: Reply, folder: Option<PathBuf>, tls: Option<TlsAcceptor>) -> Self {
        let runtime = Runtime::new().unwrap();
        let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = listener.local_addr().unwrap();
        let (sender, requests) = channel();
        runtime.spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                let (sender, tls) = (sender.clone(), tls.clone());
                let service = move |known| service_fn(move |request| answer(request, sender.clone(), reply, known));
                tokio::spawn(async move {
                    let Some(tls) = tls else {
                        return Builder::new(TokioExecutor::new())
                            .serve_connection(TokioIo::new(stream), service(false))
                            .await
                            .ok();
                    };
                    let stream = tls.accept(stream).await.ok()?;
                    let known = stream.get_ref().1.peer_certificates().is_some();
                    Builder::new(TokioExecutor::new()).serve_connection(TokioIo::new(stream), service(known)).await.ok()
                });
            }
        });
        Self { scheme, address, folder, requests, _runtime: runtime }
    }
}

async fn answer(
    request: http::Request<Incoming>,
    sender: Sender<Request>,
    reply: Reply,
    known: bool,
) -> Result<Response<UnsyncBoxBody<Bytes, Infallible>>, Infallible> {
    let (head, body) = request.into_parts();
    let body = body.collect().await.unwrap().to_bytes();
    let grpc = head.headers.get("content-type").is_some_and(|kind| kind == "application/grpc");
    // A message of gRPC has five bytes before it: not compressed, and its length.
    let body = if grpc { body.slice(5..) } else { body };
    let body = match head.headers.get("content-encoding") {
        None => body.to_vec(),
        Some(_) => {
            let mut plain = Vec::new();
            GzDecoder::new(&*body).read_to_end(&mut plain).unwrap();
            plain
        }
    };
    let body = ExportTraceServiceRequest::decode(&*body).unwrap();
    sender.send(Request { path: head.uri.path().to_owned(), headers: head.headers, known, body }).ok();
    if let Reply::Never = reply {
        std::future::pending::<()>().await;
    }
    let status = if let Reply::Taken = reply { StatusCode::OK } else { StatusCode::UNAUTHORIZED };
    if grpc {
        let nothing = Full::new(Bytes::from_static(&[0; 5]));
        let trailers = HeaderMap::from_iter([("grpc-status".parse().unwrap(), "0".parse().unwrap())]);
        let body = nothing.with_trailers(std::future::ready(Some(Ok(trailers)))).boxed_unsync();
        return Ok(Response::builder().header("content-type", "application/grpc").body(body).unwrap());
    }
    Ok(Response::builder().status(status).body(Full::default().boxed_unsync()).unwrap())
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)?.to_str().ok()
    }

    pub(crate) fn resource(&self, key: &str) -> Option<&str> {
        let attributes = &self.body.resource_spans[0].resource.as_ref()?.attributes;
        let found = attributes.iter().find(|attribute| attribute.key == key)?;
        match found.value.as_ref()?.value.as_ref()? {
            Value::StringValue(value) => Some(value),
            _ => None,
        }
    }

    pub(crate) fn spans(&self) -> impl Iterator<Item = &Span> {
        self.body.resource_spans.iter().flat_map(|one| &one.scope_spans).flat_map(|one| &one.spans)
    }
}
