//! What the settings want of one account and region. Pure: settings and a place in, resources out.
//!
//! Resources that the settings do not want are named too, with nothing wanted: what we once made and no longer want is
//! found by its name. The values are those of the Terraform modules, whose tests hold the two together.

mod alarms;
mod dashboard;
mod delivery;
mod names;
mod queue;
mod sender;
mod sms;
mod topic;

use serde_json::Value;
use sms_config::Account;

use crate::aws::Place;
use crate::resource::{Attributes, Id, Kind, Resource, TAG};

pub use alarms::{alarm_name_prefix, follows_limit};
pub use delivery::{failure_log_group, log_arns, log_groups};
pub use names::Names;
pub use sms::SMS_ATTRIBUTES;

/// The tag that says whose a resource is.
pub const STACK_TAG: &str = "sms:stack";
/// The tag that says what looks after it.
pub const MANAGED_BY_TAG: (&str, &str) = ("managed-by", "sms");
/// Before the names of the SMS attributes, in the tags of the sender policy that keep their previous values.
pub const RECORD_TAG: &str = "sms:previous:";
/// The tag of a user whose key is being made: the time from which on keys without a secret may be replaced.
pub const KEY_PENDING_TAG: &str = "sms:key-pending";
/// The tag of a user whose key is being rotated: the ID of the key that goes once the grace is over.
pub const KEY_RETIRING_TAG: &str = "sms:key-retiring";

/// Everything that may be there, and what each should be.
#[derive(Clone, Debug)]
pub struct Stack {
    /// What things are called.
    pub names: Names,
    /// The profile in the credentials file.
    pub profile: String,
    /// The settings.
    pub account: Account,
    /// In no order that matters.
    pub resources: Vec<Resource>,
}

impl Stack {
    /// What `account` wants in `place`. `profile` is the section of the credentials file.
    pub fn wanted(account: &Account, place: &Place, profile: &str) -> Self {
        let names = Names::new(&account.name, place);
        let site = Site { account, place, names: &names };
        let mut resources = Vec::new();
        resources.extend(sender::resources(&site));
        resources.extend(delivery::resources(&site));
        resources.extend(sms::resources(&site));
        resources.extend(topic::resources(&site));
        resources.extend(alarms::resources(&site));
        resources.extend(dashboard::resources(&site));
        resources.extend(queue::resources(&site));
        Self { names, profile: profile.to_owned(), account: account.clone(), resources }
    }

    /// The same with nothing wanted, for `destroy`. What the settings say to leave alone now may have been ours before:
    /// the SMS attributes go back to what they were, and the log groups go if they are ours.
    pub fn emptied(account: &Account, place: &Place, profile: &str) -> Self {
        let all = Account { manage_sms_preferences: true, create_delivery_log_groups: true, ..account.clone() };
        let mut stack = Self::wanted(&all, place, profile);
        for resource in &mut stack.resources {
            resource.wanted = None;
        }
        stack.account = account.clone();
        stack
    }

    /// What a resource should be while `limit` USD is the monthly spend limit in force, since AWS refuses the one of the
    /// settings.
    pub fn at_limit(&self, id: &Id, limit: u32, place: &Place) -> Option<Attributes> {
        let account = Account { monthly_spend_limit_usd: limit, ..self.account.clone() };
        let stack = Self::wanted(&account, place, &self.profile);
        stack.resources.into_iter().find(|resource| resource.id == *id).and_then(|resource| resource.wanted)
    }

    /// The resources of a kind.
    pub fn of(&self, kind: Kind) -> Vec<&Resource> {
        self.resources.iter().filter(|resource| resource.id.kind == kind).collect()
    }
}

/// What every part of the stack is made from.
struct Site<'a> {
    account: &'a Account,
    place: &'a Place,
    names: &'a Names,
}

impl Site<'_> {
    /// Those attributes and our tags, where it is wanted.
    fn tagged<const N: usize>(&self, wanted: bool, attributes: [(&str, Value); N]) -> Option<Attributes> {
        let mut all = plain(wanted, attributes)?;
        let ours = [(STACK_TAG, self.account.name.as_str()), MANAGED_BY_TAG];
        let tags = self.account.tags.iter().map(|(key, value)| (key.as_str(), value.as_str())).chain(ours);
        all.extend(tags.map(|(key, value)| (format!("{TAG}{key}"), Value::from(value))));
        Some(all)
    }
}

/// Those attributes, where they are wanted.
fn plain<const N: usize>(wanted: bool, attributes: [(&str, Value); N]) -> Option<Attributes> {
    wanted.then(|| attributes.into_iter().map(|(key, value)| (key.to_owned(), value)).collect())
}

fn resource(kind: Kind, name: &str, wanted: Option<Attributes>, needs: &[Id]) -> Resource {
    Resource { id: Id::new(kind, name), wanted, needs: needs.to_vec(), after: Vec::new() }
}
