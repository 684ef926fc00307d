//! Many callers, one transaction: whoever asks while a commit is under way shares the next one.
//!
//! Jobs wait in a list; the first to come while nobody writes starts a leader, which takes what has gathered, runs it
//! in one transaction, answers all, and goes on until the list is empty. A batch that nobody wants durable is written
//! on the runtime's own thread (some tens of microseconds, no hand-over between threads); one that somebody does
//! waits for its fsync on a blocking thread, and so does one that finds the file locked by another program. A caller that goes away takes nothing back.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::oneshot;

use super::damage::Damage;
use super::file;
use super::not_committed::{NotCommitted, unknown};
use super::transaction::Transaction;
use super::trouble::Trouble;
use super::writer::{Writer, is_busy};
use crate::message::{Code, Problem};

/// Bounds the time that one transaction keeps the others waiting.
const LARGEST_BATCH: usize = 256;
/// The same, for jobs that write many rows each.
const MOST_ROWS: usize = 1000;

/// Runs jobs on the one connection that writes.
#[derive(Clone)]
pub(super) struct Committer(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    trouble: Trouble,
}

type Loan = Box<dyn FnOnce(&mut Writer) + Send>;

struct Queue {
    waiting: Vec<Box<dyn Job>>,
    loans: Vec<Loan>,
    /// Here while nobody leads.
    writer: Option<Box<Writer>>,
}

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

impl Committer {
    pub(super) fn new(writer: Writer, damage: Damage) -> Self {
        let queue = Queue { waiting: Vec::new(), loans: Vec::new(), writer: Some(Box::new(writer)) };
        Self(Arc::new(Shared { queue: Mutex::new(queue), trouble: Trouble::of_one(damage) }))
    }

    /// Runs `work` in a transaction, with others or alone, and answers once that is committed; with `durable`, once
    /// the disk has it. The work is done whether or not the future is polled to its end.
    pub(super) fn run<T, W>(
        &self,
        durable: bool,
        work: W,
    ) -> impl Future<Output = Result<T, Problem>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        self.run_many(1, durable, work)
    }

    /// The same for work that writes about so many rows.
    pub(super) fn run_many<T, W>(
        &self,
        rows: usize,
        durable: bool,
        work: W,
    ) -> impl Future<Output = Result<T, Problem>> + Send + use<T, W>
    where
        T: Send + 'static,
        W: FnMut(&Transaction<'_>) -> rusqlite::Result<T> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        self.push(Box::new(Task { work, done: None, rows, durable, reply }));
        async move { answer.await.unwrap_or_else(|_| Err(file::unavailable("the writer of the outbox ended"))) }
    }

    /// Lends the writer itself, between transactions, to what cannot run inside one. `None`: the runtime is ending.
    pub(super) async fn lend<T: Send + 'static>(
        &self,
        work: impl FnOnce(&mut Writer) -> T + Send + 'static,
    ) -> Option<T> {
        let (reply, answer) = oneshot::channel();
        self.start(|queue| {
            // The borrower may have gone meanwhile.
            queue.loans.push(Box::new(move |writer| drop(reply.send(work(writer)))));
        });
        answer.await.ok()
    }

    /// What the last commit met, if it failed.
    pub(super) fn problem(&self) -> Option<Problem> {
        self.0.trouble.problem()
    }

    fn push(&self, job: Box<dyn Job>) {
        self.start(|queue| queue.waiting.push(job));
    }

    fn start(&self, add: impl FnOnce(&mut Queue)) {
        let writer = {
            let mut queue = self.lock();
            add(&mut queue);
            queue.writer.take()
        };
        if let Some(writer) = writer {
            tokio::spawn(self.clone().lead(writer));
        }
    }

    async fn lead(self, mut writer: Box<Writer>) {
        loop {
            let (batch, loan) = {
                let mut queue = self.lock();
                let loan = queue.loans.pop();
                if queue.waiting.is_empty() && loan.is_none() {
                    queue.writer = Some(writer);
                    return;
                }
                let size = share(&queue.waiting);
                (queue.waiting.drain(..size).collect::<Vec<_>>(), loan)
            };
            let durable = batch.iter().any(|job| job.durable());
            let batch = if durable || loan.is_some() {
                batch
            } else if let Some(locked_out) = commit_at_once(&self.0.trouble, &mut writer, batch) {
                locked_out
            } else {
                // Those who were just answered run first: what they ask for next belongs to the next batch.
                tokio::task::yield_now().await;
                continue;
            };
            let (mut moved, shared) = (writer, Arc::clone(&self.0));
            let written = tokio::task::spawn_blocking(move || {
                moved.patiently(|writer| commit(&shared.trouble, writer, batch, durable));
                if let Some(loan) = loan {
                    loan(&mut moved);
                }
                moved
            });
            // It only fails when the runtime is going down; `commit` catches the panics of jobs.
            let Ok(back) = written.await else { return };
            writer = back;
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many of the jobs make one transaction; at least one, if there is one.
fn share(waiting: &[Box<dyn Job>]) -> usize {
    let mut rows = 0;
    let sums = waiting.iter().take(LARGEST_BATCH).map(|job| {
        rows += job.rows();
        rows
    });
    sums.take_while(|rows| *rows <= MOST_ROWS).count().max(waiting.len().min(1))
}

/// Commits a batch that nobody wants durable, unless another program holds the write lock: gives it back then.
fn commit_at_once(trouble: &Trouble, writer: &mut Writer, mut batch: Vec<Box<dyn Job>>) -> Option<Vec<Box<dyn Job>>> {
    let written = transact(writer, &mut batch, false);
    if written.as_ref().is_err_and(Failure::is_busy) {
        return Some(batch);
    }
    finish(trouble, writer, batch, written, false);
    None
}

fn commit(trouble: &Trouble, writer: &mut Writer, mut batch: Vec<Box<dyn Job>>, durable: bool) {
    if !batch.is_empty() {
        if durable {
            writer.look();
        }
        let written = transact(writer, &mut batch, durable);
        finish(trouble, writer, batch, written, false);
    }
}

/// Answers a batch, or runs its jobs again one by one. `tainted`: they were part of a commit of which nobody knows whether
/// the disk has it.
fn finish(
    trouble: &Trouble,
    writer: &mut Writer,
    batch: Vec<Box<dyn Job>>,
    written: Result<(), Failure>,
    tainted: bool,
) {
    let tainted = tainted || matches!(written, Err(Failure::Sqlite(NotCommitted::Unknown(_))));
    // None of them is to blame for another program's lock.
    if written.as_ref().is_err_and(|failure| !failure.is_busy()) && batch.len() > 1 {
        for job in batch {
            let durable = job.durable();
            let mut alone = vec![job];
            let written = transact(writer, &mut alone, durable);
            finish(trouble, writer, alone, written, tainted);
        }
        return;
    }
    let written = written.map_err(|failure| match failure {
        Failure::Sqlite(failure) => {
            let problem = trouble.met(&failure.error());
            if tainted { unknown(&problem) } else { problem }
        }
        Failure::Defect => Problem::new(Code::Internal, "The outbox met a defect of its own."),
    });
    // While the log is in doubt, only what nobody wants durable is written.
    if written.is_ok() && !writer.is_in_doubt() {
        trouble.over();
    }
    for job in batch {
        job.answer(written.clone());
    }
}

/// Why nothing was written.
enum Failure {
    Sqlite(NotCommitted),
    /// A job panicked.
    Defect,
}

impl Failure {
    /// Whether another program holds the outbox.
    fn is_busy(&self) -> bool {
        matches!(self, Self::Sqlite(NotCommitted::Undone(error)) if is_busy(error))
    }
}

fn transact(writer: &mut Writer, batch: &mut [Box<dyn Job>], durable: bool) -> Result<(), Failure> {
    let run = || writer.transaction(durable, |transaction| batch.iter_mut().try_for_each(|job| job.run(transaction)));
    match catch_unwind(AssertUnwindSafe(run)) {
        Ok(written) => written.map_err(Failure::Sqlite),
        Err(_) => {
            writer.roll_back();
            Err(Failure::Defect)
        }
    }
}

struct Task<T, W> {
    work: W,
    done: Option<T>,
    rows: usize,
    durable: bool,
    reply: oneshot::Sender<Result<T, Problem>>,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn job(rows: usize) -> Box<dyn Job> {
        let (reply, _) = oneshot::channel();
        Box::new(Task { work: |_: &Transaction<'_>| Ok(()), done: None, rows, durable: false, reply })
    }

    #[test]
    fn a_transaction_takes_so_many_jobs_and_so_many_rows_and_always_one() {
        for (rows, jobs, taken) in [(1, 3, 3), (1, 300, LARGEST_BATCH), (100, 300, 10), (5000, 2, 1), (1, 0, 0)] {
            let waiting: Vec<_> = (0..jobs).map(|_| job(rows)).collect();
            assert_eq!(share(&waiting), taken, "{jobs} of {rows}");
        }
    }
}
