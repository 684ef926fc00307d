//! The sender's customer-managed policy. Its tags also keep the record of the SMS attributes, so that a policy that has to
//! be made anew (IAM cannot move one to another path) takes them along.

use std::sync::Arc;

use aws_sdk_iam::types::{Policy, PolicyScopeType, PolicyVersion, Tag};
use serde_json::{Value, json};

use super::{Answer, Ground, ResourceKind, Update, tagging};
use crate::aws::{CallError, Holder, call, call_about, call_create, call_delete, pages, unless_done};
use crate::resource::{Attributes, Found, Id, Kind, Resource, tags, text};
use crate::stack::RECORD_TAG;

/// IAM keeps five versions of a policy.
const VERSIONS: usize = 5;

pub(super) struct Policies(pub(super) Arc<Ground>);

impl Policies {
    fn arn(&self, path: &str, name: &str) -> String {
        self.0.session.place.arn("iam", &format!("policy{path}{name}"))
    }

    /// Under the path of the settings it is asked for at once; under another one it has to be searched for.
    pub(super) async fn find(&self, id: &Id) -> Result<Option<Policy>, CallError> {
        let arn = self.arn(&self.0.stack.account.path, &id.name);
        if let Some(policy) = self.get(&arn, id).await? {
            return Ok(Some(policy));
        }
        let asked = self.0.session.iam.list_policies().scope(PolicyScopeType::Local);
        let send = |marker| asked.clone().set_marker(marker).send();
        let pages = pages("iam:ListPolicies", id, send, |page| page.marker()).await?;
        let named = |policy: &&Policy| policy.policy_name() == Some(&id.name);
        match pages.iter().flat_map(|page| page.policies()).find(named).and_then(Policy::arn) {
            Some(arn) => self.get(arn, id).await, // the list has no tags
            None => Ok(None),
        }
    }

    async fn get(&self, arn: &str, id: &Id) -> Result<Option<Policy>, CallError> {
        let send = || self.0.session.iam.get_policy().policy_arn(arn).send();
        Ok(CallError::if_there(call("iam:GetPolicy", id, send).await)?.and_then(|got| got.policy))
    }

    async fn document(&self, arn: &str, version: &str, id: &Id) -> Result<Value, CallError> {
        let send = || self.0.session.iam.get_policy_version().policy_arn(arn).version_id(version).send();
        let got = call("iam:GetPolicyVersion", id, send).await?;
        Ok(parse(got.policy_version().and_then(PolicyVersion::document)))
    }

    async fn versions(&self, arn: &str, id: &Id) -> Result<Vec<PolicyVersion>, CallError> {
        let send = |marker| self.0.session.iam.list_policy_versions().policy_arn(arn).set_marker(marker).send();
        let pages = pages("iam:ListPolicyVersions", id, send, |page| page.marker()).await?;
        Ok(pages.into_iter().flat_map(|page| page.versions.unwrap_or_default()).collect())
    }

    async fn delete_version(&self, arn: &str, version: &PolicyVersion, id: &Id) -> Result<(), CallError> {
        let version = version.version_id().unwrap_or_default();
        let send = || self.0.session.iam.delete_policy_version().policy_arn(arn).version_id(version).send();
        call_delete("iam:DeletePolicyVersion", id, send).await
    }

    async fn make(&self, id: &Id, wanted: &Attributes, record: Vec<Tag>) -> Result<(), CallError> {
        let mut request = self
            .0
            .session
            .iam
            .create_policy()
            .policy_name(&id.name)
            .path(text(wanted, "path"))
            .policy_document(wanted.get("document").unwrap_or(&Value::Null).to_string());
        for tag in tags(wanted).filter_map(tag).chain(record) {
            request = request.tags(tag);
        }
        let arn = self.arn(text(wanted, "path"), &id.name);
        let holder = || async {
            let policy = self.get(&arn, id).await?;
            Ok(policy.map_or(Holder::Nobody, |policy| tagging::holder(pairs(&policy), &self.0.stack.names.stack)))
        };
        call_create("iam:CreatePolicy", id, || request.clone().send(), holder).await
    }

    /// A new version, the default; the oldest goes where there is no room.
    async fn write(&self, arn: &str, id: &Id, document: &Value) -> Result<(), CallError> {
        let mut versions = self.versions(arn, id).await?;
        versions.retain(|version| !version.is_default_version());
        versions.sort_by_key(|version| version.create_date().map(|date| (date.secs(), date.subsec_nanos())));
        let excess = (versions.len() + 2).saturating_sub(VERSIONS);
        for version in versions.iter().take(excess) {
            self.delete_version(arn, version, id).await?;
        }
        let iam = &self.0.session.iam;
        let made = iam.create_policy_version().policy_arn(arn).policy_document(document.to_string());
        let made = made.set_as_default(true);
        // One whose answer was lost may have taken the last place of the five.
        let holder = async {
            let version = self.get(arn, id).await?.and_then(|policy| policy.default_version_id).unwrap_or_default();
            let is_it = self.document(arn, &version, id).await? == *document;
            Ok(if is_it { Holder::Us } else { Holder::Nobody })
        };
        match call_about("iam:CreatePolicyVersion", id, || made.clone().send()).await {
            Ok(_) => Ok(()),
            Err(error) => unless_done(error, holder).await,
        }
    }

    /// With everything that IAM wants gone first.
    async fn remove(&self, arn: &str, id: &Id) -> Result<(), CallError> {
        for version in self.versions(arn, id).await?.iter().filter(|version| !version.is_default_version()) {
            self.delete_version(arn, version, id).await?;
        }
        let send = || self.0.session.iam.delete_policy().policy_arn(arn).send();
        call_delete("iam:DeletePolicy", id, send).await
    }
}

impl ResourceKind for Policies {
    fn kind(&self) -> Kind {
        Kind::IamPolicy
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for candidate in candidates {
                let id = &candidate.id;
                let Some(policy) = self.find(id).await? else { continue };
                let arn = policy.arn().unwrap_or_default();
                let document = self.document(arn, policy.default_version_id().unwrap_or_default(), id).await?;
                let mut attributes = tagging::compared(pairs(&policy));
                attributes.insert("path".to_owned(), json!(policy.path()));
                attributes.insert("document".to_owned(), document);
                let owner = tagging::owner(&attributes, &self.0.stack.names.stack);
                all.push(Found::ours(id.clone(), attributes).owned_by(owner));
            }
            Ok(all)
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let record = self.lent(id).await?;
            self.make(id, wanted, record.clone()).await?;
            self.take_back(&record, id).await
        })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let (id, wanted) = (update.id, update.wanted);
            let arn = self.arn(text(&update.found.attributes, "path"), &id.name);
            if update.touches(&["path"]) {
                return self.replace(&arn, id, wanted).await;
            }
            if update.touches(&["document"]) {
                self.write(&arn, id, wanted.get("document").unwrap_or(&Value::Null)).await?;
            }
            let (set, remove) = tagging::changes(&update);
            let iam = &self.0.session.iam;
            if !remove.is_empty() {
                let keys: Vec<String> = remove.iter().map(ToString::to_string).collect();
                let send = || iam.untag_policy().policy_arn(&arn).set_tag_keys(Some(keys.clone())).send();
                call_about("iam:UntagPolicy", id, send).await?;
            }
            if !set.is_empty() {
                let tags: Vec<Tag> = set.into_iter().filter_map(tag).collect();
                let send = || iam.tag_policy().policy_arn(&arn).set_tags(Some(tags.clone())).send();
                call_about("iam:TagPolicy", id, send).await?;
            }
            Ok(())
        })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let arn = self.arn(text(&found.attributes, "path"), &found.id.name);
            // Under a path that is not that of the settings the attachments are not known as such.
            super::attachment::detach_all(&self.0, &arn, &found.id).await?;
            self.remove(&arn, &found.id).await
        })
    }
}

impl Policies {
    /// Another path is another ARN. The name is taken until the old one is gone; whoever it is attached to is without it
    /// for a moment, and gets the new one by the attachments, which come after the policy.
    async fn replace(&self, old: &str, id: &Id, wanted: &Attributes) -> Result<(), CallError> {
        let policy = self.get(old, id).await?;
        let tags = policy.as_ref().map(Policy::tags).unwrap_or_default();
        let record: Vec<Tag> = tags.iter().filter(|tag| tag.key().starts_with(RECORD_TAG)).cloned().collect();
        self.lend(&record, id).await?;
        super::attachment::detach_all(&self.0, old, id).await?;
        self.remove(old, id).await?;
        self.make(id, wanted, record.clone()).await?;
        self.take_back(&record, id).await
    }

    /// Keeps the record with the sender's user while there is no policy: whoever cuts that off finds it there.
    async fn lend(&self, record: &[Tag], id: &Id) -> Result<(), CallError> {
        let stack = &self.0.stack;
        if record.is_empty() || !stack.account.create_user {
            return Ok(());
        }
        let iam = &self.0.session.iam;
        let send = || iam.tag_user().user_name(&stack.names.sender).set_tags(Some(record.to_vec())).send();
        CallError::if_there(call("iam:TagUser", id, send).await).map(drop)
    }

    async fn take_back(&self, record: &[Tag], id: &Id) -> Result<(), CallError> {
        if record.is_empty() {
            return Ok(());
        }
        let keys: Vec<String> = record.iter().map(|tag| tag.key().to_owned()).collect();
        let (iam, user) = (&self.0.session.iam, &self.0.stack.names.sender);
        let send = || iam.untag_user().user_name(user).set_tag_keys(Some(keys.clone())).send();
        CallError::if_there(call("iam:UntagUser", id, send).await).map(drop)
    }

    /// The record that a policy left behind which was to be replaced and is gone.
    pub(super) async fn lent(&self, id: &Id) -> Result<Vec<Tag>, CallError> {
        let send = || self.0.session.iam.get_user().user_name(&self.0.stack.names.sender).send();
        let user = CallError::if_there(call("iam:GetUser", id, send).await)?.and_then(|got| got.user);
        let tags = user.and_then(|user| user.tags).unwrap_or_default();
        Ok(tags.into_iter().filter(|tag| tag.key().starts_with(RECORD_TAG)).collect())
    }
}

fn pairs(policy: &Policy) -> impl Iterator<Item = (&str, &str)> {
    policy.tags().iter().map(|tag| (tag.key(), tag.value()))
}

/// A document of IAM, which comes percent-encoded.
pub(super) fn parse(document: Option<&str>) -> Value {
    let decoded = percent_encoding::percent_decode_str(document.unwrap_or_default()).decode_utf8_lossy();
    super::document(&decoded)
}

/// IAM's form of a tag. The builder only fails without key or value.
pub(super) fn tag((key, value): (&str, &str)) -> Option<Tag> {
    Tag::builder().key(key).value(value).build().ok()
}
