//! What the log is told of answers: of each at `debug`, and of those that are faults once, once a minute while they go on,
//! and once when the route answers without it.

use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

use sms_config::Repeated;
use tracing::Span;

use super::answer::Answer;
use crate::message::{Code, MessageId};

/// The faults that were told of. There are at most as many as routes times codes.
#[derive(Default)]
pub(super) struct Failures(Mutex<BTreeMap<(&'static str, u16, &'static str), Repeated>>);

/// A request as its line has it.
pub(super) struct Asked<'a> {
    pub(super) span: &'a Span,
    pub(super) method: &'a str,
    pub(super) route: Option<&'static str>,
    pub(super) millis: u128,
}

impl Failures {
    /// Tells of an answer, with its code and the message that it concerns.
    pub(super) fn tell(&self, asked: &Asked<'_>, answer: &mut Answer) {
        let Asked { span, method, route, millis } = *asked;
        let status = answer.status().as_u16();
        let of = answer.extensions_mut().remove::<Code>();
        let id = answer.extensions_mut().remove::<MessageId>().map(tracing::field::display);
        let code = of.map(Code::as_str);
        // These come by the thousand, and are told of once by whoever decides on them.
        let expected = matches!(of, Some(Code::Overloaded | Code::ShuttingDown));
        if status < 400 {
            self.works_again(route);
        }
        let times = if status >= 500 && !expected { self.met(route, status, code) } else { None };
        if let Some(times) = times {
            tracing::warn!(parent: span, method, route, status, code, id, millis, times, "answered");
        } else {
            tracing::debug!(parent: span, method, route, status, code, id, millis, "answered");
        }
    }

    fn met(&self, route: Option<&'static str>, status: u16, code: Option<&'static str>) -> Option<u64> {
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.entry((route.unwrap_or_default(), status, code.unwrap_or_default())).or_default().met()
    }

    fn works_again(&self, route: Option<&'static str>) {
        let route = route.unwrap_or_default();
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for ((of, status, code), line) in told.iter().filter(|((of, ..), _)| *of == route) {
            if let Some(times) = line.over() {
                tracing::info!(
                    route = of,
                    status,
                    code,
                    times,
                    "this route answers without this fault; `times` more of them came since the last line"
                );
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn each_fault_of_a_route_is_told_by_itself() {
        let failures = Failures::default();
        let met = |route, code| failures.met(Some(route), 503, Some(code));
        assert_eq!(met("/readyz", "outbox_unavailable"), Some(1));
        assert_eq!(met("/readyz", "outbox_unavailable"), None);
        assert_eq!(met("/readyz", "carrier_unavailable"), Some(1));
        assert_eq!(met("/v1/messages", "outbox_unavailable"), Some(1));
        failures.works_again(Some("/readyz"));
        tokio::time::advance(std::time::Duration::from_secs(60)).await;
        assert_eq!(met("/readyz", "outbox_unavailable"), Some(1));
    }
}
