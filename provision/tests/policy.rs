//! The policies: what they allow, that the operator's is exactly what the source calls, and what the linters say.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod run;

use std::collections::BTreeSet;
use std::io::Write;
use std::path::Path;
use std::process::{Command, Stdio};

use peers::Moto;
use run::Run;
use serde_json::{Value, json};

const PLACE: [&str; 2] = ["account.account_id=123456789012", "aws.region=eu-central-1"];
const BOUNDARY: &str = "arn:aws:iam::123456789012:policy/within";
/// Everything that the operator's policy can have to do with.
const ALL: [&str; 2] = ["account.sender_role_names=app,batch", "account.queue=true"];
const BOUND: &str = "account.permissions_boundary_arn=arn:aws:iam::123456789012:policy/within";

fn printed(whose: &str, settings: &[&str]) -> Value {
    let told = Run::new(&["policy", whose]).set(&PLACE).set(settings).run();
    assert_eq!(told.status, Some(0), "{}", told.errors);
    serde_json::from_str(&told.output).unwrap()
}

fn statements(document: &Value) -> Vec<Value> {
    assert_eq!(document["Version"], "2012-10-17");
    document["Statement"].as_array().unwrap().clone()
}

fn texts(value: &Value) -> Vec<String> {
    match value {
        Value::Array(many) => many.iter().map(|one| one.as_str().unwrap().to_owned()).collect(),
        one => vec![one.as_str().unwrap().to_owned()],
    }
}

/// The statements of that effect which have the action.
fn with(document: &Value, effect: &str, action: &str) -> Vec<Value> {
    let has = |one: &Value| one["Effect"] == effect && texts(&one["Action"]).iter().any(|own| own == action);
    statements(document).into_iter().filter(has).collect()
}

fn allowed(document: &Value) -> BTreeSet<String> {
    let allows = statements(document).into_iter().filter(|one| one["Effect"] == "Allow");
    allows.flat_map(|one| texts(&one["Action"])).collect()
}

/// Every action that the source names where it calls AWS: not in the documents that it writes.
fn called() -> BTreeSet<String> {
    let mut all = BTreeSet::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), &mut all);
    all
}

fn read(folder: &Path, all: &mut BTreeSet<String>) {
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            if !path.ends_with("stack") && !path.ends_with("operator") {
                read(&path, all);
            }
            continue;
        }
        // What is asked about the sender there, and done with the sender's own key, is not the operator's to do.
        if ["verify/live.rs", "verify/question.rs"].iter().any(|file| path.ends_with(file)) {
            continue;
        }
        let source = std::fs::read_to_string(&path).unwrap();
        let (source, _) = source.split_once("#[cfg(test)]").unwrap_or((&source, ""));
        let is_action = |text: &&str| {
            let (service, call) = text.split_once(':').unwrap_or_default();
            ["cloudwatch", "iam", "logs", "s3", "sns", "sqs", "sts"].contains(&service)
                && !call.is_empty()
                && call.bytes().all(|byte| byte.is_ascii_alphanumeric())
        };
        all.extend(source.split('"').filter(is_action).map(ToOwned::to_owned));
    }
}

#[test]
fn the_operator_may_do_what_the_source_calls_and_no_more() {
    let (called, granted) = (called(), allowed(&printed("operator", &ALL)));
    // What SNS calls in the operator's name is called nowhere here.
    let granted: BTreeSet<String> = granted.into_iter().filter(|one| !one.starts_with("sms-voice:")).collect();
    let missing: Vec<_> = called.difference(&granted).collect();
    assert!(missing.is_empty(), "called, and not in src/operator/actions.rs: {missing:?}");
    let idle: Vec<_> = granted.difference(&called).collect();
    assert!(idle.is_empty(), "in src/operator/actions.rs, and never called: {idle:?}");
}

#[test]
fn nothing_of_the_operator_reaches_beyond_the_stack() {
    for settings in [&ALL[..], &[ALL[0], BOUND]] {
        for statement in statements(&printed("operator", settings)) {
            let resources = texts(&statement["Resource"]);
            let condition = &statement["Condition"];
            let name = statement["Sid"].as_str().unwrap();
            assert!(texts(&statement["Action"]).iter().all(|action| !action.contains('*')), "{name}");
            if resources == ["*"] && statement["Effect"] == "Allow" && name != "Anything" {
                assert_eq!(condition["StringEquals"]["aws:RequestedRegion"], "eu-central-1", "{name}");
            }
            if name == "Detach" {
                assert_eq!(
                    condition["ArnEquals"]["iam:PolicyARN"],
                    "arn:aws:iam::123456789012:policy/sms/sms-sender-eu-central-1"
                );
            }
        }
    }
    let passed = with(&printed("operator", &[]), "Allow", "iam:PassRole");
    assert_eq!(passed[0]["Resource"], json!(["arn:aws:iam::123456789012:role/sms/sms-delivery-status-eu-central-1"]));
    assert_eq!(passed[0]["Condition"], json!({ "StringEquals": { "iam:PassedToService": "sns.amazonaws.com" } }));
}

#[test]
fn roles_that_are_not_ours_get_the_sender_policy_and_are_looked_at() {
    let document = printed("operator", &ALL);
    let of = |statement: &&Value| texts(&statement["Resource"]).iter().any(|one| one.ends_with("role/app"));
    let statements = statements(&document);
    let actions: Vec<_> = statements.iter().filter(of).flat_map(|one| texts(&one["Action"])).collect();
    assert_eq!(actions, ["iam:GetRole", "iam:SimulatePrincipalPolicy", "iam:AttachRolePolicy", "iam:AttachUserPolicy"]);
}

#[test]
fn with_a_boundary_nothing_is_made_outside_of_it_and_it_stays() {
    let document = printed("operator", &[ALL[0], BOUND]);
    for action in [
        "iam:CreateUser",
        "iam:CreateRole",
        "iam:PutRolePolicy",
        "iam:PutUserPermissionsBoundary",
        "iam:PutRolePermissionsBoundary",
        "iam:AttachUserPolicy",
        "iam:AttachRolePolicy",
    ] {
        let statements = with(&document, "Allow", action);
        assert_eq!(statements.len(), 1, "{action}");
        assert_eq!(statements[0]["Condition"]["ArnEquals"]["iam:PermissionsBoundary"], BOUNDARY, "{action}");
    }
    for action in ["iam:AttachUserPolicy", "iam:AttachRolePolicy"] {
        let policy = &with(&document, "Allow", action)[0]["Condition"]["ArnEquals"]["iam:PolicyARN"];
        assert_eq!(policy, "arn:aws:iam::123456789012:policy/sms/sms-sender-eu-central-1", "{action}");
    }
    for action in ["iam:DeleteUserPermissionsBoundary", "iam:DeleteRolePermissionsBoundary"] {
        assert_eq!(with(&document, "Allow", action), [] as [Value; 0], "{action}");
        assert_eq!(with(&document, "Deny", action)[0]["Resource"], "*", "{action}");
    }
    for action in ["iam:PutUserPermissionsBoundary", "iam:PutRolePermissionsBoundary"] {
        let denied = &with(&document, "Deny", action)[0];
        assert_eq!(denied["Condition"], json!({ "ArnNotEquals": { "iam:PermissionsBoundary": BOUNDARY } }), "{action}");
    }
    for action in ["iam:CreatePolicyVersion", "iam:DeletePolicyVersion", "iam:SetDefaultPolicyVersion"] {
        assert_eq!(with(&document, "Deny", action)[0]["Resource"], BOUNDARY, "{action}");
    }
}

#[test]
fn without_a_boundary_it_warns_of_what_the_operator_amounts_to() {
    let warned = |settings: &[&str]| {
        let told = Run::new(&["policy", "operator"]).set(&PLACE).set(settings).run();
        told.errors.contains("administrator") && told.errors.contains("account.permissions_boundary_arn")
    };
    assert!(warned(&[]));
    assert!(!warned(&[BOUND]));
    assert!(!Run::new(&["policy", "sender"]).set(&PLACE).run().errors.contains("administrator"));
}

#[test]
fn the_operators_policy_fits_into_one_and_says_so_where_it_does_not() {
    let long = ["account.name=a-name-as-long-as-a-name-may-b", "account.sender_role_names=app", ALL[1], BOUND];
    let document = printed("operator", &long).to_string();
    assert!(document.len() <= 6144, "{}", document.len());
    let path = format!("account.path=/{}/", "deep/".repeat(90).trim_end_matches('/'));
    let told = Run::new(&["policy", "operator"]).set(&PLACE).set(&long).set(&[&path]).run();
    assert!(told.status == Some(0) && told.errors.contains("IAM takes 6144"), "{}", told.errors);
}

/// With the names of a team that looks after a platform.
#[test]
fn an_operators_policy_that_is_too_long_is_printed_in_parts_that_come_to_the_same() {
    let settings = [
        "account.account_id=123456789012",
        "aws.region=ap-southeast-1",
        "account.name=customer-messaging",
        "account.path=/platform/messaging/",
        "account.permissions_boundary_arn=arn:aws:iam::123456789012:policy/platform/workload-boundary",
        "account.sender_role_names=checkout-service,identity-service,delivery-service,support-backoffice",
        "account.queue=true",
    ];
    let run = |part: &[&str]| Run::new(&[&["policy", "operator"], part].concat()).set(&settings).run();
    let whole = run(&[]);
    assert!(whole.errors.contains("--part 1 to --part 2 print them"), "{}", whole.errors);
    let parts = [run(&["--part", "1"]), run(&["--part=2"])].map(|told| {
        assert_eq!((told.status, told.errors.as_str()), (Some(0), ""));
        told.json()
    });
    assert!(whole.json().to_string().len() > 6144 && parts.iter().all(|part| part.to_string().len() <= 6144));
    let (mut together, mut all) = (parts.iter().flat_map(statements).collect::<Vec<_>>(), statements(&whole.json()));
    for list in [&mut together, &mut all] {
        list.sort_by_key(Value::to_string);
    }
    assert_eq!(together, all);

    let none = run(&["--part", "3"]);
    assert!(none.status == Some(1) && none.errors.contains("the document has 2 parts"), "{none:?}");
    let short = Run::new(&["policy", "operator", "--part", "1"]).set(&PLACE).run();
    assert_eq!(short.json(), printed("operator", &[]));
    let none = Run::new(&["policy", "sender", "--part", "2"]).set(&PLACE).run();
    assert!(none.status == Some(1) && none.errors.contains("fits into one"), "{none:?}");
}

#[test]
fn the_senders_policy_and_the_roles_are_those_of_the_stack() {
    let sender = printed("sender", &["account.queue=true"]);
    assert_eq!(with(&sender, "Allow", "sns:Publish")[0]["Resource"], "*");
    assert_eq!(with(&sender, "Deny", "sns:Publish")[0]["Resource"], "arn:aws:sns:*:*:*");
    assert_eq!(
        with(&sender, "Allow", "sqs:SendMessage")[0]["Resource"],
        "arn:aws:sqs:eu-central-1:123456789012:sms-outbox"
    );
    let role = printed("delivery-status", &[]);
    assert_eq!(allowed(&role).len(), 3);
    let off = Run::new(&["policy", "delivery-status"]).set(&PLACE);
    let off = off.set(&["account.delivery_status_logging=false"]).run();
    assert!(off.status == Some(1) && off.errors.contains("account.delivery_status_logging"), "{}", off.errors);
}

#[test]
fn the_partition_follows_the_region_where_nobody_is_asked() {
    for (region, partition) in [
        ("us-gov-west-1", "aws-us-gov"),
        ("cn-north-1", "aws-cn"),
        ("eusc-de-east-1", "aws-eusc"),
        ("eu-west-1", "aws"),
    ] {
        let document = printed("delivery-status", &[&format!("aws.region={region}")]);
        let resource = texts(&statements(&document)[0]["Resource"])[0].clone();
        assert!(resource.starts_with(&format!("arn:{partition}:logs:{region}:123456789012:")), "{resource}");
    }
}

#[test]
fn the_account_is_the_callers_where_the_settings_name_none() {
    let moto = Moto::start();
    let told = Run::new(&["policy", "sender", "--set", "account.queue=true"]).at(&moto).run();
    assert_eq!(told.status, Some(0), "{}", told.errors);
    assert!(told.output.contains("arn:aws:sqs:us-east-1:123456789012:sms-outbox"), "{}", told.output);
}

#[test]
fn with_many_targets_the_documents_are_one_list() {
    let file = run::settings("[[targets]]\nname = \"a\"\nregion = \"eu-west-1\"\naccount_id = \"123456789012\"\n");
    let told = Run::new(&["policy", "operator", "--all", "--config", file.to_str().unwrap()]).run();
    assert_eq!(told.status, Some(0), "{}", told.errors);
    let all: Value = serde_json::from_str(&told.output).unwrap();
    assert_eq!(all["targets"][0]["target"], "a");
    assert_eq!(all["targets"][0]["document"]["Version"], "2012-10-17");
}

#[test]
fn the_linters_find_nothing_that_is_not_explained() {
    let policies = [
        ("sender", printed("sender", &ALL)),
        ("delivery-status", printed("delivery-status", &[])),
        ("operator", printed("operator", &ALL)),
        ("bounded operator", printed("operator", &[ALL[0], BOUND])),
    ];
    let mut linter = Command::new(peers::python())
        .args(["-c", include_str!("policies.py")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = linter.stdin.take().unwrap();
    for (name, document) in &policies {
        writeln!(input, "{name}\t{document}").unwrap();
    }
    drop(input);
    let output = linter.wait_with_output().unwrap();
    let output = String::from_utf8(output.stdout).unwrap();
    assert!(output.ends_with("linted\n"), "{output}");
    let explained = [
        // To write the policies of the sender and its role is what the operator is for.
        ("operator", "PERMISSIONS_MANAGEMENT_ACTIONS", ""),
        ("bounded operator", "PERMISSIONS_MANAGEMENT_ACTIONS", ""),
        // Without a boundary it is one, and the command warns of it. With one the linter does not look at conditions:
        // whatever is written and attached is bounded.
        ("operator", "PRIVILEGE_ESCALATION", "Policy"),
        ("bounded operator", "PRIVILEGE_ESCALATION", "Policy"),
        // To give the sender a key, and another, is what the operator is for.
        ("operator", "CREDENTIALS_EXPOSURE", "accesskey"),
        ("bounded operator", "CREDENTIALS_EXPOSURE", "accesskey"),
        ("operator", "PRIVILEGE_ESCALATION", "CreateAccessKey"),
        ("bounded operator", "PRIVILEGE_ESCALATION", "CreateAccessKey"),
        // CloudWatch lets nobody list some alarms only.
        ("operator", "RESOURCE_STAR", "cloudwatch:DescribeAlarms"),
        ("bounded operator", "RESOURCE_STAR", "cloudwatch:DescribeAlarms"),
        // A direct SMS has its number as the resource: only * allows it. What has an ARN is denied.
        ("sender", "RESOURCE_STAR", "sns:Publish"),
        // What SNS calls in the caller's name it calls on lists and numbers that have no name here.
        ("sender", "RESOURCE_STAR", "sms-voice:DescribeOptedOutNumbers"),
        ("operator", "RESOURCE_STAR", "sms-voice:DescribeOptedOutNumbers"),
        ("bounded operator", "RESOURCE_STAR", "sms-voice:DescribeOptedOutNumbers"),
    ];
    for line in output.lines().filter(|line| line.starts_with('[')) {
        let (name, finding, place): (String, String, String) = serde_json::from_str(line).unwrap();
        let known = explained
            .iter()
            .any(|(policy, about, words)| *policy == name && *about == finding && place.contains(words));
        assert!(known, "not explained: {line}");
    }
}
