//! The difference between what is wanted and what is there. Pure: it can be looked at, printed, and tested without AWS.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::aws::Place;
use crate::observe::Observed;
use crate::resource::{Attributes, Found, Id, Kind, Owner, Resource, TAG};
use crate::stack::Stack;

/// What is to be done about a resource.
#[derive(Clone, Copy, Debug, Eq, Ord, PartialEq, PartialOrd, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Action {
    /// It is not there.
    Create,
    /// It differs.
    Update,
    /// It should not be there.
    Delete,
    /// It carries our name and is not ours: nothing at all may be done.
    Conflict,
}

/// An attribute before and after; `null` where it is absent.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Difference {
    /// As it is.
    pub old: Value,
    /// As it should be.
    pub new: Value,
}

/// What is to be done, and why.
#[derive(Clone, Debug, PartialEq)]
pub struct Change {
    /// What to do.
    pub action: Action,
    /// With which resource.
    pub id: Id,
    /// What differs.
    pub attributes: BTreeMap<String, Difference>,
    /// All that it should be; `None` where it goes.
    pub wanted: Option<Attributes>,
    /// What is there.
    pub found: Option<Found>,
    /// What it needs.
    pub needs: Vec<Id>,
    /// Of a conflict: whose it is.
    pub owner: Option<String>,
}

/// Everything that is to be done in one account and region.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Where.
    pub place: Place,
    /// The stack.
    pub name: String,
    /// In a stable order: by kind, then by name.
    pub changes: Vec<Change>,
    /// How many resources are as they should be.
    pub unchanged: usize,
    /// What is worth knowing, though nothing is to be done about it.
    pub notes: Vec<String>,
    /// The actions that AWS refused while reading.
    pub refused: BTreeSet<&'static str>,
}

impl Plan {
    /// The difference. With `adopt`, what is not ours is taken over instead of being a conflict.
    pub fn of(stack: &Stack, place: &Place, observed: Observed, adopt: bool) -> Self {
        let unknown: BTreeSet<Kind> = observed.refused.iter().map(|(kind, _)| *kind).collect();
        let mut plan = Self {
            place: place.clone(),
            name: stack.names.stack.clone(),
            changes: Vec::new(),
            unchanged: 0,
            notes: Vec::new(),
            refused: observed.refused.iter().map(|(_, error)| error.action).collect(),
        };
        let mut found: BTreeMap<Id, Found> = observed.found.into_iter().map(|one| (one.id.clone(), one)).collect();
        for resource in stack.resources.iter().filter(|resource| !unknown.contains(&resource.id.kind)) {
            let there = found.remove(&resource.id);
            plan.add(resource, there, adopt);
        }
        // What can only be ours and is in no setting any more.
        for (id, there) in found {
            let needs = stack.resources.iter().filter(|one| one.id.kind == id.kind).flat_map(|one| one.needs.clone());
            let needs: BTreeSet<Id> = needs.collect();
            plan.add(&Resource { id, wanted: None, needs: needs.into_iter().collect() }, Some(there), adopt);
        }
        plan.changes.sort_by(|one, other| one.id.cmp(&other.id));
        plan
    }

    /// Whether anything stands in the way of doing it.
    pub fn conflicts(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.action == Action::Conflict)
    }

    /// How many changes have that action.
    pub fn count(&self, action: Action) -> usize {
        self.changes.iter().filter(|change| change.action == action).count()
    }

    fn add(&mut self, resource: &Resource, found: Option<Found>, adopt: bool) {
        if let Some(found) = &found {
            self.notes.extend(found.notes.iter().cloned());
        }
        let mut change = Change {
            action: Action::Create,
            id: resource.id.clone(),
            attributes: BTreeMap::new(),
            wanted: resource.wanted.clone(),
            needs: resource.needs.clone(),
            found,
            owner: None,
        };
        match (&mut change.wanted, &change.found) {
            (None, None) => return,
            (Some(wanted), None) => change.attributes = differences(wanted, &Attributes::new()),
            (None, Some(found)) => match (&found.owner, &found.keep) {
                (Owner::Other(_), _) => return,
                (Owner::Ours, Some(why)) => {
                    self.notes.push(format!("{} stays: {why}", found.id));
                    return;
                }
                (Owner::Ours, None) => {
                    change.action = Action::Delete;
                    change.attributes = match found.released.is_empty() {
                        true => found.attributes.iter().map(gone).collect(),
                        false => differences(&found.released, &found.attributes),
                    };
                }
            },
            (Some(wanted), Some(found)) => {
                wanted.extend(found.released.clone());
                change.attributes = differences(wanted, &found.attributes);
                match &found.owner {
                    Owner::Other(whose) if !adopt => {
                        change.action = Action::Conflict;
                        change.owner = Some(whose.clone());
                    }
                    _ if change.attributes.is_empty() => {
                        self.unchanged += 1;
                        return;
                    }
                    _ => change.action = Action::Update,
                }
            }
        }
        self.changes.push(change);
    }
}

fn gone((key, old): (&String, &Value)) -> (String, Difference) {
    (key.clone(), Difference { old: old.clone(), new: Value::Null })
}

/// Attributes that are not mentioned are not ours to look after, but for tags: those are all of them.
fn differences(wanted: &Attributes, found: &Attributes) -> BTreeMap<String, Difference> {
    let keys = wanted.keys().chain(found.keys().filter(|key| key.starts_with(TAG)));
    let keys: BTreeSet<&String> = keys.collect();
    let value = |of: &Attributes, key: &String| of.get(key).cloned().unwrap_or_default();
    keys.into_iter()
        .map(|key| (key.clone(), Difference { old: value(found, key), new: value(wanted, key) }))
        .filter(|(_, difference)| difference.old != difference.new)
        .collect()
}
