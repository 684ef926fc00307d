//! `status`: the account as it is, with what cannot be asked.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod recorded;

use std::time::Duration;

use account::Account;
use recorded::Recorded;
use serde_json::json;
use tokio::time::Instant;

#[test]
fn an_account_that_is_as_the_settings_have_it_is_good_and_any_drift_is_not() {
    let account = Account::new();
    let before = account.run(&["status"]).ended(1);
    assert!(before.out.contains("Drift     ") && before.out.contains("to create"), "{}", before.out);
    assert!(before.out.contains("Keys      none: there is no sender"), "{}", before.out);
    account.run(&["apply", "--yes"]).ended(0);
    let after = account.run(&["status"]).ended(0);
    for line in [
        "Account 123456789012, region us-east-1, stack sms, endpoint http://127.0.0.1:",
        "Sandbox   not known: the SMS sandbox: sns:GetSMSSandboxAccountStatus: status 500",
        "Spend     0.00 of 1 USD this month",
        "Opt-outs  8\n",
        ", made today, never used\n",
        "Drift     none: ",
    ] {
        assert!(after.out.contains(line), "{line}: {}", after.out);
    }
    account.boto("sns.set_sms_attributes(attributes={'MonthlySpendLimit': '9'})");
    let drifted = account.run(&["status", "--json"]).ended(1).json();
    assert_eq!((&drifted["drift"]["update"], &drifted["spend"]["limit_usd"]), (&json!(1), &json!(9.0)));
}

#[test]
fn programs_get_all_of_it_as_json() {
    let recorded = Recorded::new();
    recorded.in_production();
    recorded.run(&["apply", "--yes"]).ended(0);
    recorded.account.boto(
        "import datetime\n\
         cw.put_metric_data(Namespace='AWS/SNS', MetricData=[{'MetricName': 'SMSMonthToDateSpentUSD', 'Value': value,\n\
         'Timestamp': datetime.datetime.now(datetime.timezone.utc)} for value in (0.25, 0.75)])",
    );
    let told = recorded.run(&["status", "--json"]).ended(0).json();
    assert_eq!(told["account"], "123456789012");
    assert_eq!((&told["region"], &told["name"], &told["sandbox"]), (&json!("us-east-1"), &json!("sms"), &json!(false)));
    assert_eq!(told["spend"], json!({ "month_to_date_usd": 0.75, "limit_usd": 1.0 }));
    assert_eq!(told["opt_outs"], json!({ "count": 8, "more": false }));
    let key = &told["keys"][0];
    assert_eq!(
        (&key["active"], &key["in_credentials_file"], &key["age_days"]),
        (&json!(true), &json!(true), &json!(0))
    );
    assert_eq!((&told["drift"]["create"], &told["not_known"]), (&json!(0), &json!([])));
}

#[test]
fn being_in_the_sandbox_is_shown_and_not_bad() {
    let recorded = Recorded::new();
    recorded.answers("GetSMSSandboxAccountStatus", "<IsInSandbox>true</IsInSandbox>");
    recorded.run(&["apply", "--yes"]).ended(0);
    let told = recorded.run(&["status"]).ended(0);
    assert!(told.out.contains("Sandbox   yes: SMS go to verified numbers only"), "{}", told.out);
}

#[test]
fn what_keeps_the_account_from_being_of_use_is_told_with_what_to_do_and_nothing_else() {
    let recorded = Recorded::new();
    let steps = ["The account is in the SMS sandbox", "SNS stops sending at 1 USD a month", "Nobody is told of alarms"];
    recorded.account.run(&["apply", "--yes"]).ended(0);
    recorded.answers("GetSMSSandboxAccountStatus", "<IsInSandbox>true</IsInSandbox>").in_production();
    let told = recorded.run(&["status"]).ended(0);
    for step in steps {
        assert!(told.out.contains(&format!("\nNext: {step}")), "{}", told.out);
    }
    assert!(!told.out.contains("access key"), "{}", told.out);
    let useful = ["--set=account.monthly_spend_limit_usd=50", "--set=account.alarm_emails=a@b.example"];
    recorded.run(&[&["apply", "--yes"], &useful[..]].concat()).ended(0);
    let told = recorded.run(&[&["status", "--json"], &useful[..]].concat()).ended(0);
    assert_eq!(told.json()["next_steps"], json!([]), "{}", told.out);
}

#[test]
fn a_question_that_is_refused_names_its_action_loses_no_other_and_is_not_good() {
    let recorded = Recorded::new();
    recorded.in_production();
    recorded.run(&["apply", "--yes"]).ended(0);
    recorded.fails("ListPhoneNumbersOptedOut", 403, "AuthorizationError", "User is not authorized");
    let told = recorded.run(&["status"]).ended(1);
    assert!(told.out.contains("Opt-outs  not known: "), "{}", told.out);
    assert!(told.out.contains("sns:ListPhoneNumbersOptedOut is not allowed; grant it"), "{}", told.out);
    assert!(told.out.contains("Sandbox   no\n") && told.out.contains("Drift     none: "), "{}", told.out);
}

#[test]
fn a_plan_names_every_read_that_it_could_tell_was_refused() {
    let recorded = Recorded::new();
    for action in ["ListPolicies", "GetSMSAttributes"] {
        recorded.fails(action, 403, "AccessDenied", "User is not authorized");
    }
    let plan = recorded.run_all_through(&["plan", "--json"]).ended(1);
    assert_eq!(plan.json()["refused"], json!(["iam:ListPolicies", "sns:GetSMSAttributes"]));
}

#[test]
fn opt_outs_are_counted_to_a_thousand_no_faster_than_ten_pages_a_second() {
    let recorded = Recorded::new();
    recorded.in_production();
    let page: String = (0..100).map(|number| format!("<member>+1206555{number:04}</member>")).collect();
    recorded.answers(
        "ListPhoneNumbersOptedOut",
        &format!("<phoneNumbers>{page}</phoneNumbers><nextToken>more</nextToken>"),
    );
    let started = Instant::now();
    let told = recorded.run(&["status", "--json"]).json();
    assert_eq!(told["opt_outs"], json!({ "count": 1000, "more": true }));
    assert_eq!(recorded.asked("ListPhoneNumbersOptedOut").len(), 11);
    assert!(started.elapsed() >= Duration::from_secs(1), "{:?}", started.elapsed());
    let told = recorded.run(&["status"]);
    assert!(told.out.contains("Opt-outs  1000+\n"), "{}", told.out);
}

#[test]
fn many_targets_end_with_a_table() {
    let account = Account::new();
    let file = account.home.path().join("two.toml");
    let targets = "[[targets]]\nname = \"one\"\nregion = \"us-east-1\"\n[[targets]]\nname = \"two\"\nregion = \"eu-west-1\"\n\
                   account_id = \"999999999999\"\n";
    std::fs::write(&file, targets).unwrap();
    let told = account.run(&["status", "--all", "--config", file.to_str().unwrap()]).ended(1);
    assert!(told.out.contains("== one\n") && told.out.contains("\none  drift: "), "{}", told.out);
    assert!(told.out.contains("\ntwo  error: "), "{}", told.out);
}

#[test]
fn apply_ends_with_the_next_steps_that_apply_and_fails_for_none_that_cannot_be_asked() {
    let recorded = Recorded::new();
    recorded.answers("GetSMSSandboxAccountStatus", "<IsInSandbox>true</IsInSandbox>");
    recorded.in_production();
    let ran = recorded.run(&["apply", "--yes"]).ended(0);
    let file = recorded.account.credentials();
    let key = format!("Next: The sender's key is in the profile sms of {}. The agent uses it with", file.display());
    for line in [
        &key,
        " SMS_AWS__PROFILE=sms SMS_AWS__REGION=us-east-1.\n",
        "Next: The account is in the SMS sandbox: SMS go to verified numbers only.",
        "Next: SNS stops sending at 1 USD a month in this region.",
        "Next: Nobody is told of alarms: set account.alarm_emails",
    ] {
        assert!(ran.out.contains(line), "{line}: {}", ran.out);
    }
    let steps = recorded.run(&["apply", "--yes", "--json"]).ended(0);
    assert_eq!(steps.json()["next_steps"].as_array().map(Vec::len), Some(3), "{}", steps.out);
    assert!(!steps.out.contains("SMS sandbox"), "{}", steps.out);
    // moto itself has no answer about the sandbox.
    let unknown = recorded.account.run(&["apply", "--yes"]).ended(0);
    assert!(!unknown.out.contains("SMS sandbox") && unknown.out.contains("Next: "), "{}", unknown.out);
    let destroyed = Recorded::new().run(&["destroy", "--yes"]).ended(0);
    assert!(!destroyed.out.contains("Next:"), "{}", destroyed.out);
}
