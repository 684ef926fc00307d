//! Codes, identifiers and names that a peer chose: shown only if they have the form of one.
//!
//! Peers fill these fields as they like. A field that should hold an error code may hold a key, a phone number or a line
//! break instead, so each form here is as narrow as what AWS uses.

/// AWS's longest error codes have about 50 characters.
const LONGEST_CODE: usize = 64;
const LONGEST_REQUEST_ID: usize = 56;
const LONGEST_IDENTIFIER: usize = 100;
const LONGEST_NAME: usize = 64;

/// The error code in `text`, without the namespace that JSON protocols put before it (`com.amazonaws.sqs#…`).
pub fn error_code(text: &str) -> Option<&str> {
    let code = text.rsplit('#').next().unwrap_or(text);
    let separates = |byte: u8| matches!(byte, b'.' | b'_' | b'-' | b':');
    let fits = (2..=LONGEST_CODE).contains(&code.len())
        && code.bytes().all(|byte| byte.is_ascii_alphabetic() || separates(byte))
        && code.starts_with(|first: char| first.is_ascii_alphabetic())
        && !is_key_id(code);
    fits.then_some(code)
}

/// A request ID: a UUID, or what S3 and the stand-ins for AWS use.
pub fn request_id(text: &str) -> Option<&str> {
    let plain = (16..=LONGEST_REQUEST_ID).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
        && text.bytes().any(|byte| byte.is_ascii_uppercase())
        && !text.bytes().all(|byte| byte.is_ascii_hexdigit())
        && longest_run_of_digits(text) < 7
        && !is_key_id(text);
    (is_uuid(text) || plain).then_some(text)
}

/// What a service calls a thing that it made, such as the `MessageId` of an SMS: visible, in one word and short.
pub fn identifier(text: &str) -> Option<&str> {
    let fits = (1..=LONGEST_IDENTIFIER).contains(&text.len())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b':' | b'/' | b'+' | b'='));
    fits.then_some(text)
}

/// A name that a person gave to a role, a user or a profile, and not something encoded.
pub(super) fn is_plain_name(text: &str) -> bool {
    // Capitals are few in the names of people and many in what is encoded; digits are with small letters, and few too.
    let is_encoded = |word: &str| {
        let count = |of: fn(&u8) -> bool| word.bytes().filter(of).count();
        let (capitals, digits) = (count(u8::is_ascii_uppercase), count(u8::is_ascii_digit));
        let mixed = digits > 0 && (capitals > 0 || (word.len() >= 8 && digits < word.len()));
        mixed || word.len() > 32 || (capitals * 3 > word.len() && word.len() > 5)
    };
    (1..=LONGEST_NAME).contains(&text.len())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'/'))
        && longest_run_of_digits(text) < 5
        && !text.split(['-', '_', '.', '/']).any(is_encoded)
        && !is_key_id(text)
}

/// Whether an access key ID stands in it: AWS's begin with these four letters.
pub(super) fn is_key_id(text: &str) -> bool {
    ["AKIA", "ASIA", "ABIA", "ACCA"].iter().any(|prefix| text.contains(prefix))
}

fn is_uuid(text: &str) -> bool {
    let lengths = [8, 4, 4, 4, 12];
    let mut groups = text.split('-');
    let fits = lengths.iter().all(|length| {
        groups.next().is_some_and(|group| group.len() == *length && group.bytes().all(|byte| byte.is_ascii_hexdigit()))
    });
    fits && groups.next().is_none()
}

fn longest_run_of_digits(text: &str) -> usize {
    text.split(|one: char| !one.is_ascii_digit()).map(str::len).max().unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_code_is_letters_and_points_without_its_namespace() {
        for (text, code) in [
            ("InvalidParameter", "InvalidParameter"),
            ("com.amazonaws.sqs#QueueDoesNotExist", "QueueDoesNotExist"),
            ("AWS.SimpleQueueService.NonExistentQueue", "AWS.SimpleQueueService.NonExistentQueue"),
        ] {
            assert_eq!(error_code(text), Some(code));
        }
        let long = "x".repeat(LONGEST_CODE + 1);
        for bad in [
            "",
            "x",
            "a b",
            "Throttled\n",
            "+12065550100",
            "424242",
            "NDI0MjQy",
            "AKIAIOSFODNNEXAMPLE",
            "Ünknown",
            &long,
        ] {
            assert_eq!(error_code(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_request_id_is_a_uuid_or_capitals_and_digits() {
        for good in
            ["f187a3c1-376f-11df-8963-01868b7c937a", "01234567-0123-0123-0123-012345678901", "7GQ2P1J8Z0KX3M9QWERT"]
        {
            assert_eq!(request_id(good), Some(good));
        }
        let hash = "A".repeat(64);
        for bad in ["", "r", "424242", "12065550100", "AKIAIOSFODNN7EXAMPLE", "0123456789ABCDEF", "f187a3c1\n", &hash] {
            assert_eq!(request_id(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn an_identifier_is_one_short_visible_word() {
        for good in ["94f20ce6-13c5-43a0-9a9e-ca52d816e90b", "mock_1", "12:34"] {
            assert_eq!(identifier(good), Some(good));
        }
        let long = "x".repeat(LONGEST_IDENTIFIER + 1);
        for bad in ["", " ", "a b", "a\n", "a\u{200b}", "\u{1b}[31m", &long] {
            assert_eq!(identifier(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_plain_name_is_not_a_number_a_key_or_something_encoded() {
        for good in ["sms-sender-us-east-1", "sms/delivery_status", "admin", "OrganizationAccountAccessRole"] {
            assert!(is_plain_name(good), "{good}");
        }
        for bad in [
            "",
            "NDI0MjQy",
            "sesame424242",
            "12065550100",
            "AKIAIOSFODNN7EXAMPLE",
            "a\nb",
            "%2B1206",
            "aGVsbG8=",
            "a b",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
        ] {
            assert!(!is_plain_name(bad), "{bad}");
        }
    }
}
