//! Imports run one way through the rooms, and only the composition root knows which engines there are.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/bypass/mod.rs"]
mod bypass;
#[path = "../../config/tests/imports/mod.rs"]
mod imports;

use std::path::Path;

use imports::House;

const HOUSE: House = House {
    name: "sms_agent",
    order: &[
        &["message"],
        &["clock", "private_file", "tasks"],
        &["carrier", "outbox"],
        &["dispatch"],
        &["receipts", "admission"],
        &["api"],
        &["open_files"],
        &["app", "cli", "defects", "signals"],
        &["program"],
        &["main"],
    ],
    guarded: &[
        ("carrier::sns", &["app"]),
        ("outbox::sqlite", &["app", "outbox::sqs"]),
        ("outbox::sqs", &["app"]),
        ("aws_sdk_sns", &["carrier::sns"]),
        ("aws_sdk_sqs", &["outbox::sqs"]),
        ("aws_sdk_sts", &["carrier::sns"]),
        ("rusqlite", &["outbox::sqlite", "carrier::simulator"]),
        ("hyper", &["api"]),
        ("hyper_util", &["api"]),
        ("h2", &["api"]),
    ],
};

#[test]
fn no_import_runs_against_the_flow() {
    let breaches = HOUSE.breaches_of(env!("CARGO_MANIFEST_DIR"));
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// A crate of three rooms with that text in one of them.
fn planted(file: &str, text: &str) -> Vec<String> {
    let mut files = vec![
        ("lib.rs", "pub mod api; pub mod carrier; pub mod outbox; pub mod message; pub use api::Api;"),
        ("api/mod.rs", "pub struct Api;"),
        ("carrier/mod.rs", "pub mod sns; pub trait Carrier {}"),
        ("carrier/sns/mod.rs", "pub struct Sns;"),
        ("outbox/mod.rs", "pub mod sqlite;"),
        ("outbox/sqlite/mod.rs", "use rusqlite::Connection; use super::super::message::Message;"),
        ("message/mod.rs", "pub struct Message;"),
    ];
    files.retain(|(other, _)| *other != file);
    files.push((file, text));
    HOUSE.breaches(&files)
}

#[test]
fn a_breach_is_found_however_it_is_written() {
    for (file, text) in [
        ("message/mod.rs", "use crate::carrier::Carrier;"),
        ("message/mod.rs", "fn f() { let _ = crate::clock::now(); }"),
        ("message/mod.rs", "use crate::Api;"),
        ("message/code.rs", "use super::super::carrier;"),
        ("message/mod.rs", "mod tests { use super::super::api::Api; }"),
        ("carrier/mod.rs", "use crate::{message::Message, outbox::{self as o}};"),
        ("outbox/mod.rs", "pub(crate) use crate::api;"),
        ("outbox/sqlite/mod.rs", "tracing::info!(a = crate::api::NAME);"),
        ("api/mod.rs", "use crate::carrier::{Carrier, sns::Sns};"),
        ("api/mod.rs", "use crate::carrier;\nfn f() -> carrier::sns::Sns { todo!() }"),
        ("api/mod.rs", "use crate::carrier as way; type A = way::sns::Sns;"),
        ("api/mod.rs", "use crate::outbox::sqlite::*;"),
        ("api/mod.rs", "fn f() { rusqlite::Connection::open_in_memory(); }"),
        ("admission.rs", "use crate::receipts::follow;"),
        ("main.rs", "use sms_agent::carrier::sns::Sns;"),
        ("helper.rs", "use crate::message::Message;"),
    ] {
        let breaches = planted(file, text);
        assert_eq!(breaches.len(), 1, "{file}: {text}\n{breaches:?}");
        assert!(breaches[0].contains(file), "{breaches:?}");
    }
}

#[test]
fn what_runs_with_the_flow_is_no_breach() {
    for (file, text) in [
        ("api/mod.rs", "use crate::carrier::Carrier; use crate::message::Message; pub(in crate::app) struct Api;"),
        (
            "api/mod.rs",
            "// use crate::app;\nconst A: &str = \"crate::app::run\";\n/// [`crate::app`] calls it.\nfn f() {}",
        ),
        ("app.rs", "use crate::{api::Api, carrier::sns::Sns, outbox::sqlite};"),
        ("carrier/sns/wire.rs", "use super::Sns; use super::super::Carrier; use aws_sdk_sns::Client;"),
        ("main.rs", "use sms_agent::app; fn main() { app::run(); }"),
    ] {
        assert_eq!(planted(file, text), [""; 0], "{file}: {text}");
    }
}

#[test]
fn text_of_others_is_shown_through_one_module_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let breaches = bypass::past(&source, &[]);
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

/// Where tasks and threads are started otherwise than by `Tasks`, and why a panic in one is noticed there.
const STARTED_ELSEWHERE: [(&str, &str); 8] = [
    ("src/tasks.rs", "this is `Tasks`"),
    ("src/admission/", "one request's: its answer is missing, and it is answered as a defect"),
    ("src/api/", "one connection's or one request's"),
    ("src/app.rs", "the stop waits for one, and the other only writes a line of the log"),
    ("src/dispatch/knocking.rs", "catches it itself"),
    ("src/dispatch/mod.rs", "one message's: what is known of it is that it was begun, as after a crash"),
    ("src/outbox/sqlite/", "blocking work that its caller waits for"),
    ("src/outbox/sqs/taking.rs", "its caller waits for it"),
];

#[test]
fn what_runs_as_long_as_the_agent_is_started_where_a_panic_is_noticed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut found = Vec::new();
    spawns(&folder.join("src"), &mut found);
    let strange: Vec<_> =
        found.iter().filter(|place| !STARTED_ELSEWHERE.iter().any(|(allowed, _)| place.contains(allowed))).collect();
    assert!(strange.is_empty(), "start it with `Tasks::spawn`: {strange:?}");
    let in_sqlite =
        found.iter().filter(|place| place.contains("src/outbox/sqlite/") && place.ends_with("tokio::spawn("));
    assert_eq!(in_sqlite.count(), 0, "only blocking work is started there");
}

fn spawns(folder: &Path, found: &mut Vec<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.ends_with("tests") || path.ends_with("tests.rs") {
            continue;
        }
        if path.is_dir() {
            spawns(&path, found);
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let code = source.split("#[cfg(test)]\nmod tests").next().unwrap();
        for call in ["tokio::spawn(", "thread::spawn(", "thread::Builder", "spawn_blocking("] {
            if code.contains(call) {
                found.push(format!("{} {call}", path.display()));
            }
        }
    }
}
