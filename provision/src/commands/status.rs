//! `status`: the account as it is. What cannot be asked is said, and loses nothing of the rest.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use serde_json::{Map, Value, json};

use super::change::{heading, obstacle, planned};
use super::target::{Aim, Opened};
use super::{CommandError, Console, Said, Target, Verdict, next};
use crate::aws::{CallError, Fault};
use crate::inquiry::{self, OptOuts, Spend};
use crate::keys::{Key, SenderKeys, State};
use crate::plan::{Action, Plan};
use crate::render;

/// Opt-outs are counted so far.
const MOST_OPT_OUTS: usize = 1000;
const DAY_SECONDS: i64 = 86_400;

/// One thing that was asked: for people, for programs, or why it is not known.
struct Line {
    title: &'static str,
    key: &'static str,
    answer: Result<(String, Value), CallError>,
}

/// Good is an account that is as the settings have it, with no question refused. The sandbox, the spend and the like are
/// shown and neither good nor bad, so that it is no matter either if AWS does not answer.
pub(super) async fn status(target: &Target, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let session = &opened.ground.session;
    let (sandbox, spend, opt_outs, keys, plan, alarms) = futures_util::join!(
        inquiry::is_in_sandbox(session),
        inquiry::spend(session),
        inquiry::count_opt_outs(session, MOST_OPT_OUTS),
        keys(&opened),
        planned(&opened, false),
        next::alarms(&opened),
    );
    let steps = next::steps_of(sandbox.as_ref().ok().copied(), spend.as_ref().ok().copied(), alarms);
    let as_settings =
        plan.as_ref().is_ok_and(|plan| plan.changes.is_empty() && plan.beyond.is_empty() && obstacle(plan).is_none());
    let lines = [
        Line { title: "Sandbox", key: "sandbox", answer: sandbox.map(told_of_sandbox) },
        Line { title: "Spend", key: "spend", answer: spend.map(told_of_spend) },
        Line { title: "Opt-outs", key: "opt_outs", answer: opt_outs.map(told_of_opt_outs) },
        Line { title: "Keys", key: "keys", answer: keys.map(|state| told_of_keys(&state)) },
        Line { title: "Drift", key: "drift", answer: plan.map(|plan| told_of_drift(&plan)) },
    ];
    let refused = |line: &Line| line.answer.as_ref().is_err_and(|error| error.fault == Fault::Refused);
    let verdict = if as_settings && !lines.iter().any(refused) { Verdict::Good } else { Verdict::Bad };
    Ok(said(&opened, verdict, lines, steps))
}

fn said(opened: &Opened, verdict: Verdict, lines: [Line; 5], steps: Vec<String>) -> Said {
    let session = &opened.ground.session;
    let mut json = Map::new();
    json.insert("account".to_owned(), json!(session.place.account));
    json.insert("region".to_owned(), json!(session.place.region));
    json.insert("endpoint".to_owned(), json!(session.endpoint));
    json.insert("name".to_owned(), json!(opened.ground.stack.names.stack));
    let (mut text, mut summary, mut not_known) = (format!("{}\n", heading(opened)), String::new(), Vec::new());
    for Line { title, key, answer } in lines {
        let (words, value) = answer.unwrap_or_else(|error| {
            not_known.push(json!({ "what": key, "action": error.action, "error": error.to_string() }));
            (format!("not known: {error}"), Value::Null)
        });
        text.push_str(&format!("{title:9} {words}\n"));
        json.insert(key.to_owned(), value);
        // The last line, the drift, is what counts.
        summary = words;
    }
    for step in &steps {
        text.push_str(&format!("Next: {step}.\n"));
    }
    json.insert("not_known".to_owned(), Value::from(not_known));
    json.insert("next_steps".to_owned(), Value::from(steps));
    Said { verdict, summary: format!("drift: {summary}"), text, json: Value::Object(json) }
}

/// The keys of the sender with their last use.
async fn keys(opened: &Opened) -> Result<State, CallError> {
    let keys = SenderKeys::of(&opened.ground.session, &opened.ground.stack);
    let mut state = keys.state().await?;
    for key in &mut state.all {
        key.last_use = keys.last_use(&key.id).await?;
    }
    Ok(state)
}

fn told_of_sandbox(inside: bool) -> (String, Value) {
    let words = match inside {
        true => "yes: SMS go to verified numbers only (sms-provision sandbox)",
        false => "no",
    };
    (words.to_owned(), json!(inside))
}

fn told_of_spend(spend: Spend) -> (String, Value) {
    let Spend { spent, limit } = spend;
    let full = if spend.leaves_room() { "" } else { ": SNS sends no more" };
    (format!("{spent:.2} of {limit} USD this month{full}"), json!({ "month_to_date_usd": spent, "limit_usd": limit }))
}

fn told_of_opt_outs(opt_outs: OptOuts) -> (String, Value) {
    let OptOuts { count, more } = opt_outs;
    (format!("{count}{}", if more { "+" } else { "" }), json!({ "count": count, "more": more }))
}

fn told_of_keys(state: &State) -> (String, Value) {
    let words = match &state.tags {
        None => "none: there is no sender".to_owned(),
        Some(_) if state.all.is_empty() => "none".to_owned(),
        Some(_) => state.all.iter().map(|key| told_of_key(key, state)).collect::<Vec<_>>().join("\n          "),
    };
    let json = state.all.iter().map(|key| {
        json!({
            "id": key.id,
            "active": key.active,
            "in_credentials_file": state.is_in_file(key),
            "created_at": moment(key.created),
            "age_days": days(key.created, state.now),
            "last_used_at": key.last_use.as_ref().map(|last| moment(last.at)),
            "last_used_service": key.last_use.as_ref().map(|last| last.service.as_str()),
        })
    });
    (words, json.collect())
}

fn told_of_key(key: &Key, state: &State) -> String {
    let mut words = key.id.clone();
    if !key.active {
        words.push_str(", inactive");
    }
    words.push_str(&format!(", made {}", ago(days(key.created, state.now))));
    match &key.last_use {
        None => words.push_str(", never used"),
        Some(last) => words.push_str(&format!(
            ", last used {} for {} in {}",
            ago(days(last.at, state.now)),
            last.service,
            last.region
        )),
    }
    match state.is_in_file(key) {
        Some(true) => {}
        None => words.push_str(", in the credentials file or not, which cannot be read"),
        Some(false) => words.push_str(", not in the credentials file"),
    }
    words
}

fn told_of_drift(plan: &Plan) -> (String, Value) {
    let pending = !plan.changes.is_empty() || !plan.refused.is_empty();
    let refused = plan.refused.iter().map(|action| format!(" Refused: {action}.")).collect::<String>();
    let words = match pending {
        false if !plan.beyond.is_empty() => None,
        false => Some(format!("none: {} resources are as the settings have them", plan.unchanged)),
        true => Some(format!("{}{refused} sms-provision plan shows what", render::summary(plan))),
    };
    let words = words.iter().chain(&plan.beyond).map(String::as_str).collect::<Vec<_>>().join("\n          ");
    let json = json!({
        "create": plan.count(Action::Create),
        "update": plan.count(Action::Update),
        "delete": plan.count(Action::Delete),
        "conflict": plan.count(Action::Conflict),
        "unchanged": plan.unchanged,
        "refused": plan.refused,
        "beyond": plan.beyond,
    });
    (words, json)
}

fn days(from: DateTime, to: DateTime) -> i64 {
    (to.secs() - from.secs()).max(0) / DAY_SECONDS
}

fn ago(days: i64) -> String {
    match days {
        0 => "today".to_owned(),
        1 => "yesterday".to_owned(),
        days => format!("{days} days ago"),
    }
}

fn moment(at: DateTime) -> Value {
    json!(at.fmt(Format::DateTime).ok())
}
