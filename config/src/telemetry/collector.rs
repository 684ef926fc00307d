//! The way to the collector: a small HTTP/1.1 client with a runtime of its own.
//!
//! In flow encoded batches, on the plain thread that the SDK exports from; out flow the collector's answers. It never
//! runs on the program's runtime: that one may have a single thread, which at the end waits for the last batch.

use std::fmt;
use std::future::ready;
use std::io;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use tokio::runtime::{Builder, Runtime};

use super::trust::Trust;
use crate::foreign::{OwnWords, causes};

/// An answer says how many spans were refused, and why: longer ones are not read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// Between two requests nobody drives the runtime, so it hears only now that a connection was closed meanwhile.
pub(super) const TO_HEAR: Duration = Duration::from_millis(1);

/// Why the last request failed, for the one who writes the log: the SDK keeps only that it did.
pub(super) type LastFailure = Arc<Mutex<Option<String>>>;

/// Writes down why the last request failed, or that it did not.
pub(super) fn remember(last_failure: &LastFailure, failure: Option<String>) {
    *last_failure.lock().unwrap_or_else(PoisonError::into_inner) = failure;
}

/// Sends one request at a time and waits for it in place, so it belongs on a thread of its own.
pub(super) struct Collector {
    timeout: Duration,
    last_failure: LastFailure,
    line: Mutex<Line>,
}

/// Set up at the first request: in the background, and never in a program that ends before it has a span.
enum Line {
    Unused(Trust),
    Ready(Runtime, Box<Client<HttpsConnector<HttpConnector>, Full<Bytes>>>),
    Broken,
}

impl Collector {
    /// A client that gives each request `timeout`.
    pub(super) fn new(timeout: Duration, trust: Trust, last_failure: LastFailure) -> Self {
        Self { timeout, last_failure, line: Mutex::new(Line::Unused(trust)) }
    }

    fn send(&self, request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if let Line::Unused(trust) = &mut *line {
            let trust = std::mem::take(trust);
            *line = Line::Broken;
            *line = connect(trust, request.uri().scheme_str() == Some("https"))?;
        }
        let Line::Ready(runtime, client) = &*line else {
            return Err(OwnWords("the client could not be set up".to_owned()).into());
        };
        runtime.block_on(async {
            tokio::time::sleep(TO_HEAR).await;
            let exchange = async {
                let (head, body) = client.request(request.map(Full::new)).await?.into_parts();
                let body = Limited::new(body, LONGEST_ANSWER).collect().await?.to_bytes();
                Ok(Response::from_parts(head, body))
            };
            tokio::time::timeout(self.timeout, exchange)
                .await
                .unwrap_or_else(|_| Err(OwnWords("no answer in time".to_owned()).into()))
        })
    }
}

impl HttpClient for Collector {
    fn send_bytes<'a, 'b>(
        &'a self,
        request: Request<Bytes>,
    ) -> Pin<Box<dyn Future<Output = Result<Response<Bytes>, HttpError>> + Send + 'b>>
    where
        'a: 'b,
        Self: 'b,
    {
        let answer = self.send(request);
        let failure = match &answer {
            Err(error) => Some(causes(&**error)),
            Ok(answer) => (!answer.status().is_success()).then(|| format!("it answers {}", answer.status())),
        };
        remember(&self.last_failure, failure);
        Box::pin(ready(answer))
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

fn connect(trust: Trust, https: bool) -> io::Result<Line> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let connector =
        HttpsConnectorBuilder::new().with_tls_config(trust.into_tls(https)?).https_or_http().enable_http1().build();
    Ok(Line::Ready(runtime, Box::new(Client::builder(TokioExecutor::new()).build(connector))))
}

#[cfg(test)]
mod tests {
    use std::io::{BufRead, BufReader, Write};
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_connection_that_the_collector_closed_meanwhile_is_made_anew() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/v1/traces", listener.local_addr().unwrap());
        let (closed, was_closed) = std::sync::mpsc::channel();
        let server = std::thread::spawn(move || {
            for stream in listener.incoming().take(20) {
                let mut stream = stream.unwrap();
                let head = BufReader::new(stream.try_clone().unwrap()).lines().map(Result::unwrap);
                assert!(head.take_while(|line| !line.is_empty()).count() > 1);
                stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n").unwrap();
                drop(stream);
                closed.send(()).unwrap();
            }
        });
        let collector = Collector::new(Duration::from_secs(5), Trust::default(), LastFailure::default());
        for _ in 0..20 {
            let request = Request::post(&url).body(Bytes::new()).unwrap();
            assert_eq!(collector.send(request).unwrap().status(), 200);
            was_closed.recv().unwrap();
        }
        server.join().unwrap();
    }
}
