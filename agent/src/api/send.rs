//! `POST /v1/messages`: one message in, and what became of it out.

use http::header::LOCATION;
use http::{HeaderName, HeaderValue, StatusCode};

use super::answer::{self, Answer};
use super::json::Members;
use super::message::MessageJson;
use super::preference::{self, RESPOND_ASYNC};
use super::routes::{Call, Work};
use super::{draft, problem, trace};
use crate::admission::{Submission, Submitted};
use crate::message::{Code, Message, Problem, Status};

/// Says that an earlier request with the same key had made what is answered.
pub(super) const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
const APPLIED: HeaderName = HeaderName::from_static("preference-applied");

/// Sends one.
pub(super) fn send(call: Call, members: &Members<'_>) -> Result<Work, Problem> {
    let draft = draft::read(members, call.api.default_type).into_draft()?;
    call.query.finish()?;
    let key = call.api.fingerprints.of(&call.headers, members)?;
    let asynchronous = preference::respond_async(&call.headers);
    let wait = (!asynchronous).then_some(call.api.wait);
    let submission = Submission { draft, key, wait, trace: trace::to_link(&call.headers) };
    let submitted = call.api.intake.submit(submission);
    Ok(Box::pin(async move { Ok(answer(&submitted.await?, asynchronous)) }))
}

/// Turns what is known of a message into the answer to whoever sent it.
fn answer(submitted: &Submitted, asynchronous: bool) -> Answer {
    let mut answer = of(&submitted.message);
    if submitted.replayed {
        answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
    }
    // On a 200, which a repetition may get, there is nothing to be applied any more.
    if asynchronous && answer.status() == StatusCode::ACCEPTED {
        answer.headers_mut().insert(APPLIED, HeaderValue::from_static(RESPOND_ASYNC));
    }
    answer
}

fn of(message: &Message) -> Answer {
    match message.status {
        Status::Sent | Status::Delivered => answer::json(StatusCode::OK, &MessageJson::from(message)),
        Status::Queued | Status::Sending | Status::Unknown => {
            let mut answer = answer::json(StatusCode::ACCEPTED, &MessageJson::from(message));
            // An id is letters and digits, which every header may hold.
            if let Ok(location) = HeaderValue::try_from(format!("/v1/messages/{}", message.id)) {
                answer.headers_mut().insert(LOCATION, location);
            }
            answer
        }
        Status::Expired => ended(message, Code::Expired, "It was not published within its `expires_in`."),
        Status::Canceled => ended(message, Code::Canceled, "It was taken back before it was published."),
        Status::Failed => {
            let silent = Problem::new(Code::Internal, "The message failed, and why was not kept.");
            problem::answer_of_message(message.error.as_ref().unwrap_or(&silent), message)
        }
    }
}

/// The message's own problem if it says so, else one that does: its last attempt may have met something else.
fn ended(message: &Message, code: Code, detail: &'static str) -> Answer {
    match &message.error {
        Some(problem) if problem.code == code => problem::answer_of_message(problem, message),
        _ => problem::answer_of_message(&Problem::new(code, detail), message),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::message::tests::message;

    fn submitted(status: Status, error: Option<Code>) -> Submitted {
        let error = error.map(|code| Problem::new(code, "So it was."));
        Submitted { message: Message { status, error, ..message() }, replayed: false }
    }

    #[test]
    fn every_status_has_its_answer() {
        for (status, error, expected) in [
            (Status::Sent, None, 200),
            (Status::Delivered, None, 200),
            (Status::Queued, Some(Code::CarrierThrottled), 202),
            (Status::Sending, None, 202),
            (Status::Unknown, Some(Code::OutcomeUnknown), 202),
            (Status::Expired, Some(Code::CarrierThrottled), 409),
            (Status::Canceled, None, 409),
            (Status::Failed, Some(Code::CarrierRejected), 422),
            (Status::Failed, Some(Code::Undeliverable), 422),
            (Status::Failed, Some(Code::CarrierUnauthorized), 502),
            (Status::Failed, Some(Code::CarrierUnavailable), 503),
            (Status::Failed, None, 500),
        ] {
            let answer = answer(&submitted(status, error), false);
            assert_eq!(answer.status(), expected, "{status:?} {error:?}");
            assert_eq!(answer.headers().contains_key(LOCATION), expected == 202, "{status:?}");
        }
    }

    #[test]
    fn a_replay_says_that_it_is_one_and_a_preference_that_it_counted() {
        let queued = submitted(Status::Queued, None);
        assert!(!answer(&queued, false).headers().contains_key(&REPLAYED));
        assert!(!answer(&queued, false).headers().contains_key(&APPLIED));
        let sent = Submitted { replayed: true, ..submitted(Status::Sent, None) };
        assert_eq!(answer(&sent, true).headers()[&REPLAYED], "true");
        assert!(!answer(&sent, true).headers().contains_key(&APPLIED), "nothing is left to be done later");
        let replay = Submitted { replayed: true, ..queued };
        assert_eq!(answer(&replay, true).headers()[&REPLAYED], "true");
        assert_eq!(answer(&replay, true).headers()[&APPLIED], "respond-async");
        assert_eq!(answer(&replay, true).headers()[LOCATION], format!("/v1/messages/{}", message().id));
    }
}
