//! The alarm topic with its policy.

use std::sync::Arc;

use aws_sdk_sns::types::Tag;
use serde_json::Value;

use super::{Answer, Ground, ResourceKind, Update, tagging};
use crate::aws::{CallError, call, call_about, call_delete};
use crate::resource::{Attributes, Found, Id, Kind, Resource, tags, text};

pub(super) struct Topics(pub(super) Arc<Ground>);

/// SNS's name of the attribute.
/// A key that encrypts the topic. CloudWatch cannot publish to a topic under the key that SNS has by itself
/// (`alias/aws/sns`), and under another one only if that key lets it: the alarms would be mute.
const KEY: &str = "KmsMasterKeyId";
const POLICY: &str = "Policy";

/// The tags of the topic; nothing where there is no topic.
async fn tags_of(ground: &Ground, id: &Id) -> Result<Option<Attributes>, CallError> {
    let arn = &ground.stack.names.topic_arn;
    let asked = || ground.session.sns.list_tags_for_resource().resource_arn(arn).send();
    let told = CallError::if_there(call("sns:ListTagsForResource", id, asked).await)?;
    Ok(told.map(|told| tagging::compared(told.tags().iter().map(|tag| (tag.key(), tag.value())))))
}

/// SNS's form of a tag. The builder only fails without key or value.
fn tag((key, value): (&str, &str)) -> Option<Tag> {
    Tag::builder().key(key).value(value).build().ok()
}

impl ResourceKind for Topics {
    fn kind(&self) -> Kind {
        Kind::SnsTopic
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let Some(candidate) = candidates.first() else { return Ok(Vec::new()) };
            let (id, arn) = (&candidate.id, &self.0.stack.names.topic_arn);
            let asked = || self.0.session.sns.get_topic_attributes().topic_arn(arn).send();
            let Some(got) = CallError::if_there(call("sns:GetTopicAttributes", id, asked).await)? else {
                return Ok(Vec::new());
            };
            let Some(mut attributes) = tags_of(&self.0, id).await? else { return Ok(Vec::new()) };
            let policy = got.attributes().and_then(|all| all.get(POLICY)).map_or("", String::as_str);
            attributes.insert("policy".to_owned(), super::document(policy));
            let key = got.attributes().and_then(|all| all.get(KEY)).filter(|key| !key.is_empty());
            attributes.insert("kms_key_id".to_owned(), key.map_or(Value::Null, |key| Value::from(key.as_str())));
            let owner = tagging::owner(&attributes, &self.0.stack.names.stack);
            Ok(vec![Found::ours(id.clone(), attributes).owned_by(owner)])
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let policy = wanted.get("policy").unwrap_or(&Value::Null).to_string();
            let tags: Vec<Tag> = tags(wanted).filter_map(tag).collect();
            let send = || {
                let made = self.0.session.sns.create_topic().name(&id.name).attributes(POLICY, &policy);
                made.set_tags(Some(tags.clone())).send()
            };
            call("sns:CreateTopic", id, send).await.map(drop)
        })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let (id, sns, arn) = (update.id, &self.0.session.sns, &self.0.stack.names.topic_arn);
            let policy = update.wanted.get("policy").unwrap_or(&Value::Null).to_string();
            let values = [("policy", POLICY, &*policy), ("kms_key_id", KEY, text(update.wanted, "kms_key_id"))];
            for (_, name, value) in values.iter().filter(|(key, ..)| update.touches(&[key])) {
                let set = sns.set_topic_attributes().topic_arn(arn).attribute_name(*name).attribute_value(*value);
                call_about("sns:SetTopicAttributes", id, || set.clone().send()).await?;
            }
            let (set, remove) = tagging::changes(&update);
            if !remove.is_empty() {
                let keys: Vec<String> = remove.iter().map(ToString::to_string).collect();
                let send = || sns.untag_resource().resource_arn(arn).set_tag_keys(Some(keys.clone())).send();
                call_about("sns:UntagResource", id, send).await?;
            }
            if !set.is_empty() {
                let tags: Vec<Tag> = set.into_iter().filter_map(tag).collect();
                let send = || sns.tag_resource().resource_arn(arn).set_tags(Some(tags.clone())).send();
                call_about("sns:TagResource", id, send).await?;
            }
            Ok(())
        })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let arn = &self.0.stack.names.topic_arn;
            let send = || self.0.session.sns.delete_topic().topic_arn(arn).send();
            call_delete("sns:DeleteTopic", &found.id, send).await
        })
    }
}
