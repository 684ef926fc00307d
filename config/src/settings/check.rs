//! Whether values that are right for themselves also fit each other, and what the unset ones come to.
//!
//! In flow the values, out flows one checked section each. What does not fit becomes a problem under the key that has
//! to change; the section is built all the same, so that one start shows everything that is wrong.

use std::path::{Path, PathBuf};

use super::error::Problem;
use super::values::Values;

/// The values of one account and what the environment says about folders.
pub(super) struct Check<'a> {
    pub(super) values: &'a Values,
    /// What `~` stands for.
    pub(super) home: Option<&'a Path>,
    /// `$XDG_STATE_HOME`.
    pub(super) state_home: Option<&'a Path>,
    /// Whether an agent runs on the settings.
    pub(super) runs_agent: bool,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Check<'_> {
    /// Notes that a key does not fit the others; once, though every target has the keys of `[account]` too.
    pub(super) fn refuse(&mut self, key: &str, what: impl Into<String>) {
        let origin = self.values.origin(key);
        let problem = Problem::Setting { key: key.to_owned(), origin, what: what.into() };
        if !self.problems.contains(&problem) {
            self.problems.push(problem);
        }
    }

    /// The same of a folder or file that cannot be told without a `HOME`: whoever does not work with it does not miss it.
    pub(super) fn refuse_homeless(&mut self, key: &str, what: &str) {
        if self.runs_agent || !key.starts_with("agent.") {
            self.refuse(key, what);
        }
    }

    /// The path of a key, where it is set.
    pub(super) fn path(&mut self, key: &str) -> Option<PathBuf> {
        let text = self.values.find_text(key)?;
        let expanded = expand(&text, self.home);
        if expanded.is_none() {
            self.refuse_homeless(key, "begins with ~ and there is no HOME; write the whole path");
        }
        // The path is only looked at where nothing was refused.
        Some(expanded.unwrap_or_default())
    }
}

/// The path with its `~` replaced by the home folder, where there is one.
pub(super) fn expand(path: &str, home: Option<&Path>) -> Option<PathBuf> {
    match path.strip_prefix('~') {
        Some(rest) => home.map(|home| home.join(rest.trim_start_matches('/'))),
        None => Some(PathBuf::from(path)),
    }
}
