//! What the standard `OTEL_*` variables ask for, as far as the SDK does not read them itself.
//!
//! In flow variables by name; out flows where spans go, or that they go nowhere. A value that decides whether spans
//! arrive at all stops the start; any other that cannot be used is named and left out, as the standard wants it
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>). The SDK's crates read
//! `OTEL_EXPORTER_OTLP_HEADERS`, `…_COMPRESSION`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`, the counts of `OTEL_SPAN_*` and
//! `OTEL_RESOURCE_ATTRIBUTES`, and are silent about what they do not understand; that is checked here.

use std::time::Duration;

use http::Uri;

use super::TelemetryError;
use super::trust::Trust;

const ENDPOINT: &str = "OTEL_EXPORTER_OTLP_ENDPOINT";
const TRACES_ENDPOINT: &str = "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT";
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];
const WHOLE_NUMBERS: [&str; 9] = [
    "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT",
    "OTEL_EXPORTER_OTLP_TIMEOUT",
    "OTEL_BSP_SCHEDULE_DELAY",
    "OTEL_BSP_MAX_QUEUE_SIZE",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
    "OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT",
    "OTEL_SPAN_EVENT_COUNT_LIMIT",
    "OTEL_SPAN_LINK_COUNT_LIMIT",
    "OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT",
];

/// The environment; an empty variable counts as not set, as the standard has it.
pub(super) struct Variables<'a>(pub(super) &'a dyn Fn(&str) -> Option<String>);

impl Variables<'_> {
    /// The value of one variable.
    pub(super) fn get(&self, name: &str) -> Option<String> {
        (self.0)(name).filter(|value| !value.is_empty())
    }

    /// The first of several that is set, and its name.
    pub(super) fn first<'n>(&self, names: &[&'n str]) -> Option<(&'n str, String)> {
        names.iter().find_map(|name| self.get(name).map(|value| (*name, value)))
    }

    /// Names each variable whose value cannot be used, with what is allowed; never the value.
    pub(super) fn unusable(&self) -> Vec<(&'static str, &'static str)> {
        let mut unusable = Vec::new();
        let mut check = |name, allowed, usable: fn(&str) -> bool| {
            if self.get(name).is_some_and(|value| !usable(value.trim())) {
                unusable.push((name, allowed));
            }
        };
        for name in WHOLE_NUMBERS {
            check(name, "a whole number", |value| value.parse::<u32>().is_ok());
        }
        for name in ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"] {
            check(name, "gzip or none", |value| ["gzip", "none"].contains(&value.to_ascii_lowercase().as_str()));
        }
        for name in ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS", "OTEL_RESOURCE_ATTRIBUTES"] {
            check(name, "name=value, with commas between", |value| {
                value.split_terminator(',').all(|one| one.contains('='))
            });
        }
        check("OTEL_TRACES_EXPORTER", "otlp or none", |value| {
            words(value).all(|word| ["otlp", "none"].contains(&word))
        });
        check("OTEL_TRACES_SAMPLER", "one of the six samplers of the standard", |value| SAMPLERS.contains(&value));
        check("OTEL_TRACES_SAMPLER_ARG", "a ratio from 0 to 1", |value| {
            value.parse().is_ok_and(|ratio: f64| (0.0..=1.0).contains(&ratio))
        });
        check("OTEL_PROPAGATORS", "tracecontext, baggage or none", |value| {
            words(value).all(|word| ["tracecontext", "baggage", "none"].contains(&word))
        });
        unusable
    }

    /// Whether `traceparent` headers are followed. Baggage is neither read nor passed on: nobody here has any use for it.
    pub(super) fn follows_trace_context(&self) -> bool {
        self.get("OTEL_PROPAGATORS").is_none_or(|value| words(&value).any(|word| word == "tracecontext"))
    }
}

/// Where spans go.
#[derive(Debug)]
pub(super) struct Export {
    /// The full address, with `/v1/traces`.
    pub(super) endpoint: Uri,
    /// How long one export may take, retries and all.
    pub(super) timeout: Duration,
    /// Whom to believe over https.
    pub(super) trust: Trust,
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
        if let Some((variable, protocol)) = variables.first(&protocol)
            && protocol.trim() != "http/protobuf"
        {
            return Err(TelemetryError::Protocol { variable });
        }
        let timeout = ["OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", "OTEL_EXPORTER_OTLP_TIMEOUT"];
        let timeout = timeout.iter().find_map(|name| variables.get(name)?.trim().parse().ok()).unwrap_or(10_000);
        let longest = ["OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", "OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT"];
        Ok(Some(Self {
            endpoint: endpoint(address)?,
            timeout: Duration::from_millis(timeout),
            trust: Trust::read(variables)?,
            longest_value: longest.iter().find_map(|name| variables.get(name)?.trim().parse().ok()),
        }))
    }

    /// The address as it may be shown: without user, password and query.
    pub(super) fn shown_endpoint(&self) -> String {
        let authority = self.endpoint.authority().map_or("", http::uri::Authority::as_str);
        let host = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
        format!("{}://{host}{}", self.endpoint.scheme_str().unwrap_or_default(), self.endpoint.path())
    }
}

fn endpoint(address: Option<(&'static str, String)>) -> Result<Uri, TelemetryError> {
    let (variable, address) = match address {
        Some((TRACES_ENDPOINT, address)) => (TRACES_ENDPOINT, address.trim().to_owned()),
        Some((variable, base)) => (variable, format!("{}/v1/traces", base.trim().trim_end_matches('/'))),
        None => (ENDPOINT, "http://localhost:4318/v1/traces".to_owned()),
    };
    let endpoint = address.parse::<Uri>().map_err(|_| TelemetryError::Endpoint { variable })?;
    if !matches!(endpoint.scheme_str(), Some("http" | "https")) || endpoint.host().is_none_or(str::is_empty) {
        return Err(TelemetryError::Endpoint { variable });
    }
    Ok(endpoint)
}

fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn with<T>(set: &[(&str, &str)], read: impl FnOnce(&Variables<'_>) -> T) -> T {
        let lookup = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        read(&Variables(&lookup))
    }

    fn export(set: &[(&str, &str)]) -> Result<Option<Export>, TelemetryError> {
        with(set, Export::read)
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
    fn an_endpoint_that_is_no_web_address_is_refused_by_the_name_of_its_variable() {
        for address in
            ["collector:4318", "localhost", "grpc://collector:4317", "http://", "unix:/run/otlp", "http://a b"]
        {
            for variable in [ENDPOINT, TRACES_ENDPOINT] {
                let error = export(&[(variable, address)]).unwrap_err().to_string();
                assert!(error.starts_with(&format!("{variable}: must be a URL")), "{address}: {error}");
                assert!(!error.contains(address), "{error}");
            }
        }
    }

    #[test]
    fn a_protocol_that_is_not_built_in_is_refused_only_where_spans_are_exported() {
        let traces = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "http/protobuf");
        for protocol in ["grpc", "http/json", "HTTP"] {
            let general = ("OTEL_EXPORTER_OTLP_PROTOCOL", protocol);
            let error = export(&[general, (ENDPOINT, "http://c:4317")]).unwrap_err().to_string();
            assert!(error.starts_with("OTEL_EXPORTER_OTLP_PROTOCOL: only http/protobuf"), "{error}");
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
    fn values_that_cannot_be_used_are_named_and_usable_ones_are_not() {
        let good = [
            ("OTEL_BSP_SCHEDULE_DELAY", "200"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "gzip"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "authorization=Bearer%20x,tenant=7"),
            ("OTEL_TRACES_SAMPLER", "parentbased_traceidratio"),
            ("OTEL_TRACES_SAMPLER_ARG", "0.25"),
            ("OTEL_PROPAGATORS", "tracecontext,baggage"),
        ];
        assert_eq!(with(&good, Variables::unusable), []);
        for (variable, value) in [
            ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Bearer x"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_TRACES_SAMPLER_ARG", "25"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_PROPAGATORS", "b3"),
        ] {
            let named: Vec<_> = with(&[(variable, value)], Variables::unusable).iter().map(|found| found.0).collect();
            assert_eq!(named, [variable]);
        }
    }

    #[test]
    fn trace_context_is_followed_unless_other_propagators_are_asked_for() {
        for (set, follows) in
            [("", true), ("tracecontext", true), ("b3, tracecontext", true), ("b3", false), ("none", false)]
        {
            assert_eq!(with(&[("OTEL_PROPAGATORS", set)], Variables::follows_trace_context), follows, "{set}");
        }
    }

    #[test]
    fn the_address_is_shown_without_its_password_and_its_query() {
        let export = export(&[(TRACES_ENDPOINT, "https://me:secret@c.example:4318/in?token=t")]).unwrap().unwrap();
        assert_eq!(export.shown_endpoint(), "https://c.example:4318/in");
    }
}
