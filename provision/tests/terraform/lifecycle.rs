//! A stack over time: what it depends on changes, it is destroyed and made again, another one joins it, its provider
//! leads elsewhere.

use serde_json::Value;

use crate::accounts::read;
use crate::moto::{Site, recipe, taking_over};
use crate::workshop::Terraform;

/// Log groups that an earlier stack has left, with a record in them.
const LEFT: &str = r#"
for group in ("", "/Failure"):
    group = "sns/us-east-1/123456789012/DirectPublishToPhoneNumber" + group
    logs.create_log_group(logGroupName=group)
    logs.create_log_stream(logGroupName=group, logStreamName="1")
"#;

const DEPENDENT: &str = r#"
resource "terraform_data" "other" {
  input = "1"
}

resource "aws_iam_role" "app" {
  name_prefix        = "app-"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}

module "sms" {
  source     = "../.."
  depends_on = [terraform_data.other]

  sender_roles             = { app = aws_iam_role.app.name }
  alarm_subscribers        = { oncall = sensitive("oncall@example.com") }
  existing_log_group_names = data.aws_cloudwatch_log_groups.sns.log_group_names
}
"#;

#[test]
fn what_the_stack_depends_on_changes_alone_and_logging_is_switched_off_and_on() {
    let Some(terraform) = Terraform::find() else { return };
    let site = Site::own(terraform, "us-east-1", DEPENDENT);
    site.write("import.tf", &taking_over());
    site.boto("us-east-1", LEFT);
    site.apply();
    let account = read(&site.moto, "us-east-1");
    let role = account["roles"].as_object().unwrap().iter().find(|(name, _)| name.starts_with("app-")).unwrap().1;
    assert_eq!(role["policies"], serde_json::json!(["sms-sender-us-east-1"]));
    assert!(account["topics"].to_string().contains("oncall@example.com"), "{}", account["topics"]);

    let changed = DEPENDENT.replace("input = \"1\"", "input = \"2\"");
    site.write("main.tf", &changed);
    assert_eq!(site.pending(), ["terraform_data.other input"]);
    site.apply();

    let logged = "source     = \"../..\"\n";
    site.write("main.tf", &changed.replace(logged, &format!("{logged}  delivery_status_logging = false\n")));
    site.apply();
    site.write("main.tf", &changed);
    site.apply();
    assert_eq!(site.pending(), [""; 0]);
    assert_eq!(read(&site.moto, "us-east-1"), account);
    assert!(!site.moto.called().iter().any(|name| name == "DeleteLogGroup"), "records were lost");
}

#[test]
fn two_stacks_share_a_region() {
    let Some(terraform) = Terraform::find() else { return };
    let site = Site::own(terraform, "us-east-1", &recipe("docs/configuration.md", "## A second stack in a region"));
    site.apply();
    assert_eq!(site.pending(), [""; 0]);
    let account = read(&site.moto, "us-east-1");
    assert_eq!(account["sms_attributes"]["MonthlySpendLimit"], "200");
    for (kind, count) in [("log_groups", 2), ("metric_filters", 10), ("topics", 2), ("policies", 2)] {
        assert_eq!(account[kind].as_object().unwrap().len(), count, "{kind}");
    }
    let owners = account["log_groups"].as_object().unwrap().values().map(|group| &group["tags"]["sms:stack"]);
    assert!(owners.into_iter().all(|owner| owner == "shop"), "{}", account["log_groups"]);
    site.destroy();
    assert_eq!(read(&site.moto, "us-east-1")["metric_filters"], serde_json::json!({}));
}

#[test]
fn a_provider_that_leads_elsewhere_is_refused_and_a_move_replaces_everything() {
    let Some(terraform) = Terraform::find() else { return };
    let site = Site::own(
        terraform,
        "us-east-1",
        "module \"sms\" {\n  source = \"../..\"\n  tags   = { team = \"shop\" }\n}\n",
    );
    let clash =
        "  default_tags {\n    tags = { Team = \"shop\", \"Managed-By\" = \"terraform\", owner = \"us\" }\n  }\n";
    site.leads_to("us-east-1", clash);
    let refused = site.refused();
    assert!(
        refused.contains("team (default_tags: Team)") && refused.contains("managed-by (default_tags: Managed-By)"),
        "{refused}"
    );
    assert!(!refused.contains("owner"), "{refused}");

    site.leads_to("us-east-1", "");
    site.apply();
    site.leads_to("eu-west-1", "");
    let refused = site.refused();
    assert!(refused.contains("region us-east-1, but the provider now points to account 123456789012, region eu-west-1: nothing is changed"), "{refused}");

    // As the message says.
    let place = "module.sms.module.place.terraform_data.place[0]";
    assert!(refused.contains(place), "{refused}");
    site.told(&["plan", &format!("-replace={place}"), "-out=pending"]);
    let plan: Value = serde_json::from_str(&site.told(&["show", "-json", "pending"])).unwrap();
    for change in plan["resource_changes"].as_array().unwrap() {
        let (address, change) = (&change["address"], &change["change"]);
        let address = address.as_str().unwrap();
        // IAM gives a user another name in place; the provider still has the former ARN in such a plan.
        if address.ends_with("aws_iam_user.sender[0]") {
            assert_eq!(change["after"]["name"], "sms-sender-eu-west-1");
            continue;
        }
        // The attributes carry no name: they are those of whatever region the provider leads to.
        let made = change["actions"].as_array().unwrap().iter().any(|action| action == "create");
        assert!(made || address.ends_with("aws_sns_sms_preferences.this[0]"), "{address} {change:#}");
        assert!(!change["after"].to_string().contains("us-east-1"), "{address} {change:#}");
    }
}
