# Everything as it is by default: a user without a key, the SMS attributes with delivery logging, alarms that nobody is
# subscribed to yet.

provider "aws" {
  region = "us-east-1"
}

module "sms" {
  source = "../.."

  existing_log_group_names = data.aws_cloudwatch_log_groups.sns.log_group_names
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
