//! The queue and its dead-letter queue, with their policies.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_sqs::types::QueueAttributeName as Name;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{Answer, Ground, ResourceKind, Update, tagging};
use crate::aws::{CallError, call, call_about, call_delete, call_while, made_just_now};
use crate::resource::{Attributes, Found, Id, Kind, Owner, Resource, tags};

pub(super) struct Queues(pub(super) Arc<Ground>);

/// SQS gives the name of a queue away again after a minute.
const NAME_FREE: Duration = Duration::from_secs(65);

/// How SQS writes a value.
#[derive(Clone, Copy)]
enum Form {
    Number,
    Flag,
    Text,
    Document,
}

/// Our attributes with SQS's names.
const ATTRIBUTES: [(&str, Name, Form); 9] = [
    ("visibility_seconds", Name::VisibilityTimeout, Form::Number),
    ("delay_seconds", Name::DelaySeconds, Form::Number),
    ("receive_wait_seconds", Name::ReceiveMessageWaitTimeSeconds, Form::Number),
    ("retention_seconds", Name::MessageRetentionPeriod, Form::Number),
    ("max_message_bytes", Name::MaximumMessageSize, Form::Number),
    ("sqs_managed_sse", Name::SqsManagedSseEnabled, Form::Flag),
    ("kms_key_id", Name::KmsMasterKeyId, Form::Text),
    ("redrive_policy", Name::RedrivePolicy, Form::Document),
    ("policy", Name::Policy, Form::Document),
];

/// Where a queue counts its messages.
const DEPTHS: [Name; 3] = [
    Name::ApproximateNumberOfMessages,
    Name::ApproximateNumberOfMessagesDelayed,
    Name::ApproximateNumberOfMessagesNotVisible,
];

impl Queues {
    async fn url(&self, id: &Id) -> Result<Option<String>, CallError> {
        let asked = || self.0.session.sqs.get_queue_url().queue_name(&id.name).send();
        let got = CallError::if_there(call("sqs:GetQueueUrl", id, asked).await)?;
        Ok(got.and_then(|got| got.queue_url))
    }

    async fn url_of(&self, id: &Id) -> Result<String, CallError> {
        let gone = || CallError::other("sqs:GetQueueUrl", id.to_string(), "it is gone since the plan; run it again");
        self.url(id).await?.ok_or_else(gone)
    }

    async fn look(&self, candidate: &Resource) -> Result<Option<Found>, CallError> {
        let (id, sqs) = (&candidate.id, &self.0.session.sqs);
        let Some(url) = self.url(id).await? else { return Ok(None) };
        let attributes = || sqs.get_queue_attributes().queue_url(&url).attribute_names(Name::All).send();
        let Some(got) = CallError::if_there(call("sqs:GetQueueAttributes", id, attributes).await)? else {
            return Ok(None);
        };
        let asked = || sqs.list_queue_tags().queue_url(&url).send();
        let Some(told) = CallError::if_there(call("sqs:ListQueueTags", id, asked).await)? else { return Ok(None) };
        let mut attributes = tagging::compared(told.tags.unwrap_or_default());
        let owner = tagging::owner(&attributes, &self.0.stack.names.stack);
        let got = got.attributes.unwrap_or_default();
        for (key, name, form) in ATTRIBUTES {
            attributes.insert(key.to_owned(), got.get(&name).map_or(Value::Null, |text| parsed(text, form)));
        }
        let mut found = Found::ours(id.clone(), attributes).owned_by(owner);
        let count = |name| got.get(&name).and_then(|count| count.parse::<u64>().ok()).unwrap_or_default();
        let messages: u64 = DEPTHS.into_iter().map(count).sum();
        if candidate.wanted.is_none() && found.owner == Owner::Ours && messages > 0 {
            found.notes.push(format!("{id} holds about {messages} messages, which go with it"));
        }
        Ok(Some(found))
    }
}

/// A value in the form that the stack has it in.
fn parsed(text: &str, form: Form) -> Value {
    match form {
        Form::Number => text.parse::<u64>().map_or_else(|_| json!(text), |number| json!(number)),
        Form::Flag => json!(text == "true"),
        Form::Text | Form::Document if text.is_empty() => Value::Null,
        Form::Text => json!(text),
        Form::Document => {
            let mut document = super::document(text);
            // Some clients write this number as text, and SQS hands back what they wrote.
            if let Some(count) = document.get_mut("maxReceiveCount")
                && let Some(number) = count.as_str().and_then(|text| text.parse::<u64>().ok())
            {
                *count = json!(number);
            }
            document
        }
    }
}

/// A value as SQS takes it; what is absent is empty.
fn written(value: &Value) -> String {
    match value {
        Value::Null => String::new(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

fn owned<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> HashMap<String, String> {
    tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl ResourceKind for Queues {
    fn kind(&self) -> Kind {
        Kind::SqsQueue
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let found = try_join_all(candidates.iter().map(|candidate| self.look(candidate))).await?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let given = ATTRIBUTES.into_iter().filter_map(|(key, name, _)| Some((name, wanted.get(key)?)));
            let given = given.filter(|(_, value)| !value.is_null()).map(|(name, value)| (name, written(value)));
            let (attributes, tags): (HashMap<_, _>, _) = (given.collect(), owned(tags(wanted)));
            let deleted_recently =
                |error: &CallError| error.is(&["AWS.SimpleQueueService.QueueDeletedRecently", "QueueDeletedRecently"]);
            // Its dead-letter queue may have been made a moment ago. The one of the settings is always ours.
            let passes = |error: &CallError| {
                deleted_recently(error) || made_just_now(error) || error.mentions("Dead letter target does not exist")
            };
            let made = self.0.session.sqs.create_queue().queue_name(&id.name);
            let made = made.set_attributes(Some(attributes)).set_tags(Some(tags));
            let send = || made.clone().send();
            call_while(NAME_FREE, passes, "sqs:CreateQueue", id, send).await.map(drop)
        })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let (id, sqs) = (update.id, &self.0.session.sqs);
            let url = self.url_of(id).await?;
            let changed = ATTRIBUTES.into_iter().filter(|(key, ..)| update.touches(&[key]));
            let changed = changed.map(|(key, name, _)| (name, update.wanted.get(key).map(written).unwrap_or_default()));
            let mut changed: HashMap<_, _> = changed.collect();
            if !changed.is_empty() {
                // Some that speak like SQS forget a policy that is not said again.
                changed.insert(Name::Policy, update.wanted.get("policy").map(written).unwrap_or_default());
                // The dead-letter queue that it names may have been made a moment ago.
                let set = sqs.set_queue_attributes().queue_url(&url).set_attributes(Some(changed));
                let send = || set.clone().send();
                call_about("sqs:SetQueueAttributes", id, send).await?;
            }
            let (set, remove) = tagging::changes(&update);
            if !remove.is_empty() {
                let keys: Vec<String> = remove.iter().map(ToString::to_string).collect();
                let send = || sqs.untag_queue().queue_url(&url).set_tag_keys(Some(keys.clone())).send();
                call_about("sqs:UntagQueue", id, send).await?;
            }
            if !set.is_empty() {
                let tags = owned(set);
                let send = || sqs.tag_queue().queue_url(&url).set_tags(Some(tags.clone())).send();
                call_about("sqs:TagQueue", id, send).await?;
            }
            Ok(())
        })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let id = &found.id;
            let Some(url) = self.url(id).await? else { return Ok(()) };
            call_delete("sqs:DeleteQueue", id, || self.0.session.sqs.delete_queue().queue_url(&url).send()).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_redrive_policy_is_the_same_however_it_was_written() {
        let wanted = json!({ "deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:dead", "maxReceiveCount": 20 });
        let spaced =
            r#"{ "maxReceiveCount" : "20", "deadLetterTargetArn" : "arn:aws:sqs:us-east-1:123456789012:dead" }"#;
        assert_eq!(parsed(spaced, Form::Document), wanted);
        assert_eq!(parsed(&wanted.to_string(), Form::Document), wanted);
    }

    #[test]
    fn a_document_that_is_empty_is_absent_and_one_that_is_none_is_shown() {
        assert_eq!(parsed("", Form::Document), Value::Null);
        assert_eq!(parsed("{", Form::Document), json!("{"));
    }
}
