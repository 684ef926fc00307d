//! The metric filters on the log group of what was not delivered: one counts one class of failures.

use std::sync::Arc;

use aws_sdk_cloudwatchlogs::types::{MetricFilter, MetricTransformation, StandardUnit};
use serde_json::json;

use super::{Answer, Ground, ResourceKind, Update, tagging};
use crate::aws::{CallError, Fault, SETTLING, call, call_delete, call_while, made_just_now, pages};
use crate::resource::{Attributes, Found, Id, Kind, Owner, Resource, TAG, text};
use crate::stack::{STACK_TAG, failure_log_group};

pub(super) struct MetricFilters(pub(super) Arc<Ground>);

impl MetricFilters {
    fn group(&self) -> String {
        failure_log_group(&self.0.session.place)
    }

    /// Whose the log group is. One without a tag is anybody's to take, and nobody's to take away.
    async fn owner_of_group(&self, candidates: &[&Resource]) -> Result<Owner, CallError> {
        let what = format!("log group {}", self.group());
        let arn = self.0.session.place.arn("logs", &format!("log-group:{}", self.group()));
        let asked = || self.0.session.logs.list_tags_for_resource().resource_arn(&arn).send();
        let told = CallError::if_there(call("logs:ListTagsForResource", &what, asked).await)?;
        let tags = tagging::compared(told.and_then(|told| told.tags).unwrap_or_default());
        let wanted = candidates.iter().any(|candidate| candidate.wanted.is_some());
        match tags.contains_key(&format!("{TAG}{STACK_TAG}")) {
            false if wanted => Ok(Owner::Ours),
            _ => Ok(match tagging::owner(&tags, &self.0.stack.names.stack) {
                Owner::Other(why) => Owner::Other(format!("counts elsewhere, and its log group {why}")),
                ours => ours,
            }),
        }
    }
}

/// Where groups are not ours to make there may be none yet.
fn explained(error: CallError, group: &str) -> CallError {
    if error.fault != Fault::NotFound {
        return error;
    }
    let message = format!("there is no log group {group} yet: SNS makes it with the first SMS that is not delivered");
    CallError { message: message.into(), ..error }
        .advised("run it again then, or set account.create_delivery_log_groups = true")
}

/// The names of the filters on a log group that are not of this stack.
pub(super) async fn foreign(ground: &Ground, group: &str) -> Result<Vec<String>, CallError> {
    let candidates = ground.stack.of(Kind::LogMetricFilter);
    let filters = list(ground, group, &candidates).await?;
    let names = filters.into_iter().filter(|(_, ours)| !ours).filter_map(|(filter, _)| filter.filter_name);
    Ok(names.collect())
}

/// The filters on a log group, and whether each is ours: by its name, or by where it counts.
async fn list(ground: &Ground, group: &str, candidates: &[&Resource]) -> Result<Vec<(MetricFilter, bool)>, CallError> {
    let send = |token| ground.session.logs.describe_metric_filters().log_group_name(group).set_next_token(token).send();
    let what = format!("log group {group}");
    let pages = pages("logs:DescribeMetricFilters", &what, send, |page| page.next_token()).await;
    let is_ours = |filter: &MetricFilter| {
        let named = candidates.iter().any(|candidate| filter.filter_name() == Some(&candidate.id.name));
        named || counts_in(filter, &ground.stack.names.namespace)
    };
    let filters = CallError::if_there(pages)?.unwrap_or_default().into_iter();
    let filters = filters.flat_map(|page| page.metric_filters.unwrap_or_default());
    Ok(filters.map(|filter| (filter.clone(), is_ours(&filter))).collect())
}

fn counts_in(filter: &MetricFilter, namespace: &str) -> bool {
    filter.metric_transformations().iter().any(|one| one.metric_namespace == namespace)
}

fn attributes(filter: &MetricFilter) -> Attributes {
    let counted = filter.metric_transformations().first();
    // That it has no unit can be said in two ways.
    let unit = counted.and_then(MetricTransformation::unit).filter(|unit| **unit != StandardUnit::None);
    let dimensions = counted.and_then(MetricTransformation::dimensions).filter(|all| !all.is_empty());
    [
        ("pattern", json!(filter.filter_pattern().unwrap_or_default())),
        ("metric_namespace", json!(counted.map(MetricTransformation::metric_namespace))),
        ("metric_name", json!(counted.map(MetricTransformation::metric_name))),
        ("metric_value", json!(counted.map(MetricTransformation::metric_value))),
        ("metric_default", json!(counted.and_then(MetricTransformation::default_value))),
        ("metric_unit", json!(unit.map(StandardUnit::as_str))),
        ("metric_dimensions", json!(dimensions)),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

impl ResourceKind for MetricFilters {
    fn kind(&self) -> Kind {
        Kind::LogMetricFilter
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let filters = list(&self.0, &self.group(), candidates).await?;
            let ours = filters.into_iter().filter(|(_, ours)| *ours);
            let ours: Vec<_> = ours.map(|(filter, _)| filter).collect();
            let counts_here = |filter: &MetricFilter| counts_in(filter, &self.0.stack.names.namespace);
            // Whose one is that has our name only, its log group says.
            let group =
                if ours.iter().all(counts_here) { Owner::Ours } else { self.owner_of_group(candidates).await? };
            let found = |filter: MetricFilter| {
                let owner = if counts_here(&filter) { Owner::Ours } else { group.clone() };
                let name = filter.filter_name.clone().unwrap_or_default();
                Found::ours(Id::new(Kind::LogMetricFilter, name), attributes(&filter)).owned_by(owner)
            };
            Ok(ours.into_iter().map(found).collect())
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let counted = MetricTransformation::builder()
                .metric_namespace(text(wanted, "metric_namespace"))
                .metric_name(text(wanted, "metric_name"))
                .metric_value(text(wanted, "metric_value"))
                .unit(StandardUnit::None) // Terraform's provider always says so
                .build()
                .map_err(|error| CallError::other("logs:PutMetricFilter", id.to_string(), error.to_string()))?;
            let send = || {
                let put = self.0.session.logs.put_metric_filter().log_group_name(self.group()).filter_name(&id.name);
                put.filter_pattern(text(wanted, "pattern")).metric_transformations(counted.clone()).send()
            };
            // A log group that is ours was made a moment ago; one that SNS makes may not be there for days.
            let group_is_ours = self.0.stack.account.create_delivery_log_groups;
            let is_new = |error: &CallError| group_is_ours && made_just_now(error);
            let put = call_while(SETTLING, is_new, "logs:PutMetricFilter", id, send).await.map(drop);
            put.map_err(|error| explained(error, &self.group()))
        })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        self.create(update.id, update.wanted)
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let id = &found.id;
            let logs = &self.0.session.logs;
            let send = || logs.delete_metric_filter().log_group_name(self.group()).filter_name(&id.name).send();
            call_delete("logs:DeleteMetricFilter", id, send).await
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(fault: Fault, code: &str) -> CallError {
        let other = CallError::other("logs:PutMetricFilter", "metric filter sms-quota", "as AWS says");
        CallError { fault, code: Some(code.into()), ..other }
    }

    #[test]
    fn without_a_log_group_the_error_says_who_makes_it() {
        let told = explained(error(Fault::NotFound, "ResourceNotFoundException"), "sns/x/Failure").to_string();
        assert!(told.contains("no log group sns/x/Failure yet: SNS makes it"), "{told}");
        assert!(told.contains("account.create_delivery_log_groups = true"), "{told}");
    }

    #[test]
    fn any_other_error_stays_as_it_is() {
        let refused = error(Fault::Refused, "AccessDeniedException");
        assert_eq!(explained(refused.clone(), "sns/x/Failure"), refused);
    }
}
