//! A phone number as somebody typed it. In flows text, out flows a number in E.164's form that is never shown in full but
//! by [`Number::as_str`], which is for AWS.

use std::fmt;

/// `+` and digits.
#[derive(Clone, Eq, PartialEq)]
pub struct Number(String);

/// It is not written as a number is; never says what was written.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error(
    "the number is not written in E.164: a plus sign, the calling code and the rest, 7 to 15 digits, the first of them not 0, \
     and nothing else"
)]
pub struct NotANumber;

/// Where rules of the country matter to the sender that is shown.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Country {
    /// The United States and their territories.
    UnitedStates,
    /// Canada.
    Canada,
}

/// Calling codes of two digits; those that begin with 1 or 7 have one, all others three.
const OF_TWO_DIGITS: [&str; 44] = [
    "20", "27", "30", "31", "32", "33", "34", "36", "39", "40", "41", "43", "44", "45", "46", "47", "48", "49", "51",
    "52", "53", "54", "55", "56", "57", "58", "60", "61", "62", "63", "64", "65", "66", "81", "82", "84", "86", "90",
    "91", "92", "93", "94", "95", "98",
];

/// Area codes of Canada.
const CANADA: [&str; 57] = [
    "204", "226", "236", "249", "250", "257", "263", "289", "306", "343", "354", "365", "367", "368", "382", "387",
    "403", "416", "418", "428", "431", "437", "438", "450", "460", "468", "474", "506", "514", "519", "548", "579",
    "581", "584", "587", "604", "613", "639", "647", "672", "683", "705", "709", "742", "753", "778", "780", "782",
    "807", "819", "825", "867", "873", "879", "902", "905", "942",
];

/// Area codes of other countries of calling code 1.
const NEITHER: [&str; 21] = [
    "242", "246", "264", "268", "284", "345", "441", "473", "649", "658", "664", "721", "758", "767", "784", "809",
    "829", "849", "868", "869", "876",
];

impl Number {
    /// Takes what is written as a number is.
    ///
    /// # Errors
    /// It is not.
    pub fn parse(text: &str) -> Result<Self, NotANumber> {
        let digits = text.strip_prefix('+').ok_or(NotANumber)?;
        let well = digits.bytes().all(|byte| byte.is_ascii_digit()) && (7..=15).contains(&digits.len());
        if well && !digits.starts_with('0') { Ok(Self(text.to_owned())) } else { Err(NotANumber) }
    }

    /// In full: for AWS.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The country, where it is one whose rules matter.
    pub fn country(&self) -> Option<Country> {
        let area = self.0.strip_prefix("+1")?.get(..3)?;
        match area {
            area if NEITHER.contains(&area) => None,
            area if CANADA.contains(&area) => Some(Country::Canada),
            _ => Some(Country::UnitedStates),
        }
    }

    fn calling_code(&self) -> &str {
        let digits = self.0.trim_start_matches('+');
        let two = digits.get(..2).unwrap_or_default();
        let length = match digits.as_bytes().first() {
            Some(b'1' | b'7') => 1,
            _ if OF_TWO_DIGITS.contains(&two) => 2,
            _ => 3,
        };
        digits.get(..length).unwrap_or_default()
    }
}

/// Calling code and the last two digits.
impl fmt::Display for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let code = self.calling_code();
        let hidden = self.0.len().saturating_sub(1 + code.len() + 2);
        let last = self.0.get(self.0.len().saturating_sub(2)..).unwrap_or_default();
        write!(f, "+{code}{}{last}", "•".repeat(hidden))
    }
}

impl fmt::Debug for Number {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_plus_sign_and_seven_to_fifteen_digits_are_a_number() {
        for good in ["+12065550100", "+4915112345678", "+2901234", "+123456789012345"] {
            assert!(Number::parse(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "+",
            "12065550100",
            "+0206555010",
            "+123456",
            "+1234567890123456",
            "+1 206 555 0100",
            "+1206555010x",
            "+١٢٣٤٥٦٧٨",
        ] {
            assert_eq!(Number::parse(bad), Err(NotANumber), "{bad}");
        }
    }

    #[test]
    fn it_is_shown_as_calling_code_and_last_two_digits() {
        for (number, shown) in [
            ("+12065550100", "+1••••••••00"),
            ("+4915112345678", "+49•••••••••78"),
            ("+35840123456", "+358••••••56"),
            ("+989121234567", "+98••••••••67"),
        ] {
            let parsed = Number::parse(number).unwrap();
            assert_eq!((parsed.to_string(), format!("{parsed:?}")), (shown.to_owned(), shown.to_owned()));
        }
    }

    #[test]
    fn countries_that_share_calling_code_1_are_told_apart() {
        let country = |number| Number::parse(number).unwrap().country();
        assert_eq!(country("+12065550100"), Some(Country::UnitedStates));
        assert_eq!(country("+14165550100"), Some(Country::Canada));
        assert_eq!(country("+18765550100"), None);
        assert_eq!(country("+442079460000"), None);
    }
}
