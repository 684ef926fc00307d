# Everything switched on, in an account that sends for real: roles instead of a user, a queue that several agents
# share, alarms by e-mail.

provider "aws" {
  region = "eu-central-1"
}

module "sms" {
  source = "../.."

  name = "shop"
  path = "/shop/sms/"

  create_user = false
  workload_role = {
    services = ["ecs-tasks", "ec2"]
    github = {
      oidc_provider_arn = aws_iam_openid_connect_provider.github.arn
      subjects          = ["repo:example/shop:environment:production"]
    }
  }

  default_sender_id                = "SHOP"
  monthly_spend_limit_usd          = 200
  delivery_status_sampling_percent = 10
  delivery_log_retention_days      = 90
  existing_log_group_names         = data.aws_cloudwatch_log_groups.sns.log_group_names

  alarm_emails          = ["oncall@example.com", "finance@example.com"]
  spend_alarm_percents  = [50, 80, 100]
  failure_alarm_percent = 5

  queue = true

  tags = {
    team        = "shop"
    cost-centre = "4711"
  }
}

# Log groups that SNS or an earlier stack has left are taken over with their records, not made anew.
data "aws_cloudwatch_log_groups" "sns" {
  log_group_name_prefix = "sns/"
}

import {
  for_each = module.sms.log_groups_to_import
  to       = module.sms.module.sms.aws_cloudwatch_log_group.delivery_status[each.key]
  id       = each.value
}

# One for the whole account; leave it out where there is one.
resource "aws_iam_openid_connect_provider" "github" {
  url            = "https://token.actions.githubusercontent.com"
  client_id_list = ["sts.amazonaws.com"]
}
