# One account and region, set up to send SMS: all that the modules beside this one make, from one set of variables.

data "aws_caller_identity" "current" {
  lifecycle {
    postcondition {
      condition     = var.account_id == null || self.account_id == var.account_id
      error_message = "The credentials are those of account ${self.account_id}, which is not the one that account_id names: nothing is changed. Use the credentials of the right account, or correct account_id."
    }
  }
}

data "aws_region" "current" {}

module "sender" {
  source = "./modules/sender"

  name                     = var.name
  path                     = var.path
  permissions_boundary_arn = var.permissions_boundary_arn
  create_user              = var.create_user
  create_access_key        = var.create_access_key
  sender_role_names        = var.sender_role_names
  workload_role            = var.workload_role
  delivery_status_logging  = var.delivery_status_logging
  queue                    = var.queue
  tags                     = var.tags
}

module "sms" {
  source = "./modules/sms"

  name                             = var.name
  path                             = var.path
  permissions_boundary_arn         = var.permissions_boundary_arn
  manage_sms_preferences           = var.manage_sms_preferences
  default_sms_type                 = var.default_sms_type
  default_sender_id                = var.default_sender_id
  monthly_spend_limit_usd          = var.monthly_spend_limit_usd
  usage_report_bucket              = var.usage_report_bucket
  delivery_status_logging          = var.delivery_status_logging
  delivery_status_sampling_percent = var.delivery_status_sampling_percent
  create_delivery_log_groups       = var.create_delivery_log_groups
  delivery_log_retention_days      = var.delivery_log_retention_days
  tags                             = var.tags
}

module "alarms" {
  source = "./modules/alarms"

  name                    = var.name
  monthly_spend_limit_usd = var.monthly_spend_limit_usd
  delivery_status_logging = var.delivery_status_logging
  alarm_emails            = var.alarm_emails
  spend_alarm_percents    = var.spend_alarm_percents
  failure_alarm_percent   = var.failure_alarm_percent
  queue                   = var.queue
  tags                    = var.tags
}

module "queue" {
  source = "./modules/queue"
  count  = var.queue ? 1 : 0

  name = var.name
  tags = var.tags
}
