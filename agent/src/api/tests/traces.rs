//! What the spans and the log say of a request, and what they never say.

use std::io;

use tracing::Level;
use tracing_subscriber::fmt::format::FmtSpan;

use super::*;

/// What was logged, spans included.
#[derive(Clone, Default)]
struct Log(Arc<Mutex<Vec<u8>>>);

impl io::Write for Log {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

struct Listening {
    _first: tracing::subscriber::DefaultGuard,
    _second: tracing::Dispatch,
}

impl Log {
    fn take(&self) -> String {
        String::from_utf8(std::mem::take(&mut *self.0.lock().unwrap())).unwrap()
    }

    /// Logs everything that this thread says, until what this returns is dropped.
    fn listen(&self) -> Listening {
        // As long as tracing knows of one subscriber only, another test's thread, which has none, decides for all
        // threads that a span it enters first is of no interest.
        let second = tracing::Dispatch::new(tracing_subscriber::registry());
        let log = self.clone();
        let first = tracing::subscriber::set_default(
            tracing_subscriber::fmt()
                .with_max_level(Level::TRACE)
                .with_ansi(false)
                .with_span_events(FmtSpan::CLOSE)
                .with_writer(move || log.clone())
                .finish(),
        );
        Listening { _first: first, _second: second }
    }
}

#[tokio::test]
async fn the_span_of_a_request_follows_the_conventions_for_http_servers() {
    let log = Log::default();
    let _listening = log.listen();
    let house = House::open();
    house.get(&format!("/v1/messages/{}", message().id)).await;
    let said = log.take();
    for attribute in [
        r#"otel.name="GET /v1/messages/{id}""#,
        r#"otel.kind="server""#,
        r#"http.request.method="GET""#,
        r#"http.route="/v1/messages/{id}""#,
        "http.response.status_code=200",
        r#"url.scheme="http""#,
        r#"url.path="/v1/messages/{id}""#,
        r#"server.address="127.0.0.1""#,
        &format!("server.port={}", house.port),
        r#"network.protocol.version="1.1""#,
    ] {
        assert!(said.contains(attribute), "{attribute} is missing in {said}");
    }
    assert!(!said.contains("error.type"), "{said}");
    *house.room.missing.lock().unwrap() = Some(Problem::new(Code::CarrierUnavailable, ""));
    house.get("/readyz").await;
    let said = log.take();
    assert!(said.contains(r#"error.type="503""#) && said.contains("WARN"), "{said}");
}

#[tokio::test]
async fn no_number_text_token_or_key_is_in_any_line_or_span() {
    let log = Log::default();
    let _listening = log.listen();
    let house = House::with(Some("t0ken-of-this-house"), true);
    let headers = "Authorization: Bearer t0ken-of-this-house\r\nIdempotency-Key: key-of-this-send\r\n";
    let body = r#"{"to":"+12065550100","body":"the very words"}"#;
    assert_eq!(house.post(headers, body).await.status, 200);
    assert_eq!(
        house.post(headers, r#"{"to":"+12065550100","body":"the very words","+12065550100":1}"#).await.status,
        400
    );
    for start in [
        "GET /v1/opt-outs/+12065550100",
        "GET /v1/simulator/messages?to=%2B12065550100",
        "GET /+12065550100?+12065550100",
        "12065550100 /healthz",
    ] {
        house.ask(&format!("{start} HTTP/1.1\r\nHost: +12065550100\r\n{headers}\r\n")).await;
    }
    let said = log.take();
    assert!(said.matches("answered").count() >= 6, "{said}");
    for secret in ["2065550100", "very words", "t0ken", "key-of"] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}
