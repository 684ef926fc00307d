//! The two tools make the same account: each finds nothing to change after the other.

use std::process::Command;

use serde_json::{Value, json};

use crate::accounts::{assert_same, read};
use crate::moto::{EVERYTHING, LIVED_IN, Site};
use crate::workshop::Terraform;

/// The settings of [`EVERYTHING`], but for the boundary: moto forgets a user's. No key is made in both, since one would
/// land in Terraform's state.
const ALL_SET: [&str; 15] = [
    "--set=account.name=shop",
    "--set=account.account_id=123456789012",
    "--set=account.path=/shop/sms/",
    "--set=account.sender_role_names=billing-app,orders",
    "--set=account.default_sms_type=Promotional",
    "--set=account.default_sender_id=SHOP",
    "--set=account.monthly_spend_limit_usd=200",
    "--set=account.usage_report_bucket=shop-sms-reports",
    "--set=account.delivery_status_sampling_percent=10",
    "--set=account.delivery_log_retention_days=90",
    "--set=account.alarm_emails=oncall@example.com,finance@example.com",
    "--set=account.spend_alarm_percents=50,80,100",
    "--set=account.failure_alarm_percent=5",
    "--set=account.queue=true",
    r#"--set=account.tags={"team":"shop","cost-centre":"4711"}"#,
];

const BOUNDARY: &str = r#"  permissions_boundary_arn         = "arn:aws:iam::123456789012:policy/boundary""#;

/// All that a plan changes after `import-blocks`: what Terraform keeps in its state alone. Without it the next destroy
/// would delete the log groups, as the module says where it is set.
const IN_THE_STATE_ONLY: [&str; 2] = [
    "module.sms.module.sms.aws_cloudwatch_log_group.delivery_status[\"failure\"] skip_destroy",
    "module.sms.module.sms.aws_cloudwatch_log_group.delivery_status[\"success\"] skip_destroy",
];

/// All that it creates: the place in the state alone.
const CREATED: [&str; 2] = [
    "module.sms.module.place.terraform_data.place[0] [\"create\"]",
    "module.sms.module.sms.aws_sns_sms_preferences.this[0] [\"create\"]",
];

/// `sms-provision` in the account of the site. Standard output.
fn provision(site: &Site, region: &str, command: &[&str], settings: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
    program.args(command).args(settings).arg("--set=account.create_access_key=false");
    program.env_clear().envs(site.moto.environment()).env("AWS_REGION", region).env("HOME", home.path());
    let output = program.current_dir(home.path()).output().unwrap();
    let (out, err) = (String::from_utf8(output.stdout).unwrap(), String::from_utf8_lossy(&output.stderr).into_owned());
    assert!(output.status.success(), "{command:?}: {out}\n{err}");
    out
}

#[track_caller]
fn finds_nothing(site: &Site, region: &str, settings: &[&str]) {
    for adopt in [&["plan", "--json"][..], &["plan", "--json", "--adopt"]] {
        let plan: Value = serde_json::from_str(&provision(site, region, adopt, settings)).unwrap();
        assert_eq!(plan["changes"], Value::Array(Vec::new()), "{plan:#}");
    }
}

#[test]
fn after_terraform_sms_provision_finds_nothing_to_change() {
    let Some(terraform) = Terraform::find() else { return };
    std::thread::scope(|scope| {
        scope.spawn(|| {
            let site = Site::own(terraform, "us-east-1", "module \"sms\" {\n  source = \"../..\"\n}\n");
            site.apply();
            finds_nothing(&site, "us-east-1", &[]);
        });
        scope.spawn(|| {
            let site = Site::own(terraform, "eu-central-1", &EVERYTHING.replace(BOUNDARY, ""));
            site.boto("eu-central-1", LIVED_IN);
            site.write("import.tf", &crate::moto::taking_over());
            site.apply();
            finds_nothing(&site, "eu-central-1", &ALL_SET);
        });
    });
}

#[test]
fn after_sms_provision_terraform_imports_everything_and_changes_nothing() {
    let Some(terraform) = Terraform::find() else { return };
    std::thread::scope(|scope| {
        scope.spawn(|| taken_over(terraform, "us-east-1", &[], "", 0));
        // moto spaces out the queue's redrive policy, which the provider writes again.
        scope.spawn(|| taken_over(terraform, "eu-central-1", &ALL_SET, LIVED_IN, 1));
        scope.spawn(|| taken_over(terraform, "us-east-1", &["--set=account.delivery_status_logging=false"], "", 0));
    });
}

/// `sms-provision apply`, and then Terraform with what `export` says. `motos` changes are moto's doing.
fn taken_over(terraform: &'static Terraform, region: &str, settings: &[&str], before: &str, motos: usize) {
    let site = exported(terraform, region, settings, before);
    let plan = site.planned();
    let imported = plan["resource_changes"].as_array().unwrap().iter();
    let imported = imported.filter(|change| change["change"]["importing"].is_object()).count();
    assert!(imported >= 8, "{imported}");
    let logged = !settings.iter().any(|setting| setting.ends_with("delivery_status_logging=false"));
    let in_the_state_only = if logged { &IN_THE_STATE_ONLY[..] } else { &[] };
    let mut changed = site.changed_in(&plan);
    changed.sort();
    let mut expected = [in_the_state_only, &CREATED].concat();
    expected.sort_unstable();
    assert_eq!(changed, expected, "{region}");
    let counted = in_the_state_only.len() + motos;
    let summary = format!("Plan: {imported} to import, 2 to add, {counted} to change, 0 to destroy.");
    assert!(site.told(&["show", "pending"]).contains(&summary), "{summary}");

    let called = site.moto.called().len();
    site.apply();
    let reads = |name: &String| ["Get", "List", "Describe"].iter().any(|verb| name.starts_with(verb));
    let mut written: Vec<String> = site.moto.called().into_iter().skip(called).filter(|name| !reads(name)).collect();
    written.sort();
    written.dedup();
    let motos_own = if motos == 0 { &[][..] } else { &["SetQueueAttributes"] };
    assert_eq!(written, [motos_own, &["SetSMSAttributes"]].concat(), "{region}");

    // moto forgets a queue's policy with each change of another attribute, as of its redrive policy, which it spaces out.
    let mended: Value =
        serde_json::from_str(&provision(&site, region, &["apply", "--yes", "--json"], settings)).unwrap();
    assert!(mended["changes"].as_array().unwrap().iter().all(|change| change["kind"] == "sqs_queue"), "{mended:#}");
    assert_eq!(site.pending(), [""; 0]);
    finds_nothing(&site, region, settings);
}

/// Terraform in an account that `sms-provision` has made, with all that `export` prints.
fn exported(terraform: &'static Terraform, region: &str, settings: &[&str], before: &str) -> Site {
    let variables = provision_free(&["export", "tfvars"], settings);
    let arguments: Vec<String> =
        variables.lines().filter(|line| line.contains('=')).map(|line| format!("  {line}\n")).collect();
    let module = format!("module \"sms\" {{\n  source = \"../..\"\n{}}}\n", arguments.concat());
    let site = Site::own(terraform, region, &module);
    site.boto(region, before);
    provision(&site, region, &["apply", "--yes"], settings);
    site.write("import.tf", &provision(&site, region, &["export", "import-blocks"], settings));
    site
}

/// The key that `sms-provision` makes, and what SNS has logged meanwhile.
const IN_USE: &str = r#"
iam.create_access_key(UserName="sms-sender-us-east-1")
for group in ("", "/Failure"):
    logs.create_log_stream(logGroupName="sns/us-east-1/123456789012/DirectPublishToPhoneNumber" + group, logStreamName="1")
"#;

#[test]
fn what_was_imported_is_destroyed_but_for_the_log_groups_and_a_user_with_keys() {
    let Some(terraform) = Terraform::find() else { return };
    let site = exported(terraform, "us-east-1", &[], "");
    site.boto("us-east-1", IN_USE);
    site.apply();
    let kept = read(&site.moto, "us-east-1")["log_groups"].clone();
    let called = site.moto.called().len();

    let refused = terraform.run(&site.folder, &["destroy", "-auto-approve"]);
    assert!(refused.status == 1 && refused.err.contains("must delete access keys first"), "{}", refused.err);
    assert_eq!(read(&site.moto, "us-east-1")["users"]["sms-sender-us-east-1"]["keys"], 1);

    site.boto(
        "us-east-1",
        r#"
user = "sms-sender-us-east-1"
for key in iam.list_access_keys(UserName=user)["AccessKeyMetadata"]:
    iam.delete_access_key(UserName=user, AccessKeyId=key["AccessKeyId"])
"#,
    );
    site.destroy();
    let after = read(&site.moto, "us-east-1");
    assert_same(&after["log_groups"], &kept);
    for gone in ["users", "policies", "roles", "alarms", "topics", "dashboards"] {
        assert_eq!(after[gone], json!({}), "{gone}");
    }
    assert!(!site.moto.called().into_iter().skip(called).any(|name| name == "DeleteLogGroup"));
}

/// A command that asks nobody.
fn provision_free(command: &[&str], settings: &[&str]) -> String {
    let home = tempfile::tempdir().unwrap();
    let mut program = Command::new(env!("CARGO_BIN_EXE_sms-provision"));
    program.args(command).args(settings).env_clear().env("HOME", home.path()).current_dir(home.path());
    let output = program.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}
