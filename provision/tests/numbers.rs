//! What is asked and done about a number: it is never shown in full.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod recorded;

use std::time::Duration;

use account::{Account, Ran};
use recorded::Recorded;
use serde_json::{Value, json};
use tokio::time::Instant;

const NUMBER: &str = "+12065550100";
const MASKED: &str = "+1••••••••00";

/// What was found about one thing.
fn finding(told: &Value, about: &str) -> (String, String) {
    let all = told["findings"].as_array().unwrap();
    let one = all.iter().find(|one| one["about"] == about).unwrap();
    (one["answer"].as_str().unwrap().to_owned(), one["detail"].as_str().unwrap().to_owned())
}

#[track_caller]
fn shows_no_number(ran: &Ran) {
    for text in [&ran.out, &ran.err] {
        assert!(!text.contains("206555") && !text.contains("2065550100"), "{text}");
    }
}

#[test]
fn a_number_that_nothing_speaks_against_is_good() {
    let recorded = Recorded::new();
    recorded.in_production();
    let told = recorded.run(&["check", NUMBER]).ended(0);
    assert!(told.out.contains(MASKED) && told.out.contains("nothing speaks against it"), "{}", told.out);
    shows_no_number(&told);
    let told = recorded.run(&["check", "--json", NUMBER]).ended(0).json();
    assert_eq!((&told["answer"], &told["number"]), (&json!("good"), &json!(MASKED)));
    for about in ["region", "sandbox", "opt_out", "spend", "sender"] {
        assert_eq!(finding(&told, about).0, "good", "{about}: {told}");
    }
}

#[test]
fn a_number_that_has_opted_out_is_not_good() {
    let recorded = Recorded::new();
    recorded.in_production();
    let told = recorded.run(&["check", "+12065550199", "--json"]).ended(1).json();
    assert_eq!((&told["answer"], finding(&told, "opt_out").0.as_str()), (&json!("against"), "against"));
}

#[test]
fn from_inside_the_sandbox_only_a_verified_number_is_good() {
    let recorded = Recorded::new();
    recorded.answers("GetSMSSandboxAccountStatus", "<IsInSandbox>true</IsInSandbox>");
    let member =
        |number, status| format!("<member><PhoneNumber>{number}</PhoneNumber><Status>{status}</Status></member>");
    let numbers = member("+4915112345678", "Verified") + &member("+4915112345679", "Pending");
    recorded.answers("ListSMSSandboxPhoneNumbers", &format!("<PhoneNumbers>{numbers}</PhoneNumbers>"));
    let found = |number, status| {
        let told = recorded.run(&["check", number, "--json"]).ended(status).json();
        finding(&told, "sandbox").1
    };
    assert!(found("+4915112345678", 0).contains("is verified"));
    assert!(found("+4915112345679", 1).contains("sandbox verify NUMBER CODE"));
    assert!(found("+4915112345670", 1).contains("sandbox add NUMBER"));
    let told = recorded.run(&["sandbox", "status", "--json"]).ended(0).json();
    assert_eq!(told["in_sandbox"], true);
    assert_eq!(told["numbers"][1], json!({ "number": "+4915112345679", "verified": false }));
}

#[test]
fn the_pages_of_the_sandbox_are_asked_for_one_a_second() {
    let recorded = Recorded::new();
    recorded.answers("GetSMSSandboxAccountStatus", "<IsInSandbox>true</IsInSandbox>");
    let page = |number: &str, rest: &str| {
        format!(
            "<PhoneNumbers><member><PhoneNumber>{number}</PhoneNumber><Status>Verified</Status></member></PhoneNumbers>{rest}"
        )
    };
    recorded.answers("ListSMSSandboxPhoneNumbers", &page("+4915112345678", "<NextToken>t</NextToken>"));
    recorded.answers("ListSMSSandboxPhoneNumbers", &page("+4915112345679", ""));
    let started = Instant::now();
    let told = recorded.run(&["sandbox", "status"]).ended(0);
    assert!(started.elapsed() >= Duration::from_secs(1));
    assert!(told.out.contains("+4915112345678  verified\n+4915112345679  verified\n"), "{}", told.out);
    assert!(recorded.asked("ListSMSSandboxPhoneNumbers")[1].contains("NextToken=t"));
}

#[test]
fn to_the_united_states_it_takes_an_origination_number() {
    let recorded = Recorded::new();
    recorded.answers("GetSMSSandboxAccountStatus", "<IsInSandbox>false</IsInSandbox>");
    recorded.answers("ListOriginationNumbers", "<PhoneNumbers/>");
    recorded.account.boto("sns.set_sms_attributes(attributes={'DefaultSenderID': 'Acme'})");
    let told = recorded.run(&["check", NUMBER, "--json"]).ended(1).json();
    let (answer, words) = finding(&told, "sender");
    assert!(answer == "against" && words.contains("DefaultSenderID is not shown there"), "{words}");
    let told = recorded.run(&["check", "+14165550100", "--json"]).ended(0).json();
    assert!(finding(&told, "sender").1.contains("DefaultSenderID is not shown there"), "{told}");
    let told = recorded.run(&["check", "+4915112345678", "--json"]).ended(0).json();
    assert!(finding(&told, "sender").1.starts_with("DefaultSenderID, where"), "{told}");
    assert_eq!(recorded.asked("ListOriginationNumbers").len(), 1);
}

#[test]
fn origination_numbers_are_looked_for_on_all_pages_also_after_an_empty_one() {
    let recorded = Recorded::new();
    recorded.answers("GetSMSSandboxAccountStatus", "<IsInSandbox>false</IsInSandbox>");
    recorded.answers("ListOriginationNumbers", "<NextToken>two</NextToken><PhoneNumbers/>");
    let number = "<PhoneNumbers><member><PhoneNumber>+18005550100</PhoneNumber></member></PhoneNumbers>";
    recorded.answers("ListOriginationNumbers", number);
    let told = recorded.run(&["check", NUMBER, "--json"]).ended(0).json();
    assert!(finding(&told, "sender").1.contains("an origination number of the account"), "{told}");
    assert_eq!(recorded.asked("ListOriginationNumbers").len(), 2);
}

#[test]
fn a_limit_that_is_used_up_speaks_against_every_number() {
    let recorded = Recorded::new();
    recorded.in_production();
    recorded.account.boto(
        "import datetime\n\
         cw.put_metric_data(Namespace='AWS/SNS', MetricData=[{'MetricName': 'SMSMonthToDateSpentUSD', 'Value': 1.0, \
         'Timestamp': datetime.datetime.now(datetime.timezone.utc)}])",
    );
    let told = recorded.run(&["check", NUMBER, "--json"]).ended(1).json();
    assert_eq!(
        finding(&told, "spend"),
        ("against".into(), "1.00 of 1 USD this month: SNS takes SMS and drops them".into())
    );
}

#[test]
fn what_aws_does_not_answer_is_told_and_what_it_refuses_is_not_good() {
    let recorded = Recorded::new();
    // moto has neither the sandbox nor origination numbers.
    let told = recorded.run(&["check", NUMBER, "--json"]).ended(0).json();
    assert_eq!((&told["answer"], finding(&told, "sandbox").0.as_str()), (&json!("unknown"), "unknown"));
    recorded.fails("GetSMSSandboxAccountStatus", 403, "AuthorizationError", "not authorized");
    let told = recorded.run(&["check", NUMBER]).ended(1);
    assert!(told.out.contains("sns:GetSMSSandboxAccountStatus is not allowed"), "{}", told.out);
    let recorded = Recorded::new();
    recorded.in_production().fails(
        "CheckIfPhoneNumberIsOptedOut",
        400,
        "InternalError",
        "no answer about +12065550100",
    );
    let told = recorded.run(&["check", NUMBER]).ended(1);
    assert!(told.out.contains("it is not known whether"), "{}", told.out);
    shows_no_number(&told);
}

#[test]
fn what_is_no_number_is_refused_and_not_repeated() {
    let account = Account::new();
    for bad in ["12065550100", "+1 206 555 0100", "+1206555010a", "+02065550100", "+120655", "+12065550100206555"] {
        for command in [&["check"][..], &["opt-outs", "check"], &["opt-outs", "opt-in", "--yes"], &["sandbox", "add"]] {
            let told = account.run(&[command, &[bad]].concat()).ended(1);
            assert!(told.err.contains("NUMBER: the number is not written in E.164"), "{}", told.err);
            assert!(!told.err.contains("20655") && !told.err.contains("206 555"), "{}", told.err);
        }
    }
    let told = account.run(&["check", NUMBER, NUMBER]).ended(1);
    assert!(told.err.contains("unexpected argument"), "{}", told.err);
    shows_no_number(&told);
    let told = account.run(&["sandbox", "verify", NUMBER, "98765x"]).ended(1);
    assert!(told.err.contains("CODE: a code has 5 to 8 digits") && !told.err.contains("98765"), "{}", told.err);
}

#[test]
fn opt_outs_are_listed_in_full_asked_about_and_taken_back() {
    let account = Account::new();
    let listed = account.run(&["opt-outs", "list"]).ended(0);
    assert_eq!(listed.out.lines().count(), 8);
    assert!(listed.out.lines().all(|line| line.starts_with("+44") && line.len() == 13), "{}", listed.out);
    assert_eq!(account.run(&["opt-outs", "list", "--json"]).ended(0).json()["numbers"].as_array().unwrap().len(), 8);
    let told = account.run(&["opt-outs", "check", "+12065550199"]).ended(1);
    assert_eq!(told.out, "+1••••••••99 has opted out.\n");
    let told = account.run(&["opt-outs", "--set", "account.name=other", "check", NUMBER, "--json"]).ended(0).json();
    assert_eq!(told, json!({ "number": MASKED, "opted_out": false }));
    let told = account.run(&["opt-outs", "opt-in", NUMBER]).ended(1);
    assert!(told.err.contains("nothing was changed: there is no terminal to ask on"), "{}", told.err);
    assert_eq!(account.run(&["opt-outs", "opt-in", NUMBER, "--yes"]).ended(0).out, format!("{MASKED} is opted in.\n"));
}

#[test]
fn a_number_that_was_opted_in_a_moment_ago_is_told_to_wait() {
    let recorded = Recorded::new();
    recorded.fails("OptInPhoneNumber", 400, "InvalidParameter", "+12065550100 was opted in within the last 30 days");
    let told = recorded.run(&["opt-outs", "opt-in", NUMBER, "--yes"]).ended(1);
    assert!(told.err.contains("once in 30 days"), "{}", told.err);
    shows_no_number(&told);
}

#[test]
fn numbers_are_added_to_the_sandbox_verified_and_removed() {
    let recorded = Recorded::new();
    recorded.answers("CreateSMSSandboxPhoneNumber", "").answers("VerifySMSSandboxPhoneNumber", "");
    recorded.answers("DeleteSMSSandboxPhoneNumber", "");
    let told = recorded.run(&["sandbox", "add", NUMBER, "--language", "de-DE"]).ended(0);
    assert_eq!(told.out, format!("{MASKED} gets a code: sms-provision sandbox verify NUMBER CODE.\n"));
    let asked = recorded.asked("CreateSMSSandboxPhoneNumber");
    assert!(asked[0].contains("LanguageCode=de-DE") && asked[0].contains("PhoneNumber=%2B12065550100"), "{asked:?}");
    recorded.run(&["sandbox", "verify", NUMBER, "123456"]).ended(0);
    assert!(recorded.asked("VerifySMSSandboxPhoneNumber")[0].contains("OneTimePassword=123456"));
    let told = recorded.run(&["sandbox", "remove", NUMBER, "--json"]).ended(0).json();
    assert_eq!(told, json!({ "number": MASKED, "done": "removed" }));
}

#[test]
fn what_the_sandbox_refuses_comes_with_what_to_do() {
    for (arguments, action, code, advice) in [
        (&["sandbox", "add", NUMBER][..], "CreateSMSSandboxPhoneNumber", "OptedOut", "opt-outs opt-in NUMBER first"),
        (&["sandbox", "add", NUMBER], "CreateSMSSandboxPhoneNumber", "UserError", "ten numbers at most"),
        (
            &["sandbox", "verify", NUMBER, "123456"],
            "VerifySMSSandboxPhoneNumber",
            "VerificationException",
            "sends another, five in 24 hours",
        ),
        (
            &["sandbox", "verify", NUMBER, "123456"],
            "VerifySMSSandboxPhoneNumber",
            "ResourceNotFound",
            "add NUMBER first",
        ),
        (&["sandbox", "remove", NUMBER], "DeleteSMSSandboxPhoneNumber", "UserError", "24 hours after it was verified"),
    ] {
        let recorded = Recorded::new();
        recorded.fails(action, 400, code, "about +12065550100");
        let told = recorded.run(arguments).ended(1);
        assert!(told.err.contains(advice) && told.err.contains(action), "{}", told.err);
        assert_eq!(recorded.asked(action).len(), 1);
        shows_no_number(&told);
    }
}
