//! Where spans go, if they go anywhere.
//!
//! In flow the variables; out flows the collector's address and how to speak to it. A value that decides whether spans
//! arrive at all stops the start, so that nobody waits for spans that never come.

use std::time::Duration;

use http::Uri;
use hyper_util::client::proxy::matcher::{Intercept, Matcher};

use super::TelemetryError;
use super::trust::Trust;
use super::variables::{Variables, words};
use crate::proxies::{NoProxy, Proxies};

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";

/// How a collector is spoken to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Protocol {
    /// One POST a batch.
    HttpProtobuf,
    /// One call a batch, over HTTP/2.
    Grpc,
}

/// Where spans go.
#[derive(Debug)]
pub(super) struct Export {
    /// The full address: over http with `/v1/traces`.
    pub(super) endpoint: Uri,
    /// How to speak to it.
    pub(super) protocol: Protocol,
    /// How long one export may take, retries and all.
    pub(super) timeout: Duration,
    /// Whom to believe over https.
    pub(super) trust: Trust,
    /// The proxy on the way there. Its URL may hold a password.
    pub(super) proxy: Option<Intercept>,
    /// Characters of a span attribute that are kept.
    pub(super) longest_value: Option<usize>,
}

impl Export {
    /// `None` where export is off: nobody asked for it, or somebody asked for none.
    ///
    /// # Errors
    /// A variable without which spans would go nowhere cannot be used.
    pub(super) fn read(variables: &Variables<'_>) -> Result<Option<Self>, TelemetryError> {
        let disabled = variables.get("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let exporters = variables.get("OTEL_TRACES_EXPORTER").unwrap_or_default();
        let address = variables.first(&[TRACES_ENDPOINT, ENDPOINT]);
        let asked = address.is_some() || words(&exporters).any(|word| word == "otlp");
        if disabled || !asked || words(&exporters).any(|word| word == "none") {
            return Ok(None);
        }
        let protocol = ["OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"];
        let protocol = match variables.first(&protocol) {
            None => Protocol::HttpProtobuf,
            Some((variable, protocol)) => match protocol.trim() {
                "http/protobuf" => Protocol::HttpProtobuf,
                "grpc" => Protocol::Grpc,
                _ => return Err(TelemetryError::Protocol { variable }),
            },
        };
        let timeout = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
        let timeout = timeout.iter().find_map(|name| variables.number(name)).unwrap_or(10_000);
        let longest = ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"];
        let endpoint = endpoint(address, protocol)?;
        let proxies = Proxies::read(&|name| variables.get(name))
            .map_err(|NoProxy { variable }| TelemetryError::Proxy { variable })?;
        Ok(Some(Self {
            proxy: proxies.of(&endpoint).and_then(|proxy| Matcher::builder().all(proxy).build().intercept(&endpoint)),
            endpoint,
            protocol,
            timeout: Duration::from_millis(timeout),
            trust: Trust::read(variables)?,
            longest_value: longest.iter().find_map(|name| variables.number(name)?.try_into().ok()),
        }))
    }

    /// The address as it may be shown: without user, password and query.
    pub(super) fn shown_endpoint(&self) -> String {
        let authority = self.endpoint.authority().map_or("", http::uri::Authority::as_str);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{}://{host}{}", self.endpoint.scheme_str().unwrap_or_default(), self.endpoint.path())
    }
}

fn endpoint(address: Option<(&'static str, String)>, protocol: Protocol) -> Result<Uri, TelemetryError> {
    let (variable, address) = match (address, protocol) {
        (Some((variable, address)), Protocol::Grpc) => (variable, address.trim().to_owned()),
        (None, Protocol::Grpc) => (ENDPOINT, "http://localhost:4317".to_owned()),
        (Some((TRACES_ENDPOINT, address)), _) => (TRACES_ENDPOINT, address.trim().to_owned()),
        (Some((variable, base)), _) => (variable, with_traces_path(base.trim())),
        (None, _) => (ENDPOINT, "http://localhost:4318/v1/traces".to_owned()),
    };
    // What follows a `#` would be left out silently, and may be half of a key.
    if address.contains('#') {
        return Err(TelemetryError::Endpoint { variable });
    }
    let endpoint = address.parse::<Uri>().map_err(|_| TelemetryError::Endpoint { variable })?;
    if protocol == Protocol::Grpc && endpoint.query().is_some() {
        return Err(TelemetryError::Query { variable });
    }
    if !matches!(endpoint.scheme_str(), Some("http" | "https")) || endpoint.host().is_none_or(str::is_empty) {
        return Err(TelemetryError::Endpoint { variable });
    }
    Ok(endpoint)
}

/// The path for traces goes before the query, if there is one.
fn with_traces_path(base: &str) -> String {
    let (path, query) = base.split_once('?').map_or((base, None), |(path, query)| (path, Some(query)));
    let path = path.trim_end_matches('/');
    query.map_or_else(|| format!("{path}/v1/traces"), |query| format!("{path}/v1/traces?{query}"))
}

#[cfg(test)]
mod tests {
    use super::super::variables::tests::with;
    use super::*;

    fn export(set: &[(&str, &str)]) -> Result<Option<Export>, TelemetryError> {
        with(set, |variables| Export::read(&variables))
    }

    fn endpoint_of(set: &[(&str, &str)]) -> String {
        export(set).unwrap().unwrap().endpoint.to_string()
    }

    #[test]
    fn export_is_on_when_an_endpoint_or_the_exporter_asks_for_it_and_off_otherwise() {
        let endpoint = (ENDPOINT, "http://collector:4318");
        let traces_endpoint = (TRACES_ENDPOINT, "http://collector:4318/v1/traces");
        let metrics_endpoint = ("OTEL_EXPORTER_OTLP_METRICS_ENDPOINT", "http://collector:4318/v1/metrics");
        let exporter = |value| ("OTEL_TRACES_EXPORTER", value);
        let disabled = |value| ("OTEL_SDK_DISABLED", value);
        for (set, on) in [
            (vec![], false),
            (vec![endpoint], true),
            (vec![traces_endpoint], true),
            (vec![metrics_endpoint], false),
            (vec![(ENDPOINT, "")], false),
            (vec![exporter("otlp")], true),
            (vec![exporter("console, otlp")], true),
            (vec![exporter("console")], false),
            (vec![exporter("")], false),
            (vec![exporter("console"), endpoint], true),
            (vec![exporter("none"), endpoint, traces_endpoint], false),
            (vec![disabled("true"), endpoint, exporter("otlp")], false),
            (vec![disabled("TRUE"), endpoint], false),
            (vec![disabled("false"), endpoint], true),
            (vec![disabled("1"), endpoint], true),
        ] {
            assert_eq!(export(&set).unwrap().is_some(), on, "{set:?}");
        }
    }

    #[test]
    fn the_path_is_added_to_the_general_endpoint_only() {
        assert_eq!(endpoint_of(&[("OTEL_TRACES_EXPORTER", "otlp")]), "http://localhost:4318/v1/traces");
        assert_eq!(endpoint_of(&[(ENDPOINT, "https://c.example")]), "https://c.example/v1/traces");
        assert_eq!(endpoint_of(&[(ENDPOINT, "https://c.example/otlp/")]), "https://c.example/otlp/v1/traces");
        let both = [(ENDPOINT, "https://c.example"), (TRACES_ENDPOINT, "https://t.example/in?k=v")];
        assert_eq!(endpoint_of(&both), "https://t.example/in?k=v");
    }

    #[test]
    fn the_path_goes_before_a_query_and_what_would_be_left_out_silently_is_refused() {
        for (base, whole) in [
            ("https://c.example/?api-key=x", "https://c.example/v1/traces?api-key=x"),
            ("https://c.example?api-key=x/", "https://c.example/v1/traces?api-key=x/"),
            ("https://c.example/otlp/?a=1&b=%2F", "https://c.example/otlp/v1/traces?a=1&b=%2F"),
        ] {
            assert_eq!(endpoint_of(&[(ENDPOINT, base)]), whole);
        }
        let grpc = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        for set in [
            vec![(ENDPOINT, "https://c.example/#secret")],
            vec![(TRACES_ENDPOINT, "https://c.example/in#secret")],
            vec![(ENDPOINT, "https://c.example:4317/?k=secret"), grpc],
        ] {
            let error = export(&set).unwrap_err().to_string();
            assert!(error.starts_with(set[0].0) && !error.contains("secret"), "{error}");
        }
    }

    #[test]
    fn over_grpc_no_path_is_added() {
        let protocol = ("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc");
        assert_eq!(endpoint_of(&[("OTEL_TRACES_EXPORTER", "otlp"), protocol]), "http://localhost:4317/");
        assert_eq!(endpoint_of(&[(ENDPOINT, "https://c.example:4317"), protocol]), "https://c.example:4317/");
        assert_eq!(endpoint_of(&[(TRACES_ENDPOINT, "http://t.example:4317"), protocol]), "http://t.example:4317/");
    }

    #[test]
    fn an_endpoint_that_is_no_web_address_is_refused_by_the_name_of_its_variable() {
        for address in ["collector:4318", "collector", "grpc://collector:4317", "http://", "http://the collector"] {
            for variable in [ENDPOINT, TRACES_ENDPOINT] {
                let error = export(&[(variable, address)]).unwrap_err().to_string();
                assert!(error.starts_with(&format!("{variable}: must be a URL")), "{address}: {error}");
                assert!(!error.contains("collector"), "{error}");
            }
        }
    }

    #[test]
    fn a_protocol_that_is_not_built_in_is_refused_only_where_spans_are_exported() {
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
        for protocol in ["http/json", "HTTP", "gRPC"] {
            let general = ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
            let error = export(&[general, (ENDPOINT, "http://c:4317")]).unwrap_err().to_string();
            assert!(error.starts_with("OTEL_EXPORTER_OTLP_PROTOCOL: must be http/protobuf"), "{error}");
            assert!(export(&[general]).unwrap().is_none());
            assert!(export(&[general, traces, (ENDPOINT, "http://c:4318")]).unwrap().is_some());
        }
    }

    #[test]
    fn a_certificate_that_cannot_be_read_and_half_an_identity_are_refused() {
        for (variable, remedy) in [
            ("OTEL_EXPORTER_OTLP_CERTIFICATE", "cannot be read"),
            ("OTEL_EXPORTER_OTLP_TRACES_CERTIFICATE", "cannot be read"),
            ("OTEL_EXPORTER_OTLP_CLIENT_KEY", "set both or neither"),
        ] {
            let error = export(&[(ENDPOINT, "https://c"), (variable, "no/such/file.pem")]).unwrap_err().to_string();
            assert!(error.starts_with(variable) && error.contains(remedy), "{error}");
        }
    }

    #[test]
    fn the_timeout_is_in_milliseconds_and_the_one_for_traces_wins() {
        let timeout = |set: &[(&str, &str)]| {
            export(&[&[(ENDPOINT, "http://c")], set].concat()).unwrap().unwrap().timeout.as_millis()
        };
        let general = ("OTEL_EXPORTER_OTLP_TIMEOUT", "2500");
        assert_eq!(timeout(&[]), 10_000);
        assert_eq!(timeout(&[general]), 2500);
        assert_eq!(timeout(&[general, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "700")]), 700);
        assert_eq!(timeout(&[general, ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "soon")]), 2500);
    }

    #[test]
    fn the_address_is_shown_without_its_password_and_its_query() {
        let export = export(&[(TRACES_ENDPOINT, "https://me:secret@c.example:4318/in?token=t")]).unwrap().unwrap();
        assert_eq!(export.shown_endpoint(), "https://c.example:4318/in");
    }
}
