//! `GET /v1/messages/{id}`: one message as it is now.

use http::StatusCode;

use super::answer;
use super::message::MessageJson;
use super::routes::{Call, Work};
use crate::message::{Code, MessageId, Problem};

/// Nobody has the name. One that cannot be a name is as unknown.
pub(super) fn unknown() -> Problem {
    Problem::new(Code::NotFound, "There is no message of this id, or it is past its days in the history.")
}

/// Looks one up.
pub(super) fn message(call: Call) -> Result<Work, Problem> {
    call.query.finish()?;
    let id: MessageId = call.segment.parse().map_err(|_| unknown())?;
    let message = call.api.intake.message(id);
    Ok(Box::pin(async move {
        let message = message.await?.ok_or_else(unknown)?;
        Ok(answer::json(StatusCode::OK, &MessageJson::from(&message)))
    }))
}
