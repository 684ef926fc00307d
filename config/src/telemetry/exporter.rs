//! The last gate before spans leave: it hides what should not have been in them, and says once that nobody takes them.
//!
//! In flow batches from the SDK's background thread, so nothing here costs a request anything. A collector that is
//! down costs spans and one line in the log, one more a minute while it stays so, and one when it is back.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use opentelemetry::Value;
use opentelemetry::trace::Status;
use opentelemetry_sdk::Resource;
use opentelemetry_sdk::error::{OTelSdkError, OTelSdkResult};
use opentelemetry_sdk::trace::{SpanData, SpanExporter};
use tokio::time::Instant;
use tracing::{info, warn};

use super::collector::LastFailure;
use super::mask::{Rigour, mask_text};
use crate::foreign::causes;

const REPEAT: Duration = Duration::from_secs(60);

/// Stands between the SDK and its OTLP exporter.
#[derive(Debug)]
pub(super) struct GuardedExporter<E> {
    /// Who sends.
    pub(super) inner: E,
    /// Where to, for the log.
    pub(super) endpoint: String,
    /// Characters of an attribute that are kept.
    pub(super) longest_value: Option<usize>,
    /// Why the last request failed.
    pub(super) last_failure: LastFailure,
    /// Set when the program ends: a collector that does not take one batch then is not asked to take the others.
    pub(super) ending: Arc<AtomicBool>,
    /// What is wrong now, if anything.
    pub(super) trouble: Mutex<Option<Trouble>>,
}

/// A collector that does not take spans.
#[derive(Debug)]
pub(super) struct Trouble {
    said: Instant,
    lost: usize,
    at_the_end: bool,
}

impl<E: SpanExporter> SpanExporter for GuardedExporter<E> {
    async fn export(&self, mut batch: Vec<SpanData>) -> OTelSdkResult {
        if self.gave_up() {
            return Err(OTelSdkError::AlreadyShutdown);
        }
        let spans = batch.len();
        batch.iter_mut().for_each(|span| guard(span, self.longest_value));
        let outcome = self.inner.export(batch).await;
        match &outcome {
            Ok(()) => self.recovered(),
            Err(error) => self.failed(spans, error),
        }
        outcome
    }

    fn shutdown_with_timeout(&self, timeout: Duration) -> OTelSdkResult {
        self.inner.shutdown_with_timeout(timeout)
    }

    fn shutdown(&self) -> OTelSdkResult {
        self.inner.shutdown()
    }

    fn force_flush(&self) -> OTelSdkResult {
        self.inner.force_flush()
    }

    fn set_resource(&mut self, resource: &Resource) {
        self.inner.set_resource(resource);
    }
}

impl<E> GuardedExporter<E> {
    fn failed(&self, spans: usize, error: &(dyn std::error::Error + 'static)) {
        let now = Instant::now();
        let mut trouble = self.trouble.lock().unwrap_or_else(PoisonError::into_inner);
        let lost = trouble.as_ref().map_or(0, |trouble| trouble.lost) + spans;
        let said = trouble.as_ref().map(|trouble| trouble.said).filter(|said| now.duration_since(*said) < REPEAT);
        if said.is_none() {
            let known = self.last_failure.lock().unwrap_or_else(PoisonError::into_inner).take();
            let reason = known.unwrap_or_else(|| causes(error));
            warn!(
                endpoint = self.endpoint,
                reason,
                lost,
                "spans cannot be exported and are dropped; is the OTLP collector up and the endpoint right?"
            );
        }
        let at_the_end = self.ending.load(Ordering::Relaxed);
        *trouble = Some(Trouble { said: said.unwrap_or(now), lost, at_the_end });
    }

    fn gave_up(&self) -> bool {
        self.trouble.lock().unwrap_or_else(PoisonError::into_inner).as_ref().is_some_and(|trouble| trouble.at_the_end)
    }

    fn recovered(&self) {
        if let Some(trouble) = self.trouble.lock().unwrap_or_else(PoisonError::into_inner).take() {
            info!(endpoint = self.endpoint, lost = trouble.lost, "spans are exported again");
        }
    }
}

/// Our spans hold no number and no text by the way they are made; this holds for the day when one slips in.
fn guard(span: &mut SpanData, longest: Option<usize>) {
    for attribute in &mut span.attributes {
        let Value::String(value) = &attribute.value else { continue };
        let cut = longest.and_then(|longest| value.as_str().char_indices().nth(longest)).map(|(end, _)| end);
        let kept = cut.map_or(value.as_str(), |end| value.as_str().split_at(end).0);
        if let Some(changed) = mask_text(kept, Rigour::Own).or_else(|| cut.map(|_| kept.to_owned())) {
            attribute.value = changed.into();
        }
    }
    if let Status::Error { description } = &mut span.status
        && let Some(masked) = mask_text(description, Rigour::Own)
    {
        *description = masked.into();
    }
}

#[cfg(test)]
mod tests {
    use opentelemetry::KeyValue;
    use opentelemetry::trace::{Span, Tracer, TracerProvider};
    use opentelemetry_sdk::trace::SdkTracerProvider;
    use tracing_subscriber::layer::SubscriberExt;

    use super::*;

    /// A collector that is up or down, and keeps what it took.
    #[derive(Clone, Debug, Default)]
    struct Collector {
        down: Arc<AtomicBool>,
        taken: Arc<Mutex<Vec<SpanData>>>,
    }

    impl SpanExporter for Collector {
        async fn export(&self, batch: Vec<SpanData>) -> OTelSdkResult {
            if self.down.load(Ordering::Relaxed) {
                return Err(OTelSdkError::InternalFailure("down".to_owned()));
            }
            self.taken.lock().unwrap().extend(batch);
            Ok(())
        }
    }

    fn guarded(inner: Collector, longest_value: Option<usize>) -> GuardedExporter<Collector> {
        let last_failure = LastFailure::default();
        *last_failure.lock().unwrap() = Some("connection refused".to_owned());
        let endpoint = "http://collector:4318/v1/traces".to_owned();
        let ending = Arc::default();
        GuardedExporter { inner, endpoint, longest_value, last_failure, ending, trouble: Mutex::default() }
    }

    fn exported(longest_value: Option<usize>, attributes: Vec<KeyValue>, status: Status) -> SpanData {
        let collector = Collector::default();
        let provider =
            SdkTracerProvider::builder().with_simple_exporter(guarded(collector.clone(), longest_value)).build();
        let mut span = provider.tracer("test").start("span");
        span.set_attributes(attributes);
        span.set_status(status);
        span.end();
        let span = collector.taken.lock().unwrap().pop();
        span.unwrap()
    }

    #[test]
    fn a_number_that_slipped_into_a_span_is_hidden_and_names_are_not() {
        let id = KeyValue::new("messaging.message.id", "94f20ce6-1234-5678-9abc-123456789012");
        let slip = KeyValue::new("slip", "to +12065550100");
        let span = exported(None, vec![id.clone(), slip], Status::error("no route to +12065550100"));
        assert_eq!(span.attributes, [id, KeyValue::new("slip", "to +•••••••••00")]);
        assert_eq!(span.status, Status::error("no route to +•••••••••00"));
    }

    #[test]
    fn a_value_that_is_too_long_is_cut_at_a_character() {
        let span = exported(Some(3), vec![KeyValue::new("a", "déjà"), KeyValue::new("b", "abc")], Status::Unset);
        assert_eq!(span.attributes, [KeyValue::new("a", "déj"), KeyValue::new("b", "abc")]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_collector_that_is_down_is_said_once_and_once_a_minute_and_when_it_is_back() {
        let collector = Collector::default();
        let exporter = guarded(collector.clone(), None);
        let span = exported(None, Vec::new(), Status::Unset);
        let said = Said::default();
        let _logging = tracing::subscriber::set_default(tracing_subscriber::registry().with(said.clone()));
        let export = async |times: usize| {
            for _ in 0..times {
                drop(exporter.export(vec![span.clone(); 2]).await);
            }
            std::mem::take(&mut *said.0.lock().unwrap())
        };
        assert!(export(3).await.is_empty());
        collector.down.store(true, Ordering::Relaxed);
        assert_eq!(export(100).await, ["lost=2 reason=connection refused"]);
        tokio::time::advance(REPEAT).await;
        assert_eq!(export(100).await, ["lost=202 reason=the reason is not shown, because it may quote secrets"]);
        collector.down.store(false, Ordering::Relaxed);
        assert_eq!(export(100).await, ["lost=400"]);
    }

    #[tokio::test]
    async fn at_the_end_a_collector_that_is_down_is_asked_once() {
        let collector = Collector::default();
        let exporter = guarded(collector.clone(), None);
        let span = exported(None, Vec::new(), Status::Unset);
        collector.down.store(true, Ordering::Relaxed);
        assert!(exporter.export(vec![span.clone()]).await.is_err());
        exporter.ending.store(true, Ordering::Relaxed);
        assert!(exporter.export(vec![span.clone()]).await.is_err());
        collector.down.store(false, Ordering::Relaxed);
        assert!(exporter.export(vec![span]).await.is_err());
        assert!(collector.taken.lock().unwrap().is_empty());
    }

    #[derive(Clone, Default)]
    struct Said(Arc<Mutex<Vec<String>>>);

    impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Said {
        fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
            let mut fields = Vec::new();
            event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
                if ["lost", "reason"].contains(&field.name()) {
                    fields.push(format!("{}={value:?}", field.name()).replace('"', ""));
                }
            });
            fields.sort();
            self.0.lock().unwrap().push(fields.join(" "));
        }
    }
}
