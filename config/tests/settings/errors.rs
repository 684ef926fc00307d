//! Errors name the key, where it came from and what is allowed, and never the value.

use proptest::prelude::*;

use super::Start;

#[test]
fn an_error_names_the_key_its_origin_and_what_is_allowed() {
    let wait = "must be a duration with its unit, 0s to 10m";
    let start = Start::new().file("[agent]\nwait = 10");
    assert_eq!(start.error(), format!("agent.wait (from sms.toml): {wait}"));
    let start = start.var("SMS_AGENT__WAIT", "10");
    assert_eq!(start.error(), format!("agent.wait (from SMS_AGENT__WAIT): {wait}"));
    let start = start.set("agent.wait=11m");
    assert_eq!(start.error(), format!("agent.wait (from --set): {wait}"));
}

#[test]
fn types_are_strict_in_the_file() {
    for (line, key) in [
        ("agent.carrier = 1", "agent.carrier"),
        ("agent.listen = \"127.0.0.1:1\"", "agent.listen"),
        ("outbox.keep_text = \"true\"", "outbox.keep_text"),
        ("outbox.keep_days = \"30\"", "outbox.keep_days"),
        ("outbox.keep_days = 30.0", "outbox.keep_days"),
        ("outbox.keep_days = 2026-11-24", "outbox.keep_days"),
        ("account.account_id = 123456789012", "account.account_id"),
        ("aws.region = [\"us-east-1\"]", "aws.region"),
        ("agent.wait = { s = 1 }", "agent.wait"),
    ] {
        let error = Start::new().file(line).error();
        assert!(error.starts_with(&format!("{key} (from sms.toml): must be ")), "{line}: {error}");
    }
}

#[test]
fn what_does_not_exist_is_refused_with_what_was_probably_meant() {
    for (start, want) in [
        (
            Start::new().file("[agent]\ncarier = \"sns\""),
            "agent.carier (from sms.toml): is not a setting; did you mean agent.carrier?",
        ),
        (
            Start::new().var("SMS_AGENT__CARIER", "x"),
            "agent.carier (from SMS_AGENT__CARIER): is not a setting; did you mean agent.carrier?",
        ),
        (
            Start::new().set("agent.concurrency=1"),
            "agent.concurrency (from --set): is not a setting; did you mean dispatch.concurrency?",
        ),
        (
            Start::new().set("simulator.colour=1"),
            "simulator.colour (from --set): is not a setting; [simulator] has latency, delivery_delay, keep",
        ),
        (
            Start::new().file("[agnet]\nwait = 1"),
            "agnet.wait (from sms.toml): is in no section of the settings; did you mean [agent]?",
        ),
        (
            Start::new().file("[agnet]"),
            "agnet (from sms.toml): is in no section of the settings; did you mean [agent]?",
        ),
        (
            Start::new().var("SMS_HTTP__PORT", "1"),
            "http.port (from SMS_HTTP__PORT): is in no section of the settings; they are agent, outbox,",
        ),
        (Start::new().file("wait = \"1s\""), "wait (from sms.toml): is in no section of the settings"),
        (Start::new().file("agent = 1"), "agent (from sms.toml): must be a section, [agent] with its keys under it"),
        (Start::new().set("carrier=sns"), "carrier (from --set): is not a setting; name its section too"),
        (
            Start::new().set("a").set("carrier"),
            "--set number 1: must be KEY=VALUE, such as agent.carrier=sns\n--set number 2",
        ),
        (
            Start::new().var("SMS_Agent__Carrier", "sns"),
            "agent.carrier (from SMS_Agent__Carrier): must be written in upper case",
        ),
        (
            Start::new().var("SMS_ACCOUNT__TAGS__TEAM", "x"),
            "account.tags.team (from SMS_ACCOUNT__TAGS__TEAM): is not a setting",
        ),
    ] {
        let error = start.error();
        assert!(error.starts_with(want), "{error}");
    }
}

#[test]
fn everything_that_is_wrong_is_said_at_once() {
    let error = Start::new().file("[agent]\nwait = 1\nnumbers = 1").var("SMS_OUTBOX__KEEP_DAYS", "0").set("x").error();
    assert_eq!(error.lines().count(), 4, "{error}");
    let error = Start::new().set("agent.listen=0.0.0.0:1").set("agent.auth=off").set("agent.queue=sqs").error();
    assert_eq!(error.lines().count(), 3, "{error}");
}

#[test]
fn a_file_that_is_not_toml_shows_where_and_not_what() {
    for (content, want) in [
        ("[agent]\nwait = zqsecretqz\n", "is not TOML: text has to be in quotes, at line 2, column 8"),
        ("zqsecretqz", "is not TOML: a key has no value, at line 1, column 11"),
        ("[agent]\nwait = \"1s\"\nwait = \"zqsecretqz\"", "a key or section stands twice at line 3, column 1"),
        ("[aws]\nexternal_id = \"zqsecretqz\n", "is not TOML: text has no closing quote, at line 2, column 26"),
    ] {
        let error = Start::new().file(content).error();
        assert_eq!(error, format!("settings file sms.toml: {want}"), "{content}");
    }
    let start = Start::new();
    std::fs::write(start.folder.path().join("sms.toml"), [b'#', 0xff]).unwrap();
    assert_eq!(start.error(), "settings file sms.toml: is not UTF-8 text");
}

#[test]
fn a_name_that_a_stranger_chose_cannot_move_the_cursor() {
    let error = Start::new().file("[agent]\n\"a\\u001b[2J\" = 1").error();
    assert!(!error.contains('\u{1b}'), "{error:?}");
}

#[test]
fn what_is_logged_of_the_settings_holds_no_secret() {
    let start = Start::new()
        .set("aws.role_arn=arn:aws:iam::123456789012:role/r")
        .set("aws.external_id=zqsecretqz")
        .set("aws.endpoint_url=http://me:zqsecretqz@127.0.0.1:1/p?t=zqsecretqz");
    let loaded = start.load().unwrap();
    let shown = format!("{loaded:?}{}{:?}", loaded.listing(), start.sources);
    assert!(!shown.contains("zqsecretqz"), "{shown}");
    assert_eq!(loaded.settings.aws.external_id.as_deref(), Some("zqsecretqz"));
}

/// Every key as `check` knows it.
fn keys() -> Vec<String> {
    let listing = Start::new().listing();
    listing.lines().filter_map(|line| Some(line.split_once(" = ")?.0.to_owned())).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(100))]

    #[test]
    fn no_error_ever_holds_the_value(key in prop::sample::select(keys()), noise in "[ -~é🙂]{0,12}", form in 0..3_usize) {
        let value = format!("{}zqsecretqz{noise}", ["", "[\"", "{\"a\":\""][form]);
        let (section, member) = key.split_once('.').unwrap();
        let variable = format!("SMS_{}__{}", section.to_uppercase(), member.to_uppercase());
        let quoted = serde_json::Value::from(value.as_str());
        for start in [
            Start::new().set(&format!("{key}={value}")),
            Start::new().var(&variable, &value),
            Start::new().file(&format!("{key} = {quoted}")),
            Start::new().file(&format!("{key} = [{quoted}]")),
            Start::new().file(&format!("{key} = {value}")),
            Start::new().file(&format!("{section} = {quoted}")),
        ] {
            if let Err(error) = start.load() {
                let shown = format!("{error}{error:?}");
                prop_assert!(!shown.contains("zqsecretqz"), "{}", shown);
            }
        }
    }

    #[test]
    fn no_file_and_no_text_stops_the_reading_itself(content in "\\PC{0,80}", pair in "[a-z._=]{0,8}\\PC{0,20}") {
        drop(Start::new().file(&content).set(&pair).load());
    }
}
