//! The log groups that SNS writes delivery status to. SNS makes them itself when it finds none, so one without a tag of ours
//! is anybody's to take; one with records is never lost by the way.

use std::collections::HashMap;
use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types::LogGroup;
use futures_util::future::try_join_all;
use serde_json::{Value, json};

use super::{Answer, Ground, ResourceKind, Update, metric_filter, tagging};
use crate::aws::{CallError, Fault, call, call_about, call_delete, pages};
use crate::resource::{Attributes, Found, Id, Kind, Owner, Resource, TAG, tags};
use crate::stack::STACK_TAG;

pub(super) struct LogGroups(pub(super) Arc<Ground>);

impl LogGroups {
    fn arn(&self, id: &Id) -> String {
        self.0.session.place.arn("logs", &format!("log-group:{}", id.name))
    }

    async fn find(&self, id: &Id) -> Result<Option<LogGroup>, CallError> {
        let asked = self.0.session.logs.describe_log_groups().log_group_name_prefix(&id.name);
        let send = |token| asked.clone().set_next_token(token).send();
        let pages = pages("logs:DescribeLogGroups", id, send, |page| page.next_token()).await?;
        let mut groups = pages.into_iter().flat_map(|page| page.log_groups.unwrap_or_default());
        Ok(groups.find(|group| group.log_group_name() == Some(&id.name)))
    }

    async fn look(&self, candidate: &Resource) -> Result<Option<Found>, CallError> {
        let id = &candidate.id;
        let Some(group) = self.find(id).await? else { return Ok(None) };
        let asked = || self.0.session.logs.list_tags_for_resource().resource_arn(self.arn(id)).send();
        // Gone since it was listed.
        let Some(told) = CallError::if_there(call("logs:ListTagsForResource", id, asked).await)? else {
            return Ok(None);
        };
        let mut attributes = tagging::compared(told.tags.unwrap_or_default());
        let tagged = attributes.contains_key(&format!("{TAG}{STACK_TAG}"));
        attributes.insert("retention_days".to_owned(), json!(group.retention_in_days()));
        let owner = match (tagged, &candidate.wanted) {
            (false, Some(_)) => Owner::Ours,
            _ => tagging::owner(&attributes, &self.0.stack.names.stack),
        };
        let mut found = Found::ours(id.clone(), attributes).owned_by(owner);
        if candidate.wanted.is_none() && found.owner == Owner::Ours {
            found.keep = self.keep(id).await?;
        }
        Ok(Some(found))
    }

    /// Why it is not to be deleted.
    async fn keep(&self, id: &Id) -> Result<Option<String>, CallError> {
        if !self.0.delete_logs && self.holds_records(id).await? {
            return Ok(Some("it holds records; only destroy --delete-logs deletes it with them".to_owned()));
        }
        // They would be gone with the group.
        let foreign = metric_filter::foreign(&self.0, &id.name).await?;
        Ok((!foreign.is_empty())
            .then(|| format!("metric filters that are not ours count in it ({})", foreign.join(", "))))
    }

    /// Whoever makes a stream writes to it: what was written last, and how many bytes there are, is known an hour later.
    async fn holds_records(&self, id: &Id) -> Result<bool, CallError> {
        let asked = || self.0.session.logs.describe_log_streams().log_group_name(&id.name).limit(1).send();
        let streams = CallError::if_there(call("logs:DescribeLogStreams", id, asked).await)?;
        Ok(streams.is_some_and(|page| !page.log_streams().is_empty()))
    }

    async fn retain(&self, id: &Id, wanted: &Attributes) -> Result<(), CallError> {
        let Some(days) = wanted.get("retention_days").and_then(Value::as_i64) else { return Ok(()) };
        let days = i32::try_from(days).ok();
        let logs = &self.0.session.logs;
        let send = || logs.put_retention_policy().log_group_name(&id.name).set_retention_in_days(days).send();
        call_about("logs:PutRetentionPolicy", id, send).await.map(drop)
    }

    async fn tag(&self, id: &Id, tags: HashMap<String, String>) -> Result<(), CallError> {
        let (logs, arn) = (&self.0.session.logs, self.arn(id));
        let send = || logs.tag_resource().resource_arn(&arn).set_tags(Some(tags.clone())).send();
        call_about("logs:TagResource", id, send).await.map(drop)
    }
}

fn owned<'a>(tags: impl IntoIterator<Item = (&'a str, &'a str)>) -> HashMap<String, String> {
    tags.into_iter().map(|(key, value)| (key.to_owned(), value.to_owned())).collect()
}

impl ResourceKind for LogGroups {
    fn kind(&self) -> Kind {
        Kind::LogGroup
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let found = try_join_all(candidates.iter().map(|candidate| self.look(candidate))).await?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let tags = owned(tags(wanted));
            let logs = &self.0.session.logs;
            let send = || logs.create_log_group().log_group_name(&id.name).set_tags(Some(tags.clone())).send();
            match call("logs:CreateLogGroup", id, send).await {
                Err(error) if error.fault == Fault::Exists => self.tag(id, tags.clone()).await?, // SNS was quicker
                made => drop(made?),
            }
            self.retain(id, wanted).await
        })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let id = update.id;
            let (set, remove) = tagging::changes(&update);
            if !set.is_empty() {
                self.tag(id, owned(set)).await?;
            }
            if !remove.is_empty() {
                let (logs, arn) = (&self.0.session.logs, self.arn(id));
                let keys: Vec<String> = remove.iter().map(ToString::to_string).collect();
                let send = || logs.untag_resource().resource_arn(&arn).set_tag_keys(Some(keys.clone())).send();
                call_about("logs:UntagResource", id, send).await?;
            }
            match update.touches(&["retention_days"]) {
                true => self.retain(id, update.wanted).await,
                false => Ok(()),
            }
        })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let id = &found.id;
            // A person may have thought about the plan for a while.
            if !self.0.delete_logs && self.holds_records(id).await? {
                let why = "records were written since the plan was made, so it stays; run it again";
                return Err(CallError::other("logs:DescribeLogStreams", id.to_string(), why));
            }
            let send = || self.0.session.logs.delete_log_group().log_group_name(&id.name).send();
            call_delete("logs:DeleteLogGroup", id, send).await
        })
    }
}
