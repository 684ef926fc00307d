//! Messages as AWS writes them and as an adversary would, and what comes out of them.

use super::*;

/// What SNS answers to a wrong secret access key: the request, with the token and the hash of the body in it.
const CANONICAL: &str = "The request signature we calculated does not match the signature you provided. Check your AWS Secret \
    Access Key and signing method. Consult the service documentation for details.\n\nThe Canonical String for this request \
    should have been\n'POST\n/\n\ncontent-type:application/x-www-form-urlencoded\nhost:sns.us-east-1.amazonaws.com\n\
    x-amz-date:20261127T080000Z\nx-amz-security-token:IQoJb3JpZ2luX2VjEGsesame//////////wEaCXVzLWVhc3QtMSJHMEUC\n\n\
    content-type;host;x-amz-date;x-amz-security-token\n\
    9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08'\n\nThe String-to-Sign should have been\n\
    'AWS4-HMAC-SHA256\n20261127T080000Z\n20261127/us-east-1/sns/aws4_request\n\
    e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855'\n";

/// A body, a key and a number as they are and as they may be encoded.
const SECRETS: [&str; 14] = [
    "Your code is 424242",
    "Your%20code%20is%20424242",
    "Your+code+is+424242",
    "WW91ciBjb2RlIGlzIDQyNDI0Mg==",
    "596f757220636f646520697320343234323432",
    "Your\\u0020code\\u0020is\\u0020424242",
    "+12065550100",
    "%2B12065550100",
    "KzEyMDY1NTUwMTAw",
    "+1 (206) 555-0100",
    "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
    "AKIAIOSFODNN7EXAMPLE",
    "ASIAIOSFODNN7EXAMPLE",
    "IQoJb3JpZ2luX2VjEGsesame",
];

const CODES: [&str; 9] = [
    "AccessDenied",
    "AuthorizationError",
    "ExpiredToken",
    "InternalError",
    "InvalidParameter",
    "RequestExpired",
    "SignatureDoesNotMatch",
    "SomethingNew",
    "Throttled",
];

fn said(code: &str, message: &str) -> String {
    let error = ServiceError::new("SNS", Some(400), Some(code), Some(message), None);
    format!("{error}\n{}\n{error:?}", error.explanation())
}

#[test]
fn nothing_of_the_canonical_request_is_shown_under_any_code() {
    for code in CODES {
        let shown = said(code, CANONICAL);
        for secret in ["sesame", "IQoJ", "9f86d081", "e3b0c442", "x-amz", "AWS4", "Canonical", "20261127T"] {
            assert!(!shown.contains(secret), "{code}: {secret}: {shown}");
        }
    }
    assert!(said("SignatureDoesNotMatch", CANONICAL).contains("secret access key"));
}

#[test]
fn whatever_a_message_quotes_is_not_shown_under_any_code_and_in_any_sentence() {
    for secret in SECRETS {
        for sentence in [
            secret.to_owned(),
            format!("Invalid parameter: Message Reason: {secret}"),
            format!("Invalid parameter: {secret} Reason: {secret} is not valid to publish to"),
            format!("Invalid parameter: {secret}"),
            format!(
                "User: {secret} is not authorized to perform: {secret} on resource: {secret} because no {secret} allows"
            ),
            format!(
                "User: arn:aws:iam::123456789012:user/{secret} is not authorized to perform: sns:Publish on resource: {secret}"
            ),
            format!("Signature expired: {secret} is now earlier than {secret} ({secret} - 15 min.)"),
            format!("Cannot exceed quota for {secret}: {secret}"),
            format!("Rate exceeded\r\n2026-11-27T00:00:00Z  INFO sms_agent: {secret}"),
        ] {
            for code in CODES {
                let shown = said(code, &sentence);
                assert!(!shown.contains(secret), "{code}: {sentence}: {shown}");
                assert!(!shown.contains("424242") && !shown.contains("2065550100"), "{code}: {sentence}: {shown}");
            }
        }
        let as_code = ServiceError::new("SNS", Some(400), Some(secret), None, Some(secret));
        let shown = format!("{as_code} {as_code:?}");
        assert!(!shown.contains(secret), "{shown}");
    }
}

#[test]
fn what_is_shown_is_one_line_without_anything_that_steers_a_terminal() {
    for evil in
        ["\r\nforged", "\u{1b}[31mred", "\u{2028}forged", "\u{85}forged", "\u{202e}forged", "\u{7}", "\u{9b}31m"]
    {
        for code in CODES {
            let error =
                ServiceError::new("SNS", Some(400), Some(code), Some(&format!("Rate exceeded{evil}")), Some(evil));
            let shown = error.to_string();
            assert!(!shown.contains("forged") && !shown.contains("31m"), "{shown:?}");
            assert!(shown.chars().all(|one| !one.is_control()), "{shown:?}");
        }
    }
}

#[test]
fn each_reason_has_words_and_a_remedy_of_its_own() {
    let scp = "User: arn:aws:iam::123456789012:user/ops is not authorized to perform: iam:CreateUser on resource: \
               arn:aws:iam::123456789012:user/sms/sms-sender with an explicit deny in a service control policy";
    let late = "Signature expired: 20260727T080000Z is now earlier than 20260727T081500Z (20260727T083000Z - 15 min.)";
    for (code, message, words, remedy) in [
        ("AccessDenied", scp, "service control policy (SCP)", "cannot be granted away"),
        ("SignatureDoesNotMatch", late, "2026-07-27 08:30:00 UTC", "set the clock"),
        ("InvalidSignatureException", late, "2026-07-27 08:00:00 UTC", "set the clock"),
        ("SignatureDoesNotMatch", "", "signature", "belongs to the access key ID"),
        ("RequestExpired", "Request has expired.", "clock", "set the clock"),
        ("ExpiredToken", "", "has expired", "log in again"),
        ("OptInRequired", "", "enabled this region", "enable the region"),
    ] {
        let error = ServiceError::new("SNS", Some(403), Some(code), Some(message), None);
        let shown = error.to_string();
        assert!(shown.starts_with(code) && shown.contains(words), "{shown}");
        assert!(error.remedy().is_some_and(|told| told.contains(remedy)), "{shown}");
    }
    let unknown = ServiceError::new("STS", Some(403), Some("InvalidClientTokenId"), Some("The security token"), None);
    assert!(unknown.clone().in_region("af-south-1").to_string().contains("has not enabled the region af-south-1"));
    assert_eq!(unknown.clone().in_region("us-east-1"), unknown);
}

#[test]
fn an_answer_without_a_code_is_told_by_its_status() {
    let page = ServiceError::new("SNS", Some(502), None, Some("<html>sesame</html>"), None);
    assert_eq!(page.to_string(), "SNS answered 502 with a body that cannot be read");
}

#[test]
fn callers_may_look_for_phrases_of_a_closed_list_only() {
    let error = ServiceError::new("SNS", Some(400), Some("InvalidParameter"), Some("MonthlySpendLimit sesame"), None);
    assert!(error.mentions("MonthlySpendLimit") && !error.mentions("sesame"));
}
