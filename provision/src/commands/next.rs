//! What a person has to do next: about what stands in the way of a plan, and after `apply`, as far as AWS says what applies.

use std::time::Duration;

use tokio::time::timeout;

use super::target::Opened;
use crate::inquiry::{self, LIMIT_UNTOUCHED, Spend};
use crate::keys::SenderKeys;
use crate::plan::{Action, Plan};
use crate::resource::Kind;

/// The work is done by now: whoever waits for its summary does not wait longer than this for advice.
const PATIENCE: Duration = Duration::from_secs(5);

/// The steps after `apply`. What cannot be asked is left out, and is no failure.
pub(super) async fn steps(opened: &Opened) -> Vec<String> {
    let (session, stack) = (&opened.ground.session, &opened.ground.stack);
    let is_key_wanted = stack.of(Kind::IamAccessKey).iter().any(|one| one.wanted.is_some());
    let sandbox = async { timeout(PATIENCE, inquiry::is_in_sandbox(session)).await.ok()?.ok()?.then(sandboxed) };
    let limit = async {
        let attributes = timeout(PATIENCE, inquiry::sms_attributes(session)).await.ok()?.ok()?;
        Some(limited(attributes.get("MonthlySpendLimit").map_or("1", String::as_str)))
    };
    let (sandbox, limit, alarms) = futures_util::join!(sandbox, limit, alarms(opened));
    let key = is_key_wanted.then(|| key(opened)).flatten();
    [key, sandbox, limit, alarms].into_iter().flatten().collect()
}

/// The same for an account that is only looked at: what keeps it from being of use, as far as that was asked.
pub(super) fn steps_of(in_sandbox: Option<bool>, spend: Option<Spend>, alarms: Option<String>) -> Vec<String> {
    let is_short = |spend: &Spend| spend.limit <= LIMIT_UNTOUCHED || !spend.leaves_room();
    let limit = spend.filter(is_short).map(|spend| limited(&spend.limit.to_string()));
    [in_sandbox.filter(|inside| *inside).map(|_| sandboxed()), limit, alarms].into_iter().flatten().collect()
}

/// Why nobody hears of the alarms of the stack, where nobody does and AWS says so.
pub(super) async fn alarms(opened: &Opened) -> Option<String> {
    let (session, stack) = (&opened.ground.session, &opened.ground.stack);
    let is_wanted = stack.of(Kind::SnsTopic).iter().any(|one| one.wanted.is_some());
    let topic = is_wanted.then_some(&stack.names.topic_arn)?;
    let all = timeout(PATIENCE, inquiry::subscriptions(session, topic)).await.ok()?.ok()?;
    unheard(&all).map(str::to_owned)
}

/// Where the key is, if it is there, and what makes the agent use it.
fn key(opened: &Opened) -> Option<String> {
    let (session, stack) = (&opened.ground.session, &opened.ground.stack);
    let keys = SenderKeys::of(session, stack);
    let file = keys.file().ok()?;
    file.read().ok()??;
    let elsewhere = match file.is_in(&session.in_use.credentials_file) {
        true => String::new(),
        false => format!(" AWS_SHARED_CREDENTIALS_FILE={}", file.path().display()),
    };
    Some(format!(
        "The sender's key is in the profile {profile} of {file}. The agent uses it with SMS_AGENT__CARRIER=sns \
         SMS_AWS__PROFILE={profile} SMS_AWS__REGION={region}{elsewhere}",
        profile = stack.profile,
        file = file.path().display(),
        region = session.place.region,
    ))
}

fn sandboxed() -> String {
    "The account is in the SMS sandbox: SMS go to verified numbers only. Verify one (sms-provision sandbox add NUMBER), \
     or ask AWS Support to take the account out of the sandbox in this region"
        .to_owned()
}

fn limited(limit: &str) -> String {
    // AWS's answer, which is shown only if it is a number.
    let limit = limit.parse::<f64>().map_or_else(|_| "the limit".to_owned(), |limit| format!("{limit} USD"));
    format!(
        "SNS stops sending at {limit} a month in this region. For more, have AWS raise the spend quota (a support case, or \
         Service Quotas), then set account.monthly_spend_limit_usd and run apply again"
    )
}

/// Why nobody hears of alarms, where nobody does.
fn unheard(subscriptions: &[(String, Option<String>)]) -> Option<&'static str> {
    match subscriptions {
        [] => Some("Nobody is told of alarms: set account.alarm_emails and run apply again"),
        all if all.iter().all(|(_, arn)| arn.is_none()) => {
            Some("Nobody is told of alarms before the owner of an address follows the link in AWS's mail")
        }
        _ => None,
    }
}

/// What to do about what stands in the way.
pub(super) fn advice(plan: &Plan) -> String {
    let mut advice = on_conflicts(plan);
    if !plan.blocked.is_empty() {
        advice.push_str("Nothing at all is changed before that is taken off by hand; it is not ours to remove.\n");
    }
    for (action, why) in &plan.barred {
        advice.push_str(&format!("A grant of {action} does not help: {why}.\n"));
    }
    if plan.refused.len() > plan.barred.len() {
        let which = if plan.barred.is_empty() { "the actions" } else { "the other actions" };
        advice.push_str(&format!(
            "Grant {which} that were refused; sms-provision policy operator prints all that it needs.\n"
        ));
    }
    advice
}

/// What to do about what is not ours. A region has one pair of log groups and one set of SMS attributes: there, another
/// name does not help, and taking them over stops the stack that has them.
fn on_conflicts(plan: &Plan) -> String {
    let kinds = || plan.changes.iter().filter(|change| change.action == Action::Conflict).map(|change| change.id.kind);
    if kinds().next().is_none() {
        return String::new();
    }
    let mut advice = String::from("Nothing is changed while there are conflicts (marked !).\n");
    if kinds().any(|kind| !matches!(kind, Kind::LogGroup | Kind::SmsAttributes)) {
        advice.push_str(
            "- For names that are taken: choose another account.name, or take over what is there with --adopt.\n",
        );
    }
    if kinds().any(|kind| kind == Kind::LogGroup) {
        advice.push_str(
            "- For log groups of another stack: all stacks of a region share them. Set account.create_delivery_log_groups \
             = false here. --adopt would take them from the other stack, which could change nothing any more.\n",
        );
    }
    if kinds().any(|kind| kind == Kind::SmsAttributes) {
        advice.push_str(
            "- For SMS attributes: the region has one set of them. Set in account what is there, set \
             account.manage_sms_preferences = false to leave them alone, or overwrite them with --adopt.\n",
        );
    }
    advice
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alarms_that_nobody_hears_are_told_of_and_others_are_not() {
        let pending = || ("a@example.com".to_owned(), None);
        let confirmed = || ("b@example.com".to_owned(), Some("arn".to_owned()));
        assert!(unheard(&[]).is_some_and(|why| why.contains("account.alarm_emails")));
        assert!(unheard(&[pending()]).is_some_and(|why| why.contains("AWS's mail")));
        assert_eq!(unheard(&[pending(), confirmed()]), None);
    }

    #[test]
    fn a_limit_is_shown_only_if_it_is_a_number() {
        assert!(limited("50").contains("at 50 USD a month"));
        assert!(!limited("+4915112345678x").contains("4915"));
    }
}
