//! Errors of IAM that pass: two calls change the same thing at one moment, as `apply` itself makes them, or a quota still
//! counts what is gone.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod recorded;

use recorded::Recorded;

#[test]
fn a_change_at_the_same_moment_is_waited_out_and_made_once() {
    let recorded = Recorded::new();
    for (action, code) in [
        ("CreatePolicy", "ConcurrentModification"),
        ("CreateUser", "ConcurrentModification"),
        ("TagUser", "ConcurrentModification"),
        ("AttachUserPolicy", "EntityTemporarilyUnmodifiable"),
        ("PutRolePolicy", "ConcurrentModification"),
    ] {
        recorded.fails(action, 409, code, "try again").then_moto(action);
    }
    recorded.run_all_through(&["apply", "--yes"]).ended(0);
    assert_eq!(recorded.asked("CreateUser").len(), 2);
    assert_eq!(recorded.account.run(&["plan", "--json"]).ended(0).changes(), [""; 0]);
}

#[test]
fn a_quota_that_looks_reached_for_a_moment_is_waited_out_and_one_that_is_reached_is_told_with_the_way_out() {
    let recorded = Recorded::new();
    recorded.fails("CreateUser", 409, "LimitExceeded", "for a moment").then_moto("CreateUser");
    recorded.fails("CreateRole", 409, "LimitExceeded", "Cannot exceed quota for RolesPerAccount: 1000");
    let apply = recorded.run_all_through(&["apply", "--yes"]).ended(1);
    let told = "IAM role sms-delivery-status-us-east-1: iam:CreateRole: LimitExceeded: Cannot exceed quota for RolesPerAccount: \
        1000; a quota of the account is reached: delete what is not needed";
    assert!(apply.out.contains(told) && apply.out.contains("Service Quotas"), "{apply:?}");
    assert_eq!(recorded.asked("CreateUser").len(), 2);
    // Five where the machine is not busy: what ends them is the time.
    assert!((2..=5).contains(&recorded.asked("CreateRole").len()), "{:?}", recorded.asked("CreateRole"));
}

/// A new account has a quota of 1 USD.
#[test]
fn a_limit_above_the_quota_keeps_nothing_else_from_being_set_and_the_alarms_follow_the_one_in_force() {
    let recorded = Recorded::new();
    let account = &recorded.account;
    recorded.fails_about(
        "MonthlySpendLimit",
        "SetSMSAttributes",
        400,
        "InvalidParameter",
        "Invalid parameter: MonthlySpendLimit",
    );
    account.boto("sns.set_sms_attributes(attributes={'MonthlySpendLimit': '1'})");
    let limit = ["--set", "account.monthly_spend_limit_usd=50"];
    let plan = account.run(&[&["plan"], &limit[..]].concat()).ended(0);
    assert!(plan.out.contains("AWS refuses a MonthlySpendLimit above the account's quota"), "{}", plan.out);

    let apply = recorded.run_all_through(&[&["apply", "--yes"], &limit[..]].concat()).ended(1);
    assert!(apply.out.contains("everything else is set") && apply.out.contains("AWS Support"), "{apply:?}");
    // All together, without the limit, the limit alone.
    assert_eq!(recorded.asked("SetSMSAttributes").len(), 3);
    let set = account.boto("print(sns.get_sms_attributes()['attributes'])");
    assert!(set.contains("DeliveryStatusIAMRole") && set.contains("'DefaultSMSType': 'Transactional'"), "{set}");
    let thresholds =
        "print(sorted(a['Threshold'] for a in cw.describe_alarms(AlarmNamePrefix='sms-spend-')['MetricAlarms']))";
    assert_eq!(account.boto(thresholds).trim(), "[0.8, 1.0]");

    account.run(&[&["apply", "--yes"], &limit[..]].concat()).ended(0);
    assert_eq!(account.boto(thresholds).trim(), "[40.0, 50.0]");
    assert_eq!(account.run(&[&["plan", "--json"], &limit[..]].concat()).ended(0).changes(), [""; 0]);
}

#[test]
fn alarms_of_an_account_that_tells_no_limit_follow_that_of_a_new_one() {
    let recorded = Recorded::new();
    recorded.fails_about("MonthlySpendLimit", "SetSMSAttributes", 400, "InvalidParameter", "MonthlySpendLimit");
    recorded.run_all_through(&["apply", "--yes", "--set", "account.monthly_spend_limit_usd=50"]).ended(1);
    let thresholds =
        "print(sorted(a['Threshold'] for a in cw.describe_alarms(AlarmNamePrefix='sms-spend-')['MetricAlarms']))";
    assert_eq!(recorded.account.boto(thresholds).trim(), "[0.8, 1.0]");
}

#[test]
fn what_names_the_role_is_cleared_with_it_where_no_record_says_what_it_was() {
    let recorded = Recorded::new();
    let account = &recorded.account;
    account.run(&["apply", "--yes"]).ended(0);
    account.boto(
        "arn = 'arn:aws:iam::123456789012:policy/sms/sms-sender-us-east-1'\n\
         iam.detach_user_policy(UserName='sms-sender-us-east-1', PolicyArn=arn)\n\
         iam.delete_policy(PolicyArn=arn)",
    );
    account.run(&["apply", "--yes"]).ended(0);
    let destroy = account.run(&["destroy", "--yes", "--delete-logs"]).ended(0);
    assert!(format!("{destroy:?}").contains("there is no record of what they were before"), "{destroy:?}");
    let set = account.boto("print({k: v for k, v in sns.get_sms_attributes()['attributes'].items() if v})");
    assert!(!set.contains("DeliveryStatusIAMRole"), "{set}");
}

#[test]
fn a_bucket_that_sns_takes_no_more_is_cleared_and_the_rest_is_put_back() {
    let recorded = Recorded::new();
    let account = &recorded.account;
    account.boto("sns.set_sms_attributes(attributes={'UsageReportS3Bucket': 'reports', 'MonthlySpendLimit': '500'})");
    account.run(&["apply", "--yes", "--adopt", "--set", "account.usage_report_bucket=others"]).ended(0);
    let refusal = "You are not authorized to perform actions for the provided bucket";
    recorded.fails_about("reports", "SetSMSAttributes", 403, "AuthorizationError", refusal);
    let destroy = recorded.run_all_through(&["destroy", "--yes"]).ended(0);
    assert!(destroy.out.contains("AWS takes the previous value of UsageReportS3Bucket no more"), "{destroy:?}");
    let now = account.boto("print(sorted(sns.get_sms_attributes()['attributes'].items()))");
    assert!(now.contains("('MonthlySpendLimit', '500')") && !now.contains("reports"), "{now}");
}

#[test]
fn a_role_that_whoever_runs_it_may_not_pass_is_not_cleared_and_its_record_stays() {
    const ROLE: &str = "arn:aws:iam::123456789012:role/SNSFeedback";
    let recorded = Recorded::new();
    let account = &recorded.account;
    account.boto(&format!(
        "sns.set_sms_attributes(attributes={{'DeliveryStatusIAMRole': '{ROLE}', 'MonthlySpendLimit': '500'}})"
    ));
    account.run(&["apply", "--yes", "--adopt"]).ended(0);
    let refusal = format!("User: u is not authorized to perform: iam:PassRole on resource: {ROLE}");
    recorded.fails_about("SNSFeedback", "SetSMSAttributes", 403, "AuthorizationError", &refusal);
    let destroy = recorded.run_all_through(&["destroy", "--yes"]).ended(1);
    assert!(destroy.out.contains("iam:PassRole on that role"), "{destroy:?}");
    let limit = account.boto("print(sns.get_sms_attributes()['attributes']['MonthlySpendLimit'])");
    assert_eq!(limit.trim(), "500", "the rest is put back");
    account.run(&["destroy", "--yes"]).ended(0);
    let role = account.boto("print(sns.get_sms_attributes()['attributes']['DeliveryStatusIAMRole'])");
    assert_eq!(role.trim(), ROLE, "the record is what it was put back from");
}

/// As AWS answers for some seconds, to whoever asks about the thing and to whoever names it.
#[test]
fn what_was_made_a_moment_ago_and_is_not_known_yet_is_waited_for() {
    let recorded = Recorded::new();
    let account = &recorded.account;
    account.boto("iam.create_role(RoleName='app', AssumeRolePolicyDocument='{}')");
    for (made_by, action, code) in [
        ("CreatePolicy", "GetPolicy", "NoSuchEntity"),
        ("CreatePolicy", "TagPolicy", "NoSuchEntity"),
        ("CreatePolicy", "AttachRolePolicy", "NoSuchEntity"),
        ("CreatePolicy", "AttachUserPolicy", "NoSuchEntity"),
        ("CreateUser", "TagUser", "NoSuchEntity"),
        ("CreateUser", "CreateAccessKey", "NoSuchEntity"),
        ("CreateRole", "PutRolePolicy", "NoSuchEntity"),
        ("CreateLogGroup", "PutRetentionPolicy", "ResourceNotFoundException"),
        ("CreateLogGroup", "PutMetricFilter", "ResourceNotFoundException"),
        ("CreateTopic", "SetTopicAttributes", "NotFound"),
        ("CreateTopic", "Subscribe", "NotFound"),
    ] {
        recorded.lags(made_by, action, code, 2);
    }
    let settings =
        ["--set=account.sender_role_names=app", "--set=account.queue=true", "--set=account.alarm_emails=a@b.example"];
    recorded.run_all_through(&[&["apply", "--yes"], &settings[..]].concat()).ended(0);
    let plan = account.run(&[&["plan", "--json"], &settings[..]].concat()).ended(0);
    assert_eq!(plan.changes(), [""; 0]);
}

/// Each in AWS's own words, which are not those for something that is not there.
#[test]
fn what_names_something_that_was_made_a_moment_ago_is_sent_again() {
    let recorded = Recorded::new();
    let dead = "Value {} for parameter RedrivePolicy is invalid. Reason: Dead letter target does not exist.";
    recorded.lags_saying("CreateQueue", "CreateQueue", "InvalidParameterValue", dead, 2);
    let role = "Invalid parameter: Attributes Reason: DeliveryStatusIAMRole cannot be assumed";
    recorded.lags_saying("CreateRole", "SetSMSAttributes", "InvalidParameter", role, 2);
    let busy = "A conflicting operation is currently in progress against this resource. Please try again.";
    recorded.lags_saying("CreateLogGroup", "PutRetentionPolicy", "OperationAbortedException", busy, 2);
    recorded.run_all_through(&["apply", "--yes", "--set=account.queue=true"]).ended(0);
    assert_eq!(recorded.account.run(&["plan", "--json", "--set=account.queue=true"]).ended(0).changes(), [""; 0]);
    assert_eq!(recorded.asked("SetSMSAttributes").len(), 3);
}

#[test]
fn what_was_taken_off_a_moment_ago_and_is_still_in_the_way_is_waited_for() {
    let recorded = Recorded::new();
    recorded.account.run(&["apply", "--yes"]).ended(0);
    for action in ["DeletePolicy", "DeleteRole", "DeleteUser"] {
        recorded.fails(action, 409, "DeleteConflict", "must detach first").then_moto(action);
    }
    recorded.run_all_through(&["destroy", "--yes", "--delete-logs"]).ended(0);
    assert_eq!(recorded.asked("DeleteUser").len(), 2);
}

#[test]
fn a_role_of_the_settings_that_is_not_there_is_told_at_once() {
    let recorded = Recorded::new();
    let apply = recorded.run_all_through(&["apply", "--yes", "--set=account.sender_role_names=app"]).ended(1);
    assert!(apply.out.contains("make that role, or take it out of account.sender_role_names"), "{apply:?}");
    assert_eq!(recorded.asked("AttachRolePolicy").len(), 1);
}
