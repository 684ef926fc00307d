//! What AWS's error codes mean and what to do about them, in our own words.

/// What is said of one code.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) struct Meaning {
    /// What is wrong.
    pub(super) explanation: &'static str,
    /// What to do about it; `None` where that depends on the call.
    pub(super) remedy: Option<&'static str>,
}

/// What kind of answer a code is, where more than the table decides what is said.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Class {
    /// The credentials or their signature are not accepted; a wrong clock hides behind some of these.
    Identity,
    /// The request is too old or too new.
    Clock,
    /// Something is not allowed.
    Denied,
    /// Anything else.
    Other,
}

const DENIED: [&str; 7] = [
    "AccessDenied",
    "AccessDeniedException",
    "AuthorizationError",
    "AuthorizationErrorException",
    "KMSAccessDenied",
    "NotAuthorized",
    "UnauthorizedOperation",
];
const CLOCK: [&str; 3] = ["RequestExpired", "RequestInTheFuture", "RequestTimeTooSkewed"];
const IDENTITY: [&str; 9] = [
    "ExpiredToken",
    "ExpiredTokenException",
    "IncompleteSignature",
    "InvalidClientTokenId",
    "InvalidSignature",
    "InvalidSignatureException",
    "MissingAuthenticationToken",
    "SignatureDoesNotMatch",
    "UnrecognizedClientException",
];

/// Regions that an account has to enable before AWS accepts its credentials there.
const OPT_IN: [&str; 17] = [
    "af-south-1",
    "ap-east-1",
    "ap-east-2",
    "ap-south-2",
    "ap-southeast-3",
    "ap-southeast-4",
    "ap-southeast-5",
    "ap-southeast-6",
    "ap-southeast-7",
    "ca-west-1",
    "eu-central-2",
    "eu-south-1",
    "eu-south-2",
    "il-central-1",
    "me-central-1",
    "me-south-1",
    "mx-central-1",
];

/// What a region answers that the account has not enabled: it does not know the account's keys.
const UNKNOWN_THERE: [&str; 5] =
    ["AuthFailure", "InvalidClientTokenId", "OptInRequired", "RegionDisabledException", "UnrecognizedClientException"];

/// Which kind of answer it is.
pub(super) fn class(code: &str) -> Class {
    if DENIED.contains(&code) {
        Class::Denied
    } else if CLOCK.contains(&code) {
        Class::Clock
    } else if IDENTITY.contains(&code) {
        Class::Identity
    } else {
        Class::Other
    }
}

/// Whether a code may mean that the account has not enabled the region.
pub(super) fn may_be_disabled_region(code: &str, region: &str) -> bool {
    let always = matches!(code, "OptInRequired" | "RegionDisabledException");
    UNKNOWN_THERE.contains(&code) && (always || OPT_IN.contains(&region))
}

/// What a code means, if it is a known one.
#[rustfmt::skip]
pub(super) fn meaning(code: &str) -> Option<Meaning> {
    let (explanation, remedy) = match code {
        "SignatureDoesNotMatch" | "InvalidSignatureException" | "InvalidSignature" => (
            "the signature of the request is wrong",
            Some("check that the secret access key is complete and belongs to the access key ID, and that no proxy changes requests"),
        ),
        "InvalidClientTokenId" | "UnrecognizedClientException" | "InvalidAccessKeyId" | "AuthFailure" => (
            "AWS does not know the access key: it was deleted or deactivated, it is of another partition, or its session token is missing",
            Some("renew the credentials (log in again), or use other ones"),
        ),
        "ExpiredToken" | "ExpiredTokenException" => (
            "the session token of the credentials has expired",
            Some("renew the credentials (log in again), or use other ones"),
        ),
        "MissingAuthenticationToken" | "IncompleteSignature" => (
            "the request reached AWS without a complete signature",
            Some("check the endpoint, and that no proxy changes requests"),
        ),
        "OptInRequired" => (
            "the account is not signed up for this service, or has not enabled this region",
            Some("enable the region, or finish the registration of the account, in the AWS console"),
        ),
        "RegionDisabledException" => (
            "STS is not activated in this region for the account",
            Some("activate it in the account settings of IAM, or use another region"),
        ),
        "Throttled" | "Throttling" | "ThrottledException" | "ThrottlingException" | "TooManyRequestsException"
        | "RequestLimitExceeded" | "RequestThrottled" | "RequestThrottledException" | "SlowDown" | "KMSThrottling"
        | "PriorRequestNotComplete" | "ProvisionedThroughputExceededException" | "BandwidthLimitExceeded"
        | "TransactionInProgressException" | "LimitExceededThrottling" | "EC2ThrottledException" => {
            ("too many requests in a short time", None)
        }
        "InvalidParameter" | "InvalidParameterValue" | "InvalidParameterException" | "ParameterValueInvalid"
        | "ValidationException" | "ValidationError" | "InvalidInput" | "InvalidAttributeValue"
        | "InvalidParameterCombination" => ("a parameter is not valid", None),
        "MalformedPolicyDocument" | "MalformedPolicyDocumentException" => ("the policy document is not valid", None),
        "PackedPolicyTooLarge" => ("the session policies and tags are too large", None),
        "NoSuchEntity" | "NotFound" | "NotFoundException" | "ResourceNotFound" | "ResourceNotFoundException"
        | "DashboardNotFoundError" => ("it does not exist", None),
        "QueueDoesNotExist" | "AWS.SimpleQueueService.NonExistentQueue" => (
            "the queue does not exist in this account and region",
            None,
        ),
        "QueueDeletedRecently" | "AWS.SimpleQueueService.QueueDeletedRecently" => {
            ("a queue of this name was deleted less than 60 seconds ago", None)
        }
        "EntityAlreadyExists" | "QueueAlreadyExists" | "QueueNameExists" | "ResourceAlreadyExistsException" => {
            ("it exists already", None)
        }
        "LimitExceeded" | "LimitExceededException" | "SubscriptionLimitExceeded" | "TopicLimitExceeded"
        | "FilterPolicyLimitExceeded" | "OverLimit" => ("a quota of the account is reached", None),
        "DeleteConflict" => ("something else is still attached to it", None),
        "ConcurrentAccess" | "ConcurrentAccessException" | "ConcurrentModification"
        | "ConcurrentModificationException" | "EntityTemporarilyUnmodifiable" | "OperationAbortedException" => {
            ("something else changes it at the same moment", None)
        }
        "InternalError" | "InternalFailure" | "InternalServiceError" | "InternalErrorException" | "ServiceFailure"
        | "InternalServiceException" => ("an internal error of the service", None),
        "ServiceUnavailable" | "ServiceUnavailableException" | "Unavailable" => ("the service is not available", None),
        "KMSDisabled" | "KMSInvalidState" | "KMSNotFound" | "KMSOptInRequired" => {
            ("the KMS key of the resource cannot be used", None)
        }
        "EndpointDisabled" => ("the endpoint is disabled", None),
        "OptedOut" | "OptedOutException" => ("the phone number has opted out", None),
        "UserError" => ("the request does not fit the state of the phone number or the account", None),
        "VerificationException" => ("the code is not the one that was sent", None),
        "RequestTimeout" | "RequestTimeoutException" => ("the service waited too long for the request", None),
        "InvalidSecurity" => ("the request was not made in a secure way: use https", None),
        "InvalidIdentityToken" => ("the web identity token is not valid", Some("check the token file and the identity provider in IAM")),
        "IDPCommunicationError" => ("STS cannot reach the identity provider", Some("check the URL of the identity provider in IAM")),
        "IDPRejectedClaim" => ("the identity provider rejects the token", Some("get a new token, and check the trust policy of the role")),
        "ExpiredTradeInTokenException" => ("the token has expired", Some("log in again")),
        "UnauthorizedException" | "UnauthorizedClientException" => {
            ("the login session is not valid", Some("log in again (aws sso login)"))
        }
        "EmptyBatchRequest" | "TooManyEntriesInBatchRequest" | "BatchEntryIdsNotDistinct" | "InvalidBatchEntryId"
        | "BatchRequestTooLong" | "InvalidMessageContents" | "ReceiptHandleIsInvalid" | "MessageNotInflight"
        | "UnsupportedOperation" | "InvalidAddress" => ("the queue does not accept the request", None),
        _ => return None,
    };
    Some(Meaning { explanation, remedy })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_code_that_has_a_class_has_words() {
        for code in IDENTITY.iter().chain(&UNKNOWN_THERE) {
            assert!(meaning(code).is_some_and(|meaning| meaning.remedy.is_some()), "{code}");
        }
        assert_eq!(class("AccessDeniedException"), Class::Denied);
        assert_eq!(class("RequestExpired"), Class::Clock);
        assert_eq!(class("SomethingNew"), Class::Other);
    }

    #[test]
    fn an_unknown_key_means_a_disabled_region_only_where_regions_have_to_be_enabled() {
        assert!(may_be_disabled_region("InvalidClientTokenId", "af-south-1"));
        assert!(!may_be_disabled_region("InvalidClientTokenId", "us-east-1"));
        assert!(may_be_disabled_region("OptInRequired", "us-east-1"));
        assert!(!may_be_disabled_region("SignatureDoesNotMatch", "af-south-1"));
    }
}
