//! The sender's user. Its keys are a kind of their own.

use std::sync::Arc;

use aws_sdk_iam::types::{Tag, User};
use serde_json::{Value, json};

use super::policy::tag;
use super::{Answer, Ground, ResourceKind, Update, obstacles, tagging};
use crate::aws::{CallError, Holder, call, call_about, call_create, call_delete};
use crate::resource::{Attributes, Found, Id, Kind, Owner, Resource, tags, text};

pub(super) struct Users(pub(super) Arc<Ground>);

impl Users {
    async fn get(&self, id: &Id) -> Result<Option<User>, CallError> {
        let send = || self.0.session.iam.get_user().user_name(&id.name).send();
        Ok(CallError::if_there(call("iam:GetUser", id, send).await)?.and_then(|got| got.user))
    }
}

fn pairs(user: &User) -> impl Iterator<Item = (&str, &str)> {
    user.tags().iter().map(|tag| (tag.key(), tag.value()))
}

impl ResourceKind for Users {
    fn kind(&self) -> Kind {
        Kind::IamUser
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let mut all = Vec::new();
            for candidate in candidates {
                let id = &candidate.id;
                let Some(user) = self.get(id).await? else { continue };
                let mut attributes = tagging::compared(pairs(&user));
                let boundary = user.permissions_boundary().and_then(|boundary| boundary.permissions_boundary_arn());
                attributes.insert("path".to_owned(), json!(user.path()));
                attributes.insert("permissions_boundary".to_owned(), json!(boundary));
                let owner = tagging::owner(&attributes, &self.0.stack.names.stack);
                let mut found = Found::ours(id.clone(), attributes).owned_by(owner);
                match (&candidate.wanted, &found.owner) {
                    (None, Owner::Ours) => found.obstacles = obstacles::of_user(&self.0, id).await?,
                    (Some(_), Owner::Ours) => found.beyond = obstacles::rights_of_user(&self.0, id).await?,
                    _ => {}
                }
                all.push(found);
            }
            Ok(all)
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let boundary = wanted.get("permissions_boundary").and_then(Value::as_str).map(ToOwned::to_owned);
            let mut request = self.0.session.iam.create_user().user_name(&id.name).path(text(wanted, "path"));
            request = request.set_permissions_boundary(boundary);
            for tag in tags(wanted).filter_map(tag) {
                request = request.tags(tag);
            }
            let holder = || async {
                let user = self.get(id).await?;
                Ok(user.map_or(Holder::Nobody, |user| tagging::holder(pairs(&user), &self.0.stack.names.stack)))
            };
            call_create("iam:CreateUser", id, || request.clone().send(), holder).await
        })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let (id, iam) = (update.id, &self.0.session.iam);
            if update.touches(&["path"]) {
                let send = || iam.update_user().user_name(&id.name).new_path(text(update.wanted, "path")).send();
                call_about("iam:UpdateUser", id, send).await?;
            }
            if update.touches(&["permissions_boundary"]) {
                match text(update.wanted, "permissions_boundary") {
                    "" => {
                        let send = || iam.delete_user_permissions_boundary().user_name(&id.name).send();
                        call_delete("iam:DeleteUserPermissionsBoundary", id, send).await?;
                    }
                    arn => {
                        let put = iam.put_user_permissions_boundary().user_name(&id.name).permissions_boundary(arn);
                        call("iam:PutUserPermissionsBoundary", id, || put.clone().send()).await?;
                    }
                }
            }
            let (mut set, remove) = tagging::changes(&update);
            if update.touches(&["path"]) {
                // In AWS a user takes its tags along. In moto it loses them, and with them its owner.
                set = tags(update.wanted).collect();
            }
            if !remove.is_empty() {
                let keys: Vec<String> = remove.iter().map(ToString::to_string).collect();
                let send = || iam.untag_user().user_name(&id.name).set_tag_keys(Some(keys.clone())).send();
                call_about("iam:UntagUser", id, send).await?;
            }
            if !set.is_empty() {
                let tags: Vec<Tag> = set.into_iter().filter_map(tag).collect();
                let send = || iam.tag_user().user_name(&id.name).set_tags(Some(tags.clone())).send();
                call_about("iam:TagUser", id, send).await?;
            }
            Ok(())
        })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let send = || self.0.session.iam.delete_user().user_name(&found.id.name).send();
            call_delete("iam:DeleteUser", &found.id, send).await
        })
    }
}
