//! Says that the outbox has trouble: once, once a minute while it lasts, and once when it is over.
//!
//! Whoever asked is told each time; the log would only be flooded by it. Damage is said once and is never over: a page that
//! cannot be read does not heal, although others still can be.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use rusqlite::ErrorCode;
use tokio::time::Instant;

use super::file::unavailable;
use crate::message::Problem;

const REPEAT: Duration = Duration::from_secs(60);

/// What helps against damage; the agent itself cannot.
const DAMAGED: &str = "the outbox is damaged and does not heal by itself: stop the agent, copy `outbox.db` in \
    `agent.data_dir` away with its -wal and -shm files, and put a backup in its place or what \
    `sqlite3 outbox.db .recover` saves of it; without one the agent starts with an empty outbox";

/// Whether any connection met damage. Clones share it.
#[derive(Clone, Default)]
pub(super) struct Damage(Arc<AtomicBool>);

impl Damage {
    /// Once there was some.
    ///
    /// # Errors
    /// `outbox_unavailable`, with the way out.
    pub(super) fn none(&self) -> Result<(), Problem> {
        if self.0.load(Ordering::Relaxed) { Err(unavailable(DAMAGED)) } else { Ok(()) }
    }
}

/// What the log was told of one connection.
#[derive(Default)]
pub(super) struct Trouble {
    told: Mutex<Told>,
    damage: Damage,
}

#[derive(Default)]
struct Told {
    /// When it was last told of trouble.
    at: Option<Instant>,
    /// Failures since then, that one included.
    failures: u64,
    /// Whether the trouble it was told of lasts.
    lasts: bool,
    /// What was met last, unless it worked since.
    problem: Option<Problem>,
}

impl Trouble {
    /// Of a connection whose damage concerns all that share `damage`.
    pub(super) fn of_one(damage: Damage) -> Self {
        Self { damage, ..Self::default() }
    }

    /// What an error of SQLite means to whoever asked.
    pub(super) fn met(&self, error: &rusqlite::Error) -> Problem {
        let what = meaning(error);
        self.told.lock().unwrap_or_else(PoisonError::into_inner).problem = Some(unavailable(what));
        let code = error.sqlite_error().map(|error| error.extended_code);
        if what == DAMAGED {
            if !self.damage.0.swap(true, Ordering::Relaxed) {
                tracing::error!(code, "{what}");
            }
            return unavailable(what);
        }
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.failures += 1;
        // Trouble that comes and goes is no news either.
        if told.at.is_none_or(|at| now.duration_since(at) >= REPEAT) {
            tracing::error!(code, failures = told.failures, "{what}");
            (told.at, told.failures, told.lasts) = (Some(now), 0, true);
        }
        unavailable(what)
    }

    /// The same of what was done.
    pub(super) fn of<T>(&self, done: rusqlite::Result<T>) -> Result<T, Problem> {
        match done {
            Ok(done) => {
                self.over();
                Ok(done)
            }
            Err(error) => Err(self.met(&error)),
        }
    }

    /// What was met last, unless it worked since.
    pub(super) fn problem(&self) -> Option<Problem> {
        self.told.lock().unwrap_or_else(PoisonError::into_inner).problem.clone()
    }

    /// The same, where the error itself is needed too.
    pub(super) fn of_ref<T>(&self, done: rusqlite::Result<T>) -> rusqlite::Result<T> {
        match &done {
            Ok(_) => self.over(),
            Err(error) => drop(self.met(error)),
        }
        done
    }

    /// The same worked.
    pub(super) fn over(&self) {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.problem = None;
        if std::mem::take(&mut told.lasts) {
            tracing::info!(failures = told.failures, "the outbox works again");
        }
    }
}

/// Not the error's own text: SQLite quotes values in some.
fn meaning(error: &rusqlite::Error) -> &'static str {
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk of the outbox is full",
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied | ErrorCode::CannotOpen) => {
            "the outbox may not be written"
        }
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program holds the outbox",
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase) => DAMAGED,
        Some(ErrorCode::SystemIoFailure) => "the disk of the outbox reports an error",
        _ => "the outbox does not answer",
    }
}

/// The levels of what was logged, with the number of failures where it is told.
#[cfg(test)]
#[derive(Clone, Default)]
pub(super) struct Said(Arc<Mutex<Vec<String>>>);

#[cfg(test)]
impl Said {
    /// Listens until the guard is dropped.
    pub(super) fn hear(&self) -> tracing::subscriber::DefaultGuard {
        use tracing_subscriber::layer::SubscriberExt;
        tracing::subscriber::set_default(tracing_subscriber::registry().with(self.clone()))
    }

    pub(super) fn take(&self) -> Vec<String> {
        std::mem::take(&mut *self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

#[cfg(test)]
impl<S: tracing::Subscriber> tracing_subscriber::Layer<S> for Said {
    fn on_event(&self, event: &tracing::Event<'_>, _: tracing_subscriber::layer::Context<'_, S>) {
        let mut line = event.metadata().level().to_string();
        event.record(&mut |field: &tracing::field::Field, value: &dyn std::fmt::Debug| {
            if field.name() == "failures" {
                line.push_str(&format!(" {value:?}"));
            }
        });
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(line);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn trouble_is_said_once_and_once_a_minute_and_when_it_is_over() {
        let (trouble, said) = (Trouble::default(), Said::default());
        let _logging = said.hear();
        let met = |times: usize| {
            (0..times).for_each(|_| drop(trouble.met(&rusqlite::Error::InvalidQuery)));
            said.take()
        };
        trouble.over();
        assert_eq!(met(100), ["ERROR 1"]);
        tokio::time::advance(REPEAT).await;
        assert_eq!(met(100), ["ERROR 100"]);
        trouble.over();
        assert_eq!(met(0), ["INFO 99"]);
    }

    #[tokio::test(start_paused = true)]
    async fn damage_is_said_once_by_all_together_and_is_never_over() {
        let damage = Damage::default();
        let (one, other, said) = (Trouble::of_one(damage.clone()), Trouble::of_one(damage.clone()), Said::default());
        let _logging = said.hear();
        assert!(damage.none().is_ok());
        for trouble in [&one, &other, &one] {
            let corrupt = rusqlite::Error::SqliteFailure(rusqlite::ffi::Error::new(11), None);
            assert!(trouble.met(&corrupt).detail.contains(".recover"));
            trouble.over();
        }
        tokio::time::advance(REPEAT).await;
        assert!(damage.none().is_err());
        assert_eq!(said.take(), ["ERROR"]);
    }

    #[tokio::test(start_paused = true)]
    async fn trouble_that_comes_and_goes_does_not_flood_the_log() {
        let (trouble, said) = (Trouble::default(), Said::default());
        let _logging = said.hear();
        for _ in 0..100 {
            trouble.met(&rusqlite::Error::InvalidQuery);
            trouble.over();
        }
        assert_eq!(said.take(), ["ERROR 1", "INFO 0"]);
    }
}
