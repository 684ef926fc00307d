//! What the file did not take: an outbox that refuses every message must not be called ready because some other row of
//! it can still be written.
//!
//! In flow acceptances that failed; out flows the last of them, for a probe to try out. It is forgotten as soon as one
//! like it is taken, or would be.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::ErrorCode;

use super::writer::Transaction;
use crate::message::{Code, Problem};
use crate::outbox::Acceptance;

/// An acceptance, and why it failed.
type Failed = (Arc<Acceptance>, Problem);

/// The last acceptance that failed, unless one was taken since.
#[derive(Clone, Default)]
pub(super) struct Untaken(Arc<Mutex<Option<Failed>>>);

impl Untaken {
    /// Hears what became of one.
    pub(super) fn hear<T>(&self, acceptance: Arc<Acceptance>, answer: &Result<T, Problem>) {
        let problem = answer.as_ref().err().filter(|problem| problem.code == Code::OutboxUnavailable);
        let untaken = problem.map(|problem| (acceptance, problem.clone()));
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = untaken;
    }

    /// The one to try out.
    pub(super) fn last(&self) -> Option<Arc<Acceptance>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(acceptance, _)| Arc::clone(acceptance))
    }

    /// Why it was not taken.
    pub(super) fn problem(&self) -> Option<Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, problem)| problem.clone())
    }

    /// That one would be taken now.
    pub(super) fn would_be_taken(&self, tried: &Arc<Acceptance>) {
        let mut last = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if last.as_ref().is_some_and(|(last, _)| Arc::ptr_eq(last, tried)) {
            *last = None;
        }
    }
}

/// Does the work of an acceptance and undoes it.
pub(super) fn try_out(
    transaction: &Transaction<'_>,
    work: impl FnOnce() -> rusqlite::Result<()>,
) -> rusqlite::Result<()> {
    match transaction.undone(work) {
        // It is there already: the file took it and could not say so.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(()),
        done => done,
    }
}
