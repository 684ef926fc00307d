//! The access keys of the sender's user and the one that its section of the credentials file has: how they are found,
//! made, replaced and retired.
//!
//! In flow AWS's answers and the file; out flow calls in an order that can be cut off anywhere. Before a key is made, its
//! user is tagged with the time; the tag goes once the key is in the file. A key that was made under the tag and never
//! used is one whose secret nobody has: it alone may be replaced. Any other key may be alive somewhere, and stays.

mod clock;
mod error;
mod identity;
mod making;
mod mark;
mod rotation;
mod state;

use aws_sdk_iam::types::StatusType;
use sms_config::{Ahead, ahead_of_a_key};

use crate::aws::{CallError, Fault, Session, call};
use crate::credentials::{CredentialsFile, FileError};
use crate::resource::{Id, Kind};
use crate::stack::{KEY_PENDING_TAG, Stack};

pub use error::KeysError;
pub use identity::{KNOWN_WITHIN, credentials};
pub use making::Made;
pub use mark::Alone;
pub use rotation::{Progress, Rotated};
pub use state::{Key, LastUse, State};

/// The keys of one user, and the section of the file that one of them is in.
#[derive(Debug)]
pub struct SenderKeys<'a> {
    session: &'a Session,
    stack: &'a Stack,
    id: Id,
    file: Result<CredentialsFile, FileError>,
    /// What tells the section of the file from those of other machines and files.
    place: String,
}

impl<'a> SenderKeys<'a> {
    /// Those of the stack's sender.
    pub fn of(session: &'a Session, stack: &'a Stack) -> Self {
        let file = CredentialsFile::new(stack.account.credentials_file.as_deref(), &stack.profile);
        let path = file.as_ref().map_or(std::path::Path::new(""), CredentialsFile::path);
        let place = mark::place(path, &stack.profile);
        Self { session, stack, id: Id::new(Kind::IamAccessKey, &stack.names.sender), file, place }
    }

    /// The user's name.
    pub fn user(&self) -> &str {
        &self.id.name
    }

    /// The section of the profile.
    ///
    /// # Errors
    /// There is no path.
    pub fn file(&self) -> Result<&CredentialsFile, CallError> {
        self.file.as_ref().map_err(|error| self.of_file("iam:CreateAccessKey", error))
    }

    /// What stands in the section and is not of this user: whose place a new key takes, in words for a person. A file that
    /// cannot be read is told of by whoever writes it.
    pub fn displaced(&self, state: &State) -> Option<String> {
        let file = self.file.as_ref().ok()?;
        let displaced = file.displaced(&state.ids()).ok().flatten()?;
        let key = displaced.key.map(|id| format!(" (access key {id})")).unwrap_or_default();
        Some(format!(
            "the profile {} in {} has credentials{key} that are not of the IAM user {}: a new key would take their place, \
             and they would be kept in {}",
            self.stack.profile,
            file.path().display(),
            self.user(),
            displaced.kept_in.display()
        ))
    }

    /// Why no key can be put in the section, or must not be, in words for a person; told before anything is changed.
    pub fn obstacle(&self, state: &State) -> Option<String> {
        let file = match &self.file {
            Ok(file) => file,
            Err(error) => return Some(error.to_string()),
        };
        let (profile, in_use, path) = (&self.stack.profile, &self.session.in_use, file.path().display());
        if file.is_in(&in_use.config_file) {
            return Some(format!(
                "{path} is the AWS configuration file, in which SDKs look for profiles under other headings: let \
                 account.credentials_file name the credentials file, or one of its own"
            ));
        }
        if let Err(error) = file.look(&state.ids()) {
            return Some(error.to_string());
        }
        let is_in_use = in_use.profiles.contains(profile) && file.is_in(&in_use.credentials_file);
        is_in_use.then(|| {
            format!(
                "the profile {profile} in {path} is one that the settings or this command take credentials from, and the \
                 key of the IAM user {} would take their place: choose another account.name, or another name for the \
                 target, or let account.credentials_file name another file",
                self.user()
            )
        })
    }

    /// Removes what runs that were cut off left beside the file.
    pub fn tidy(&self) {
        self.file.iter().for_each(CredentialsFile::tidy);
    }

    /// Proves that a key can be written, without leaving a trace.
    ///
    /// # Errors
    /// The file.
    pub fn prove(&self) -> Result<(), CallError> {
        self.file()?.try_folder().map_err(|error| self.of_file("iam:CreateAccessKey", &error))
    }

    /// What keeps the key of the section from being used by whoever names the profile, in words for a person.
    pub async fn hidden(&self) -> Option<String> {
        let profile = &self.stack.profile;
        let Ahead { file, keys } = match ahead_of_a_key(profile).await {
            Ok(ahead) => ahead?,
            Err(trouble) => {
                return Some(format!("{trouble}. Until then, whoever names the profile {profile} has no key"));
            }
        };
        Some(format!(
            "the profile {profile} has {} in {}, and AWS SDKs take that before the key of the credentials file: whoever \
             names the profile {profile} is not the IAM user {}. Take it out there, or choose another account.name, or \
             another name for the target",
            keys.join(" and "),
            file.display(),
            self.user()
        ))
    }

    /// Why whoever names the profile in this environment does not find the key, in words for a person. A file that the
    /// settings name beside the usual one is meant.
    pub fn unread(&self) -> Option<String> {
        let (file, in_use) = (self.file.as_ref().ok()?, &self.session.in_use);
        if !file.is_in(&in_use.usual_credentials_file) || file.is_in(&in_use.credentials_file) {
            return None;
        }
        Some(format!(
            "its file is {}, and AWS_SHARED_CREDENTIALS_FILE names {}: AWS SDKs and the AWS CLI in this environment do not \
             find the profile {}. Set account.credentials_file to the file that is meant, or unset the variable where the key \
             is used",
            file.path().display(),
            in_use.credentials_file.display(),
            self.stack.profile
        ))
    }

    /// Deletes what a run that was cut off left behind: keys whose secret nobody has.
    ///
    /// # Errors
    /// A call.
    pub async fn delete_orphans(&self, state: &mut State) -> Result<(), CallError> {
        let orphans: Vec<String> = state.orphans().map(|key| key.id.clone()).collect();
        for id in &orphans {
            self.delete(id).await?;
        }
        // AWS may list them for a moment yet.
        state.all.retain(|key| !orphans.contains(&key.id));
        Ok(())
    }

    /// Why the key of the section cannot be taken out of it, in words for a person.
    pub fn stuck(&self, state: &State) -> Option<String> {
        let file = self.file.as_ref().ok().filter(|_| state.stored.is_some())?;
        file.look(&state.ids()).err().map(|error| error.to_string())
    }

    /// Goes no further where it cannot be told whether a key is in the file.
    ///
    /// # Errors
    /// The file.
    pub fn readable(&self, state: &State) -> Result<(), CallError> {
        match &state.unreadable {
            Some(why) => Err(CallError { fault: Fault::Local, ..self.failed("iam:ListAccessKeys", why) }),
            None => Ok(()),
        }
    }

    /// Removes the mark of a key that is being made, where there is one.
    ///
    /// # Errors
    /// A call.
    pub async fn settle(&self, state: &State) -> Result<(), CallError> {
        if state.pending.is_some() { self.untag(KEY_PENDING_TAG).await } else { Ok(()) }
    }

    /// Deletes all keys, and the section if it has one of them. The section goes first: without its key it would be
    /// nobody's.
    ///
    /// # Errors
    /// The file, before a key is touched; a call.
    pub async fn delete_all(&self) -> Result<(), CallError> {
        let state = self.state().await?;
        self.readable(&state)?;
        let ids = state.ids();
        self.forget(&ids)?;
        for id in &ids {
            self.delete(id).await?;
        }
        Ok(())
    }

    /// Removes the section if its key is one of those.
    ///
    /// # Errors
    /// The file.
    pub fn forget(&self, ids: &[String]) -> Result<(), CallError> {
        match &self.file {
            Ok(file) => file.remove(ids).map_err(|error| self.of_file("iam:DeleteAccessKey", &error)),
            // Where no file can be named there is no section.
            Err(_) => Ok(()),
        }
    }

    /// Deletes a key; that it is gone already is no error.
    ///
    /// # Errors
    /// The call.
    pub async fn delete(&self, key: &str) -> Result<(), CallError> {
        let send = || self.session.iam.delete_access_key().user_name(self.user()).access_key_id(key).send();
        CallError::if_there(call("iam:DeleteAccessKey", &self.id, send).await).map(drop)
    }

    async fn deactivate(&self, key: &str) -> Result<(), CallError> {
        let update = self.session.iam.update_access_key().user_name(self.user()).access_key_id(key);
        let send = || update.clone().status(StatusType::Inactive).send();
        CallError::if_there(call("iam:UpdateAccessKey", &self.id, send).await).map(drop)
    }

    /// No call has failed.
    fn of_file(&self, action: &'static str, error: &FileError) -> CallError {
        CallError { fault: Fault::Local, ..self.failed(action, error.to_string()) }
    }

    fn failed(&self, action: &'static str, message: impl Into<String>) -> CallError {
        CallError::other(action, self.id.to_string(), message)
    }
}
