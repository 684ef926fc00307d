//! A piece of work for the writer, and who waits for its answer.

use tokio::sync::oneshot;

use super::file;
use super::transaction::Transaction;
use crate::message::Problem;

/// One piece of work in a transaction. It may run twice: a batch that fails is run again job by job, so that one that
/// cannot succeed spoils none of the others.
pub(super) trait Job: Send {
    /// Whether its answer waits for the disk.
    fn durable(&self) -> bool;
    /// About how many rows it writes.
    fn rows(&self) -> usize;
    /// Does the work.
    fn run(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()>;
    /// Answers its caller: the transaction is on its way to the disk, or was undone.
    fn answer(self: Box<Self>, committed: Result<(), Problem>);
}

/// Work that a caller waits for.
pub(super) struct Task<T, W> {
    pub(super) work: W,
    /// What came of it.
    pub(super) done: Option<T>,
    pub(super) rows: usize,
    pub(super) durable: bool,
    pub(super) reply: oneshot::Sender<Result<T, Problem>>,
}

impl<T, W> Job for Task<T, W>
where
    T: Send,
    W: FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send,
{
    fn durable(&self) -> bool {
        self.durable
    }

    fn rows(&self) -> usize {
        self.rows
    }

    fn run(&mut self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        self.done = Some((self.work)(transaction)?);
        Ok(())
    }

    fn answer(self: Box<Self>, committed: Result<(), Problem>) {
        let answer = match (committed, self.done) {
            (Err(problem), _) => Err(problem),
            (Ok(()), Some(done)) => Ok(done),
            (Ok(()), None) => Err(file::unavailable("the outbox lost an answer")),
        };
        // The caller may have hung up.
        drop(self.reply.send(answer));
    }
}
