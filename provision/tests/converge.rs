//! Apply twice is apply once; whatever differs is found and mended; destroy leaves the account as it was.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use account::Account;

/// Everything that can be switched on, in an account where the roles are there. But for the permissions boundary, which
/// moto does not have for users.
const EVERYTHING: [&str; 12] = [
    "--set=account.queue=true",
    "--set=account.sender_role_names=app,batch",
    "--set=account.default_sender_id=ACME",
    "--set=account.default_sms_type=Promotional",
    "--set=account.monthly_spend_limit_usd=50",
    "--set=account.usage_report_bucket=usage-reports",
    "--set=account.delivery_status_sampling_percent=10",
    "--set=account.delivery_log_retention_days=90",
    "--set=account.alarm_emails=oncall@example.com,sms@example.com",
    "--set=account.spend_alarm_percents=50,75,100",
    "--set=account.failure_alarm_percent=25",
    r#"--set=account.tags={"team":"growth","cost-centre":"42"}"#,
];

const ROLES: &str = "for name in ('app', 'batch'): iam.create_role(RoleName=name, AssumeRolePolicyDocument='{}')";

fn with<'a>(command: &[&'a str], settings: &[&'a str]) -> Vec<&'a str> {
    command.iter().chain(settings).copied().collect()
}

#[test]
fn a_plan_changes_nothing_and_says_what_is_pending() {
    let account = Account::new();
    let before = account.state();
    let plan = account.run(&["plan"]).ended(0);
    assert!(plan.out.starts_with("Account 123456789012, region us-east-1, stack sms, endpoint http://127.0.0.1:"));
    assert!(plan.out.contains("+ IAM policy sms-sender-us-east-1\n"), "{}", plan.out);
    account.run(&["plan", "--detailed-exitcode"]).ended(2);
    assert_eq!(account.state(), before);
}

#[test]
fn apply_twice_is_apply_once() {
    let account = Account::new();
    account.run(&["apply", "--yes"]).ended(0);
    let once = account.state();
    let plan = account.run(&["plan", "--json", "--detailed-exitcode"]).ended(0);
    assert_eq!(plan.changes(), [""; 0]);
    let again = account.run(&["apply", "--yes"]).ended(0);
    assert!(again.out.contains("0 created, 0 changed, 0 deleted"), "{}", again.out);
    assert_eq!(account.state(), once);
}

#[test]
fn everything_switched_on_is_applied_and_then_found_as_it_should_be() {
    let account = Account::new();
    account.boto(ROLES);
    account.run(&with(&["apply", "--yes"], &EVERYTHING)).ended(0);
    let plan = account.run(&with(&["plan", "--json", "--detailed-exitcode"], &EVERYTHING)).ended(0);
    assert_eq!(plan.changes(), [""; 0]);
}

#[test]
fn each_setting_is_applied_to_an_account_that_is_there_and_taken_back() {
    let account = Account::new();
    account.boto(ROLES);
    account.run(&["apply", "--yes"]).ended(0);
    let others = [
        "--set=account.path=/elsewhere/",
        "--set=account.create_user=false",
        "--set=account.delivery_status_logging=false",
    ];
    for setting in EVERYTHING.iter().chain(&others) {
        let apply = account.run(&["apply", "--yes", "--json", setting]).ended(0);
        assert!(!apply.changes().is_empty(), "{setting} changes nothing");
        let plan = account.run(&["plan", "--json", setting]).ended(0);
        assert_eq!(plan.changes(), [""; 0], "after {setting}");
        account.run(&["apply", "--yes"]).ended(0);
        assert_eq!(account.run(&["plan", "--json"]).ended(0).changes(), [""; 0], "after {setting} and back");
    }
}

/// What somebody does by hand, and which attribute of what then differs.
const DRIFT: [(&str, &str, &str, &str); 12] = [
    (
        "iam.create_policy_version(PolicyArn=P, PolicyDocument='{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Action\":\"s3:GetObject\",\"Resource\":\"*\"}]}', SetAsDefault=True)",
        "iam_policy",
        "sms-sender-us-east-1",
        "document",
    ),
    (
        "sns.set_topic_attributes(TopicArn='arn:aws:sns:us-east-1:123456789012:sms-alarms', AttributeName='KmsMasterKeyId', AttributeValue='alias/aws/sns')",
        "sns_topic",
        "sms-alarms",
        "kms_key_id",
    ),
    ("iam.untag_policy(PolicyArn=P, TagKeys=['managed-by'])", "iam_policy", "sms-sender-us-east-1", "tags.managed-by"),
    ("iam.tag_user(UserName=U, Tags=[{'Key':'who','Value':'me'}])", "iam_user", "sms-sender-us-east-1", "tags.who"),
    ("iam.detach_user_policy(UserName=U, PolicyArn=P)", "iam_policy_attachment", "user/sms-sender-us-east-1", "policy"),
    ("iam.attach_role_policy(RoleName='app', PolicyArn=P)", "iam_policy_attachment", "role/app", "policy"),
    (
        "iam.update_assume_role_policy(RoleName=R, PolicyDocument='{\"Version\":\"2012-10-17\",\"Statement\":[{\"Effect\":\"Allow\",\"Principal\":{\"Service\":\"ec2.amazonaws.com\"},\"Action\":\"sts:AssumeRole\"}]}')",
        "iam_role",
        "sms-delivery-status-us-east-1",
        "trust",
    ),
    (
        "iam.untag_role(RoleName=R, TagKeys=['managed-by'])",
        "iam_role",
        "sms-delivery-status-us-east-1",
        "tags.managed-by",
    ),
    (
        "iam.delete_role_policy(RoleName=R, PolicyName='write-delivery-status')",
        "iam_role_policy",
        "sms-delivery-status-us-east-1/write-delivery-status",
        "document",
    ),
    (
        "sns.set_sms_attributes(attributes={'MonthlySpendLimit':'9'})",
        "sms_attributes",
        "us-east-1",
        "MonthlySpendLimit",
    ),
    (
        "sns.set_sms_attributes(attributes={'DeliveryStatusIAMRole':''})",
        "sms_attributes",
        "us-east-1",
        "DeliveryStatusIAMRole",
    ),
    (
        "sns.set_sms_attributes(attributes={'DefaultSMSType':'Promotional'})",
        "sms_attributes",
        "us-east-1",
        "DefaultSMSType",
    ),
];

#[test]
fn what_somebody_changes_by_hand_is_found_and_mended() {
    let account = Account::new();
    account.boto(ROLES);
    account.run(&["apply", "--yes"]).ended(0);
    let good = account.state();
    for (by_hand, kind, name, attribute) in DRIFT {
        let names = "P, U, R = 'arn:aws:iam::123456789012:policy/sms/sms-sender-us-east-1', 'sms-sender-us-east-1', \
                     'sms-delivery-status-us-east-1'\n";
        account.boto(&format!("{names}{by_hand}"));
        let plan = account.run(&["plan", "--json"]).ended(0);
        assert_eq!(plan.differing(kind, name), [attribute], "{by_hand}");
        assert_eq!(plan.changes().len(), 1, "{by_hand}: {}", plan.out);
        account.run(&["apply", "--yes"]).ended(0);
        assert_eq!(account.state(), good, "{by_hand}");
    }
}

#[test]
fn more_rights_of_the_sender_are_told_by_plan_and_status_and_left_to_whoever_gave_them() {
    let account = Account::new();
    account.run(&["apply", "--yes"]).ended(0);
    account.run(&["status"]).ended(0);
    account.boto(
        "U = 'sms-sender-us-east-1'\n\
         doc = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]})\n\
         arn = iam.create_policy(PolicyName='theirs', PolicyDocument=doc)['Policy']['Arn']\n\
         iam.attach_user_policy(UserName=U, PolicyArn=arn)\n\
         iam.put_user_policy(UserName=U, PolicyName='inline', PolicyDocument=doc)\n\
         iam.create_group(GroupName='admins')\n\
         iam.add_user_to_group(UserName=U, GroupName='admins')\n\
         iam.create_login_profile(UserName=U, Password='Pass-word-1')",
    );
    let before = account.state();
    let plan = account.run(&["plan"]).ended(0);
    let status = account.run(&["status"]).ended(1);
    for told in [&plan.out, &status.out] {
        assert!(told.contains("IAM user sms-sender-us-east-1 has more rights than its policy gives it"), "{told}");
        for what in ["theirs", "inline", "admins", "password"] {
            assert!(told.contains(what), "{what}: {told}");
        }
    }
    account.run(&["apply", "--yes"]).ended(0);
    assert_eq!(account.state(), before);
}

#[test]
fn more_rights_on_the_role_of_delivery_status_are_found_and_taken() {
    let account = Account::new();
    account.run(&["apply", "--yes"]).ended(0);
    let good = account.state();
    account.boto(
        "doc = json.dumps({'Version': '2012-10-17', 'Statement': [{'Effect': 'Allow', 'Action': 's3:*', 'Resource': '*'}]})\n\
         arn = iam.create_policy(PolicyName='theirs', PolicyDocument=doc)['Policy']['Arn']\n\
         iam.attach_role_policy(RoleName='sms-delivery-status-us-east-1', PolicyArn=arn)\n\
         iam.put_role_policy(RoleName='sms-delivery-status-us-east-1', PolicyName='more', PolicyDocument=doc)",
    );
    let role = "sms-delivery-status-us-east-1";
    assert_eq!(
        account.run(&["plan", "--json"]).ended(0).changes(),
        [
            format!("delete iam_role_policy {role}/arn:aws:iam::123456789012:policy/theirs"),
            format!("delete iam_role_policy {role}/more"),
        ]
    );
    account.run(&["apply", "--yes"]).ended(0);
    account.boto("iam.delete_policy(PolicyArn='arn:aws:iam::123456789012:policy/theirs')");
    assert_eq!(account.state(), good);
}

#[test]
fn the_role_does_not_go_while_sns_names_it() {
    let account = Account::new();
    account.run(&["apply", "--yes"]).ended(0);
    let settings = ["--set=account.manage_sms_preferences=false", "--set=account.delivery_status_logging=false"];
    account.run(&with(&["apply", "--yes"], &settings)).ended(0);
    let state = account.state();
    assert_eq!(state["roles"], serde_json::json!([]));
    assert!(state["attributes"].get("DeliveryStatusIAMRole").is_none(), "{state}");
    // The rest of the attributes is nobody's business then.
    assert_eq!(state["attributes"]["DefaultSMSType"], "Transactional");
    assert_eq!(account.run(&with(&["plan", "--json"], &settings)).ended(0).changes(), [""; 0]);
}

#[test]
fn the_versions_of_a_policy_never_run_out() {
    let account = Account::new();
    for round in 0..7 {
        let queue = format!("--set=account.queue={}", round % 2 == 0);
        account.run(&["apply", "--yes", &queue]).ended(0);
    }
    let versions = account.boto(
        "print(len(iam.list_policy_versions(PolicyArn='arn:aws:iam::123456789012:policy/sms/sms-sender-us-east-1')['Versions']))",
    );
    assert_eq!(versions.trim(), "5");
}

#[test]
fn destroy_leaves_the_account_as_it_was() {
    let account = Account::new();
    account.boto(ROLES);
    account.boto("sns.set_sms_attributes(attributes={'DefaultSMSType':'Promotional','DefaultSenderID':'THEIRS'})");
    let before = account.state();
    account.run(&with(&["apply", "--yes", "--adopt"], &EVERYTHING)).ended(0);
    let destroy = account.run(&with(&["destroy", "--yes"], &EVERYTHING)).ended(0);
    assert_eq!(account.state(), before, "{}", destroy.err);
    let again = account.run(&["destroy", "--yes"]).ended(0);
    assert!(again.out.contains("0 deleted"), "{}", again.out);
    assert_eq!(account.state(), before);
}

#[test]
fn destroy_finds_what_is_under_another_path_than_that_of_the_settings() {
    let account = Account::new();
    let before = account.state();
    account.run(&["apply", "--yes", "--set=account.path=/elsewhere/"]).ended(0);
    account.run(&["destroy", "--yes"]).ended(0);
    assert_eq!(account.state(), before);
}

#[test]
fn a_plan_that_only_takes_tags_away_says_which() {
    let account = Account::new();
    account.run(&["apply", "--yes", r#"--set=account.tags={"team":"b"}"#]).ended(0);
    let plan = account.run(&["plan"]).ended(0).out;
    assert!(plan.contains("~ IAM user sms-sender-us-east-1\n      tags.team: b → none\n"), "{plan}");
}

/// IAM takes them for one key.
#[test]
fn a_tag_that_gets_other_letters_takes_the_place_of_the_first() {
    let account = Account::new();
    account.run(&["apply", "--yes", r#"--set=account.tags={"Team":"b"}"#]).ended(0);
    let small = r#"--set=account.tags={"team":"b"}"#;
    account.run(&["apply", "--yes", small]).ended(0);
    assert_eq!(account.run(&["plan", "--json", small]).ended(0).changes(), [""; 0]);
    let tags = account.state().to_string();
    assert!(tags.contains(r#"["team","b"]"#) && !tags.contains("Team"), "{tags}");
}

#[test]
fn without_a_terminal_nobody_is_asked_and_nothing_is_changed() {
    let account = Account::new();
    let before = account.state();
    let apply = account.run(&["apply"]).ended(1);
    assert!(apply.err.contains("to create"), "{}", apply.err);
    assert!(apply.err.contains("nothing was changed: there is no terminal to ask on"), "{}", apply.err);
    assert_eq!(account.state(), before);
    account.run(&["apply", "--yes"]).ended(0);
    let there = account.state();
    account.run(&["destroy"]).ended(1);
    assert_eq!(account.state(), there);
    // Where there is nothing to do there is nothing to ask.
    account.run(&["apply"]).ended(0);
}

#[test]
fn another_account_than_the_one_allowed_is_not_looked_at() {
    let account = Account::new();
    let guard = "--set=account.account_id=210987654321";
    for command in [&["plan"][..], &["apply", "--yes"], &["destroy", "--yes"]] {
        let ran = account.run(&with(command, &[guard])).ended(1);
        assert!(ran.err.contains("123456789012") && ran.err.contains("account.account_id"), "{}", ran.err);
    }
    assert!(account.moto.data().get("iam").is_none_or(|iam| iam["User"].as_array().is_none_or(Vec::is_empty)));
}
