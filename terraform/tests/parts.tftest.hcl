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

run "roles_by_key_get_the_policy_too" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    sender_role_names = ["app"]
    sender_roles      = { worker = "worker-20260101" }
  }
  assert {
    condition     = aws_iam_role_policy_attachment.sender["worker"].role == "worker-20260101" && aws_iam_role_policy_attachment.sender["app"].role == "app"
    error_message = "Each role gets it."
  }
}

run "a_role_that_is_named_twice_is_refused" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    sender_role_names = ["app"]
    sender_roles      = { worker = "app" }
  }
  expect_failures = [aws_iam_policy.sender]
}

run "a_key_that_is_the_name_of_another_role_is_refused" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    sender_role_names = ["app"]
    sender_roles      = { app = "worker" }
  }
  expect_failures = [aws_iam_policy.sender]
}

run "an_address_that_is_named_twice_is_refused" {
  command = plan
  module {
    source = "./modules/alarms"
  }
  variables {
    alarm_emails      = ["oncall@example.com"]
    alarm_subscribers = { oncall = "oncall@example.com" }
  }
  expect_failures = [aws_sns_topic.alarms]
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

run "log_groups_that_exist_are_taken_over_by_an_import_block" {
  command = plan
  module {
    source = "./modules/sms"
  }
  variables {
    existing_log_group_names = [
      "sns/us-gov-west-1/123456789012/DirectPublishToPhoneNumber",
      "sns/us-gov-west-1/123456789012/DirectPublishToPhoneNumber/Failure",
      "sns/us-gov-west-1/123456789012/DirectPublishToPhoneNumber/Other",
      "sns/us-gov-west-1/123456789012/orders/Failure",
    ]
  }
  assert {
    condition = output.log_groups_to_import == {
      success = "sns/us-gov-west-1/123456789012/DirectPublishToPhoneNumber"
      failure = "sns/us-gov-west-1/123456789012/DirectPublishToPhoneNumber/Failure"
    }
    error_message = "Those two, and no other group of SNS."
  }
}

run "log_groups_of_another_stack_are_not_taken_over" {
  command = plan
  module {
    source = "./modules/sms"
  }
  variables {
    create_delivery_log_groups = false
    existing_log_group_names   = ["sns/us-gov-west-1/123456789012/DirectPublishToPhoneNumber"]
  }
  assert {
    condition     = length(output.log_groups_to_import) == 0
    error_message = "It does not have them."
  }
}

run "without_a_delivery_log_no_log_group_is_taken_over" {
  command = plan
  module {
    source = "./modules/sms"
  }
  variables {
    delivery_status_logging  = false
    existing_log_group_names = ["sns/us-gov-west-1/123456789012/DirectPublishToPhoneNumber"]
  }
  assert {
    condition     = length(output.log_groups_to_import) == 0
    error_message = "It does not have them."
  }
}

run "log_groups_outlive_the_stack_unless_it_is_told_otherwise" {
  command = plan
  module {
    source = "./modules/sms"
  }
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.delivery_status : group.skip_destroy])
    error_message = "They are the only record of what became of messages."
  }
}

run "log_groups_go_with_the_stack_where_it_is_told_so" {
  command = plan
  module {
    source = "./modules/sms"
  }
  variables {
    keep_delivery_logs = false
  }
  assert {
    condition     = alltrue([for group in aws_cloudwatch_log_group.delivery_status : !group.skip_destroy])
    error_message = "It was asked for."
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
