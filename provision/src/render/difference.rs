//! What differs in one resource, line by line: values as old → new, policies by statement, other documents by place.

use std::collections::BTreeSet;

use serde_json::Value;
use sms_config::foreign::one_line;

use super::Paint;
use crate::plan::{Action, Change, Difference};
use crate::resource::TAG;

/// Longer values are cut: what a program wants in full is in the JSON.
const WIDTH: usize = 160;

/// The lines of a change, without indentation.
pub(super) fn lines(change: &Change, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    let differences = change.attributes.iter();
    if change.action == Action::Create {
        let tags = differences
            .clone()
            .filter_map(|(key, one)| Some(format!("{}={}", key.strip_prefix(TAG)?, shown(&one.new))));
        let tags: Vec<String> = tags.collect();
        // What is absent and stays so says nothing.
        let said = differences.filter(|(key, one)| !key.starts_with(TAG) && !one.new.is_null());
        lines.extend(said.map(|(key, one)| format!("{key}: {}", outline(&one.new))));
        lines.extend((!tags.is_empty()).then(|| format!("tags: {}", tags.join(", "))));
        return lines;
    }
    for (key, difference) in differences {
        match (statements(&difference.old), statements(&difference.new)) {
            (Some(_), _) | (_, Some(_)) => by_statement(key, difference, paint, &mut lines),
            _ => by_place(key, &difference.old, &difference.new, &mut lines),
        }
    }
    lines
}

/// The statements of a policy document by their `Sid`, or by their place.
fn statements(document: &Value) -> Option<Vec<(String, &Value)>> {
    let statements = match document.get("Statement")? {
        Value::Array(many) => many.iter().collect(),
        one => vec![one],
    };
    let name = |(index, statement): (usize, &Value)| match statement.get("Sid").and_then(Value::as_str) {
        Some(sid) if !sid.is_empty() => one_line(sid, WIDTH),
        _ => format!("statement {}", index + 1),
    };
    Some(statements.into_iter().enumerate().map(|(index, one)| (name((index, one)), one)).collect())
}

fn by_statement(key: &str, difference: &Difference, paint: Paint, lines: &mut Vec<String>) {
    let old = statements(&difference.old).unwrap_or_default();
    let new = statements(&difference.new).unwrap_or_default();
    let names: BTreeSet<&String> = old.iter().chain(&new).map(|(name, _)| name).collect();
    let find =
        |of: &[(String, &Value)], name: &str| of.iter().find(|(other, _)| other == name).map(|(_, one)| (*one).clone());
    if !difference.old.is_null() && statements(&difference.old).is_none() {
        lines.push(format!("{key}: {} {}", paint.red("-"), shown(&difference.old)));
    }
    let before = lines.len();
    for name in names {
        match (find(&old, name), find(&new, name)) {
            (Some(was), Some(is)) => by_place(&format!("{key} {name}"), &was, &is, lines),
            (Some(was), None) => lines.push(format!("{key} {name}: {} {was}", paint.red("-"))),
            (None, Some(is)) => lines.push(format!("{key} {name}: {} {is}", paint.green("+"))),
            (None, None) => {}
        }
    }
    if lines.len() == before {
        lines.push(format!("{key}: another version, or another order of the same statements"));
    }
}

/// Goes into objects and into lists of the same length, and says only what differs there.
fn by_place(place: &str, old: &Value, new: &Value, lines: &mut Vec<String>) {
    match (old, new) {
        (old, new) if old == new => {}
        (Value::Object(was), Value::Object(is)) => {
            for key in was.keys().chain(is.keys()).collect::<BTreeSet<_>>() {
                let value = |of: &serde_json::Map<String, Value>| of.get(key).cloned().unwrap_or_default();
                by_place(&format!("{place}.{key}"), &value(was), &value(is), lines);
            }
        }
        (Value::Array(was), Value::Array(is)) if was.len() == is.len() && was.iter().any(Value::is_object) => {
            for (index, (was, is)) in was.iter().zip(is).enumerate() {
                by_place(&format!("{place}.{index}"), was, is, lines);
            }
        }
        (Value::Array(was), Value::Array(is)) if was.iter().chain(is).any(Value::is_object) => {
            lines.push(format!("{place}: {} entries → {} entries", was.len(), is.len()));
        }
        _ => lines.push(format!("{place}: {} → {}", shown(old), shown(new))),
    }
}

/// What is new, in a few words: a policy by its statements, a document by what is in it.
fn outline(value: &Value) -> String {
    if let Some(statements) = statements(value) {
        return statements.into_iter().map(|(name, _)| name).collect::<Vec<_>>().join(", ");
    }
    match value.get("widgets").and_then(Value::as_array) {
        Some(widgets) => format!("{} widgets", widgets.len()),
        None => shown(value),
    }
}

/// A value as people write it: text without quotes unless it is empty, `none` for what is absent.
fn shown(value: &Value) -> String {
    let all = match value {
        Value::Null => return "none".to_owned(),
        Value::String(text) if text.is_empty() => return "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    };
    one_line(&all, WIDTH)
}
