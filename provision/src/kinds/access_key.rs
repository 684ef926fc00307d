//! The sender's access key and its section of the credentials file. It is owned with its user.

use std::sync::Arc;

use serde_json::{Value, json};

use super::{Answer, Ground, ResourceKind, Update};
use crate::aws::CallError;
use crate::keys::{Made, SenderKeys, State};
use crate::resource::{Attributes, Found, Id, Kind, Resource, TAG};
use crate::stack::KEY_PENDING_TAG;

pub(super) struct AccessKeys(pub(super) Arc<Ground>);

const FILE: &str = "credentials_file";

/// How often a key is tried to be made that other runs make at the same time.
const ATTEMPTS: usize = 3;

impl AccessKeys {
    fn keys(&self) -> SenderKeys<'_> {
        SenderKeys::of(&self.0.session, &self.0.stack)
    }

    /// Keys of a user that stays, where the settings make none, are whoever's made them.
    fn is_ours_to_look_after(&self, candidate: &Resource) -> bool {
        let user_stays = self.0.stack.of(Kind::IamUser).iter().any(|user| user.wanted.is_some());
        candidate.wanted.is_some() || !user_stays
    }

    fn found(&self, id: &Id, state: &State) -> Found {
        let stack = &self.0.stack;
        let path =
            stack.account.credentials_file.as_ref().map_or(Value::Null, |file| json!(file.display().to_string()));
        let mut attributes = Attributes::new();
        // A key that may be in use somewhere else counts as the one that is wanted; one that was never used does not.
        let there = state.stored.is_some() || state.elsewhere().next().is_some();
        attributes.insert(FILE.to_owned(), if there { path } else { Value::Null });
        if let Some(time) = &state.pending {
            attributes.insert(format!("{TAG}{KEY_PENDING_TAG}"), json!(time));
        }
        let mut found = Found::ours(id.clone(), attributes);
        let file = || stack.account.credentials_file.as_deref().unwrap_or(std::path::Path::new("any file")).display();
        if state.stored.is_none() && state.unreadable.is_none() && state.elsewhere().nth(1).is_some() {
            found.notes.push(format!(
                "{id}: there are two, whose secrets are not in {} (profile {}), and they are left alone, since they may be in \
                 use elsewhere; sms-provision keys list shows them, keys revoke KEY_ID frees a place, and keys rotate makes a \
                 new one then",
                file(),
                stack.profile
            ));
        } else if there && state.stored.is_none() && state.unreadable.is_none() {
            found.notes.push(format!(
                "{id}: its secret is not in {} (profile {}), and it is left alone, since it may be in use elsewhere; \
                 sms-provision keys rotate makes a new one and then deletes this one (--grace gives its users time)",
                file(),
                stack.profile
            ));
        } else if state.stored.is_some() && state.elsewhere().next().is_some() {
            found.notes.push(format!(
                "{id}: there is a second one that is not in {}; sms-provision keys list shows both, keys rotate ends a \
                 rotation that was cut off",
                file()
            ));
        }
        if state.all.iter().any(|key| state.in_file(key) && !key.active) {
            found.notes.push(format!(
                "{id}: the one in {} is inactive, and nothing can be sent with it; sms-provision keys rotate makes a new one",
                file()
            ));
        }
        found
    }

    /// What a person should know of the file before a key goes there.
    async fn tell(&self, id: &Id, keys: &SenderKeys<'_>, state: &State) {
        let told = |note: String| self.0.remark(format!("{id}: {note}"));
        let mut obstacle = keys.obstacle(state).filter(|_| Self::makes_one(state));
        if let Some(why) = &state.unreadable {
            match state.pending {
                Some(_) => obstacle = Some(why.clone()),
                None => told(format!("{why}. Whether its key is there is not known, and no key is touched")),
            }
        }
        match obstacle {
            Some(why) => self.0.obstruct(format!("{id}: {why}")),
            // Where no key of ours is in the file, the next one that is made goes there.
            None => keys.displaced(state).filter(|_| state.stored.is_none()).into_iter().for_each(told),
        }
        keys.hidden().await.into_iter().chain(keys.unread()).for_each(told);
    }

    /// Whether `apply` makes a key.
    fn makes_one(state: &State) -> bool {
        state.stored.is_none() && state.elsewhere().next().is_none()
    }

    /// Ends where a key is in the file, whatever an earlier run left behind.
    async fn converge(&self) -> Result<(), CallError> {
        let keys = self.keys();
        let waits =
            || self.0.remark(format!("the {} waited for another run, which was making it.", Kind::IamAccessKey.noun()));
        for _ in 0..ATTEMPTS {
            let (mut state, _turn) = keys.alone(waits).await?;
            keys.readable(&state)?;
            keys.delete_orphans(&mut state).await?;
            if !Self::makes_one(&state) {
                return keys.settle(&state).await;
            }
            if keys.make(&state, None).await? == Made::Here {
                return Ok(());
            }
        }
        let what = "other runs make keys for this user at the same time; run it again once they have ended";
        Err(CallError::other("iam:CreateAccessKey", Kind::IamAccessKey.noun(), what))
    }
}

impl ResourceKind for AccessKeys {
    fn kind(&self) -> Kind {
        Kind::IamAccessKey
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for candidate in candidates.iter().filter(|candidate| self.is_ours_to_look_after(candidate)) {
                let keys = self.keys();
                let state = match keys.state().await {
                    Ok(state) => state,
                    Err(error) => {
                        keys.failing().await.iter().for_each(|other| self.0.refuse(other));
                        return Err(error);
                    }
                };
                match &candidate.wanted {
                    Some(_) => self.tell(&candidate.id, &keys, &state).await,
                    // The last of its steps would fail, once everything that sends with it is gone.
                    None => {
                        let why = state.unreadable.clone().or_else(|| keys.stuck(&state));
                        why.into_iter().for_each(|why| self.0.obstruct(format!("{}: {why}", candidate.id)));
                    }
                }
                if !state.all.is_empty() {
                    let mut found = self.found(&candidate.id, &state);
                    if candidate.wanted.is_none() {
                        // What goes needs no advice.
                        found.notes.clear();
                    }
                    all.push(found);
                }
            }
            Ok(all)
        })
    }

    fn create<'a>(&'a self, _: &'a Id, _: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(self.converge())
    }

    fn update<'a>(&'a self, _: Update<'a>) -> Answer<'a, ()> {
        Box::pin(self.converge())
    }

    fn delete<'a>(&'a self, _: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move { self.keys().delete_all().await })
    }
}
