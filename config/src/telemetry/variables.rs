//! The standard `OTEL_*` variables of the process, and which of them nobody could use.
//!
//! The SDK's crates read `OTEL_EXPORTER_OTLP_HEADERS`, `…_COMPRESSION`, `OTEL_TRACES_SAMPLER` and the counts
//! of `OTEL_SPAN_*` themselves, and are silent about what they do not understand; here it
//! is named, and left out as the standard wants it
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).

use std::borrow::Cow;
use std::time::Duration;

use http::{HeaderName, HeaderValue};
use opentelemetry::KeyValue;
use opentelemetry_sdk::trace::{BatchConfig, BatchConfigBuilder};
use percent_encoding::percent_decode_str;

const RESOURCE: &str = "OTEL_RESOURCE_ATTRIBUTES";
const SAMPLERS: [&str; 6] = [
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
];
/// Each number with the least and the most that it may be. The queue takes its memory at the start, some 400 bytes a span.
const WHOLE_NUMBERS: [(&str, u64, u64); 11] = [
    ("OTEL_EXPORTER_OTLP_TRACES_TIMEOUT", 1, 600_000),
    ("OTEL_EXPORTER_OTLP_TIMEOUT", 1, 600_000),
    (BSP_DELAY, 1, 3_600_000),
    (BSP_QUEUE, 1, 65_536),
    (BSP_BATCH, 1, 65_536),
    ("OTEL_BSP_EXPORT_TIMEOUT", 1, 600_000),
    ("OTEL_SPAN_ATTRIBUTE_COUNT_LIMIT", 0, u32::MAX as u64),
    ("OTEL_SPAN_EVENT_COUNT_LIMIT", 0, u32::MAX as u64),
    ("OTEL_SPAN_LINK_COUNT_LIMIT", 0, u32::MAX as u64),
    ("OTEL_SPAN_ATTRIBUTE_VALUE_LENGTH_LIMIT", 0, u32::MAX as u64),
    ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", 0, u32::MAX as u64),
];
const BSP_DELAY: &str = "OTEL_BSP_SCHEDULE_DELAY";
const BSP_QUEUE: &str = "OTEL_BSP_MAX_QUEUE_SIZE";
const BSP_BATCH: &str = "OTEL_BSP_MAX_EXPORT_BATCH_SIZE";

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

    /// A whole number within the bounds of its variable.
    pub(super) fn number(&self, name: &str) -> Option<u64> {
        let (_, least, most) = WHOLE_NUMBERS.iter().find(|(known, ..)| *known == name)?;
        self.get(name)?.trim().parse().ok().filter(|number| (least..=most).contains(&number))
    }

    /// How spans are queued and batched. The SDK takes numbers of any size, for which there is no memory.
    pub(super) fn batches(&self) -> BatchConfig {
        let size = |name, usual| self.number(name).and_then(|number| number.try_into().ok()).unwrap_or(usual);
        BatchConfigBuilder::default()
            .with_max_queue_size(size(BSP_QUEUE, 2_048))
            .with_max_export_batch_size(size(BSP_BATCH, 512))
            .with_scheduled_delay(Duration::from_millis(self.number(BSP_DELAY).unwrap_or(5_000)))
            .build()
    }

    /// The attributes that describe this process; `None` if any of them is malformed, which makes all of them void.
    /// Names and values are percent-encoded.
    pub(super) fn resource_attributes(&self) -> Option<Vec<KeyValue>> {
        let list = self.get(RESOURCE).unwrap_or_default();
        list.split(',').map(str::trim).filter(|one| !one.is_empty()).map(attribute).collect()
    }

    /// Names each variable whose value cannot be used, with what is allowed; never the value.
    pub(super) fn unusable(&self) -> Vec<(&'static str, Cow<'static, str>)> {
        let mut unusable = Vec::new();
        for (name, least, most) in WHOLE_NUMBERS {
            if self.get(name).is_some() && self.number(name).is_none() {
                unusable.push((name, format!("a whole number from {least} to {}", grouped(most)).into()));
            }
        }
        for name in ["OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"] {
            unusable
                .extend(self.get(name).and_then(|list| strange_header(&list)).map(|allowed| (name, allowed.into())));
        }
        if self.resource_attributes().is_none() {
            unusable.push((RESOURCE, "name=value, percent-encoded, with commas between; none of them is used".into()));
        }
        let mut check = |name, allowed: &'static str, usable: fn(&str) -> bool| {
            if self.get(name).is_some_and(|value| !usable(value.trim())) {
                unusable.push((name, allowed.into()));
            }
        };
        for name in ["OTEL_EXPORTER_OTLP_TRACES_COMPRESSION", "OTEL_EXPORTER_OTLP_COMPRESSION"] {
            check(name, "gzip or none", |value| ["gzip", "none"].contains(&value.to_ascii_lowercase().as_str()));
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

/// What is wrong with the first header that cannot be sent. One without a `=` or with a strange name may be a secret that
/// stands in the wrong place, so it is told by its place.
fn strange_header(list: &str) -> Option<String> {
    let mut headers = list.split_terminator(',').map(str::trim).enumerate();
    headers.find_map(|(index, header)| {
        let place = index + 1;
        let Some((name, value)) = header.split_once('=') else {
            return Some(format!("name=value, with commas between; header {place} has no ="));
        };
        let Ok(name) = HeaderName::from_bytes(name.trim().as_bytes()) else {
            return Some(format!("name=value, with commas between; the name of header {place} is none"));
        };
        let value: Cow<'_, [u8]> = percent_decode_str(value.trim()).into();
        let usable =
            !value.is_empty() && std::str::from_utf8(&value).is_ok_and(|value| HeaderValue::from_str(value).is_ok());
        (!usable)
            .then(|| format!("visible ASCII, percent-encoded; the value of header {place}, {name}, cannot be sent"))
    })
}

fn attribute(pair: &str) -> Option<KeyValue> {
    let (name, value) = pair.split_once('=')?;
    let (name, value) = (decoded(name.trim())?, decoded(value.trim())?);
    (!name.is_empty()).then(|| KeyValue::new(name, value))
}

/// Text without its percent-encoding; `None` if a `%` begins no byte, or the bytes are no UTF-8.
fn decoded(text: &str) -> Option<String> {
    let begins_byte = |rest: &str| rest.get(..2).is_some_and(|hex| hex.bytes().all(|digit| digit.is_ascii_hexdigit()));
    if !text.split('%').skip(1).all(begins_byte) {
        return None;
    }
    percent_decode_str(text).decode_utf8().ok().map(Cow::into_owned)
}

/// The words of a list with commas between.
pub(super) fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
}

/// A number with a comma before every three digits: without them the log would take it for a phone number.
fn grouped(number: u64) -> String {
    let digits = number.to_string();
    let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
    groups.collect::<Vec<_>>().join(",")
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// Reads variables that are handed in rather than set.
    pub(in super::super) fn with<T>(set: &[(&str, &str)], read: impl FnOnce(Variables<'_>) -> T) -> T {
        let lookup = |name: &str| set.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).to_owned());
        read(Variables(&lookup))
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
        assert_eq!(with(&good, |variables| variables.unusable()), []);
        for (variable, value) in [
            ("OTEL_BSP_MAX_QUEUE_SIZE", "many"),
            ("OTEL_EXPORTER_OTLP_COMPRESSION", "zstd"),
            ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "Bearer x"),
            ("OTEL_TRACES_SAMPLER", "sometimes"),
            ("OTEL_TRACES_SAMPLER_ARG", "25"),
            ("OTEL_TRACES_EXPORTER", "zipkin"),
            ("OTEL_PROPAGATORS", "b3"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "18446744073709551615"),
            ("OTEL_BSP_MAX_QUEUE_SIZE", "0"),
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "99999999999999999999"),
            ("OTEL_BSP_SCHEDULE_DELAY", "-1"),
            ("OTEL_BSP_EXPORT_TIMEOUT", "1e9"),
            ("OTEL_EXPORTER_OTLP_TIMEOUT", "18446744073709551615"),
            ("OTEL_ATTRIBUTE_VALUE_LENGTH_LIMIT", "-5"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=b,x y=1"),
            ("OTEL_EXPORTER_OTLP_HEADERS", "a=b%0Ac"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=1,b"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=%zz"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=50%"),
            ("OTEL_RESOURCE_ATTRIBUTES", "a=%ff"),
            ("OTEL_RESOURCE_ATTRIBUTES", "=1"),
        ] {
            let named: Vec<_> =
                with(&[(variable, value)], |variables| variables.unusable()).iter().map(|found| found.0).collect();
            assert_eq!(named, [variable]);
        }
    }

    #[test]
    fn numbers_beyond_their_bounds_leave_the_usual_queue() {
        for value in ["18446744073709551615", "4294967295", "-1", "0", "", "many", "99999999999999999999"] {
            let set = [("OTEL_BSP_MAX_QUEUE_SIZE", value), ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", value)];
            let batches = with(&set, |variables| format!("{:?}", variables.batches()));
            assert!(batches.contains("max_queue_size: 2048") && batches.contains("batch_size: 512"), "{batches}");
        }
    }

    #[test]
    fn attributes_are_percent_decoded_and_a_malformed_one_voids_all() {
        let read = |list| with(&[(RESOURCE, list)], |variables| variables.resource_attributes());
        let expected = vec![KeyValue::new("k", "a b,c"), KeyValue::new("s p", "ü="), KeyValue::new("e", "")];
        assert_eq!(read("k=a%20b%2Cc, s%20p=%C3%BC%3d ,e=,"), Some(expected));
        assert_eq!(read(""), Some(Vec::new()));
        assert_eq!(read("good=1,bad=%4"), None);
    }

    #[test]
    fn a_header_that_cannot_be_sent_is_told_by_its_place_and_never_by_its_value() {
        for (list, told) in [
            ("good=1,secret", "header 2 has no ="),
            ("sec ret=1", "the name of header 1 is none"),
            ("good=1,authorization=secret%0d%0asecret", "the value of header 2, authorization, cannot be sent"),
        ] {
            let allowed = strange_header(list).unwrap();
            assert!(allowed.contains(told) && !allowed.contains("sec"), "{allowed}");
        }
    }

    #[test]
    fn trace_context_is_followed_unless_other_propagators_are_asked_for() {
        for (set, follows) in
            [("", true), ("tracecontext", true), ("b3, tracecontext", true), ("b3", false), ("none", false)]
        {
            assert_eq!(
                with(&[("OTEL_PROPAGATORS", set)], |variables| variables.follows_trace_context()),
                follows,
                "{set}"
            );
        }
    }
}
