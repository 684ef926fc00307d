//! Cut off after each single write and run again: it ends where it would have ended.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod wire;

use account::Account;
use wire::Wire;

/// Runs the command, killing it when moto has taken the write of that number and before its answer is there. Whether
/// there was such a write.
fn cut(account: &Account, arguments: &[&str], write: usize) -> bool {
    let wire = Wire::cut_after(account.moto.endpoint(), write);
    let mut child = account.command(wire.endpoint(), arguments).stdout(std::process::Stdio::null()).spawn().unwrap();
    loop {
        if wire.is_cut() {
            child.kill().unwrap();
            child.wait().unwrap();
            return true;
        }
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success() || wire.is_cut());
            return wire.is_cut();
        }
        std::thread::sleep(std::time::Duration::from_millis(2));
    }
}

#[test]
fn an_apply_that_was_cut_off_anywhere_ends_right_when_it_is_run_again() {
    let account = Account::new();
    account.run(&["apply", "--yes"]).ended(0);
    let good = account.state();
    for write in 1.. {
        account.moto.reset();
        drop(std::fs::remove_file(account.credentials()));
        let was_cut = cut(&account, &["apply", "--yes"], write);
        account.run(&["apply", "--yes"]).ended(0);
        assert_eq!(account.state(), good, "after write {write}");
        assert_eq!(account.run(&["plan", "--json"]).ended(0).changes(), [""; 0], "after write {write}");
        let file = std::fs::read_to_string(account.credentials()).unwrap();
        assert_eq!(file.matches("aws_secret_access_key").count(), 1, "after write {write}");
        if !was_cut {
            assert!(write > 20, "an apply has more writes than {write}");
            break;
        }
    }
}

#[test]
fn a_destroy_that_was_cut_off_anywhere_ends_right_when_it_is_run_again() {
    let account = Account::new();
    let attributes = "sns.set_sms_attributes(attributes={'MonthlySpendLimit':'500'})";
    account.boto(attributes);
    let empty = account.state();
    for write in 1.. {
        account.moto.reset();
        account.boto(attributes);
        account.run(&["apply", "--yes", "--adopt"]).ended(0);
        let was_cut = cut(&account, &["destroy", "--yes"], write);
        account.run(&["destroy", "--yes"]).ended(0);
        assert_eq!(account.state(), empty, "after write {write}");
        if !was_cut {
            assert!(write > 15, "a destroy has more writes than {write}");
            break;
        }
    }
}
