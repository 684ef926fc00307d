//! The span of a request, by OpenTelemetry's semantic conventions for HTTP servers.
//!
//! In flow a request and its answer; out flows one SERVER span. The rule: the path is the route's template and there
//! is no query, since both can hold a phone number.

use http::{HeaderMap, Method, Request, StatusCode, Version};
use tracing::Span;
use tracing::field::Empty;

use super::listener::Local;

/// The span of a request to that route, if there is one.
pub(super) fn span<B>(request: &Request<B>, route: Option<&'static str>, local: &Local) -> Span {
    let method = method(request.method());
    let span = tracing::info_span!(
        target: "sms_agent::trace",
        "request",
        otel.name = Empty,
        otel.kind = "server",
        otel.status_code = Empty,
        http.request.method = method,
        http.route = route,
        http.response.status_code = Empty,
        url.scheme = "http",
        url.path = route,
        server.address = local.address.as_str(),
        server.port = local.port.map(i64::from),
        network.protocol.version = version(request.version()),
        "error.type" = Empty,
    );
    sms_config::trace::set_remote_parent(&span, request.headers());
    if !span.is_disabled() {
        match route {
            Some(route) => span.record("otel.name", format!("{method} {route}")),
            None => span.record("otel.name", method),
        };
    }
    span
}

/// Writes down how it was answered. What the caller did wrong is no error of the server's.
pub(super) fn finish(span: &Span, status: StatusCode) {
    span.record("http.response.status_code", i64::from(status.as_u16()));
    if status.is_server_error() {
        span.record("error.type", status.as_str());
        span.record("otel.status_code", "ERROR");
    }
}

/// What a publish that happens later is linked to: the span of this request, or the caller's own where spans are not
/// exported. In the form of the header `traceparent` (W3C Trace Context).
pub(super) fn to_link(headers: &HeaderMap) -> Option<String> {
    if let Some(ours) = sms_config::trace::traceparent(&Span::current()) {
        return Some(ours);
    }
    let mut given = headers.get_all("traceparent").iter();
    let (Some(value), None) = (given.next(), given.next()) else { return None };
    value.to_str().ok().filter(|value| is_traceparent(value)).map(str::to_owned)
}

/// Version 00 of the header: nothing else is stored, however it is meant.
fn is_traceparent(value: &str) -> bool {
    let mut parts = value.split('-');
    let mut part = |length: usize| {
        let hexadecimal = |byte: u8| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        parts.next().is_some_and(|part| part.len() == length && part.bytes().all(hexadecimal))
    };
    value.starts_with("00-") && part(2) && part(32) && part(16) && part(2) && parts.next().is_none()
}

/// The method's name, if it is one that is known: a caller can make up others and write anything into them.
pub(super) fn method(method: &Method) -> &'static str {
    match *method {
        Method::GET => "GET",
        Method::HEAD => "HEAD",
        Method::POST => "POST",
        Method::PUT => "PUT",
        Method::DELETE => "DELETE",
        Method::PATCH => "PATCH",
        Method::OPTIONS => "OPTIONS",
        Method::CONNECT => "CONNECT",
        Method::TRACE => "TRACE",
        _ => "_OTHER",
    }
}

fn version(version: Version) -> &'static str {
    match version {
        Version::HTTP_2 => "2",
        Version::HTTP_10 => "1.0",
        _ => "1.1",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn linked(values: &[&str]) -> Option<String> {
        let name = http::HeaderName::from_static("traceparent");
        to_link(&values.iter().map(|value| (name.clone(), value.parse().unwrap())).collect())
    }

    #[test]
    fn without_spans_of_ours_the_callers_own_is_linked_to() {
        let given = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";
        assert_eq!(linked(&[given]).as_deref(), Some(given));
        assert_eq!(linked(&[]), None);
    }

    #[test]
    fn what_is_no_traceparent_is_not_stored() {
        for bad in [
            "",
            "+12065550100",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-x-y-z",
            "00-0AF7651916CD43DD8448EB211C80319C-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-x",
        ] {
            assert_eq!(linked(&[bad]), None, "{bad}");
        }
    }
}
