//! The modules applied by the real AWS provider: on moto they make the account that they should, plan clean after it,
//! and leave behind what they should.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::accounts::{assert_same, defaults, everything, read};
use crate::modules::{EXAMPLES, provider_aliases, text};
use crate::peers::{Moto, python};
use crate::workshop::{Terraform, copy};

/// What moto does not hold as AWS does: it forgets the boundary of a user, and spaces out a redrive policy.
const FORGOTTEN: (&str, &str) = ("aws_iam_user", "permissions_boundary");
const RESPACED: (&str, &str) = ("aws_sqs_queue", "redrive_policy");

/// A configuration in a copy of the modules, and the account that it is applied to.
pub(crate) struct Site {
    terraform: &'static Terraform,
    pub(crate) folder: PathBuf,
    pub(crate) moto: Moto,
    _copy: TempDir,
}

impl Site {
    /// An example as it stands, but that its providers are led to moto.
    fn example(terraform: &'static Terraform, example: &str) -> Self {
        let copy = copy();
        let folder = copy.path().join(example);
        let site = Self { terraform, folder, moto: Moto::start(), _copy: copy };
        let aliases = provider_aliases(&text(example, "main.tf"));
        site.write(
            "providers_override.tf",
            &aliases.iter().map(|alias| site.provider(alias.as_deref())).collect::<String>(),
        );
        site.run(&["init"]);
        site
    }

    /// A configuration of ours, beside the examples.
    pub(crate) fn own(terraform: &'static Terraform, region: &str, main: &str) -> Self {
        let copy = copy();
        let folder = copy.path().join("examples/own");
        fs::create_dir(&folder).unwrap();
        let site = Self { terraform, folder, moto: Moto::start(), _copy: copy };
        site.leads_to(region, "");
        site.write("main.tf", main);
        site.run(&["init"]);
        site
    }

    /// Leads the provider of a configuration of ours to a region, with more in its block.
    pub(crate) fn leads_to(&self, region: &str, more: &str) {
        let provider = self.provider(None).replacen('{', &format!("{{\n  region = \"{region}\"\n{more}"), 1);
        self.write("provider.tf", &provider);
    }

    fn provider(&self, alias: Option<&str>) -> String {
        let services = ["cloudwatch", "iam", "logs", "sns", "sqs", "sts"];
        let endpoint = |service| format!("    {service} = \"{}\"\n", self.moto.endpoint());
        let alias = alias.map(|alias| format!("  alias = \"{alias}\"\n")).unwrap_or_default();
        format!(
            "provider \"aws\" {{\n{alias}  access_key = \"testing\"\n  secret_key = \"testing\"\n  \
             skip_credentials_validation = true\n  skip_metadata_api_check = true\n  endpoints {{\n{}  }}\n}}\n",
            services.map(endpoint).concat()
        )
    }

    pub(crate) fn write(&self, file: &str, text: &str) {
        fs::write(self.folder.join(file), text).unwrap();
    }

    fn run(&self, arguments: &[&str]) {
        self.terraform.run(&self.folder, arguments).done();
    }

    pub(crate) fn apply(&self) {
        self.run(&["apply", "-auto-approve"]);
    }

    /// The changes that a plan still wants, each `ADDRESS ATTRIBUTE`, but for those that are moto's doing.
    pub(crate) fn pending(&self) -> Vec<String> {
        if !self.plan() {
            return Vec::new();
        }
        self.changed_in(&self.pending_plan())
    }

    /// A plan, in JSON; it is in the file `pending` too.
    pub(crate) fn planned(&self) -> Value {
        assert!(self.plan(), "there is nothing to do");
        self.pending_plan()
    }

    fn pending_plan(&self) -> Value {
        self.terraform.run(&self.folder, &["show", "-json", "pending"]).done().json()
    }

    /// What a plan says that cannot be made, in one line.
    pub(crate) fn refused(&self) -> String {
        let ran = self.terraform.run(&self.folder, &["plan"]);
        assert_eq!(ran.status, 1, "{}", ran.out);
        ran.err.replace(['\n', '│'], " ").split_whitespace().collect::<Vec<_>>().join(" ")
    }

    /// What a command prints.
    pub(crate) fn told(&self, arguments: &[&str]) -> String {
        self.terraform.run(&self.folder, arguments).done().out
    }

    /// Plans into the file `pending`. Whether there is anything to do.
    fn plan(&self) -> bool {
        let ran = self.terraform.run(&self.folder, &["plan", "-detailed-exitcode", "-out=pending"]);
        assert!([0, 2].contains(&ran.status), "{}\n{}", ran.out, ran.err);
        assert!(!ran.out.contains("Warning:"), "{}", ran.out);
        ran.status == 2
    }

    /// What a plan in JSON changes, as [`Site::pending`] has it.
    pub(crate) fn changed_in(&self, plan: &Value) -> Vec<String> {
        plan["resource_changes"].as_array().unwrap().iter().flat_map(changed).collect()
    }

    pub(crate) fn destroy(&self) {
        self.run(&["destroy", "-auto-approve"]);
    }

    /// Runs Python with boto3's clients `iam`, `logs` and `sns`.
    pub(crate) fn boto(&self, region: &str, script: &str) {
        let clients = "import boto3\niam, logs, sns = (boto3.client(name) for name in ('iam', 'logs', 'sns'))\n";
        let mut command = Command::new(python());
        command.args(["-c", &format!("{clients}{script}")]).envs(self.moto.environment()).env("AWS_REGION", region);
        assert!(command.env("AWS_DEFAULT_REGION", region).env_remove("AWS_PROFILE").status().unwrap().success());
    }
}

/// What differs in one of a plan's `resource_changes`.
fn changed(change: &Value) -> Vec<String> {
    let (address, kind) = (change["address"].as_str().unwrap(), change["type"].as_str().unwrap());
    let (before, after) = (&change["change"]["before"], &change["change"]["after"]);
    match change["change"]["actions"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect::<Vec<_>>()[..]
    {
        ["no-op"] | ["read"] => return Vec::new(),
        ["update"] => {}
        _ => return vec![format!("{address} {}", change["change"]["actions"])],
    }
    let parsed = |value: &Value| serde_json::from_str::<Value>(value.as_str().unwrap_or_default()).ok();
    let is_motos = |key: &str| match (kind, key) {
        FORGOTTEN => before[key] == "",
        RESPACED => parsed(&before[key]).is_some() && parsed(&before[key]) == parsed(&after[key]),
        _ => false,
    };
    let keys = after.as_object().unwrap().keys();
    keys.filter(|key| before[key] != after[key] && !is_motos(key)).map(|key| format!("{address} {key}")).collect()
}

/// The blocks of Terraform in the part of a page under that heading, with the modules of this checkout.
pub(crate) fn recipe(page: &str, heading: &str) -> String {
    let text = text("", page);
    let (_, part) = text.split_once(&format!("\n{heading}\n")).unwrap_or_else(|| panic!("no {heading:?}"));
    let part = part.split_once("\n#").map_or(part, |(part, _)| part);
    let blocks: Vec<_> = part.split("```hcl\n").skip(1).map(|block| block.split_once("```").unwrap().0).collect();
    assert!(!blocks.is_empty(), "{heading:?} shows no Terraform");
    blocks.concat().replace("git::https://example.com/sms.git//terraform?ref=v0.1.0", "../..")
}

/// The log groups that are there are taken over.
pub(crate) fn taking_over() -> String {
    recipe("docs/configuration.md", "## Log groups that exist already")
}

/// What a destroy leaves behind on purpose.
fn without_leftovers(mut account: Value) -> Value {
    for kept in ["log_groups", "sms_attributes"] {
        account[kept] = json!({});
    }
    account
}

#[test]
fn the_minimal_example_makes_the_account_of_the_defaults_and_lets_go_of_it() {
    let Some(terraform) = Terraform::find() else { return };
    let site = Site::example(terraform, EXAMPLES[0]);
    site.apply();
    assert_same(&read(&site.moto, "us-east-1"), &defaults());
    assert_eq!(site.pending(), [""; 0]);

    // Again: the log groups are still there.
    site.destroy();
    site.apply();
    let again = read(&site.moto, "us-east-1");
    assert_same(&again["log_groups"], &defaults()["log_groups"]);

    // On to sms-provision, as the README has it.
    fs::remove_file(site.folder.join("outputs.tf")).unwrap();
    site.write(
        "main.tf",
        &format!(
            "provider \"aws\" {{\n  region = \"us-east-1\"\n}}\n{}",
            recipe("README.md", "### Back to `sms-provision`")
        ),
    );
    site.apply();
    assert_eq!(terraform.run(&site.folder, &["state", "list"]).done().out, "");
    assert_same(&read(&site.moto, "us-east-1"), &again);
}

/// The module with every variable set that `sms-provision` has too, each to something other than its default.
pub(crate) const EVERYTHING: &str = r#"
module "sms" {
  source = "../.."

  name                             = "shop"
  account_id                       = "123456789012"
  path                             = "/shop/sms/"
  permissions_boundary_arn         = "arn:aws:iam::123456789012:policy/boundary"
  sender_role_names                = ["billing-app", "orders"]
  default_sms_type                 = "Promotional"
  default_sender_id                = "SHOP"
  monthly_spend_limit_usd          = 200
  usage_report_bucket              = "shop-sms-reports"
  delivery_status_sampling_percent = 10
  delivery_log_retention_days      = 90
  existing_log_group_names         = data.aws_cloudwatch_log_groups.sns.log_group_names
  alarm_emails                     = ["oncall@example.com", "finance@example.com"]
  spend_alarm_percents             = [50, 80, 100]
  failure_alarm_percent            = 5
  queue                            = true
  tags                             = { team = "shop", cost-centre = "4711" }
}
"#;

/// An account in which somebody lived before: a boundary, two roles, and the log groups that SNS made.
pub(crate) const LIVED_IN: &str = r#"
anything = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"}]}'
nobody = '{"Version":"2012-10-17","Statement":[]}'
iam.create_policy(PolicyName="boundary", PolicyDocument=anything)
for role in ("billing-app", "orders"):
    iam.create_role(RoleName=role, AssumeRolePolicyDocument=nobody)
for group in ("", "/Failure"):
    logs.create_log_group(logGroupName="sns/eu-central-1/123456789012/DirectPublishToPhoneNumber" + group)
"#;

/// What `sms-provision` and people do to an account that Terraform looks after.
const USED: &str = r#"
policy = "arn:aws:iam::123456789012:policy/shop/sms/shop-sender-eu-central-1"
attributes = ["DefaultSMSType", "DefaultSenderID", "DeliveryStatusIAMRole", "DeliveryStatusSuccessSamplingRate",
              "MonthlySpendLimit", "UsageReportS3Bucket"]
iam.tag_policy(PolicyArn=policy, Tags=[{"Key": "sms:previous:" + name, "Value": "1"} for name in attributes])
iam.tag_user(UserName="shop-sender-eu-central-1", Tags=[{"Key": "sms:key-pending", "Value": "2026-11-25T00:00:00Z"}])
iam.create_access_key(UserName="shop-sender-eu-central-1")
"#;

#[test]
fn with_every_variable_set_it_makes_that_account_and_destroys_it_again() {
    let Some(terraform) = Terraform::find() else { return };
    let site = Site::own(terraform, "eu-central-1", EVERYTHING);
    site.boto("eu-central-1", LIVED_IN);
    let before = read(&site.moto, "eu-central-1");
    site.write("import.tf", &taking_over());
    site.apply();
    assert_same(&read(&site.moto, "eu-central-1"), &everything());

    site.boto("eu-central-1", USED);
    assert_eq!(site.pending(), [""; 0]);

    site.destroy();
    let after = read(&site.moto, "eu-central-1");
    assert_same(&without_leftovers(after.clone()), &without_leftovers(before));
    assert_same(&after["log_groups"], &everything()["log_groups"]);
    let attributes = after["sms_attributes"].as_object().unwrap();
    assert!(attributes.len() == 6 && attributes.values().all(|value| value == ""), "{attributes:?}");
}

#[test]
fn the_examples_apply_as_they_stand_plan_clean_and_leave_nothing_behind() {
    let Some(terraform) = Terraform::find() else { return };
    std::thread::scope(|scope| {
        for (example, regions) in [
            (EXAMPLES[1], &["eu-central-1"][..]),
            (EXAMPLES[2], &["us-east-1"]),
            (EXAMPLES[3], &["us-east-1", "eu-west-1"]),
        ] {
            scope.spawn(move || apply_as_it_stands(terraform, example, regions));
        }
    });
}

fn apply_as_it_stands(terraform: &'static Terraform, example: &str, regions: &[&str]) {
    let site = Site::example(terraform, example);
    site.boto("us-east-1", "iam.create_role(RoleName='billing-app', AssumeRolePolicyDocument='{}')");
    site.boto(regions[0], "sns.set_sms_attributes(attributes={'MonthlySpendLimit': '7'})");
    let look = || regions.iter().map(|region| read(&site.moto, region)).collect::<Vec<_>>();
    let before = look();
    site.apply();
    assert_eq!(site.pending(), [""; 0], "{example}");
    let there = look();
    for (there, before) in there.iter().zip(&before) {
        assert!(there["alarms"].as_object().unwrap().len() >= 4, "{example}");
        assert_eq!(there["sms_attributes"] == before["sms_attributes"], example == EXAMPLES[2], "{example}");
    }

    // The attributes stay where Terraform is told to forget them.
    let listed = terraform.run(&site.folder, &["state", "list"]).done().out;
    for address in listed.lines().filter(|address| address.contains("aws_sns_sms_preferences")) {
        site.run(&["state", "rm", address]);
    }
    site.destroy();
    for ((after, before), there) in look().into_iter().zip(before).zip(there) {
        assert_same(&after["sms_attributes"], &there["sms_attributes"]);
        assert_same(&without_leftovers(after), &without_leftovers(before));
    }

    // Again: the log groups are still there.
    site.apply();
    assert!(!site.moto.called().iter().any(|name| name == "DeleteLogGroup"), "{example}");
}
