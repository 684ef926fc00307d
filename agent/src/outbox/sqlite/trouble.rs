//! Says that the outbox has trouble: once, once a minute while it lasts, and once when it is over.
//!
//! Whoever asked is told each time; the log would only be flooded by it. What may be damage is checked before it is called
//! so, and is not over because other pages can be read.

use std::fs::File;
#[cfg(test)]
use std::sync::Arc;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use rusqlite::{ErrorCode, ffi};
use tokio::time::Instant;

use super::damage::Damage;
use super::file::unavailable;
use super::presence::GONE;
use crate::message::Problem;

const REPEAT: Duration = Duration::from_secs(60);

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
        if Damage::is_suspected_by(error) {
            return self.damage.met(error);
        }
        let what = meaning(error);
        let code = error.sqlite_error().map(|error| error.extended_code);
        let now = Instant::now();
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.failures += 1;
        told.problem = Some(unavailable(what));
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
    match error.sqlite_error().map(|error| error.extended_code) {
        Some(ffi::SQLITE_IOERR_FSYNC | ffi::SQLITE_IOERR_DIR_FSYNC) => {
            return "the disk of the outbox fails to sync what is written to it";
        }
        Some(ffi::SQLITE_IOERR_NOMEM) => return OUT_OF_MEMORY,
        Some(ffi::SQLITE_READONLY_DBMOVED) => return GONE,
        _ => {}
    }
    match error.sqlite_error_code() {
        Some(ErrorCode::DiskFull) => "the disk of the outbox is full",
        Some(ErrorCode::CannotOpen | ErrorCode::SystemIoFailure) if is_out_of_descriptors() => {
            "the agent has no file descriptor left to open a file of the outbox: raise its limit (`ulimit -n`, `LimitNOFILE=`)"
        }
        Some(ErrorCode::CannotOpen) => {
            "a file of the outbox cannot be opened: check `agent.data_dir` and its permissions"
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => "the outbox may not be written",
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "another program holds the outbox",
        Some(ErrorCode::OutOfMemory) => OUT_OF_MEMORY,
        Some(ErrorCode::SystemIoFailure) => "the disk of the outbox reports an error",
        _ => "the outbox does not answer",
    }
}

const OUT_OF_MEMORY: &str = "the agent gets no more memory from the system";

/// SQLite does not tell why a file could not be opened.
fn is_out_of_descriptors() -> bool {
    const ENFILE: i32 = 23;
    const EMFILE: i32 = 24;
    File::open("/").is_err_and(|error| matches!(error.raw_os_error(), Some(ENFILE | EMFILE)))
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
    async fn damage_is_said_once_by_all_together_and_is_not_over_because_something_else_works() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("outbox.db");
        std::fs::write(&path, vec![0xa5; 8192]).unwrap();
        let (damage, said) = (Damage::of(&path).unwrap(), Said::default());
        let (one, other) = (Trouble::of_one(damage.clone()), Trouble::of_one(damage.clone()));
        let corrupt = rusqlite::Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_CORRUPT), None);
        let _logging = said.hear();
        assert!(damage.none().is_ok());
        one.met(&corrupt);
        damage.checked().await;
        for trouble in [&one, &other, &one] {
            assert!(trouble.met(&corrupt).detail.contains(".recover"));
            trouble.over();
        }
        assert!(damage.none().is_err());
        let said = said.take();
        assert_eq!(said.iter().filter(|line| *line == "WARN").count(), 1, "{said:?}");
        assert!(!said.contains(&"INFO".to_owned()), "{said:?}");
    }

    #[test]
    fn each_kind_of_error_has_words_of_its_own() {
        let met = |code| meaning(&rusqlite::Error::SqliteFailure(ffi::Error::new(code), None));
        let codes = [
            ffi::SQLITE_IOERR_FSYNC,
            ffi::SQLITE_IOERR_READ,
            ffi::SQLITE_IOERR_NOMEM,
            ffi::SQLITE_FULL,
            ffi::SQLITE_CANTOPEN,
            ffi::SQLITE_READONLY,
            ffi::SQLITE_BUSY,
        ];
        let words: std::collections::BTreeSet<_> = codes.into_iter().map(met).collect();
        assert_eq!(words.len(), codes.len(), "{words:?}");
        assert_eq!(met(ffi::SQLITE_NOMEM), met(ffi::SQLITE_IOERR_NOMEM));
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
