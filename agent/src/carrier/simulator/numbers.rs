//! The numbers that always answer the same, and what they answer.
//!
//! In flow a number and which attempt it is; out flows what happens. None of it says anything about the way to the
//! carrier: whoever tries out how a refused account looks must not stop everybody else's messages with it.

use crate::carrier::{PublishError, Signal, Verdict};
use crate::message::{Code, PhoneNumber, Problem};

const REJECTED: &str = "+15005550001";
const OPTED_OUT: &str = "+15005550002";
const THROTTLED_TWICE: &str = "+15005550003";
const THROTTLED: &str = "+15005550004";
const UNAUTHORIZED: &str = "+15005550005";
const REFUSED_ONCE: &str = "+15005550006";
const UNDELIVERABLE: &str = "+15005550007";
const SILENT: &str = "+15005550008";

/// What one publish call meets.
#[derive(Clone, Debug)]
pub(super) enum Answer {
    /// The message is taken and arrives.
    Taken,
    /// The message is taken; no phone ever has it.
    TakenAndLost,
    /// No answer comes.
    Silence,
    /// A refusal.
    Refused(PublishError),
}

/// What the attempt of that number, from 1, to send to `to` meets.
pub(super) fn answer(to: &PhoneNumber, attempt: u32) -> Answer {
    use Verdict::{NotSent, Rejected};
    let refused = |verdict, problem| Answer::Refused(refusal(verdict, problem));
    match (to.as_str(), attempt) {
        (REJECTED, _) => refused(
            Rejected,
            Problem::new(Code::CarrierRejected, "InvalidParameter: the simulator's number that is never valid."),
        ),
        (OPTED_OUT, _) => refused(Rejected, opted_out()),
        (THROTTLED, _) | (THROTTLED_TWICE, ..=2) => {
            refused(NotSent, Problem::new(Code::CarrierThrottled, "Throttling: the simulator's number for it."))
        }
        (UNAUTHORIZED, _) => refused(
            Rejected,
            Problem::new(Code::CarrierUnauthorized, "AuthorizationError: the simulator's number for it."),
        ),
        (REFUSED_ONCE, ..=1) => refused(
            NotSent,
            Problem::new(Code::CarrierUnavailable, "Connection refused: the simulator's number for it."),
        ),
        (UNDELIVERABLE, _) => Answer::TakenAndLost,
        (SILENT, _) => Answer::Silence,
        _ => Answer::Taken,
    }
}

/// Whether the number's owner has opted out.
pub(super) fn has_opted_out(to: &PhoneNumber) -> bool {
    to.as_str() == OPTED_OUT
}

/// Why nothing is sent to a number that has opted out.
pub(super) fn opted_out() -> Problem {
    Problem::new(Code::OptedOut, "This number of the simulator has opted out.").of("to")
}

/// What the delivery log would say of a message that is taken and lost.
pub(super) fn undeliverable() -> Problem {
    Problem::new(Code::Undeliverable, "Phone is currently unreachable/unavailable: the simulator's number for it.")
}

/// A failed publish that says nothing about the others.
pub(super) fn refusal(verdict: Verdict, problem: Problem) -> PublishError {
    PublishError { verdict, signal: Signal::None, problem }
}
