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
use super::job::{Job, Task};
use super::not_committed::{NotCommitted, unknown};
use super::transaction::Transaction;
use super::trouble::Trouble;
use super::writer::{Writer, is_busy};
use crate::message::{Code, Problem};
use crate::tasks::Tasks;

/// Bounds the time that one transaction keeps the others waiting.
const LARGEST_BATCH: usize = 256;
/// The same, for jobs that write many rows each.
const MOST_ROWS: usize = 1000;

/// What this is to the log.
const PART: &str = "the writer of the outbox";

/// Runs jobs on the one connection that writes.
#[derive(Clone)]
pub(super) struct Committer(Arc<Shared>);

struct Shared {
    queue: Mutex<Queue>,
    trouble: Trouble,
    tasks: Tasks,
}

type Loan = Box<dyn FnOnce(&mut Writer) + Send>;

struct Queue {
    waiting: Vec<Box<dyn Job>>,
    loans: Vec<Loan>,
    /// Here while nobody leads.
    writer: Option<Box<Writer>>,
    /// The writer is lost: it went with a thread that panicked, or the runtime is ending.
    ended: bool,
}

impl Committer {
    pub(super) fn new(writer: Writer, damage: Damage, tasks: Tasks) -> Self {
        let queue = Queue { waiting: Vec::new(), loans: Vec::new(), writer: Some(Box::new(writer)), ended: false };
        Self(Arc::new(Shared { queue: Mutex::new(queue), trouble: Trouble::of_one(damage), tasks }))
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
            if queue.ended {
                // Whoever asked is told so, since nothing answers.
                return;
            }
            add(&mut queue);
            queue.writer.take()
        };
        if let Some(writer) = writer {
            let leading = EndsByPanic(self.clone());
            self.0.tasks.spawn(PART, async move { leading.0.clone().lead(writer).await });
        }
    }

    /// The writer is lost. Nobody waits for an answer that does not come.
    fn end(&self) {
        let (jobs, loans) = {
            let mut queue = self.lock();
            queue.ended = true;
            (std::mem::take(&mut queue.waiting), std::mem::take(&mut queue.loans))
        };
        drop((jobs, loans));
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
            match written.await {
                Ok(back) => writer = back,
                // `commit` catches the panics of jobs; without one the runtime is going down.
                Err(ended) => {
                    if ended.is_panic() {
                        self.0.tasks.fail(PART);
                    }
                    return self.end();
                }
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Queue> {
        self.0.queue.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A leader that panics takes the writer along.
struct EndsByPanic(Committer);

impl Drop for EndsByPanic {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.0.end();
        }
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

    #[tokio::test]
    async fn a_writer_that_is_lost_leaves_nobody_waiting_and_is_told_of() {
        let folder = tempfile::tempdir().unwrap();
        let log = Arc::<super::super::log::Log>::default();
        let writer =
            Writer::open(&folder.path().join("outbox.db"), log, super::super::Options::default(), None).unwrap();
        let tasks = Tasks::default();
        let committer = Committer::new(writer, Damage::default(), tasks.clone());
        let (give, given) = oneshot::channel();
        let other = committer.clone();
        let lost = committer.lend(move |_| {
            drop(give.send(other.run(true, |_| Ok(()))));
            panic!("a defect")
        });
        assert_eq!(lost.await, None::<()>);
        assert!(given.await.unwrap().await.is_err(), "it came while the writer was lent");
        assert_eq!(tasks.defect().await, PART);
        assert_eq!(committer.run(false, |_| Ok(())).await.unwrap_err().code, Code::OutboxUnavailable);
    }
}
