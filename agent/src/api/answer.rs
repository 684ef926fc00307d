//! What goes back: a status, a few headers, JSON that was written once.

use std::convert::Infallible;
use std::pin::Pin;
use std::task::{Context, Poll};

use bytes::Bytes;
use http::header::{CONTENT_LENGTH, CONTENT_TYPE};
use http::{HeaderValue, Response, StatusCode};
use hyper::body::{Body, Frame, SizeHint};
use serde::Serialize;

use super::body::Share;

/// A whole answer; its length is known before it is written.
pub(super) type Answer = Response<Payload>;

/// What most answers need, so that the buffer is not grown on the way.
const USUAL_LENGTH: usize = 512;

/// The bytes of an answer. A large one counts against the memory budget until it is written.
pub(super) struct Payload {
    bytes: Bytes,
    _share: Option<Share>,
}

impl Payload {
    /// A small one.
    pub(super) fn new(bytes: impl Into<Bytes>) -> Self {
        Self { bytes: bytes.into(), _share: None }
    }

    /// Whatever its length, with its share of the budget.
    pub(super) fn held(bytes: impl Into<Bytes>, share: Share) -> Self {
        Self { bytes: bytes.into(), _share: Some(share) }
    }
}

impl Body for Payload {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(mut self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        let bytes = std::mem::take(&mut self.bytes);
        Poll::Ready((!bytes.is_empty()).then(|| Ok(Frame::data(bytes))))
    }

    fn is_end_stream(&self) -> bool {
        self.bytes.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.bytes.len() as u64)
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
    *answer.body_mut() = Payload::new(Bytes::new());
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
