//! What goes back: a status, a few headers, JSON that was written once.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::{Buf, Bytes};
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use serde::Serialize;

use super::body::Share;
use super::pulse::InHand;

/// A whole answer; its length is known before it is written.
pub(super) type Answer = Response<Payload>;

/// What most answers need, so that the buffer is not grown on the way.
const USUAL_LENGTH: usize = 512;

/// The bytes of an answer, with everything that they hold until they are written.
pub(super) struct Payload {
    bytes: Bytes,
    held: Held,
}

/// What is given back once an answer is handed to the socket, or given up.
#[derive(Default)]
struct Held {
    _share: Option<Share>,
    _in_hand: Option<InHand>,
}

impl Payload {
    /// A small one.
    pub(super) fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), held: Held::default() }
    }

    /// One of any length, with its share of the memory budget.
    pub(super) fn held(bytes: impl Into<Bytes>, share: Share) -> Self {
        Self { bytes: bytes.into(), held: Held { _share: Some(share), _in_hand: None } }
    }

    /// Its bytes.
    pub(super) fn into_bytes(self) -> Bytes {
        self.bytes
    }

    /// The same, with its request, which stays in hand until the last byte is written.
    pub(super) fn until_written(mut self, in_hand: InHand) -> Self {
        self.held._in_hand = Some(in_hand);
        self
    }
}

impl Body for Payload {
    type Data = Piece;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Piece>, Infallible>>> {
        let (bytes, held) = (std::mem::take(&mut self.bytes), std::mem::take(&mut self.held));
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(Piece { bytes, _held: held }))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
    }
}

/// Bytes on their way out. hyper drops them when the socket has taken them, and only then is given back what they hold.
pub(super) struct Piece {
    bytes: Bytes,
    _held: Held,
}

impl Buf for Piece {
    fn remaining(&self) -> usize {
        self.bytes.remaining()
    }

    fn chunk(&self) -> &[u8] {
        self.bytes.chunk()
    }

    fn advance(&mut self, written: usize) {
        self.bytes.advance(written);
    }
}

/// An answer in JSON.
pub(super) fn json(status: StatusCode, value: &impl Serialize) -> Answer {
    ready_made(status, Payload::new(to_json(value)))
}

/// An answer whose JSON stands already.
pub(super) fn ready_made(status: StatusCode, json: Payload) -> Answer {
    let mut answer = Answer::new(json);
    *answer.status_mut() = status;
    answer.headers_mut().insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    answer
}

/// The same as HEAD has it: all headers, and no body.
pub(super) fn without_body(mut answer: Answer) -> Answer {
    let length = HeaderValue::from(answer.body().bytes.len());
    answer.headers_mut().insert(CONTENT_LENGTH, length);
    answer.body_mut().bytes = Bytes::new();
    answer
}

/// The JSON of a value of ours: strings, numbers and lists, which cannot fail.
pub(super) fn to_json(value: &impl Serialize) -> Vec<u8> {
    let mut json = Vec::with_capacity(USUAL_LENGTH);
    if serde_json::to_writer(&mut json, value).is_err() {
        json.clear();
    }
    json
}
