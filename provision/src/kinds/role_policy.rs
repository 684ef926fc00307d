//! The inline policy of the delivery-status role, and whatever else is on that role, owned with it.

use std::sync::Arc;

use serde_json::Value;

use super::policy::parse;
use super::{Answer, Ground, ResourceKind, Update};
use crate::aws::{CallError, call, call_about, call_delete, pages};
use crate::resource::{Attributes, Found, Id, Kind, Resource};

pub(super) struct RolePolicies(pub(super) Arc<Ground>);

impl ResourceKind for RolePolicies {
    fn kind(&self) -> Kind {
        Kind::IamRolePolicy
    }

    fn read<'a>(&'a self, _: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let role = &self.0.stack.names.delivery_role;
            let id = |name: &str| Id::new(Kind::IamRolePolicy, format!("{role}/{name}"));
            let inline = of_role(&self.0, role)
                .await?
                .into_iter()
                .map(|(name, document)| Found::ours(id(&name), Attributes::from([("document".to_owned(), document)])));
            // Nothing but the one inline policy belongs on it.
            let attached = attached(&self.0, role).await?;
            let attached = attached.iter().map(|arn| {
                Found::ours(id(arn), Attributes::from([("attached".to_owned(), Value::from(arn.as_str()))]))
            });
            Ok(inline.chain(attached).collect())
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let (role, policy) = parts(id);
            put(&self.0, role, policy, wanted.get("document").unwrap_or(&Value::Null), id).await
        })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        self.create(update.id, update.wanted)
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let (role, policy) = parts(&found.id);
            match found.attributes.contains_key("attached") {
                true => detach(&self.0, role, policy, &found.id).await,
                false => delete(&self.0, role, policy, &found.id).await,
            }
        })
    }
}

/// Role and policy of an id `ROLE/POLICY`.
fn parts(id: &Id) -> (&str, &str) {
    id.name.split_once('/').unwrap_or((&id.name, ""))
}

async fn get(ground: &Ground, role: &str, policy: &str, resource: &str) -> Result<Option<Value>, CallError> {
    let send = || ground.session.iam.get_role_policy().role_name(role).policy_name(policy).send();
    let got = CallError::if_there(call("iam:GetRolePolicy", &resource, send).await)?;
    Ok(got.map(|got| parse(Some(got.policy_document()))))
}

/// Writes an inline policy. The role may have been made a moment ago.
pub(super) async fn put(ground: &Ground, role: &str, policy: &str, document: &Value, id: &Id) -> Result<(), CallError> {
    let put = ground.session.iam.put_role_policy().role_name(role).policy_name(policy);
    let put = put.policy_document(document.to_string());
    let send = || put.clone().send();
    call_about("iam:PutRolePolicy", id, send).await.map(drop)
}

/// The inline policies of a role, with their documents.
pub(super) async fn of_role(ground: &Ground, role: &str) -> Result<Vec<(String, Value)>, CallError> {
    let mut all = Vec::new();
    for name in names(ground, role).await? {
        if let Some(document) = get(ground, role, &name, role).await? {
            all.push((name, document));
        }
    }
    Ok(all)
}

/// Takes everything from a role that keeps it from being deleted: inline policies and attached ones.
pub(super) async fn strip(ground: &Ground, role: &str, id: &Id) -> Result<(), CallError> {
    for name in names(ground, role).await? {
        delete(ground, role, &name, id).await?;
    }
    for arn in attached(ground, role).await? {
        detach(ground, role, &arn, id).await?;
    }
    Ok(())
}

/// The ARNs of the managed policies on a role.
async fn attached(ground: &Ground, role: &str) -> Result<Vec<String>, CallError> {
    let send = |marker| ground.session.iam.list_attached_role_policies().role_name(role).set_marker(marker).send();
    let pages = pages("iam:ListAttachedRolePolicies", &role, send, |page| page.marker()).await;
    let pages = CallError::if_there(pages)?.unwrap_or_default().into_iter();
    let all = pages.flat_map(|page| page.attached_policies.unwrap_or_default());
    Ok(all.filter_map(|attached| attached.policy_arn).collect())
}

async fn detach(ground: &Ground, role: &str, arn: &str, id: &Id) -> Result<(), CallError> {
    let send = || ground.session.iam.detach_role_policy().role_name(role).policy_arn(arn).send();
    call_delete("iam:DetachRolePolicy", id, send).await
}

async fn names(ground: &Ground, role: &str) -> Result<Vec<String>, CallError> {
    let send = |marker| ground.session.iam.list_role_policies().role_name(role).set_marker(marker).send();
    let pages = pages("iam:ListRolePolicies", &role, send, |page| page.marker()).await;
    let pages = CallError::if_there(pages)?.unwrap_or_default().into_iter();
    Ok(pages.flat_map(|page| page.policy_names).collect())
}

async fn delete(ground: &Ground, role: &str, policy: &str, id: &Id) -> Result<(), CallError> {
    let send = || ground.session.iam.delete_role_policy().role_name(role).policy_name(policy).send();
    call_delete("iam:DeleteRolePolicy", id, send).await
}
