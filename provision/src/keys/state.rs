//! What there is: the user, its keys, the mark of one that is being made, and the key of the file.

use aws_smithy_types::DateTime;

use super::SenderKeys;
use super::clock::AnswerDate;
use super::mark::Mark;
use crate::aws::{CallError, call};
use crate::credentials::SecretKey;
use crate::stack::{KEY_PENDING_TAG, KEY_RETIRING_TAG, STACK_TAG};

/// A key as AWS has it.
#[derive(Clone, Debug, PartialEq)]
pub struct Key {
    /// Its ID.
    pub id: String,
    /// When it was made.
    pub created: DateTime,
    /// Whether it can be used.
    pub active: bool,
    /// When it was last used; nothing where it never was, or nobody needed to know.
    pub last_use: Option<LastUse>,
    /// Whether it was made under the mark and its secret is nobody's.
    orphan: bool,
}

/// The last use of a key.
#[derive(Clone, Debug, PartialEq)]
pub struct LastUse {
    /// When.
    pub at: DateTime,
    /// Of which service.
    pub service: String,
    /// In which region.
    pub region: String,
}

/// The user with its keys.
#[derive(Clone, Debug)]
pub struct State {
    /// The user's tags; nothing where there is no user.
    pub tags: Option<Vec<(String, String)>>,
    /// The mark of a key that is being made, as the tag has it.
    pub pending: Option<String>,
    /// Whether that mark is young and was set elsewhere: that run may be making its key at this moment.
    pub busy_elsewhere: bool,
    /// The key that goes at the end of a rotation that is under way.
    pub retiring: Option<String>,
    /// The keys, the oldest first.
    pub all: Vec<Key>,
    /// The key of the file, if it is one of those.
    pub stored: Option<SecretKey>,
    /// Why the file cannot be read, in words for a person: it may have one of those then, for all that is known.
    pub unreadable: Option<String>,
    /// When AWS said all that.
    pub now: DateTime,
}

impl State {
    /// Those that may be replaced.
    pub fn orphans(&self) -> impl Iterator<Item = &Key> {
        self.all.iter().filter(|key| key.orphan)
    }

    /// Those that are not in the file and may be in use.
    pub fn elsewhere(&self) -> impl Iterator<Item = &Key> {
        self.all.iter().filter(|key| !key.orphan && !self.in_file(key))
    }

    /// The IDs of all.
    pub fn ids(&self) -> Vec<String> {
        self.all.iter().map(|key| key.id.clone()).collect()
    }

    /// Whether it is the one of the file.
    pub fn in_file(&self, key: &Key) -> bool {
        self.stored.as_ref().is_some_and(|stored| stored.id == key.id)
    }

    /// The same, or nothing where the file cannot be read.
    pub fn is_in_file(&self, key: &Key) -> Option<bool> {
        self.unreadable.is_none().then(|| self.in_file(key))
    }

    /// Whether the user is that of the stack.
    pub fn is_of(&self, stack: &str) -> bool {
        self.tags.iter().flatten().any(|(key, value)| key == STACK_TAG && value == stack)
    }
}

impl SenderKeys<'_> {
    /// Reads all of it.
    ///
    /// # Errors
    /// A call.
    pub async fn state(&self) -> Result<State, CallError> {
        let (user, keys) = futures_util::join!(self.tags(), self.list());
        let (tags, (mut all, now)) = (user?, keys?);
        let tag = |name: &str| tags.iter().flatten().find(|(key, _)| key == name).map(|(_, value)| value.clone());
        let (pending, retiring) = (tag(KEY_PENDING_TAG), tag(KEY_RETIRING_TAG));
        let mark = pending.as_deref().map(Mark::read);
        let busy_elsewhere = mark.as_ref().is_some_and(|mark| mark.is_busy(&self.place, &now));
        let (stored, unreadable) = match &self.file {
            // Nobody's keys are in no file.
            Ok(file) if !all.is_empty() => match file.read() {
                Ok(stored) => (stored, None),
                Err(error) => (None, Some(error.to_string())),
            },
            _ => (None, None),
        };
        let stored = stored.filter(|stored| all.iter().any(|key| key.id == stored.id));
        // One that may be in a file, this one or that of another run, is no orphan.
        let since = mark.as_ref().and_then(Mark::since).filter(|_| unreadable.is_none() && !busy_elsewhere);
        if let Some(since) = since {
            for key in all.iter_mut().filter(|key| key.created.secs() >= since.secs()) {
                if stored.as_ref().is_none_or(|stored| stored.id != key.id) {
                    key.last_use = self.last_use(&key.id).await?;
                    key.orphan = key.last_use.is_none();
                }
            }
        }
        Ok(State { tags, pending, busy_elsewhere, retiring, all, stored, unreadable, now })
    }

    /// What of the reads behind [`SenderKeys::state`] fails: with one that is refused, another may be too.
    pub async fn failing(&self) -> Vec<CallError> {
        let (user, keys) = futures_util::join!(self.tags(), self.list());
        [user.err(), keys.err()].into_iter().flatten().collect()
    }

    async fn tags(&self) -> Result<Option<Vec<(String, String)>>, CallError> {
        let send = || self.session.iam.get_user().user_name(self.user()).send();
        let got = CallError::if_there(call("iam:GetUser", &self.id, send).await)?;
        Ok(got.and_then(|got| got.user).map(|user| {
            let tags = user.tags.unwrap_or_default();
            tags.into_iter().map(|tag| (tag.key, tag.value)).collect()
        }))
    }

    /// IAM has two keys of a user at most, so that there is one page.
    async fn list(&self) -> Result<(Vec<Key>, DateTime), CallError> {
        let date = AnswerDate::default();
        let request = self.session.iam.list_access_keys().user_name(self.user());
        let send = || request.clone().customize().interceptor(date.clone()).send();
        let listed = CallError::if_there(call("iam:ListAccessKeys", &self.id, send).await)?;
        let listed = listed.map(|listed| listed.access_key_metadata).unwrap_or_default();
        let mut keys: Vec<Key> = listed
            .into_iter()
            .filter_map(|key| {
                Some(Key {
                    id: key.access_key_id?,
                    created: key.create_date?,
                    active: key.status? == aws_sdk_iam::types::StatusType::Active,
                    last_use: None,
                    orphan: false,
                })
            })
            .collect();
        keys.sort_by_key(|key| (key.created.secs(), key.created.subsec_nanos()));
        Ok((keys, date.get().unwrap_or_else(|| self.local_time())))
    }

    /// When a key was last used; nothing where it never was.
    ///
    /// # Errors
    /// The call.
    pub async fn last_use(&self, key: &str) -> Result<Option<LastUse>, CallError> {
        let send = || self.session.iam.get_access_key_last_used().access_key_id(key).send();
        let used = call("iam:GetAccessKeyLastUsed", &self.id, send).await?.access_key_last_used;
        Ok(used.and_then(|used| {
            Some(LastUse { at: used.last_used_date?, service: used.service_name, region: used.region })
        }))
    }

    /// By the clock at hand.
    fn local_time(&self) -> DateTime {
        let source = self.session.iam.config().time_source().unwrap_or_default();
        DateTime::from(source.now())
    }
}
