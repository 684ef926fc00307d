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
use http::header::{DATE, PROXY_AUTHORIZATION, RETRY_AFTER};
use http::{Request, Response};
use http_body_util::{BodyExt, Full, Limited};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::proxy::matcher::Intercept;
use hyper_util::rt::TokioExecutor;
use opentelemetry_http::{HttpClient, HttpError};
use opentelemetry_proto::tonic::collector::trace::v1::ExportTraceServiceResponse;
use prost::Message;
use tokio::runtime::{Builder, Runtime};
use tokio::time::Instant;
use tracing::{info, warn};

use super::repeated::Repeated;
use super::trust::Trust;
use super::way::{self, Way};
use crate::foreign::{OwnWords, causes};
use crate::running::within;

/// An answer says how many spans were refused, and why: longer ones are not read.
const LONGEST_ANSWER: usize = 64 * 1024;

/// How long a collector that asks to wait is left alone, at least and at most.
const SHORTEST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);

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
    proxy: Option<Intercept>,
    /// Until when the collector asked to be left alone.
    held: Mutex<Option<Instant>>,
    in_part: Repeated,
}

/// Set up at the first request: in the background, and never in a program that ends before it has a span.
enum Line {
    Unused(Trust),
    Ready(Runtime, Box<Client<HttpsConnector<Way>, Full<Bytes>>>),
    Broken,
}

impl Collector {
    /// A client that gives each request `timeout`.
    pub(super) fn new(timeout: Duration, trust: Trust, proxy: Option<Intercept>, last_failure: LastFailure) -> Self {
        let (line, held) = (Mutex::new(Line::Unused(trust)), Mutex::default());
        Self { timeout, last_failure, line, proxy, held, in_part: Repeated::new() }
    }

    fn send(&self, mut request: Request<Bytes>) -> Result<Response<Bytes>, HttpError> {
        let mut line = self.line.lock().unwrap_or_else(PoisonError::into_inner);
        if let Line::Unused(trust) = &mut *line {
            let trust = std::mem::take(trust);
            *line = Line::Broken;
            *line = connect(trust, self.proxy.as_ref(), request.uri().scheme_str() == Some("https"))?;
        }
        if let Some(password) = way::password(self.proxy.as_ref(), request.uri()) {
            request.headers_mut().insert(PROXY_AUTHORIZATION, password);
        }
        let Line::Ready(runtime, client) = &*line else {
            return Err(OwnWords("the client could not be set up".to_owned()).into());
        };
        runtime.block_on(async {
            tokio::time::sleep(TO_HEAR).await;
            if self.held().is_some_and(|until| Instant::now() < until) {
                return Err("the collector asked to wait (Retry-After)".into());
            }
            let deadline = Instant::now() + self.timeout;
            let exchange = async {
                loop {
                    let (head, body) = client.request(request.clone().map(Full::new)).await?.into_parts();
                    let body = Limited::new(body, LONGEST_ANSWER).collect().await?.to_bytes();
                    let answer = Response::from_parts(head, body);
                    let Some(wait) = retry_after(&answer) else { return Ok(answer) };
                    let until = Instant::now() + wait;
                    if until >= deadline {
                        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = Some(until);
                        return Ok(answer);
                    }
                    tokio::time::sleep_until(until).await;
                }
            };
            within(self.timeout, exchange).await.unwrap_or_else(|_| Err("no answer in time".into()))
        })
    }

    fn held(&self) -> Option<Instant> {
        *self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Spans that the collector took the request for and left out. Its reason is foreign text.
    fn tell_of_rejected(&self, answer: &Response<Bytes>) {
        let read = ExportTraceServiceResponse::decode(answer.body().clone()).ok();
        let partial = read.and_then(|read| read.partial_success).filter(|partial| *partial != Default::default());
        match partial {
            Some(partial) => {
                if let Some(times) = self.in_part.met() {
                    let rejected = partial.rejected_spans;
                    warn!(
                        rejected,
                        times, "the collector took spans only in part or with a warning; its log has the reason"
                    );
                }
            }
            None => {
                if let Some(times) = self.in_part.over() {
                    info!(times, "the collector takes all spans again");
                }
            }
        }
    }
}

/// How long a collector that is overloaded asks to wait, bounded; `None` if it does not ask.
fn retry_after(answer: &Response<Bytes>) -> Option<Duration> {
    if !matches!(answer.status().as_u16(), 429 | 502 | 503 | 504) {
        return None;
    }
    let text = |name| answer.headers().get(name)?.to_str().ok().map(str::trim);
    let asked = text(RETRY_AFTER)?;
    let seconds = asked.parse().map(Duration::from_secs).ok();
    // A time is told by the collector's clock, and compared with no other.
    let date =
        || httpdate::parse_http_date(asked).ok()?.duration_since(httpdate::parse_http_date(text(DATE)?).ok()?).ok();
    Some(seconds.or_else(date)?.clamp(SHORTEST_WAIT, LONGEST_WAIT))
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
        if let Ok(answer) = &answer
            && answer.status().is_success()
        {
            self.tell_of_rejected(answer);
        }
        remember(&self.last_failure, failure);
        Box::pin(ready(answer))
    }
}

impl fmt::Debug for Collector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Collector").field("timeout", &self.timeout).finish_non_exhaustive()
    }
}

fn connect(trust: Trust, proxy: Option<&Intercept>, https: bool) -> io::Result<Line> {
    let runtime = Builder::new_current_thread().enable_io().enable_time().build()?;
    let by_tls = proxy.is_some_and(|proxy| proxy.uri().scheme_str() == Some("https"));
    let tls = trust.into_tls(https || by_tls)?;
    let way = Way::by(proxy, https, &tls);
    let builder = HttpsConnectorBuilder::new().with_tls_config(tls).https_or_http().enable_http1();
    let connector = builder.wrap_connector(way);
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
        let collector = Collector::new(Duration::from_secs(5), Trust::default(), None, LastFailure::default());
        for _ in 0..20 {
            let request = Request::post(&url).body(Bytes::new()).unwrap();
            assert_eq!(collector.send(request).unwrap().status(), 200);
            was_closed.recv().unwrap();
        }
        server.join().unwrap();
    }

    #[test]
    fn a_wait_that_is_asked_for_is_read_in_both_forms_and_bounded() {
        let asked = |status, after: &str| {
            let answer = Response::builder().status(status).header(RETRY_AFTER, after);
            let answer = answer.header(DATE, "Sun, 06 Nov 1994 08:49:37 GMT").body(Bytes::new()).unwrap();
            retry_after(&answer).map(|wait| wait.as_secs())
        };
        for (status, after, wait) in [
            (503, "7", Some(7)),
            (429, "0", Some(1)),
            (503, "18446744073709551615", Some(300)),
            (503, "Sun, 06 Nov 1994 08:50:37 GMT", Some(60)),
            (503, "Sun, 06 Nov 1994 08:48:37 GMT", None),
            (503, "-1", None),
            (503, "soon", None),
            (200, "7", None),
            (401, "7", None),
        ] {
            assert_eq!(asked(status, after), wait, "{status} {after}");
        }
    }
}
