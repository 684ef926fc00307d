//! The difference between what is wanted and what is there. Pure: it can be looked at, printed, and tested without AWS.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;
use serde_json::Value;

use crate::aws::{CallError, Place};
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
    /// What is tried before it.
    pub after: Vec<Id>,
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
    /// What has to go and cannot, and why: nothing at all may be done.
    pub blocked: Vec<String>,
    /// What is more than the settings want, and is not for `apply` to take away.
    pub beyond: Vec<String>,
    /// What is worth knowing, though nothing is to be done about it.
    pub notes: Vec<String>,
    /// The actions that AWS refused while reading.
    pub refused: BTreeSet<&'static str>,
    /// Those of them that a grant would not help: what stands in the way, and what to do about it.
    pub barred: BTreeMap<&'static str, String>,
}

impl Plan {
    /// Notes a read that AWS refused.
    pub fn refuse(&mut self, error: &CallError) {
        self.refused.insert(error.action);
        if let Some(remedy) = error.remedy() {
            self.barred.insert(error.action, format!("{}; {remedy}", error.message));
        }
    }

    /// The difference. With `adopt`, what is not ours is taken over instead of being a conflict.
    pub fn of(stack: &Stack, place: &Place, observed: Observed, adopt: bool) -> Self {
        let unknown: BTreeSet<Kind> = observed.refused.iter().map(|(kind, _)| *kind).collect();
        let mut plan = Self {
            place: place.clone(),
            name: stack.names.stack.clone(),
            changes: Vec::new(),
            unchanged: 0,
            blocked: Vec::new(),
            beyond: Vec::new(),
            notes: Vec::new(),
            refused: BTreeSet::new(),
            barred: BTreeMap::new(),
        };
        observed.refused.iter().for_each(|(_, error)| plan.refuse(error));
        let mut found: BTreeMap<Id, Found> = observed.found.into_iter().map(|one| (one.id.clone(), one)).collect();
        // What is owned with a parent that is somebody else's is somebody else's, too, unless the parent is taken over: then
        // all on it is. A stack has one parent of a kind.
        let wants = |id: &Id| stack.resources.iter().any(|resource| resource.id == *id && resource.wanted.is_some());
        let is_foreign = |one: &&Found| matches!(one.owner, Owner::Other(_)) && !(adopt && wants(&one.id));
        let foreign: BTreeSet<Kind> = found.values().filter(is_foreign).map(|one| one.id.kind).collect();
        for one in found.values_mut().filter(|one| one.owner == Owner::Ours) {
            if let Some(parent) = one.id.kind.parent().filter(|parent| foreign.contains(parent)) {
                one.owner = Owner::Other(format!("is owned with its {}", parent.noun()));
            }
        }
        for resource in stack.resources.iter().filter(|resource| !unknown.contains(&resource.id.kind)) {
            let there = found.remove(&resource.id);
            plan.add(resource, there, adopt);
        }
        // What can only be ours and is in no setting any more.
        for (id, there) in found {
            let needs = stack.resources.iter().filter(|one| one.id.kind == id.kind).flat_map(|one| one.needs.clone());
            let needs: BTreeSet<Id> = needs.collect();
            plan.add(
                &Resource { id, wanted: None, needs: needs.into_iter().collect(), after: Vec::new() },
                Some(there),
                adopt,
            );
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
            if !found.beyond.is_empty() {
                self.beyond.push(format!(
                    "{} has more rights than its policy gives it: {}. Whoever gave them must take them away; apply does not",
                    found.id,
                    found.beyond.join(", ")
                ));
                self.notes.extend(self.beyond.last().cloned());
            }
        }
        let mut change = Change {
            action: Action::Create,
            id: resource.id.clone(),
            attributes: BTreeMap::new(),
            wanted: resource.wanted.clone(),
            needs: resource.needs.clone(),
            after: resource.after.clone(),
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
                    if !found.obstacles.is_empty() {
                        self.blocked.push(format!("{} cannot go: it has {}", found.id, found.obstacles.join(", ")));
                    }
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

#[cfg(test)]
mod tests {
    use serde_json::json;
    use sms_config::{Loaded, Sources};

    use super::*;
    use crate::aws::Fault;

    fn place() -> Place {
        Place { account: "123456789012".to_owned(), partition: "aws".to_owned(), region: "eu-west-1".to_owned() }
    }

    fn stack(resources: Vec<Resource>) -> Stack {
        let sources = Sources {
            config: None,
            set: Vec::new(),
            env: vec![("HOME".into(), "/home".into())],
            working_dir: "/nowhere".into(),
            system_file: "/nowhere/sms.toml".into(),
            runs_agent: false,
        };
        let account = Loaded::load(&sources).unwrap().settings.account;
        Stack { resources, ..Stack::wanted(&account, &place(), "sms") }
    }

    fn queue(wanted: Option<Value>) -> Resource {
        Resource {
            id: Id::new(Kind::SqsQueue, "q"),
            wanted: wanted.map(attributes),
            needs: Vec::new(),
            after: Vec::new(),
        }
    }

    fn attributes(object: Value) -> Attributes {
        serde_json::from_value(object).unwrap()
    }

    fn found(object: Value) -> Found {
        Found::ours(Id::new(Kind::SqsQueue, "q"), attributes(object))
    }

    fn plan(wanted: Option<Value>, there: Option<Found>, adopt: bool) -> Plan {
        let observed = Observed { found: there.into_iter().collect(), refused: Vec::new() };
        Plan::of(&stack(vec![queue(wanted)]), &place(), observed, adopt)
    }

    fn actions(plan: &Plan) -> Vec<Action> {
        plan.changes.iter().map(|change| change.action).collect()
    }

    #[test]
    fn what_is_as_it_should_be_is_counted_and_left_alone() {
        let plan = plan(Some(json!({ "a": 1, "b": null })), Some(found(json!({ "a": 1, "more": 2 }))), false);
        assert_eq!((actions(&plan), plan.unchanged), (Vec::new(), 1));
    }

    #[test]
    fn a_tag_that_nobody_wants_goes_and_another_attribute_that_nobody_mentions_stays() {
        let there = found(json!({ "tags.who": "me", "tags.a": "1", "size": 3 }));
        let plan = plan(Some(json!({ "tags.a": "2" })), Some(there), false);
        assert_eq!(actions(&plan), [Action::Update]);
        let attributes = &plan.changes[0].attributes;
        assert_eq!(attributes.keys().collect::<Vec<_>>(), ["tags.a", "tags.who"]);
        assert_eq!(attributes["tags.who"], Difference { old: json!("me"), new: Value::Null });
    }

    #[test]
    fn what_is_not_ours_is_a_conflict_until_it_is_adopted_even_where_nothing_differs() {
        let there = || Some(found(json!({ "a": 1 })).owned_by(Owner::Other("carries no tag".to_owned())));
        assert_eq!(actions(&plan(Some(json!({ "a": 1 })), there(), false)), [Action::Conflict]);
        assert_eq!(actions(&plan(Some(json!({ "a": 2 })), there(), true)), [Action::Update]);
        // Nobody wants it: it is none of our business.
        assert_eq!(actions(&plan(None, there(), true)), []);
    }

    #[test]
    fn what_is_ours_and_not_wanted_goes_unless_it_has_to_stay() {
        assert_eq!(actions(&plan(None, Some(found(json!({ "a": 1 }))), false)), [Action::Delete]);
        let kept = Found { keep: Some("it holds records".to_owned()), ..found(json!({ "a": 1 })) };
        let plan = plan(None, Some(kept), false);
        assert_eq!(
            (actions(&plan), plan.notes.as_slice()),
            (vec![], &["SQS queue q stays: it holds records".to_owned()][..])
        );
    }

    #[test]
    fn what_is_owned_with_a_parent_that_is_not_ours_is_not_ours_either() {
        let role = Found::ours(Id::new(Kind::IamRole, "r"), Attributes::new());
        let policy = Found::ours(Id::new(Kind::IamRolePolicy, "r/p"), Attributes::new());
        let plan = |role: &Found, wanted: Option<Attributes>, adopt| {
            let observed = Observed { found: vec![role.clone(), policy.clone()], refused: Vec::new() };
            let parent = Resource { id: role.id.clone(), wanted, needs: Vec::new(), after: Vec::new() };
            Plan::of(&stack(vec![parent]), &place(), observed, adopt)
        };
        let foreign = role.clone().owned_by(Owner::Other("carries no tag".to_owned()));
        for adopt in [false, true] {
            assert_eq!(actions(&plan(&foreign, None, adopt)), [], "nobody takes it over");
            assert_eq!(actions(&plan(&role, None, adopt)), [Action::Delete, Action::Delete]);
        }
        let wanted = Attributes::from([("path".to_owned(), json!("/sms/"))]);
        assert_eq!(actions(&plan(&foreign, Some(wanted.clone()), false)), [Action::Conflict]);
        assert_eq!(
            actions(&plan(&foreign, Some(wanted), true)),
            [Action::Update, Action::Delete],
            "all on it is taken over"
        );
    }

    #[test]
    fn what_can_only_be_ours_goes_although_the_settings_no_longer_name_it() {
        let observed = Observed { found: vec![found(json!({}))], refused: Vec::new() };
        let plan = Plan::of(&stack(Vec::new()), &place(), observed, false);
        assert_eq!(actions(&plan), [Action::Delete]);
    }

    #[test]
    fn of_a_kind_that_could_not_be_read_nothing_is_planned() {
        let error = CallError {
            fault: Fault::Refused,
            ..CallError::other("sqs:GetQueueAttributes", "queue", "not authorized")
        };
        let observed = Observed { found: Vec::new(), refused: vec![(Kind::SqsQueue, error)] };
        let plan = Plan::of(&stack(vec![queue(Some(json!({})))]), &place(), observed, false);
        assert_eq!(actions(&plan), []);
        assert_eq!(plan.refused.iter().copied().collect::<Vec<_>>(), ["sqs:GetQueueAttributes"]);
    }
}
