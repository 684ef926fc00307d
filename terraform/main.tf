# One account and region, set up to send SMS: all that the modules beside this one make, from one set of variables.

module "place" {
  source = "./modules/place"

  account_id = var.account_id
  place      = var.place
  tags       = var.tags
}

module "sender" {
  source = "./modules/sender"

  name                     = var.name
  place                    = module.place.place
  path                     = var.path
  permissions_boundary_arn = var.permissions_boundary_arn
  create_user              = var.create_user
  create_access_key        = var.create_access_key
  sender_role_names        = var.sender_role_names
  sender_roles             = var.sender_roles
  workload_role            = var.workload_role
  delivery_status_logging  = var.delivery_status_logging
  queue                    = var.queue
  tags                     = var.tags
}

module "sms" {
  source = "./modules/sms"

  name                             = var.name
  place                            = module.place.place
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
  keep_delivery_logs               = var.keep_delivery_logs
  existing_log_group_names         = var.existing_log_group_names
  delivery_log_retention_days      = var.delivery_log_retention_days
  tags                             = var.tags
}

module "alarms" {
  source = "./modules/alarms"

  name                    = var.name
  place                   = module.place.place
  monthly_spend_limit_usd = var.monthly_spend_limit_usd
  delivery_status_logging = var.delivery_status_logging
  alarm_emails            = var.alarm_emails
  alarm_subscribers       = var.alarm_subscribers
  spend_alarm_percents    = var.spend_alarm_percents
  failure_alarm_percent   = var.failure_alarm_percent
  queue                   = var.queue
  tags                    = var.tags
}

module "queue" {
  source = "./modules/queue"
  count  = var.queue ? 1 : 0

  name  = var.name
  place = module.place.place
  tags  = var.tags
}
