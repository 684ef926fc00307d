//! The one place that turns a problem into JSON and into an answer (RFC 9457).

use std::fmt;
use std::time::Duration;

use http::header::{ALLOW, CONTENT_TYPE, RETRY_AFTER, WWW_AUTHENTICATE};
use http::{HeaderValue, StatusCode};
use serde::{Serialize, Serializer};

use super::answer::{Answer, Payload, to_json};
use crate::message::{Code, Message, MessageId, Problem, Status, mask_digits};

/// How long to wait where nothing better is known.
const A_MOMENT: Duration = Duration::from_secs(1);

/// How much of a name that the caller made up is told back.
const SHOWN_OF_A_NAME: usize = 64;

/// A problem as its reader sees it.
#[derive(Serialize)]
pub(super) struct ProblemJson<'a> {
    r#type: Shown<Urn>,
    title: &'static str,
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    detail: Option<&'a str>,
    code: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    hint: Option<&'static str>,
    retryable: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    parameter: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Shown<MessageId>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    aws_request_id: Option<&'a str>,
    /// What `code` is in words.
    #[serde(skip)]
    of: Code,
}

impl<'a> ProblemJson<'a> {
    /// A problem of a request that made no message.
    pub(super) fn new(problem: &'a Problem) -> Self {
        Self {
            r#type: Shown(Urn(problem.code)),
            title: problem.code.title(),
            status: problem.code.status(),
            detail: Some(&problem.detail),
            code: problem.code.as_str(),
            hint: Some(problem.code.hint()),
            retryable: problem.is_retryable(),
            parameter: problem.parameter.as_deref(),
            id: None,
            aws_request_id: problem.aws_request_id.as_deref(),
            of: problem.code,
        }
    }

    /// The problem that a message keeps.
    pub(super) fn of_message(problem: &'a Problem, message: &Message) -> Self {
        Self { retryable: problem.is_retryable() && cannot_double(message), ..Self::new(problem) }
    }
}

/// A problem of `invalid_parameter` that names a member or query value the caller made up: cut, and masked, since it
/// may be anything.
pub(super) fn unknown_parameter(what: &str, name: &str) -> Problem {
    Problem::new(Code::InvalidParameter, format!("There is no {what} of this name.")).of(shown_name(name))
}

/// A name that the caller made up as it may be told back: cut, and masked, since it may be anything.
pub(super) fn shown_name(name: &str) -> String {
    mask_digits(name).chars().take(SHOWN_OF_A_NAME).collect()
}

/// Whether the same request again cannot double this message: it ended, and no attempt of it may have gone out.
fn cannot_double(message: &Message) -> bool {
    message.status == Status::Failed && !message.possible_duplicate
}

/// The answer to a request that was refused.
pub(super) fn answer(problem: &Problem) -> Answer {
    write(&ProblemJson::new(problem), problem.retry_after)
}

/// The answer to a request whose message ended with that problem.
pub(super) fn answer_of_message(problem: &Problem, message: &Message) -> Answer {
    let json = ProblemJson { id: Some(Shown(message.id)), ..ProblemJson::of_message(problem, message) };
    let mut answer = write(&json, problem.retry_after);
    // For the log.
    answer.extensions_mut().insert(message.id);
    answer
}

/// The answer of an agent that is not ready: always 503, whatever its reason would answer a send with. Callers who may not
/// see details get the members that are the same for everyone with this code.
pub(super) fn answer_not_ready(problem: &Problem, detailed: bool) -> Answer {
    let mut json = ProblemJson { status: 503, retryable: true, ..ProblemJson::new(problem) };
    if !detailed {
        json = ProblemJson { detail: None, hint: None, parameter: None, aws_request_id: None, ..json };
    }
    write(&json, problem.retry_after)
}

/// The answer to a method that a path does not have; `allowed` are those it has.
pub(super) fn answer_of_method(allowed: &HeaderValue) -> Answer {
    let mut answer = answer(&Problem::new(Code::MethodNotAllowed, "This path does not have this method."));
    answer.headers_mut().insert(ALLOW, allowed.clone());
    answer
}

fn write(json: &ProblemJson<'_>, retry_after: Option<Duration>) -> Answer {
    let mut answer = Answer::new(Payload::new(to_json(json)));
    *answer.status_mut() = StatusCode::from_u16(json.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    answer.extensions_mut().insert(json.of);
    let headers = answer.headers_mut();
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/problem+json"));
    if json.retryable {
        headers.insert(RETRY_AFTER, HeaderValue::from(whole_seconds(retry_after.unwrap_or(A_MOMENT))));
    }
    if json.status == 401 {
        headers.insert(WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    answer
}

/// Rounded up, and never 0: that would ask for a busy loop.
fn whole_seconds(duration: Duration) -> u64 {
    (duration.as_secs() + u64::from(duration.subsec_nanos() > 0)).max(1)
}

/// `urn:sms-agent:problem:<code>`.
struct Urn(Code);

impl fmt::Display for Urn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "urn:sms-agent:problem:{}", self.0.as_str())
    }
}

/// A string in JSON that is written straight from its `Display`.
pub(super) struct Shown<T>(pub(super) T);

impl<T: fmt::Display> Serialize for Shown<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::message::tests::message;

    #[test]
    fn members_stand_in_the_order_of_the_contract_and_only_where_they_apply() {
        let problem = Problem::new(Code::InvalidParameter, "No.").of("type");
        let json = String::from_utf8(to_json(&ProblemJson::new(&problem))).unwrap();
        assert!(json.starts_with(r#"{"type":"urn:sms-agent:problem:invalid_parameter","title":"A parameter is not valid","status":400,"detail":"No.","code":"invalid_parameter","hint":""#), "{json}");
        assert!(json.ends_with(r#","retryable":false,"parameter":"type"}"#), "{json}");
        let of_message = problem.with_request_id(Some("r-1".to_owned()));
        let json = ProblemJson { id: Some(Shown(message().id)), ..ProblemJson::of_message(&of_message, &message()) };
        let json = String::from_utf8(to_json(&json)).unwrap();
        let tail = format!(r#""parameter":"type","id":"{}","aws_request_id":"r-1"}}"#, message().id);
        assert!(json.ends_with(&tail), "{json}");
    }

    #[test]
    fn a_retryable_answer_says_when_in_whole_seconds() {
        for (given, written) in [(None, "1"), (Some(0), "1"), (Some(1), "1"), (Some(1_000), "1"), (Some(1_001), "2")] {
            let mut problem = Problem::new(Code::Overloaded, "");
            problem.retry_after = given.map(Duration::from_millis);
            assert_eq!(answer(&problem).headers()[RETRY_AFTER], written, "{given:?}");
        }
        assert!(!answer(&Problem::new(Code::Internal, "")).headers().contains_key(RETRY_AFTER));
    }

    #[test]
    fn what_may_double_a_message_is_never_called_retryable() {
        let throttled = Problem::new(Code::CarrierThrottled, "");
        let retryable = |status, possible_duplicate| {
            let message = Message { status, possible_duplicate, ..message() };
            ProblemJson::of_message(&throttled, &message).retryable
        };
        assert!(retryable(Status::Failed, false));
        assert!(!retryable(Status::Failed, true));
        for status in Status::ALL.into_iter().filter(|status| *status != Status::Failed) {
            assert!(!retryable(status, false), "{status:?}");
        }
    }

    #[test]
    fn a_401_names_the_scheme_and_a_405_the_methods() {
        assert_eq!(answer(&Problem::new(Code::Unauthorized, "")).headers()[WWW_AUTHENTICATE], "Bearer");
        assert_eq!(answer_of_method(&HeaderValue::from_static("POST")).headers()[ALLOW], "POST");
    }
}
