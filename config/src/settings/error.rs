//! What is wrong with the settings: which key, where it came from, what is allowed. Never the value: it may be a token.

use std::fmt;
use std::path::PathBuf;

/// Where a value came from.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(super) enum Origin {
    /// Nobody set it.
    Default,
    /// This settings file.
    File(PathBuf),
    /// This environment variable.
    Variable(String),
    /// `--set` on the command line.
    Set,
}

impl Origin {
    /// The settings that come as text, not as TOML.
    pub(super) fn is_text(&self) -> bool {
        matches!(self, Self::Variable(_) | Self::Set)
    }

    /// As an error has it: a default is never wrong, but something else may need more than it.
    fn in_words(&self) -> String {
        if matches!(self, Self::Default) { "not set".to_owned() } else { format!("from {self}") }
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Default => f.write_str("default"),
            Self::File(path) => path.display().fmt(f),
            Self::Variable(name) => f.write_str(name),
            Self::Set => f.write_str("--set"),
        }
    }
}

/// One thing that is wrong.
#[derive(Clone, Debug, Eq, PartialEq, thiserror::Error)]
pub(super) enum Problem {
    /// A key: unknown, of a wrong form, or at odds with another.
    #[error("{} ({}): {what}", printable(key), origin.in_words())]
    Setting {
        /// Section and key, `agent.wait`.
        key: String,
        /// Who set it.
        origin: Origin,
        /// What is wrong and what is allowed.
        what: String,
    },
    /// The settings file as a whole.
    #[error("settings file {}: {what}", path.display())]
    File {
        /// As it was asked for.
        path: PathBuf,
        /// What is wrong, with line and column where there are such.
        what: String,
    },
    /// A `--set` that is no `KEY=VALUE`.
    #[error("--set number {0}: must be KEY=VALUE, such as agent.carrier=sns")]
    NoPair(usize),
}

/// Everything that is wrong with the settings, one line each.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct SettingsError(pub(super) Vec<Problem>);

impl std::error::Error for SettingsError {}

impl fmt::Display for SettingsError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, problem) in self.0.iter().enumerate() {
            write!(f, "{}{problem}", if index == 0 { "" } else { "\n" })?;
        }
        Ok(())
    }
}

/// A name that a stranger chose, fit for a terminal: no control characters, no longer than a name can be.
fn printable(name: &str) -> String {
    name.chars().take(80).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}
