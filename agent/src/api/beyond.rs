//! Serves the connections beyond the limit: an answer for health and readiness, 503 `overloaded` for everything else.
//!
//! Such a connection is not simply closed: its client learns why and when to try again, and an orchestrator that asks
//! for health at the worst time still gets its answer. What it sent is read first, so that the answer arrives. It gets
//! little time, and the less, the more there are of them.

use std::time::Duration;

use tokio::sync::watch;
use tokio::time::timeout;

use super::connection::{self, Door};
use super::problem;
use super::pulse::{Patience, Pulse};
use super::socket::{Socket, Watched};
use crate::message::{Code, Problem};

/// How long a client may take to read why it is refused altogether.
const REFUSED_WITHIN: Duration = Duration::from_millis(250);

/// Serves one of them.
pub(super) async fn serve(socket: Socket, door: Door, stop: watch::Receiver<bool>) {
    let (silent, patience) = door.capacity.patience_beyond();
    match timeout(silent, socket.spoke()).await {
        Ok(_) => connection::serve(socket, door, stop, patience).await,
        Err(_) => refuse(socket, &overloaded(), silent).await,
    }
}

/// What is answered to any request but those for health and readiness.
pub(super) fn overloaded() -> Problem {
    Problem::new(Code::Overloaded, "As many connections are open as `agent.max_connections` allows.")
}

/// Answers every connection while the machine's clock shows a year that HTTP has no way to write: hyper panics then.
pub(super) async fn without_a_date(socket: Socket) {
    // What it asks is read first, so that the answer arrives.
    drop(timeout(REFUSED_WITHIN, socket.spoke()).await);
    let detail = "The clock of the agent's machine is beyond the year 9999; set it right.";
    refuse(socket, &Problem::new(Code::Internal, detail), REFUSED_WITHIN).await;
}

/// Answers a connection without a look at what it asks, in HTTP/1.1, and closes it.
async fn refuse(socket: Socket, problem: &Problem, within: Duration) {
    let mut watched = Watched::new(socket, Pulse::new(Patience::USUAL), true);
    drop(timeout(within, watched.finish_with(&written(problem))).await);
}

fn written(problem: &Problem) -> Vec<u8> {
    let (head, body) = problem::answer(problem).into_parts();
    let body = body.into_bytes();
    let mut answer = format!("HTTP/1.1 {}\r\nconnection: close\r\ncontent-length: {}\r\n", head.status, body.len());
    for (name, value) in &head.headers {
        // All of them are ours, and text.
        answer.push_str(&format!("{name}: {}\r\n", value.to_str().unwrap_or_default()));
    }
    answer.push_str("\r\n");
    [answer.as_bytes(), &body].concat()
}
