//! Imports run one way: desired, actual, difference, action. A new room gets its place in the order here first. And all
//! calls of AWS are sent in one way.

#[path = "../../config/tests/bypass/mod.rs"]
mod bypass;
#[path = "../../config/tests/imports/mod.rs"]
mod imports;
mod sends;

use std::path::Path;

use imports::House;

const HOUSE: House = House {
    name: "sms_provision",
    order: &[
        &["aws", "credentials", "number", "resource"],
        &["stack"],
        &["inquiry", "keys", "operator", "terraform"],
        &["kinds"],
        &["observe"],
        &["plan"],
        &["apply", "cli", "render", "verify"],
        &["commands"],
        &["main"],
    ],
    guarded: &[],
};

#[test]
fn no_import_runs_against_the_order() {
    let breaches = HOUSE.breaches_of(env!("CARGO_MANIFEST_DIR"));
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn a_plan_that_acts_is_a_breach() {
    let files =
        [("lib.rs", "mod apply; mod plan;"), ("plan.rs", "use crate::apply::run;"), ("apply.rs", "fn run() {}")];
    assert_eq!(HOUSE.breaches(&files), ["plan names apply::run, which is not below it: plan.rs:1"]);
}

#[test]
fn no_call_of_aws_is_sent_past_the_one_way_of_asking_again() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let breaches = sends::past(&source, &source.join("aws/patience.rs"));
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}

#[test]
fn a_call_that_is_sent_by_hand_is_a_breach_however_it_is_written() {
    for well in [
        "fn f() { call(\"sns:X\", id, || sns.x().send()).await }",
        "fn f() { call(\"sns:X\", id, || { let x = sns.x(); x.y(1).send() }).await }",
        "fn f() { let send = |token| sns.x().token(token).send(); pages(\"sns:X\", id, send, |page| page.token()).await }",
        "fn f() { let send = || { let x = sns.x(); x.send() }; call_while(MOST, passes, \"sns:X\", id, send).await }",
    ] {
        assert_eq!(sends::of(well), [""; 0], "{well}");
    }
    for breach in [
        "fn f() { sns.x().send().await }",
        "fn f() { let sent = sns.x().send(); sent.await }",
        "fn f() { let send = || sns.x().send(); send().await }",
        "fn f() { let send = || sns.x().send(); patiently(passes, send).await }",
        "fn f() { patiently(passes, || async { sns.x().send().await }).await }",
        "fn f() { sns.x().into_paginator().items() }",
    ] {
        assert_eq!(sends::of(breach).len(), 1, "{breach}");
    }
}

#[test]
fn text_of_others_is_shown_through_one_module_only() {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let breaches = bypass::past(&source, &[]);
    assert!(breaches.is_empty(), "{}", breaches.join("\n"));
}
