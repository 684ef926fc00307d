//! `plan`, `apply` and `destroy`: the plan is shown, asked about, and carried out.

use std::cell::Cell;

use serde_json::{Value, json};

use super::target::{Aim, Opened, each};
use super::{CommandError, Console, Said, Target, Verdict, finish, next};
use crate::apply::{Event, Outcome};
use crate::aws::CallError;
use crate::cli;
use crate::keys::SenderKeys;
use crate::observe::observe;
use crate::plan::{Action, Change, Plan};
use crate::render;
use crate::resource::{Id, Kind};

/// A plan that waits for a yes.
struct Ready {
    opened: Opened,
    plan: Plan,
}

pub(super) async fn plan(target: &Target, asked: &cli::Plan, console: &Console) -> Result<Said, CommandError> {
    let opened = target.open(Aim::Settings, console).await?;
    let mut plan = planned(&opened, asked.adopt).await?;
    // The plan may be looked at on another machine than it is carried out on.
    let obstacles = opened.ground.obstacles();
    plan.notes.extend(obstacles.iter().map(|why| format!("apply changes nothing before this is mended: {why}")));
    let verdict = match (obstacle(&plan), plan.changes.is_empty(), asked.detailed_exitcode) {
        (Some(_), _, _) => Verdict::Bad,
        (None, false, true) => Verdict::Pending,
        _ => Verdict::Good,
    };
    let text = format!("{}\n{}{}", heading(&opened), render::text(&plan, console.paint()), next::advice(&plan));
    Ok(Said { verdict, summary: render::summary(&plan), text, json: render::json(&plan) })
}

pub(super) async fn apply(
    targets: &[Target],
    at_once: usize,
    several: bool,
    asked: &cli::Apply,
    console: &Console,
) -> Result<Verdict, CommandError> {
    let ready = each(targets, at_once, |target| prepare(target, Aim::Settings, asked.adopt, console)).await;
    change(ready, at_once, several, Asked { yes: asked.yes, json: asked.json, verb: "apply" }, console).await
}

pub(super) async fn destroy(
    targets: &[Target],
    at_once: usize,
    several: bool,
    asked: &cli::Destroy,
    console: &Console,
) -> Result<Verdict, CommandError> {
    let aim = Aim::Nothing { delete_logs: asked.delete_logs };
    let ready = each(targets, at_once, |target| prepare(target, aim, false, console)).await;
    change(ready, at_once, several, Asked { yes: asked.yes, json: asked.json, verb: "destroy" }, console).await
}

/// How a change is gone about.
struct Asked {
    yes: bool,
    json: bool,
    verb: &'static str,
}

/// What all targets of a run share.
#[derive(Clone, Copy)]
struct Run<'a> {
    several: bool,
    /// Whether to end with the next steps.
    advises: bool,
    console: &'a Console,
    stopped: &'a Cell<bool>,
}

async fn prepare(target: &Target, aim: Aim, adopt: bool, console: &Console) -> Result<Ready, CommandError> {
    let opened = target.open(aim, console).await?;
    let plan = planned(&opened, adopt).await?;
    let keys = SenderKeys::of(&opened.ground.session, &opened.ground.stack);
    keys.tidy();
    if let Some(why) = opened.ground.obstacles().first() {
        return Err(CommandError::Usage(format!("nothing was changed: {why}")));
    }
    let makes_key = |change: &Change| change.id.kind == Kind::IamAccessKey && change.wanted.is_some();
    if plan.changes.iter().any(makes_key) {
        keys.prove().map_err(|error| CommandError::Usage(format!("nothing was changed: {error}")))?;
    }
    Ok(Ready { opened, plan })
}

pub(super) async fn planned(opened: &Opened, adopt: bool) -> Result<Plan, CallError> {
    let stack = &opened.ground.stack;
    let observed = observe(&opened.kinds, stack).await?;
    let mut plan = Plan::of(stack, &opened.ground.session.place, observed, adopt);
    // What was noted of things that are not there is with none of those that were found.
    plan.notes.extend(opened.ground.remarks());
    opened.ground.refused().iter().for_each(|error| plan.refuse(error));
    Ok(plan)
}

/// Shows all plans, asks once, and carries out those that nothing stands in the way of.
async fn change(
    ready: Vec<(String, Result<Ready, CommandError>)>,
    at_once: usize,
    several: bool,
    asked: Asked,
    console: &Console,
) -> Result<Verdict, CommandError> {
    let goes = |ready: &Ready| obstacle(&ready.plan).is_none() && !ready.plan.changes.is_empty();
    let pending = ready.iter().filter_map(|(_, ready)| ready.as_ref().ok()).filter(|ready| goes(ready)).count();
    if !asked.yes {
        for (name, ready) in &ready {
            if let Ok(ready) = ready {
                let name = if several { format!("== {name}\n") } else { String::new() };
                let plan = render::text(&ready.plan, console.paint());
                console.remark(&format!("{name}{}\n{plan}{}", heading(&ready.opened), next::advice(&ready.plan)));
            }
        }
    }
    let agreed = pending == 0 || asked.yes || {
        let answer = console.ask(&format!("Do you want to {} this?", asked.verb));
        if answer.is_none() {
            let how = format!("run {} with --yes once the plan is what you want", asked.verb);
            return Err(CommandError::Usage(format!("nothing was changed: there is no terminal to ask on; {how}")));
        }
        answer == Some(true)
    };
    if !agreed {
        return Err(CommandError::Usage("nothing was changed: the answer was not yes".to_owned()));
    }
    if asked.yes {
        tell_notes(&ready, several, console);
    }
    let stopped = Cell::new(false);
    let run = Run { several, advises: asked.verb == "apply", console, stopped: &stopped };
    let working = carry_out_all(ready, at_once, run);
    tokio::pin!(working);
    let results = tokio::select! {
        results = &mut working => results,
        _ = tokio::signal::ctrl_c() => {
            stopped.set(true);
            console.remark("sms-provision: stopping: what is under way is finished, nothing else is begun");
            working.await
        }
    };
    finish(results, several, asked.json, console)
}

/// Says before anything is done what a person who was not asked should know.
fn tell_notes(ready: &[(String, Result<Ready, CommandError>)], several: bool, console: &Console) {
    for (name, ready) in ready {
        let notes = ready.iter().flat_map(|ready| &ready.plan.notes);
        let name = if several { format!("{name}: ") } else { String::new() };
        notes.for_each(|note| console.remark(&format!("{name}Note: {note}")));
    }
}

async fn carry_out_all(
    ready: Vec<(String, Result<Ready, CommandError>)>,
    at_once: usize,
    run: Run<'_>,
) -> Vec<(String, Result<Said, CommandError>)> {
    use futures_util::StreamExt;
    let runs = ready.into_iter().map(|(name, ready)| async move {
        let said = match ready {
            Ok(ready) => Ok(carry_out(&ready, &name, run).await),
            Err(error) => Err(error),
        };
        (name, said)
    });
    futures_util::stream::iter(runs).buffered(at_once).collect().await
}

async fn carry_out(ready: &Ready, name: &str, run: Run<'_>) -> Said {
    let console = run.console;
    let Ready { opened, plan } = ready;
    let mut json = render::json(plan);
    if let Some(why) = obstacle(plan) {
        let text = format!("{}\n{}{}", heading(opened), render::text(plan, console.paint()), next::advice(plan));
        return Said { verdict: Verdict::Bad, summary: format!("nothing was changed: {why}"), text, json };
    }
    let tell = |event: Event<'_>| {
        let name = if run.several { format!("{name}: ") } else { String::new() };
        match event {
            Event::Started(_) => {}
            Event::Done(change) => console.remark(&format!("{name}{} {}: done", verb(change), change.id)),
            Event::Failed(change, error) => console.remark(&format!("{name}{} failed: {error}", verb(change))),
        }
    };
    let outcome = crate::apply::apply(&opened.kinds, plan, tell, || run.stopped.get()).await;
    let summary = summary(plan, &outcome);
    let mut text = format!("{}\n", heading(opened));
    for (_, error) in &outcome.failed {
        text.push_str(&format!("Failed: {error}\n"));
    }
    for id in &outcome.skipped {
        text.push_str(&format!("Not done: {id}\n"));
    }
    let remarks = opened.ground.remarks();
    for note in plan.notes.iter().chain(&remarks) {
        text.push_str(&format!("Note: {note}\n"));
    }
    text.push_str(&summary);
    text.push('\n');
    let verdict = if outcome.failed.is_empty() && outcome.skipped.is_empty() { Verdict::Good } else { Verdict::Bad };
    let steps = if run.advises && verdict == Verdict::Good { next::steps(opened).await } else { Vec::new() };
    for step in &steps {
        text.push_str(&format!("Next: {step}.\n"));
    }
    if let Some(members) = json.as_object_mut() {
        members.extend(account_of(&outcome));
        members.insert("remarks".to_owned(), json!(remarks));
        members.insert("next_steps".to_owned(), json!(steps));
    }
    Said { verdict, summary, text, json }
}

fn account_of(outcome: &Outcome) -> [(String, Value); 3] {
    let named = |id: &Id| json!({ "kind": id.kind, "name": id.name });
    let failed = outcome.failed.iter().map(|(id, error)| {
        json!({ "kind": id.kind, "name": id.name, "action": error.action, "code": error.code, "error": error.to_string() })
    });
    [
        ("done".to_owned(), outcome.done.iter().map(named).collect()),
        ("failed".to_owned(), failed.collect()),
        ("not_done".to_owned(), outcome.skipped.iter().map(named).collect()),
    ]
}

fn summary(plan: &Plan, outcome: &Outcome) -> String {
    let done = |action| {
        let is_done = |change: &&Change| change.action == action && outcome.done.contains(&change.id);
        plan.changes.iter().filter(is_done).count()
    };
    let mut all = format!(
        "{} created, {} changed, {} deleted, {} unchanged",
        done(Action::Create),
        done(Action::Update),
        done(Action::Delete),
        plan.unchanged
    );
    if !outcome.failed.is_empty() || !outcome.skipped.is_empty() {
        all.push_str(&format!(
            "; {} failed, {} not done: mend what is named and run it again, it goes on from here",
            outcome.failed.len(),
            outcome.skipped.len()
        ));
    }
    all.push('.');
    all
}

/// Why a plan cannot be carried out.
pub(super) fn obstacle(plan: &Plan) -> Option<String> {
    match (plan.refused.is_empty(), plan.count(Action::Conflict)) {
        (false, _) => Some("a read was refused".to_owned()),
        (true, 0) => plan.blocked.first().cloned(),
        (true, 1) => Some("1 conflict".to_owned()),
        (true, n) => Some(format!("{n} conflicts")),
    }
}

pub(super) fn heading(opened: &Opened) -> String {
    let session = &opened.ground.session;
    let mut endpoint = session.endpoint.as_ref().map(|url| format!(", endpoint {url}")).unwrap_or_default();
    for (service, url) in &session.endpoints {
        endpoint.push_str(&format!(", {service} at {url}"));
    }
    format!(
        "Account {}, region {}, stack {}{endpoint}",
        session.place.account, session.place.region, opened.ground.stack.names.stack
    )
}

fn verb(change: &Change) -> &'static str {
    match change.action {
        Action::Create => "create",
        Action::Update => "change",
        Action::Delete => "delete",
        Action::Conflict => "conflict",
    }
}
