//! What IAM wants gone before a user may go, and is not ours to remove. A destroy that came upon it halfway would leave
//! half of an account.
//!
//! Git credentials (service-specific ones) belong here too, and are left to the error of `iam:DeleteUser`: no emulator
//! knows the call that lists them, and nobody gives them to a user that sends SMS.

use futures_util::future::{BoxFuture, try_join_all};

use super::Ground;
use crate::aws::{CallError, Fault};
use crate::resource::Id;

/// In words for a person, each with its name: `policy ReadOnlyAccess`.
pub(super) async fn of_user(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let reads: [BoxFuture<'_, Result<Vec<String>, CallError>>; 7] = [
        Box::pin(attached(ground, id)),
        Box::pin(inline(ground, id)),
        Box::pin(groups(ground, id)),
        Box::pin(devices(ground, id)),
        Box::pin(password(ground, id)),
        Box::pin(ssh_keys(ground, id)),
        Box::pin(certificates(ground, id)),
    ];
    Ok(try_join_all(reads).await?.into_iter().flatten().collect())
}

async fn attached(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let pages = ground.session.iam.list_attached_user_policies().user_name(&id.name).into_paginator().items();
    let policies = pages.send().try_collect().await;
    let policies = policies.map_err(|error| CallError::of("iam:ListAttachedUserPolicies", id.to_string(), error))?;
    let names = policies.into_iter().filter_map(|policy| policy.policy_name);
    Ok(names.filter(|name| *name != ground.stack.names.sender).map(|name| format!("policy {name}")).collect())
}

async fn inline(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let pages = ground.session.iam.list_user_policies().user_name(&id.name).into_paginator().items();
    let names = pages.send().try_collect().await;
    let names = names.map_err(|error| CallError::of("iam:ListUserPolicies", id.to_string(), error))?;
    Ok(names.into_iter().map(|name| format!("inline policy {name}")).collect())
}

async fn groups(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let pages = ground.session.iam.list_groups_for_user().user_name(&id.name).into_paginator().items();
    let groups = pages.send().try_collect().await;
    let groups = groups.map_err(|error| CallError::of("iam:ListGroupsForUser", id.to_string(), error))?;
    Ok(groups.into_iter().map(|group| format!("group {}", group.group_name)).collect())
}

async fn devices(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let pages = ground.session.iam.list_mfa_devices().user_name(&id.name).into_paginator().items();
    let devices = pages.send().try_collect().await;
    let devices = devices.map_err(|error| CallError::of("iam:ListMFADevices", id.to_string(), error))?;
    Ok(devices.into_iter().map(|device| format!("MFA device {}", device.serial_number)).collect())
}

async fn password(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    match ground.session.iam.get_login_profile().user_name(&id.name).send().await {
        Ok(_) => Ok(vec!["a console password".to_owned()]),
        Err(error) => match CallError::of("iam:GetLoginProfile", id.to_string(), error) {
            error if error.fault == Fault::NotFound => Ok(Vec::new()),
            error => Err(error),
        },
    }
}

async fn ssh_keys(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let pages = ground.session.iam.list_ssh_public_keys().user_name(&id.name).into_paginator().items();
    let keys = pages.send().try_collect().await;
    let keys = keys.map_err(|error| CallError::of("iam:ListSSHPublicKeys", id.to_string(), error))?;
    Ok(keys.into_iter().map(|key| format!("SSH key {}", key.ssh_public_key_id)).collect())
}

async fn certificates(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let pages = ground.session.iam.list_signing_certificates().user_name(&id.name).into_paginator().items();
    let all = pages.send().try_collect().await;
    let all = all.map_err(|error| CallError::of("iam:ListSigningCertificates", id.to_string(), error))?;
    Ok(all.into_iter().map(|one| format!("signing certificate {}", one.certificate_id)).collect())
}
