//! What the log is told of a message that ended, other than by being sent.

use crate::message::{Code, Message, Status};

/// One line for a message that ended in any state but `sent` or `delivered`: a warning where the operator has something to
/// do about it. Neither the number nor the text is in it. To be called where a message has just been settled.
pub fn tell_of(message: &Message) {
    if !message.status.is_settled() || matches!(message.status, Status::Sent | Status::Delivered) {
        return;
    }
    let (id, status, attempts) = (message.id, message.status.as_str(), message.attempts);
    let problem = message.error.as_ref();
    let code = problem.map(|problem| problem.code.as_str());
    let aws_request_id = problem.and_then(|problem| problem.aws_request_id.as_deref());
    if is_for_the_operator(message.status, problem.map(|problem| problem.code)) {
        tracing::warn!(%id, status, code, attempts, aws_request_id, "a message was not sent, or nobody knows whether it was");
    } else {
        tracing::info!(%id, status, code, attempts, aws_request_id, "a message ended without being sent or delivered");
    }
}

fn is_for_the_operator(status: Status, code: Option<Code>) -> bool {
    let about_the_message = matches!(
        code,
        Some(
            Code::InvalidPhoneNumber
                | Code::InvalidBody
                | Code::InvalidParameter
                | Code::Expired
                | Code::Canceled
                | Code::OptedOut
                | Code::CarrierRejected
                | Code::Undeliverable
                | Code::PhoneNumberUnassigned
        )
    );
    status == Status::Unknown || !about_the_message && !matches!(status, Status::Canceled | Status::Expired)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_only_the_operator_can_mend_is_a_warning() {
        for (status, code, warns) in [
            (Status::Failed, Some(Code::CarrierUnauthorized), true),
            (Status::Failed, Some(Code::CarrierError), true),
            (Status::Failed, Some(Code::CarrierUnavailable), true),
            (Status::Unknown, Some(Code::OutcomeUnknown), true),
            (Status::Failed, Some(Code::OptedOut), false),
            (Status::Failed, Some(Code::InvalidPhoneNumber), false),
            (Status::Expired, Some(Code::Expired), false),
            (Status::Canceled, None, false),
        ] {
            assert_eq!(is_for_the_operator(status, code), warns, "{status:?} {code:?}");
        }
    }
}
