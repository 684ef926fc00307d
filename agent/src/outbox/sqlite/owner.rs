//! Whose outbox it is. What waits for one carrier must never go out through another, and no key or record of one may
//! answer for the other.
//!
//! The outbox remembers the carrier of its first start, with SNS the region, and the account once AWS has named it. One of
//! an earlier version, which remembers none, belongs to the carrier that its content proves.

use std::fmt;
use std::path::{Path, PathBuf};

use rusqlite::{Connection, OpenFlags, OptionalExtension};
use thiserror::Error;

use super::SqliteOutbox;
use super::file::Cause;
use super::file::OpenError;
use super::transaction::Transaction;
use crate::message::Problem;

/// Who an outbox is opened for.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Owner {
    /// The simulator.
    Simulator,
    /// Amazon SNS.
    Sns {
        /// Where its messages are published.
        region: String,
    },
}

/// Why it is not opened for somebody. Says who may, and the ways out.
#[derive(Debug, Error)]
pub enum OwnerError {
    /// It belongs to another one.
    #[error(
        "the outbox {path} belongs to {held}, and this start is for {wanted}; nothing was changed. Give this one its own \
         `agent.data_dir`; or go back to {held} ({settings}), which alone sends what waits there, if anything does"
    )]
    Another {
        /// The file.
        path: PathBuf,
        /// Whose it is.
        held: Owner,
        /// Who wanted it.
        wanted: Owner,
        /// What the settings of its owner are.
        settings: String,
    },
    /// An earlier version let both use it.
    #[error(
        "the outbox {path} holds messages that went out through SNS, and {beside} shows that trials on the simulator used it \
         too; nothing was changed. Give this start its own `agent.data_dir`. Or, if what waits there may go to real phones, \
         move simulator.db with its -wal and -shm files away (it holds trials only): the outbox then belongs to SNS"
    )]
    Both {
        /// The file.
        path: PathBuf,
        /// The simulator's file.
        beside: PathBuf,
    },
}

/// What the outbox knew of an account.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Account {
    /// It is the first one that it hears of.
    First,
    /// It is that of the outbox.
    Same,
    /// The outbox belongs to this one.
    Other(String),
}

impl fmt::Display for Owner {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Simulator => f.write_str("the simulator"),
            Self::Sns { region } if region.is_empty() => f.write_str("SNS"),
            Self::Sns { region } => write!(f, "SNS in {region}"),
        }
    }
}

impl Owner {
    fn carrier(&self) -> &'static str {
        match self {
            Self::Simulator => "simulator",
            Self::Sns { .. } => "sns",
        }
    }

    fn region(&self) -> Option<&str> {
        match self {
            Self::Simulator => None,
            Self::Sns { region } => Some(region),
        }
    }

    fn settings(&self) -> String {
        let carrier = format!("agent.carrier = \"{}\"", self.carrier());
        match self.region().filter(|region| !region.is_empty()) {
            Some(region) => format!("{carrier}, aws.region = \"{region}\""),
            None => carrier,
        }
    }

    /// Looks whether the file at `path` is this one's, or nobody's, and changes nothing.
    ///
    /// # Errors
    /// It is another one's, it belonged to both, or it cannot be read.
    pub(super) fn check(&self, folder: &Path, path: &Path) -> Result<(), OpenError> {
        let flags =
            OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX | OpenFlags::SQLITE_OPEN_NOFOLLOW;
        let connection = Connection::open_with_flags(path, flags).and_then(|connection| {
            connection.busy_timeout(std::time::Duration::from_secs(5))?;
            Ok(connection)
        });
        self.check_in(&connection.map_err(|source| OpenError::new(path, Cause::Sqlite(source)))?, folder, path)
    }

    /// The same, over a connection to that file.
    ///
    /// # Errors
    /// As [`Owner::check`].
    pub(super) fn check_in(&self, connection: &Connection, folder: &Path, path: &Path) -> Result<(), OpenError> {
        let phones = folder.join("simulator.db");
        let is = held(connection, &phones).map_err(|source| OpenError::new(path, Cause::Sqlite(source)))?;
        let path = path.to_owned();
        match is {
            Held::Nobody => Ok(()),
            Held::Both => Err(OwnerError::Both { path, beside: phones }.into()),
            Held::By(held) => {
                let is_same = match (&held, self) {
                    (Self::Sns { region: held }, Self::Sns { region }) => held.is_empty() || held == region,
                    (held, wanted) => held == wanted,
                };
                let (settings, wanted) = (held.settings(), self.clone());
                if is_same { Ok(()) } else { Err(OwnerError::Another { path, held, wanted, settings }.into()) }
            }
        }
    }

    /// Makes this one the owner, if there is none yet.
    pub(super) fn take(&self, transaction: &Transaction<'_>) -> rusqlite::Result<()> {
        let taken = "UPDATE belonging SET carrier = ?1, region = ?2 WHERE carrier IS NULL";
        transaction.execute(taken, (self.carrier(), self.region())).map(drop)
    }
}

impl SqliteOutbox {
    /// Hears which AWS account the credentials belong to, and keeps the first one for good.
    ///
    /// # Errors
    /// `outbox_unavailable`.
    pub async fn learn_account(&self, account: String) -> Result<Account, Problem> {
        self.committer.run(true, move |transaction| learn(transaction, &account)).await
    }
}

/// Keeps the first account that is heard of.
pub(super) fn learn(transaction: &Transaction<'_>, account: &str) -> rusqlite::Result<Account> {
    let held: Option<String> = transaction.query_row("SELECT account FROM belonging", (), |row| row.get(0))?;
    match held {
        Some(held) if held == account => Ok(Account::Same),
        Some(held) => Ok(Account::Other(held)),
        None => {
            transaction.execute("UPDATE belonging SET account = ?1", [account])?;
            Ok(Account::First)
        }
    }
}

/// Whose a file is.
enum Held {
    Nobody,
    By(Owner),
    Both,
}

fn held(connection: &Connection, phones: &Path) -> rusqlite::Result<Held> {
    let has = |table: &str| {
        let sql = "SELECT EXISTS (SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1)";
        connection.query_row(sql, [table], |row| row.get::<_, bool>(0))
    };
    if has("belonging")? {
        let sql = "SELECT carrier, coalesce(region, '') FROM belonging WHERE carrier IS NOT NULL";
        let stored = connection.query_row(sql, (), |row| Ok((row.get::<_, String>(0)?, row.get(1)?))).optional()?;
        if let Some((carrier, region)) = stored {
            return Ok(Held::By(if carrier == "sns" { Owner::Sns { region } } else { Owner::Simulator }));
        }
    }
    if has("message")? { proven(connection, phones) } else { Ok(Held::Nobody) }
}

/// A message id as the simulator makes it.
macro_rules! simulated {
    () => {
        "'????????-????-4???-[89ab]???-????????????'"
    };
}

/// Whose the content is. The simulator has a file beside the outbox, in which stands whatever it took and has not reported
/// as delivered; and no earlier version heard from SNS that a message was delivered.
fn proven(connection: &Connection, phones: &Path) -> rusqlite::Result<Held> {
    let is = |condition: &str| {
        let sql = format!("SELECT EXISTS (SELECT 1 FROM message WHERE {condition})");
        connection.query_row(&sql, (), |row| row.get::<_, bool>(0))
    };
    let has_keys: bool = connection.query_row("SELECT EXISTS (SELECT 1 FROM idempotency)", (), |row| row.get(0))?;
    if !is("TRUE")? && !has_keys {
        return Ok(Held::Nobody);
    }
    let sns = Held::By(Owner::Sns { region: String::new() });
    let of_sns = is(concat!("provider_id NOT GLOB ", simulated!()))?;
    if !std::fs::metadata(phones).is_ok_and(|file| file.is_file()) {
        let delivered = is("status = 3")? && !is("status = 2")? && !of_sns;
        return Ok(if delivered { Held::By(Owner::Simulator) } else { sns });
    }
    Ok(if of_sns || unknown_to(connection, phones)? { Held::Both } else { Held::By(Owner::Simulator) })
}

/// Whether a message was sent that the simulator did not take.
fn unknown_to(connection: &Connection, phones: &Path) -> rusqlite::Result<bool> {
    let Some(phones) = phones.to_str() else { return Ok(false) };
    connection.execute("ATTACH ?1 AS phones", [phones])?;
    let sql = "SELECT EXISTS (SELECT 1 FROM message WHERE status = 2 AND id NOT IN (SELECT id FROM phones.reports) \
               AND id NOT IN (SELECT id FROM phones.received))";
    // A simulator's file that cannot be read proves no more than that it is there.
    let unknown = connection.query_row(sql, (), |row| row.get(0)).or(Ok(false));
    connection.execute_batch("DETACH phones").and(unknown)
}
