//! A plan for people and for programs. In flows the plan, out flow text and JSON in a stable order.

mod difference;
mod paint;

use serde::Serialize;
use serde_json::{Value, json};

use crate::plan::{Action, Change, Plan};
use difference::lines;

pub use paint::Paint;

/// A change as programs read it.
#[derive(Serialize)]
struct Shown<'a> {
    action: Action,
    kind: crate::resource::Kind,
    name: &'a str,
    attributes: &'a std::collections::BTreeMap<String, crate::plan::Difference>,
}

impl<'a> From<&'a Change> for Shown<'a> {
    fn from(change: &'a Change) -> Self {
        Self { action: change.action, kind: change.id.kind, name: &change.id.name, attributes: &change.attributes }
    }
}

/// The plan as JSON: `account`, `region`, `name`, `changes`, `unchanged`, `refused`, `blocked`, `notes`.
pub fn json(plan: &Plan) -> Value {
    json!({
        "account": plan.place.account,
        "region": plan.place.region,
        "name": plan.name,
        "changes": plan.changes.iter().map(Shown::from).collect::<Vec<_>>(),
        "unchanged": plan.unchanged,
        "refused": plan.refused,
        "blocked": plan.blocked,
        "notes": plan.notes,
    })
}

/// The plan as a person reads it at a glance.
pub fn text(plan: &Plan, paint: Paint) -> String {
    let mut out = String::new();
    for change in &plan.changes {
        let (sign, word) = match change.action {
            Action::Create => (paint.green("+"), ""),
            Action::Update => (paint.yellow("~"), ""),
            Action::Delete => (paint.red("-"), ""),
            Action::Conflict => (paint.red("!"), " is not ours: it "),
        };
        let whose = change.owner.as_deref().unwrap_or_default();
        line(&mut out, &format!("  {sign} {}{word}{whose}", change.id));
        // What goes back to what it was is shown; what goes altogether says nothing more.
        if change.action != Action::Delete || change.attributes.values().any(|one| !one.new.is_null()) {
            for difference in lines(change, paint) {
                line(&mut out, &format!("      {difference}"));
            }
        }
    }
    if !plan.changes.is_empty() {
        out.push('\n');
    }
    for note in &plan.notes {
        line(&mut out, &format!("Note: {note}"));
    }
    for why in &plan.blocked {
        line(&mut out, &format!("Blocked: {why}."));
    }
    for action in &plan.refused {
        line(&mut out, &format!("Refused: {action}; what it would have shown is missing here."));
    }
    line(&mut out, &summary(plan));
    out
}

/// How much there is to do, in one line.
pub fn summary(plan: &Plan) -> String {
    let count = |action| plan.count(action);
    let mut all = format!(
        "{} to create, {} to change, {} to delete, {} unchanged",
        count(Action::Create),
        count(Action::Update),
        count(Action::Delete),
        plan.unchanged
    );
    match count(Action::Conflict) {
        0 => {}
        1 => all.push_str("; 1 conflict"),
        n => all.push_str(&format!("; {n} conflicts")),
    }
    all.push('.');
    all
}

fn line(out: &mut String, text: &str) {
    out.push_str(text.trim_end());
    out.push('\n');
}
