//! The effective settings, one line a key, as `sms-agent check` prints them.
//!
//! What was given is shown as it was given; what was worked out, as it came out. Secrets are replaced.

use figment::value::Value as Given;

use super::account::TargetValues;
use super::error::Origin;
use super::keys::{self, KEYS, Key};
use super::redact::{REDACTED, redact_url};
use super::shape::Settings;
use super::sources::Sources;
use super::values::Values;

/// One line for every key, and for what the targets set themselves.
pub(super) fn listing(settings: &Settings, values: &Values, targets: &[TargetValues], sources: &Sources) -> String {
    let keys = KEYS.iter().map(|key| {
        if let Some((variable, value)) = left_to_aws(key, values, sources) {
            return line(key.name, &quoted(&value), &Origin::Variable(variable.to_owned()));
        }
        let shown = computed(key, settings).or_else(|| given(key, values)).unwrap_or_else(|| quoted(""));
        line(key.name, &shown, &values.origin(key.name))
    });
    let of_targets = targets.iter().flat_map(|target| {
        let own = keys::under("targets").filter_map(move |key| Some((key, "", given(key, &target.own)?)));
        let account =
            keys::under("account").filter_map(move |key| Some((key, ".account", given(key, &target.account)?)));
        own.chain(account).map(|(key, level, shown)| {
            line(&format!("{}{level}.{}", target.shown, key.parts().1), &shown, &target.origin)
        })
    });
    keys.chain(of_targets).collect()
}

/// The SDK's own variable for a key that the settings leave open.
fn left_to_aws(key: &Key, values: &Values, sources: &Sources) -> Option<(&'static str, String)> {
    let variables: &[&'static str] = match key.name {
        "aws.region" => &["AWS_REGION", "AWS_DEFAULT_REGION"],
        "aws.profile" => &["AWS_PROFILE", "AWS_DEFAULT_PROFILE"],
        "aws.endpoint_url" => &["AWS_ENDPOINT_URL"],
        _ => return None,
    };
    if values.entry(key.name).is_some() {
        return None;
    }
    let set = |name: &&'static str| {
        let value = sources.variable(name)?.to_str().filter(|value| !value.trim().is_empty())?;
        let shown =
            if key.kind.parse(value).and_then(|value| key.kind.read(&value)).is_some() { value } else { REDACTED };
        Some((*name, if key.name.ends_with("_url") { redact_url(shown) } else { shown.to_owned() }))
    };
    variables.iter().find_map(set)
}

fn line(name: &str, shown: &str, origin: &Origin) -> String {
    format!("{name} = {shown}  # {origin}\n")
}

/// What the keys with a computed default came to, and every `~`.
fn computed(key: &Key, settings: &Settings) -> Option<String> {
    let path = |path: &std::path::Path| Some(quoted(&path.to_string_lossy()));
    match key.name {
        "agent.data_dir" => path(&settings.agent.data_dir),
        "agent.token_file" => path(&settings.agent.token_file),
        "account.credentials_file" => path(settings.account.credentials_file.as_deref()?),
        "dispatch.segments_per_second" => {
            Some(settings.dispatch.segments_per_second.map_or(0, std::num::NonZeroU32::get).to_string())
        }
        _ => None,
    }
}

fn given(key: &Key, values: &Values) -> Option<String> {
    let entry = values.entry(key.name)?;
    Some(match entry.given.as_str() {
        Some(_) if key.is_secret() => quoted(REDACTED),
        Some(url) if key.name.ends_with("_url") => quoted(&redact_url(url)),
        _ => toml(&entry.given),
    })
}

/// The value as TOML has it.
fn toml(given: &Given) -> String {
    match given {
        Given::Dict(_, pairs) if pairs.is_empty() => "{}".to_owned(),
        Given::Dict(_, pairs) => {
            let pairs: Vec<_> = pairs.iter().map(|(key, value)| format!("{} = {}", quoted(key), toml(value))).collect();
            format!("{{ {} }}", pairs.join(", "))
        }
        Given::Array(_, list) => format!("[{}]", list.iter().map(toml).collect::<Vec<_>>().join(", ")),
        Given::Bool(_, flag) => flag.to_string(),
        Given::String(_, text) => quoted(text),
        _ => given.to_i128().map(|n| n.to_string()).or_else(|| Some(given.to_u128()?.to_string())).unwrap_or_default(),
    }
}

/// A TOML string on one line: JSON's escapes are TOML's too.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string().replace('\u{7f}', "\\u007f")
}
