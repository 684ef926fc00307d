//! The alarms. No unit, or CloudWatch finds no data; missing data is fine, since most of these metrics rest most of the time.

use serde_json::{Value, json};

use super::{Names, Site, resource};
use crate::resource::{Attributes, Id, Kind, Resource};

/// What the account has spent on SMS in the month so far.
const SPENT: &str = "SMSMonthToDateSpentUSD";

/// How many messages of 15 minutes a failure rate is worth an alarm for.
const ENOUGH: u32 = 20;

/// The names of alarms that may be ours begin so. What begins so and carries our tag is ours, wanted or not.
pub fn alarm_name_prefix(names: &Names) -> String {
    format!("{}-", names.stack)
}

pub(super) fn resources(site: &Site<'_>) -> Vec<Resource> {
    let (account, names) = (site.account, site.names);
    let limit = account.monthly_spend_limit_usd;
    let mut alarms = Vec::new();
    for percent in &account.spend_alarm_percents {
        let threshold = f64::from(limit) * f64::from(*percent) / 100.0;
        let spend = One {
            namespace: "AWS/SNS",
            metric: SPENT,
            dimensions: json!({}), // AWS's table names one; the metric has none
            statistic: "Maximum",
            threshold,
            description: format!("SMS spend of this month has reached {percent} % of the limit of {limit} USD."),
        };
        alarms.push((format!("{}-spend-{percent}", names.stack), Some(spend.attributes(site))));
    }
    alarms.push((format!("{}-failures", names.stack), Some(failures(site))));
    let quota = One {
        namespace: &names.namespace,
        metric: "QuotaExhausted",
        dimensions: json!({}),
        statistic: "Sum",
        threshold: 1.0,
        description: "SNS drops SMS: the monthly spend limit or the account's quota is used up.".to_owned(),
    };
    let logging = account.delivery_status_logging;
    alarms.push((format!("{}-quota-exhausted", names.stack), logging.then(|| quota.attributes(site))));
    let age = One {
        namespace: "AWS/SQS",
        metric: "ApproximateAgeOfOldestMessage",
        dimensions: json!({ "QueueName": names.queue }),
        statistic: "Maximum",
        threshold: 900.0,
        description: "The oldest SMS in the queue has waited for 15 minutes: no agent takes from it, or SNS refuses."
            .to_owned(),
    };
    alarms.push((format!("{}-queue-age", names.stack), account.queue.then(|| age.attributes(site))));
    let dead = One {
        namespace: "AWS/SQS",
        metric: "ApproximateNumberOfMessagesVisible",
        dimensions: json!({ "QueueName": names.dead_letters }),
        statistic: "Maximum",
        threshold: 1.0,
        description: "An SMS is in the dead-letter queue: it was taken 20 times and never settled, or cannot be read."
            .to_owned(),
    };
    alarms.push((format!("{}-dead-letters", names.stack), account.queue.then(|| dead.attributes(site))));

    let topic = Id::new(Kind::SnsTopic, &names.topic);
    let limit = Id::new(Kind::SmsAttributes, &site.place.region);
    let alarm = |(name, wanted): (String, Option<Attributes>)| {
        let after = if wanted.as_ref().is_some_and(follows_limit) { vec![limit.clone()] } else { Vec::new() };
        Resource { after, ..resource(Kind::CloudwatchAlarm, &name, wanted, std::slice::from_ref(&topic)) }
    };
    alarms.into_iter().map(alarm).collect()
}

/// Whether an alarm's threshold is a part of the monthly spend limit.
pub fn follows_limit(alarm: &Attributes) -> bool {
    alarm.get("metrics").is_some_and(|metrics| metrics[0]["metric_name"] == SPENT)
}

/// An alarm on one metric, looked at every five minutes.
struct One<'a> {
    namespace: &'a str,
    metric: &'a str,
    dimensions: Value,
    statistic: &'a str,
    threshold: f64,
    description: String,
}

impl One<'_> {
    fn attributes(&self, site: &Site<'_>) -> Attributes {
        let metrics = json!([{
            "namespace": self.namespace,
            "metric_name": self.metric,
            "dimensions": self.dimensions,
            "statistic": self.statistic,
            "period_seconds": 300,
        }]);
        alarm(site, &self.description, self.threshold, metrics)
    }
}

/// Failed in percent of delivered and failed, once these are enough.
fn failures(site: &Site<'_>) -> Attributes {
    let percent = site.account.failure_alarm_percent;
    let of = |id: &str, metric: &str| {
        json!({
            "id": id,
            "namespace": "AWS/SNS",
            "metric_name": metric,
            "dimensions": { "PhoneNumber": "PhoneNumberDirect" },
            "statistic": "Sum",
            "period_seconds": 900,
        })
    };
    let rate = format!(
        "IF(FILL(failed, 0) + FILL(delivered, 0) >= {ENOUGH}, \
         100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(delivered, 0)), 0)"
    );
    let metrics = json!([
        of("failed", "NumberOfNotificationsFailed"),
        of("delivered", "NumberOfNotificationsDelivered"),
        { "id": "rate", "expression": rate, "label": "Failed, percent" },
    ]);
    let description = format!("{percent} % or more of the SMS of 15 minutes were not delivered.");
    alarm(site, &description, f64::from(percent), metrics)
}

fn alarm(site: &Site<'_>, description: &str, threshold: f64, metrics: Value) -> Attributes {
    let attributes = [
        ("description", json!(description)),
        ("metrics", metrics),
        ("threshold", json!(threshold)),
        ("comparison", json!("GreaterThanOrEqualToThreshold")),
        ("evaluation_periods", json!(1)),
        ("datapoints_to_alarm", Value::Null),
        ("threshold_metric_id", Value::Null),
        ("missing_data", json!("notBreaching")),
        ("alarm_actions", json!([site.names.topic_arn])),
        ("ok_actions", Value::Null),
        ("insufficient_data_actions", Value::Null),
        ("actions_enabled", json!(true)),
    ];
    site.tagged(true, attributes).unwrap_or_default()
}
