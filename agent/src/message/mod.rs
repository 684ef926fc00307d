//! What an SMS is: to whom, what text, in which encoding, from whom, and what has become of it.
//!
//! Everything here is pure: no I/O, no clock of its own. Whatever comes in is checked once, in a constructor, so
//! that the other rooms never ask again whether a number is a number. It imports none of them.

mod code;
mod draft;
mod gsm7;
mod id;
mod mask;
mod number;
mod plan;
mod problem;
mod record;
mod sender;
mod text;
mod timestamp;

pub use code::Code;
pub use draft::{Draft, Sms, SmsType};
pub use id::{IdSource, MessageId};
pub use mask::mask_digits;
pub use number::{NumberError, PhoneNumber};
pub use plan::Lengths;
pub use problem::{Problem, sentence};
pub use record::{Message, Status};
pub use sender::{DltId, MaxPrice, OriginationNumber, Sender, SenderId, ValueError};
pub use text::{Encoding, Text, TextError};
pub use timestamp::{Timestamp, WallTime};
