//! The standard `OTEL_*` variables of the process, and which of them nobody could use.
//!
//! The SDK's crates read `OTEL_EXPORTER_OTLP_HEADERS`, `…_COMPRESSION`, `OTEL_TRACES_SAMPLER`, `OTEL_BSP_*`, the counts
//! of `OTEL_SPAN_*` and `OTEL_RESOURCE_ATTRIBUTES` themselves, and are silent about what they do not understand; here it
//! is named, and left out as the standard wants it
//! (<https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/>).

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

/// The words of a list with commas between.
pub(super) fn words(list: &str) -> impl Iterator<Item = &str> {
    list.split(',').map(str::trim).filter(|word| !word.is_empty())
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
        ] {
            let named: Vec<_> =
                with(&[(variable, value)], |variables| variables.unusable()).iter().map(|found| found.0).collect();
            assert_eq!(named, [variable]);
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
