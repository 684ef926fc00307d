//! Accepts connections for as long as the agent lives, whatever accept answers.
//!
//! In flows a listener; out flow connections, each a task of its own, at most so many at a time. An accept that fails
//! because files or memory ran out pauses: trying again at once would only burn the processor that could free some.

use std::io;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection::{self, Door};
use super::listener::Listener;

/// How long accept rests after a failure that will not pass by itself.
const PAUSE: Duration = Duration::from_millis(100);

/// Serves a listener until `stop` says so, then lets what is in flight end, for at most `grace`, then cuts it.
pub(super) async fn serve(
    listener: Listener,
    door: Door,
    places: Arc<Semaphore>,
    mut stop: watch::Receiver<bool>,
    grace: Duration,
) {
    let mut connections = JoinSet::new();
    accept(&listener, &door, &places, &mut stop, &mut connections).await;
    drop(listener);
    let ended = async { while connections.join_next().await.is_some() {} };
    if timeout(grace, ended).await.is_err() {
        tracing::warn!(connections = connections.len(), "connections were cut at the end of the stop");
    }
}

/// Accepts connections and spawns them, until `stop` says so.
async fn accept(
    listener: &Listener,
    door: &Door,
    places: &Arc<Semaphore>,
    stop: &mut watch::Receiver<bool>,
    connections: &mut JoinSet<()>,
) {
    let for_each = stop.clone();
    // First a place, then a connection: whoever finds none waits in the kernel's queue and costs nothing here.
    let next = || async {
        let place = Arc::clone(places).acquire_owned().await.ok();
        (place, persist(|| listener.accept()).await)
    };
    // It goes on while connections end, so that their end does not cut its pauses short.
    let mut pending = pin!(next());
    loop {
        tokio::select! {
            (place, socket) = pending.as_mut() => {
                pending.set(next());
                let served = connection::serve(socket, door.clone(), for_each.clone());
                connections.spawn(async move {
                    let _place = place;
                    served.await;
                });
            }
            _ = connections.join_next(), if !connections.is_empty() => {}
            _ = stop.wait_for(|stop| *stop) => return,
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
    use tokio::time::Instant;

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
