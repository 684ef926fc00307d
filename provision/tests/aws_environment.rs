//! The AWS side of the environment as the program meets it: proxies, private authorities, values that cannot be used.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod account;
#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::process::Command;

use account::{Account, Ran};
use peers::{Gateway, UNUSABLE};

const KEY: &str = "aws_access_key_id = testing\naws_secret_access_key = testing\n";

/// The program in an account that can be reached by name only, with those variables.
fn by_name(account: &Account, arguments: &[&str], variables: &[(&str, &str)]) -> Ran {
    let mut command = account.command("", arguments);
    command.env_remove("AWS_ENDPOINT_URL").envs(variables.iter().copied());
    Account::ran(command)
}

/// A home with those files of AWS.
fn files(account: &Account, config: &str, credentials: &str) {
    std::fs::create_dir(account.home.path().join(".aws")).unwrap();
    std::fs::write(account.home.path().join(".aws/config"), config).unwrap();
    std::fs::write(account.credentials(), credentials).unwrap();
}

#[test]
fn aws_is_reached_through_a_proxy_that_opens_tls_if_its_authority_is_named() {
    let account = Account::new();
    let gateway = Gateway::before(account.moto.endpoint());
    let (proxy, authority) = (gateway.proxy(), gateway.authority().to_str().unwrap());
    let apply =
        by_name(&account, &["apply", "--yes"], &[("HTTPS_PROXY", &proxy), ("AWS_CA_BUNDLE", authority)]).ended(0);
    assert!(apply.out.contains("Account 123456789012, region us-east-1, stack sms\n"), "{}", apply.out);
    for host in ["iam", "sns.us-east-1", "sts.us-east-1", "monitoring.us-east-1", "logs.us-east-1"] {
        assert!(
            gateway.asked().contains(&format!("CONNECT {host}.amazonaws.com:443 HTTP/1.1")),
            "{:?}",
            gateway.asked()
        );
    }
    let plan =
        by_name(&account, &["plan", "--detailed-exitcode"], &[("https_proxy", &proxy), ("AWS_CA_BUNDLE", authority)]);
    plan.ended(0);
    let unknown = by_name(&account, &["plan"], &[("HTTPS_PROXY", &proxy)]).ended(1);
    assert!(unknown.err.contains("the certificate is not trusted (UnknownIssuer)"), "{}", unknown.err);
}

#[test]
fn an_http_endpoint_by_name_is_reached_through_the_proxy_for_http_and_loopback_past_it() {
    let account = Account::new();
    let gateway = Gateway::before(account.moto.endpoint());
    let proxy = gateway.proxy();
    let endpoint = ("AWS_ENDPOINT_URL", "http://aws.example.test");
    for variable in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let before = gateway.asked().len();
        let plan = by_name(&account, &["plan"], &[endpoint, (variable, &proxy)]).ended(0);
        assert!(plan.out.contains("endpoint http://aws.example.test\n"), "{}", plan.out);
        assert!(
            gateway.asked().split_off(before).contains(&"POST http://aws.example.test/ HTTP/1.1".to_owned()),
            "{variable}"
        );
    }
    let before = gateway.asked().len();
    let lists = [endpoint, ("HTTP_PROXY", proxy.as_str()), ("NO_PROXY", "example.test")];
    let exempt = by_name(&account, &["plan"], &lists).ended(1);
    assert!(exempt.err.contains("the name of the host cannot be resolved"), "{}", exempt.err);
    let loopback = [("AWS_ENDPOINT_URL", account.moto.endpoint()), ("HTTP_PROXY", proxy.as_str())];
    by_name(&account, &["plan"], &loopback).ended(0);
    assert_eq!(gateway.asked().len(), before);
}

#[test]
fn a_private_authority_is_named_by_the_variable_or_by_the_profile() {
    let account = Account::new();
    let gateway = Gateway::before(account.moto.endpoint());
    let authority = gateway.authority().to_str().unwrap();
    files(
        &account,
        &format!("[profile admin]\nca_bundle = {authority}\n[profile other]\n"),
        &format!("[admin]\n{KEY}[other]\n{KEY}"),
    );
    let run = |profile: &str, variables: &[(&str, &str)]| {
        let mut command = account.command(&gateway.endpoint(), &["plan"]);
        command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY").env("AWS_PROFILE", profile);
        command.envs(variables.iter().copied());
        Account::ran(command)
    };
    run("admin", &[]).ended(0);
    run("other", &[("AWS_CA_BUNDLE", authority)]).ended(0);
    let told = run("other", &[]).ended(1);
    assert!(told.err.contains("the certificate is not trusted (UnknownIssuer)"), "{}", told.err);
    let told = run("admin", &[("AWS_CA_BUNDLE", "/no/such/file")]).ended(1);
    assert!(told.err.contains("AWS_CA_BUNDLE"), "{}", told.err);
}

#[test]
fn a_value_that_cannot_be_used_is_an_error_that_names_its_variable_and_shows_no_value() {
    let home = tempfile::tempdir().unwrap();
    for (variable, value) in UNUSABLE {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
        command.arg("plan").env_clear().env("HOME", home.path()).current_dir(home.path());
        command.env("AWS_EC2_METADATA_DISABLED", "true");
        if !variable.ends_with("_REGION") {
            command.env("AWS_REGION", "us-east-1");
        }
        let ran = Account::ran({
            command.env(variable, value);
            command
        });
        let ran = ran.ended(1);
        assert!(ran.err.contains(variable), "{variable}: {}", ran.err);
        let shown = format!("{}{}", ran.out, ran.err).to_lowercase();
        assert!(!shown.contains("sesame") && !shown.contains("panicked"), "{shown}");
    }
}

#[test]
fn what_is_blank_is_not_set_and_the_older_names_of_variables_count() {
    let account = Account::new();
    files(&account, "[profile prod]\nregion = eu-west-1\n", &format!("[prod]\n{KEY}"));
    let run = |variables: &[(&str, &str)]| {
        let mut command = account.command(account.moto.endpoint(), &["plan"]);
        command.env_remove("AWS_REGION").envs(variables.iter().copied());
        Account::ran(command)
    };
    for blank in ["", " ", "\n"] {
        let told = run(&[("AWS_REGION", blank)]).ended(1);
        assert!(told.err.contains("no AWS region: set aws.region"), "{}", told.err);
        let plan = run(&[("AWS_REGION", blank), ("AWS_DEFAULT_REGION", "ap-south-1")]).ended(0);
        assert!(plan.out.contains("region ap-south-1,"), "{}", plan.out);
    }
    let no_key = [("AWS_ACCESS_KEY_ID", ""), ("AWS_SECRET_ACCESS_KEY", ""), ("AWS_DEFAULT_PROFILE", "prod")];
    let plan = run(&no_key).ended(0);
    assert!(plan.out.contains("region eu-west-1,"), "{}", plan.out);
    // As secrets and files end.
    let plan = run(&[
        ("AWS_REGION", "us-east-1"),
        ("AWS_ACCESS_KEY_ID", "testing\n"),
        ("AWS_SECRET_ACCESS_KEY", "testing\r\n"),
    ]);
    plan.ended(0);
}

#[test]
fn endpoints_of_single_services_are_shown_before_anything_is_changed() {
    let account = Account::new();
    let here = account.moto.endpoint();
    let services = ["CLOUDWATCH", "CLOUDWATCH_LOGS", "IAM", "SNS", "SQS", "STS"];
    let variables = services.map(|service| (format!("AWS_ENDPOINT_URL_{service}"), here));
    let variables: Vec<_> = variables.iter().map(|(name, value)| (name.as_str(), *value)).collect();
    let plan = by_name(&account, &["plan"], &variables).ended(0);
    let line = plan.out.lines().next().unwrap();
    for service in ["CloudWatch", "CloudWatch Logs", "IAM", "SNS", "SQS", "STS"] {
        assert!(line.contains(&format!(", {service} at {here}")), "{line}");
    }
}

#[test]
fn keys_of_the_environment_beside_a_profile_are_warned_of() {
    let account = Account::new();
    files(&account, "[profile prod]\n", &format!("[prod]\n{KEY}"));
    let warning = "warning: the key in AWS_ACCESS_KEY_ID is used, and not the profile \"prod\" that AWS_PROFILE names";
    let run = |variables: &[(&str, &str)], arguments: &[&str]| {
        let mut command = account.command(account.moto.endpoint(), arguments);
        command.envs(variables.iter().copied());
        Account::ran(command).ended(0).err
    };
    let told = run(&[("AWS_PROFILE", "prod")], &["plan"]);
    assert_eq!(told.matches(warning).count(), 1, "{told}");
    assert!(!run(&[("AWS_PROFILE", "prod")], &["plan", "--set=aws.profile=prod"]).contains("warning"));
    assert!(!run(&[], &["plan"]).contains("warning"));
}
