//! What `sms-agent check` prints.

use proptest::prelude::*;

use super::Start;

/// Another value than the default for every key, and what else must be set for it.
const SAMPLES: &[(&str, &str, &[&str])] = &[
    ("agent.listen", "127.0.0.1:0", &[]),
    ("agent.allow_remote", "true", &["agent.listen=0.0.0.0:1"]),
    ("agent.socket_mode", "0660", &[]),
    ("agent.max_connections", "16", &[]),
    ("agent.data_dir", "/d", &[]),
    ("agent.carrier", "sns", &[]),
    ("agent.auth", "token", &[]),
    ("agent.token_file", "/t", &[]),
    ("agent.wait", "1s", &[]),
    ("agent.default_type", "promotional", &[]),
    ("agent.numbers", "assigned", &[]),
    ("agent.shutdown_timeout", "1s", &[]),
    ("agent.queue", "sqs", &["agent.queue_url=https://q/1/a"]),
    ("agent.queue_url", "https://q/1/b", &["agent.queue=sqs"]),
    ("agent.role", "accept", &["agent.queue=sqs", "agent.queue_url=https://q/1/a"]),
    ("outbox.keep_text", "true", &[]),
    ("outbox.keep_days", "1", &[]),
    ("outbox.idempotency_ttl", "1h", &[]),
    ("outbox.max_queued", "1", &[]),
    ("dispatch.segments_per_second", "3", &[]),
    ("dispatch.concurrency", "1", &[]),
    ("dispatch.attempt_timeout", "1s", &[]),
    ("dispatch.max_attempts", "1", &[]),
    ("dispatch.give_up_after", "1h", &[]),
    ("dispatch.on_unknown", "hold", &[]),
    ("dispatch.max_resends", "0", &[]),
    ("simulator.latency", "1s", &[]),
    ("simulator.delivery_delay", "2s", &[]),
    ("simulator.keep", "1", &[]),
    ("aws.region", "eu-west-1", &[]),
    ("aws.profile", "p", &[]),
    ("aws.endpoint_url", "http://127.0.0.1:1", &[]),
    ("aws.role_arn", "arn:aws:iam::123456789012:role/r", &[]),
    ("aws.external_id", "abc", &["aws.role_arn=arn:aws:iam::123456789012:role/r"]),
    ("account.name", "acme", &[]),
    ("account.account_id", "123456789012", &[]),
    ("account.path", "/", &[]),
    ("account.permissions_boundary_arn", "arn:aws:iam::123456789012:policy/b", &[]),
    ("account.create_user", "false", &[]),
    ("account.create_access_key", "false", &[]),
    ("account.credentials_file", "/c", &[]),
    ("account.sender_role_names", "web", &[]),
    ("account.manage_sms_preferences", "false", &[]),
    ("account.default_sms_type", "Promotional", &[]),
    ("account.default_sender_id", "ACME", &[]),
    ("account.monthly_spend_limit_usd", "2", &[]),
    ("account.usage_report_bucket", "reports", &[]),
    ("account.delivery_status_logging", "false", &[]),
    ("account.delivery_status_sampling_percent", "0", &[]),
    ("account.create_delivery_log_groups", "false", &[]),
    ("account.delivery_log_retention_days", "7", &[]),
    ("account.alarm_emails", "a@example.com", &[]),
    ("account.spend_alarm_percents", "90", &[]),
    ("account.failure_alarm_percent", "11", &[]),
    ("account.queue", "true", &[]),
    ("account.tags", r#"{"team":"a"}"#, &[]),
];

#[test]
fn every_key_changes_something_and_says_who_changed_it() {
    let listed: Vec<_> =
        Start::new().listing().lines().filter_map(|l| Some(l.split_once(" = ")?.0.to_owned())).collect();
    assert_eq!(listed, SAMPLES.iter().map(|(key, ..)| *key).collect::<Vec<_>>());
    for (key, value, others) in SAMPLES {
        let start = || others.iter().fold(Start::new(), |start, pair| start.set(pair));
        let changed = start().set(&format!("{key}={value}"));
        if *key == "agent.allow_remote" {
            assert!(start().load().is_err());
        } else if let Ok(without) = start().load() {
            assert_ne!(format!("{:?}", changed.settings()), format!("{:?}", without.settings), "{key}");
        }
        let listing = changed.listing();
        let line = listing.lines().find(|line| line.starts_with(&format!("{key} = "))).unwrap();
        assert!(line.ends_with("  # --set"), "{line}");
    }
}

#[test]
fn each_line_is_key_value_and_origin() {
    let start = Start::new()
        .file("[agent]\ncarrier = \"sns\"\n[account]\ntags = { \"a b\" = \"c\" }\n[[targets]]\nname = \"eu\"\naccount.queue = true")
        .var("SMS_AGENT__WAIT", "90s")
        .set("account.spend_alarm_percents=50,90")
        .set("aws.role_arn=arn:aws:iam::123456789012:role/r")
        .set("aws.external_id=abcdef")
        .set("aws.endpoint_url=http://me:pass@127.0.0.1:1/x");
    let file = start.folder.path().join("sms.toml");
    let listing = start.listing().replace(&file.display().to_string(), "FILE");
    for line in [
        "agent.listen = [\"127.0.0.1:7670\"]  # default",
        "agent.carrier = \"sns\"  # FILE",
        "agent.wait = \"90s\"  # SMS_AGENT__WAIT",
        "agent.data_dir = \"/somebody/.local/state/sms-agent\"  # default",
        "agent.token_file = \"/somebody/.local/state/sms-agent/token\"  # default",
        "agent.queue_url = \"\"  # default",
        "outbox.idempotency_ttl = \"24h\"  # default",
        "dispatch.segments_per_second = 20  # default",
        "aws.external_id = \"REDACTED\"  # --set",
        "aws.endpoint_url = \"http://REDACTED@127.0.0.1:1/x\"  # --set",
        "account.spend_alarm_percents = [50, 90]  # --set",
        "account.tags = { \"a b\" = \"c\" }  # FILE",
        "account.sender_role_names = []  # default",
        "targets[0].name = \"eu\"  # FILE",
        "targets[0].account.queue = true  # FILE",
    ] {
        assert!(listing.lines().any(|other| other == line), "{line} is not in\n{listing}");
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn what_is_listed_can_be_a_settings_file_again(path in "/\\PC{1,20}", key in "[a-zé _.:/=+@-]{1,9}", text in "\\PC{1,9}") {
        prop_assume!(!key.starts_with("sms:") && !key.starts_with("aws:"));
        let tags = serde_json::json!({ key: "x" });
        let pairs = [format!("agent.data_dir={path}"), format!("account.tags={tags}"), format!("aws.profile={text}")];
        let first = pairs.iter().fold(Start::new().set("agent.carrier=sns"), |start, pair| start.set(pair));
        let again = Start::new().file(&first.listing());
        prop_assert_eq!(format!("{:?}", again.settings()), format!("{:?}", first.settings()));
    }
}
