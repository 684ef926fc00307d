//! A document in parts that IAM takes. Attached together they come to the same as the whole: what one allows or denies holds
//! whatever the others say.

use serde_json::{Value, json};

use super::{LONGEST, VERSION, length};

/// The document as few policies of at most [`LONGEST`] characters each, in the order of its statements. A statement that is too
/// long alone is divided by its resources, or else by its actions.
pub fn parts(document: &Value) -> Vec<Value> {
    let statements = document.get("Statement").and_then(Value::as_array).map(Vec::as_slice).unwrap_or_default();
    let mut parts: Vec<Vec<Value>> = Vec::new();
    for statement in statements.iter().flat_map(pieces) {
        let has_room = |part: &&mut Vec<Value>| fits(part.iter().chain([&statement]));
        match parts.iter_mut().find(has_room) {
            Some(part) => part.push(statement),
            None => parts.push(vec![statement]),
        }
    }
    parts.iter().map(|part| of(part.iter())).collect()
}

fn of<'a>(statements: impl Iterator<Item = &'a Value>) -> Value {
    json!({ "Version": VERSION, "Statement": statements.collect::<Vec<_>>() })
}

fn fits<'a>(statements: impl Iterator<Item = &'a Value>) -> bool {
    length(&of(statements)) <= LONGEST
}

/// The statement in pieces that fit, each with a name of its own: a policy has no name twice.
fn pieces(statement: &Value) -> Vec<Value> {
    let mut pieces = divided(statement.clone());
    if let ([_, _, ..], Some(name)) = (&pieces[..], statement.get("Sid").and_then(Value::as_str)) {
        for (index, piece) in pieces.iter_mut().enumerate() {
            set(piece, "Sid", json!(format!("{name}{}", index + 1)));
        }
    }
    pieces
}

fn divided(statement: Value) -> Vec<Value> {
    if fits([&statement].into_iter()) {
        return vec![statement];
    }
    let list = |key| statement.get(key).and_then(Value::as_array).filter(|list| list.len() > 1);
    let Some((key, list)) = ["Resource", "Action"].into_iter().find_map(|key| Some((key, list(key)?))) else {
        return vec![statement];
    };
    let (first, second) = list.split_at(list.len() / 2);
    let half = |list: &[Value]| {
        let mut half = statement.clone();
        set(&mut half, key, Value::from(list));
        half
    };
    [first, second].into_iter().flat_map(|list| divided(half(list))).collect()
}

fn set(statement: &mut Value, key: &str, value: Value) {
    if let Some(members) = statement.as_object_mut() {
        members.insert(key.to_owned(), value);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(count: usize, length: usize) -> Vec<String> {
        (0..count).map(|number| format!("{number:0>length$}")).collect()
    }

    fn named(name: &str, actions: Vec<String>, resources: Vec<String>) -> Value {
        json!({ "Sid": name, "Effect": "Allow", "Action": actions, "Resource": resources })
    }

    fn all(parts: &[Value], key: &str) -> Vec<String> {
        let statements = parts.iter().flat_map(|part| part["Statement"].as_array().unwrap());
        statements.map(|statement| statement[key].to_string()).collect()
    }

    #[test]
    fn a_document_that_fits_is_one_part_and_stays_as_it_is() {
        let document = of([named("A", texts(2, 9), texts(2, 9))].iter());
        assert_eq!(parts(&document), [document]);
        assert_eq!(parts(&json!({})), [] as [Value; 0]);
    }

    #[test]
    fn statements_are_kept_whole_where_they_fit() {
        let document = of(["A", "B", "C"].map(|name| named(name, texts(1, 9), texts(40, 90))).iter());
        let parts = parts(&document);
        assert_eq!(all(&parts, "Sid"), [r#""A""#, r#""B""#, r#""C""#]);
        assert_eq!(parts.len(), 3);
        assert!(parts.iter().all(|part| length(part) <= LONGEST));
    }

    #[test]
    fn a_statement_that_is_too_long_alone_is_divided_under_other_names() {
        for (actions, resources) in [(texts(5, 9), texts(100, 90)), (texts(100, 90), texts(1, 9))] {
            let parts = parts(&of([named("A", actions.clone(), resources.clone())].iter()));
            assert!(parts.len() > 1 && parts.iter().all(|part| length(part) <= LONGEST));
            let names = all(&parts, "Sid");
            assert!(
                names.contains(&r#""A1""#.to_owned())
                    && names.iter().collect::<std::collections::BTreeSet<_>>().len() == names.len()
            );
            for (key, whole) in [("Action", &actions), ("Resource", &resources)] {
                let there = all(&parts, key).join(" ");
                assert!(whole.iter().all(|one| there.contains(one)), "{key}");
            }
        }
    }
}
