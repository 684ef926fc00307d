//! What carries our names and is not ours: nothing is touched until somebody says so.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use account::Account;

/// What somebody has there already, and what it is a conflict of.
const TAKEN: [(&str, &str); 5] = [
    ("iam.create_user(UserName='sms-sender-us-east-1', Path='/sms/')", "conflict iam_user sms-sender-us-east-1"),
    (
        "iam.create_policy(PolicyName='sms-sender-us-east-1', PolicyDocument='{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}]}')",
        "conflict iam_policy sms-sender-us-east-1",
    ),
    (
        "iam.create_role(RoleName='sms-delivery-status-us-east-1', AssumeRolePolicyDocument='{}', Tags=[{'Key':'sms:stack','Value':'other'}])",
        "conflict iam_role sms-delivery-status-us-east-1",
    ),
    ("sns.create_topic(Name='sms-alarms')", "conflict sns_topic sms-alarms"),
    ("sns.set_sms_attributes(attributes={'MonthlySpendLimit':'500'})", "conflict sms_attributes us-east-1"),
];

#[test]
fn each_stops_everything_and_is_taken_over_only_when_asked() {
    for (by_hand, conflict) in TAKEN {
        let account = Account::new();
        account.boto(by_hand);
        let before = account.state();
        let plan = account.run(&["plan", "--json"]).ended(1);
        let conflicts: Vec<_> = plan.changes().into_iter().filter(|change| change.starts_with("conflict")).collect();
        assert_eq!(conflicts, [conflict], "{by_hand}");
        let apply = account.run(&["apply", "--yes"]).ended(1);
        assert!(apply.out.contains("--adopt"), "{}", apply.out);
        let way_out =
            if conflict.contains("sms_attributes") { "account.manage_sms_preferences" } else { "account.name" };
        assert!(apply.out.contains(way_out), "{}", apply.out);
        assert_eq!(account.state(), before, "{by_hand}");
        account.run(&["apply", "--yes", "--adopt"]).ended(0);
        assert_eq!(account.run(&["plan", "--json"]).ended(0).changes(), [""; 0], "{by_hand}");
    }
}

#[test]
fn what_is_not_ours_is_not_destroyed() {
    let account = Account::new();
    account.boto("iam.create_user(UserName='sms-sender-us-east-1')\nsns.create_topic(Name='sms-alarms')");
    let before = account.state();
    account.run(&["destroy", "--yes"]).ended(0);
    assert_eq!(account.state(), before);
}

#[test]
fn what_is_owned_with_something_that_is_not_ours_is_left_with_it() {
    let account = Account::new();
    account.boto(
        "doc = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]})\n\
         policy = iam.create_policy(PolicyName='sms-sender-us-east-1', Path='/sms/', PolicyDocument=doc)['Policy']['Arn']\n\
         iam.create_user(UserName='sms-sender-us-east-1')\n\
         iam.create_access_key(UserName='sms-sender-us-east-1')\n\
         iam.attach_user_policy(UserName='sms-sender-us-east-1', PolicyArn=policy)\n\
         iam.create_role(RoleName='sms-delivery-status-us-east-1', AssumeRolePolicyDocument='{}')\n\
         iam.put_role_policy(RoleName='sms-delivery-status-us-east-1', PolicyName='theirs', PolicyDocument=doc)\n\
         topic = sns.create_topic(Name='sms-alarms')['TopicArn']\n\
         sns.subscribe(TopicArn=topic, Protocol='email', Endpoint='theirs@example.com')",
    );
    let before = account.state();
    account.run(&["destroy", "--yes"]).ended(0);
    assert_eq!(account.state(), before);
}

#[test]
fn a_metric_filter_of_our_name_on_the_log_group_of_another_stack_is_that_ones() {
    let account = Account::new();
    account.boto(
        "group = 'sns/us-east-1/123456789012/DirectPublishToPhoneNumber/Failure'\n\
         logs.create_log_group(logGroupName=group, tags={'sms:stack': 'other'})\n\
         logs.put_metric_filter(logGroupName=group, filterName='sms-spam', filterPattern='x', metricTransformations=[\
         {'metricName': 'a', 'metricNamespace': 'SMS/other', 'metricValue': '1'}])",
    );
    let before = account.state();
    let changes = account.run(&["plan", "--json"]).ended(1).changes();
    assert!(changes.iter().any(|change| change == "conflict log_metric_filter sms-spam"), "{changes:?}");
    account.run(&["destroy", "--yes"]).ended(0);
    assert_eq!(account.state(), before);
    account.run(&["apply", "--yes", "--adopt"]).ended(0);
    assert_eq!(account.run(&["plan", "--json"]).ended(0).changes(), [""; 0]);
}

#[test]
fn a_limit_that_somebody_set_is_not_cut_to_one_dollar() {
    let account = Account::new();
    account.boto("sns.set_sms_attributes(attributes={'MonthlySpendLimit':'500'})");
    let plan = account.run(&["plan"]).ended(1);
    assert!(
        plan.out.contains("! SMS attributes us-east-1 is not ours: it was set by somebody else (MonthlySpendLimit)")
    );
    // The same value is no conflict, and what the settings leave alone is not one either.
    account.run(&["apply", "--yes", "--set=account.monthly_spend_limit_usd=500"]).ended(0);
    account.boto("sns.set_sms_attributes(attributes={'DefaultSenderID':'THEIRS'})");
    assert_eq!(account.run(&["plan", "--json", "--set=account.monthly_spend_limit_usd=500"]).changes(), [""; 0]);
}

#[test]
fn what_the_attributes_were_is_recorded_once_and_put_back() {
    let account = Account::new();
    account.boto("sns.set_sms_attributes(attributes={'MonthlySpendLimit':'500','DefaultSenderID':'THEIRS'})");
    account.run(&["apply", "--yes", "--adopt", "--set=account.default_sender_id=OURS"]).ended(0);
    account.run(&["apply", "--yes", "--set=account.monthly_spend_limit_usd=7"]).ended(0);
    let record = account.boto(
        "arn = 'arn:aws:iam::123456789012:policy/sms/sms-sender-us-east-1'\n\
         print(json.dumps({t['Key']: t['Value'] for t in iam.list_policy_tags(PolicyArn=arn)['Tags'] if t['Key'].startswith('sms:previous:')}))",
    );
    let record: serde_json::Value = serde_json::from_str(&record).unwrap();
    assert_eq!(
        record,
        serde_json::json!({
            "sms:previous:MonthlySpendLimit": "500",
            "sms:previous:DefaultSenderID": "THEIRS",
            "sms:previous:DefaultSMSType": "",
            "sms:previous:DeliveryStatusIAMRole": "",
            "sms:previous:DeliveryStatusSuccessSamplingRate": "",
            "sms:previous:UsageReportS3Bucket": "",
        })
    );
    account.run(&["destroy", "--yes"]).ended(0);
    assert_eq!(
        account.state()["attributes"],
        serde_json::json!({ "MonthlySpendLimit": "500", "DefaultSenderID": "THEIRS" })
    );
}

#[test]
fn the_record_outlives_a_policy_that_was_to_be_made_anew_under_another_path() {
    let account = Account::new();
    account.boto("sns.set_sms_attributes(attributes={'MonthlySpendLimit':'500'})");
    account.run(&["apply", "--yes", "--adopt"]).ended(0);
    // Where a change of the path was cut off: the record is with the user, and the policy is gone.
    account.boto(
        "arn, user = 'arn:aws:iam::123456789012:policy/sms/sms-sender-us-east-1', 'sms-sender-us-east-1'\n\
         tags = [t for t in iam.list_policy_tags(PolicyArn=arn)['Tags'] if t['Key'].startswith('sms:previous:')]\n\
         iam.tag_user(UserName=user, Tags=tags)\n\
         iam.detach_user_policy(UserName=user, PolicyArn=arn)\n\
         iam.delete_policy(PolicyArn=arn)",
    );
    account.run(&["apply", "--yes"]).ended(0);
    assert!(!account.state()["users"].to_string().contains("sms:previous:"), "it is the policy's again");
    account.run(&["apply", "--yes", "--set=account.path=/x/"]).ended(0);
    account.run(&["destroy", "--yes"]).ended(0);
    assert_eq!(account.state()["attributes"], serde_json::json!({ "MonthlySpendLimit": "500" }));
}
