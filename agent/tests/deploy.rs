//! The files of `deploy`: the settings that they and the documentation name exist, and systemd takes the unit.

#![allow(clippy::unwrap_used, reason = "all of this is test code, outside of test functions too")]

mod process;

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::TcpStream;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Where systemd's judgement of a unit's exposure goes from «OK» to «MEDIUM», in tenths, is 50.
const MOST_EXPOSED: u32 = 15;

fn folder() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_setting_that_a_file_names_exists() {
    let known = settings();
    assert!(known.contains("SMS_AGENT__CARRIER"));
    let mut files: Vec<PathBuf> = ["README.md", "../README.md"].map(|name| folder().join(name)).into();
    for place in ["deploy", "docs"] {
        let found = fs::read_dir(folder().join(place)).unwrap().map(|entry| entry.unwrap().path());
        files.extend(found.filter(|path| path.is_file()));
    }

    let mut named = 0;
    for file in files {
        let text = fs::read_to_string(&file).unwrap();
        let words = text.split(|c: char| !c.is_ascii_uppercase() && c != '_');
        for variable in words.filter(|word| word.starts_with("SMS_") && word.contains("__")) {
            assert!(known.contains(variable), "{} names {variable}, which is no setting", file.display());
            named += 1;
        }
    }
    assert!(named > 5, "the files name settings");
}

#[test]
fn systemd_takes_the_unit_and_finds_it_hardened() {
    let analyze = || Command::new("systemd-analyze");
    if !analyze().arg("--version").output().is_ok_and(|output| output.status.success()) {
        std::io::stderr().write_all(b"systemd-analyze is not on this machine: the unit was not checked\n").unwrap();
        return;
    }
    let place = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("unit-{}", std::process::id()));
    let drop_ins = place.join("sms-agent.service.d");
    fs::create_dir_all(&drop_ins).unwrap();
    let unit = fs::read_to_string(folder().join("deploy/sms-agent.service")).unwrap();
    assert!(unit.contains("\nExecStart=/usr/local/bin/sms-agent\n"));
    // AWS refuses requests of a machine whose clock is wrong.
    assert!(unit.lines().any(|line| line.starts_with("After=") && line.contains("time-sync.target")));
    let installed = unit.replace("/usr/local/bin/sms-agent", env!("CARGO_BIN_EXE_sms-agent"));
    let path = place.join("sms-agent.service");
    fs::write(&path, installed).unwrap();
    fs::copy(folder().join("deploy/sms-agent-sns.conf"), drop_ins.join("sns.conf")).unwrap();

    let verified = analyze().arg("verify").arg(&path).output().unwrap();
    let complaints = String::from_utf8_lossy(&verified.stderr);
    assert!(verified.status.success() && complaints.is_empty(), "{complaints}");
    let threshold = format!("--threshold={MOST_EXPOSED}");
    let rated = analyze().args(["security", "--offline=true", "--no-pager", &threshold]).arg(&path).output().unwrap();
    assert!(rated.status.success(), "{}", String::from_utf8_lossy(&rated.stdout));
    fs::remove_dir_all(place).unwrap();
}

#[test]
fn trials_and_what_goes_to_real_phones_share_no_folder() {
    let read = |name: &str| fs::read_to_string(folder().join("deploy").join(name)).unwrap();
    let named = |name: &str, key: &str| {
        let text = read(name);
        let line = text.lines().find(|line| !line.starts_with('#') && line.contains(key)).map(str::to_owned);
        line.unwrap_or_else(|| panic!("{name} names no folder")).split(" #").next().unwrap().trim().to_owned()
    };
    for (trial, real, key) in [
        ("compose.yaml", "compose.sns.yaml", ":/var/lib/sms-agent"),
        ("sms-agent.service", "sms-agent-sns.conf", "SMS_AGENT__DATA_DIR="),
    ] {
        assert_ne!(named(trial, key), named(real, key), "{trial} and {real}");
    }
}

/// The profile is the section that `sms-provision` writes, and each names the file that it is in.
#[test]
fn what_publishes_through_sns_from_a_key_file_names_its_profile() {
    let mut with_a_file = Vec::new();
    for name in ["compose.sns.yaml", "sms-agent-sns.conf", "kubernetes.yaml"] {
        let text = fs::read_to_string(folder().join("deploy").join(name)).unwrap();
        assert!(text.contains("SMS_AGENT__CARRIER"), "{name} is for SNS");
        if text.contains("AWS_SHARED_CREDENTIALS_FILE") {
            assert!(
                ["SMS_AWS__PROFILE: sms ", "SMS_AWS__PROFILE=sms\n"].iter().any(|set| text.contains(set)),
                "{name}"
            );
            with_a_file.push(name);
        }
    }
    assert_eq!(with_a_file, ["compose.sns.yaml", "sms-agent-sns.conf"]);
}

#[test]
fn the_application_of_compose_is_there_and_sends_an_sms() {
    let compose = fs::read_to_string(folder().join("deploy/compose.yaml")).unwrap();
    assert!(compose.contains(r#"volumes: ["./application:/app:ro"]"#) && compose.contains(r#"["node", "server.mjs"]"#));
    if !Command::new("node").arg("--version").output().is_ok_and(|output| output.status.success()) {
        std::io::stderr().write_all(b"node is not on this machine: the application was not run\n").unwrap();
        return;
    }
    let agent = process::Start::new().serve();
    let mut application = Command::new("node")
        .arg(folder().join("deploy/application/server.mjs"))
        .env("PORT", "0")
        .env("SMS_AGENT_URL", format!("http://{}", agent.address))
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut line = String::new();
    BufReader::new(application.stdout.take().unwrap()).read_line(&mut line).unwrap();
    let port: u16 = line.trim().strip_prefix("listening on port ").unwrap().parse().unwrap();
    let mut connection = TcpStream::connect(("127.0.0.1", port)).unwrap();
    connection.write_all(b"GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n").unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).unwrap();
    application.kill().unwrap();
    application.wait().unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 ") && answer.contains(r#""status": "sent""#), "{answer}");
    let received = agent.get("/v1/simulator/messages").json();
    assert_eq!(received["messages"][0]["body"], "Hello from Compose");
}

/// The variables of all settings, from the file that documents every key.
fn settings() -> BTreeSet<String> {
    let example = fs::read_to_string(folder().join("../config/sms.example.toml")).unwrap();
    let mut section = String::new();
    let mut variables = BTreeSet::new();
    for line in example.lines() {
        if let Some(name) = line.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
            section = name.to_ascii_uppercase();
        } else if let Some((key, _)) = line.trim_start_matches('#').split_once(" = ")
            && key.chars().all(|c| c.is_ascii_lowercase() || c == '_')
        {
            variables.insert(format!("SMS_{section}__{}", key.to_ascii_uppercase()));
        }
    }
    variables
}
