//! Tags: which are ours to look after, whose a resource is by them, and what has to be called to change them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Update;
use crate::aws::Holder;
use crate::resource::{Attributes, Owner, TAG, text};
use crate::stack::{KEY_PENDING_TAG, KEY_RETIRING_TAG, RECORD_TAG, STACK_TAG};

/// The tags that the plan compares: not AWS's own, and not those that keep what `apply` has to remember.
pub(super) fn compared<K, V>(tags: impl IntoIterator<Item = (K, V)>) -> Attributes
where
    K: AsRef<str>,
    V: Into<String>,
{
    let of_keys = [KEY_PENDING_TAG, KEY_RETIRING_TAG];
    let kept = |key: &str| key.starts_with("aws:") || key.starts_with(RECORD_TAG) || of_keys.contains(&key);
    tags.into_iter()
        .filter(|(key, _)| !kept(key.as_ref()))
        .map(|(key, value)| (format!("{TAG}{}", key.as_ref()), Value::from(value.into())))
        .collect()
}

/// Whose a resource with those tags is, for the stack of that name.
pub(super) fn owner(attributes: &Attributes, stack: &str) -> Owner {
    match attributes.get(&format!("{TAG}{STACK_TAG}")).and_then(Value::as_str) {
        Some(other) if other == stack => Owner::Ours,
        Some(other) => Owner::Other(format!("belongs to the stack {other} (tag {STACK_TAG})")),
        None => Owner::Other(format!("carries no tag {STACK_TAG}")),
    }
}

/// Who holds the name of something that was to be made, by the tags of what is there.
pub(super) fn holder<K, V>(tags: impl IntoIterator<Item = (K, V)>, stack: &str) -> Holder
where
    K: AsRef<str>,
    V: Into<String>,
{
    match owner(&compared(tags), stack) {
        Owner::Ours => Holder::Us,
        Owner::Other(_) => Holder::Other,
    }
}

/// The tags to set with their values, and the keys of those to remove.
pub(super) fn changes<'a>(update: &Update<'a>) -> (Vec<(&'a str, &'a str)>, Vec<&'a str>) {
    of_keys(update.changed, update.wanted)
}

fn of_keys<'a>(changed: &'a BTreeSet<String>, wanted: &'a Attributes) -> (Vec<(&'a str, &'a str)>, Vec<&'a str>) {
    let (mut set, mut remove) = (Vec::new(), Vec::new());
    for attribute in changed {
        let Some(key) = attribute.strip_prefix(TAG) else { continue };
        match wanted.contains_key(attribute) {
            true => set.push((key, text(wanted, attribute))),
            false => remove.push(key),
        }
    }
    (set, remove)
}
