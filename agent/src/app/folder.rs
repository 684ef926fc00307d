//! The data folder as a whole: the outbox with its key, and their backup.

use std::path::Path;

use sms_config::{AwsAccess, Carrier, Settings};

use super::StartError;
use crate::api::Fingerprints;
use crate::outbox::sqlite::{BackedUp, BackupError, Inspected, OpenError, Owner, SqliteOutbox, backup};

/// The key of the fingerprints, bound to the outbox. A new one takes the place of another where nothing is remembered by that,
/// and where the operator says so with a file beside it.
pub(super) async fn fingerprints(folder: &Path, rows: &SqliteOutbox, in_use: bool) -> Result<Fingerprints, StartError> {
    let path = folder.join("fingerprint-key");
    let said = folder.join("fingerprint-key.replaced");
    let (is_new, is_said) = (!path.exists(), said.exists());
    let fingerprints = Fingerprints::open(&path, in_use)?;
    rows.bind_key(&path, fingerprints.check_value(), is_new || is_said).await?;
    if is_said {
        // It counts for one start.
        drop(std::fs::remove_file(&said));
    }
    Ok(fingerprints)
}

/// Whether [`fingerprints`] would take the key, without making or changing one.
pub(super) fn check_key(folder: &Path, outbox: &Inspected) -> Result<(), StartError> {
    let path = folder.join("fingerprint-key");
    let is_said = folder.join("fingerprint-key.replaced").exists();
    let Some(fingerprints) = Fingerprints::inspect(&path, outbox.remembers_keys)? else { return Ok(()) };
    let held = outbox.key_check.as_deref().filter(|_| !is_said);
    if held.is_some_and(|held| held != fingerprints.check_value()) {
        return Err(OpenError::ForeignKey { key: path }.into());
    }
    Ok(())
}

/// Writes a backup of the outbox to `target`, and says what it holds.
///
/// # Errors
/// Why there is none.
pub fn back_up(settings: &Settings, target: &Path) -> Result<String, BackupError> {
    let folder = &settings.agent.data_dir;
    let BackedUp { messages, waiting } = backup(folder, target)?;
    let (target, key) = (target.display(), folder.join("fingerprint-key"));
    Ok(format!(
        "{target}: {messages} messages, of which {waiting} wait or are being sent. Keep it with a copy of {}\n",
        key.display()
    ))
}

/// Whose outbox these settings need.
pub(super) fn owner(settings: &Settings, access: Option<&AwsAccess>) -> Owner {
    match (settings.agent.carrier, access) {
        (Carrier::Sns, Some(access)) => Owner::Sns { region: access.region.clone() },
        _ => Owner::Simulator,
    }
}
