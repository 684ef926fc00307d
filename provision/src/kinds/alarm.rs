//! The alarms. What somebody else set on one of them shows as a difference, and goes with the next `apply`.

use std::sync::Arc;

use aws_sdk_cloudwatch::types::{
    AlarmType, ComparisonOperator, Dimension, Metric, MetricAlarm, MetricDataQuery, MetricStat, StandardUnit,
    Statistic, Tag,
};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::{Map, Value, json};

use super::{Answer, Ground, ResourceKind, Update, tagging};
use crate::aws::{CallError, call, call_about, call_delete, pages};
use crate::inquiry::LIMIT_UNTOUCHED;
use crate::resource::{Attributes, Found, Id, Kind, Owner, Resource, tags, text};
use crate::stack::{alarm_name_prefix, follows_limit};

pub(super) struct Alarms(pub(super) Arc<Ground>);

/// Lists of tags at once: CloudWatch has no call for the tags of many alarms.
const AT_ONCE: usize = 8;

impl Alarms {
    fn arn(&self, id: &Id) -> String {
        self.0.session.place.arn("cloudwatch", &format!("alarm:{}", id.name))
    }

    /// Those under our names: of the settings, or of a percentage that the settings no longer have. Other names that
    /// begin like ours are another stack's.
    async fn list(&self, candidates: &[&Resource]) -> Result<Vec<MetricAlarm>, CallError> {
        let prefix = alarm_name_prefix(&self.0.stack.names);
        let spend = format!("{prefix}spend-");
        let of_settings = |name: &str| candidates.iter().any(|candidate| candidate.id.name == name);
        let once_ours = |name: &str| {
            let percent = name.strip_prefix(&spend);
            percent.is_some_and(|percent| !percent.is_empty() && percent.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let cloudwatch = &self.0.session.cloudwatch;
        let asked = cloudwatch.describe_alarms().alarm_name_prefix(&prefix).alarm_types(AlarmType::MetricAlarm);
        let send = |token| asked.clone().set_next_token(token).send();
        let what = format!("alarms {prefix}*");
        let pages = pages("cloudwatch:DescribeAlarms", &what, send, |page| page.next_token()).await?;
        let all = pages.into_iter().flat_map(|page| page.metric_alarms.unwrap_or_default());
        let ours = |alarm: &MetricAlarm| alarm.alarm_name().is_some_and(|name| of_settings(name) || once_ours(name));
        Ok(all.filter(ours).collect())
    }

    async fn look(&self, alarm: MetricAlarm, candidate: Option<&Resource>) -> Result<Option<Found>, CallError> {
        let id = Id::new(Kind::CloudwatchAlarm, alarm.alarm_name().unwrap_or_default());
        let arn = self.arn(&id);
        let asked = || self.0.session.cloudwatch.list_tags_for_resource().resource_arn(&arn).send();
        // Gone since it was listed.
        let Some(told) = CallError::if_there(call("cloudwatch:ListTagsForResource", &id, asked).await)? else {
            return Ok(None);
        };
        let pairs = told.tags().iter().filter_map(|tag| Some((tag.key()?, tag.value()?)));
        let mut attributes = tagging::compared(pairs);
        let owner = tagging::owner(&attributes, &self.0.stack.names.stack);
        let wanted = candidate.and_then(|candidate| candidate.wanted.as_ref()).and_then(|wanted| wanted.get("metrics"));
        attributes.extend(described(&alarm, wanted));
        Ok((candidate.is_some() || owner == Owner::Ours).then(|| Found::ours(id, attributes).owned_by(owner)))
    }

    /// What the alarm is to be now: a part of the spend limit that is in force, where AWS has refused that of the settings.
    async fn in_force(&self, id: &Id, wanted: &Attributes) -> Result<Attributes, CallError> {
        let (session, stack) = (&self.0.session, &self.0.stack);
        if !follows_limit(wanted) || !stack.account.manage_sms_preferences {
            return Ok(wanted.clone());
        }
        let asked = || session.sns.get_sms_attributes().send();
        let got = call("sns:GetSMSAttributes", id, asked).await?.attributes.unwrap_or_default();
        let limit = got.get("MonthlySpendLimit").and_then(|limit| limit.parse::<u32>().ok());
        // None is told of an account that nobody has set up.
        let limit = limit.unwrap_or(LIMIT_UNTOUCHED as u32);
        let limit = Some(limit).filter(|limit| *limit < stack.account.monthly_spend_limit_usd);
        Ok(limit.and_then(|limit| stack.at_limit(id, limit, &session.place)).unwrap_or_else(|| wanted.clone()))
    }

    async fn put(&self, id: &Id, wanted: &Attributes, tags: Option<Vec<Tag>>) -> Result<(), CallError> {
        let wanted = &self.in_force(id, wanted).await?;
        let put = self
            .0
            .session
            .cloudwatch
            .put_metric_alarm()
            .alarm_name(&id.name)
            .alarm_description(text(wanted, "description"))
            .set_threshold(wanted.get("threshold").and_then(Value::as_f64))
            .comparison_operator(ComparisonOperator::from(text(wanted, "comparison")))
            .set_evaluation_periods(wanted.get("evaluation_periods").and_then(number))
            .treat_missing_data(text(wanted, "missing_data"))
            .set_actions_enabled(wanted.get("actions_enabled").and_then(Value::as_bool))
            .set_alarm_actions(wanted.get("alarm_actions").and_then(Value::as_array).map(|all| texts(all)))
            .set_tags(tags);
        let metrics = wanted.get("metrics").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
        let put = match metrics {
            [one] if one.get("id").is_none() => put
                .namespace(of(one, "namespace"))
                .metric_name(of(one, "metric_name"))
                .set_dimensions(Some(dimensions(one)))
                .statistic(Statistic::from(of(one, "statistic")))
                .set_period(one.get("period_seconds").and_then(number)),
            many => put.set_metrics(Some(many.iter().map(query).collect())),
        };
        call("cloudwatch:PutMetricAlarm", id, || put.clone().send()).await.map(drop)
    }
}

/// What an alarm is, in the stack's form. Math comes in the order of `wanted`, since it has none for CloudWatch.
fn described(alarm: &MetricAlarm, wanted: Option<&Value>) -> Attributes {
    let mut metrics: Vec<Value> = match alarm.metrics() {
        [] => vec![single(alarm)],
        many => many.iter().map(part).collect(),
    };
    let wanted = wanted.and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let place = |one: &Value| wanted.iter().position(|other| other.get("id") == one.get("id")).unwrap_or(wanted.len());
    metrics.sort_by_key(place);
    let some = |actions: &[String]| if actions.is_empty() { Value::Null } else { json!(actions) };
    [
        ("description", json!(alarm.alarm_description())),
        ("metrics", Value::from(metrics)),
        ("threshold", json!(alarm.threshold())),
        ("comparison", json!(alarm.comparison_operator().map(ComparisonOperator::as_str))),
        ("evaluation_periods", json!(alarm.evaluation_periods())),
        ("datapoints_to_alarm", json!(alarm.datapoints_to_alarm())),
        ("threshold_metric_id", json!(alarm.threshold_metric_id())),
        ("missing_data", json!(alarm.treat_missing_data())),
        ("alarm_actions", json!(alarm.alarm_actions())),
        ("ok_actions", some(alarm.ok_actions())),
        ("insufficient_data_actions", some(alarm.insufficient_data_actions())),
        ("actions_enabled", json!(alarm.actions_enabled())),
    ]
    .into_iter()
    .map(|(key, value)| (key.to_owned(), value))
    .collect()
}

/// The metric of an alarm without math.
fn single(alarm: &MetricAlarm) -> Value {
    let statistic = alarm.statistic().map(Statistic::as_str).or(alarm.extended_statistic());
    let mut members = metric(alarm.namespace(), alarm.metric_name(), alarm.dimensions());
    members.insert("statistic".to_owned(), json!(statistic));
    members.insert("period_seconds".to_owned(), json!(alarm.period()));
    unit(&mut members, alarm.unit());
    Value::Object(members)
}

/// A metric of math, or an expression. What is as it usually is, is left out.
fn part(query: &MetricDataQuery) -> Value {
    let mut members = Map::new();
    let returned = query.metric_stat().is_none();
    if let Some(stat) = query.metric_stat() {
        let of = stat.metric();
        members = metric(
            of.and_then(Metric::namespace),
            of.and_then(Metric::metric_name),
            of.map(Metric::dimensions).unwrap_or_default(),
        );
        members.insert("statistic".to_owned(), json!(stat.stat()));
        members.insert("period_seconds".to_owned(), json!(stat.period()));
        unit(&mut members, stat.unit());
    }
    members.insert("id".to_owned(), json!(query.id()));
    let mut set = |key: &str, value: Option<Value>| value.map(|value| members.insert(key.to_owned(), value));
    set("expression", query.expression().map(Value::from));
    set("label", query.label().filter(|label| !label.is_empty()).map(Value::from));
    set("expression_period_seconds", query.period().map(Value::from));
    set("account", query.account_id().map(Value::from));
    set("return_data", query.return_data().filter(|data| *data != returned).map(Value::from));
    Value::Object(members)
}

fn metric(namespace: Option<&str>, name: Option<&str>, dimensions: &[Dimension]) -> Map<String, Value> {
    let dimensions = dimensions.iter().filter_map(|one| Some((one.name()?.to_owned(), json!(one.value()?))));
    Map::from_iter([
        ("namespace".to_owned(), json!(namespace)),
        ("metric_name".to_owned(), json!(name)),
        ("dimensions".to_owned(), Value::Object(dimensions.collect())),
    ])
}

fn unit(members: &mut Map<String, Value>, unit: Option<&StandardUnit>) {
    if let Some(unit) = unit {
        members.insert("unit".to_owned(), json!(unit.as_str()));
    }
}

/// The opposite of [`part`], for what the stack has.
fn query(part: &Value) -> MetricDataQuery {
    let query = MetricDataQuery::builder().id(of(part, "id"));
    if let Some(expression) = part.get("expression").and_then(Value::as_str) {
        return query.expression(expression).label(of(part, "label")).return_data(true).build();
    }
    let metric = Metric::builder().namespace(of(part, "namespace")).metric_name(of(part, "metric_name"));
    let stat = MetricStat::builder()
        .metric(metric.set_dimensions(Some(dimensions(part))).build())
        .stat(of(part, "statistic"))
        .set_period(part.get("period_seconds").and_then(number));
    query.metric_stat(stat.build()).return_data(false).build()
}

fn dimensions(part: &Value) -> Vec<Dimension> {
    let all = part.get("dimensions").and_then(Value::as_object).into_iter().flatten();
    let one = |(name, value): (&String, &Value)| Some(Dimension::builder().name(name).value(value.as_str()?).build());
    all.filter_map(one).collect()
}

fn of<'a>(part: &'a Value, key: &str) -> &'a str {
    part.get(key).and_then(Value::as_str).unwrap_or_default()
}

fn number(value: &Value) -> Option<i32> {
    value.as_i64().and_then(|number| i32::try_from(number).ok())
}

fn texts(all: &[Value]) -> Vec<String> {
    all.iter().filter_map(Value::as_str).map(ToOwned::to_owned).collect()
}

fn tag((key, value): (&str, &str)) -> Tag {
    Tag::builder().key(key).value(value).build()
}

impl ResourceKind for Alarms {
    fn kind(&self) -> Kind {
        Kind::CloudwatchAlarm
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let looks = self.list(candidates).await?.into_iter().map(|alarm| {
                let candidate = candidates.iter().find(|one| alarm.alarm_name() == Some(&one.id.name)).copied();
                self.look(alarm, candidate)
            });
            let found: Vec<Option<Found>> = stream::iter(looks).buffered(AT_ONCE).try_collect().await?;
            Ok(found.into_iter().flatten().collect())
        })
    }

    fn create<'a>(&'a self, id: &'a Id, wanted: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(self.put(id, wanted, Some(tags(wanted).map(tag).collect())))
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            let (id, cloudwatch, arn) = (update.id, &self.0.session.cloudwatch, self.arn(update.id));
            let (set, remove) = tagging::changes(&update);
            if update.changed.len() > set.len() + remove.len() {
                self.put(id, update.wanted, None).await?; // it takes tags only of a new one
            }
            if !remove.is_empty() {
                let keys: Vec<String> = remove.iter().map(ToString::to_string).collect();
                let send = || cloudwatch.untag_resource().resource_arn(&arn).set_tag_keys(Some(keys.clone())).send();
                call_about("cloudwatch:UntagResource", id, send).await?;
            }
            if !set.is_empty() {
                let tags: Vec<Tag> = set.into_iter().map(tag).collect();
                let send = || cloudwatch.tag_resource().resource_arn(&arn).set_tags(Some(tags.clone())).send();
                call_about("cloudwatch:TagResource", id, send).await?;
            }
            Ok(())
        })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let id = &found.id;
            let send = || self.0.session.cloudwatch.delete_alarms().alarm_names(&id.name).send();
            call_delete("cloudwatch:DeleteAlarms", id, send).await
        })
    }
}
