//! What the file did not take: an outbox that refuses every message must not be called ready because some other row of
//! it can still be written.
//!
//! In flow acceptances that failed; out flows the last of them, for a probe to try out. It is forgotten as soon as one
//! like it is taken, or would be.

use std::sync::{Arc, Mutex, PoisonError};

use rusqlite::ErrorCode;

use super::committer::Committer;
use super::transaction::Transaction;
use super::writer;
use super::{Options, entry};
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

    /// Why it was not taken.
    pub(super) fn problem(&self) -> Option<Problem> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).as_ref().map(|(_, problem)| problem.clone())
    }

    /// Writes to the disk, and tries out the last acceptance that failed, if there is one: whether that would be taken now.
    ///
    /// # Errors
    /// `outbox_unavailable`, or `internal` where it is not known whether the probe itself was undone.
    pub(super) async fn probe(&self, committer: &Committer, options: Options) -> Result<(), Problem> {
        let lock = || self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let last = lock().as_ref().map(|(acceptance, _)| Arc::clone(acceptance));
        let tried = last.clone();
        // Durable, since a disk may take writes and fail to sync them.
        let probing = committer.run(true, move |transaction| {
            if let Some(acceptance) = &tried {
                try_out(transaction, || entry::accept(transaction, acceptance, options).map(drop))?;
            }
            writer::beat(transaction)
        });
        probing.await?;
        let mut untaken = lock();
        if untaken.as_ref().zip(last).is_some_and(|((untaken, _), tried)| Arc::ptr_eq(untaken, &tried)) {
            *untaken = None;
        }
        Ok(())
    }
}

/// Does the work of an acceptance and undoes it.
fn try_out(transaction: &Transaction<'_>, work: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
    match transaction.undone(work) {
        // It is there already: the file took it and could not say so.
        Err(error) if error.sqlite_error_code() == Some(ErrorCode::ConstraintViolation) => Ok(()),
        done => done,
    }
}
