//! What AWS writes into an error reaches no output of the program, and each kind of refusal has advice of its own.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod recorded;

use account::{Account, Ran};
use recorded::Recorded;

const SESSION: &str = "IQoJb3JpZ2luX2VjEGsesame";
const HASH: &str = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
const NUMBER: &str = "+12065550100";

/// As AWS answers a wrong secret access key, with more that it might quote.
fn canonical_request() -> String {
    format!(
        "The request signature we calculated does not match the signature you provided.\n\nThe Canonical String for this \
         request should have been\n'POST\n/\n\nhost:iam.amazonaws.com\nx-amz-security-token:{SESSION}\n\n{HASH}'\n\nThe \
         String-to-Sign should have been\n'AWS4-HMAC-SHA256\n{HASH}'\r\nsms-provision: forged &#x9b;31m {NUMBER} \
         AKIAIOSFODNN7EXAMPLE"
    )
}

#[track_caller]
fn shows_nothing_of_it(ran: &Ran) {
    let shown = format!("{}{}", ran.out, ran.err);
    for secret in
        [SESSION, HASH, "x-amz", "AWS4", "Canonical", "forged", "2065550100", "AKIAIOSFODNN7EXAMPLE", "\u{9b}"]
    {
        assert!(!shown.contains(secret), "{secret}: {shown}");
    }
    for debug in ["Error {", "unhandled error", "Interceptor", "ServiceError", "Some("] {
        assert!(!shown.contains(debug), "{debug}: {shown}");
    }
}

#[test]
fn nothing_that_aws_writes_into_an_error_is_shown_by_any_command() {
    for code in ["SignatureDoesNotMatch", "InvalidParameter", "AccessDenied", "SomethingNew"] {
        let recorded = Recorded::new();
        recorded.fails("GetCallerIdentity", 403, code, &canonical_request());
        for arguments in
            [&["plan"][..], &["status"], &["check", NUMBER], &["verify"], &["apply", "--yes"], &["keys", "list"]]
        {
            let ran = recorded.run_all_through(arguments).ended(1);
            shows_nothing_of_it(&ran);
            assert!(ran.err.contains(code), "{}", ran.err);
        }
    }
}

#[test]
fn nothing_that_one_service_writes_is_shown_by_what_asks_it() {
    for code in ["SignatureDoesNotMatch", "AuthorizationError", "InvalidParameter", "SomethingNew", "InternalError"] {
        let recorded = Recorded::new();
        for action in ["GetSMSAttributes", "ListPolicies", "GetUser", "GetRole", "CheckIfPhoneNumberIsOptedOut"] {
            recorded.fails(action, 400, code, &canonical_request());
        }
        for arguments in
            [&["plan"][..], &["plan", "--json"], &["status"], &["check", NUMBER, "--json"], &["apply", "--yes"]]
        {
            shows_nothing_of_it(&recorded.run_all_through(arguments));
        }
    }
}

#[test]
fn a_wrong_clock_is_told_with_both_times() {
    let recorded = Recorded::new();
    let late = "Signature expired: 20260727T080000Z is now earlier than 20260727T081500Z (20260727T083000Z - 15 min.)";
    recorded.fails("GetCallerIdentity", 403, "SignatureDoesNotMatch", late);
    let told = recorded.run_all_through(&["plan"]).ended(1).err;
    assert!(told.contains("signed at 2026-07-27 08:00:00 UTC, and AWS has 2026-07-27 08:30:00 UTC"), "{told}");
    assert!(told.contains("set the clock") && !told.contains("renew"), "{told}");
}

#[test]
fn keys_that_a_region_does_not_know_may_mean_that_the_region_is_not_enabled() {
    let recorded = Recorded::new();
    let message = "The security token included in the request is invalid";
    recorded.fails("GetCallerIdentity", 403, "InvalidClientTokenId", message);
    let told = recorded.run_all_through(&["plan", "--set", "aws.region=af-south-1"]).ended(1).err;
    assert!(told.contains("has not enabled the region af-south-1") && told.contains("enable it"), "{told}");
    let told = recorded.run_all_through(&["plan"]).ended(1).err;
    assert!(told.contains("renew the credentials") && !told.contains("enable"), "{told}");
}

#[test]
fn what_the_organization_denies_is_not_to_be_granted() {
    let recorded = Recorded::new();
    let denied = |action: &str, why: &str| {
        format!(
            "User: arn:aws:iam::123456789012:user/ops is not authorized to perform: {action} on resource: \
             arn:aws:iam::123456789012:user/sms/sms-sender-us-east-1 {why}"
        )
    };
    let scp = "with an explicit deny in a service control policy";
    recorded.fails("CreateUser", 403, "AccessDenied", &denied("iam:CreateUser", scp));
    let told = recorded.run_all_through(&["apply", "--yes"]).ended(1).out;
    assert!(told.contains("service control policy (SCP)") && told.contains("cannot be granted away"), "{told}");
    assert!(!told.contains("grant it ("), "{told}");
    recorded.fails("GetSMSAttributes", 403, "AccessDenied", &denied("sns:GetSMSAttributes", scp));
    let plan = recorded.run_all_through(&["plan"]).ended(1).out;
    assert!(plan.contains("A grant of sns:GetSMSAttributes does not help") && !plan.contains("Grant the"), "{plan}");
    recorded.fails("GetRole", 403, "AccessDenied", &denied("iam:GetRole", ""));
    let plan = recorded.run_all_through(&["plan"]).ended(1).out;
    assert!(plan.contains("Grant the other actions that were refused"), "{plan}");
}

/// The configuration file of the home folder, and the run of a plan with it and no keys in the environment.
fn planned_with(recorded: &Recorded, config: &str) -> Ran {
    let folder = recorded.account.home.path().join(".aws");
    std::fs::create_dir_all(&folder).unwrap();
    std::fs::write(folder.join("config"), config).unwrap();
    let mut command = recorded.command_all_through(&["plan"]);
    command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_PROFILE", "admin");
    Account::ran(command)
}

#[test]
fn a_role_that_is_refused_is_told_by_what_may_be_wrong_with_it() {
    let recorded = Recorded::new();
    let base = "[profile base]\naws_access_key_id = test\naws_secret_access_key = test\n";
    let admin =
        format!("{base}[profile admin]\nrole_arn = arn:aws:iam::123456789012:role/admin\nsource_profile = base\n");
    let message = "User: arn:aws:iam::123456789012:user/me is not authorized to perform: sts:AssumeRole on resource: \
                   arn:aws:iam::123456789012:role/admin";
    recorded.fails("AssumeRole", 403, "AccessDenied", message);
    let ran = planned_with(&recorded, &admin).ended(1);
    shows_nothing_of_it(&ran);
    assert!(
        ran.err.contains("the role cannot be assumed: AccessDenied") && ran.err.contains("external ID"),
        "{}",
        ran.err
    );
    assert!(ran.err.contains("trust policy") && !ran.err.contains("log in"), "{}", ran.err);

    let mfa = format!("{admin}mfa_serial = arn:aws:iam::123456789012:mfa/me\n");
    let ran = planned_with(&recorded, &mfa).ended(1);
    shows_nothing_of_it(&ran);
    assert!(ran.err.contains("MFA device (mfa_serial)"), "{}", ran.err);
    assert!(ran.err.contains("aws configure export-credentials --profile admin"), "{}", ran.err);
}

#[test]
fn a_request_that_cannot_be_made_is_told_without_the_words_of_the_sdk() {
    let recorded = Recorded::new();
    for (name, value) in [("AWS_REGION", "us east 1"), ("AWS_REGION", "us-east-1/")] {
        let mut command = recorded.command_all_through(&["plan"]);
        command.env(name, value);
        let ran = Account::ran(command).ended(1);
        shows_nothing_of_it(&ran);
        assert!(ran.err.contains("AWS_REGION") && !ran.err.contains("encountered an error"), "{}", ran.err);
    }
}
