//! How a trace crosses our borders: in with a request's headers, along with a stored message, out as a link.
//!
//! In flow `traceparent` and `tracestate` (W3C Trace Context); out flow parents and links of `tracing` spans. With
//! export off, or for a span that nobody records, each of these does nothing and costs one comparison.

use http::HeaderMap;
use opentelemetry::propagation::{Extractor, TextMapPropagator};
use opentelemetry::trace::TraceContextExt;
use opentelemetry::{Context, global};
use opentelemetry_http::HeaderExtractor;
use opentelemetry_sdk::propagation::TraceContextPropagator;
use tracing::Span;
use tracing_opentelemetry::OpenTelemetrySpanExt;

/// Makes the caller's span, as the request's headers name it, the parent of `span`.
///
/// To be called before `span` is entered or asked for its [`traceparent`]: a span that has begun keeps its parent.
/// Headers that are missing or malformed leave `span` the root of a trace of its own, as the standard says.
pub fn set_remote_parent(span: &Span, headers: &HeaderMap) {
    if span.is_disabled() {
        return;
    }
    let caller = global::get_text_map_propagator(|propagator| {
        propagator.extract_with_context(&Context::new(), &HeaderExtractor(headers))
    });
    if caller.has_active_span() {
        // It fails only for a span that has begun, which then simply keeps the parent it has.
        drop(span.set_parent(caller));
    }
}

/// The name of `span` as the header `traceparent` has it, to be stored with a message; `None` when it is not recorded.
pub fn traceparent(span: &Span) -> Option<String> {
    if span.is_disabled() {
        return None;
    }
    let context = span.context();
    let span = context.span();
    let name = span.span_context();
    name.is_valid().then(|| format!("00-{}-{}-{:02x}", name.trace_id(), name.span_id(), name.trace_flags().to_u8() & 1))
}

/// Links `span` to the one that [`traceparent`] named; what is no `traceparent` is left out.
pub fn link(span: &Span, traceparent: &str) {
    if span.is_disabled() {
        return;
    }
    let linked = TraceContextPropagator::new().extract_with_context(&Context::new(), &Stored(traceparent));
    span.add_link(linked.span().span_context().clone());
}

/// A stored `traceparent`, where a propagator looks for headers.
struct Stored<'a>(&'a str);

impl Extractor for Stored<'_> {
    fn get(&self, key: &str) -> Option<&str> {
        (key == "traceparent").then_some(self.0)
    }

    fn keys(&self) -> Vec<&str> {
        vec!["traceparent"]
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::trace::TracerProvider;
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing::info_span;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    const CALLER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    fn recorded(work: impl FnOnce()) {
        global::set_text_map_propagator(TraceContextPropagator::new());
        let tracer = SdkTracerProvider::builder().build().tracer("test");
        let layer = tracing_opentelemetry::layer().with_context_activation(false).with_tracer(tracer);
        tracing::subscriber::with_default(tracing_subscriber::registry().with(layer), work);
    }

    fn headers(traceparent: &'static str) -> HeaderMap {
        HeaderMap::from_iter([(http::HeaderName::from_static("traceparent"), traceparent.parse().unwrap())])
    }

    #[test]
    fn the_callers_trace_goes_on_under_a_span_of_ours() {
        recorded(|| {
            let span = info_span!("request");
            set_remote_parent(&span, &headers(CALLER));
            let ours = traceparent(&span).unwrap();
            assert!(ours.starts_with("00-0af7651916cd43dd8448eb211c80319c-") && ours.ends_with("-01"), "{ours}");
            assert!(!ours.contains("b7ad6b7169203331"), "{ours}");
        });
    }

    #[test]
    fn a_caller_that_is_not_sampled_is_followed_in_that_too() {
        recorded(|| {
            let span = info_span!("request");
            set_remote_parent(&span, &headers("00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"));
            assert!(traceparent(&span).unwrap().ends_with("-00"));
        });
    }

    #[test]
    fn headers_that_are_no_trace_context_begin_a_new_trace() {
        for malformed in ["", "nonsense", "00-0-0-01", "00-00000000000000000000000000000000-b7ad6b7169203331-01"] {
            recorded(|| {
                let span = info_span!("request");
                set_remote_parent(&span, &headers(malformed));
                link(&span, malformed);
                assert!(traceparent(&span).is_some_and(|ours| ours.len() == 55));
            });
        }
    }

    #[test]
    fn a_span_that_nobody_records_has_no_name_and_takes_no_parent() {
        let span = info_span!("request");
        set_remote_parent(&span, &headers(CALLER));
        link(&span, CALLER);
        assert_eq!(traceparent(&span), None);
    }
}
