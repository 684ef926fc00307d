//! What a plan looks like, to people and to programs. After a wanted change: `SMS_PROVISION_GOLDEN=write cargo test`.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::path::Path;

use account::Account;

/// The file of that name, with what differs from run to run left out of `said`.
#[track_caller]
fn holds(account: &Account, file: &str, said: &str) {
    let said = said.replace(account.moto.endpoint(), "ENDPOINT");
    let said = said.replace(account.home.path().to_str().unwrap(), "HOME");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(file);
    if std::env::var_os("SMS_PROVISION_GOLDEN").is_some() {
        std::fs::write(&path, &said).unwrap();
    }
    assert_eq!(said, std::fs::read_to_string(&path).unwrap(), "{}", path.display());
}

#[test]
fn a_plan_for_an_empty_account() {
    let account = Account::new();
    holds(&account, "empty.txt", &account.run(&["plan"]).ended(0).out);
    holds(&account, "empty.json", &account.run(&["plan", "--json"]).ended(0).out);
}

#[test]
fn a_plan_for_an_account_that_differs_and_one_that_is_as_it_should_be() {
    let account = Account::new();
    account.run(&["apply", "--yes"]).ended(0);
    holds(&account, "unchanged.txt", &account.run(&["plan"]).ended(0).out);
    holds(&account, "unchanged.json", &account.run(&["plan", "--json"]).ended(0).out);
    let settings = [
        "--set=account.queue=true",
        "--set=account.monthly_spend_limit_usd=20",
        "--set=account.delivery_status_logging=false",
        "--set=account.spend_alarm_percents=50,100",
        r#"--set=account.tags={"team":"growth"}"#,
    ];
    let plan = |command: &[&str]| account.run(&command.iter().chain(&settings).copied().collect::<Vec<_>>()).ended(0);
    holds(&account, "changed.txt", &plan(&["plan"]).out);
    holds(&account, "changed.json", &plan(&["plan", "--json"]).out);
}

#[test]
fn a_plan_with_conflicts() {
    let account = Account::new();
    account.boto("iam.create_user(UserName='sms-sender-us-east-1')\nsns.set_sms_attributes(attributes={'MonthlySpendLimit':'500'})");
    let settings = ["plan", "--set=account.delivery_status_logging=false", "--set=account.spend_alarm_percents=[]"];
    holds(&account, "conflicts.txt", &account.run(&settings).ended(1).out);
}
