//! `GET /v1/simulator/messages`: what the simulator's phones received, so that a test of somebody's program can read
//! the code it sent itself.

use http::StatusCode;
use serde::Serialize;

use super::answer::{self, Payload, to_json};
use super::problem::Shown;
use super::routes::{Call, Work};
use crate::carrier::simulator::Received;
use crate::message::{Code, MessageId, Problem, WallTime};

#[derive(Serialize)]
struct PageJson<'a> {
    messages: Vec<ReceivedJson<'a>>,
    next_cursor: Option<&'a str>,
}

#[derive(Serialize)]
struct ReceivedJson<'a> {
    id: Shown<MessageId>,
    message_id: &'a str,
    to: &'a str,
    body: &'a str,
    r#type: &'static str,
    sender_id: Option<&'a str>,
    segments: u32,
    received_at: Shown<WallTime>,
}

impl<'a> From<&'a Received> for ReceivedJson<'a> {
    fn from(received: &'a Received) -> Self {
        Self {
            id: Shown(received.id),
            message_id: &received.message_id,
            to: &received.to,
            body: &received.body,
            r#type: received.kind.as_str(),
            sender_id: received.sender_id.as_deref(),
            segments: received.segments,
            received_at: Shown(received.received_at),
        }
    }
}

/// A page of them. With another carrier than the simulator there are no phones to look at.
pub(super) fn messages(mut call: Call) -> Result<Work, Problem> {
    let Some(phone) = &call.api.phone else {
        return Err(Problem::new(Code::NotFound, "Only the simulator has phones to look at; this is another carrier."));
    };
    let to = call.query.take_to()?;
    let limit = call.query.take_limit()?;
    let cursor = call.query.take("cursor")?;
    call.query.finish()?;
    let page = phone.page(to.as_ref(), limit, cursor.as_deref())?;
    let json = to_json(&PageJson {
        messages: page.messages.iter().map(ReceivedJson::from).collect(),
        next_cursor: page.next_cursor.as_deref(),
    });
    // A page can have half a megabyte, and its reader may be slow.
    let share = call.capacity.budget().take(json.len())?;
    Ok(Box::pin(async move { Ok(answer::ready_made(StatusCode::OK, Payload::held(json, share))) }))
}
