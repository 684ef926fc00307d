//! Serves the connections beyond the limit: an answer for health and readiness, 503 `overloaded` for everything else.
//!
//! Such a connection is not simply closed: its client learns why and when to try again, and an orchestrator that asks
//! for health at the worst time still gets its answer. What it sent is read first, so that the answer arrives. It gets
//! little time, and the less, the more there are of them.

use tokio::sync::watch;
use tokio::time::timeout;

use super::answer::Payload;
use super::connection::{self, Door};
use super::problem;
use super::socket::Socket;
use crate::message::{Code, Problem};

/// Serves one of them.
pub(super) async fn serve(mut socket: Socket, door: Door, stop: watch::Receiver<bool>) {
    let (silent, patience) = door.capacity.patience_beyond();
    match timeout(silent, socket.spoke()).await {
        Ok(_) => connection::serve(socket, door, stop, patience).await,
        Err(_) => drop(timeout(silent, socket.finish_with(&unasked())).await),
    }
}

/// What is answered to any request but those for health and readiness.
pub(super) fn overloaded() -> Problem {
    Problem::new(Code::Overloaded, "As many connections are open as `agent.max_connections` allows.")
}

/// The answer to a connection that asked nothing. HTTP/2 clients speak first, so it is HTTP/1.1.
fn unasked() -> Vec<u8> {
    let (head, body): (_, Payload) = problem::answer(&overloaded()).into_parts();
    let body = body.into_bytes();
    let status = head.status;
    let mut answer =
        format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-length: {}\r\n", body.len()).into_bytes();
    for (name, value) in &head.headers {
        answer.extend_from_slice(name.as_str().as_bytes());
        answer.extend_from_slice(b": ");
        answer.extend_from_slice(value.as_bytes());
        answer.extend_from_slice(b"\r\n");
    }
    answer.extend_from_slice(b"\r\n");
    answer.extend_from_slice(&body);
    answer
}
