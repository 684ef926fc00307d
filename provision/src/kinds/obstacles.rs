//! What others gave a user: IAM wants it gone before the user may go, and it is not ours to remove. A destroy that came upon
//! it halfway would leave half of an account. While the user stays, some of it gives more rights than our policy.
//!
//! Git credentials (service-specific ones) belong here too, and are left to the error of `iam:DeleteUser`: no emulator
//! knows the call that lists them, and nobody gives them to a user that sends SMS.

use futures_util::future::{BoxFuture, join_all};

use super::Ground;
use crate::aws::{CallError, call, pages};
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
    all(ground, join_all(reads).await)
}

/// What gives a user rights beside our policy, in the same words.
pub(super) async fn rights_of_user(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let reads: [BoxFuture<'_, Result<Vec<String>, CallError>>; 4] = [
        Box::pin(attached(ground, id)),
        Box::pin(inline(ground, id)),
        Box::pin(groups(ground, id)),
        Box::pin(password(ground, id)),
    ];
    all(ground, join_all(reads).await)
}

fn all(ground: &Ground, answers: Vec<Result<Vec<String>, CallError>>) -> Result<Vec<String>, CallError> {
    answers.iter().filter_map(|answer| answer.as_ref().err()).for_each(|error| ground.refuse(error));
    Ok(answers.into_iter().collect::<Result<Vec<_>, _>>()?.into_iter().flatten().collect())
}

async fn attached(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let send = |marker| ground.session.iam.list_attached_user_policies().user_name(&id.name).set_marker(marker).send();
    let pages = pages("iam:ListAttachedUserPolicies", id, send, |page| page.marker()).await?;
    let names = pages.into_iter().flat_map(|page| page.attached_policies.unwrap_or_default());
    let names = names.filter_map(|policy| policy.policy_name).filter(|name| *name != ground.stack.names.sender);
    Ok(names.map(|name| format!("policy {name}")).collect())
}

async fn inline(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let send = |marker| ground.session.iam.list_user_policies().user_name(&id.name).set_marker(marker).send();
    let pages = pages("iam:ListUserPolicies", id, send, |page| page.marker()).await?;
    let names = pages.into_iter().flat_map(|page| page.policy_names);
    Ok(names.map(|name| format!("inline policy {name}")).collect())
}

async fn groups(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let send = |marker| ground.session.iam.list_groups_for_user().user_name(&id.name).set_marker(marker).send();
    let pages = pages("iam:ListGroupsForUser", id, send, |page| page.marker()).await?;
    let groups = pages.into_iter().flat_map(|page| page.groups);
    Ok(groups.map(|group| format!("group {}", group.group_name)).collect())
}

async fn devices(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let send = |marker| ground.session.iam.list_mfa_devices().user_name(&id.name).set_marker(marker).send();
    let pages = pages("iam:ListMFADevices", id, send, |page| page.marker()).await?;
    let devices = pages.into_iter().flat_map(|page| page.mfa_devices);
    Ok(devices.map(|device| format!("MFA device {}", device.serial_number)).collect())
}

async fn password(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let send = || ground.session.iam.get_login_profile().user_name(&id.name).send();
    let profile = CallError::if_there(call("iam:GetLoginProfile", id, send).await)?;
    Ok(profile.map(|_| "a console password".to_owned()).into_iter().collect())
}

async fn ssh_keys(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let send = |marker| ground.session.iam.list_ssh_public_keys().user_name(&id.name).set_marker(marker).send();
    let pages = pages("iam:ListSSHPublicKeys", id, send, |page| page.marker()).await?;
    let keys = pages.into_iter().flat_map(|page| page.ssh_public_keys.unwrap_or_default());
    Ok(keys.map(|key| format!("SSH key {}", key.ssh_public_key_id)).collect())
}

async fn certificates(ground: &Ground, id: &Id) -> Result<Vec<String>, CallError> {
    let send = |marker| ground.session.iam.list_signing_certificates().user_name(&id.name).set_marker(marker).send();
    let pages = pages("iam:ListSigningCertificates", id, send, |page| page.marker()).await?;
    let all = pages.into_iter().flat_map(|page| page.certificates);
    Ok(all.map(|one| format!("signing certificate {}", one.certificate_id)).collect())
}
