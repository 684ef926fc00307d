//! Settings that come as text: variables `SMS_<SECTION>__<KEY>`, and `--set KEY=VALUE`.
//!
//! Each is handed over as the string it is; what it means is decided by its key. figment's own `Env` guesses types
//! instead (a phone number becomes a number) and prints the value when the guess was wrong.

use std::ffi::OsString;

use figment::value::{Dict, Value};

use super::error::{Origin, Problem};

const PREFIX: &str = "SMS_";

/// The settings among all variables. `SMS_` without a `__` is not ours: Kubernetes makes some for a service `sms`.
pub(super) fn of_variables(env: &[(OsString, OsString)], problems: &mut Vec<Problem>) -> Dict {
    let mut layer = Dict::new();
    for (name, value) in env {
        let Some(name) = name.to_str() else { continue };
        let Some(levels) = levels(name) else { continue };
        if value.is_empty() {
            continue;
        }
        let key = levels.to_ascii_lowercase().replace("__", ".");
        let what = match (value.to_str(), key.split_once('.')) {
            (_, Some(("targets", _))) => "can be set in the settings file only",
            _ if levels.contains(|c: char| c.is_ascii_lowercase()) => "must be written in upper case",
            (None, _) => "must be UTF-8 text",
            (Some(value), Some((section, key))) => {
                insert(&mut layer, section, key, value);
                continue;
            }
            (Some(_), None) => continue,
        };
        problems.push(Problem::Setting { key, origin: Origin::Variable(name.to_owned()), what: what.to_owned() });
    }
    layer
}

/// Section and key, as the name of a variable has them. One that begins with `SMS__` is a near miss.
fn levels(name: &str) -> Option<&str> {
    name.strip_prefix(PREFIX).filter(|rest| rest.contains("__") && !rest.starts_with('_'))
}

/// Whether a variable of this name is read as a setting.
pub(super) fn is_read(name: &str) -> bool {
    levels(name).is_some()
}

/// The settings of the command line.
pub(super) fn of_arguments(set: &[String], problems: &mut Vec<Problem>) -> Dict {
    let mut layer = Dict::new();
    for (index, argument) in set.iter().enumerate() {
        let Some((key, value)) = argument.split_once('=') else {
            problems.push(Problem::NoPair(index + 1));
            continue;
        };
        let what = match key.split_once('.') {
            _ if value.is_empty() => continue,
            _ if key == "targets" || key.starts_with("targets.") => "can be set in the settings file only",
            None => "is not a setting; name its section too, as in agent.carrier",
            Some((section, key)) => {
                insert(&mut layer, section, key, value);
                continue;
            }
        };
        problems.push(Problem::Setting { key: key.to_owned(), origin: Origin::Set, what: what.to_owned() });
    }
    layer
}

/// The name of the variable for a key.
pub(super) fn variable_of(key: &str) -> String {
    format!("{PREFIX}{}", key.to_ascii_uppercase().replace('.', "__"))
}

fn insert(layer: &mut Dict, section: &str, key: &str, value: &str) {
    if let Value::Dict(_, keys) = layer.entry(section.to_owned()).or_insert_with(|| Dict::new().into()) {
        keys.insert(key.to_owned(), Value::from(value));
    }
}
