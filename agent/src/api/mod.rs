//! The HTTP door: turns requests into calls of [`Intake`] and back.
//!
//! In flow bytes from whoever may connect; out flow checked drafts, and answers that say what became of them. The
//! rules it keeps: the gates stand in the contract's order (`gates`), only `problem` turns a problem into an
//! answer, and nothing that is sent here takes more than bounded memory. It knows nothing of SNS and nothing of SQL.

mod accept;
mod answer;
mod batch;
mod beyond;
mod body;
mod cancel;
mod capacity;
mod connection;
mod date;
mod draft;
mod failures;
mod fingerprint;
mod gates;
mod health;
mod history;
mod inbox;
mod json;
mod listener;
mod lookup;
mod message;
mod openapi;
mod opt_outs;
mod preference;
mod preview;
mod problem;
mod pulse;
mod query;
mod routes;
mod secret_file;
mod send;
mod socket;
#[cfg(test)]
mod tests;
mod token;
mod trace;

use std::panic::AssertUnwindSafe;
use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use futures_util::FutureExt;
use futures_util::future::join_all;
use http::header::CONNECTION;
use http::{HeaderValue, Method, Request, StatusCode, Version};
use hyper::body::Incoming;
use tokio::sync::{Semaphore, watch};
use tokio::time::Instant;
use tracing::Instrument;

use crate::admission::Intake;
use crate::carrier::simulator::Phone;
use crate::message::{Code, Problem, SmsType};
use answer::Answer;
use capacity::Capacity;
use connection::Door;
use failures::{Asked, Failures};

pub use capacity::Limits;
pub use fingerprint::Fingerprints;
pub use listener::{BindError, Listener};
pub use secret_file::SecretError;
pub use token::Token;

/// Requests at a time, over all connections.
const REQUESTS: usize = 8192;

/// What the API needs to answer.
pub struct Parts {
    /// The door to the next room.
    pub intake: Arc<dyn Intake>,
    /// The simulator's phones; `None` with another carrier.
    pub phone: Option<Phone>,
    /// What a request has to show; `None` lets everybody in.
    pub token: Option<Token>,
    /// For idempotency keys.
    pub fingerprints: Fingerprints,
    /// How long a send waits for its outcome.
    pub wait: Duration,
    /// Whether there are routes to send by.
    pub takes_sends: bool,
    /// The type of a message that names none.
    pub default_type: SmsType,
    /// Where the agent listens, as [`Listener::address`] says it.
    pub addresses: Vec<String>,
}

/// Answers requests.
pub struct Api {
    intake: Arc<dyn Intake>,
    phone: Option<Phone>,
    token: Option<Token>,
    fingerprints: Fingerprints,
    wait: Duration,
    takes_sends: bool,
    default_type: SmsType,
    routes: routes::Routes,
    document: Bytes,
    failures: Failures,
    in_hand: Semaphore,
    /// The agent stops: what has not come by now is not waited for.
    stopping: watch::Sender<bool>,
}

impl Api {
    /// Of these parts.
    pub fn new(parts: Parts) -> Arc<Self> {
        let Parts { intake, phone, token, fingerprints, wait, takes_sends, default_type, addresses } = parts;
        let (routes, in_hand) = (routes::Routes::new(), Semaphore::new(REQUESTS));
        let document = openapi::of(token.is_some(), &addresses);
        let stopping = watch::Sender::new(false);
        Arc::new(Self {
            intake,
            phone,
            token,
            fingerprints,
            wait,
            takes_sends,
            default_type,
            routes,
            document,
            failures: Failures::default(),
            in_hand,
            stopping,
        })
    }

    /// Returns once no request is in hand. Meant for an agent that stops: who asks while this waits is told that all
    /// places are taken, unless the stop is told first.
    pub async fn answered(&self) {
        drop(self.in_hand.acquire_many(REQUESTS as u32).await);
    }

    /// Answers requests whose body is still on its way with `shutting_down`, from now on. New ones learn of the stop from
    /// [`Intake::is_stopping`].
    pub fn stop(&self) {
        self.stopping.send_replace(true);
    }

    /// Returns once the agent stops.
    async fn stops(&self) {
        drop(self.stopping.subscribe().wait_for(|stopping| *stopping).await);
    }

    /// Answers one request. A panic on the way is answered as a defect of ours and stops nothing else.
    async fn answer(self: Arc<Self>, request: Request<Incoming>, door: &Door) -> Answer {
        let begun = Instant::now();
        let (method, version) = (request.method().clone(), request.version());
        let found = self.routes.find(request.uri().path());
        let route = found.as_ref().map(|(place, _)| place.path);
        let span = trace::span(&request, route, &door.local);
        let passed = AssertUnwindSafe(gates::pass(&self, door, found, request)).catch_unwind();
        let mut answer = passed.instrument(span.clone()).await.unwrap_or_else(|_| {
            problem::answer(&Problem::new(Code::Internal, "The agent met a defect while it answered this request."))
        });
        let status = answer.status();
        trace::finish(&span, status);
        let asked = Asked { span: &span, method: trace::method(&method), route, millis: begun.elapsed().as_millis() };
        self.failures.tell(&asked, &mut answer);
        // A client that keeps a connection to a stopping agent would find it cut in the middle of its next request. Where
        // connections are short, those that got nothing done make room.
        let ends = door.beyond
            || self.intake.is_stopping()
            || status == StatusCode::SERVICE_UNAVAILABLE && door.capacity.is_crowded();
        if version < Version::HTTP_2 && (status == StatusCode::REQUEST_TIMEOUT || ends) {
            answer.headers_mut().insert(CONNECTION, HeaderValue::from_static("close"));
        }
        if method == Method::HEAD { answer::without_body(answer) } else { answer }
    }
}

/// Serves the listeners until `shutdown` ends. Then nothing more is accepted, connections close once what they have in
/// hand is answered, and what is not after `grace` is cut. An agent that stops says so by [`Intake::is_stopping`]
/// before that, so that new requests learn of it while old ones get their outcome. `limits` are those of each listener.
pub async fn run(
    listeners: Vec<Listener>,
    api: Arc<Api>,
    limits: Limits,
    shutdown: impl Future<Output = ()>,
    grace: Duration,
) {
    let (count, budget) = (listeners.len(), body::Budget::new());
    let closing = watch::Sender::new(false);
    let served = listeners.into_iter().map(|listener| {
        let local = Arc::new(listener.local.clone());
        let door = Door {
            api: Arc::clone(&api),
            local,
            capacity: Capacity::new(limits, count, budget.of_another()),
            beyond: false,
        };
        accept::serve(listener, door, closing.subscribe(), grace)
    });
    let stopping = async {
        shutdown.await;
        api.stop();
        closing.send_replace(true);
    };
    tokio::join!(join_all(served), stopping);
}
