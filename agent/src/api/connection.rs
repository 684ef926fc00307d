//! Serves one connection: HTTP/1.1 with keep-alive, or HTTP/2 with prior knowledge, within limits.
//!
//! In flow bytes; out flow requests to the API and its answers. Whatever the other side does or leaves undone, what it
//! costs here is bounded: in bytes by the limits below, in time by the connection's pulse.

use std::pin::pin;
use std::sync::Arc;

use http::Version;
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto::Builder;
use tokio::sync::watch;
use tokio::time::{Instant, MissedTickBehavior, interval_at};

use super::capacity::Capacity;
use super::listener::Local;
use super::pulse::{Patience, Pulse};
use super::socket::{Socket, Watched};
use super::{Api, beyond, date};
use crate::clock::{Machine, ThisMachine};
use crate::message::WallTime;

/// The largest head of a request in bytes; with HTTP/1 also what is read ahead.
const HEAD: usize = 16 * 1024;

/// Header fields of a request.
const FIELDS: usize = 100;

/// What may be on its way to us, on one HTTP/2 stream and on all of a connection.
const WINDOWS: (u32, u32) = (64 * 1024, 512 * 1024);

/// What HTTP/2 may hold of answers that wait to be written, for each stream.
const UNWRITTEN: usize = 64 * 1024;

/// Where the requests of a connection go.
#[derive(Clone)]
pub(super) struct Door {
    /// Who answers them.
    pub(super) api: Arc<Api>,
    /// Where they arrived.
    pub(super) local: Arc<Local>,
    /// What their listener has left.
    pub(super) capacity: Arc<Capacity>,
    /// Whether the connection is one beyond the limit.
    pub(super) beyond: bool,
}

/// Serves a connection to its end. Once `stop` is true, it ends with the requests that are in hand.
pub(super) async fn serve(socket: Socket, door: Door, mut stop: watch::Receiver<bool>, patience: Patience) {
    if ThisMachine.wall() > WallTime::LAST {
        return beyond::without_a_date(socket).await;
    }
    let pulse = Pulse::new(patience);
    let lingers = door.beyond;
    let service = service_fn(|request: http::Request<hyper::body::Incoming>| {
        let (pulse, door) = (Arc::clone(&pulse), door.clone());
        // In a box, for an answer that waits to be written must not take up the room of the whole work on it.
        Box::pin(async move {
            let multiplexed = request.version() == Version::HTTP_2;
            let place = if multiplexed { door.capacity.answer(&pulse)? } else { None };
            let mut in_hand = pulse.begin(multiplexed);
            if let Some(place) = place {
                in_hand.hold(place);
            }
            let mut answer = Arc::clone(&door.api).answer(request, &door).await;
            date::put(&mut answer, ThisMachine.wall());
            Ok::<_, h2::Error>(answer.map(|payload| payload.until_written(in_hand.answered())))
        })
    });
    let protocols = protocols(door.capacity.streams());
    let io = TokioIo::new(Watched::new(socket, Arc::clone(&pulse), lingers));
    let mut connection = pin!(protocols.serve_connection(io, service));
    let mut look = interval_at(Instant::now() + patience.look_every, patience.look_every);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let (mut stopping, mut overdue) = (false, false);
    loop {
        tokio::select! {
            ended = connection.as_mut() => {
                if let Err(error) = ended {
                    tracing::trace!(%error, "a connection ended before its time");
                }
                return;
            }
            _ = stop.wait_for(|stop| *stop), if !stopping => {
                stopping = true;
                connection.as_mut().graceful_shutdown();
            }
            due = look.tick() => {
                // The process was stopped: what arrived meanwhile is read before anything is called overdue.
                if due.elapsed() >= patience.look_every {
                    continue;
                }
                match (pulse.is_overdue(), overdue) {
                    (true, true) => return,
                    (true, false) => connection.as_mut().graceful_shutdown(),
                    (false, _) => {}
                }
                overdue = pulse.is_overdue();
            }
        }
    }
}

fn protocols(streams: u32) -> Builder<TokioExecutor> {
    let mut builder = Builder::new(TokioExecutor::new());
    // hyper's own time-out for a head also runs while there is no request; the pulse tells the two apart.
    builder.http1().auto_date_header(false).header_read_timeout(None).max_buf_size(HEAD).max_headers(FIELDS);
    builder
        .http2()
        .auto_date_header(false)
        .max_concurrent_streams(streams)
        .initial_stream_window_size(WINDOWS.0)
        .initial_connection_window_size(WINDOWS.1)
        .max_header_list_size(HEAD as u32)
        .max_send_buf_size(UNWRITTEN);
    builder
}
