//! An AWS account on a moto of its own, and the real program run against it.

#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;

use crate::peers::{Moto, python};

/// An empty account, and a home folder for who administers it.
pub(crate) struct Account {
    pub(crate) moto: Moto,
    pub(crate) home: tempfile::TempDir,
}

/// What a run of the program came to.
#[derive(Debug)]
pub(crate) struct Ran {
    pub(crate) status: Option<i32>,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Ran {
    /// Standard output as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.out).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The same, where it must have ended with that status.
    #[track_caller]
    pub(crate) fn ended(self, status: i32) -> Self {
        assert_eq!(self.status, Some(status), "{}\n{}", self.out, self.err);
        self
    }

    /// The changes of `plan --json`, each `ACTION KIND NAME`.
    pub(crate) fn changes(&self) -> Vec<String> {
        let changes = self.json()["changes"].clone();
        let word = |change: &Value, key: &str| change[key].as_str().unwrap().to_owned();
        let line = |change| format!("{} {} {}", word(change, "action"), word(change, "kind"), word(change, "name"));
        changes.as_array().unwrap().iter().map(line).collect()
    }

    /// The attributes that a change of `plan --json` differs in.
    pub(crate) fn differing(&self, kind: &str, name: &str) -> Vec<String> {
        let json = self.json();
        let changes = json["changes"].as_array().unwrap();
        let change = changes.iter().find(|change| change["kind"] == kind && change["name"] == name);
        let change = change.unwrap_or_else(|| panic!("no change of {kind} {name}: {}", self.out));
        change["attributes"].as_object().unwrap().keys().cloned().collect()
    }
}

impl Account {
    /// An empty one.
    pub(crate) fn new() -> Self {
        Self { moto: Moto::start(), home: tempfile::tempdir().unwrap() }
    }

    /// The program with those arguments, ready to be started against `endpoint`.
    pub(crate) fn command(&self, endpoint: &str, arguments: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
        command.args(arguments).env_clear().envs(self.moto.environment()).env("AWS_ENDPOINT_URL", endpoint);
        command.env("HOME", self.home.path()).current_dir(self.home.path()).stdin(Stdio::null());
        command
    }

    /// Runs the program.
    pub(crate) fn run(&self, arguments: &[&str]) -> Ran {
        Self::ran(self.command(self.moto.endpoint(), arguments))
    }

    /// Runs a command that was made ready.
    pub(crate) fn ran(mut command: Command) -> Ran {
        let output = command.output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        Ran { status: output.status.code(), out: text(output.stdout), err: text(output.stderr) }
    }

    /// Runs Python with boto3's clients `iam`, `sns`, `logs`, `cw` and `sqs` of this account, and gives back what it prints.
    pub(crate) fn boto(&self, script: &str) -> String {
        const CLIENTS: &str = "import boto3, json\n\
             iam, sns, logs, cw, sqs, sts = (boto3.client(name) for name in \
             ('iam', 'sns', 'logs', 'cloudwatch', 'sqs', 'sts'))\n";
        let mut command = Command::new(python());
        command.args(["-c", &format!("{CLIENTS}{script}")]).env_clear().envs(self.moto.environment());
        command.env("AWS_DEFAULT_REGION", "us-east-1");
        let ran = Self::ran(command);
        assert_eq!(ran.status, Some(0), "{}", ran.err);
        ran.out
    }

    /// All that moto holds of those services, but for moments, identifiers that it makes up, and what is empty.
    pub(crate) fn state(&self) -> Value {
        serde_json::from_str(&self.boto(include_str!("state.py"))).unwrap()
    }

    /// The credentials file.
    pub(crate) fn credentials(&self) -> PathBuf {
        self.home.path().join(".aws/credentials")
    }
}
