//! From layers to values: every key that somebody set, known, of its kind and in range, with where it came from.
//!
//! In flows the merged figment, out flow the values; what is unknown or not allowed becomes a problem. Whether values
//! fit each other is asked afterwards, and only where each is right for itself.

use std::collections::BTreeMap;
use std::time::Duration;

use figment::value::{Dict, Tag, Value as Given};

use super::error::{Origin, Problem};
use super::keys::{self, Key};
use super::kind::Value;

/// One value, as it was given and as it was understood.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) given: Given,
    pub(super) value: Value,
    pub(super) origin: Origin,
}

/// Values by the names of their keys.
#[derive(Clone, Debug, Default)]
pub(super) struct Values(BTreeMap<&'static str, Entry>);

/// Reads sections, and keeps what is wrong with them.
pub(super) struct Reader<'a> {
    pub(super) origin_of: &'a dyn Fn(Tag, &str) -> Origin,
    pub(super) problems: &'a mut Vec<Problem>,
}

impl Reader<'_> {
    /// Notes what is wrong with a key.
    pub(super) fn refuse(&mut self, key: &str, tag: Tag, what: impl Into<String>) {
        let origin = (self.origin_of)(tag, key);
        self.problems.push(Problem::Setting { key: key.to_owned(), origin, what: what.into() });
    }

    /// Reads the keys of one section into `values`. `shown` is the section as errors name it.
    pub(super) fn section(&mut self, section: &'static str, shown: &str, given: Dict, values: &mut Values) {
        for (member, given) in given {
            let name = format!("{shown}.{member}");
            let Some(key) = keys::under(section).find(|key| key.parts().1 == member) else {
                self.refuse(&name, given.tag(), unknown(section, shown, &member));
                continue;
            };
            let origin = (self.origin_of)(given.tag(), &name);
            if key.can_be_unset() && given.as_str() == Some("") {
                continue;
            }
            let meant = match given.as_str().filter(|_| origin.is_text()) {
                Some(text) => key.kind.parse(text),
                None => Some(given.clone()),
            };
            match meant.and_then(|meant| Some((key.kind.read(&meant)?, meant))) {
                Some((value, given)) => values.insert(key, Entry { given, value, origin }),
                None => self.refuse(&name, given.tag(), format!("must be {}", key.kind.allowed())),
            }
        }
    }
}

/// The words for a key that does not exist.
fn unknown(section: &'static str, shown: &str, member: &str) -> String {
    let known = || keys::under(section).map(|key| key.parts().1);
    let elsewhere = || keys::KEYS.iter().find(|key| key.parts().1 == member).map(|key| key.name.to_owned());
    match keys::nearest(member, known()).map(|near| format!("{shown}.{near}")).or_else(elsewhere) {
        Some(near) => format!("is not a setting; did you mean {near}?"),
        None => format!("is not a setting; [{shown}] has {}", known().collect::<Vec<_>>().join(", ")),
    }
}

impl Values {
    pub(super) fn insert(&mut self, key: &'static Key, entry: Entry) {
        self.0.insert(key.name, entry);
    }

    /// Puts what `other` has over what stands here.
    pub(super) fn overlay(&mut self, other: &Self) {
        self.0.extend(other.0.iter().map(|(name, entry)| (*name, entry.clone())));
    }

    pub(super) fn entry(&self, name: &str) -> Option<&Entry> {
        self.0.get(name)
    }

    pub(super) fn origin(&self, name: &str) -> Origin {
        self.entry(name).map_or(Origin::Default, |entry| entry.origin.clone())
    }

    fn value(&self, name: &str) -> Option<&Value> {
        self.entry(name).map(|entry| &entry.value)
    }

    pub(super) fn find_text(&self, name: &str) -> Option<String> {
        if let Some(Value::Text(text)) = self.value(name) { Some(text.clone()) } else { None }
    }

    pub(super) fn find_number(&self, name: &str) -> Option<u32> {
        if let Some(Value::Number(number)) = self.value(name) { Some(*number) } else { None }
    }
}

// The keys read by these have a default in the table. One that had none, or were of another kind, would stop every
// start and every test.
macro_rules! with_default {
    ($($name:ident: $kind:ident($output:ty),)*) => {
        impl Values {
            $(pub(super) fn $name(&self, name: &str) -> $output {
                match self.value(name) {
                    Some(Value::$kind(value)) => value.clone(),
                    _ => unreachable!("the table of settings has no default of this kind for {name}"),
                }
            })*
        }
    };
}

with_default! {
    flag: Flag(bool),
    number: Number(u32),
    span: Span(Duration),
    text: Text(String),
    texts: Texts(Vec<String>),
    numbers: Numbers(Vec<u32>),
    tags: Tags(BTreeMap<String, String>),
}
