//! The two tools make the same account: each finds nothing to change after the other.

use std::process::Command;

use serde_json::Value;

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

/// What Terraform keeps in its state alone, and has to write there once after an import.
const IN_THE_STATE_ONLY: [&str; 8] = [
    "confirmation_timeout_in_minutes",
    "endpoint_auto_confirms",
    "force_destroy",
    "skip_destroy",
    // With the tags that keep what the SMS attributes were, which it ignores.
    "tags_all",
    "force_detach_policies",
    "fifo_throughput_limit",
    "deduplication_scope",
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
            site.write(
                "import.tf",
                &crate::moto::recipe("### Log groups that SNS has made already").replace("us-east-1", "eu-central-1"),
            );
            site.apply();
            finds_nothing(&site, "eu-central-1", &ALL_SET);
        });
    });
}

#[test]
fn after_sms_provision_terraform_imports_everything_and_changes_nothing() {
    let Some(terraform) = Terraform::find() else { return };
    std::thread::scope(|scope| {
        scope.spawn(|| taken_over(terraform, "us-east-1", &[], ""));
        scope.spawn(|| taken_over(terraform, "eu-central-1", &ALL_SET, LIVED_IN));
    });
}

/// `sms-provision apply`, and then Terraform with what `export` says.
fn taken_over(terraform: &'static Terraform, region: &str, settings: &[&str], before: &str) {
    let variables = provision_free(&["export", "tfvars"], settings);
    let arguments: Vec<String> =
        variables.lines().filter(|line| line.contains('=')).map(|line| format!("  {line}\n")).collect();
    let module = format!("module \"sms\" {{\n  source = \"../..\"\n{}}}\n", arguments.concat());
    let site = Site::own(terraform, region, &module);
    site.boto(region, before);
    provision(&site, region, &["apply", "--yes"], settings);
    site.write("import.tf", &provision(&site, region, &["export", "import-blocks"], settings));

    site.plan();
    let plan = terraform.run(&site.folder, &["show", "-json", "pending"]).done().json();
    let changes = plan["resource_changes"].as_array().unwrap();
    let mut imported = 0;
    for change in changes {
        let actions: Vec<_> =
            change["change"]["actions"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
        let address = change["address"].as_str().unwrap();
        if change["mode"] == "data" {
            continue;
        }
        if address.contains("aws_sns_sms_preferences") {
            assert_eq!(actions, ["create"], "{address}");
            continue;
        }
        assert!(actions == ["no-op"] || actions == ["update"], "{address}: {actions:?}");
        assert!(change["change"]["importing"].is_object(), "{address} is not imported");
        imported += 1;
    }
    assert!(imported >= 18, "{imported}");
    let real: Vec<String> = site
        .changed_in(&plan)
        .into_iter()
        .filter(|line| !IN_THE_STATE_ONLY.iter().any(|key| line.ends_with(&format!(" {key}"))))
        .filter(|line| !line.contains("aws_sns_sms_preferences"))
        .collect();
    assert_eq!(real, [""; 0], "{region}");

    site.apply();
    // moto forgets a queue's policy with each change of another attribute, as of its redrive policy, which it spaces out.
    let mended: Value =
        serde_json::from_str(&provision(&site, region, &["apply", "--yes", "--json"], settings)).unwrap();
    assert!(mended["changes"].as_array().unwrap().iter().all(|change| change["kind"] == "sqs_queue"), "{mended:#}");
    assert_eq!(site.pending(), [""; 0]);
    finds_nothing(&site, region, settings);
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
