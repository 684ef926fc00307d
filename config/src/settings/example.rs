//! Holds `sms.example.toml` to the table of keys, both ways.
//!
//! In the example a line `#key = value` is a setting, at its default where it has one, and `# words` belong to the
//! next setting.

use super::keys::{Default, KEYS, Key, TARGET_KEYS};
use super::{Loaded, Settings, Sources};

const EXAMPLE: &str = include_str!("../../sms.example.toml");

/// A setting of the example with the words above it.
struct Documented {
    name: String,
    literal: &'static str,
    words: String,
}

/// All settings of the example.
fn documented() -> Vec<Documented> {
    let (mut section, mut words, mut found) = (String::new(), String::new(), Vec::new());
    for line in EXAMPLE.lines() {
        let bare = line.strip_prefix('#').unwrap_or(line);
        match (line.strip_prefix("# "), bare.split_once(" = ")) {
            (Some(more), _) => words = format!("{words} {more}"),
            (None, _) if bare.starts_with('[') => section = bare.trim_matches(['[', ']']).to_owned(),
            (None, Some((key, literal))) => {
                found.push(Documented { name: format!("{section}.{key}"), literal, words: std::mem::take(&mut words) });
            }
            (None, None) => words.clear(),
        }
    }
    found
}

/// The example's lines with every setting uncommented.
fn uncommented() -> impl Iterator<Item = &'static str> {
    EXAMPLE.lines().map(|line| line.strip_prefix('#').filter(|bare| !bare.starts_with(' ')).unwrap_or(line))
}

/// The settings of a file with these lines.
fn load<'a>(lines: impl Iterator<Item = &'a str>) -> Settings {
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("sms.toml"), lines.collect::<Vec<_>>().join("\n")).unwrap();
    let sources = Sources {
        config: None,
        set: Vec::new(),
        env: vec![("HOME".into(), "/somebody".into())],
        working_dir: folder.path().to_owned(),
        system_file: "none.toml".into(),
        runs_agent: true,
    };
    Loaded::load(&sources).unwrap_or_else(|error| panic!("{error}")).settings
}

#[test]
fn every_key_is_documented_once_in_the_order_of_the_table_and_none_else_is() {
    let found = documented();
    let names = found.iter().map(|one| one.name.as_str()).filter(|name| !name.starts_with("targets."));
    assert_eq!(names.collect::<Vec<_>>(), KEYS.iter().map(|key| key.name).collect::<Vec<_>>());
    for key in TARGET_KEYS {
        assert!(found.iter().any(|one| one.name == key.name), "{} is missing", key.name);
    }
    for one in found.iter().filter(|one| one.name.starts_with("targets.")) {
        let name = one.name.strip_prefix("targets.account.").map(|key| format!("account.{key}"));
        let name = name.unwrap_or_else(|| one.name.clone());
        assert!(KEYS.iter().chain(TARGET_KEYS).any(|key| key.name == name), "{name} does not exist");
    }
}

#[test]
fn every_key_stands_there_with_its_default_and_with_what_is_allowed() {
    let found = documented();
    let of = |key: &Key| found.iter().find(|one| one.name == key.name).unwrap();
    for key in KEYS {
        let allowed = format!("Must be {}.", key.kind.allowed());
        assert!(of(key).words.contains(&allowed), "{}: {:?} lacks {allowed:?}", key.name, of(key).words);
        match key.default {
            Default::Is(literal) => assert_eq!(of(key).literal, literal, "{}", key.name),
            Default::Unset => assert_eq!(of(key).literal, r#""""#, "{}", key.name),
            Default::Computed => assert!(of(key).words.contains("Default:"), "{} lacks its default", key.name),
        }
    }
}

#[test]
fn the_example_sets_nothing_as_it_is_and_the_defaults_when_every_line_is_uncommented() {
    let defaults = format!("{:?}", load(EXAMPLE.lines()));
    let computed = |line: &&str| {
        let of = |key: &Key| line.split_once(" = ").is_some_and(|(name, _)| name == key.parts().1);
        KEYS.iter().any(|key| matches!(key.default, Default::Computed) && of(key))
    };
    let lines = uncommented().take_while(|line| *line != "[[targets]]").filter(|line| !computed(line));
    assert_eq!(format!("{:?}", load(lines)), defaults);
    assert_eq!(format!("{:?}", load("".lines())), defaults);
}

#[test]
fn the_targets_of_the_example_are_right_as_they_stand() {
    let settings = load(uncommented());
    let names: Vec<_> = settings.targets.iter().map(|target| target.name.as_str()).collect();
    assert_eq!(names, ["production-eu", "staging"]);
    assert_eq!(settings.targets[0].account.monthly_spend_limit_usd, 200);
    assert_eq!(settings.agent.data_dir, std::path::Path::new("/somebody/.local/state/sms-agent"));
    assert_eq!(settings.dispatch.segments_per_second.map(std::num::NonZeroU32::get), Some(20));
}
