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

use file::Changed;

const KEY_ID: &str = "aws_access_key_id";

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
    /// It has a line that no SDK understands.
    #[error(
        "{path} is not a credentials file: line {line} is neither a [profile], nor key = value, nor a comment. Nothing in it \
         was changed: correct that line, or set account.credentials_file"
    )]
    NotUnderstood {
        /// The file.
        path: PathBuf,
        /// The number of the line, from 1.
        line: usize,
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

/// Credentials in our section that are not ours: a key takes their place.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Displaced {
    /// The ID of their key; there may be none, as where a program or a role gives them.
    pub key: Option<String>,
    /// Where they are kept then.
    pub kept_in: PathBuf,
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
        Ok(value(KEY_ID)
            .zip(value("aws_secret_access_key"))
            .map(|(id, secret)| SecretKey { id: id.to_owned(), secret: SecretString::from(secret) }))
    }

    /// What is in the section and is not ours, whose keys have those IDs.
    ///
    /// # Errors
    /// The file cannot be read.
    pub fn displaced(&self, ours: &[String]) -> Result<Option<Displaced>, FileError> {
        let text = file::read(&self.path)?;
        let key = section::value(&text, &self.profile, KEY_ID).map(ToOwned::to_owned);
        Ok(self.foreign(&text, ours).map(|_| Displaced { key, kept_in: file::kept_in(&self.path) }))
    }

    /// The lines of it.
    fn foreign(&self, text: &str, ours: &[String]) -> Option<String> {
        let is_ours = section::value(text, &self.profile, KEY_ID).is_some_and(|id| ours.iter().any(|one| one == id));
        Some(section::taken_out(text, &self.profile)).filter(|lines| !is_ours && !lines.is_empty())
    }

    /// Looks whether a key can be put in the section, without touching anything.
    ///
    /// # Errors
    /// The file cannot be read or not be written, or it is something else than a credentials file.
    pub fn look(&self, ours: &[String]) -> Result<(), FileError> {
        file::look(&self.path, |text| self.changed(text, ours, "", ""))?;
        self.understood()
    }

    /// Whether it is that file, by whatever name.
    pub fn is_in(&self, path: &Path) -> bool {
        file::is_same(&self.path, path)
    }

    /// Removes what runs that were cut off left beside the file.
    pub fn tidy(&self) {
        file::tidy(&self.path);
    }

    /// Proves that a file can be made where it is to be, and makes nothing.
    ///
    /// # Errors
    /// It cannot.
    pub fn try_folder(&self) -> Result<(), FileError> {
        file::try_folder(&self.path)
    }

    /// Proves that [`CredentialsFile::write`] can do its work, before there is a key that could be lost.
    ///
    /// # Errors
    /// The file can be read or written no more than its folder.
    pub fn prove(&self, ours: &[String]) -> Result<(), FileError> {
        // Of the length that AWS's keys have: there must be room for it.
        self.look(ours)?;
        file::try_change(&self.path, |text| self.changed(text, ours, &"-".repeat(20), &"-".repeat(40)))
    }

    fn understood(&self) -> Result<(), FileError> {
        match section::not_understood(&file::read(&self.path)?) {
            Some(line) => Err(FileError::NotUnderstood { path: self.path.clone(), line }),
            None => Ok(()),
        }
    }

    /// Puts the key in the section. What is there of somebody else, and not of the keys with `ours` IDs, goes to the file
    /// beside it.
    ///
    /// # Errors
    /// The file is as it was.
    pub fn write(&self, key: &SecretKey, ours: &[String]) -> Result<(), FileError> {
        file::change(&self.path, |text| self.changed(text, ours, &key.id, key.secret.expose_secret()))
    }

    fn changed(&self, text: &str, ours: &[String], id: &str, secret: &str) -> Changed {
        let whence = "# Replaced by sms-provision in the credentials file beside this one.";
        let kept = self.foreign(text, ours).map(|lines| format!("{whence}\n[{}]\n{lines}", self.profile));
        Changed { text: section::put(text, &self.profile, id, secret), kept }
    }

    /// Removes the section if the ID of its key is one of those; it is somebody else's otherwise.
    ///
    /// # Errors
    /// The file is as it was.
    pub fn remove(&self, ids: &[String]) -> Result<(), FileError> {
        let is_of = |text: &str| {
            let id = section::value(text, &self.profile, KEY_ID);
            id.is_some_and(|id| ids.iter().any(|one| one == id))
        };
        // Without a file there is neither a folder to make nor anything to remove.
        if !is_of(&file::read(&self.path)?) {
            return Ok(());
        }
        file::change(&self.path, |text| {
            let text = if is_of(text) { section::remove(text, &self.profile) } else { text.to_owned() };
            Changed { text, kept: None }
        })
    }
}

#[cfg(test)]
mod tests;
