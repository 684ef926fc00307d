//! `DELETE /v1/messages/{id}`: takes a message back that still waits in the queue.

use http::StatusCode;

use super::answer;
use super::lookup::unknown;
use super::message::MessageJson;
use super::problem;
use super::routes::{Call, Work};
use crate::message::{Code, MessageId, Problem, Status};
use crate::outbox::Canceled;

/// Cancels one.
pub(super) fn message(call: Call) -> Result<Work, Problem> {
    call.query.finish()?;
    let id: MessageId = call.segment.parse().map_err(|_| unknown())?;
    let canceled = call.api.intake.cancel(id);
    Ok(Box::pin(async move {
        Ok(match canceled.await?.ok_or_else(unknown)? {
            Canceled::Done(message) => answer::json(StatusCode::OK, &MessageJson::from(&message)),
            Canceled::TooLate(message) => {
                let detail = match message.status {
                    Status::Queued => {
                        "It is in the queue that several agents share: one of them may have it.".to_owned()
                    }
                    status => format!("It is not queued: its status is `{}`.", status.as_str()),
                };
                problem::answer_of_message(&Problem::new(Code::NotCancelable, detail), &message)
            }
        })
    }))
}
