//! The alarm topic and who is told.

use serde_json::{Value, json};

use super::{Site, plain, resource};
use crate::resource::{Id, Kind, Resource};

pub(super) fn resources(site: &Site<'_>) -> Vec<Resource> {
    let topic = Id::new(Kind::SnsTopic, &site.names.topic);
    let wanted = site.tagged(true, [("policy", policy(site)), ("kms_key_id", Value::Null)]);
    let mut resources = vec![resource(Kind::SnsTopic, &site.names.topic, wanted, &[])];
    resources.extend(site.account.alarm_emails.iter().map(|email| {
        let wanted = plain(true, [("protocol", json!("email"))]);
        resource(Kind::SnsSubscription, email, wanted, std::slice::from_ref(&topic))
    }));
    resources
}

/// Only CloudWatch publishes, and only of this account.
fn policy(site: &Site<'_>) -> Value {
    let place = site.place;
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "CloudWatchAlarmsOfThisAccount",
            "Effect": "Allow",
            "Principal": { "Service": "cloudwatch.amazonaws.com" },
            "Action": "sns:Publish",
            "Resource": site.names.topic_arn,
            "Condition": {
                "ArnLike": { "aws:SourceArn": place.arn("cloudwatch", "alarm:*") },
                "StringEquals": { "aws:SourceAccount": place.account },
            },
        }],
    })
}
