//! What went wrong with a message, in the one form that the outbox stores and the API answers.
//!
//! `code` is the stable word for programs, `detail` a sentence for this case, `hint` what to do about it. Neither
//! ever holds a number, a text, a token or a key: whoever makes a problem from foreign words masks them first.

use std::borrow::Cow;
use std::time::Duration;

use super::Code;

/// One problem: what a refused request answers, and what a message keeps of its last attempt.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Problem {
    /// The stable name.
    pub code: Code,
    /// A sentence for this case, with a capital and a full stop.
    pub detail: Cow<'static, str>,
    /// The member, header or query value that is to blame.
    pub parameter: Option<Cow<'static, str>>,
    /// What AWS calls the request that it refused.
    pub aws_request_id: Option<String>,
    /// How long to wait before a repetition, where more is known than «a moment».
    pub retry_after: Option<Duration>,
}

impl Problem {
    /// A problem of that code with a sentence for this case.
    pub fn new(code: Code, detail: impl Into<Cow<'static, str>>) -> Self {
        Self { code, detail: detail.into(), parameter: None, aws_request_id: None, retry_after: None }
    }

    /// The same, naming the member, header or query value that is to blame.
    #[must_use]
    pub fn of(mut self, parameter: impl Into<Cow<'static, str>>) -> Self {
        self.parameter = Some(parameter.into());
        self
    }

    /// The same, with AWS's name of the request.
    #[must_use]
    pub fn with_request_id(mut self, id: Option<String>) -> Self {
        self.aws_request_id = id;
        self
    }

    /// Whether the same request again is worth it and cannot double the message.
    pub fn is_retryable(&self) -> bool {
        matches!(self.code.status(), 408 | 429 | 503)
    }
}

/// Foreign words as a sentence: with a capital and a full stop.
pub fn sentence(words: &str) -> String {
    let mut rest = words.trim().chars();
    let mut sentence: String = rest.next().into_iter().flat_map(char::to_uppercase).chain(rest).collect();
    if !sentence.ends_with(['.', '!', '?']) {
        sentence.push('.');
    }
    sentence
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn foreign_words_become_a_sentence() {
        assert_eq!(sentence("connection refused "), "Connection refused.");
        assert_eq!(sentence("Rate exceeded."), "Rate exceeded.");
        assert_eq!(sentence("`to` is none"), "`to` is none.");
    }

    #[test]
    fn an_unknown_outcome_is_never_called_retryable() {
        assert!(!Problem::new(Code::OutcomeUnknown, "").is_retryable());
        assert!(Problem::new(Code::CarrierThrottled, "").is_retryable());
    }
}
