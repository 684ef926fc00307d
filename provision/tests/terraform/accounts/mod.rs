//! Accounts as they should be, and an account as it is.
//!
//! `defaults.json` and `everything.json` say what `sms-provision` makes of the same settings, in the words of
//! `read.py`.

use std::process::Command;

use serde_json::Value;

use crate::peers::{Moto, python};

/// All that stands in the account and a region.
pub(crate) fn read(moto: &Moto, region: &str) -> Value {
    let output = Command::new(python())
        .args(["-c", include_str!("read.py"), moto.endpoint(), region])
        .env_remove("AWS_PROFILE")
        .output()
        .unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The account of the defaults, in us-east-1.
pub(crate) fn defaults() -> Value {
    serde_json::from_str(include_str!("defaults.json")).unwrap()
}

/// The account of every setting, in eu-central-1.
pub(crate) fn everything() -> Value {
    serde_json::from_str(include_str!("everything.json")).unwrap()
}

/// Fails with what differs, by where it stands, not with two whole accounts.
#[track_caller]
pub(crate) fn assert_same(found: &Value, wanted: &Value) {
    let mut differences = Vec::new();
    differ("", found, wanted, &mut differences);
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}

fn differ(place: &str, found: &Value, wanted: &Value, into: &mut Vec<String>) {
    match (found, wanted) {
        (Value::Object(one), Value::Object(other)) => {
            for key in one.keys().chain(other.keys().filter(|key| !one.contains_key(*key))) {
                let none = Value::String("nothing".into());
                let of = |all: &serde_json::Map<String, Value>| all.get(key).unwrap_or(&none).clone();
                differ(&format!("{place}/{key}"), &of(one), &of(other), into);
            }
        }
        _ if found == wanted => {}
        _ => into.push(format!("{place}: {found}, and should be {wanted}")),
    }
}
