//! `[account]` and `[[targets]]`.

use super::Start;

fn refused(pair: &str) -> String {
    Start::new().set(pair).error()
}

#[test]
fn what_aws_would_refuse_is_refused_before_it_is_asked() {
    for wrong in [
        "name=Sms",
        "name=-sms",
        "name=a234567890123456789012345678901",
        "account_id=12345678901",
        "account_id=1234-5678-9012",
        "path=sms/",
        "path=/sms",
        "path=//",
        "permissions_boundary_arn=arn:aws:iam::123456789012:role/b",
        "sender_role_names=arn:aws:iam::123456789012:role/web",
        "sender_role_names=web,web",
        "default_sms_type=transactional",
        "default_sender_id=123",
        "default_sender_id=A-B",
        "default_sender_id=ABCDEFGHIJKL",
        "monthly_spend_limit_usd=0",
        "monthly_spend_limit_usd=1.5",
        "usage_report_bucket=My_Bucket",
        "delivery_status_sampling_percent=101",
        "delivery_log_retention_days=31",
        "alarm_emails=nobody",
        "alarm_emails=a@b",
        "alarm_emails=a b@example.com",
        "alarm_emails=a@example.com,a@example.com",
        "spend_alarm_percents=0",
        "spend_alarm_percents=80,80",
        "failure_alarm_percent=0",
        "queue=yes",
    ] {
        let key = wrong.split_once('=').unwrap().0;
        let error = refused(&format!("account.{wrong}"));
        assert!(error.starts_with(&format!("account.{key} (from --set): must be ")), "{wrong}: {error}");
    }
    let start = Start::new()
        .set("account.path=/")
        .set("account.permissions_boundary_arn=arn:aws:iam::aws:policy/PowerUserAccess")
        .set("account.alarm_emails=o'brien+sms@sub.example.co.uk")
        .set("account.default_sender_id=ACME1");
    assert_eq!(start.settings().account.default_sender_id.as_deref(), Some("ACME1"));
}

#[test]
fn tags_may_not_collide_with_ours_in_any_case() {
    let tags = |json: &str| format!("account.tags={json}");
    for wrong in [
        r#"{"sms:stack":"x"}"#,
        r#"{"SMS:Stack":"x"}"#,
        r#"{"Managed-By":"x"}"#,
        r#"{"sms:previous:MonthlySpendLimit":"1"}"#,
        r#"{"aws:thing":"x"}"#,
        r#"{"Team":"a","team":"b"}"#,
        r#"{"":"x"}"#,
        r#"{"a":"<b>"}"#,
        r#"{"a":1}"#,
        r#"["a"]"#,
        "team=a",
    ] {
        assert!(refused(&tags(wrong)).starts_with("account.tags (from --set): must be a table"), "{wrong}");
    }
    assert!(Start::new().file("[account.tags]\nteam = 1").error().starts_with("account.tags (from sms.toml): must be"));
    let start = Start::new().set(&tags(r#"{"Team":"Zoë"}"#));
    assert_eq!(start.settings().account.tags["Team"], "Zoë");
}

#[test]
fn the_credentials_file_is_that_of_the_home_and_missing_only_without_one() {
    let file = |start: Start| start.settings().account.credentials_file;
    assert_eq!(file(Start::new()), Some("/somebody/.aws/credentials".into()));
    assert_eq!(file(Start::new().without_home().var("XDG_STATE_HOME", "/s")), None);
    assert_eq!(file(Start::new().set("account.credentials_file=~/c")), Some("/somebody/c".into()));
}

const TARGETS: &str = r#"
[aws]
region = "us-east-1"
profile = "hub"
endpoint_url = "http://127.0.0.1:5000"

[account]
monthly_spend_limit_usd = 50
alarm_emails = ["a@example.com"]

[[targets]]
name = "prod"
region = "eu-west-1"
account_id = "012345678901"
role_arn = "arn:aws:iam::012345678901:role/operator"
external_id = "chosen-together"
[targets.account]
monthly_spend_limit_usd = 200
tags = { team = "a" }

[[targets]]
name = "dev"
profile = "dev"

[[targets]]
name = "same"
"#;

#[test]
fn a_target_has_the_account_key_by_key_and_its_own_way_in() {
    let settings = Start::new().file(TARGETS).var("SMS_ACCOUNT__NAME", "acme").settings();
    let [prod, dev, same] = settings.targets.as_slice() else { panic!("three targets") };
    assert_eq!((prod.name.as_str(), prod.account.account_id.as_deref()), ("prod", Some("012345678901")));
    assert_eq!((prod.account.monthly_spend_limit_usd, dev.account.monthly_spend_limit_usd), (200, 50));
    assert_eq!((prod.account.name.as_str(), prod.account.alarm_emails.len(), prod.account.tags.len()), ("acme", 1, 1));
    assert_eq!((prod.aws.region.as_deref(), dev.aws.region.as_deref()), (Some("eu-west-1"), Some("us-east-1")));
    assert_eq!((prod.aws.profile.as_deref(), dev.aws.profile.as_deref()), (Some("hub"), Some("dev")));
    assert!(prod.aws.external_id.is_some() && prod.aws.endpoint_url == settings.aws.endpoint_url);
    assert_eq!((&same.aws, &same.account), (&settings.aws, &settings.account));
}

#[test]
fn a_target_with_a_profile_does_not_take_over_the_role() {
    let role = "arn:aws:iam::123456789012:role/hub";
    let start = Start::new().file(TARGETS).set(&format!("aws.role_arn={role}")).set("aws.external_id=hub-id");
    let targets = start.settings().targets;
    assert_eq!((targets[1].aws.role_arn.as_deref(), targets[1].aws.external_id.as_deref()), (None, None));
    assert_eq!(targets[2].aws.role_arn.as_deref(), Some(role));
}

#[test]
fn what_is_wrong_with_a_target_names_the_target() {
    for (target, want) in [
        ("region = \"eu-west-1\"", "targets[0].name (from sms.toml): must be set"),
        ("name = \"a\"\n[[targets]]\nname = \"a\"", "targets[1].name (from sms.toml): is the name of another"),
        ("name = \"a b\"", "targets[0].name (from sms.toml): must be 1 to 64"),
        (
            "name = \"a\"\nregon = \"x\"",
            "targets[0].regon (from sms.toml): is not a setting; did you mean targets[0].region?",
        ),
        ("name = \"a\"\naccount_id = 12345678901", "targets[0].account_id (from sms.toml): must be the 12 digits"),
        ("name = \"a\"\nexternal_id = \"abc\"", "targets[0].external_id (from sms.toml): is only for a role"),
        ("name = \"a\"\naccount = 1", "targets[0].account (from sms.toml): must be a table"),
        ("name = \"a\"\naccount = { queue = 1 }", "targets[0].account.queue (from sms.toml): must be true or false"),
        ("name = \"a\"\naccount = { wait = 1 }", "targets[0].account.wait (from sms.toml): is not a setting"),
        (
            "name = \"a\"\nprofile = \"p\"\nrole_arn = \"arn:aws:iam::123456789012:role/r\"",
            "targets[0].profile (from sms.toml): and role_arn are two ways in; keep one",
        ),
        (
            "name = \"a\"\naccount_id = \"123456789012\"\naccount = { account_id = \"123456789012\" }",
            "targets[0].account_id (from sms.toml): stands in the target and in its account; keep one",
        ),
    ] {
        let error = Start::new().file(&format!("[[targets]]\n{target}")).error();
        assert!(error.starts_with(want), "{target}: {error}");
    }
    assert!(Start::new().file("targets = 1").error().starts_with("targets (from sms.toml): must be a list of tables"));
    assert!(Start::new().file("targets = [1]").error().starts_with("targets[0] (from sms.toml): must be a table"));
}

#[test]
fn targets_are_for_the_file_only() {
    let only = "can be set in the settings file only";
    assert!(Start::new().var("SMS_TARGETS__NAME", "x").error().ends_with(only));
    assert!(Start::new().var("SMS_TARGETS__0__NAME", "x").error().ends_with(only));
    assert!(refused("targets=[]x").ends_with(only));
    assert!(refused("targets.name=x").ends_with(only));
}
