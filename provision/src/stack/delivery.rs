//! Delivery status: the role with which SNS writes it, where it is written, and what is counted there.

use serde_json::{Value, json};

use super::names::DELIVERY_POLICY;
use super::{Site, plain, resource};
use crate::aws::Place;
use crate::resource::{Id, Kind, Resource};

/// A class of failures: the filter's suffix, its metric, and the carriers' and SNS's words in the delivery log.
const FAILURES: [(&str, &str, &str); 5] = [
    ("quota", "QuotaExhausted", r#"{ $.delivery.providerResponse = "No quota left for account*" }"#),
    ("spam", "BlockedAsSpam", r#"{ $.delivery.providerResponse = "Blocked as spam*" }"#),
    (
        "opted-out",
        "OptedOut",
        // The first STOP shows as a block by the phone.
        r#"{ ($.delivery.providerResponse = "*opted out*") || ($.delivery.providerResponse = "Phone has blocked SMS*") }"#,
    ),
    (
        "unreachable",
        "Unreachable",
        r#"{ ($.delivery.providerResponse = "*unreachable*") || ($.delivery.providerResponse = "Unknown error attempting to reach phone*") }"#,
    ),
    ("price", "PriceExceeded", r#"{ $.delivery.providerResponse = "This delivery would exceed max price*" }"#),
];

/// The metrics of the filters with what people call them, for the dashboard.
pub(super) const FAILURE_METRICS: [(&str, &str); 5] = [
    ("QuotaExhausted", "No quota left"),
    ("BlockedAsSpam", "Blocked as spam"),
    ("OptedOut", "Opted out"),
    ("Unreachable", "Unreachable"),
    ("PriceExceeded", "Over max price"),
];

/// The two groups that SNS writes to: what was delivered, and what was not.
pub fn log_groups(place: &Place) -> [String; 2] {
    let delivered = format!("sns/{}/{}/DirectPublishToPhoneNumber", place.region, place.account);
    let failed = format!("{delivered}/Failure");
    [delivered, failed]
}

/// The group of what was not delivered.
pub fn failure_log_group(place: &Place) -> String {
    let [_, failed] = log_groups(place);
    failed
}

/// The groups and the streams in them, as policies name them.
pub fn log_arns(place: &Place) -> Vec<String> {
    let arns = log_groups(place).map(|group| place.arn("logs", &format!("log-group:{group}")));
    arns.iter().flat_map(|arn| [arn.clone(), format!("{arn}:*")]).collect()
}

pub(super) fn resources(site: &Site<'_>) -> Vec<Resource> {
    let (account, place, names) = (site.account, site.place, site.names);
    let logging = account.delivery_status_logging;
    let role = Id::new(Kind::IamRole, &names.delivery_role);
    let failed = Id::new(Kind::LogGroup, failure_log_group(place));
    let mut resources = vec![
        resource(
            Kind::IamRole,
            &names.delivery_role,
            site.tagged(
                logging,
                [
                    ("path", json!(account.path)),
                    ("trust", trust(place)),
                    ("permissions_boundary", json!(account.permissions_boundary_arn)),
                ],
            ),
            &[],
        ),
        resource(
            Kind::IamRolePolicy,
            &format!("{}/{DELIVERY_POLICY}", names.delivery_role),
            plain(logging, [("document", may_write(place))]),
            &[role],
        ),
    ];
    // Groups that SNS writes to and that are its own to make are not looked at, even if we made them once.
    if account.create_delivery_log_groups || !logging {
        resources.extend(log_groups(place).iter().map(|group| {
            let retention = [("retention_days", json!(account.delivery_log_retention_days))];
            resource(Kind::LogGroup, group, site.tagged(logging, retention), &[])
        }));
    }
    resources.extend(FAILURES.iter().map(|(suffix, metric, pattern)| {
        let wanted = plain(
            logging,
            [
                ("pattern", json!(pattern)),
                ("metric_namespace", json!(names.namespace)),
                ("metric_name", json!(metric)),
                ("metric_value", json!("1")),
                ("metric_default", Value::Null),
                ("metric_unit", Value::Null),
                ("metric_dimensions", Value::Null),
            ],
        );
        resource(Kind::LogMetricFilter, &format!("{}-{suffix}", names.stack), wanted, std::slice::from_ref(&failed))
    }));
    resources
}

/// AWS's pages do not promise that SNS tells the source account; where it does, it has to be this one.
fn trust(place: &Place) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "SnsOfThisAccount",
            "Effect": "Allow",
            "Principal": { "Service": "sns.amazonaws.com" },
            "Action": "sts:AssumeRole",
            "Condition": { "StringEqualsIfExists": { "aws:SourceAccount": place.account } },
        }],
    })
}

fn may_write(place: &Place) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "WriteDeliveryStatus",
            "Effect": "Allow",
            "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
            "Resource": log_arns(place),
        }],
    })
}
