//! Who an SMS says it is from, and the other values that SNS has rules for.
//!
//! In flows what a caller wrote; out flows the same, as SNS takes it, or what is allowed instead. Letters and digits are
//! ASCII throughout. Where AWS's documents disagree on a rule, the wider one stands, since SNS has the last word.

use std::fmt;

use super::mask;

/// What the phone shows as the sender. SNS takes a sender ID or an origination number, not both.
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub enum Sender {
    /// Whatever the account has: its default sender ID, or one of its numbers that SNS picks.
    #[default]
    Account,
    /// A name: `AWS.SNS.SMS.SenderID`.
    Id(SenderId),
    /// A number that the account owns: `AWS.MM.SMS.OriginationNumber`.
    Number(OriginationNumber),
}

/// A value that SNS would not take. Says what is allowed, never what the value was.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
#[error("{allowed}")]
pub struct ValueError {
    /// What is allowed, as it would follow on "must be".
    pub allowed: &'static str,
}

/// 1 to 11 letters, digits or hyphens, at least one letter. (AWS's newer page asks for three characters and more; its
/// attribute for the account takes one.)
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SenderId(String);

/// 5 to 14 digits, with or without a plus sign: a long number, a toll-free number or a short code.
#[derive(Clone, Eq, PartialEq)]
pub struct OriginationNumber(String);

/// A price in US dollars, above 0: at most four digits, and at most five more after a point.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct MaxPrice(String);

/// The ID of a company or template that is registered with India's DLT: 1 to 50 printable ASCII characters. AWS gives
/// the length alone; the registries hand out digits and letters, and a control character is a slip.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct DltId(String);

impl SenderId {
    const ALLOWED: &str = "1 to 11 letters, digits or hyphens, at least one of them a letter";

    fn allows(text: &str) -> bool {
        let fits = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
        (1..=11).contains(&text.len()) && text.bytes().all(fits) && text.bytes().any(|byte| byte.is_ascii_alphabetic())
    }
}

impl OriginationNumber {
    const ALLOWED: &str = "5 to 14 digits, with or without a plus sign before them";

    fn allows(text: &str) -> bool {
        digits_between(text.strip_prefix('+').unwrap_or(text), 5, 14)
    }
}

impl MaxPrice {
    const ALLOWED: &str = "a price above 0 in US dollars, written with at most four digits, and at most five more after \
                           a point: \"0.50\"";

    fn allows(text: &str) -> bool {
        let (dollars, fraction) = text.split_once('.').map_or((text, None), |(whole, part)| (whole, Some(part)));
        digits_between(dollars, 1, 4)
            && fraction.is_none_or(|fraction| digits_between(fraction, 1, 5))
            && text.bytes().any(|byte| matches!(byte, b'1'..=b'9'))
    }
}

impl DltId {
    const ALLOWED: &str = "1 to 50 printable ASCII characters";

    fn allows(text: &str) -> bool {
        (1..=50).contains(&text.len()) && text.bytes().all(|byte| matches!(byte, b' '..=b'~'))
    }
}

fn digits_between(text: &str, fewest: usize, most: usize) -> bool {
    (fewest..=most).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
}

macro_rules! checked_text {
    ($($name:ident)+) => {$(
        impl $name {
            /// Takes the text as it is, if SNS would.
            ///
            /// # Errors
            /// What is allowed.
            pub fn parse(text: &str) -> Result<Self, ValueError> {
                if Self::allows(text) { Ok(Self(text.to_owned())) } else { Err(ValueError { allowed: Self::ALLOWED }) }
            }

            /// The value again that was parsed before it was stored: what was accepted stays accepted.
            pub fn from_stored(text: String) -> Self {
                Self(text)
            }

            /// The value as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    )+};
}

checked_text!(SenderId OriginationNumber MaxPrice DltId);

/// It is a phone number, so it is masked but for its last two digits.
impl fmt::Debug for OriginationNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        mask::write_hidden(f, &self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sender_id_has_1_to_11_letters_digits_or_hyphens_and_at_least_one_letter() {
        for text in ["A", "z", "MyCompany", "a1234567890", "1-A", "-a-", "ABCDEFGHIJK"] {
            assert_eq!(SenderId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", "12345", "-", "ABCDEFGHIJKL", "My Shop", "a_b", "Käse", "A\n", "a.b", "１A"] {
            assert_eq!(SenderId::parse(text), Err(ValueError { allowed: SenderId::ALLOWED }), "{text:?}");
        }
    }

    #[test]
    fn an_origination_number_has_5_to_14_digits_and_is_kept_as_given() {
        for text in ["12345", "+12345", "12345678901234", "+12345678901234", "00000"] {
            assert_eq!(OriginationNumber::parse(text).unwrap().as_str(), text);
        }
        for text in
            ["", "+", "1234", "+1234", "123456789012345", "++12345", "12345+", "1234 5", "1234a", "1234٥", "12345\n"]
        {
            assert!(OriginationNumber::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_price_is_above_0_with_four_digits_and_five_decimals_at_most() {
        for text in ["1", "0.5", "0.50", "0.00001", "9999.99999", "0001", "9999"] {
            assert_eq!(MaxPrice::parse(text).unwrap().as_str(), text);
        }
        for text in [
            "",
            "0",
            "0.0",
            "0000.00000",
            "10000",
            "1.",
            ".5",
            "1.123456",
            "-1",
            "+1",
            "1,5",
            "1e3",
            "1.2.3",
            " 1",
            "1 ",
            "1\n",
            "٣",
            "NaN",
        ] {
            assert!(MaxPrice::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_dlt_id_has_1_to_50_printable_ascii_characters() {
        for text in ["1", "1101456789012345678", "Entity-Id 7", &"x".repeat(50)] {
            assert_eq!(DltId::parse(text).unwrap().as_str(), text);
        }
        for text in ["", &"x".repeat(51), "a\n", "a\u{7f}", "\0", "é"] {
            assert!(DltId::parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn an_error_says_what_is_allowed() {
        assert_eq!(
            MaxPrice::parse("free").unwrap_err().to_string(),
            "a price above 0 in US dollars, written with at most four digits, and at most five more after a point: \"0.50\""
        );
    }

    #[test]
    fn an_origination_number_is_masked() {
        let shown = |text| format!("{:?}", Sender::Number(OriginationNumber::parse(text).unwrap()));
        assert_eq!(shown("+12065550100"), "Number(+•••••••••00)");
        assert_eq!(shown("12345"), "Number(•••45)");
    }

    #[test]
    fn what_was_stored_is_not_judged_anew() {
        assert_eq!(SenderId::from_stored("12345".to_owned()).as_str(), "12345");
    }
}
