# What each variable refuses, several at a time. That the settings of sms-provision refuse the same is shown where both are
# at hand, in the project's own tests.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
}

run "what_aws_would_not_know_by_that_name_is_refused" {
  command = plan
  variables {
    name                     = "Shop"
    account_id               = "12345678901"
    path                     = "/sms"
    permissions_boundary_arn = "arn:aws:iam::123456789012:role/boundary"
    sender_role_names        = ["arn:aws:iam::123456789012:role/app"]
    sender_roles             = { app = "sms/app" }
    default_sms_type         = "Urgent"
    default_sender_id        = "12345"
    usage_report_bucket      = "arn:aws:s3:::reports"
    alarm_emails             = ["oncall"]
    alarm_subscribers        = { oncall = "oncall" }
    tags                     = { "sms:stack" = "other" }
  }
  expect_failures = [
    var.name,
    var.account_id,
    var.path,
    var.permissions_boundary_arn,
    var.sender_role_names,
    var.sender_roles,
    var.default_sms_type,
    var.default_sender_id,
    var.usage_report_bucket,
    var.alarm_emails,
    var.alarm_subscribers,
    var.tags,
  ]
}

run "numbers_out_of_range_are_refused" {
  command = plan
  variables {
    monthly_spend_limit_usd          = 0
    delivery_status_sampling_percent = 101
    delivery_log_retention_days      = 31
    spend_alarm_percents             = [80, 120]
    failure_alarm_percent            = 0
  }
  expect_failures = [
    var.monthly_spend_limit_usd,
    var.delivery_status_sampling_percent,
    var.delivery_log_retention_days,
    var.spend_alarm_percents,
    var.failure_alarm_percent,
  ]
}

run "parts_of_whole_numbers_are_refused" {
  command = plan
  variables {
    monthly_spend_limit_usd          = 1.5
    delivery_status_sampling_percent = 0.5
    spend_alarm_percents             = [80.5]
    failure_alarm_percent            = 9.9
  }
  expect_failures = [
    var.monthly_spend_limit_usd,
    var.delivery_status_sampling_percent,
    var.spend_alarm_percents,
    var.failure_alarm_percent,
  ]
}

run "the_same_twice_is_refused" {
  command = plan
  variables {
    sender_role_names    = ["app", "app"]
    alarm_emails         = ["oncall@example.com", "oncall@example.com"]
    spend_alarm_percents = [80, 80]
    tags                 = { Team = "shop", team = "shop" }
  }
  expect_failures = [
    var.sender_role_names,
    var.alarm_emails,
    var.spend_alarm_percents,
    var.tags,
  ]
}
