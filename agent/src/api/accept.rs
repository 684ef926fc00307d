//! Accepts connections for as long as the agent lives, whatever accept answers.
//!
//! It takes a listener and spawns a task for every connection, at most as many as the listener's capacity allows. If
//! accept fails because files or memory ran out, it pauses: a retry at once would only burn the processor that could free
//! some.

use std::io;
use std::pin::pin;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, timeout};

use super::beyond;
use super::capacity::Standing;
use super::connection::{self, Door};
use super::listener::Listener;
use super::pulse::Patience;

/// How often connections beyond the limit are told of.
const TELL_EVERY: Duration = Duration::from_secs(60);

/// How long accept rests after a failure that will not pass by itself.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves a listener until `stop` says so, then lets what is in flight end, for at most `grace`, then cuts it.
pub(super) async fn serve(listener: Listener, door: Door, mut stop: watch::Receiver<bool>, grace: Duration) {
    let mut connections = JoinSet::new();
    accept(&listener, &door, &mut stop, &mut connections).await;
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(grace, ended).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut at the end of the stop");
    }
}

/// Accepts connections and spawns them, until `stop` says so.
async fn accept(listener: &Listener, door: &Door, stop: &mut watch::Receiver<bool>, connections: &mut JoinSet<()>) {
    let for_each = stop.clone();
    let mut crowd = Crowd { address: listener.address(), told_at: None };
    // Where even the connections beyond the limit are all taken, it waits, and with it the kernel's queue.
    let next = || async { (persist(|| listener.accept()).await, door.capacity.admit().await) };
    // It goes on while connections end, so that their end does not cut its pauses short.
    let mut pending = pin!(next());
    loop {
        tokio::select! {
            (socket, standing) = pending.as_mut() => {
                pending.set(next());
                let (door, stop) = (door.clone(), for_each.clone());
                match standing {
                    Some(Standing::Within(place)) => connections.spawn(async move {
                        let _place = place;
                        connection::serve(socket, door, stop, Patience::USUAL).await;
                    }),
                    Some(Standing::Beyond(place)) => {
                        crowd.grew();
                        connections.spawn(async move {
                            let _place = place;
                            beyond::serve(socket, Door { beyond: true, ..door }, stop).await;
                        })
                    }
                    // Its semaphores are never closed.
                    None => continue,
                };
            }
            _ = connections.join_next(), if !connections.is_empty() => {}
            _ = stop.wait_for(|stop| *stop) => return,
        }
    }
}

/// Tells of connections beyond the limit, not of each.
struct Crowd {
    address: String,
    told_at: Option<Instant>,
}

impl Crowd {
    fn grew(&mut self) {
        if self.told_at.is_none_or(|at| at.elapsed() >= TELL_EVERY) {
            self.told_at = Some(Instant::now());
            let address = self.address.as_str();
            tracing::warn!(
                address,
                "agent.max_connections is reached: further connections are answered 503 overloaded (told once a minute)"
            );
        }
    }
}

/// Accepts until it succeeds.
async fn persist<T, F: Future<Output = io::Result<T>>>(mut accept: impl FnMut() -> F) -> T {
    let mut told = false;
    loop {
        match accept().await {
            Ok(connection) => return connection,
            Err(error) if concerns_one(&error) => {}
            Err(error) => {
                if !told {
                    tracing::warn!(%error, "cannot accept connections; is the limit of open files too low?");
                    told = true;
                }
                sleep(PAUSE).await;
            }
        }
    }
}

/// Whether the failure is that of one connection, which was gone before it was accepted.
fn concerns_one(error: &io::Error) -> bool {
    use io::ErrorKind::{ConnectionAborted, ConnectionReset, Interrupted};
    matches!(error.kind(), ConnectionAborted | ConnectionReset | Interrupted)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `EMFILE` of Linux, the BSDs and macOS.
    const TOO_MANY_OPEN_FILES: i32 = 24;

    async fn waited(failures: Vec<io::Error>) -> Duration {
        let begun = Instant::now();
        let mut script = failures.into_iter();
        persist(|| std::future::ready(script.next().map_or(Ok(()), Err))).await;
        begun.elapsed()
    }

    #[tokio::test(start_paused = true)]
    async fn accept_survives_that_files_run_out_and_does_not_spin() {
        let emfile = || io::Error::from_raw_os_error(TOO_MANY_OPEN_FILES);
        assert_eq!(waited(vec![emfile(), emfile(), emfile()]).await, 3 * PAUSE);
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_was_gone_before_it_was_accepted_holds_up_nobody() {
        assert_eq!(waited(vec![io::ErrorKind::ConnectionAborted.into()]).await, Duration::ZERO);
    }
}
