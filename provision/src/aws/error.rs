//! What went wrong with one call, in words for the person who has to do something about it.

use std::fmt;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use sms_config::foreign::{Denial, ServiceError};

/// What the caller can do about a failed call.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Fault {
    /// A permission is missing.
    Refused,
    /// There is no such thing.
    NotFound,
    /// There is one already.
    Exists,
    /// Too many calls.
    Throttled,
    /// As many of its kind as the account may have; or so it seems for a moment after one was removed.
    Quota,
    /// Somebody, or another call of ours, changes the same thing at this moment.
    Busy,
    /// Who we are is not accepted.
    Credentials,
    /// No answer.
    Unreachable,
    /// AWS's own trouble.
    Failing,
    /// Anything else that AWS says.
    Other,
    /// No call: the machine at hand is in the way.
    Local,
}

/// A failed call: which one, about which resource, and what AWS said.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CallError {
    /// The IAM action: `iam:CreateUser`.
    pub action: &'static str,
    /// What it was about.
    pub resource: String,
    /// What can be done.
    pub fault: Fault,
    /// AWS's own code, if it has the form of one.
    pub code: Option<Box<str>>,
    /// What is wrong. Nothing of it is AWS's own text, except sentences that are known to be safe.
    pub message: Box<str>,
    /// For AWS support.
    pub request_id: Option<Box<str>>,
    /// What to do, where that is not what the fault tells.
    pub advice: Option<Box<str>>,
    /// The answer; none where no call made the error.
    pub answer: Option<Box<ServiceError>>,
}

const REFUSED: &[&str] = &["AccessDenied", "AccessDeniedException", "AuthorizationError", "UnauthorizedOperation"];
const MISSING: &[&str] = &[
    "AWS.SimpleQueueService.NonExistentQueue",
    "DashboardNotFoundError",
    "NoSuchEntity",
    "NotFound",
    "NotFoundException",
    "QueueDoesNotExist",
    "ResourceNotFound",
    "ResourceNotFoundException",
];
const EXISTS: &[&str] =
    &["EntityAlreadyExists", "QueueAlreadyExists", "QueueNameExists", "ResourceAlreadyExistsException"];
const THROTTLED: &[&str] = &[
    "RequestLimitExceeded",
    "RequestThrottled",
    "Throttled",
    "ThrottledException",
    "Throttling",
    "ThrottlingException",
    "TooManyRequestsException",
];
/// A number of things, not of calls, is what each API reference says of its own: IAM's and CloudWatch's `LimitExceeded`
/// ("beyond the current account limits", "the quota for alarms"), CloudWatch Logs' `LimitExceededException` ("the maximum
/// number of resources that can be created"), SNS's for topics and subscriptions. The SDK takes the one of CloudWatch Logs
/// for throttling, and asks again as it does then.
const QUOTA: &[&str] = &["LimitExceeded", "LimitExceededException", "SubscriptionLimitExceeded", "TopicLimitExceeded"];
const BUSY: &[&str] = &[
    "ConcurrentAccess",
    "ConcurrentAccessException",
    "ConcurrentModification",
    "ConcurrentModificationException",
    "EntityTemporarilyUnmodifiable",
    "OperationAbortedException",
];
const CREDENTIALS: &[&str] = &[
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "OptInRequired",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// The service of an IAM action, as people know it.
fn service(action: &str) -> &'static str {
    match action.split(':').next() {
        Some("cloudwatch") => "CloudWatch",
        Some("iam") => "IAM",
        Some("logs") => "CloudWatch Logs",
        Some("sns") => "SNS",
        Some("sqs") => "SQS",
        Some("sts") => "STS",
        _ => "AWS",
    }
}

impl CallError {
    /// What an SDK error means.
    pub fn of<E>(action: &'static str, resource: impl Into<String>, error: SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + Send + Sync + 'static,
    {
        let answer = ServiceError::of(service(action), &error);
        let (status, code) = (answer.status(), answer.code());
        let fault = match code {
            _ if matches!(error, SdkError::ConstructionFailure(_)) => Fault::Other,
            _ if status.is_none() => Fault::Unreachable,
            Some(code) if REFUSED.contains(&code) => Fault::Refused,
            Some(code) if MISSING.contains(&code) => Fault::NotFound,
            Some(code) if EXISTS.contains(&code) => Fault::Exists,
            Some(code) if THROTTLED.contains(&code) => Fault::Throttled,
            Some(code) if QUOTA.contains(&code) => Fault::Quota,
            Some(code) if BUSY.contains(&code) => Fault::Busy,
            Some(code) if CREDENTIALS.contains(&code) => Fault::Credentials,
            // An answer whose code cannot be read.
            _ if status == Some(403) => Fault::Refused,
            // One that breaks off or is none of AWS's.
            None if error.as_service_error().is_none() => Fault::Unreachable,
            _ if status == Some(429) => Fault::Throttled,
            _ if status.is_some_and(|status| status >= 500) => Fault::Failing,
            _ => Fault::Other,
        };
        let message = match status {
            Some(status) if code.is_none() && error.as_service_error().is_some() => match status {
                400.. => format!("status {status}"),
                _ => format!("an answer that cannot be read (status {status})"),
            },
            _ => answer.explanation(),
        };
        let advice = (fault == Fault::Other && code.is_none()).then(|| match status {
            Some(404) if action.starts_with("cloudwatch:") => {
                "an emulator that does not speak CloudWatch's CBOR protocol, as moto alone does not, answers so: see \
                 \"Try it without an account\" in provision/docs/first-steps.md; else check the endpoint and the proxy"
                    .into()
            }
            Some(_) => "is it AWS that answers? Check the endpoint and the proxy, then run it again".into(),
            None => {
                "check the region (aws.region, AWS_REGION) and the endpoint (aws.endpoint_url, AWS_ENDPOINT_URL)".into()
            }
        });
        Self {
            action,
            resource: resource.into(),
            fault,
            code: code.map(Box::from),
            message: message.into(),
            request_id: answer.request_id().map(Box::from),
            advice,
            answer: Some(Box::new(answer)),
        }
    }

    /// One that no call has made: what AWS answered makes no sense, or the machine at hand is in the way.
    pub fn other(action: &'static str, resource: impl Into<String>, message: impl Into<String>) -> Self {
        let (resource, message) = (resource.into(), message.into().into_boxed_str());
        Self {
            action,
            resource,
            fault: Fault::Other,
            code: None,
            message,
            request_id: None,
            advice: None,
            answer: None,
        }
    }

    /// What was answered, or nothing where AWS says that there is no such thing.
    ///
    /// # Errors
    /// Any other error.
    pub fn if_there<T>(answered: Result<T, Self>) -> Result<Option<T>, Self> {
        match answered {
            Ok(answer) => Ok(Some(answer)),
            Err(error) if error.fault == Fault::NotFound => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The same, with what to do about it, which whoever asked knows better than the fault tells.
    #[must_use]
    pub fn advised(self, advice: impl Into<Box<str>>) -> Self {
        Self { advice: Some(advice.into()), ..self }
    }

    /// The same for a call in that region, which the account may not have enabled.
    #[must_use]
    pub fn in_region(self, region: &str) -> Self {
        let Some(answer) = self.answer else { return self };
        let answer = answer.in_region(region);
        Self { message: answer.explanation().into(), answer: Some(Box::new(answer)), ..self }
    }

    /// What is in the way of a call that was refused, as far as AWS says so.
    pub fn denial(&self) -> Option<&Denial> {
        self.answer.as_ref().and_then(|answer| answer.denial()).filter(|_| self.fault == Fault::Refused)
    }

    /// What to do about a refusal that a grant would not end.
    pub fn remedy(&self) -> Option<&'static str> {
        self.answer.as_ref().and_then(|answer| answer.remedy())
    }

    /// Whether AWS's message has that phrase.
    pub fn mentions(&self, phrase: &str) -> bool {
        self.answer.as_ref().is_some_and(|answer| answer.mentions(phrase))
    }

    /// What to do about a fault where nobody knows better. What no call has made says so itself.
    fn usual_advice(&self) -> Option<&'static str> {
        if let Some(remedy) = self.remedy() {
            return Some(remedy);
        }
        match self.fault {
            Fault::Refused => None,
            Fault::NotFound => {
                Some("make it, or correct the settings that name it; gone since it was read, run it again")
            }
            Fault::Exists => Some("it was made meanwhile: run it again to see what differs"),
            Fault::Throttled => Some("AWS is asked too often: run it again in a minute"),
            Fault::Quota => Some(
                "a quota of the account is reached: delete what is not needed, or have the quota raised (AWS Service \
                 Quotas), then run it again",
            ),
            Fault::Busy => Some("something else changes it at this moment: run it again"),
            Fault::Credentials => {
                Some("AWS does not accept the credentials: renew them (log in again), or name others")
            }
            Fault::Unreachable => Some(
                "there is no answer from AWS: check the network, the proxy and the endpoint (aws.endpoint_url, \
                 AWS_ENDPOINT_URL), then run it again",
            ),
            Fault::Failing => Some("AWS itself fails: run it again later; its health page may know more"),
            Fault::Local => None,
            Fault::Other => self.code.as_ref().map(|_| "correct what AWS names, then run it again"),
        }
    }

    /// Whether AWS's code is one of those.
    pub fn is(&self, codes: &[&str]) -> bool {
        self.code.as_deref().is_some_and(|code| codes.contains(&code))
    }
}

impl fmt::Display for CallError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { action, resource, .. } = self;
        let message = self.message.trim_end_matches('.');
        let code = self.code.as_ref().map(|code| format!("{code}: ")).unwrap_or_default();
        match (self.fault, &self.advice) {
            (Fault::Refused, None) => match self.remedy() {
                Some(remedy) => write!(f, "{resource}: {action} is not allowed: {code}{message}; {remedy}"),
                None => {
                    write!(f, "{resource}: {action} is not allowed; grant it (sms-provision policy operator prints ")?;
                    write!(f, "all that is needed): {code}{message}")
                }
            },
            (Fault::Local, _) => write!(f, "{resource}: {message}"),
            (_, advice) => {
                write!(f, "{resource}: {action}: {code}{message}")?;
                match advice.as_deref().or_else(|| self.usual_advice()) {
                    Some(advice) => write!(f, "; {advice}"),
                    None => Ok(()),
                }
            }
        }?;
        match &self.request_id {
            Some(id) => write!(f, " (request {id})"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for CallError {}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [Fault; 10] = [
        Fault::Refused,
        Fault::NotFound,
        Fault::Exists,
        Fault::Throttled,
        Fault::Quota,
        Fault::Busy,
        Fault::Credentials,
        Fault::Unreachable,
        Fault::Failing,
        Fault::Other,
    ];

    fn error(fault: Fault) -> CallError {
        let words = CallError::other("iam:CreateRole", "IAM role r", "As AWS says it.");
        CallError { fault, code: Some("Code".into()), request_id: Some("id".into()), ..words }
    }

    #[test]
    fn every_fault_is_told_with_its_call_its_resource_and_what_to_do() {
        for fault in ALL {
            let told = error(fault).to_string();
            assert!(told.starts_with("IAM role r: iam:CreateRole") && told.ends_with(" (request id)"), "{told}");
            assert!(told.contains("As AWS says it") && !told.contains(".;"), "{told}");
            assert!(["run it again", "renew them", "grant it"].iter().any(|remedy| told.contains(remedy)), "{told}");
        }
    }

    #[test]
    fn who_knows_better_what_to_do_says_it_in_the_place_of_what_is_usual() {
        for fault in ALL {
            let told = error(fault).advised("ask the owner of the bucket").to_string();
            let words = "IAM role r: iam:CreateRole: Code: As AWS says it; ask the owner of the bucket (request id)";
            assert_eq!(told, words);
        }
    }
}
