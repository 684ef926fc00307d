# SMS attributes, spend, sandbox and opt-outs are per region, and so is the module: one call a region, with a provider
# of its own. The name may be the same, since what all regions share carries the region in its name.

provider "aws" {
  alias  = "america"
  region = "us-east-1"
}

provider "aws" {
  alias  = "europe"
  region = "eu-west-1"
}

module "america" {
  source    = "../.."
  providers = { aws = aws.america }

  existing_log_group_names = data.aws_cloudwatch_log_groups.america.log_group_names

  monthly_spend_limit_usd = 100
}

module "europe" {
  source    = "../.."
  providers = { aws = aws.europe }

  existing_log_group_names = data.aws_cloudwatch_log_groups.europe.log_group_names

  monthly_spend_limit_usd = 50
  default_sender_id       = "SHOP"
}

# Log groups that SNS or an earlier stack has left are taken over with their records, not made anew.
data "aws_cloudwatch_log_groups" "america" {
  provider              = aws.america
  log_group_name_prefix = "sns/"
}

data "aws_cloudwatch_log_groups" "europe" {
  provider              = aws.europe
  log_group_name_prefix = "sns/"
}

import {
  for_each = module.america.log_groups_to_import
  to       = module.america.module.sms.aws_cloudwatch_log_group.delivery_status[each.key]
  id       = each.value
}

import {
  for_each = module.europe.log_groups_to_import
  to       = module.europe.module.sms.aws_cloudwatch_log_group.delivery_status[each.key]
  id       = each.value
}
