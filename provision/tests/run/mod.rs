//! The program run as its users run it: with a home of its own, and nothing else of the machine's environment.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "all of this is test code, outside of test functions too")]

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use super::peers::Moto;

/// One run of the program.
pub(crate) struct Run(Command);

/// What came of it.
#[derive(Debug)]
pub(crate) struct Told {
    pub(crate) status: Option<i32>,
    pub(crate) output: String,
    pub(crate) errors: String,
}

impl Run {
    /// With those arguments.
    pub(crate) fn new(arguments: &[&str]) -> Self {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
        command.args(arguments).env_clear().current_dir(folder()).env("HOME", folder());
        Self(command)
    }

    /// Those settings, `KEY=VALUE`.
    pub(crate) fn set(mut self, settings: &[&str]) -> Self {
        for setting in settings {
            self.0.args(["--set", setting]);
        }
        self
    }

    /// In the account that moto plays.
    pub(crate) fn at(self, moto: &Moto) -> Self {
        self.environment(&moto.environment())
    }

    /// With those variables.
    pub(crate) fn environment(mut self, variables: &[(&str, &str)]) -> Self {
        self.0.envs(variables.iter().copied().map(|(name, value)| (name.to_owned(), OsString::from(value))));
        self
    }

    pub(crate) fn run(mut self) -> Told {
        let output = self.0.output().expect("the program starts");
        let text = |bytes| String::from_utf8(bytes).expect("it says text");
        Told { status: output.status.code(), output: text(output.stdout), errors: text(output.stderr) }
    }
}

impl Told {
    /// The answer for programs.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.output).unwrap_or_else(|_| panic!("no JSON: {self:?}"))
    }
}

/// A settings file of that text.
pub(crate) fn settings(text: &str) -> PathBuf {
    let file = folder().join("settings.toml");
    std::fs::write(&file, text).expect("the folder for temporary files is writable");
    file
}

/// A folder of this call's own.
fn folder() -> PathBuf {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
    let folder = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join(env!("CARGO_CRATE_NAME")).join(name);
    std::fs::create_dir_all(&folder).expect("the folder for temporary files is writable");
    folder
}
