//! A carrier inside the agent, which needs no account: the embedded default.
//!
//! In flows one SMS; out flows what SNS would have answered. Some numbers always answer the same, so that every
//! outcome can be tried out; all others are sent and later delivered. What arrives is on a phone that can be looked
//! at, before the publish is answered. A message that is later reported as not delivered is on no phone.

mod numbers;
mod phone;
mod reports;
mod store;

#[cfg(test)]
mod tests;

use std::fmt;
use std::path::Path;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use self::numbers::Answer;
pub use self::phone::{Page, Phone, Received};
use self::reports::Reports;
use self::store::Store;
pub use self::store::StoreError;
use super::{Attempt, Carrier, PublishError, Report, Verdict};
use crate::clock::Clock;
use crate::message::{Code, MessageId, PhoneNumber, Problem, Sender, sentence};

/// The name of its file in `agent.data_dir`.
const FILE: &str = "simulator.db";

/// Publishes to phones in a file.
pub struct Simulator {
    store: Arc<Mutex<Store>>,
    reports: Reports,
    clock: Arc<dyn Clock>,
    latency: Duration,
    delivery_delay: Duration,
}

impl Simulator {
    /// Looks whether the phones in `data_dir` could be opened, or made, and changes nothing.
    ///
    /// # Errors
    /// Why their file could not be used.
    pub fn check(data_dir: &Path) -> Result<(), StoreError> {
        Store::check(&data_dir.join(FILE))
    }

    /// Opens the phones in `data_dir`, which exists, or makes them.
    ///
    /// # Errors
    /// Why its file cannot be used.
    pub fn open(settings: sms_config::Simulator, data_dir: &Path, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let store = Arc::new(Mutex::new(Store::open(&data_dir.join(FILE), settings.keep)?));
        store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .hasten(clock.now().plus(settings.delivery_delay))
            .map_err(|error| StoreError::Database(data_dir.join(FILE), error))?;
        Ok(Self {
            reports: Reports::new(Arc::clone(&store), Arc::clone(&clock)),
            store,
            clock,
            latency: settings.latency,
            delivery_delay: settings.delivery_delay,
        })
    }

    /// The phones.
    pub fn phone(&self) -> Phone {
        Phone::new(Arc::clone(&self.store))
    }

    /// Waits until at least one published message has something to report; at most `limit` of them, each given once
    /// until it is given back or the process ends. For one caller at a time; may be dropped while it waits.
    pub async fn due_reports(&self, limit: usize) -> Vec<Report> {
        self.reports.due(limit).await
    }

    /// These reports have been dealt with and are never given again.
    pub fn acknowledge(&self, ids: &[MessageId]) {
        self.reports.acknowledge(ids);
    }

    /// These reports could not be dealt with now: they are given again after a moment.
    pub fn retry_later(&self, ids: &[MessageId]) {
        self.reports.retry_later(ids);
    }

    async fn take(&self, attempt: Attempt<'_>) -> Result<String, PublishError> {
        let answer = numbers::answer(&attempt.sms.to, attempt.number);
        if matches!(answer, Answer::Silence) || self.latency >= attempt.timeout {
            tokio::time::sleep(attempt.timeout).await;
            let waited = humantime::format_duration(attempt.timeout);
            let problem = Problem::new(Code::OutcomeUnknown, format!("No answer from the simulator within {waited}."));
            return Err(numbers::refusal(Verdict::Unknown, problem));
        }
        if !self.latency.is_zero() {
            tokio::time::sleep(self.latency).await;
        }
        match answer {
            Answer::Refused(error) => Err(error),
            answer => self.deliver(attempt, matches!(answer, Answer::Taken)),
        }
    }

    fn deliver(&self, attempt: Attempt<'_>, arrives: bool) -> Result<String, PublishError> {
        let unsent =
            |why: String| numbers::refusal(Verdict::NotSent, Problem::new(Code::CarrierUnavailable, sentence(&why)));
        let now = self.clock.now();
        let sms = attempt.sms;
        let received = Received {
            id: attempt.id,
            message_id: uuid().map_err(|error| unsent(format!("the machine gives no random bytes: {error}")))?,
            to: sms.to.as_str().to_owned(),
            body: sms.text.as_str().to_owned(),
            kind: sms.kind,
            sender_id: match &sms.sender {
                Sender::Account => None,
                Sender::Id(id) => Some(id.as_str().to_owned()),
                Sender::Number(number) => Some(number.as_str().to_owned()),
            },
            segments: sms.text.segments(),
            received_at: self.clock.shift().shown(now),
        };
        let due_at = now.plus(self.delivery_delay);
        self.store
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .publish(&received, arrives, due_at)
            .map_err(|error| unsent(format!("cannot write the simulator's file in agent.data_dir: {error}")))?;
        self.reports.written(due_at);
        Ok(received.message_id)
    }
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator").finish_non_exhaustive()
    }
}

impl Carrier for Simulator {
    fn publish<'a>(&'a self, attempt: Attempt<'a>) -> BoxFuture<'a, Result<String, PublishError>> {
        self.take(attempt).boxed()
    }

    fn objection(&self, to: &PhoneNumber) -> Option<Problem> {
        numbers::has_opted_out(to).then(numbers::opted_out)
    }

    fn opted_out<'a>(&'a self, to: &'a PhoneNumber) -> BoxFuture<'a, Result<bool, Problem>> {
        std::future::ready(Ok(numbers::has_opted_out(to))).boxed()
    }

    fn ready(&self) -> BoxFuture<'_, Result<(), Problem>> {
        std::future::ready(Ok(())).boxed()
    }
}

/// A random UUID (RFC 9562, version 4): what SNS's message ids look like.
fn uuid() -> Result<String, getrandom::Error> {
    let mut bytes = [0; 16];
    getrandom::fill(&mut bytes)?;
    bytes[6] = bytes[6] & 0x0f | 0x40;
    bytes[8] = bytes[8] & 0x3f | 0x80;
    let n = u128::from_be_bytes(bytes);
    let [a, b, c, d, e] = [n >> 96, n >> 80 & 0xffff, n >> 64 & 0xffff, n >> 48 & 0xffff, n & 0xffff_ffff_ffff];
    Ok(format!("{a:08x}-{b:04x}-{c:04x}-{d:04x}-{e:012x}"))
}
