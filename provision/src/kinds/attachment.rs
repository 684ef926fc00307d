//! The sender policy on its user and on roles. An attachment is owned with the policy: whoever has it and should not
//! have it loses it.

use std::sync::Arc;

use serde_json::json;

use super::policy::Policies;
use super::{Answer, Ground, ResourceKind, Update};
use crate::aws::{CallError, Fault, SETTLING, call_about, call_delete, call_while, made_just_now, pages};
use crate::resource::{Attributes, Found, Id, Kind, Resource};

pub(super) struct Attachments(pub(super) Arc<Ground>);

/// Whom a policy is attached to, as an attachment's name has it.
const USER: &str = "user/";
const ROLE: &str = "role/";
const GROUP: &str = "group/";

impl Attachments {
    /// The ARN under the path of the settings. What is attached under another is replaced with its policy, and is not
    /// there as far as this kind is concerned; but for what goes, which goes wherever it is.
    fn arn(&self) -> String {
        let stack = &self.0.stack;
        self.0.session.place.arn("iam", &format!("policy{}{}", stack.account.path, stack.names.sender))
    }
}

impl Attachments {
    /// The ARN of the policy where it is now.
    async fn present(&self) -> Result<String, CallError> {
        let id = Id::new(Kind::IamPolicy, &self.0.stack.names.sender);
        let policy = Policies(Arc::clone(&self.0)).find(&id).await?;
        Ok(policy.and_then(|policy| policy.arn).unwrap_or_else(|| self.arn()))
    }
}

impl ResourceKind for Attachments {
    fn kind(&self) -> Kind {
        Kind::IamPolicyAttachment
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let all_go = candidates.iter().all(|candidate| candidate.wanted.is_none());
            let arn = if all_go { self.present().await? } else { self.arn() };
            let policy = &self.0.stack.names.sender;
            let attributes = || Attributes::from([("policy".to_owned(), json!(policy))]);
            let names = list(&self.0, &arn, &format!("attachments of {policy}")).await?;
            let found = |name| Found::ours(Id::new(Kind::IamPolicyAttachment, name), attributes());
            Ok(names.into_iter().map(found).collect())
        })
    }

    fn create<'a>(&'a self, id: &'a Id, _: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let (iam, arn) = (&self.0.session.iam, self.arn());
            match (id.name.strip_prefix(USER), id.name.strip_prefix(ROLE)) {
                // The policy or the user may have been made a moment ago. A role of the settings may not be there at all.
                (Some(user), _) => {
                    let send = || iam.attach_user_policy().user_name(user).policy_arn(&arn).send();
                    call_about("iam:AttachUserPolicy", id, send).await.map(drop)
                }
                (_, Some(role)) => {
                    let send = || iam.attach_role_policy().role_name(role).policy_arn(&arn).send();
                    let lacks_role = |error: &CallError| {
                        made_just_now(error)
                            && ["The role with name ", "Role "].iter().any(|about| error.mentions(about))
                    };
                    let policy_is_new = |error: &CallError| made_just_now(error) && !lacks_role(error);
                    let attached =
                        call_while(SETTLING, policy_is_new, "iam:AttachRolePolicy", id, send).await.map(drop);
                    attached.map_err(|error| match error.fault {
                        Fault::NotFound if lacks_role(&error) => {
                            error.advised("make that role, or take it out of account.sender_role_names")
                        }
                        _ => error,
                    })
                }
                _ => Ok(()),
            }
        })
    }

    /// There is nothing about an attachment that could differ.
    fn update<'a>(&'a self, _: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move { detach(&self.0, &self.present().await?, &found.id.name, &found.id).await })
    }
}

/// Takes the policy from everybody.
pub(super) async fn detach_all(ground: &Ground, arn: &str, id: &Id) -> Result<(), CallError> {
    for name in list(ground, arn, &id.to_string()).await? {
        detach(ground, arn, &name, id).await?;
    }
    Ok(())
}

async fn list(ground: &Ground, arn: &str, resource: &str) -> Result<Vec<String>, CallError> {
    let send = |marker| ground.session.iam.list_entities_for_policy().policy_arn(arn).set_marker(marker).send();
    let pages = pages("iam:ListEntitiesForPolicy", &resource, send, |page| page.marker()).await;
    let mut names = Vec::new();
    for page in CallError::if_there(pages)?.unwrap_or_default() {
        names.extend(page.policy_users().iter().filter_map(|one| Some(format!("{USER}{}", one.user_name()?))));
        names.extend(page.policy_roles().iter().filter_map(|one| Some(format!("{ROLE}{}", one.role_name()?))));
        names.extend(page.policy_groups().iter().filter_map(|one| Some(format!("{GROUP}{}", one.group_name()?))));
    }
    Ok(names)
}

async fn detach(ground: &Ground, arn: &str, name: &str, id: &Id) -> Result<(), CallError> {
    let iam = &ground.session.iam;
    match name.split_once('/').unwrap_or_default() {
        ("user", user) => {
            let send = || iam.detach_user_policy().user_name(user).policy_arn(arn).send();
            call_delete("iam:DetachUserPolicy", id, send).await
        }
        ("role", role) => {
            let send = || iam.detach_role_policy().role_name(role).policy_arn(arn).send();
            call_delete("iam:DetachRolePolicy", id, send).await
        }
        (_, group) => {
            let send = || iam.detach_group_policy().group_name(group).policy_arn(arn).send();
            call_delete("iam:DetachGroupPolicy", id, send).await
        }
    }
}
