//! The AWS shared credentials file, as far as it is ours: one profile's section.
//!
//! In flows a key, out flows the key that the section has. The rest of the file is nobody's business here and stays byte
//! for byte. A secret is never shown: not by `Debug`, not in an error.

mod file;
mod section;

use std::io;
use std::path::{Path, PathBuf};

use secrecy::{ExposeSecret, SecretString};
use thiserror::Error;

/// A key with its secret.
#[derive(Clone, Debug)]
pub struct SecretKey {
    /// The access key's ID.
    pub id: String,
    /// What signs.
    pub secret: SecretString,
}

/// Why the file cannot be used. Says which file and what to do, never what is in it.
#[derive(Debug, Error)]
pub enum FileError {
    /// There is no path.
    #[error("there is no file for the access key: set account.credentials_file, or HOME for its default")]
    NoPath,
    /// It cannot be read.
    #[error("cannot read {path}: {source}; nothing in it was changed: mend that, or set account.credentials_file")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// It holds something else.
    #[error("{path} is not UTF-8 text; nothing in it was changed: mend it, or set account.credentials_file")]
    NotText {
        /// The file.
        path: PathBuf,
    },
    /// It cannot be written.
    #[error("cannot write {path}: {source}; it is as it was: mend that, or set account.credentials_file")]
    Write {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// One profile's section of a credentials file.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct CredentialsFile {
    path: PathBuf,
    profile: String,
}

impl CredentialsFile {
    /// That of the profile. The file need not be there.
    ///
    /// # Errors
    /// [`FileError::NoPath`].
    pub fn new(path: Option<&Path>, profile: &str) -> Result<Self, FileError> {
        let path = path.ok_or(FileError::NoPath)?.to_owned();
        Ok(Self { path, profile: profile.to_owned() })
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The key of the section; nothing where it has not both halves of one.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn read(&self) -> Result<Option<SecretKey>, FileError> {
        let text = file::read(&self.path)?;
        let value = |key| section::value(&text, &self.profile, key);
        Ok(value("aws_access_key_id")
            .zip(value("aws_secret_access_key"))
            .map(|(id, secret)| SecretKey { id: id.to_owned(), secret: SecretString::from(secret) }))
    }

    /// Proves that [`CredentialsFile::write`] can do its work, before there is a key that could be lost.
    ///
    /// # Errors
    /// The file can be read or written no more than its folder.
    pub fn prove(&self) -> Result<(), FileError> {
        // Of the length that AWS's keys have: there must be room for it.
        file::try_change(&self.path, |text| section::put(text, &self.profile, &"-".repeat(20), &"-".repeat(40)))
    }

    /// Puts the key in the section.
    ///
    /// # Errors
    /// The file is as it was.
    pub fn write(&self, key: &SecretKey) -> Result<(), FileError> {
        file::change(&self.path, |text| section::put(text, &self.profile, &key.id, key.secret.expose_secret()))
    }

    /// Removes the section if the ID of its key is one of those; it is somebody else's otherwise.
    ///
    /// # Errors
    /// The file is as it was.
    pub fn remove(&self, ids: &[String]) -> Result<(), FileError> {
        let is_of = |text: &str| {
            let id = section::value(text, &self.profile, "aws_access_key_id");
            id.is_some_and(|id| ids.iter().any(|one| one == id))
        };
        // Without a file there is neither a folder to make nor anything to remove.
        if !is_of(&file::read(&self.path)?) {
            return Ok(());
        }
        file::change(&self.path, |text| match is_of(text) {
            true => section::remove(text, &self.profile),
            false => text.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests;
