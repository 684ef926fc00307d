//! The one place through which text of others passes before it is shown.
//!
//! AWS, the SDK, a proxy or a collector write what they like into an error: the request with its session token, the
//! hash of a message, a phone number, line breaks that look like log lines. Nothing of that reaches a log line, a
//! problem, a stored error, a span or standard output. Known codes have our own words, known sentences are shown
//! without the values in them, and of anything else only the code and the request ID are shown, if they have the form
//! of one.

mod chain;
mod clock;
mod codes;
mod denial;
mod form;
mod label;
mod line;

#[cfg(test)]
mod tests;

use std::error::Error;
use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;

pub use chain::{OwnWords, causes, causes_in, service_error};
use clock::Skew;
use codes::Class;
pub use denial::{Barrier, Denial};
pub use label::{error_code, identifier, request_id};
pub use line::{one_line, printable};

/// Characters of a text that is shown.
const LONGEST: usize = 600;

/// An error that a service answered, or what kept it from answering. Every part of it may be shown.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct ServiceError {
    service: &'static str,
    status: Option<u16>,
    code: Option<String>,
    request_id: Option<String>,
    reason: Reason,
    mentions: Vec<&'static str>,
}

#[derive(Clone, Debug, Eq, PartialEq)]
enum Reason {
    /// No answer, for these reasons.
    NoAnswer(String),
    /// An answer that has no code.
    Unreadable,
    /// The clocks are apart.
    Skew(Skew),
    /// It is not allowed.
    Denied(Denial),
    /// The account has not enabled this region.
    RegionDisabled(String),
    /// Words of ours for the code or the sentence, and what to do.
    Known(String, Option<&'static str>),
    /// A code that has no words.
    Unknown,
}

impl ServiceError {
    /// What an error of the SDK says. `service` is the name that people know it by: `SNS`.
    pub fn of<E>(service: &'static str, error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + Error + 'static,
    {
        let answer = error.raw_response();
        let Some(answer) = answer else {
            let reason = Reason::NoAnswer(causes(error));
            return Self { service, status: None, code: None, request_id: None, reason, mentions: Vec::new() };
        };
        let id = |name| answer.headers().get(name);
        let id = id("x-amzn-requestid").or_else(|| id("x-amz-request-id"));
        let id = id.or_else(|| error.as_service_error().and_then(|error| error.meta().extra("aws_request_id")));
        let (code, message) = (error.code(), error.message());
        Self::new(service, Some(answer.status().as_u16()), code, message, id)
    }

    fn new(
        service: &'static str,
        status: Option<u16>,
        code: Option<&str>,
        message: Option<&str>,
        id: Option<&str>,
    ) -> Self {
        let message = message.unwrap_or_default();
        let shown_code = code.and_then(error_code);
        let reason = match shown_code {
            Some(code) => reason(code, message),
            None if code.is_some() => Reason::Unknown,
            None => Reason::Unreadable,
        };
        Self {
            service,
            status,
            code: shown_code.map(str::to_owned),
            request_id: id.and_then(request_id).map(str::to_owned),
            reason,
            mentions: form::mentioned(message),
        }
    }

    /// The same for a call in that region: an account's keys are unknown in a region that it has not enabled.
    #[must_use]
    pub fn in_region(mut self, region: &str) -> Self {
        let disabled = |code: &String| codes::may_be_disabled_region(code, region);
        let plain = matches!(self.reason, Reason::Known(..));
        if plain && self.code.as_ref().is_some_and(disabled) && label::is_plain_name(region) {
            self.reason = Reason::RegionDisabled(region.to_owned());
        }
        self
    }

    /// AWS's code, if it has the form of one.
    pub fn code(&self) -> Option<&str> {
        self.code.as_deref()
    }

    /// HTTP status of the answer; none without an answer.
    pub fn status(&self) -> Option<u16> {
        self.status
    }

    /// AWS's name of the request, if it has the form of one.
    pub fn request_id(&self) -> Option<&str> {
        self.request_id.as_deref()
    }

    /// What is not allowed, for such an error.
    pub fn denial(&self) -> Option<&Denial> {
        match &self.reason {
            Reason::Denied(denial) => Some(denial),
            _ => None,
        }
    }

    /// Whether the message has that phrase: one of a closed list, for decisions that the code alone does not carry.
    pub fn mentions(&self, phrase: &str) -> bool {
        self.mentions.contains(&phrase)
    }

    /// What is wrong, without the code and without what to do.
    pub fn explanation(&self) -> String {
        let words = match &self.reason {
            Reason::NoAnswer(why) => why.clone(),
            Reason::Unreadable => match self.status {
                Some(status) => format!("{} answered {status} with a body that cannot be read", self.service),
                None => format!("{} answered something that cannot be read", self.service),
            },
            Reason::Skew(skew) => skew.to_string(),
            Reason::Denied(denial) => denied(denial),
            Reason::RegionDisabled(region) => format!("the account has not enabled the region {region}"),
            Reason::Known(words, _) => words.clone(),
            Reason::Unknown => format!("the message of {} is not shown, because it may quote secrets", self.service),
        };
        one_line(&words, LONGEST)
    }

    /// What to do about it, where that does not depend on who asks.
    pub fn remedy(&self) -> Option<&'static str> {
        match &self.reason {
            Reason::Skew(_) => Some("set the clock (is NTP running?), then try again"),
            Reason::Denied(denial) => denial.remedy(),
            Reason::RegionDisabled(_) => Some(
                "enable it in the account settings of the AWS console, or use another region; the credentials need not \
                 be wrong",
            ),
            Reason::Known(_, remedy) => *remedy,
            Reason::NoAnswer(_) | Reason::Unreadable | Reason::Unknown => None,
        }
    }
}

/// `CODE: what is wrong; what to do`.
impl fmt::Display for ServiceError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(code) = &self.code {
            write!(f, "{code}: ")?;
        }
        f.write_str(&self.explanation())?;
        match self.remedy() {
            Some(remedy) => write!(f, "; {remedy}"),
            None => Ok(()),
        }
    }
}

fn reason(code: &str, message: &str) -> Reason {
    let class = codes::class(code);
    if matches!(class, Class::Identity | Class::Clock)
        && let Some(skew) = Skew::read(message)
    {
        return Reason::Skew(skew);
    }
    match class {
        Class::Clock => return Reason::Skew(Skew::UNTIMED),
        Class::Denied => match form::known_sentence(message) {
            Some(sentence) => return Reason::Known(sentence, None),
            None => return Reason::Denied(Denial::read(message)),
        },
        Class::Identity | Class::Other => {}
    }
    let meaning = codes::meaning(code);
    let remedy = meaning.and_then(|meaning| meaning.remedy);
    match (form::known_sentence(message), meaning) {
        (Some(sentence), _) => Reason::Known(sentence, remedy),
        (None, Some(meaning)) => {
            let named = form::named_parameter(message).filter(|_| class == Class::Other);
            let about = named.map(|name| format!(" ({name})")).unwrap_or_default();
            Reason::Known(format!("{}{about}", meaning.explanation), remedy)
        }
        (None, None) => Reason::Unknown,
    }
}

fn denied(denial: &Denial) -> String {
    let caller = denial.caller.as_deref().unwrap_or("the caller");
    let action = denial.action.as_deref().unwrap_or("make this call");
    let may = if denial.action.is_some() { "is not allowed" } else { "is not allowed to" };
    format!("{caller} {may} {action}: {}", denial.explanation())
}
