//! The settings from outside: a folder, an environment and a command line in, settings or an error out.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "clippy does not see that all of this crate is tests")]

mod account;
mod errors;
mod listing;
mod rules;
mod sources;

use std::ffi::OsString;
use std::path::Path;

use sms_config::{Loaded, Settings, SettingsError, Sources};
use tempfile::TempDir;

/// What a process is started with: an empty folder of its own, and a home.
struct Start {
    folder: TempDir,
    sources: Sources,
}

impl Start {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let sources = Sources {
            config: None,
            set: Vec::new(),
            env: vec![("HOME".into(), "/somebody".into())],
            working_dir: folder.path().to_owned(),
            system_file: folder.path().join("etc.toml"),
            runs_agent: true,
        };
        Self { folder, sources }
    }

    /// With `./sms.toml`.
    fn file(self, content: &str) -> Self {
        self.file_at("sms.toml", content)
    }

    fn file_at(self, name: impl AsRef<Path>, content: &str) -> Self {
        std::fs::write(self.folder.path().join(name), content).unwrap();
        self
    }

    fn var(mut self, name: &str, value: impl Into<OsString>) -> Self {
        self.sources.env.push((name.into(), value.into()));
        self
    }

    fn without_home(mut self) -> Self {
        self.sources.env.retain(|(name, _)| name != "HOME");
        self
    }

    fn without_agent(self) -> Self {
        Self { sources: self.sources.without_agent(), ..self }
    }

    fn config(mut self, name: &str) -> Self {
        self.sources.config = Some(name.into());
        self
    }

    fn set(mut self, pair: &str) -> Self {
        self.sources.set.push(pair.to_owned());
        self
    }

    fn load(&self) -> Result<Loaded, SettingsError> {
        Loaded::load(&self.sources)
    }

    fn settings(&self) -> Settings {
        self.load().unwrap_or_else(|error| panic!("{error}")).settings
    }

    fn listing(&self) -> String {
        self.load().unwrap_or_else(|error| panic!("{error}")).listing().to_owned()
    }

    /// All that is wrong, with the folder's own name taken out.
    fn error(&self) -> String {
        let error = self.load().expect_err("these settings are refused");
        error.to_string().replace(&format!("{}/", self.folder.path().display()), "")
    }
}
