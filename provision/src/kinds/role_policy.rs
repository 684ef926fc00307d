//! The inline policy of the delivery-status role, owned with the role.

use std::sync::Arc;

use serde_json::Value;

use super::policy::parse;
use super::{Answer, Ground, ResourceKind, Update};
use crate::aws::{CallError, Fault, patiently};
use crate::resource::{Attributes, Found, Id, Kind, Resource};

pub(super) struct RolePolicies(pub(super) Arc<Ground>);

impl ResourceKind for RolePolicies {
    fn kind(&self) -> Kind {
        Kind::IamRolePolicy
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for candidate in candidates {
                let (role, policy) = parts(&candidate.id);
                if let Some(document) = get(&self.0, role, policy, &candidate.id.to_string()).await? {
                    let attributes = Attributes::from([("document".to_owned(), document)]);
                    all.push(Found::ours(candidate.id.clone(), attributes));
                }
            }
            Ok(all)
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
            delete(&self.0, role, policy, &found.id).await
        })
    }
}

/// Role and policy of an id `ROLE/POLICY`.
fn parts(id: &Id) -> (&str, &str) {
    id.name.split_once('/').unwrap_or((&id.name, ""))
}

async fn get(ground: &Ground, role: &str, policy: &str, resource: &str) -> Result<Option<Value>, CallError> {
    match ground.session.iam.get_role_policy().role_name(role).policy_name(policy).send().await {
        Ok(got) => Ok(Some(parse(Some(got.policy_document())))),
        Err(error) => match CallError::of("iam:GetRolePolicy", resource, error) {
            error if error.fault == Fault::NotFound => Ok(None),
            error => Err(error),
        },
    }
}

/// Writes an inline policy. The role may have been made a moment ago.
pub(super) async fn put(ground: &Ground, role: &str, policy: &str, document: &Value, id: &Id) -> Result<(), CallError> {
    patiently(
        |error| error.fault == Fault::NotFound,
        || async {
            let put = ground.session.iam.put_role_policy().role_name(role).policy_name(policy);
            let put = put.policy_document(document.to_string()).send().await;
            put.map(drop).map_err(|error| CallError::of("iam:PutRolePolicy", id.to_string(), error))
        },
    )
    .await
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
    let iam = &ground.session.iam;
    let mut pages = iam.list_attached_role_policies().role_name(role).into_paginator().items().send();
    while let Some(attached) = pages.next().await {
        let attached = match attached {
            Ok(attached) => attached,
            Err(error) => match CallError::of("iam:ListAttachedRolePolicies", id.to_string(), error) {
                error if error.fault == Fault::NotFound => return Ok(()),
                error => return Err(error),
            },
        };
        let arn = attached.policy_arn().unwrap_or_default();
        let detached = iam.detach_role_policy().role_name(role).policy_arn(arn).send().await;
        match detached.map_err(|error| CallError::of("iam:DetachRolePolicy", id.to_string(), error)) {
            Err(error) if error.fault != Fault::NotFound => return Err(error),
            _ => {}
        }
    }
    Ok(())
}

async fn names(ground: &Ground, role: &str) -> Result<Vec<String>, CallError> {
    let mut pages = ground.session.iam.list_role_policies().role_name(role).into_paginator().items().send();
    let mut names = Vec::new();
    while let Some(name) = pages.next().await {
        match name.map_err(|error| CallError::of("iam:ListRolePolicies", role, error)) {
            Ok(name) => names.push(name),
            Err(error) if error.fault == Fault::NotFound => break,
            Err(error) => return Err(error),
        }
    }
    Ok(names)
}

async fn delete(ground: &Ground, role: &str, policy: &str, id: &Id) -> Result<(), CallError> {
    match ground.session.iam.delete_role_policy().role_name(role).policy_name(policy).send().await {
        Ok(_) => Ok(()),
        Err(error) => match CallError::of("iam:DeleteRolePolicy", id.to_string(), error) {
            error if error.fault == Fault::NotFound => Ok(()),
            error => Err(error),
        },
    }
}
