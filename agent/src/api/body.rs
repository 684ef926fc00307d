//! Reads a request's body within bounds: of one body, of all bodies together, and of time.
//!
//! In flow frames as they arrive; out flow the bytes, with the share of the common budget that they take up until the
//! request is answered. A length that is declared too large is refused before a byte is read.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::BodyExt;
use hyper::body::Body;
use sms_config::within;
use tokio::time::{Instant, timeout_at};

use crate::message::{Code, Problem};

/// The largest body of one message.
pub(super) const OF_ONE_MESSAGE: usize = 64 * 1024;

/// The largest body of a batch.
pub(super) const OF_A_BATCH: usize = 2 * 1024 * 1024;

/// All bodies in hand together.
const OF_ALL_REQUESTS: usize = 64 * 1024 * 1024;

/// What is reserved at a time for a body that is announced: all of one message, so that it never moves.
const AHEAD: usize = OF_ONE_MESSAGE;

/// What hyper's buffers take up of a connection whose body comes in pieces; it counts as the body's.
const BUFFERED: usize = 32 * 1024;

/// How long a body may take to arrive.
const ARRIVES_WITHIN: Duration = Duration::from_secs(10);

/// How much of a refused body is read and thrown away, so that its sender gets to read the answer: a connection that is
/// closed with bytes unread is reset, and the answer may be lost with it.
const DRAINED: usize = 8 * 1024 * 1024;

/// For how long a refused body is read and thrown away.
pub(super) const DRAINED_FOR: Duration = Duration::from_secs(2);

/// The same where the agent stops, and does not wait for a body that may never come.
pub(super) const DRAINED_AT_A_STOP: Duration = Duration::from_millis(250);

/// What one listener may take up beyond that, if it takes up no more than this in all: large bodies at one of them leave
/// room at another.
const OF_ONE_LISTENER: usize = 4 * 1024 * 1024;

/// The bytes that bodies may take up, over all requests. Each listener has one that counts its own as well.
pub(super) struct Budget {
    all: Arc<AtomicUsize>,
    own: Arc<AtomicUsize>,
}

impl Budget {
    /// With nothing taken.
    pub(super) fn new() -> Self {
        Self { all: Arc::default(), own: Arc::default() }
    }

    /// The same bytes, for one more listener.
    pub(super) fn of_another(&self) -> Self {
        Self { all: Arc::clone(&self.all), own: Arc::default() }
    }

    /// Takes a share until it is dropped.
    ///
    /// # Errors
    /// `overloaded`: there is not that much left.
    pub(super) fn take(&self, bytes: usize) -> Result<Share, Problem> {
        // What is refused is given back by dropping the share.
        let share = Share { bytes, all: Arc::clone(&self.all), own: Arc::clone(&self.own) };
        let all = self.all.fetch_add(bytes, Ordering::Relaxed) + bytes;
        let own = self.own.fetch_add(bytes, Ordering::Relaxed) + bytes;
        if all <= OF_ALL_REQUESTS || own <= OF_ONE_LISTENER {
            return Ok(share);
        }
        Err(Problem::new(Code::Overloaded, "The requests in hand take up all the memory they may."))
    }
}

/// A part of the budget.
pub(super) struct Share {
    bytes: usize,
    all: Arc<AtomicUsize>,
    own: Arc<AtomicUsize>,
}

impl Share {
    /// Adds another part of the same budget.
    fn merge(&mut self, mut other: Self) {
        self.bytes += std::mem::take(&mut other.bytes);
    }
}

impl Drop for Share {
    fn drop(&mut self) {
        self.all.fetch_sub(self.bytes, Ordering::Relaxed);
        self.own.fetch_sub(self.bytes, Ordering::Relaxed);
    }
}

/// Reads the whole body.
///
/// # Errors
/// `payload_too_large`, `overloaded`, `request_timeout`; `invalid_json` if it breaks off.
pub(super) async fn read<B>(body: &mut B, limit: usize, budget: &Budget) -> Result<(Bytes, Share), Problem>
where
    B: Body<Data = Bytes> + Unpin,
{
    let too_large = || Problem::new(Code::PayloadTooLarge, format!("The body has more than {limit} bytes."));
    if body.size_hint().lower() > limit as u64 {
        return Err(too_large());
    }
    // What arrived while this process was stopped is read.
    let late = |_| Problem::new(Code::RequestTimeout, "The body did not arrive within 10 seconds.");
    within(ARRIVES_WITHIN, collect(body, limit, budget)).await.map_err(late)?
}

/// Reads the whole body, however long it takes.
async fn collect<B>(body: &mut B, limit: usize, budget: &Budget) -> Result<(Bytes, Share), Problem>
where
    B: Body<Data = Bytes> + Unpin,
{
    let too_large = || Problem::new(Code::PayloadTooLarge, format!("The body has more than {limit} bytes."));
    let mut share = budget.take(0)?;
    let mut whole = Vec::new();
    while !body.is_end_stream() {
        let broken = |_| Problem::new(Code::InvalidJson, "The body broke off or is not framed as HTTP has it.");
        let Some(frame) = body.frame().await.transpose().map_err(broken)? else { break };
        let Ok(bytes) = frame.into_data() else { continue };
        if whole.len() + bytes.len() > limit {
            return Err(too_large());
        }
        // Nearly every body comes in one piece, which then need not be copied.
        if whole.is_empty() && body.is_end_stream() {
            share.merge(budget.take(bytes.len())?);
            return Ok((bytes, share));
        }
        // A piece keeps hyper's whole buffer, so it is not kept. Exactly so much is reserved: a buffer that doubles takes
        // up twice what the budget knows of.
        if whole.capacity() == 0 {
            share.merge(budget.take(BUFFERED)?);
        }
        if whole.capacity() - whole.len() < bytes.len() {
            let room = bytes.len() + usize::try_from(body.size_hint().lower()).map_or(AHEAD, |left| left.min(AHEAD));
            share.merge(budget.take(room)?);
            whole.reserve_exact(room);
        }
        whole.extend_from_slice(&bytes);
    }
    Ok((Bytes::from(whole), share))
}

/// Reads a little of a body that nobody wants and throws it away, for at most that time.
pub(super) async fn drain<B>(mut body: B, time: Duration)
where
    B: Body<Data = Bytes> + Unpin,
{
    let mut left = DRAINED;
    let deadline = Instant::now() + time;
    while let Ok(Some(Ok(frame))) = timeout_at(deadline, body.frame()).await {
        left = left.saturating_sub(frame.data_ref().map_or(0, Bytes::len));
        if left == 0 {
            return;
        }
    }
}

#[cfg(test)]
mod tests {
    use std::convert::Infallible;

    use futures_util::{StreamExt, stream};
    use http_body_util::{Full, StreamBody};
    use hyper::body::Frame;

    use super::*;

    fn pieces(pieces: Vec<&'static [u8]>) -> impl Body<Data = Bytes, Error = Infallible> + Unpin {
        StreamBody::new(stream::iter(pieces).map(|piece| Ok(Frame::data(Bytes::from_static(piece)))))
    }

    async fn code(mut body: impl Body<Data = Bytes> + Unpin, limit: usize, budget: &Budget) -> Option<Code> {
        read(&mut body, limit, budget).await.err().map(|problem| problem.code)
    }

    impl Budget {
        fn left(&self) -> usize {
            OF_ALL_REQUESTS - self.all.load(Ordering::Relaxed)
        }
    }

    #[test]
    fn what_one_listener_takes_up_leaves_a_little_to_another() {
        let crowded = Budget::new();
        let other = crowded.of_another();
        let all = crowded.take(OF_ALL_REQUESTS).ok().unwrap();
        assert!(crowded.take(1).is_err());
        let own = other.take(OF_ONE_LISTENER).ok().unwrap();
        assert!(other.take(1).is_err());
        assert!(crowded.take(1).is_err());
        drop((all, own));
        assert_eq!((crowded.left(), other.left()), (OF_ALL_REQUESTS, OF_ALL_REQUESTS));
    }

    #[tokio::test]
    async fn pieces_are_put_together_and_their_share_given_back() {
        let budget = Budget::new();
        let (bytes, share) = read(&mut pieces(vec![b"{", b"", b"\"a\"", b":1}"]), 64, &budget).await.unwrap();
        assert_eq!(bytes, "{\"a\":1}");
        assert_eq!(budget.left(), OF_ALL_REQUESTS - BUFFERED - 7);
        drop(share);
        assert_eq!(budget.left(), OF_ALL_REQUESTS);
    }

    #[tokio::test]
    async fn a_body_in_one_piece_is_not_copied() {
        let sent = Bytes::from(vec![b'x'; 100]);
        let (read, _share) = read(&mut Full::new(sent.clone()), 100, &Budget::new()).await.unwrap();
        assert_eq!(read.as_ptr(), sent.as_ptr());
    }

    #[tokio::test]
    async fn more_than_the_limit_is_refused_whether_declared_or_not() {
        let budget = Budget::new();
        assert_eq!(code(Full::new(Bytes::from_static(b"12345")), 4, &budget).await, Some(Code::PayloadTooLarge));
        assert_eq!(code(pieces(vec![b"123", b"45"]), 4, &budget).await, Some(Code::PayloadTooLarge));
        assert_eq!(code(pieces(vec![b"12", b"34"]), 4, &budget).await, None);
        assert_eq!(budget.left(), OF_ALL_REQUESTS);
    }

    #[tokio::test]
    async fn when_all_bodies_take_up_what_they_may_the_next_one_is_refused() {
        let budget = Budget::new();
        let taken = budget.take(OF_ALL_REQUESTS - BUFFERED - 3).unwrap();
        assert_eq!(code(pieces(vec![b"12", b"34"]), 4, &budget).await, Some(Code::Overloaded));
        assert_eq!(budget.left(), BUFFERED + 3);
        drop(taken);
        assert_eq!(code(pieces(vec![b"12", b"34"]), 4, &budget).await, None);
    }

    #[tokio::test(start_paused = true)]
    async fn a_body_that_trickles_is_given_up_however_steadily_it_does() {
        let trickle = stream::unfold((), |()| async {
            tokio::time::sleep(Duration::from_secs(1)).await;
            Some((Ok::<_, Infallible>(Frame::data(Bytes::from_static(b" "))), ()))
        });
        let begun = Instant::now();
        let trickle = StreamBody::new(Box::pin(trickle));
        assert_eq!(code(trickle, 1000, &Budget::new()).await, Some(Code::RequestTimeout));
        assert_eq!(begun.elapsed(), ARRIVES_WITHIN);
    }
}
