# The parts by themselves: what only their own resources tell, and what they warn of.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws-us-gov" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-gov-west-1" }
  }
}

mock_provider "aws" {
  alias = "moon"
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "moon-1" }
  }
}

run "arns_have_the_partition_of_the_region" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    queue = true
  }
  assert {
    condition     = strcontains(aws_iam_policy.sender.policy, "arn:aws-us-gov:sns:*:*:*") && strcontains(aws_iam_policy.sender.policy, "arn:aws-us-gov:sqs:us-gov-west-1:123456789012:sms-outbox") && !strcontains(aws_iam_policy.sender.policy, "arn:aws:")
    error_message = "A partition has ARNs of its own."
  }
}

run "existing_roles_get_the_policy" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    sender_role_names = ["app", "worker"]
  }
  assert {
    condition     = keys(aws_iam_role_policy_attachment.sender) == ["app", "worker"]
    error_message = "Each role gets it."
  }
}

run "the_boundary_is_on_everybody" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    permissions_boundary_arn = "arn:aws-us-gov:iam::123456789012:policy/boundary"
    workload_role            = { services = ["ec2"] }
  }
  assert {
    condition     = aws_iam_user.sender[0].permissions_boundary == var.permissions_boundary_arn && aws_iam_role.workload[0].permissions_boundary == var.permissions_boundary_arn
    error_message = "User and role have it."
  }
}

run "attributes_that_are_not_set_are_not_written" {
  command = plan
  module {
    source = "./modules/sms"
  }
  variables {
    delivery_status_logging = false
  }
  assert {
    condition     = aws_sns_sms_preferences.this[0].default_sender_id == null && aws_sns_sms_preferences.this[0].usage_report_s3_bucket == null && aws_sns_sms_preferences.this[0].delivery_status_success_sampling_rate == null
    error_message = "Null is not written."
  }
}

run "attributes_that_are_somebody_else_s_are_left_alone" {
  command = plan
  module {
    source = "./modules/sms"
  }
  variables {
    manage_sms_preferences = false
  }
  assert {
    condition     = length(aws_sns_sms_preferences.this) == 0 && length(aws_iam_role.delivery_status) == 1
    error_message = "The role is made, the attributes are not touched."
  }
}

run "log_groups_that_exist_get_the_filters_only" {
  command = plan
  module {
    source = "./modules/sms"
  }
  variables {
    create_delivery_log_groups = false
  }
  assert {
    condition     = length(aws_cloudwatch_log_group.delivery_status) == 0 && length(aws_cloudwatch_log_metric_filter.failure) == 5
    error_message = "The filters are put on a group that exists."
  }
}

run "a_region_that_is_not_known_to_send_is_warned_of" {
  command = plan
  module {
    source = "./modules/sms"
  }
  providers = {
    aws = aws.moon
  }
  expect_failures = [check.region_sends_sms]
}

run "spend_thresholds_are_percentages_of_the_limit" {
  command = plan
  module {
    source = "./modules/alarms"
  }
  variables {
    monthly_spend_limit_usd = 250
    spend_alarm_percents    = [33, 100]
  }
  assert {
    condition     = aws_cloudwatch_metric_alarm.spend["33"].threshold == 82.5 && aws_cloudwatch_metric_alarm.spend["100"].threshold == 250
    error_message = "33 % of 250 USD are 82.50 USD."
  }
}

run "an_alarm_that_comes_too_late_is_warned_of" {
  command = plan
  module {
    source = "./modules/alarms"
  }
  variables {
    spend_alarm_percents = [100]
  }
  expect_failures = [check.spend_alarm_before_the_limit]
}

run "no_spend_alarm_at_all_is_a_decision" {
  command = plan
  module {
    source = "./modules/alarms"
  }
  variables {
    spend_alarm_percents = []
  }
  assert {
    condition     = length(aws_cloudwatch_metric_alarm.spend) == 0
    error_message = "None was asked for."
  }
}
