//! How much one listener takes on, so that what it does not take on is refused at once and nobody else pays for it.
//!
//! Every listener has a capacity of its own: whoever fills up one of them shuts out nobody at another. Within one, a part
//! of the connections is kept from requests that may wait for the carrier, so that the others are always answered.

use std::sync::Arc;
use std::time::Duration;

use http::Version;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, SemaphorePermit};

use super::REQUESTS;
use super::body::Budget;
use super::pulse::{Patience, Pulse};

/// Requests of a connection whose answers wait to be written, for which it needs no place among those of its listener.
const ALLOWANCE: usize = 4;

/// Requests at a time on one HTTP/2 connection, and on one of many. What a connection needs for that many, some 100 KiB
/// for 64, it keeps to its end.
const STREAMS: (u32, u32) = (64, 16);

/// The share of all connections from which on they are many.
const MANY: usize = 4;

/// One in so many connections is kept from requests that wait.
const KEPT_FREE: usize = 8;

/// How long a connection beyond the limit may be silent, and how long everything else may take, while all of the
/// connections that there may be beyond it are free. With fewer of them free both shrink, so that a crowd of them passes
/// quickly, down to the second pair.
const BEYOND: [(Duration, Duration); 2] =
    [(Duration::from_millis(250), Duration::from_secs(2)), (Duration::from_millis(10), Duration::from_millis(50))];

/// So many connections free beyond the limit are plenty.
const PLENTY: f64 = 64.0;

/// Limits of each listener.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Limits {
    /// Connections that are served at a time.
    pub connections: usize,
    /// Connections beyond them at a time. These get an answer only from `/healthz` and `/readyz`, once; everything else
    /// is answered 503 `overloaded`.
    pub beyond: usize,
}

/// What is left of the limits of one listener.
pub(super) struct Capacity {
    limits: Limits,
    connections: Arc<Semaphore>,
    beyond: Arc<Semaphore>,
    answers: Arc<Semaphore>,
    waiting_connections: Semaphore,
    waiting_streams: Semaphore,
    budget: Budget,
}

/// Where a connection stands; it stands there until this is dropped.
pub(super) enum Standing {
    /// Within the limit.
    Within(OwnedSemaphorePermit),
    /// Beyond it.
    Beyond(OwnedSemaphorePermit),
}

impl Capacity {
    /// Of one of so many listeners, with nothing taken.
    pub(super) fn new(limits: Limits, listeners: usize, budget: Budget) -> Arc<Self> {
        // A quarter of all requests is left to those that do not wait.
        let streams = REQUESTS / 4 * 3 / listeners.max(1);
        Arc::new(Self {
            limits,
            connections: Arc::new(Semaphore::new(limits.connections)),
            beyond: Arc::new(Semaphore::new(limits.beyond)),
            answers: Arc::new(Semaphore::new(REQUESTS / 2 / listeners.max(1))),
            waiting_connections: Semaphore::new(limits.connections - limits.connections / KEPT_FREE),
            waiting_streams: Semaphore::new(streams),
            budget,
        })
    }

    /// A standing for a connection that was accepted. Where there is none, it waits for one.
    pub(super) async fn admit(&self) -> Option<Standing> {
        tokio::select! {
            biased;
            place = Arc::clone(&self.connections).acquire_owned() => place.ok().map(Standing::Within),
            place = Arc::clone(&self.beyond).acquire_owned() => place.ok().map(Standing::Beyond),
        }
    }

    /// How long a connection beyond the limit may be silent, and its time limits after that.
    pub(super) fn patience_beyond(&self) -> (Duration, Patience) {
        let free = ((self.beyond.available_permits() + 1) as f64 / PLENTY).min(1.0);
        let [most, least] = BEYOND;
        let shrunk = |most: Duration, least: Duration| most.mul_f64(free * free).max(least);
        (shrunk(most.0, least.0), Patience::of(shrunk(most.1, least.1)))
    }

    /// Requests at a time on a connection that begins now, over HTTP/2.
    pub(super) fn streams(&self) -> u32 {
        let taken = self.limits.connections - self.connections.available_permits();
        if taken <= self.limits.connections / MANY { STREAMS.0 } else { STREAMS.1 }
    }

    /// Whether connections are short, so that those of requests that are refused had better be closed.
    pub(super) fn is_crowded(&self) -> bool {
        self.connections.available_permits() <= self.limits.connections / KEPT_FREE
    }

    /// A place for the answer to one more request of this connection; `Ok(None)` if it needs none.
    ///
    /// # Errors
    /// The connection leaves too many answers unread, and so do others.
    pub(super) fn answer(&self, pulse: &Pulse) -> Result<Option<OwnedSemaphorePermit>, h2::Error> {
        if pulse.in_hand() < ALLOWANCE {
            return Ok(None);
        }
        // It tells the client that the request was not looked at and may be sent again (RFC 9113, section 8.7).
        let refused = |_| h2::Error::from(h2::Reason::REFUSED_STREAM);
        Arc::clone(&self.answers).try_acquire_owned().map(Some).map_err(refused)
    }

    /// What bodies and large answers may take up.
    pub(super) fn budget(&self) -> &Budget {
        &self.budget
    }

    /// A place for a request that may have to wait for the carrier, if there is one left. With HTTP/1 it holds a whole
    /// connection.
    pub(super) fn wait(&self, version: Version) -> Option<SemaphorePermit<'_>> {
        let places = if version == Version::HTTP_2 { &self.waiting_streams } else { &self.waiting_connections };
        places.try_acquire().ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn capacity(connections: usize, beyond: usize) -> Arc<Capacity> {
        Capacity::new(Limits { connections, beyond }, 1, Budget::new())
    }

    #[tokio::test]
    async fn connections_are_within_the_limit_before_they_are_beyond_it() {
        let capacity = capacity(1, 1);
        let within = capacity.admit().await.unwrap();
        assert!(matches!(within, Standing::Within(_)));
        let beyond = capacity.admit().await.unwrap();
        assert!(matches!(beyond, Standing::Beyond(_)));
        drop(within);
        assert!(matches!(capacity.admit().await.unwrap(), Standing::Within(_)));
    }

    #[tokio::test]
    async fn the_more_connections_there_are_the_fewer_requests_each_may_have_at_a_time() {
        let capacity = capacity(8, 1);
        let mut all = Vec::new();
        for expected in [64, 64, 16, 16] {
            all.push(capacity.admit().await);
            assert_eq!(capacity.streams(), expected);
        }
    }

    #[tokio::test]
    async fn requests_that_wait_never_hold_all_connections() {
        let capacity = capacity(16, 1);
        let waiting: Vec<_> = std::iter::from_fn(|| capacity.wait(Version::HTTP_11)).collect();
        assert_eq!(waiting.len(), 14);
        assert!(capacity.wait(Version::HTTP_2).is_some(), "a stream does not hold a connection");
    }

    #[tokio::test]
    async fn the_fewer_places_are_left_beyond_the_limit_the_shorter_is_the_patience() {
        let capacity = capacity(1, 64);
        let _within = capacity.admit().await;
        let [(most, _), (least, _)] = BEYOND;
        let mut all = vec![capacity.admit().await];
        assert_eq!(capacity.patience_beyond().0, most);
        let mut last = most;
        for _ in 1..64 {
            all.push(capacity.admit().await);
            let (silent, _) = capacity.patience_beyond();
            assert!(silent < last || silent == least);
            last = silent;
        }
        assert_eq!(last, least);
    }
}
