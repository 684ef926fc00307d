//! Whether the key of the fingerprints is the one that the outbox's idempotency keys were made with.

use std::path::Path;

use super::SqliteOutbox;
use super::file::OpenError;
use super::transaction::Transaction;

impl SqliteOutbox {
    /// Binds the key of the fingerprints, by its check value, to the outbox; with `replace`, whatever key it had before.
    ///
    /// # Errors
    /// The outbox was used with another key, or cannot be written.
    pub async fn bind_key(&self, key: &Path, check: [u8; 32], replace: bool) -> Result<(), OpenError> {
        let binding = self.committer.run(true, move |transaction| bind(transaction, &check, replace));
        match binding.await {
            Ok(false) => Err(OpenError::ForeignKey { key: key.to_owned() }),
            // What keeps it from being stored is met by every send, and told there.
            Ok(true) | Err(_) => Ok(()),
        }
    }
}

/// Stores the check value of a key, and tells whether it is that of the outbox. With `replace`, whatever key the outbox had
/// is replaced: what it remembers by that one answers for nothing any more.
pub(super) fn bind(transaction: &Transaction<'_>, check: &[u8; 32], replace: bool) -> rusqlite::Result<bool> {
    let held: Option<Vec<u8>> = transaction.query_row("SELECT key_check FROM belonging", (), |row| row.get(0))?;
    match held {
        Some(held) if held == check => Ok(true),
        Some(_) if !replace => Ok(false),
        _ => transaction.execute("UPDATE belonging SET key_check = ?1", [check]).map(|_| true),
    }
}
