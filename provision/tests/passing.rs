//! Errors of IAM that pass: two calls change the same thing at one moment, as `apply` itself makes them.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod recorded;

use recorded::Recorded;

#[test]
fn a_change_at_the_same_moment_is_waited_out_and_made_once() {
    let recorded = Recorded::new();
    for (action, code) in [
        ("CreatePolicy", "ConcurrentModification"),
        ("CreateUser", "ConcurrentModification"),
        ("TagUser", "ConcurrentModification"),
        ("AttachUserPolicy", "EntityTemporarilyUnmodifiable"),
        ("PutRolePolicy", "ConcurrentModification"),
    ] {
        recorded.fails(action, 409, code, "try again").then_moto(action);
    }
    recorded.run_all_through(&["apply", "--yes"]).ended(0);
    assert_eq!(recorded.asked("CreateUser").len(), 2);
    assert_eq!(recorded.account.run(&["plan", "--json"]).ended(0).changes(), [""; 0]);
}
