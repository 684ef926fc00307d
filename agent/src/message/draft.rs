//! What a caller asked for, checked.

use super::{DltId, MaxPrice, PhoneNumber, Sender, Text};

/// SNS's two kinds of SMS. Sent with every message: AWS's documents disagree on the default.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum SmsType {
    /// Critical messages, one-time passwords; goes before promotional here.
    Transactional,
    /// Everything else.
    Promotional,
}

impl SmsType {
    /// The word of our own API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Transactional => "transactional",
            Self::Promotional => "promotional",
        }
    }

    /// The value of SNS's `AWS.SNS.SMS.SMSType`.
    pub fn as_sns(self) -> &'static str {
        match self {
            Self::Transactional => "Transactional",
            Self::Promotional => "Promotional",
        }
    }

    /// The type of that word of our own API.
    pub fn parse(word: &str) -> Option<Self> {
        [Self::Transactional, Self::Promotional].into_iter().find(|kind| kind.as_str() == word)
    }
}

/// What goes to the carrier: everything that decides what the phone shows and what it costs.
#[derive(Clone, Debug)]
pub struct Sms {
    /// Whose phone.
    pub to: PhoneNumber,
    /// The words.
    pub text: Text,
    /// Transactional or promotional.
    pub kind: SmsType,
    /// What the phone shows as the sender, where the caller chose.
    pub sender: Sender,
    /// SNS drops the message rather than pay more, in US dollars.
    pub max_price_usd: Option<MaxPrice>,
    /// India's DLT: the registered company.
    pub entity_id: Option<DltId>,
    /// India's DLT: the registered template.
    pub template_id: Option<DltId>,
}

/// A message that was asked for and not yet accepted.
#[derive(Clone, Debug)]
pub struct Draft {
    /// What goes to the carrier.
    pub sms: Sms,
    /// Seconds after acceptance beyond which it is not published any more.
    pub expires_in: Option<u32>,
    /// The caller's own word, at most 128 characters, stored and returned.
    pub reference: Option<String>,
}
