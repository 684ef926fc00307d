//! Where settings come from: the defaults, one file, the environment, `--set`; the later wins.
//!
//! In flow the file's TOML and the texts, out flows one figment whose every value still knows its layer. Nothing is
//! read from the process but in [`Sources::from_process`], so that tests hand in whatever surroundings they like.

use std::ffi::{OsStr, OsString};
use std::fmt;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use figment::value::{Dict, Map};
use figment::{Error, Figment, Metadata, Profile, Provider};

use super::error::Problem;
use super::keys::{Default, KEYS};
use super::text;

/// The variable that names the file.
const CONFIG: &str = "SMS_CONFIG";

/// Where the settings of the whole machine are.
const SYSTEM_FILE: &str = "/etc/sms/sms.toml";

/// Everything that settings are read from.
#[derive(Clone)]
pub struct Sources {
    /// `--config`: this file and no other; it must exist.
    pub config: Option<PathBuf>,
    /// Each `--set KEY=VALUE`, in order.
    pub set: Vec<String>,
    /// The environment.
    pub env: Vec<(OsString, OsString)>,
    /// The folder in which `sms.toml` is looked for; empty is the process's own.
    pub working_dir: PathBuf,
    /// The file of the whole machine, `/etc/sms/sms.toml`.
    pub system_file: PathBuf,
    /// Whether an agent runs on the settings: it needs its folders, which may hang on a `HOME` that is not there.
    pub runs_agent: bool,
}

impl fmt::Debug for Sources {
    /// Without the texts: the environment has other people's secrets too.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sources").field("config", &self.config).finish_non_exhaustive()
    }
}

impl Sources {
    /// What this process, an agent, was started with.
    pub fn from_process(config: Option<PathBuf>, set: Vec<String>) -> Self {
        let (env, system_file) = (std::env::vars_os().collect(), PathBuf::from(SYSTEM_FILE));
        Self { config, set, env, working_dir: PathBuf::new(), system_file, runs_agent: true }
    }

    /// The same for a process that is no agent: what only that cannot do without is not missed.
    #[must_use]
    pub fn without_agent(self) -> Self {
        Self { runs_agent: false, ..self }
    }

    /// A variable of the environment; empty is not set.
    pub(super) fn variable(&self, name: &str) -> Option<&OsStr> {
        let found = self.env.iter().find(|(other, _)| other == name);
        found.map(|(_, value)| value.as_os_str()).filter(|value| !value.is_empty())
    }

    /// A folder that a variable names; the base directory specification has relative ones ignored.
    pub(super) fn folder(&self, name: &str) -> Option<PathBuf> {
        self.variable(name).map(PathBuf::from).filter(|path| path.is_absolute())
    }

    /// The file that is used: one that is named, else the first that exists.
    fn file(&self) -> Option<PathBuf> {
        let named = self.config.clone().or_else(|| self.variable(CONFIG).map(PathBuf::from));
        let found = || [Path::new("sms.toml"), &self.system_file].map(|path| self.working_dir.join(path));
        named
            .map(|path| self.working_dir.join(path))
            // What exists and cannot be read is an error later, not a reason to take the next.
            .or_else(|| found().into_iter().find(|path| path.try_exists().unwrap_or(true)))
    }

    /// All layers on top of each other, and the file among them.
    pub(super) fn layers(&self, problems: &mut Vec<Problem>) -> (Figment, Option<PathBuf>) {
        let file = self.file();
        let of_file = file.as_deref().map(|path| (path, read_file(path)));
        let of_file = of_file.and_then(|(path, read)| {
            read.map_err(|what| problems.push(Problem::File { path: path.to_owned(), what })).ok()
        });
        let figment = Figment::from(Layer(DEFAULTS, defaults()))
            .merge(Layer(FILE, of_file.unwrap_or_default()))
            .merge(Layer(VARIABLE, text::of_variables(&self.env, problems)))
            .merge(Layer(SET, text::of_arguments(&self.set, problems)));
        (figment, file)
    }
}

// The layers' names, by which a value's origin is found again.
const DEFAULTS: &str = "defaults";
pub(super) const FILE: &str = "file";
pub(super) const VARIABLE: &str = "variable";
pub(super) const SET: &str = "set";

/// One source under its name, so that figment keeps which value came from which.
struct Layer(&'static str, Dict);

impl Provider for Layer {
    fn metadata(&self) -> Metadata {
        Metadata::named(self.0)
    }

    fn data(&self) -> Result<Map<Profile, Dict>, Error> {
        Ok(Map::from([(Profile::Default, self.1.clone())]))
    }
}

/// The table's defaults, as a file that sets them all would have them.
fn defaults() -> Dict {
    let lines = KEYS.iter().filter_map(|key| match key.default {
        Default::Is(literal) => Some(format!("{} = {literal}\n", key.name)),
        Default::Computed | Default::Unset => None,
    });
    // That the table is TOML is held by the tests of the example file.
    toml::from_str(&lines.collect::<String>()).unwrap_or_default()
}

fn read_file(path: &Path) -> Result<Dict, String> {
    let bytes = std::fs::read(path).map_err(|error| match error.kind() {
        // Only one that was named can be missing: the others are looked for.
        ErrorKind::NotFound => format!("does not exist; --config or {CONFIG} names it"),
        kind => format!("cannot be read: {kind}"),
    })?;
    let content = String::from_utf8(bytes).map_err(|_| "is not UTF-8 text".to_owned())?;
    let content = content.strip_prefix('\u{feff}').unwrap_or(&content);
    toml::from_str(content).map_err(|error| what_is_wrong(content, &error))
}

/// Where the TOML breaks off. Its parser would show the line, and with it the value.
fn what_is_wrong(content: &str, error: &toml::de::Error) -> String {
    let why = match error.message() {
        message if message.starts_with("duplicate key") => "a key or section stands twice",
        message if message.contains("must be quoted") => "is not TOML: text has to be in quotes,",
        message if message.contains("key with no value") => "is not TOML: a key has no value,",
        message if message.contains("invalid basic string") || message.contains("invalid literal string") => {
            "is not TOML: text has no closing quote,"
        }
        _ => "is not TOML",
    };
    let Some(span) = error.span() else { return why.to_owned() };
    let before = content.char_indices().take_while(|(at, _)| *at < span.start).map(|(_, c)| c);
    let (line, column) =
        before.fold((1, 1), |(line, column), c| if c == '\n' { (line + 1, 1) } else { (line, column + 1) });
    format!("{why} at line {line}, column {column}")
}
