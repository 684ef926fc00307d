//! What differs in one resource, line by line: values as old → new, policies by statement.

use std::collections::BTreeSet;

use serde_json::Value;

use super::Paint;
use crate::plan::{Action, Change, Difference};

/// The lines of a change, without indentation.
pub(super) fn lines(change: &Change, paint: Paint) -> Vec<String> {
    let mut lines = Vec::new();
    for (key, difference) in &change.attributes {
        match (statements(&difference.old), statements(&difference.new)) {
            (Some(_), _) | (_, Some(_)) => by_statement(key, difference, paint, &mut lines),
            _ if change.action == Action::Create => {
                // What is absent and stays so says nothing.
                if !difference.new.is_null() {
                    lines.push(format!("{key}: {}", shown(&difference.new)));
                }
            }
            _ => lines.push(format!("{key}: {} → {}", shown(&difference.old), shown(&difference.new))),
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
        Some(sid) if !sid.is_empty() => sid.to_owned(),
        _ => format!("statement {}", index + 1),
    };
    Some(statements.into_iter().enumerate().map(|(index, one)| (name((index, one)), one)).collect())
}

fn by_statement(key: &str, difference: &Difference, paint: Paint, lines: &mut Vec<String>) {
    let old = statements(&difference.old).unwrap_or_default();
    let new = statements(&difference.new).unwrap_or_default();
    let names: BTreeSet<&String> = old.iter().chain(&new).map(|(name, _)| name).collect();
    let find =
        |of: &[(String, &Value)], name: &str| of.iter().find(|(other, _)| other == name).map(|(_, one)| shown(one));
    if !difference.old.is_null() && statements(&difference.old).is_none() {
        lines.push(format!("{key}: {} {}", paint.red("-"), shown(&difference.old)));
    }
    let before = lines.len();
    for name in names {
        let (was, is) = (find(&old, name), find(&new, name));
        if was == is {
            continue;
        }
        if let Some(was) = was {
            lines.push(format!("{key} {name}: {} {was}", paint.red("-")));
        }
        if let Some(is) = is {
            lines.push(format!("{key} {name}: {} {is}", paint.green("+")));
        }
    }
    if lines.len() == before {
        lines.push(format!("{key}: another version or order of the same statements"));
    }
}

/// A value as people write it: text without quotes unless it is empty, `none` for what is absent.
fn shown(value: &Value) -> String {
    match value {
        Value::Null => "none".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}
