//! Phone numbers in E.164.
//!
//! In flows what a caller wrote; out flows a number that can exist, exactly as written, since that is what the carrier
//! gets. Nothing is normalised: a trunk prefix (`+49 (0)30`) or a space makes it another number or none. A number is
//! never shown in full but by [`PhoneNumber::as_str`].

use std::fmt;

use super::mask;
use super::plan::{Lengths, Parts};

/// E.164 allows no more digits than this, calling code included.
const MOST_DIGITS: usize = 15;

/// A number that can exist: its calling code is known and its length is one that numbers there have.
#[derive(Clone, Eq, Hash, PartialEq)]
pub struct PhoneNumber(String);

/// Why something is no phone number. Never says which one it was.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum NumberError {
    /// It is not written in E.164.
    #[error(
        "the number is not written in E.164: a plus sign and at most 15 digits, the first of them not 0, and nothing else"
    )]
    Form,
    /// No country or service has that calling code.
    #[error(
        "the number begins with no known calling code: right after the plus sign comes that of a country or service"
    )]
    CallingCode,
    /// No number there is that long.
    #[error("the number cannot have that length: after its calling code come {0} digits")]
    Length(Lengths),
}

impl PhoneNumber {
    /// Reads a number and takes it if it can exist, as Google's `isPossibleNumber` judges; numbers that can only be
    /// dialled within their own area do not count.
    ///
    /// # Errors
    /// What is wrong with it and what is allowed.
    pub fn parse(text: &str) -> Result<Self, NumberError> {
        let digits = text.strip_prefix('+').ok_or(NumberError::Form)?;
        let digits_only = digits.bytes().all(|byte| byte.is_ascii_digit());
        if !digits_only || digits.is_empty() || digits.starts_with('0') || digits.len() > MOST_DIGITS {
            return Err(NumberError::Form);
        }
        let parts = Parts::of(digits).ok_or(NumberError::CallingCode)?;
        if !parts.is_possible() {
            return Err(NumberError::Length(parts.lengths()));
        }
        Ok(Self(text.to_owned()))
    }

    /// The number again that was parsed before it was stored. It is not judged anew: numbering plans change, and what
    /// was accepted stays accepted.
    pub fn from_stored(number: String) -> Self {
        Self(number)
    }

    /// The number in E.164, plus sign included: for the carrier, the store and the caller, not for a log.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The digits after the plus sign that choose the country or service: `1`, `44`, `358`. `None` only for a stored
    /// number whose calling code has been withdrawn since.
    pub fn calling_code(&self) -> Option<&str> {
        Parts::of(self.digits()).map(|parts| parts.calling_code)
    }

    /// The country (ISO 3166-1 alpha-2) whose plan assigns the number, told apart where a calling code is shared.
    /// `None` where the range is not assigned, and for services that belong to no country, such as satellite phones.
    pub fn country(&self) -> Option<&'static str> {
        Parts::of(self.digits()).and_then(|parts| parts.country())
    }

    /// Whether the number lies in a range that is assigned, as Google's `isValidNumber` judges. What is assigned
    /// changes every few weeks: a `false` may be a new range.
    pub fn is_assigned(&self) -> bool {
        Parts::of(self.digits()).is_some_and(|parts| parts.region().is_some())
    }

    fn digits(&self) -> &str {
        self.0.strip_prefix('+').unwrap_or(&self.0)
    }
}

/// Masked: `+1••••••••00`.
impl fmt::Display for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        mask::write_masked(f, self.calling_code().unwrap_or_default(), self.digits())
    }
}

/// Masked as [`Display`](fmt::Display) is.
impl fmt::Debug for PhoneNumber {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(text: &str) -> PhoneNumber {
        PhoneNumber::parse(text).unwrap()
    }

    #[test]
    fn what_is_not_e164_to_the_letter_is_refused() {
        for text in [
            "",
            "+",
            "12065550100",
            "0012065550100",
            "+012065550100",
            "++12065550100",
            "+1 2065550100",
            " +12065550100",
            "+12065550100 ",
            "+1-206-555-0100",
            "+1206555010a",
            "+12065550100\n",
            "+1206555010٠",
            "＋12065550100",
            "+4912345678901234",
            "tel:+12065550100",
        ] {
            assert_eq!(PhoneNumber::parse(text), Err(NumberError::Form), "{text:?}");
        }
    }

    #[test]
    fn a_number_that_cannot_exist_is_refused_and_the_error_says_what_can() {
        for text in ["+9991234567", "+2101234567", "+2", "+21", "+999"] {
            assert_eq!(PhoneNumber::parse(text), Err(NumberError::CallingCode), "{text:?}");
        }
        for text in ["+1", "+1206555010", "+120655501000"] {
            let said = PhoneNumber::parse(text).unwrap_err().to_string();
            assert_eq!(said, "the number cannot have that length: after its calling code come 10 digits", "{text:?}");
        }
        let said = PhoneNumber::parse("+4420794600").unwrap_err().to_string();
        assert_eq!(said, "the number cannot have that length: after its calling code come 7, 9 or 10 digits");
    }

    #[test]
    fn the_number_that_every_guide_uses_can_exist_and_is_not_assigned() {
        let number = number("+15551234567");
        assert!(!number.is_assigned());
        assert_eq!(number.country(), None);
    }

    #[test]
    fn the_simulators_numbers_are_taken() {
        for last in 1..=8 {
            number(&format!("+1500555000{last}"));
        }
        assert_eq!(number("+12065550100").country(), Some("US"));
    }

    #[test]
    fn countries_that_share_a_calling_code_are_told_apart() {
        for (text, country) in [
            ("+12065550100", "US"),
            ("+16135550123", "CA"),
            ("+18765230123", "JM"),
            ("+79123456789", "RU"),
            ("+77710009998", "KZ"),
            ("+442079460018", "GB"),
            ("+447781123456", "GG"),
            ("+447797712345", "JE"),
            ("+393123456789", "IT"),
            ("+4915123456789", "DE"),
            ("+358412345678", "FI"),
            ("+61412345678", "AU"),
        ] {
            assert_eq!(number(text).country(), Some(country), "{text}");
        }
    }

    #[test]
    fn a_service_of_no_country_is_assigned_and_has_no_country() {
        let freephone = number("+80012345678");
        assert!(freephone.is_assigned());
        assert_eq!((freephone.country(), freephone.calling_code()), (None, Some("800")));
    }

    #[test]
    fn a_trunk_prefix_is_not_dropped_in_silence() {
        let with_prefix = number("+49030123456");
        assert_eq!(with_prefix.as_str(), "+49030123456");
        assert!(!with_prefix.is_assigned());
    }

    #[test]
    fn a_stored_number_stays_one_whatever_became_of_its_plan() {
        let withdrawn = PhoneNumber::from_stored("+2101234567".to_owned());
        assert_eq!((withdrawn.as_str(), withdrawn.calling_code(), withdrawn.country()), ("+2101234567", None, None));
        assert!(!withdrawn.is_assigned());
        assert_eq!(withdrawn.to_string(), "+••••••••67");
    }

    #[test]
    fn is_shown_as_calling_code_and_last_two_digits_only() {
        assert_eq!(format!("{0} {0:?}", number("+12065550100")), "+1••••••••00 +1••••••••00");
        assert_eq!(number("+358412345678").to_string(), "+358•••••••78");
    }
}
