//! What is asked of the history, and what it answers: a page at a time, the newest first.

use std::fmt;
use std::str::FromStr;

use thiserror::Error;

use crate::message::{Message, PhoneNumber, Status};

/// Which messages are wanted: those that are all of what is named.
#[derive(Clone, Debug, Default)]
pub struct Filter {
    /// Of this status now.
    pub status: Option<Status>,
    /// To this number.
    pub to: Option<PhoneNumber>,
    /// With this word of the caller's own.
    pub reference: Option<String>,
}

impl Filter {
    /// Whether the message is one of them.
    pub fn admits(&self, message: &Message) -> bool {
        self.status.is_none_or(|status| status == message.status)
            && self.to.as_ref().is_none_or(|to| *to == message.to)
            && self.reference.as_ref().is_none_or(|reference| Some(reference) == message.reference.as_ref())
    }
}

/// A place in the order of acceptance. What comes in after it was given out moves nothing before it.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Cursor(i64);

/// The text is none that was ever given out.
#[derive(Clone, Copy, Debug, Eq, Error, PartialEq)]
#[error("this is no cursor")]
pub struct NoCursor;

impl Cursor {
    /// The place of that number.
    pub(super) fn at(seq: i64) -> Self {
        Self(seq)
    }

    /// The number of the place.
    pub(super) fn seq(self) -> i64 {
        self.0
    }
}

/// Sixteen hexadecimal digits, which mean nothing to anybody else.
impl fmt::Display for Cursor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl FromStr for Cursor {
    type Err = NoCursor;

    fn from_str(text: &str) -> Result<Self, NoCursor> {
        let digits = text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
        digits.then(|| i64::from_str_radix(text, 16).ok()).flatten().map(Self).ok_or(NoCursor)
    }
}

/// Some of the history.
#[derive(Clone, Debug)]
pub struct Page {
    /// The newest first.
    pub messages: Vec<Message>,
    /// Leads to the older ones; `None`: there are none. A page of several filters may be short, even empty, and lead
    /// on all the same: so much was looked at, and no more.
    pub next: Option<Cursor>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cursor_leads_back_to_its_place_and_nothing_else_is_one() {
        assert_eq!(Cursor::at(9_007).to_string().parse(), Ok(Cursor::at(9_007)));
        for text in ["", "0", "+000000000000001", "000000000000001G", "ffffffffffffffff", "00000000000000001"] {
            assert_eq!(text.parse::<Cursor>(), Err(NoCursor), "{text}");
        }
    }
}
