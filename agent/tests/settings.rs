//! The settings as the program takes them: where they come from, what it says of wrong ones, what it prints of all.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use std::fs;
use std::process::Output;

use process::Start;

fn told(output: &Output) -> (Option<i32>, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

/// What `sms-agent check` says of that key, after a look at all lines.
fn checked(start: Start, key: &str) -> String {
    let (status, listing, log) = told(&start.arg("check").output());
    assert_eq!(status, Some(0), "{log}");
    for line in listing.lines() {
        let (setting, origin) = line.split_once("  # ").unwrap_or_else(|| panic!("{line}"));
        let (key, value) = setting.split_once(" = ").unwrap_or_else(|| panic!("{line}"));
        assert!(key.contains('.') && !value.is_empty() && !origin.is_empty(), "{line}");
    }
    let found: Vec<_> = listing.lines().filter(|line| line.starts_with(&format!("{key} = "))).collect();
    assert_eq!(found.len(), 1, "{listing}");
    found[0].to_owned()
}

#[test]
fn check_says_what_is_in_force_and_who_said_so() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("sms.toml");
    let start = || Start::in_folder(folder.path());
    assert_eq!(checked(start(), "agent.wait"), "agent.wait = \"10s\"  # default");
    fs::write(&file, "[agent]\nwait = \"3s\"\n").unwrap();
    assert_eq!(checked(start(), "agent.wait"), "agent.wait = \"3s\"  # sms.toml");
    let over = || start().env("SMS_AGENT__WAIT", "2s");
    assert_eq!(checked(over(), "agent.wait"), "agent.wait = \"2s\"  # SMS_AGENT__WAIT");
    let set = over().arg("--set").arg("agent.wait=1s");
    assert_eq!(checked(set, "agent.wait"), "agent.wait = \"1s\"  # --set");
    let named = start().arg("--config").arg(file.to_str().unwrap());
    assert_eq!(checked(named, "agent.wait"), format!("agent.wait = \"3s\"  # {}", file.display()));
}

#[test]
fn set_counts_before_and_after_the_subcommand_and_more_than_once() {
    let all = ["--set", "agent.wait=1s", "check", "--set", "agent.numbers=assigned", "--set=outbox.keep_days=7"];
    let (status, listing, _) = told(&all.iter().fold(Start::new(), |start, word| start.arg(word)).output());
    assert_eq!(status, Some(0));
    for line in
        ["agent.wait = \"1s\"  # --set", "agent.numbers = \"assigned\"  # --set", "outbox.keep_days = 7  # --set"]
    {
        assert!(listing.lines().any(|listed| listed == line), "{line}:\n{listing}");
    }
}

#[test]
fn check_leaves_secrets_out_and_makes_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let start = Start::in_folder(folder.path())
        .env("SMS_AWS__ROLE_ARN", "arn:aws:iam::123456789012:role/sesame")
        .env("SMS_AWS__EXTERNAL_ID", "open-sesame")
        .env("SMS_AWS__ENDPOINT_URL", "http://sesame:open@127.0.0.1:4566");
    let (status, listing, log) = told(&start.arg("check").output());
    assert_eq!(status, Some(0), "{log}");
    assert!(!listing.contains("open"), "{listing}");
    assert!(listing.contains("role/sesame"), "{listing}");
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[test]
fn a_wrong_setting_names_key_origin_and_what_is_allowed_and_never_the_value() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Start::in_folder(folder.path());
    let serve = |start: Start, words: &[&str]| {
        let (status, out, log) = told(&start.output());
        assert_eq!((status, out.as_str()), (Some(1), ""), "{log}");
        assert!(!log.contains("sesame") && !log.contains("4711"), "{log}");
        for word in words {
            assert!(log.contains(word), "{word}: {log}");
        }
    };
    for check in [false, true] {
        let start = || if check { start().arg("check") } else { start() };
        serve(
            start().env("SMS_AGENT__CARRIER", "sesame"),
            &["agent.carrier", "SMS_AGENT__CARRIER", "simulator", "sns"],
        );
        serve(start().env("SMS_AGENT__TOKEN", "sesame"), &["agent.token", "SMS_AGENT__TOKEN"]);
        serve(start().env("SMS_AGNET__WAIT", "sesame"), &["agnet.wait", "SMS_AGNET__WAIT", "agent"]);
        serve(start().arg("--set").arg("agent.wait=sesame"), &["agent.wait", "--set", "unit"]);
        serve(start().arg("--set").arg("outbox.keep_days=sesame"), &["outbox.keep_days", "--set"]);
        serve(start().arg("--set").arg("dispatch.concurrency=-4711"), &["dispatch.concurrency", "--set"]);
        serve(start().arg("--set").arg("agent.nonsense=sesame"), &["agent.nonsense", "--set"]);
        serve(start().arg("--set").arg("sesame"), &["--set", "KEY=VALUE"]);
        serve(start().arg("--config").arg("gone.toml"), &["gone.toml"]);
    }
    fs::write(folder.path().join("sms.toml"), "[agent]\nwait = 4711\n").unwrap();
    serve(start(), &["agent.wait", "sms.toml"]);
    fs::write(folder.path().join("sms.toml"), "[agent\nwait = \"sesame\"\n").unwrap();
    serve(start(), &["sms.toml", "line 1"]);
}

#[test]
fn a_usage_error_exits_with_1_and_help_and_version_with_0() {
    for words in [&["serve"][..], &["--nonsense"], &["check", "more"], &["--config"], &["--set"]] {
        let (status, out, log) = told(&words.iter().fold(Start::new(), |start, word| start.arg(word)).output());
        assert_eq!((status, out.as_str()), (Some(1), ""), "{words:?}");
        assert!(log.contains("sage:") || log.contains("--help"), "{words:?}: {log}");
    }
    for words in [&["--help"][..], &["-h"], &["check", "--help"], &["--version"]] {
        let (status, out, log) = told(&words.iter().fold(Start::new(), |start, word| start.arg(word)).output());
        assert_eq!((status, log.as_str()), (Some(0), ""), "{words:?}");
        assert!(out.contains("sms-agent"), "{words:?}: {out}");
    }
}

#[test]
fn a_command_or_flag_that_is_nearly_one_gets_the_right_one_named() {
    for (word, meant) in [("chek", "'check'"), ("--confg", "'--config'")] {
        let (status, _, log) = told(&Start::new().arg(word).output());
        assert!(status == Some(1) && log.contains("similar") && log.contains(meant), "{word}: {log}");
    }
}

#[test]
fn a_backup_to_standard_output_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let (status, out, log) = told(&Start::in_folder(folder.path()).arg("backup").arg("-").output());
    assert!(status == Some(1) && out.is_empty() && log.contains("not to standard output"), "{log}");
    assert!(!folder.path().join("-").exists());
}

#[test]
fn a_bound_of_our_own_is_not_masked_in_the_log() {
    let agent =
        Start::new().env("OTEL_BSP_SCHEDULE_DELAY", "soon").env("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:1");
    let agent = agent.serve();
    let log = agent.whole_log();
    assert!(log.contains("OTEL_BSP_SCHEDULE_DELAY") && log.contains("from 1 to 3,600,000"), "{log}");
}

#[test]
fn the_file_that_is_used_is_named_on_standard_error() {
    let folder = tempfile::tempdir().unwrap();
    let used = |start: Start| {
        let agent = start.serve();
        agent.terminate();
        agent.wait().1
    };
    assert!(!used(Start::in_folder(folder.path())).contains("settings file"));
    fs::write(folder.path().join("sms.toml"), "").unwrap();
    assert!(used(Start::in_folder(folder.path())).contains("sms.toml"));
    fs::write(folder.path().join("mine.toml"), "").unwrap();
    let log = used(Start::in_folder(folder.path()).env("SMS_CONFIG", "mine.toml"));
    assert!(log.contains("mine.toml") && !log.contains("sms.toml"), "{log}");
    let quiet = Start::in_folder(folder.path()).env("RUST_LOG", "off");
    assert!(used(quiet).contains("sms.toml"), "however little the log is told to say");
    let checked = Start::in_folder(folder.path()).arg("check").output();
    assert!(told(&checked).2.contains("sms.toml"), "check is no exception: {checked:?}");
}

#[test]
fn the_settings_are_those_that_the_agent_runs_on() {
    let agent = Start::new().arg("--set").arg("agent.default_type=promotional").serve();
    assert_eq!(agent.send("+12065550100").json()["type"], "promotional");
}
