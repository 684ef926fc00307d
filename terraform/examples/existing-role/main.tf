# Applications that have a role already get the right to send; there is no user and no key. The SMS attributes are
# somebody else's here, and stay as they are.

provider "aws" {
  region = "us-east-1"
}

module "sms" {
  source = "../.."

  create_user            = false
  sender_role_names      = var.role_names
  manage_sms_preferences = false

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
