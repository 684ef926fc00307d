//! Time-outs that count only the time during which this process ran.
//!
//! A process that is stopped (SIGSTOP, a frozen cgroup, a paused virtual machine, a debugger, a runtime thread that is
//! blocked) finds every timer overdue when it goes on, before it has read what arrived meanwhile. A plain time-out then
//! says that no answer came although it lies in the socket. Here the time of a stop does not count, and nothing is
//! called late before the sockets were read once more.

use std::future::{Future, poll_fn};
use std::pin::pin;
use std::task::Poll;
use std::time::Duration;

use tokio::time::{Instant, timeout};

/// A limit is waited for in so many steps, within the bounds below: a stop costs one step at most.
const STEPS: u32 = 8;
const SHORTEST_STEP: Duration = Duration::from_millis(10);
const LONGEST_STEP: Duration = Duration::from_millis(500);

/// A timer that is later than this was not slow: the process did not run.
const STOPPED: Duration = Duration::from_millis(100);

/// What is left of the limit after a stop, at least: what was on its way must still arrive, which takes moments where a
/// machine was paused and its peers have to send again.
const GRACE: Duration = Duration::from_secs(1);

/// After so many stops no time is added any more, so that a process which is stopped again and again comes to an end.
const GRACES: u32 = 16;

/// How often the sockets are read once more when the time is over. An answer takes some turns of the runtime from the
/// socket to whoever waits: its head, its body, and records of TLS in between.
const LOOKS: u32 = 64;

/// The limit is over, and there is no answer.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("no answer in time")]
pub struct TimedOut;

/// Waits for `future` for as long as `limit` of this process's running time. A stop of the process extends the wait by
/// its own length, and by up to a second more in which answers can still arrive.
///
/// # Errors
/// [`TimedOut`]; everything that had arrived by then was read.
pub async fn within<F: Future>(limit: Duration, future: F) -> Result<F::Output, TimedOut> {
    let mut future = pin!(future);
    let step = (limit / STEPS).clamp(SHORTEST_STEP, LONGEST_STEP);
    let (mut left, mut graces) = (limit, GRACES);
    while !left.is_zero() {
        let (planned, began) = (step.min(left), Instant::now());
        if let Ok(output) = timeout(planned, future.as_mut()).await {
            return Ok(output);
        }
        let passed = began.elapsed();
        if passed.saturating_sub(planned) < STOPPED {
            left = left.saturating_sub(passed);
            continue;
        }
        left -= planned;
        if graces > 0 {
            graces -= 1;
            left = left.max(GRACE.min(limit));
        }
    }
    for _ in 0..LOOKS {
        let looked = poll_fn(|context| Poll::Ready(future.as_mut().poll(context))).await;
        if let Poll::Ready(output) = looked {
            return Ok(output);
        }
        // The runtime asks the system for what has arrived before it comes back to this task.
        tokio::task::yield_now().await;
    }
    Err(TimedOut)
}

#[cfg(test)]
mod tests {
    use std::future::pending;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};
    use tokio::time::sleep;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(5);

    #[tokio::test(start_paused = true)]
    async fn a_limit_is_kept_to_the_millisecond_while_the_process_runs() {
        for limit in [0, 1, 7, 500, 5_000, 25_000] {
            let (limit, began) = (Duration::from_millis(limit), Instant::now());
            assert_eq!(within(limit, pending::<()>()).await, Err(TimedOut));
            assert!(began.elapsed() >= limit && began.elapsed() <= limit + Duration::from_millis(2), "{limit:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn what_is_ready_in_time_is_given_and_what_is_ready_at_once_needs_no_time() {
        assert_eq!(within(Duration::ZERO, async { 7 }).await, Ok(7));
        let almost = async {
            sleep(LIMIT - Duration::from_millis(1)).await;
            7
        };
        assert_eq!(within(LIMIT, almost).await, Ok(7));
    }

    /// The runtime's one thread is blocked, as a stopped process is, while the answer arrives in parts.
    #[tokio::test]
    async fn an_answer_that_arrived_while_nothing_ran_is_read_however_many_turns_that_takes() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let limit = Duration::from_millis(60);
        let (say, said) = std::sync::mpsc::channel::<()>();
        let mut stream = TcpStream::connect(address).await.unwrap();
        let (mut far, _) = listener.accept().await.unwrap();
        let (parts, mut arrived) = tokio::sync::mpsc::channel(1);
        tokio::spawn(async move {
            let mut byte = [0];
            while stream.read_exact(&mut byte).await.is_ok() {
                parts.send(byte[0]).await.unwrap();
            }
        });
        let answer = async {
            for _ in 0..8 {
                arrived.recv().await.unwrap();
            }
        };
        // Written by the peer in time; this process is stopped until long after the limit.
        tokio::spawn(async move {
            sleep(Duration::from_millis(20)).await;
            far.write_all(b"answered").await.unwrap();
            assert!(said.recv_timeout(Duration::from_millis(400)).is_err());
            far
        });
        assert_eq!(within(limit, answer).await, Ok(()));
        drop(say);
    }

    #[tokio::test(start_paused = true)]
    async fn a_stop_does_not_use_the_limit_up_and_leaves_a_moment_for_what_is_on_its_way() {
        let began = Instant::now();
        let stop = tokio::spawn(async {
            sleep(LIMIT - Duration::from_millis(10)).await;
            tokio::time::advance(Duration::from_secs(60)).await;
        });
        let late = async {
            sleep(LIMIT + Duration::from_secs(60) + GRACE / 2).await;
            7
        };
        assert_eq!(within(LIMIT, late).await, Ok(7), "after {:?}", began.elapsed());
        stop.await.unwrap();
    }

    #[tokio::test(start_paused = true)]
    async fn a_process_that_is_stopped_again_and_again_comes_to_an_end() {
        let stops = tokio::spawn(async {
            loop {
                sleep(Duration::from_millis(10)).await;
                tokio::time::advance(Duration::from_secs(1)).await;
            }
        });
        assert_eq!(within(LIMIT, pending::<()>()).await, Err(TimedOut));
        stops.abort();
    }
}
