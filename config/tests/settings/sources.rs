//! Which source wins, and what of the environment is a setting.

use std::os::unix::ffi::OsStringExt;
use std::time::Duration;

use sms_config::{Carrier, Settings};

use super::Start;

fn wait(settings: &Settings) -> Duration {
    settings.agent.wait
}

#[test]
fn nothing_at_all_is_enough() {
    let start = Start::new();
    assert_eq!(start.load().unwrap().file, None);
    assert_eq!(start.settings().agent.carrier, Carrier::Simulator);
}

#[test]
fn the_command_line_wins_over_the_environment_that_over_the_file_and_that_over_the_default() {
    let start = Start::new();
    assert_eq!(wait(&start.settings()), Duration::from_secs(10));
    let start = start.file("[agent]\nwait = \"1s\"\n");
    assert_eq!(wait(&start.settings()), Duration::from_secs(1));
    let start = start.var("SMS_AGENT__WAIT", "2s");
    assert_eq!(wait(&start.settings()), Duration::from_secs(2));
    let start = start.set("agent.wait=3s");
    assert_eq!(wait(&start.settings()), Duration::from_secs(3));
    assert_eq!(wait(&start.set("agent.wait=4s").settings()), Duration::from_secs(4));
}

#[test]
fn the_first_file_that_exists_is_used_and_no_other() {
    let of = |name: &str, start: &Start| {
        assert_eq!(start.load().unwrap().file, Some(start.folder.path().join(name)));
        start.settings().outbox.max_queued
    };
    let start = Start::new().file_at("etc.toml", "[outbox]\nmax_queued = 4\nkeep_days = 9");
    assert_eq!(of("etc.toml", &start), 4);
    let start = start.file("[outbox]\nmax_queued = 3");
    assert_eq!(of("sms.toml", &start), 3);
    assert_eq!(start.settings().outbox.keep_days, 30, "files are not layered on each other");
    let start = start.file_at("var.toml", "[outbox]\nmax_queued = 2").var("SMS_CONFIG", "var.toml");
    assert_eq!(of("var.toml", &start), 2);
    let start = start.file_at("arg.toml", "[outbox]\nmax_queued = 1").config("arg.toml");
    assert_eq!(of("arg.toml", &start), 1);
}

#[test]
fn a_process_hands_in_its_own_environment() {
    let sources = sms_config::Sources::from_process(None, Vec::new());
    assert!(sources.env.iter().any(|(name, _)| name == "PATH"));
    assert_eq!((sources.working_dir, sources.system_file), ("".into(), "/etc/sms/sms.toml".into()));
}

#[test]
fn an_empty_sms_config_names_no_file() {
    assert_eq!(
        Start::new().file("").var("SMS_CONFIG", "").load().unwrap().file.unwrap().file_name().unwrap(),
        "sms.toml"
    );
}

#[test]
fn a_file_that_was_named_must_exist() {
    let missing = "settings file none.toml: does not exist; --config or SMS_CONFIG names it";
    assert_eq!(Start::new().file("").config("none.toml").error(), missing);
    assert_eq!(Start::new().file("").var("SMS_CONFIG", "none.toml").error(), missing);
}

#[test]
fn a_folder_is_no_settings_file() {
    let start = Start::new();
    std::fs::create_dir(start.folder.path().join("sms.toml")).unwrap();
    assert_eq!(start.error(), "settings file sms.toml: cannot be read: is a directory");
}

#[test]
fn an_empty_value_counts_as_not_set() {
    let start = Start::new().file("[agent]\nwait = \"1s\"").var("SMS_AGENT__WAIT", "").set("agent.wait=");
    assert_eq!(wait(&start.settings()), Duration::from_secs(1));
    Start::new().var("SMS_NO__SUCH", "").settings();
}

#[test]
fn variables_without_two_levels_are_not_ours() {
    let start = Start::new()
        .var("SMS_AGENT_PORT_7670_TCP_ADDR", "10.0.0.1")
        .var("SMS_AGENT_SERVICE_HOST", "10.0.0.1")
        .var("SMS__AGENT", "x")
        .var("SMS_", "x")
        .var("XSMS_AGENT__WAIT", "x")
        .var("sms_agent__wait", "x");
    assert_eq!(wait(&start.settings()), Duration::from_secs(10));
}

#[test]
fn a_string_stays_a_string_whatever_it_looks_like() {
    for text in ["012345678901", "true", "007", "1e3", "null", "[a", "{}", " x ", "a=b"] {
        let want = Some(text.to_owned());
        assert_eq!(Start::new().var("SMS_AWS__PROFILE", text).settings().aws.profile, want);
        assert_eq!(Start::new().set(&format!("aws.profile={text}")).settings().aws.profile, want);
    }
    let account = Start::new().var("SMS_ACCOUNT__ACCOUNT_ID", "012345678901").settings().account;
    assert_eq!(account.account_id.as_deref(), Some("012345678901"));
}

#[test]
fn lists_numbers_and_tables_come_as_text() {
    let start = Start::new()
        .var("SMS_AGENT__LISTEN", "127.0.0.1:0, [::1]:0")
        .var("SMS_ACCOUNT__SPEND_ALARM_PERCENTS", "[50,90]")
        .var("SMS_OUTBOX__KEEP_TEXT", "true")
        .set(r#"account.tags={"team":"a","cost-center":"007"}"#)
        .set("dispatch.concurrency=7");
    let settings = start.settings();
    assert_eq!(settings.agent.listen.len(), 2);
    assert_eq!(settings.account.spend_alarm_percents, [50, 90]);
    assert!(settings.outbox.keep_text);
    assert_eq!(settings.account.tags["cost-center"], "007");
    assert_eq!(settings.dispatch.concurrency, 7);
}

#[test]
fn a_table_replaces_a_table_as_any_other_value_does() {
    let start = Start::new().file("[account.tags]\na = \"1\"").var("SMS_ACCOUNT__TAGS", r#"{"b":"2"}"#);
    assert_eq!(start.settings().account.tags.keys().collect::<Vec<_>>(), ["b"]);
}

#[test]
fn what_is_not_utf8_is_refused_only_where_it_is_a_setting() {
    let bad = || std::ffi::OsString::from_vec(vec![b'x', 0xff]);
    assert_eq!(
        Start::new().var("SMS_AWS__PROFILE", bad()).error(),
        "aws.profile (from SMS_AWS__PROFILE): must be UTF-8 text"
    );
    let mut start = Start::new().var("SMS_OTHER", bad()).var("PATH", bad());
    start.sources.env.push((bad(), "x".into()));
    start.settings();
}

#[test]
fn a_byte_order_mark_is_no_part_of_the_file() {
    assert_eq!(wait(&Start::new().file("\u{feff}[agent]\nwait = \"1s\"").settings()), Duration::from_secs(1));
}
