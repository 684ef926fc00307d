//! What watches over the sending, black box: topic, subscriptions, alarms, dashboard, queues, log groups and metric filters,
//! made by the real program in moto, changed behind its back by AWS's own SDK for Python, and mended.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
mod drift;
#[path = "../../../config/tests/peers/mod.rs"]
mod peers;
mod sharing;

use account::{Account, Changed};
use serde_json::json;

/// Everything that the settings can turn on.
const ALL: [&str; 2] = ["account.queue=true", r#"account.alarm_emails=["ops@example.org", "night@example.org"]"#];

#[test]
fn what_was_applied_is_found_as_it_was_wanted() {
    let account = Account::start();
    assert_eq!(account.apply(&ALL)["failed"], json!([]));
    assert_eq!(account.pending(&ALL), []);
    assert_eq!(account.apply(&ALL)["done"], json!([]));
}

#[test]
fn the_alarm_on_the_failure_rate_is_math_over_a_quarter_of_an_hour() {
    let account = Account::start();
    account.apply(&[]);
    let alarm = account.python(
        "
        [alarm] = cloudwatch.describe_alarms(AlarmNames=['sms-failures'])['MetricAlarms']
        parts = {one['Id']: one for one in alarm['Metrics']}
        print(json.dumps({
            'threshold': alarm['Threshold'], 'comparison': alarm['ComparisonOperator'],
            'missing': alarm['TreatMissingData'], 'periods': alarm['EvaluationPeriods'], 'actions': alarm['AlarmActions'],
            'rate': parts['rate']['Expression'], 'label': parts['rate']['Label'],
            'returned': sorted(id for id, one in parts.items() if one['ReturnData']),
            'failed': parts['failed']['MetricStat'],
        }))",
    );
    assert_eq!(
        alarm,
        json!({
            "threshold": 10.0,
            "comparison": "GreaterThanOrEqualToThreshold",
            "missing": "notBreaching",
            "periods": 1,
            "actions": ["arn:aws:sns:us-east-1:123456789012:sms-alarms"],
            "rate": "IF(FILL(failed, 0) + FILL(delivered, 0) >= 20, \
                     100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(delivered, 0)), 0)",
            "label": "Failed, percent",
            "returned": ["rate"],
            "failed": {
                "Metric": {
                    "Namespace": "AWS/SNS",
                    "MetricName": "NumberOfNotificationsFailed",
                    "Dimensions": [{ "Name": "PhoneNumber", "Value": "PhoneNumberDirect" }],
                },
                "Period": 900,
                "Stat": "Sum",
            },
        })
    );
}

#[test]
fn settings_that_change_are_followed() {
    let account = Account::start();
    account.apply(&ALL);
    let other = [
        r#"account.alarm_emails=["ops@example.org", "day@example.org"]"#,
        "account.spend_alarm_percents=[50, 100]",
        "account.monthly_spend_limit_usd=20",
        "account.failure_alarm_percent=25",
        "account.delivery_log_retention_days=90",
        r#"account.tags={"team": "mail"}"#,
    ];
    let changed = account.pending(&other);
    for expected in [
        Changed::new("create", "sns_subscription", "day@example.org"),
        Changed::new("delete", "sns_subscription", "night@example.org"),
        Changed::new("create", "cloudwatch_alarm", "sms-spend-50"),
        Changed::new("delete", "cloudwatch_alarm", "sms-spend-80"),
        Changed::new("delete", "cloudwatch_alarm", "sms-queue-age"),
        Changed::new("delete", "cloudwatch_alarm", "sms-dead-letters"),
        Changed::new("delete", "sqs_queue", "sms-outbox"),
        Changed::new("delete", "sqs_queue", "sms-outbox-dead"),
        Changed::new("update", "cloudwatch_alarm", "sms-spend-100").of(&["description", "tags.team", "threshold"]),
        Changed::new("update", "cloudwatch_alarm", "sms-failures").of(&["description", "tags.team", "threshold"]),
        Changed::new("update", "cloudwatch_dashboard", "sms-us-east-1").of(&["body"]),
        Changed::new("update", "log_group", account::DELIVERED).of(&["retention_days", "tags.team"]),
        Changed::new("update", "sns_topic", "sms-alarms").of(&["tags.team"]),
    ] {
        assert!(changed.iter().any(|one| one.is(&expected)), "{expected:?} is not among {changed:#?}");
    }
    account.apply(&other);
    assert_eq!(account.pending(&other), []);
    account.apply(&ALL);
    assert_eq!(account.pending(&ALL), []);
}

#[test]
fn without_delivery_logging_nothing_of_it_stays() {
    let account = Account::start();
    account.apply(&[]);
    let off = ["account.delivery_status_logging=false"];
    account.apply(&off);
    assert_eq!(account.pending(&off), []);
    let state = account.state();
    assert_eq!((&state["log_groups"], &state["metric_filters"]), (&json!([]), &json!([])));
    assert!(!state["alarms"].as_array().unwrap().contains(&json!("sms-quota-exhausted")), "{state:#}");
}

#[test]
fn destroy_leaves_the_account_as_it_was() {
    let account = Account::start();
    let before = account.state();
    account.apply(&ALL);
    assert_ne!(account.state(), before);
    account.destroy(&ALL, &[]);
    assert_eq!(account.state(), before);
    assert_eq!(account.destroy(&ALL, &[])["done"], json!([]));
}

#[test]
fn a_log_group_with_records_outlives_destroy_unless_that_is_asked_for() {
    let account = Account::start();
    account.apply(&[]);
    account.python(
        "
        group = 'sns/us-east-1/123456789012/DirectPublishToPhoneNumber'
        logs.create_log_stream(logGroupName=group, logStreamName='one')
        logs.put_log_events(logGroupName=group, logStreamName='one', logEvents=[{'timestamp': 1795600000000, 'message': 'x'}])
        print('null')",
    );
    account.destroy(&[], &[]);
    assert_eq!(account.state()["log_groups"], json!([account::DELIVERED]));
    let again = account.destroy(&[], &[]);
    assert_eq!(again["done"], json!([]));
    assert!(again["notes"].to_string().contains("only destroy --delete-logs deletes it"), "{again:#}");
    account.destroy(&[], &["--delete-logs"]);
    assert_eq!(account.state()["log_groups"], json!([]));
}

#[test]
fn a_queue_that_goes_says_what_goes_with_it() {
    let account = Account::start();
    account.apply(&["account.queue=true"]);
    account.python(
        "
        url = sqs.get_queue_url(QueueName='sms-outbox')['QueueUrl']
        sqs.send_message(QueueUrl=url, MessageBody='1')
        print('null')",
    );
    let plan = account.plan(&[], &[]);
    assert!(plan["notes"].to_string().contains("SQS queue sms-outbox holds about 1 messages"), "{plan:#}");
}
