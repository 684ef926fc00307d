//! A transaction of the writer, as the work in it sees it.

use std::cell::Cell;
use std::ops::Deref;

use rusqlite::Connection;

use super::horizon::Horizon;
use crate::clock::Shift;

/// A transaction under way: the connection, and how many messages wait in the queue if it is committed. Whatever
/// moves messages into the queue or out of it says so here, so that nobody ever has to count them.
pub(super) struct Transaction<'w> {
    pub(super) connection: &'w Connection,
    pub(super) queued: Cell<u64>,
    pub(super) horizon: Cell<Horizon>,
    /// How moments read by the wall clock.
    pub(super) shift: Shift,
}

impl Transaction<'_> {
    /// How many wait.
    pub(super) fn queued(&self) -> u64 {
        self.queued.get()
    }

    /// One more waits.
    pub(super) fn enqueued(&self) {
        self.queued.set(self.queued.get() + 1);
    }

    /// Does some work and undoes it. After an error the whole transaction is to be undone.
    pub(super) fn undone(&self, work: impl FnOnce() -> rusqlite::Result<()>) -> rusqlite::Result<()> {
        let queued = self.queued.get();
        self.connection.execute_batch("SAVEPOINT undone")?;
        let done = work();
        self.queued.set(queued);
        done.and_then(|()| self.connection.execute_batch("ROLLBACK TO undone; RELEASE undone"))
    }

    /// One waits no longer.
    pub(super) fn dequeued(&self) {
        self.queued.set(self.queued.get().saturating_sub(1));
    }
}

impl Deref for Transaction<'_> {
    type Target = Connection;

    fn deref(&self) -> &Connection {
        self.connection
    }
}
