//! What Terraform itself and a linter say of the modules.

use std::path::Path;
use std::process::Command;

use crate::modules::{EXAMPLES, MODULES, text};
use crate::peers::Packages;
use crate::workshop::{Terraform, checkout, copy};

/// In an environment of its own: it asks for other versions than the peers do.
static CHECKOV: Packages = Packages::new(
    "provision/tests/terraform/checkov",
    include_str!("checkov/requirements.txt"),
    include_str!("checkov/constraints.txt"),
);

/// The oldest Terraform that the modules take.
static OLDEST: Packages = Packages::new(
    "provision/tests/terraform/oldest",
    include_str!("oldest/requirements.txt"),
    include_str!("oldest/constraints.txt"),
);

#[test]
fn every_file_has_terraform_s_own_format() {
    let Some(terraform) = Terraform::find() else { return };
    terraform.run(&checkout(), &["fmt", "-check", "-recursive", "-diff"]).done();
}

#[test]
fn every_module_and_every_example_is_valid_by_itself() {
    let Some(terraform) = Terraform::find() else { return };
    let copy = copy();
    for module in MODULES.iter().chain(&EXAMPLES) {
        let folder = copy.path().join(module);
        terraform.run(&folder, &["init", "-backend=false"]).done();
        let told = terraform.run(&folder, &["validate", "-json"]).json();
        assert_eq!((&told["valid"], &told["warning_count"]), (&true.into(), &0.into()), "{module}: {told:#}");
    }
}

#[test]
fn the_oldest_terraform_that_they_ask_for_takes_them_too() {
    let Some(terraform) = Terraform::find() else { return };
    let copy = copy();
    let oldest = |folder: &Path, arguments: &[&str]| {
        let mut command = Command::new(OLDEST.python());
        command.args(["-c", include_str!("oldest/run.py")]);
        terraform.run_by(command, folder, arguments).done()
    };
    let version = oldest(copy.path(), &["version", "-json"]).json()["terraform_version"].clone();
    assert!(version.as_str().unwrap().starts_with("1.8."), "{version}");
    assert!(text("", "versions.tf").contains("required_version = \">= 1.8.0\""));
    // Each of them calls the module of all.
    for example in EXAMPLES {
        let folder = copy.path().join(example);
        oldest(&folder, &["init", "-backend=false"]);
        let told = oldest(&folder, &["validate", "-json"]).json();
        assert_eq!((&told["valid"], &told["warning_count"]), (&true.into(), &0.into()), "{example}: {told:#}");
    }
}

#[test]
fn the_tests_of_the_modules_pass_without_an_account() {
    let Some(terraform) = Terraform::find() else { return };
    let copy = copy();
    terraform.run(copy.path(), &["init", "-backend=false"]).done();
    let ran = terraform.run(copy.path(), &["test"]).done();
    let told = ran.out.lines().last().unwrap_or_default();
    assert!(told.starts_with("Success!") && told.ends_with(" 0 failed."), "{}", ran.out);
}

#[test]
fn checkov_finds_nothing_that_is_not_explained_beside_the_line() {
    let ran = CHECKOV
        .command("checkov")
        .args(["--directory", ".", "--framework", "terraform", "--skip-download", "--compact", "--output", "json"])
        .current_dir(copy().path())
        .output()
        .unwrap();
    let told: serde_json::Value = serde_json::from_slice(&ran.stdout).unwrap();
    assert!(told["summary"]["passed"].as_u64() > Some(100), "{}", told["summary"]);
    assert_eq!(told["summary"]["parsing_errors"], 0);
    let findings = told["results"]["failed_checks"].as_array().unwrap().iter();
    let findings: Vec<_> =
        findings.map(|one| format!("{} {} {}", one["check_id"], one["resource"], one["file_path"])).collect();
    assert!(findings.is_empty(), "{}", findings.join("\n"));
    for skipped in told["results"]["skipped_checks"].as_array().unwrap() {
        let reason = skipped["check_result"]["suppress_comment"].as_str().unwrap();
        assert!(reason.ends_with('.') && reason.len() > 20, "{}: {reason}", skipped["check_id"]);
    }
}
