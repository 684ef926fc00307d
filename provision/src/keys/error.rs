//! Why a command about keys did not come to an end.

use thiserror::Error;

use crate::aws::CallError;

/// What is in the way, and what to do about it.
#[derive(Debug, Error)]
pub enum KeysError {
    /// A call, or the file.
    #[error(transparent)]
    Call(Box<CallError>),
    /// Nobody to have keys.
    #[error("there is no IAM user {0}: sms-provision apply makes it")]
    NoUser(String),
    /// The file.
    #[error("no key was made: {0}")]
    NoPlace(String),
    /// Somebody else's keys.
    #[error(
        "the IAM user {0} is not ours (tag sms:stack): nothing was changed; choose another account.name, or take it over \
         with sms-provision apply --adopt"
    )]
    NotOurs(String),
    /// Of two keys none is in the file.
    #[error(
        "the IAM user {user} has two keys, and {file} has neither: nothing was changed, since both may be in use. \
         sms-provision keys list shows them; free a place with sms-provision keys revoke KEY_ID, then run it again"
    )]
    BothElsewhere {
        /// The user.
        user: String,
        /// The file.
        file: String,
    },
    /// Of two keys the newer one is somewhere else.
    #[error(
        "the IAM user {user} has a second key that is newer than that of {file}: nothing was changed, since it may be \
         in use. sms-provision keys list shows both; free a place with sms-provision keys revoke KEY_ID, then run it again"
    )]
    NewerElsewhere {
        /// The user.
        user: String,
        /// The file.
        file: String,
    },
    /// Of two keys the older one is somewhere else, and no rotation has left it behind.
    #[error(
        "the IAM user {user} has a second key that is older than that of {file}, and that no rotation here has left behind: \
         nothing was changed, since it may be in use elsewhere. sms-provision keys list shows both and when they were last \
         used; delete the one that is not in use with sms-provision keys revoke KEY_ID, then run it again"
    )]
    OlderElsewhere {
        /// The user.
        user: String,
        /// The file.
        file: String,
    },
    /// Another run makes a key.
    #[error(
        "another run of sms-provision is making a key for the IAM user {0} at this moment: none was made here, and none was \
         deleted. Wait some minutes, look at sms-provision keys list, then run it again if a rotation is still needed"
    )]
    Busy(String),
    /// AWS does not take the new key.
    #[error(
        "AWS has not accepted the new key of {file} within {seconds} s; the old one was not touched. Run it again: it \
         goes on from here. {last}"
    )]
    Unverified {
        /// The file.
        file: String,
        /// How long it was tried.
        seconds: u64,
        /// The last answer.
        last: Box<CallError>,
    },
    /// The new key is somebody else's.
    #[error(
        "AWS takes the key of {file} for somebody else's, and not for the IAM user {user}'s; the old one was not touched. \
         Check that aws.endpoint_url leads to the account of the settings, then run it again"
    )]
    SomebodyElse {
        /// The user.
        user: String,
        /// The file.
        file: String,
    },
    /// There is no such key.
    #[error("the IAM user {0} has no such key: nothing was changed. sms-provision keys list shows those that it has")]
    NoSuchKey(String),
    /// No key of ours is in the file.
    #[error(
        "{file} has no key of the IAM user {user} under the profile {profile}: sms-provision apply makes the first one, \
         sms-provision keys rotate another"
    )]
    NoKeyInFile {
        /// The user.
        user: String,
        /// The file.
        file: String,
        /// The section.
        profile: String,
    },
}

impl From<CallError> for KeysError {
    fn from(error: CallError) -> Self {
        Self::Call(Box::new(error))
    }
}
