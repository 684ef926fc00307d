//! When a message leaves, and how often it is tried.
//!
//! In flow claims from the outbox, or a message that was just accepted and finds the way free; out flow publish calls,
//! and what became of each back into the outbox and to whoever waits. The rule it keeps: it is the only one that
//! repeats a publish, and it never repeats one of unknown outcome beyond what the settings allow. It knows nothing of
//! HTTP.

mod backoff;
mod breaker;
mod fetching;
mod knocking;
mod pace;
mod policy;
mod span;
mod state;
mod waiting;
mod worker;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use sms_config::Dispatch as Settings;
use tokio::sync::Notify;
use tokio::time::Instant;

use self::fetching::Fetching;
use self::policy::Policy;
use self::state::{Next, State};
use self::waiting::Waiting;
pub use self::waiting::Watch;
pub use self::worker::Origin;
use crate::carrier::Carrier;
use crate::clock::Clock;
use crate::message::{Message, MessageId, Problem, Timestamp};
use crate::outbox::{Claim, Claims, Demand, Outbox, Rest, endings};

/// How long to leave an outbox alone that could not hand anything out.
const OUTBOX_PAUSE: Duration = Duration::from_secs(1);

/// The longest time between two sweeps while messages wait: their ends may have moved, if the machine was restarted with a
/// clock that was wrong and has been set since.
const SWEEP_EVERY: Duration = Duration::from_secs(60);

/// Publishes what the outbox holds. Clones share one dispatcher.
#[derive(Clone)]
pub struct Dispatcher(Arc<Shared>);

struct Shared {
    outbox: Arc<dyn Outbox>,
    carrier: Arc<dyn Carrier>,
    clock: Arc<dyn Clock>,
    policy: Policy,
    attempt_timeout: Duration,
    state: Mutex<State>,
    waiting: Waiting,
    /// Something changed that the loop may act on.
    wake: Notify,
    /// The last publish in flight ended, or the last who waited for one has gone.
    idle: Arc<Notify>,
}

/// The right to have one publish in flight, the pace paid. Dropped unused, it is free again.
pub struct Slot {
    shared: Arc<Shared>,
    id: MessageId,
}

impl Dispatcher {
    /// A dispatcher that does nothing yet: [`Dispatcher::run`] is its life.
    pub fn new(settings: &Settings, outbox: Arc<dyn Outbox>, carrier: Arc<dyn Carrier>, clock: Arc<dyn Clock>) -> Self {
        let idle = Arc::<Notify>::default();
        let (concurrency, per_second) = (settings.concurrency, settings.segments_per_second);
        let state = State::new(concurrency, per_second, outbox.is_shared(), Instant::now());
        Self(Arc::new(Shared {
            outbox,
            carrier,
            clock,
            policy: Policy::new(settings),
            attempt_timeout: settings.attempt_timeout,
            state: Mutex::new(state),
            waiting: Waiting::new(Arc::clone(&idle)),
            wake: Notify::new(),
            idle,
        }))
    }

    /// Takes up what the last process left in mid-air, then publishes what is due until [`Dispatcher::halt`].
    pub async fn run(&self) {
        self.take_up_interrupted().await;
        let mut fetching = Fetching::default();
        while let Some(next) = self.next() {
            match next {
                Next::Sweep => self.sweep().await,
                Next::Knock => self.knock(),
                Next::Claim(demand) => match self.claim(demand).await {
                    Ok(claims) => self.start(demand.messages, claims),
                    Err(_) => {
                        self.state().claimed_nothing(demand.messages);
                        self.pause(Some(OUTBOX_PAUSE)).await;
                    }
                },
                Next::Wait(duration) => self.wait(duration, &mut fetching).await,
            }
        }
    }

    /// A slot for a message that is about to be accepted, if it may leave at once: nothing older waits, the pace and
    /// the number of publishes in flight allow it, and the carrier lets us in.
    pub fn try_reserve(&self, id: MessageId, segments: u32) -> Option<Slot> {
        self.state().reserve(id, segments, Instant::now()).then(|| Slot { shared: Arc::clone(&self.0), id })
    }

    /// Publishes a message that was accepted as claimed, under the slot that was reserved for it.
    pub fn publish(&self, slot: Slot, claim: Claim, origin: Origin) {
        tokio::spawn(worker::work(slot, claim, origin));
    }

    /// Hears that the outbox holds a new message that is due now and ends at `ends_at`.
    pub fn queued(&self, ends_at: Timestamp) {
        self.state().queued(ends_at);
        self.0.wake.notify_one();
    }

    /// Hears that a message was taken back: whoever waits for it is told.
    pub fn canceled(&self, message: &Message) {
        self.0.waiting.tell(message);
    }

    /// A place to wait for the outcome of a message.
    pub fn watch(&self, id: MessageId) -> Watch {
        self.0.waiting.watch(id)
    }

    /// What keeps messages from leaving: the carrier lets nobody in, or did not permit the last publish a moment ago.
    pub fn obstacle(&self) -> Option<Problem> {
        self.state().obstacle(Instant::now()).cloned()
    }

    /// Publishes from now on only what somebody waits for: the rest has time until the next start, and a publish that
    /// is not begun cannot be cut off.
    pub fn stop(&self) {
        self.state().stop();
        if self.0.outbox.is_shared() {
            // What is not in flight is left to the other agents.
            let state = self.state();
            self.0.waiting.release_all_but(|id| state.is_in_flight(id));
        }
        self.0.wake.notify_one();
    }

    /// Returns once no publish is in flight and nobody waits for one.
    pub async fn settled(&self) {
        loop {
            let idle = self.0.idle.notified();
            if self.state().is_idle() && self.0.waiting.is_empty() {
                return;
            }
            idle.await;
        }
    }

    /// Begins no publish any more, and lets everybody go who still waits for an outcome.
    pub fn halt(&self) {
        self.state().halt();
        self.0.wake.notify_one();
        self.0.waiting.release();
    }

    fn next(&self) -> Option<Next> {
        self.state().next(self.0.clock.now(), Instant::now())
    }

    async fn claim(&self, demand: Demand) -> Result<Claims, Problem> {
        let now = self.0.clock.now();
        if !self.state().is_stopping() {
            return self.0.outbox.claim(now, demand).await;
        }
        match self.0.waiting.awaited() {
            awaited if awaited.is_empty() || self.0.outbox.is_shared() => {
                Ok(Claims { claims: Vec::new(), rest: Rest::Idle(None) })
            }
            awaited => self.0.outbox.claim_among(awaited, now, demand).await,
        }
    }

    fn start(&self, asked: usize, claims: Claims) {
        let ids: Vec<_> = claims.claims.iter().map(|claim| (claim.id, claim.sms.text.segments())).collect();
        self.state().claimed(asked, &ids, claims.rest);
        for claim in claims.claims {
            let slot = Slot { shared: Arc::clone(&self.0), id: claim.id };
            let origin = Origin::Stored(claim.trace.clone());
            self.publish(slot, claim, origin);
        }
    }

    async fn sweep(&self) {
        match self.0.outbox.sweep(self.0.clock.now()).await {
            Ok(swept) => {
                let soon = self.0.clock.now().plus(SWEEP_EVERY);
                self.state().swept(swept.next.map(|next| next.min(soon)));
                for message in &swept.ended {
                    endings::tell_of(message);
                    self.0.waiting.tell(message);
                }
            }
            Err(_) => {
                self.state().swept(Some(self.0.clock.now()));
                self.pause(Some(OUTBOX_PAUSE)).await;
            }
        }
    }

    async fn take_up_interrupted(&self) {
        while !self.state().is_stopping() {
            if let Ok(claims) = self.0.outbox.interrupted().await {
                if !claims.is_empty() {
                    tracing::warn!(messages = claims.len(), "publishes were cut off by the end of the last process");
                }
                for claim in claims {
                    let outcome = self.0.policy.interrupted(&claim, self.0.clock.now());
                    worker::settle(&self.0, claim.id, outcome).await;
                }
                return;
            }
            self.pause(Some(OUTBOX_PAUSE)).await;
        }
    }

    async fn pause(&self, duration: Option<Duration>) {
        let asleep = async {
            match duration {
                Some(duration) => tokio::time::sleep(duration).await,
                None => std::future::pending().await,
            }
        };
        tokio::select! {
            () = asleep => {}
            () = self.0.wake.notified() => {}
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state()
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        let mut state = self.shared.state();
        if state.ended(self.id) {
            self.shared.wake.notify_one();
        }
        if state.is_idle() {
            self.shared.idle.notify_waiters();
        }
    }
}
