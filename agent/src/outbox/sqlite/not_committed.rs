//! Why a transaction was not committed, and what is said where that is not known for certain.

use crate::message::{Code, Problem};
use crate::outbox::Acceptance;

/// Why a transaction was not committed.
#[derive(Debug)]
pub(super) enum NotCommitted {
    /// Nothing of it is left, on the disk neither.
    Undone(rusqlite::Error),
    /// Its sync failed, and the disk did not confirm that it is undone: after a power cut it may be there.
    Unknown(rusqlite::Error),
}

impl NotCommitted {
    /// What SQLite says.
    pub(super) fn error(self) -> rusqlite::Error {
        match self {
            Self::Undone(error) | Self::Unknown(error) => error,
        }
    }
}

/// How the problem of a commit with an unknown outcome begins.
const UNKNOWN: &str = "The disk did not confirm this, nor that it was undone; it is undone unless the machine goes down \
    before the disk recovers.";

/// What is said of a commit that the disk neither confirmed nor took back. Not `outbox_unavailable`, which promises that
/// nothing was done.
pub(super) fn unknown(problem: &Problem) -> Problem {
    Problem::new(Code::Internal, format!("{UNKNOWN} {}", problem.detail))
}

/// Where it is not known whether an acceptance came about, names its messages, so that they can be looked for.
pub(super) fn named(problem: Problem, acceptance: &Acceptance) -> Problem {
    let Some(first) = acceptance.entries.first().filter(|_| problem.detail.starts_with(UNKNOWN)) else {
        return problem;
    };
    let what = match acceptance.entries.len() {
        1 => format!("Message {}", first.id),
        many => format!("Batch of {many} messages that begins with {}", first.id),
    };
    Problem { detail: format!("{what}: {}", problem.detail).into(), ..problem }
}
