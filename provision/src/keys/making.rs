//! How a key is made: one run at a time, under a mark, and none of which the secret is lost.

use std::time::Duration;

use aws_sdk_iam::config::retry::RetryConfig;
use secrecy::SecretString;
use tokio::time::sleep;

use super::mark::{Alone, Mark};
use super::{SenderKeys, State};
use crate::aws::{CallError, call_about, leaves_open};
use crate::credentials::SecretKey;
use crate::stack::{KEY_PENDING_TAG, KEY_RETIRING_TAG};

const NO_KEY: &str = "the answer has no key; run it again, and a key that was made after all is replaced";

/// How often it is looked whether a run elsewhere has made its key.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// What an attempt to make a key came to.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Made {
    /// It is in the file.
    Here,
    /// Another run was making one at the same time: none was made here.
    Overtaken,
}

impl SenderKeys<'_> {
    /// Waits until no other run on this machine works on the section, and until none elsewhere is making a key for the user;
    /// `waits` is called once if one is. The state as it is then, and what keeps other runs on this machine waiting.
    ///
    /// # Errors
    /// A call.
    pub async fn alone(&self, waits: impl Fn()) -> Result<(State, Option<Alone>), CallError> {
        let turn = Alone::in_place(&self.place).await;
        let mut state = self.state().await?;
        if state.busy_elsewhere {
            waits();
        }
        // The mark grows old by AWS's clock.
        while state.busy_elsewhere {
            sleep(LOOK_AGAIN).await;
            state = self.state().await?;
        }
        Ok((state, turn))
    }

    /// Makes a key and puts it in the file. Cut off anywhere, what it leaves is replaced by the next one: `state`, read a
    /// moment ago, says what time it is. With `retires`, that key is marked as one that goes after it.
    ///
    /// # Errors
    /// The file, before there is a key, or with none left whose secret is lost; a call.
    pub async fn make(&self, state: &State, retires: Option<&str>) -> Result<Made, CallError> {
        let (file, ours) = (self.file()?, state.ids());
        file.prove(&ours).map_err(|error| self.of_file("iam:CreateAccessKey", &error))?;
        let mark = Mark::value(&state.now, &self.place);
        let mark = mark.ok_or_else(|| self.failed("iam:TagUser", "AWS's date cannot be read; run it again"))?;
        let pending = [(KEY_PENDING_TAG, mark.as_str())].into_iter();
        self.tag(pending.chain(retires.map(|key| (KEY_RETIRING_TAG, key)))).await?;
        if self.is_overtaken(state).await? {
            return Ok(Made::Overtaken);
        }
        let (key, was_one_lost) = self.create().await?;
        if let Err(error) = file.write(&key, &ours) {
            // Its secret is nowhere. Where it cannot be deleted now, the mark lets the next run do it.
            if self.delete(&key.id).await.is_ok() {
                drop(self.untag(KEY_PENDING_TAG).await);
            }
            return Err(self.of_file("iam:CreateAccessKey", &error));
        }
        if was_one_lost {
            // Once AWS lists the key of the file, it lists those that were made before it.
            let mut now = self.with_stored().await?;
            self.delete_orphans(&mut now).await?;
        }
        self.untag(KEY_PENDING_TAG).await?;
        Ok(Made::Here)
    }

    /// Whether another run set its mark over ours, or has made a key since `state` was read. Under a mark of ours that key
    /// would be taken for one that was lost, so the mark goes.
    async fn is_overtaken(&self, state: &State) -> Result<bool, CallError> {
        let now = self.state().await?;
        if now.pending.as_deref().is_some_and(|mark| Mark::read(mark).is_of_another(&self.place)) {
            return Ok(true);
        }
        let has_another = now.all.iter().any(|key| state.all.iter().all(|known| known.id != key.id));
        if has_another {
            self.untag(KEY_PENDING_TAG).await?;
        }
        Ok(has_another)
    }

    /// Notes that the rotation is over.
    pub(super) async fn retired(&self, state: &State) -> Result<(), CallError> {
        if state.retiring.is_some() { self.untag(KEY_RETIRING_TAG).await } else { Ok(()) }
    }

    /// A new key, and whether there may be another one whose secret was lost with its answer. Such a key is deleted as soon
    /// as AWS lists it, and made anew once. The mark stays with the error: it lets the next run delete what is not listed yet.
    async fn create(&self) -> Result<(SecretKey, bool), CallError> {
        let lost = match self.create_once().await {
            Err(error) if leaves_open(&error) => error,
            made => return made.map(|key| (key, false)),
        };
        self.delete_lost().await.map_err(|_| lost)?;
        match self.create_once().await {
            Err(error) if leaves_open(&error) => {
                // Where this fails too, the mark lets the next run do it.
                drop(self.delete_lost().await);
                Err(error)
            }
            made => made.map(|key| (key, true)),
        }
    }

    /// Deletes what AWS lists of the keys that were made under our mark and are in no file.
    async fn delete_lost(&self) -> Result<(), CallError> {
        let mut now = self.state().await?;
        self.delete_orphans(&mut now).await
    }

    /// The call is sent once and not repeated by the SDK: a second key would be made whose secret nobody gets. That the user
    /// is not known yet, or AWS asked too often, are answers that made none.
    async fn create_once(&self) -> Result<SecretKey, CallError> {
        let once = || aws_sdk_iam::config::Builder::new().retry_config(RetryConfig::disabled());
        let create = self.session.iam.create_access_key().user_name(self.user());
        let send = || create.clone().customize().config_override(once()).send();
        let made = call_about("iam:CreateAccessKey", &self.id, send).await?;
        let key = made.access_key.ok_or_else(|| self.failed("iam:CreateAccessKey", NO_KEY))?;
        Ok(SecretKey { id: key.access_key_id, secret: SecretString::from(key.secret_access_key) })
    }

    async fn tag(&self, tags: impl Iterator<Item = (&str, &str)>) -> Result<(), CallError> {
        let built = tags.map(|(key, value)| aws_sdk_iam::types::Tag::builder().key(key).value(value).build());
        let tags =
            built.collect::<Result<Vec<_>, _>>().map_err(|error| self.failed("iam:TagUser", error.to_string()))?;
        let send = || self.session.iam.tag_user().user_name(self.user()).set_tags(Some(tags.clone())).send();
        call_about("iam:TagUser", &self.id, send).await.map(drop)
    }

    pub(super) async fn untag(&self, key: &str) -> Result<(), CallError> {
        let send = || self.session.iam.untag_user().user_name(self.user()).tag_keys(key).send();
        call_about("iam:UntagUser", &self.id, send).await.map(drop)
    }
}
