//! A message as its reader sees it: always with all its members.

use serde::Serialize;

use super::problem::{ProblemJson, Shown};
use crate::message::{Message, MessageId, Sender, WallTime};

/// The members, in the order of the contract.
#[derive(Serialize)]
pub(super) struct MessageJson<'a> {
    id: Shown<MessageId>,
    status: &'static str,
    to: &'a str,
    r#type: &'static str,
    sender_id: Option<&'a str>,
    encoding: &'static str,
    segments: u32,
    message_id: Option<&'a str>,
    attempts: u32,
    possible_duplicate: bool,
    next_attempt_at: Option<Shown<WallTime>>,
    expires_at: Option<Shown<WallTime>>,
    reference: Option<&'a str>,
    created_at: Shown<WallTime>,
    updated_at: Shown<WallTime>,
    error: Option<ProblemJson<'a>>,
}

impl<'a> From<&'a Message> for MessageJson<'a> {
    fn from(message: &'a Message) -> Self {
        let sender_id = match &message.sender {
            Sender::Id(id) => Some(id.as_str()),
            Sender::Account | Sender::Number(_) => None,
        };
        Self {
            id: Shown(message.id),
            status: message.status.as_str(),
            to: message.to.as_str(),
            r#type: message.kind.as_str(),
            sender_id,
            encoding: message.encoding.as_str(),
            segments: message.segments,
            message_id: message.provider_id.as_deref(),
            attempts: message.attempts,
            possible_duplicate: message.possible_duplicate,
            next_attempt_at: message.next_attempt_at.map(Shown),
            expires_at: message.expires_at.map(Shown),
            reference: message.reference.as_deref(),
            created_at: Shown(message.created_at),
            updated_at: Shown(message.updated_at),
            error: message.error.as_ref().map(|problem| ProblemJson::of_message(problem, message)),
        }
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::api::answer::to_json;
    use crate::message::{Code, Encoding, PhoneNumber, Problem, SmsType, Status};

    /// A message that was accepted a moment ago.
    pub(in crate::api) fn message() -> Message {
        Message {
            id: MessageId::from_bytes([1; 16]),
            status: Status::Queued,
            to: PhoneNumber::parse("+12065550100").unwrap(),
            kind: SmsType::Transactional,
            sender: Sender::Account,
            encoding: Encoding::Gsm7,
            segments: 1,
            provider_id: None,
            attempts: 0,
            possible_duplicate: false,
            next_attempt_at: None,
            expires_at: None,
            reference: None,
            created_at: WallTime::from_millis(1_795_464_000_000),
            updated_at: WallTime::from_millis(1_795_464_000_000),
            error: None,
        }
    }

    #[test]
    fn all_members_are_there_in_the_order_of_the_contract() {
        let json = String::from_utf8(to_json(&MessageJson::from(&message()))).unwrap();
        let expected = format!(
            r#"{{"id":"{}","status":"queued","to":"+12065550100","type":"transactional","sender_id":null,"encoding":"GSM-7","segments":1,"message_id":null,"attempts":0,"possible_duplicate":false,"next_attempt_at":null,"expires_at":null,"reference":null,"created_at":"2026-11-23T20:00:00.000Z","updated_at":"2026-11-23T20:00:00.000Z","error":null}}"#,
            message().id
        );
        assert_eq!(json, expected);
    }

    #[test]
    fn the_error_is_a_problem() {
        let error = Some(Problem::new(Code::Undeliverable, "Unreachable."));
        let json = to_json(&MessageJson::from(&Message { status: Status::Failed, error, ..message() }));
        let json: serde_json::Value = serde_json::from_slice(&json).unwrap();
        assert_eq!(json["error"]["code"], "undeliverable");
        assert_eq!(json["error"]["retryable"], false);
    }
}
