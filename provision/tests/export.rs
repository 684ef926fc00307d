//! `export`: what Terraform gets, held to the module as it is. That Terraform really takes the account over by it is proven
//! where Terraform runs.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod recorded;
mod run;

use std::collections::BTreeSet;
use std::path::Path;

use recorded::Recorded;
use run::Run;

const ALL: [&str; 12] = [
    "account.account_id=123456789012",
    "account.permissions_boundary_arn=arn:aws:iam::123456789012:policy/within",
    "account.sender_role_names=app",
    "account.default_sender_id=Acme",
    "account.usage_report_bucket=reports",
    "account.alarm_emails=ops@example.com",
    "account.spend_alarm_percents=50,100",
    "account.monthly_spend_limit_usd=20",
    "account.queue=true",
    "account.tags={\"team\":\"a \\\"b\\\" ${c}\"}",
    "account.default_sms_type=Promotional",
    "account.create_user=false",
];

fn module(file: &str) -> String {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../terraform");
    std::fs::read_to_string(folder.join(file)).unwrap()
}

/// Name and value of each line.
fn lines(text: &str) -> Vec<(String, String)> {
    let pair = |line: &str| line.split_once('=').map(|(name, value)| (name.trim().to_owned(), value.trim().to_owned()));
    text.lines().filter(|line| !line.starts_with('#')).filter_map(pair).collect()
}

#[test]
fn every_setting_is_a_variable_of_the_module_and_every_variable_a_setting() {
    let told = Run::new(&["export", "tfvars"]).set(&ALL[..9]).set(&ALL[10..]).run();
    assert_eq!(told.status, Some(0), "{}", told.errors);
    let exported: BTreeSet<String> = lines(&told.output).into_iter().map(|(name, _)| name).collect();
    let variables = module("variables.tf");
    let variable = |line: &str| Some(line.strip_prefix("variable \"")?.split('"').next()?.to_owned());
    let mut known: BTreeSet<String> = variables.lines().filter_map(variable).collect();
    // Terraform's own, and the key that must not be made twice.
    let own = [
        "workload_role",
        "place",
        "sender_roles",
        "keep_delivery_logs",
        "existing_log_group_names",
        "alarm_subscribers",
    ];
    assert!(own.iter().chain(&["create_access_key"]).all(|name| known.remove(*name)));
    assert_eq!(exported, known);
}

#[test]
fn values_are_those_of_the_settings_and_what_is_not_set_is_left_to_the_module() {
    let told = Run::new(&["export", "tfvars"]).set(&ALL[..9]).set(&["account.tags={\"team\":\"a=b\"}"]).run();
    for line in [
        "name                             = \"sms\"\n",
        "account_id                       = \"123456789012\"\n",
        "sender_role_names                = [\"app\"]\n",
        "monthly_spend_limit_usd          = 20\n",
        "spend_alarm_percents             = [50, 100]\n",
        "queue                            = true\n",
        "tags                             = { \"team\" = \"a=b\" }\n",
    ] {
        assert!(told.output.contains(line), "{line}: {}", told.output);
    }
    let plain = Run::new(&["export", "tfvars"]).run();
    assert!(!plain.output.contains("default_sender_id") && plain.output.contains(" = {}\n"), "{}", plain.output);
}

#[test]
fn what_is_there_and_ours_is_imported_at_an_address_of_the_module() {
    let recorded = Recorded::new();
    recorded.account.boto("iam.create_role(RoleName='app', AssumeRolePolicyDocument='{}')");
    let settings =
        ["--set=account.queue=true", "--set=account.sender_role_names=app", "--set=account.alarm_emails=a@b.example"];
    let with = |arguments: &[&str]| recorded.run(&[&settings[..], arguments].concat());
    let nothing = with(&["export", "import-blocks"]).ended(0);
    assert!(!nothing.out.contains("import {"), "{}", nothing.out);
    with(&["apply", "--yes"]).ended(0);
    let told = with(&["export", "import-blocks"]).ended(0);
    let lines = lines(&told.out);
    let of = |key: &str| -> Vec<String> {
        lines.iter().filter(|(name, _)| name == key).map(|(_, value)| value.clone()).collect()
    };
    let (addresses, ids) = (of("to"), of("id"));
    for (address, id) in [
        ("sender.aws_iam_policy.sender", "arn:aws:iam::123456789012:policy/sms/sms-sender-us-east-1"),
        ("sender.aws_iam_user.sender[0]", "sms-sender-us-east-1"),
        (
            "sender.aws_iam_user_policy_attachment.sender[0]",
            "sms-sender-us-east-1/arn:aws:iam::123456789012:policy/sms/sms-sender-us-east-1",
        ),
        (
            "sender.aws_iam_role_policy_attachment.sender[\"app\"]",
            "app/arn:aws:iam::123456789012:policy/sms/sms-sender-us-east-1",
        ),
        ("sms.aws_iam_role.delivery_status[0]", "sms-delivery-status-us-east-1"),
        ("sms.aws_iam_role_policy.delivery_status[0]", "sms-delivery-status-us-east-1:write-delivery-status"),
        (
            "sms.aws_cloudwatch_log_group.delivery_status[\"failure\"]",
            "sns/us-east-1/123456789012/DirectPublishToPhoneNumber/Failure",
        ),
        (
            "sms.aws_cloudwatch_log_metric_filter.failure[\"opted-out\"]",
            "sns/us-east-1/123456789012/DirectPublishToPhoneNumber/Failure:sms-opted-out",
        ),
        ("alarms.aws_sns_topic.alarms", "arn:aws:sns:us-east-1:123456789012:sms-alarms"),
        ("alarms.aws_cloudwatch_metric_alarm.spend[\"80\"]", "sms-spend-80"),
        ("alarms.aws_cloudwatch_metric_alarm.failures", "sms-failures"),
        ("alarms.aws_cloudwatch_metric_alarm.quota_exhausted[0]", "sms-quota-exhausted"),
        ("alarms.aws_cloudwatch_metric_alarm.dead_letters[0]", "sms-dead-letters"),
        ("alarms.aws_cloudwatch_dashboard.this", "sms-us-east-1"),
    ] {
        let place = addresses.iter().position(|one| *one == format!("module.sms.module.{address}"));
        let place = place.unwrap_or_else(|| panic!("{address}: {}", told.out));
        assert_eq!(ids[place], format!("\"{id}\""));
    }
    assert!(addresses.iter().any(|one| one.ends_with("queue[0].aws_sqs_queue.outbox_dead")), "{addresses:?}");
    assert!(ids.iter().any(|id| id.ends_with("/sms-outbox\"") && id.starts_with("\"http")), "{ids:?}");
    assert!(ids.iter().any(|id| id.starts_with("\"arn:aws:sns:us-east-1:123456789012:sms-alarms:")), "{ids:?}");
    for address in &addresses {
        let parts: Vec<&str> = address.split('.').collect();
        let (file, kind) = (parts[3].trim_end_matches("[0]"), parts[4]);
        let name = parts[5].split('[').next().unwrap();
        let sources = module(&format!("modules/{file}/main.tf"));
        let sources = if kind.ends_with("dashboard") { module("modules/alarms/dashboard.tf") } else { sources };
        assert!(sources.contains(&format!("resource \"{kind}\" \"{name}\"")), "{address}");
    }
    // Only the key and the SMS attributes are left out.
    assert_eq!(addresses.len() + 2, told.out.matches("import {").count() + told.out.matches(" is left out: ").count());
    assert!(told.out.contains("# access key sms-sender-us-east-1 is left out"), "{}", told.out);
    assert!(told.out.contains("# SMS attributes us-east-1 is left out: Terraform cannot import them"), "{}", told.out);
    // What the plan comes to is said first.
    assert!(told.out.starts_with("# The plan must import all of these,"), "{}", told.out);
    assert!(told.out.contains(" change nothing but skip_destroy of the log groups"), "{}", told.out);
    let unlogged = with(&["export", "import-blocks", "--set=account.delivery_status_logging=false"]).ended(0);
    assert!(unlogged.out.contains(" and change nothing.\n\nimport {"), "{}", unlogged.out);
    let root = with(&["export", "import-blocks", "--module="]).ended(0);
    assert!(root.out.contains("to = module.sender.aws_iam_policy.sender\n"), "{}", root.out);
    let other = with(&["export", "import-blocks", "--module", "module.here[\"eu\"]"]).ended(0);
    assert!(other.out.contains("to = module.here[\"eu\"].module.sender."), "{}", other.out);
    let bad = with(&["export", "import-blocks", "--module", "module.a\n}"]).ended(1);
    assert!(bad.err.contains("--module: must be the address of a module"), "{}", bad.err);

    // moto confirms at once; AWS does not.
    let pending = "<Subscriptions><member><SubscriptionArn>PendingConfirmation</SubscriptionArn><Protocol>email</Protocol>\
                   <Endpoint>a@b.example</Endpoint></member></Subscriptions>";
    recorded.answers("ListSubscriptionsByTopic", pending);
    let told = with(&["export", "import-blocks"]).ended(0);
    assert!(told.out.contains("# SNS subscription a@b.example is left out: it is not confirmed yet"), "{}", told.out);
}

#[test]
fn what_is_not_ours_is_left_out() {
    let recorded = Recorded::new();
    recorded.account.boto("iam.create_user(UserName='sms-sender-us-east-1', Path='/sms/')");
    let told = recorded.run(&["export", "import-blocks"]).ended(0);
    assert!(
        told.out.contains("# IAM user sms-sender-us-east-1 is left out: it is not ours: it carries no tag"),
        "{}",
        told.out
    );
    assert!(!told.out.contains("aws_iam_user"), "{}", told.out);
}
