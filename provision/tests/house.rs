//! Imports run one way: desired, actual, difference, action. A new room gets its place in the order here first.

#[path = "../../config/tests/imports/mod.rs"]
mod imports;

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
