//! A message as the history has it.

use super::{Encoding, MessageId, PhoneNumber, Problem, Sender, SmsType, WallTime};

/// What is known of a message, and never more than that.
#[derive(Clone, Copy, Debug, Eq, Hash, PartialEq)]
pub enum Status {
    /// Accepted; waits for its first attempt or for the next one.
    Queued,
    /// A publish is under way.
    Sending,
    /// The carrier took it. Not: it arrived.
    Sent,
    /// The delivery log says that it arrived.
    Delivered,
    /// The carrier refused it, it was given up, or the delivery log says that it did not arrive.
    Failed,
    /// It was not published within `expires_in`.
    Expired,
    /// Its sender took it back in time.
    Canceled,
    /// Nobody here can know whether the carrier took it.
    Unknown,
}

impl Status {
    /// All of them, in the order of a message's life.
    pub const ALL: [Self; 8] = [
        Self::Queued,
        Self::Sending,
        Self::Sent,
        Self::Delivered,
        Self::Failed,
        Self::Expired,
        Self::Canceled,
        Self::Unknown,
    ];

    /// The word of the API.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sending => "sending",
            Self::Sent => "sent",
            Self::Delivered => "delivered",
            Self::Failed => "failed",
            Self::Expired => "expired",
            Self::Canceled => "canceled",
            Self::Unknown => "unknown",
        }
    }

    /// The status of that word.
    pub fn parse(word: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|status| status.as_str() == word)
    }

    /// Whether nothing more will be published for it: what a waiting sender waits for.
    pub fn is_settled(self) -> bool {
        !matches!(self, Self::Queued | Self::Sending)
    }
}

/// One message and what has become of it: all that the API returns, so without its text.
#[derive(Clone, Debug)]
pub struct Message {
    /// Its name.
    pub id: MessageId,
    /// What is known of it.
    pub status: Status,
    /// Whose phone.
    pub to: PhoneNumber,
    /// Transactional or promotional.
    pub kind: SmsType,
    /// What the phone shows as the sender.
    pub sender: Sender,
    /// The alphabet that its text needs.
    pub encoding: Encoding,
    /// In how many parts it goes, by the alphabet's arithmetic.
    pub segments: u32,
    /// SNS's own name for it, once SNS took it.
    pub provider_id: Option<String>,
    /// Publish calls begun, the one under way included.
    pub attempts: u32,
    /// Whether an attempt of unknown outcome was sent again.
    pub possible_duplicate: bool,
    /// When the next attempt is due, while one is scheduled.
    pub next_attempt_at: Option<WallTime>,
    /// Not published later than this.
    pub expires_at: Option<WallTime>,
    /// The caller's own word.
    pub reference: Option<String>,
    /// When it was accepted, by the wall clock of that moment.
    pub created_at: WallTime,
    /// When anything here last changed.
    pub updated_at: WallTime,
    /// What ended it, or what the last attempt met.
    pub error: Option<Problem>,
}
