//! The SMS attributes of the account and region. They are shared with whoever else sends from there, and take no tags:
//! what they were before us is recorded in tags of the sender policy before the first change, and put back by `destroy`.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use aws_sdk_iam::types::Policy;
use serde_json::{Value, json};
use tokio::time::sleep;

use super::policy::{Policies, tag};
use super::{Answer, Ground, ResourceKind, Update};
use crate::aws::{CallError, Fault, SETTLING, call, call_about, call_while, made_just_now, patiently};
use crate::resource::{Attributes, Found, Id, Kind, Owner, Resource, text};
use crate::stack::{RECORD_TAG, SMS_ATTRIBUTES};

/// SNS takes one `SetSMSAttributes` a second.
const PACE: Duration = Duration::from_millis(1100);

const ROLE: &str = "DeliveryStatusIAMRole";
const LIMIT: &str = "MonthlySpendLimit";

const HOW_TO_RAISE: &str = "AWS refuses a MonthlySpendLimit above the account's quota, which is 1 USD until it is raised: ask \
    for more in an AWS Support case (service limit increase, SNS text messaging), or set account.monthly_spend_limit_usd to \
    what the account has";
/// What points to our role, and is of no use without it.
const OF_THE_ROLE: [&str; 2] = [ROLE, "DeliveryStatusSuccessSamplingRate"];

pub(super) struct SmsAttributes(pub(super) Arc<Ground>);

/// The values before us, by attribute.
type Record = BTreeMap<String, String>;

impl SmsAttributes {
    async fn current(&self, id: &Id) -> Result<Attributes, CallError> {
        let got = call("sns:GetSMSAttributes", id, || self.0.session.sns.get_sms_attributes().send()).await?;
        let set = got.attributes.unwrap_or_default();
        let value = |key: &str| json!(set.get(key).map_or("", String::as_str));
        Ok(SMS_ATTRIBUTES.iter().map(|key| ((*key).to_owned(), value(key))).collect())
    }

    async fn policy(&self) -> Result<Option<Policy>, CallError> {
        let id = Id::new(Kind::IamPolicy, &self.0.stack.names.sender);
        Policies(Arc::clone(&self.0)).find(&id).await
    }

    async fn record(&self) -> Result<Option<Record>, CallError> {
        let policy = self.policy().await?;
        let mut tags = policy.and_then(|policy| policy.tags).unwrap_or_default();
        if !tags.iter().any(|tag| tag.key().starts_with(RECORD_TAG)) {
            let id = Id::new(Kind::IamPolicy, &self.0.stack.names.sender);
            tags = Policies(Arc::clone(&self.0)).lent(&id).await?;
        }
        let record: Record = tags
            .iter()
            .filter_map(|tag| Some((tag.key().strip_prefix(RECORD_TAG)?.to_owned(), tag.value().to_owned())))
            .collect();
        Ok((!record.is_empty()).then_some(record))
    }

    /// Once, before the first change.
    async fn write_record(&self, found: &Attributes, id: &Id) -> Result<(), CallError> {
        let keep = |key: &&str| tag((&format!("{RECORD_TAG}{key}"), text(found, key)));
        let tags: Vec<_> = SMS_ATTRIBUTES.iter().filter_map(keep).collect();
        // The policy was made before, if only a moment ago.
        let missing = || {
            let what = "the sender policy, which keeps the record of their previous values, is gone; run it again";
            CallError { fault: Fault::NotFound, ..CallError::other("iam:TagPolicy", id.to_string(), what) }
        };
        let known = || async { self.policy().await?.and_then(|policy| policy.arn).ok_or_else(missing) };
        let arn = patiently(made_just_now, known).await?;
        let iam = &self.0.session.iam;
        let send = || iam.tag_policy().policy_arn(&arn).set_tags(Some(tags.clone())).send();
        call_about("iam:TagPolicy", id, send).await.map(drop)
    }

    /// SNS checks the role, of which it may not have heard yet.
    async fn set(&self, values: HashMap<String, String>, id: &Id) -> Result<(), CallError> {
        let names_role = values.get(ROLE).is_some_and(|role| !role.is_empty());
        let of_another = |error: &CallError| SMS_ATTRIBUTES.iter().any(|key| *key != ROLE && error.mentions(key));
        let not_yet = |error: &CallError| {
            names_role
                && refused(error)
                // A value that is wrong does not become right.
                && !of_another(error)
        };
        self.set_while(not_yet, values, id).await
    }

    /// Puts the recorded values back. One that AWS takes no more, its role or bucket gone, is cleared; a role that may not
    /// be passed is left with its record, and the rest goes on.
    async fn restore(&self, found: &Found) -> Result<(), CallError> {
        let id = &found.id;
        let values: HashMap<String, String> =
            found.released.keys().map(|key| (key.clone(), text(&found.released, key).to_owned())).collect();
        match self.set_while(|_| false, values.clone(), id).await {
            Err(error) if refused(&error) || may_not_pass(&error) => {}
            ended => return ended,
        }
        let mut left = Ok(());
        for (key, value) in values {
            sleep(PACE).await;
            let only = |value: &str| HashMap::from([(key.clone(), value.to_owned())]);
            match self.set_while(|_| false, only(&value), id).await {
                Err(error) if refused(&error) => {
                    sleep(PACE).await;
                    self.set_while(|_| false, only(""), id).await?;
                    self.0.remark(format!("{id}: AWS takes the previous value of {key} no more; it is cleared now."));
                }
                Err(error) if may_not_pass(&error) => left = Err(error),
                ended => ended?,
            }
        }
        left
    }

    async fn set_while(
        &self,
        passes: impl Fn(&CallError) -> bool,
        values: HashMap<String, String>,
        id: &Id,
    ) -> Result<(), CallError> {
        let set = self.0.session.sns.set_sms_attributes().set_attributes(Some(values));
        let send = || set.clone().send();
        let set = call_while(SETTLING, passes, "sns:SetSMSAttributes", id, send).await.map(drop);
        set.map_err(explained)
    }

    /// Where the role goes, what points to it goes back to what it was.
    fn released(&self, wanted: &Attributes, current: &Attributes, record: Option<&Record>) -> Attributes {
        let names = &self.0.stack.names;
        let points_to_ours = text(current, ROLE).ends_with(&format!("/{}", names.delivery_role));
        if wanted.contains_key(ROLE) || !points_to_ours {
            return Attributes::new();
        }
        let before = |key: &str| record.and_then(|record| record.get(key)).cloned().unwrap_or_default();
        OF_THE_ROLE.iter().map(|key| ((*key).to_owned(), json!(before(key)))).collect()
    }
}

/// Whether AWS refuses what a value names, and not whoever asks. The bucket has an `AuthorizationError` of its own: "You are
/// not authorized to perform actions for the provided bucket".
fn refused(error: &CallError) -> bool {
    error.is(&["InvalidParameter", "AuthorizationError"]) && !error.mentions("is not authorized to perform: ")
}

/// Whether whoever asks may not hand the role to SNS. It says nothing of the role.
fn may_not_pass(error: &CallError) -> bool {
    error.is(&["AuthorizationError"]) && error.mentions("iam:PassRole")
}

/// What AWS refuses about a value lies outside of the settings more often than in them.
fn explained(error: CallError) -> CallError {
    match error.code.as_deref() {
        Some("AuthorizationError") if may_not_pass(&error) => error.advised(
            "whoever runs this must be allowed iam:PassRole on that role, which sms-provision policy operator grants on the \
             stack's own role only; grant it and run it again: what the attributes were stays on record until then",
        ),
        Some("AuthorizationError") if error.mentions("bucket") => error.advised(
            "the policy of account.usage_report_bucket must let sns.amazonaws.com put objects, list the bucket and get its \
             location, and the bucket must be in this region",
        ),
        Some("InvalidParameter") => error.advised(format!("correct the value that AWS names. {HOW_TO_RAISE}")),
        _ => error,
    }
}

/// The spend alarms are set to the limit that is in force.
fn of_the_limit(error: CallError) -> CallError {
    if refused(&error) {
        error.advised(format!("everything else is set. {HOW_TO_RAISE}; then run it again"))
    } else {
        error
    }
}

/// What an account has that nobody has set up.
fn untouched(key: &str, value: &str) -> bool {
    value.is_empty() || (key == "MonthlySpendLimit" && value == "1")
}

/// With no record of ours, a value that somebody set and we would change is somebody else's.
fn owner(wanted: &Attributes, current: &Attributes, record: Option<&Record>) -> Owner {
    let foreign = |(key, value): &(&String, &Value)| {
        let now = text(current, key);
        !untouched(key, now) && *value != now
    };
    let keys: Vec<&str> = wanted.iter().filter(foreign).map(|(key, _)| key.as_str()).collect();
    if record.is_some() || keys.is_empty() {
        return Owner::Ours;
    }
    Owner::Other(format!("was set by somebody else ({})", keys.join(", ")))
}

impl ResourceKind for SmsAttributes {
    fn kind(&self) -> Kind {
        Kind::SmsAttributes
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let Some(candidate) = candidates.first() else { return Ok(Vec::new()) };
            let id = &candidate.id;
            let record = match self.record().await {
                Ok(record) => record,
                // A person who grants what is refused wants to know of all of it at once.
                Err(error) => {
                    self.current(id).await.err().iter().for_each(|other| self.0.refuse(other));
                    return Err(error);
                }
            };
            // Never ours, as far as anybody knows.
            if candidate.wanted.is_none() && record.is_none() && !self.0.stack.account.manage_sms_preferences {
                return Ok(Vec::new());
            }
            let current = self.current(id).await?;
            let mut found = Found::ours(id.clone(), current.clone());
            match (&candidate.wanted, record) {
                (Some(wanted), record) => {
                    let [wants, has] =
                        [wanted, &current].map(|values| text(values, LIMIT).parse::<f64>().unwrap_or(0.0));
                    if wants > has && wants > 1.0 {
                        found.notes.push(format!(
                            "{id}: {HOW_TO_RAISE}. Everything else is set all the same, and the spend \
                            alarms follow the limit that is in force"
                        ));
                    }
                    found.released = self.released(wanted, &current, record.as_ref());
                    found.owner = owner(wanted, &current, record.as_ref());
                }
                (None, Some(record)) => {
                    let differs = |(key, value): &(String, String)| text(&current, key) != value;
                    found.released =
                        record.into_iter().filter(differs).map(|(key, value)| (key, json!(value))).collect();
                    if found.released.is_empty() {
                        return Ok(Vec::new());
                    }
                }
                (None, None) => {
                    if SMS_ATTRIBUTES.iter().all(|key| untouched(key, text(&current, key))) {
                        return Ok(Vec::new());
                    }
                    // What names our role would name one that is gone.
                    found.released = self.released(&Attributes::new(), &current, None);
                    match found.released.is_empty() {
                        true => {
                            let why = "there is no record of what they were before, so they are left as found";
                            found.keep = Some(why.into());
                        }
                        false => found.notes.push(format!(
                            "{id}: there is no record of what they were before: {} are cleared, since the role goes, and the \
                             others are left as found",
                            OF_THE_ROLE.join(" and ")
                        )),
                    }
                }
            }
            Ok(vec![found])
        })
    }

    /// They are always there.
    fn create<'a>(&'a self, _: &'a Id, _: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn update<'a>(&'a self, update: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async move {
            if self.record().await?.is_none() {
                self.write_record(&update.found.attributes, update.id).await?;
            }
            let values = update.changed.iter().map(|key| (key.clone(), text(update.wanted, key).to_owned()));
            let mut values: HashMap<_, _> = values.collect();
            match self.set(values.clone(), update.id).await {
                Err(error) if refused(&error) && values.len() > 1 && values.contains_key(LIMIT) => {}
                ended => return ended.map_err(of_the_limit),
            }
            // All or nothing: a limit above the account's quota must not keep the others from being set.
            let limit = values.remove(LIMIT).unwrap_or_default();
            sleep(PACE).await;
            self.set(values, update.id).await?;
            sleep(PACE).await;
            self.set(HashMap::from([(LIMIT.to_owned(), limit)]), update.id).await.map_err(of_the_limit)
        })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(self.restore(found))
    }
}
