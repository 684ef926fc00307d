//! What an answer of SNS, or the lack of one, means: for this message and for all others.
//!
//! In flows what the call met; out flow verdict, signal and the code of the problem. The rule: SNS's code first, the
//! status last, the words of a message never. A throttled call is an HTTP 400 as well as a 429, and a 503 without a
//! code may have been sent.

use crate::carrier::{Signal, Verdict};
use crate::message::Code;

/// What a publish call met instead of a message id.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Met<'a> {
    /// Nothing went out: no credentials, no name, no connection, no TLS, or no time left for them.
    NotOut,
    /// A defect of ours ended it before anything went out.
    Defect,
    /// It went out, at least in part, and no answer came: the connection was cut or the time ran out.
    NoAnswer,
    /// An answer with this HTTP status and, where it could be read, SNS's code.
    Answer {
        /// HTTP status.
        status: u16,
        /// SNS's word for it.
        code: Option<&'a str>,
    },
}

/// The meaning of an unsuccessful publish.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Meaning {
    /// For this message.
    pub(super) verdict: Verdict,
    /// For the others.
    pub(super) signal: Signal,
    /// What people are told.
    pub(super) code: Code,
    /// Whether other credentials may help: the chain is to be loaded anew.
    pub(super) stale_credentials: bool,
}

/// Every code by which an AWS service asks a caller to slow down. `Throttled` and `KMSThrottling` are those of SNS that
/// the SDKs do not know; the others are the SDKs' own list (`THROTTLING_ERRORS` of `aws-runtime`).
const THROTTLING: [&str; 17] = [
    "Throttled",
    "KMSThrottling",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "RequestThrottled",
    "RequestThrottledException",
    "RequestLimitExceeded",
    "TooManyRequests",
    "TooManyRequestsException",
    "ProvisionedThroughputExceededException",
    "TransactionInProgressException",
    "BandwidthLimitExceeded",
    "LimitExceededException",
    "SlowDown",
    "PriorRequestNotComplete",
    "EC2ThrottledException",
];

/// Whether a service says by this code that it did nothing because it was asked too often. White space around the code
/// and the case of its letters do not matter: taken for another code, it would end the message for good.
fn is_throttling(code: &str) -> bool {
    THROTTLING.iter().any(|word| word.eq_ignore_ascii_case(code.trim()))
}

/// Reads one row of the table.
pub(super) fn meaning(met: Met<'_>) -> Meaning {
    use Signal::{NotPermitted, Refused, Unreachable};
    use Verdict::{NotSent, Rejected, Unknown};

    let (verdict, signal, code) = match met {
        Met::NotOut => (NotSent, Unreachable, Code::CarrierUnavailable),
        // It is likely to meet every message, so it counts as a way that is closed.
        Met::Defect => (NotSent, Unreachable, Code::Internal),
        Met::NoAnswer => (Unknown, Unreachable, Code::OutcomeUnknown),
        Met::Answer { status, code } => match (code.unwrap_or_default(), status) {
            (code, _) if is_throttling(code) => (NotSent, Signal::None, Code::CarrierThrottled),
            (
                "ExpiredToken" | "InvalidClientTokenId" | "SignatureDoesNotMatch" | "RequestExpired" | "OptInRequired",
                _,
            ) => (NotSent, Refused, Code::CarrierUnauthorized),
            ("AuthorizationError", _) => (Rejected, NotPermitted, Code::CarrierUnauthorized),
            ("InvalidParameter" | "ParameterValueInvalid" | "ValidationException", _) => {
                (Rejected, Signal::None, Code::CarrierRejected)
            }
            (_, 429) => (NotSent, Signal::None, Code::CarrierThrottled),
            (_, 401 | 403) => (Rejected, NotPermitted, Code::CarrierUnauthorized),
            // The server gave up reading; how much it has read nobody knows.
            (_, 408) => (Unknown, Signal::None, Code::OutcomeUnknown),
            // With or without a code: it is this request that is refused.
            (_, 400) => (Rejected, Signal::None, Code::CarrierRejected),
            (_, 400..=499) => (Rejected, Signal::None, Code::CarrierError),
            _ => (Unknown, Signal::None, Code::OutcomeUnknown),
        },
    };
    let stale_credentials = matches!(met, Met::Answer { code: Some("ExpiredToken" | "InvalidClientTokenId"), .. });
    Meaning { verdict, signal, code, stale_credentials }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16, code: &str) -> Met<'_> {
        Met::Answer { status, code: (!code.is_empty()).then_some(code) }
    }

    #[test]
    fn every_row_of_the_table_means_what_the_design_says() {
        use Signal::{None, NotPermitted, Refused, Unreachable};
        use Verdict::{NotSent, Rejected, Unknown};
        let rows = [
            (Met::NotOut, NotSent, Unreachable, Code::CarrierUnavailable),
            (Met::Defect, NotSent, Unreachable, Code::Internal),
            (Met::NoAnswer, Unknown, Unreachable, Code::OutcomeUnknown),
            (answer(429, "Throttled"), NotSent, None, Code::CarrierThrottled),
            (answer(400, "Throttling"), NotSent, None, Code::CarrierThrottled),
            (answer(400, "ThrottlingException"), NotSent, None, Code::CarrierThrottled),
            (answer(503, "Throttling"), NotSent, None, Code::CarrierThrottled),
            (answer(400, "KMSThrottling"), NotSent, None, Code::CarrierThrottled),
            (answer(429, ""), NotSent, None, Code::CarrierThrottled),
            (answer(429, "SomethingNew"), NotSent, None, Code::CarrierThrottled),
            (answer(403, "ExpiredToken"), NotSent, Refused, Code::CarrierUnauthorized),
            (answer(403, "InvalidClientTokenId"), NotSent, Refused, Code::CarrierUnauthorized),
            (answer(403, "SignatureDoesNotMatch"), NotSent, Refused, Code::CarrierUnauthorized),
            (answer(400, "RequestExpired"), NotSent, Refused, Code::CarrierUnauthorized),
            (answer(403, "OptInRequired"), NotSent, Refused, Code::CarrierUnauthorized),
            (answer(403, "AuthorizationError"), Rejected, NotPermitted, Code::CarrierUnauthorized),
            (answer(403, "KMSAccessDenied"), Rejected, NotPermitted, Code::CarrierUnauthorized),
            (answer(400, "InvalidParameter"), Rejected, None, Code::CarrierRejected),
            (answer(400, "ParameterValueInvalid"), Rejected, None, Code::CarrierRejected),
            (answer(400, "ValidationException"), Rejected, None, Code::CarrierRejected),
            (answer(429, "InvalidParameter"), Rejected, None, Code::CarrierRejected),
            (answer(400, "OptedOut"), Rejected, None, Code::CarrierRejected),
            (answer(400, ""), Rejected, None, Code::CarrierRejected),
            (answer(404, "NotFound"), Rejected, None, Code::CarrierError),
            (answer(404, ""), Rejected, None, Code::CarrierError),
            (answer(408, "RequestTimeout"), Unknown, None, Code::OutcomeUnknown),
            (answer(500, "InternalError"), Unknown, None, Code::OutcomeUnknown),
            (answer(500, ""), Unknown, None, Code::OutcomeUnknown),
            (answer(503, "ServiceUnavailable"), Unknown, None, Code::OutcomeUnknown),
            (answer(503, ""), Unknown, None, Code::OutcomeUnknown),
            (answer(200, ""), Unknown, None, Code::OutcomeUnknown),
            (answer(302, ""), Unknown, None, Code::OutcomeUnknown),
        ];
        for (met, verdict, signal, code) in rows {
            let got = meaning(met);
            assert_eq!((got.verdict, got.signal, got.code), (verdict, signal, code), "{met:?}");
        }
    }

    #[test]
    fn every_word_of_aws_for_slower_leaves_the_message_unsent_whatever_the_status() {
        for code in THROTTLING.into_iter().chain([" Throttling\n", "throttling", "slowDown"]) {
            for status in [400, 403, 429, 500, 503] {
                let got = meaning(answer(status, code));
                assert_eq!(
                    (got.verdict, got.signal, got.code),
                    (Verdict::NotSent, Signal::None, Code::CarrierThrottled),
                    "{status} {code}"
                );
            }
        }
        assert_eq!(meaning(answer(400, "ThrottlingPolicyInvalid")).verdict, Verdict::Rejected);
    }

    #[test]
    fn only_credentials_that_are_wrong_themselves_are_loaded_anew() {
        assert!(meaning(answer(403, "ExpiredToken")).stale_credentials);
        assert!(meaning(answer(403, "InvalidClientTokenId")).stale_credentials);
        assert!(!meaning(answer(403, "SignatureDoesNotMatch")).stale_credentials);
        assert!(!meaning(answer(403, "AuthorizationError")).stale_credentials);
    }
}
