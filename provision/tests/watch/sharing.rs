//! An account is shared: with whoever was there before, with SNS, and with other stacks.

use serde_json::json;

use crate::ALL;
use crate::account::{Account, Changed, DELIVERED, FAILED};

/// What carries our names and no tag of ours.
const STRANGERS: &str = "
sns.create_topic(Name='sms-alarms')
sns.subscribe(TopicArn=topic, Protocol='email', Endpoint='stranger@example.org')
sqs.create_queue(QueueName='sms-outbox')
cloudwatch.put_metric_alarm(AlarmName='sms-failures', MetricName='x', Namespace='y', Statistic='Sum', Period=60,
    EvaluationPeriods=1, Threshold=1.0, ComparisonOperator='GreaterThanThreshold')
print('null')";

#[test]
fn what_is_not_ours_is_a_conflict_until_it_is_adopted() {
    let account = Account::start();
    account.python(STRANGERS);
    let before = account.state();

    let refused = account.run("apply", &ALL, &["--yes", "--json"]);
    assert_eq!(refused.status, Some(1), "{}", refused.told);
    let conflicts: Vec<_> = Changed::all(&serde_json::from_str(&refused.told).unwrap())
        .into_iter()
        .filter(|change| ["sms-alarms", "sms-failures", "sms-outbox"].iter().any(|name| change.is_conflict(name)))
        .collect();
    assert_eq!(conflicts.len(), 3, "{}", refused.told);
    assert_eq!(account.state(), before);

    let adopted = account.run("apply", &ALL, &["--yes", "--adopt"]);
    assert_eq!(adopted.status, Some(0), "{}\n{}", adopted.told, adopted.errors);
    assert_eq!(account.pending(&ALL), []);
}

#[test]
fn destroy_leaves_what_is_not_ours() {
    let account = Account::start();
    account.python(STRANGERS);
    let before = account.state();
    account.destroy(&ALL, &[]);
    assert_eq!(account.state(), before);
}

#[test]
fn log_groups_that_sns_made_are_taken_over_without_being_asked_for() {
    let account = Account::start();
    account.python(&format!("logs.create_log_group(logGroupName='{FAILED}')\nprint('null')"));
    let taken =
        Changed::new("update", "log_group", FAILED).of(&["retention_days", "tags.managed-by", "tags.sms:stack"]);
    assert!(account.pending(&[]).iter().any(|change| change.is(&taken)));
    account.apply(&[]);
    assert_eq!(account.pending(&[]), []);
}

#[test]
fn a_log_group_of_another_stack_is_a_conflict() {
    let account = Account::start();
    account.python(&format!(
        "logs.create_log_group(logGroupName='{DELIVERED}', tags={{'sms:stack': 'other'}})\nprint('null')"
    ));
    let refused = account.run("plan", &[], &[]);
    assert_eq!(refused.status, Some(1));
    let line = format!("! log group {DELIVERED} is not ours: it belongs to the stack other");
    assert!(refused.told.contains(&line), "{}", refused.told);
    // Another name would not help: all stacks of a region share the groups.
    assert!(refused.told.contains("Set account.create_delivery_log_groups = false here"), "{}", refused.told);
    assert!(!refused.told.contains("account.name"), "{}", refused.told);
}

#[test]
fn log_groups_that_are_left_to_sns_are_not_looked_at() {
    let account = Account::start();
    account.apply(&[]);
    let left = ["account.create_delivery_log_groups=false"];
    assert_eq!(account.pending(&left), []);
    account.python(&format!("logs.put_retention_policy(logGroupName='{FAILED}', retentionInDays=1)\nprint('null')"));
    assert_eq!(account.pending(&left), []);
    account.destroy(&left, &[]);
    assert_eq!(account.state()["log_groups"], json!([]));
}

#[test]
fn a_group_that_nobody_tagged_is_nobodys_to_destroy() {
    let account = Account::start();
    let left = ["account.create_delivery_log_groups=false"];
    account.python(&format!("logs.create_log_group(logGroupName='{FAILED}')\nprint('null')"));
    account.apply(&left);
    account.destroy(&left, &["--delete-logs"]);
    assert_eq!(account.state()["log_groups"], json!([FAILED]));
}

#[test]
fn two_stacks_in_one_account_do_not_touch_each_other() {
    const ONE: [&str; 1] = ["account.queue=true"];
    // The SMS attributes and the log groups are one for all stacks of a region.
    const OTHER: [&str; 6] = [
        "account.name=sms-eu",
        "account.queue=true",
        "account.manage_sms_preferences=false",
        "account.create_delivery_log_groups=false",
        "account.spend_alarm_percents=[70]",
        r#"account.alarm_emails=["eu@example.org"]"#,
    ];
    let account = Account::start();
    account.apply(&ONE);
    let one = account.state();
    account.apply(&OTHER);
    assert_eq!((account.pending(&ONE), account.pending(&OTHER)), (vec![], vec![]));

    account.destroy(&OTHER, &["--delete-logs"]);
    assert_eq!(account.state(), one);
    assert_eq!(account.pending(&ONE), []);

    account.apply(&OTHER);
    let kept = account.destroy(&ONE, &["--delete-logs"]);
    assert!(kept["notes"].to_string().contains("metric filters that are not ours count in it"), "{kept:#}");
    assert_eq!(account.pending(&OTHER), []);
}
