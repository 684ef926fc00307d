//! The settings: one table of keys, read from one file, the environment and the command line, checked once at start.
//!
//! In flow [`Sources`], out flow [`Settings`] with nothing left to check, or everything that is wrong with them.
//! `sources` and `text` put the layers on each other, `values` reads them by the table in `keys`, `check` and the
//! sections ask whether they fit each other. No value that was refused ever appears in an error.

mod account;
mod agent;
mod check;
mod error;
#[cfg(test)]
mod example;
mod form;
mod keys;
mod kind;
mod listing;
mod near_misses;
mod queue_url;
mod redact;
mod shape;
mod sources;
mod text;
mod values;

use std::path::PathBuf;

use figment::Provider;
use figment::value::{Dict, Tag};

pub use account::{Account, Target};
pub use error::SettingsError;
pub use queue_url::QueueUrl;
pub use shape::{
    Agent, Aws, Carrier, Dispatch, Listen, Numbers, OnUnknown, Outbox, Queue, Role, Settings, Simulator, SmsType,
};
pub use sources::Sources;

use account::TargetValues;
use check::Check;
use error::{Origin, Problem};
use values::{Reader, Values};

/// The settings of a process, with where they came from.
#[derive(Debug)]
pub struct Loaded {
    /// What the process runs on.
    pub settings: Settings,
    /// The file that was used, to be named on standard error.
    pub file: Option<PathBuf>,
    /// What users should know of variables that look like settings and are not read; a line of the log each.
    pub near_misses: Vec<String>,
    listing: String,
}

impl Loaded {
    /// Reads, layers and checks everything.
    ///
    /// # Errors
    /// All that is wrong: key, where it came from and what is allowed, never the value.
    pub fn load(sources: &Sources) -> Result<Self, SettingsError> {
        let mut problems = Vec::new();
        let (figment, file) = sources.layers(&mut problems);
        let origin_of = |tag: Tag, key: &str| match figment.get_metadata(tag).map(|layer| &*layer.name) {
            Some(sources::FILE) => Origin::File(file.clone().unwrap_or_default()),
            Some(sources::VARIABLE) => Origin::Variable(text::variable_of(key)),
            Some(sources::SET) => Origin::Set,
            _ => Origin::Default,
        };
        let layered = figment.data().ok().and_then(|mut all| all.remove(&figment::Profile::Default));
        let mut reader = Reader { origin_of: &origin_of, problems: &mut problems };
        let (values, targets) = reader.all(layered.unwrap_or_default());
        if !problems.is_empty() {
            return Err(SettingsError(problems));
        }
        let settings = settings(sources, &values, &targets, &mut problems);
        if !problems.is_empty() {
            return Err(SettingsError(problems));
        }
        let listing = listing::listing(&settings, &values, &targets, sources);
        let near_misses = near_misses::near_misses(&sources.env);
        Ok(Self { settings, file, near_misses, listing })
    }

    /// What `sms-agent check` prints: one line a key, `key = value  # default | FILE | VARIABLE | --set`, secrets
    /// replaced. What of `[aws]` is left to `AWS_*` is shown with the variable that has it. The left of each `#` is TOML.
    pub fn listing(&self) -> &str {
        &self.listing
    }
}

impl Reader<'_> {
    /// Reads all sections.
    fn all(&mut self, layered: Dict) -> (Values, Vec<TargetValues>) {
        let (mut values, mut targets) = (Values::default(), Vec::new());
        for (section, given) in layered {
            let tag = given.tag();
            if section == "targets" {
                targets = self.targets(given);
                continue;
            }
            match (keys::KEYS.iter().map(|key| key.parts().0).find(|known| *known == section), given.into_dict()) {
                (Some(known), Some(given)) => self.section(known, known, given, &mut values),
                (Some(known), None) => {
                    self.refuse(known, tag, format!("must be a section, [{known}] with its keys under it"))
                }
                // A section that does not exist is named by the keys in it: that is how a variable is found again.
                (None, given) => self.strange_section(&section, tag, given.unwrap_or_default()),
            }
        }
        (values, targets)
    }

    fn strange_section(&mut self, section: &str, tag: Tag, given: Dict) {
        let sections = ["agent", "outbox", "dispatch", "simulator", "aws", "account", "targets"];
        let what = match keys::nearest(section, sections.into_iter()) {
            Some(near) => format!("is in no section of the settings; did you mean [{near}]?"),
            None => format!("is in no section of the settings; they are {}", sections.join(", ")),
        };
        if given.is_empty() {
            self.refuse(section, tag, what.as_str());
        }
        for (member, given) in given {
            self.refuse(&format!("{section}.{member}"), given.tag(), what.as_str());
        }
    }
}

/// Checks all sections, each target's account with its own values over those of `[account]`.
fn settings(sources: &Sources, values: &Values, targets: &[TargetValues], problems: &mut Vec<Problem>) -> Settings {
    let (home, state_home) = (sources.folder("HOME"), sources.folder("XDG_STATE_HOME"));
    let (home, state_home, runs_agent) = (home.as_deref(), state_home.as_deref(), sources.runs_agent);
    let mut check = Check { values, home, state_home, runs_agent, problems };
    let mut settings = Settings {
        agent: check.agent(),
        outbox: agent::outbox(values),
        dispatch: agent::dispatch(values),
        simulator: agent::simulator(values),
        aws: check.aws(),
        account: check.account(),
        targets: Vec::new(),
    };
    for target in targets {
        let mut values = values.clone();
        values.overlay(&target.account);
        let mut check = Check { values: &values, problems: check.problems, ..check };
        settings.targets.push(check.target(target, &settings.aws, &settings.targets));
    }
    settings
}
