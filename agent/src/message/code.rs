//! The stable names of what can go wrong, each with its HTTP status, its title and what to do about it.

/// The stable names of all problems.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Code {
    /// The body is no JSON object.
    InvalidJson,
    /// `to` cannot be a phone number.
    InvalidPhoneNumber,
    /// `body` is missing, empty or too long.
    InvalidBody,
    /// Another member, header or query value is not allowed or not as it must be.
    InvalidParameter,
    /// The token is missing or wrong.
    Unauthorized,
    /// There is nothing at this path, or no such message.
    NotFound,
    /// The path exists, not with this method.
    MethodNotAllowed,
    /// The body did not arrive in time.
    RequestTimeout,
    /// The body is larger than allowed.
    PayloadTooLarge,
    /// The body is not declared as JSON.
    UnsupportedMediaType,
    /// The message does not wait in the queue any more, so it cannot be taken back.
    NotCancelable,
    /// The message ran past its `expires_in` before it was published.
    Expired,
    /// The message was taken back while its sender waited.
    Canceled,
    /// The same `Idempotency-Key` came with another body.
    IdempotencyKeyReused,
    /// The number has opted out of SMS from this account.
    OptedOut,
    /// SNS says that the message itself is wrong.
    CarrierRejected,
    /// The delivery log says that the message did not arrive.
    Undeliverable,
    /// A defect of ours.
    Internal,
    /// SNS refused the credentials or the permissions.
    CarrierUnauthorized,
    /// SNS answered with something else than a message id.
    CarrierError,
    /// The outbox cannot be written, or its queue at SQS not be used by an agent that only dispatches.
    OutboxUnavailable,
    /// As many messages wait as may.
    OutboxFull,
    /// SNS throttles the account.
    CarrierThrottled,
    /// SNS cannot be reached.
    CarrierUnavailable,
    /// The agent has more requests in hand than it may hold.
    Overloaded,
    /// The agent is stopping.
    ShuttingDown,
    /// Whether SNS took the message cannot be known. Only inside a message.
    OutcomeUnknown,
    /// The number is in a range that is not assigned as far as is known. Only inside a preview.
    PhoneNumberUnassigned,
}

impl Code {
    /// All of them.
    pub const ALL: [Self; 28] = [
        Self::InvalidJson,
        Self::InvalidPhoneNumber,
        Self::InvalidBody,
        Self::InvalidParameter,
        Self::Unauthorized,
        Self::NotFound,
        Self::MethodNotAllowed,
        Self::RequestTimeout,
        Self::PayloadTooLarge,
        Self::UnsupportedMediaType,
        Self::NotCancelable,
        Self::Expired,
        Self::Canceled,
        Self::IdempotencyKeyReused,
        Self::OptedOut,
        Self::CarrierRejected,
        Self::Undeliverable,
        Self::Internal,
        Self::CarrierUnauthorized,
        Self::CarrierError,
        Self::OutboxUnavailable,
        Self::OutboxFull,
        Self::CarrierThrottled,
        Self::CarrierUnavailable,
        Self::Overloaded,
        Self::ShuttingDown,
        Self::OutcomeUnknown,
        Self::PhoneNumberUnassigned,
    ];

    /// The word that programs compare with.
    pub fn as_str(self) -> &'static str {
        self.row().0
    }

    /// The HTTP status that it answers with.
    pub fn status(self) -> u16 {
        self.row().1
    }

    /// The same short sentence for every problem of this code.
    pub fn title(self) -> &'static str {
        self.row().2
    }

    /// What the person who meets it can do about it.
    pub fn hint(self) -> &'static str {
        self.row().3
    }

    /// The code of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|code| code.as_str() == word)
    }

    fn row(self) -> (&'static str, u16, &'static str, &'static str) {
        match self {
            Self::InvalidJson => (
                "invalid_json",
                400,
                "The body is not a JSON object",
                "Send one JSON object in UTF-8, each member once.",
            ),
            Self::InvalidPhoneNumber => (
                "invalid_phone_number",
                400,
                "The phone number is not valid",
                "Write the number in E.164: a plus sign, the country calling code and the number, without spaces.",
            ),
            Self::InvalidBody => {
                ("invalid_body", 400, "The text is not valid", "Send between 1 and 1600 characters in `body`.")
            }
            Self::InvalidParameter => (
                "invalid_parameter",
                400,
                "A parameter is not valid",
                "Correct the parameter named in `parameter`; GET /openapi.json lists what is allowed.",
            ),
            Self::Unauthorized => (
                "unauthorized",
                401,
                "The token is missing or wrong",
                "Send `Authorization: Bearer` with the content of the agent's token file.",
            ),
            Self::NotFound => (
                "not_found",
                404,
                "Nothing was found",
                "Check the path and the id; GET /openapi.json lists the routes.",
            ),
            Self::MethodNotAllowed => (
                "method_not_allowed",
                405,
                "The method is not allowed for this path",
                "Use one of the methods in the `Allow` header.",
            ),
            Self::RequestTimeout => (
                "request_timeout",
                408,
                "The request did not arrive in time",
                "Send the whole body at once, then try again.",
            ),
            Self::PayloadTooLarge => (
                "payload_too_large",
                413,
                "The body is too large",
                "Send at most 64 KiB for one message, 2 MiB for a batch.",
            ),
            Self::UnsupportedMediaType => (
                "unsupported_media_type",
                415,
                "The body must be JSON",
                "Send `Content-Type: application/json`, without a content encoding.",
            ),
            Self::NotCancelable => (
                "not_cancelable",
                409,
                "The message can no longer be canceled",
                "Only a queued message can be canceled. Look it up: it is being sent or has reached a final status.",
            ),
            Self::Expired => (
                "expired",
                409,
                "The message expired before it was published",
                "It was not sent. Send it again if it is still wanted, with a longer `expires_in` if it may wait.",
            ),
            Self::Canceled => (
                "canceled",
                409,
                "The message was canceled",
                "It was canceled before it was published, and it was not sent.",
            ),
            Self::IdempotencyKeyReused => (
                "idempotency_key_reused",
                422,
                "The idempotency key was used for another body",
                "Use a new `Idempotency-Key` for each new message, and repeat a request with exactly the same body.",
            ),
            Self::OptedOut => (
                "opted_out",
                422,
                "The number has opted out",
                "Do not send to it. Its owner can opt in again by texting START to your number.",
            ),
            Self::CarrierRejected => (
                "carrier_rejected",
                422,
                "SNS refused the message",
                "Check the number and the sender, and that SNS sends SMS from the agent's region.",
            ),
            Self::Undeliverable => (
                "undeliverable",
                422,
                "The message was not delivered",
                "`detail` has the reason from the delivery log. Usually the number is wrong or the phone is off.",
            ),
            Self::Internal => (
                "internal",
                500,
                "The agent has an internal error",
                "The agent's log has the cause. Look the message up before you send it again.",
            ),
            Self::CarrierUnauthorized => (
                "carrier_unauthorized",
                502,
                "AWS refused the agent's credentials or permissions",
                "Check the agent's AWS credentials and that their policy allows sns:Publish to phone numbers.",
            ),
            Self::CarrierError => (
                "carrier_error",
                502,
                "SNS answered with an error",
                "`detail` has SNS's answer; `aws_request_id` is what AWS Support asks for.",
            ),
            Self::OutboxUnavailable => (
                "outbox_unavailable",
                503,
                "The outbox cannot be used",
                "Check the disk of the agent's data folder (space, permissions, errors). If `detail` mentions SQS, check the \
                 connection to the queue and the permissions on it. Nothing was accepted.",
            ),
            Self::OutboxFull => (
                "outbox_full",
                503,
                "Too many messages are waiting in the outbox",
                "Nothing was accepted; try again later. If this happens often, raise `dispatch.segments_per_second` \
                 or `outbox.max_queued`.",
            ),
            Self::CarrierThrottled => (
                "carrier_throttled",
                503,
                "SNS throttles the account",
                "Lower `dispatch.segments_per_second`, or ask AWS to raise the account's SMS rate.",
            ),
            Self::CarrierUnavailable => (
                "carrier_unavailable",
                503,
                "SNS cannot be reached",
                "Check network, DNS and clock of the agent's machine, and that its AWS credentials can be loaded.",
            ),
            Self::Overloaded => (
                "overloaded",
                503,
                "The agent has too many requests in progress",
                "Send fewer requests at once, and try again.",
            ),
            Self::ShuttingDown => (
                "shutting_down",
                503,
                "The agent is stopping",
                "Nothing was accepted. Try again when the agent is running again.",
            ),
            Self::OutcomeUnknown => (
                "outcome_unknown",
                504,
                "It is not known whether SNS accepted the message",
                "Do not simply send it again: it may have been sent. The delivery log of the account has the answer.",
            ),
            Self::PhoneNumberUnassigned => (
                "phone_number_unassigned",
                422,
                "The number is in a range that is not assigned",
                "It will probably not arrive. Check the number. New ranges appear, so the agent tries it anyway.",
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_word_leads_back_to_its_code_and_no_two_share_one() {
        for code in Code::ALL {
            assert_eq!(Code::parse(code.as_str()), Some(code));
        }
    }

    #[test]
    fn every_title_is_a_phrase_and_every_hint_a_sentence() {
        for code in Code::ALL {
            for words in [code.title(), code.hint()] {
                assert!(words.starts_with(char::is_uppercase) || words.starts_with('`'), "{words}");
            }
            assert!(!code.title().ends_with('.') && code.hint().ends_with('.'), "{code:?}");
        }
    }
}
