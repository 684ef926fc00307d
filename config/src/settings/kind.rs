//! The kinds of value that a setting can have: how each is read, from TOML and from text, and what it allows.
//!
//! In flows one value as figment has it, out flows one of its final kind and in range, or nothing. The words of
//! [`Kind::allowed`] come from the same data as the check, so that an error and the example file cannot drift from it.

use std::collections::BTreeMap;
use std::time::Duration;

use figment::value::Value as Given;

use super::form::{self, Form};

/// What a key may hold.
pub(super) enum Kind {
    Flag,
    Number { min: u32, max: u32 },
    OneOf(&'static [u32]),
    Span { min: Duration, max: Duration },
    Word(&'static [&'static str]),
    Text(Form),
    Texts(Form),
    Numbers { min: u32, max: u32 },
    Tags,
}

/// A value that its kind allows.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Value {
    Flag(bool),
    Number(u32),
    Span(Duration),
    Text(String),
    Texts(Vec<String>),
    Numbers(Vec<u32>),
    Tags(BTreeMap<String, String>),
}

impl Kind {
    /// The value, where this kind allows it.
    pub(super) fn read(&self, given: &Given) -> Option<Value> {
        match self {
            Self::Flag => given.to_bool().map(Value::Flag),
            Self::Number { min, max } => number(given, *min, *max).map(Value::Number),
            Self::OneOf(choices) => number(given, 0, u32::MAX).filter(|n| choices.contains(n)).map(Value::Number),
            Self::Span { min, max } => span(given.as_str()?).filter(|s| (min..=max).contains(&s)).map(Value::Span),
            Self::Word(words) => given.as_str().filter(|word| words.contains(word)).map(text),
            Self::Text(form) => given.as_str().filter(|word| (form.fits)(word)).map(text),
            Self::Texts(form) => {
                let texts = each(given, |one| one.as_str().filter(|word| (form.fits)(word)).map(str::to_owned))?;
                Some(Value::Texts(texts))
            }
            Self::Numbers { min, max } => Some(Value::Numbers(each(given, |one| number(one, *min, *max))?)),
            Self::Tags => {
                let pairs = given.as_dict()?.iter().map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())));
                Some(Value::Tags(pairs.collect::<Option<_>>().filter(form::are_tags)?))
            }
        }
    }

    /// What a text from a variable or `--set` would be in TOML, or nothing where it can be nothing of this kind.
    ///
    /// A string stays as it is, whatever it looks like. The range is checked later, by [`Kind::read`].
    pub(super) fn parse(&self, text: &str) -> Option<Given> {
        match self {
            Self::Flag => text.parse::<bool>().ok().map(Given::from),
            Self::Number { .. } | Self::OneOf(_) => text.parse::<u32>().ok().map(Given::from),
            Self::Span { .. } | Self::Word(_) | Self::Text(_) => Some(Given::from(text)),
            // An address may begin with a bracket too: `[::1]:7670` is a list of one.
            Self::Texts(_) => list(text).or_else(|| Some(split(text).collect::<Vec<_>>().into())),
            Self::Numbers { .. } => {
                let numbers = || split(text).map(|one| one.parse::<u32>().ok()).collect::<Option<Vec<_>>>();
                list(text).or_else(|| numbers().map(Given::from))
            }
            Self::Tags => json(text),
        }
    }

    /// What is allowed, in words that follow "must be".
    pub(super) fn allowed(&self) -> String {
        match self {
            Self::Flag => "true or false".to_owned(),
            Self::Number { min, max } => format!("a whole number, {min} to {max}"),
            Self::OneOf(choices) => {
                format!("one of {}", choices.iter().map(u32::to_string).collect::<Vec<_>>().join(", "))
            }
            Self::Span { min, max } => format!(
                "a duration with its unit, {} to {}",
                humantime::format_duration(*min),
                humantime::format_duration(*max)
            ),
            Self::Word(words) => words.iter().map(|word| format!("\"{word}\"")).collect::<Vec<_>>().join(" or "),
            Self::Text(form) => form.allowed.to_owned(),
            Self::Texts(form) => format!("a list without repeats, each {}", form.allowed),
            Self::Numbers { min, max } => format!("a list without repeats, each a whole number, {min} to {max}"),
            Self::Tags => form::TAGS.to_owned(),
        }
    }
}

fn text(word: &str) -> Value {
    Value::Text(word.to_owned())
}

fn number(given: &Given, min: u32, max: u32) -> Option<u32> {
    // TOML's numbers come signed, those of JSON and of our own text unsigned.
    let signed = given.to_i128().and_then(|n| u32::try_from(n).ok());
    let whole = signed.or_else(|| given.to_u128().and_then(|n| u32::try_from(n).ok()))?;
    (min..=max).contains(&whole).then_some(whole)
}

/// A duration with its unit: humantime also takes a bare `0`, whose unit nobody knows.
fn span(text: &str) -> Option<Duration> {
    if text.bytes().all(|byte| byte.is_ascii_digit()) { None } else { humantime::parse_duration(text).ok() }
}

/// All members of a list, where each can be read and none stands twice.
fn each<T: PartialEq>(given: &Given, read: impl Fn(&Given) -> Option<T>) -> Option<Vec<T>> {
    let list = given.as_array()?.iter().map(read).collect::<Option<Vec<_>>>()?;
    let repeats = list.iter().enumerate().any(|(index, one)| list.iter().take(index).any(|other| other == one));
    (!repeats).then_some(list)
}

/// A list that is written as JSON.
fn list(text: &str) -> Option<Given> {
    json(text).filter(|given| given.as_array().is_some())
}

fn split(text: &str) -> impl Iterator<Item = &str> {
    text.split(',').map(str::trim)
}

fn json(text: &str) -> Option<Given> {
    serde_json::from_str::<Given>(text).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PERCENT: Kind = Kind::Number { min: 1, max: 100 };
    const SPAN: Kind = Kind::Span { min: Duration::ZERO, max: Duration::from_secs(600) };

    #[test]
    fn a_number_is_whole_and_in_range() {
        for (given, want) in [(Given::from(1), true), (Given::from(100), true), (Given::from(0), false)] {
            assert_eq!(PERCENT.read(&given).is_some(), want, "{given:?}");
        }
        for wrong in [Given::from(101), Given::from(-1), Given::from(5.0), Given::from("5"), Given::from(true)] {
            assert_eq!(PERCENT.read(&wrong), None, "{wrong:?}");
        }
        assert_eq!(PERCENT.parse("18446744073709551616"), None);
        assert_eq!(PERCENT.parse("1e1"), None);
    }

    #[test]
    fn a_duration_carries_its_unit() {
        for (text, millis) in [("500ms", 500), ("1m30s", 90_000), ("0s", 0), ("10m", 600_000)] {
            assert_eq!(SPAN.read(&Given::from(text)), Some(Value::Span(Duration::from_millis(millis))), "{text}");
        }
        for wrong in ["0", "10", "", "10 parsecs", "-1s", "601s", "99999999999999999999s"] {
            assert_eq!(SPAN.read(&Given::from(wrong)), None, "{wrong}");
        }
        assert_eq!(SPAN.read(&Given::from(10)), None);
    }

    #[test]
    fn a_list_in_text_is_json_or_split_at_commas() {
        let kind = Kind::Texts(form::ROLE_NAME);
        for text in ["a, b", "a,b", r#"["a","b"]"#, "[ \"a\" , \"b\" ]"] {
            let given = kind.parse(text).unwrap();
            assert_eq!(kind.read(&given), Some(Value::Texts(vec!["a".into(), "b".into()])), "{text}");
        }
        for wrong in ["a,,b", "a,a", "[1]", r#"["a""#] {
            assert_eq!(kind.parse(wrong).and_then(|given| kind.read(&given)), None, "{wrong}");
        }
        let numbers = Kind::Numbers { min: 1, max: 100 };
        for text in ["80,100", "[80, 100]"] {
            assert_eq!(numbers.read(&numbers.parse(text).unwrap()), Some(Value::Numbers(vec![80, 100])), "{text}");
        }
    }

    #[test]
    fn a_string_stays_a_string_whatever_it_looks_like() {
        let kind = Kind::Text(form::ANY);
        for text in ["012345678901", "+15551234567", "007", "true", "1.0", "[x]", "{}", " x ", "null"] {
            assert_eq!(kind.read(&kind.parse(text).unwrap()), Some(Value::Text(text.to_owned())));
        }
    }
}
