//! `POST /v1/messages/batch`: up to a hundred sends in one durable step, each on its own merits.

use http::{HeaderValue, StatusCode};
use serde::Serialize;

use super::answer::{self, Payload, to_json};
use super::json::{Members, Value};
use super::message::MessageJson;
use super::problem::{ProblemJson, unknown_parameter};
use super::routes::{Call, Work};
use super::send::REPLAYED;
use super::{draft, trace};
use crate::admission::Batch;
use crate::message::{Code, Draft, Message, Problem, SmsType};

/// The most that one batch holds.
pub(super) const LARGEST: usize = 100;

/// What the answer for one message may take up: its reference and its problem are bounded, and so is all else.
const ONE_ANSWER: usize = 4096;

#[derive(Serialize)]
struct BatchJson<'a> {
    results: Vec<ResultJson<'a>>,
}

#[derive(Serialize)]
struct ResultJson<'a> {
    status: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    message: Option<MessageJson<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    problem: Option<ProblemJson<'a>>,
}

impl<'a> From<&'a Result<Message, Problem>> for ResultJson<'a> {
    fn from(result: &'a Result<Message, Problem>) -> Self {
        match result {
            Ok(message) => Self { status: 202, message: Some(MessageJson::from(message)), problem: None },
            Err(problem) => {
                Self { status: problem.code.status(), message: None, problem: Some(ProblemJson::new(problem)) }
            }
        }
    }
}

/// Sends them.
pub(super) fn send(call: Call, members: &Members<'_>) -> Result<Work, Problem> {
    let items = items(members, call.api.default_type)?;
    call.query.finish()?;
    let key = call.api.fingerprints.of(&call.headers, members)?;
    // Taken before anything is accepted: an answer that finds no room afterwards would ask for a repetition.
    let share = call.capacity.budget().take(items.len() * ONE_ANSWER)?;
    let batched = call.api.intake.submit_batch(Batch { items, key, trace: trace::to_link(&call.headers) });
    Ok(Box::pin(async move {
        let batched = batched.await?;
        let json = to_json(&BatchJson { results: batched.results.iter().map(ResultJson::from).collect() });
        let mut answer = answer::ready_made(StatusCode::OK, Payload::held(json, share));
        if batched.replayed {
            answer.headers_mut().insert(REPLAYED, HeaderValue::from_static("true"));
        }
        Ok(answer)
    }))
}

/// The drafts, or why one of them is none.
fn items(members: &Members<'_>, default_type: SmsType) -> Result<Vec<Result<Draft, Problem>>, Problem> {
    if let Some(stranger) = members.keys().find(|name| *name != "messages") {
        return Err(unknown_parameter("member", stranger));
    }
    match members.get("messages") {
        Some(Value::List(items)) if (1..=LARGEST).contains(&items.len()) => {
            Ok(items.iter().map(|item| one(item, default_type)).collect())
        }
        _ => {
            let allowed = "`messages` must be a list of 1 to 100 messages.";
            Err(Problem::new(Code::InvalidParameter, allowed).of("messages"))
        }
    }
}

fn one(item: &Value<'_>, default_type: SmsType) -> Result<Draft, Problem> {
    match item {
        Value::Object(members) => draft::read(members, default_type).into_draft(),
        _ => Err(Problem::new(Code::InvalidJson, "This message is not an object.")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::api::json;

    fn read(body: &str) -> Result<Vec<Option<Code>>, Problem> {
        let items = items(&json::object(body.as_bytes()).unwrap(), SmsType::Transactional)?;
        Ok(items.into_iter().map(|item| item.err().map(|problem| problem.code)).collect())
    }

    #[test]
    fn each_message_is_read_on_its_own_merits() {
        let codes = read(
            r#"{"messages":[{"to":"+12065550100","body":"hello"},{"to":"1","body":"hello"},7,{"to":"+12065550100","body":"x","y":1}]}"#,
        );
        let expected = [None, Some(Code::InvalidPhoneNumber), Some(Code::InvalidJson), Some(Code::InvalidParameter)];
        assert_eq!(codes.unwrap(), expected);
    }

    #[test]
    fn a_batch_has_1_to_100_messages_and_no_other_member() {
        let many = |count: usize| format!(r#"{{"messages":[{}]}}"#, vec!["{}"; count].join(","));
        assert_eq!(read(&many(100)).unwrap().len(), 100);
        for (body, name) in [
            (many(0), "messages"),
            (many(101), "messages"),
            ("{}".to_owned(), "messages"),
            (r#"{"messages":null}"#.to_owned(), "messages"),
            (r#"{"messages":{}}"#.to_owned(), "messages"),
            (r#"{"messages":[{}],"to":"+12065550100"}"#.to_owned(), "to"),
        ] {
            let problem = read(&body).unwrap_err();
            assert_eq!((problem.code, problem.parameter.as_deref()), (Code::InvalidParameter, Some(name)), "{body}");
        }
    }

    #[test]
    fn no_answer_for_one_message_is_larger_than_its_share() {
        let longest = Message {
            reference: Some("\u{1}".repeat(draft::LONGEST_REFERENCE)),
            provider_id: Some("x".repeat(100)),
            error: Some(Problem::new(Code::OutcomeUnknown, "x".repeat(1000))),
            ..crate::api::message::tests::message()
        };
        assert!(to_json(&ResultJson::from(&Ok(longest))).len() < ONE_ANSWER);
    }
}
