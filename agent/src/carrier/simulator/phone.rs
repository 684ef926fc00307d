//! The phones: what the simulator delivered, to be looked at.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use super::store::Store;
use crate::message::{Code, MessageId, PhoneNumber, Problem, SmsType, WallTime, sentence};

/// One SMS on a phone. An SMS that was published twice is there twice.
#[derive(Clone, Eq, PartialEq)]
pub struct Received {
    /// Our name of the message.
    pub id: MessageId,
    /// The carrier's name of it, other with every publish.
    pub message_id: String,
    /// Whose phone, E.164.
    pub to: String,
    /// The text.
    pub body: String,
    /// Transactional or promotional.
    pub kind: SmsType,
    /// The sender that the phone shows, where the caller chose one: a sender ID or an origination number.
    pub sender_id: Option<String>,
    /// In how many parts it came.
    pub segments: u32,
    /// When it came.
    pub received_at: WallTime,
}

/// Neither number nor text.
impl fmt::Debug for Received {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Received").field("id", &self.id).field("message_id", &self.message_id).finish_non_exhaustive()
    }
}

/// Some of what the phones received.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Page {
    /// The newest first.
    pub messages: Vec<Received>,
    /// Leads to the next older ones; `None`: there are none.
    pub next_cursor: Option<String>,
}

/// All phones of the simulator. Clones look at the same ones.
#[derive(Clone)]
pub struct Phone {
    store: Arc<Mutex<Store>>,
}

impl Phone {
    pub(super) fn new(store: Arc<Mutex<Store>>) -> Self {
        Self { store }
    }

    /// At most `limit` messages, of one number or of all, older than those of the page that gave `cursor`. What
    /// comes in between moves nothing: a cursor stays where it is.
    ///
    /// # Errors
    /// `invalid_parameter` for a cursor that was never given out; `internal` where the file cannot be read.
    pub fn page(&self, to: Option<&PhoneNumber>, limit: usize, cursor: Option<&str>) -> Result<Page, Problem> {
        let before = cursor.map(parse_cursor).transpose()?;
        let store = self.store.lock().unwrap_or_else(PoisonError::into_inner);
        // One more than wanted tells whether there are more.
        let mut rows = store.page(to.map(PhoneNumber::as_str), before, limit.saturating_add(1)).map_err(|error| {
            Problem::new(Code::Internal, sentence(&format!("Cannot read the simulator's file: {error}")))
        })?;
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|(seq, _)| format!("{seq:016x}"));
        Ok(Page { messages: rows.into_iter().map(|(_, message)| message).collect(), next_cursor })
    }
}

fn parse_cursor(cursor: &str) -> Result<i64, Problem> {
    let digits = cursor.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'));
    (digits && cursor.len() == 16).then(|| i64::from_str_radix(cursor, 16).ok()).flatten().ok_or_else(|| {
        Problem::new(Code::InvalidParameter, "Use a `next_cursor` as it was answered, or none.").of("cursor")
    })
}
