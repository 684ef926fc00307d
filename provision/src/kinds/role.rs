//! The role with which SNS writes delivery status.

use std::sync::Arc;

use aws_sdk_iam::types::{Role, Tag};
use serde_json::{Value, json};

use super::policy::{parse, tag};
use super::{Answer, Ground, ResourceKind, Update, role_policy, tagging};
use crate::aws::{CallError, Holder, call, call_about, call_create, call_delete};
use crate::resource::{Attributes, Found, Id, Kind, Resource, tags, text};

pub(super) struct Roles(pub(super) Arc<Ground>);

impl Roles {
    async fn get(&self, id: &Id) -> Result<Option<Role>, CallError> {
        let send = || self.0.session.iam.get_role().role_name(&id.name).send();
        Ok(CallError::if_there(call("iam:GetRole", id, send).await)?.and_then(|got| got.role))
    }

    /// Another path is another role for IAM. What may be done with it moves along; SNS learns of the new one by the SMS
    /// attributes, which come after the role.
    async fn replace(&self, id: &Id, wanted: &Attributes) -> Result<(), CallError> {
        let policies = role_policy::of_role(&self.0, &id.name).await?;
        self.remove(id).await?;
        self.create(id, wanted).await?;
        for (name, document) in policies {
            role_policy::put(&self.0, &id.name, &name, &document, id).await?;
        }
        Ok(())
    }

    /// With everything on it: it is all ours, and SNS is the only one that can assume it.
    async fn remove(&self, id: &Id) -> Result<(), CallError> {
        role_policy::strip(&self.0, &id.name, id).await?;
        let send = || self.0.session.iam.delete_role().role_name(&id.name).send();
        call_delete("iam:DeleteRole", id, send).await
    }

    async fn bound(&self, id: &Id, boundary: &str) -> Result<(), CallError> {
        let iam = &self.0.session.iam;
        if boundary.is_empty() {
            let send = || iam.delete_role_permissions_boundary().role_name(&id.name).send();
            call_delete("iam:DeleteRolePermissionsBoundary", id, send).await
        } else {
            let send = || iam.put_role_permissions_boundary().role_name(&id.name).permissions_boundary(boundary).send();
            call("iam:PutRolePermissionsBoundary", id, send).await.map(drop)
        }
    }
}

fn pairs(role: &Role) -> impl Iterator<Item = (&str, &str)> {
    role.tags().iter().map(|tag| (tag.key(), tag.value()))
}

impl ResourceKind for Roles {
    fn kind(&self) -> Kind {
        Kind::IamRole
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for candidate in candidates {
                let id = &candidate.id;
                let Some(role) = self.get(id).await? else { continue };
                let mut attributes = tagging::compared(pairs(&role));
                let boundary = role.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
                attributes.insert("path".to_owned(), json!(role.path()));
                attributes.insert("trust".to_owned(), parse(role.assume_role_policy_document()));
                attributes.insert("permissions_boundary".to_owned(), json!(boundary));
                let owner = tagging::owner(&attributes, &self.0.stack.names.stack);
                all.push(Found::ours(id.clone(), attributes).owned_by(owner));
            }
            Ok(all)
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let boundary = wanted.get("permissions_boundary").and_then(Value::as_str).map(ToOwned::to_owned);
            let mut request = self
                .0
                .session
                .iam
                .create_role()
                .role_name(&id.name)
                .path(text(wanted, "path"))
                .assume_role_policy_document(wanted.get("trust").unwrap_or(&Value::Null).to_string())
                .set_permissions_boundary(boundary);
            for tag in tags(wanted).filter_map(tag) {
                request = request.tags(tag);
            }
            // One under another path is on its way out.
            let is_it = |role: &Role| role.path() == text(wanted, "path");
            let holder = || async {
                let role = self.get(id).await?.filter(is_it);
                Ok(role.map_or(Holder::Nobody, |role| tagging::holder(pairs(&role), &self.0.stack.names.stack)))
            };
            call_create("iam:CreateRole", id, || request.clone().send(), holder).await
        })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let (id, wanted, iam) = (update.id, update.wanted, &self.0.session.iam);
            if update.touches(&["path"]) {
                return self.replace(id, wanted).await;
            }
            if update.touches(&["trust"]) {
                let trust = wanted.get("trust").unwrap_or(&Value::Null).to_string();
                let send = || iam.update_assume_role_policy().role_name(&id.name).policy_document(&trust).send();
                call_about("iam:UpdateAssumeRolePolicy", id, send).await?;
            }
            if update.touches(&["permissions_boundary"]) {
                self.bound(id, text(wanted, "permissions_boundary")).await?;
            }
            let (set, remove) = tagging::changes(&update);
            if !remove.is_empty() {
                let keys: Vec<String> = remove.iter().map(ToString::to_string).collect();
                let send = || iam.untag_role().role_name(&id.name).set_tag_keys(Some(keys.clone())).send();
                call_about("iam:UntagRole", id, send).await?;
            }
            if !set.is_empty() {
                let tags: Vec<Tag> = set.into_iter().filter_map(tag).collect();
                let send = || iam.tag_role().role_name(&id.name).set_tags(Some(tags.clone())).send();
                call_about("iam:TagRole", id, send).await?;
            }
            Ok(())
        })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(self.remove(&found.id))
    }
}
