# What SNS does with SMS: its attributes, and the log of what became of each message.

module "place" {
  source = "../place"
  count  = var.place == null ? 1 : 0

  tags = var.tags
}

locals {
  place     = coalesce(var.place, one(module.place[*].place))
  account   = local.place.account
  partition = local.place.partition
  region    = local.place.region
  tags      = merge(var.tags, { "sms:stack" = var.name, "managed-by" = "sms" })

  # SNS decides these names.
  log_groups = {
    success = "sns/${local.region}/${local.account}/DirectPublishToPhoneNumber"
    failure = "sns/${local.region}/${local.account}/DirectPublishToPhoneNumber/Failure"
  }
  log_group_arns = [for name in [local.log_groups.success, local.log_groups.failure] : "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:${name}"]

  failure_classes = {
    quota = {
      metric  = "QuotaExhausted"
      pattern = "{ $.delivery.providerResponse = \"No quota left for account*\" }"
    }
    spam = {
      metric  = "BlockedAsSpam"
      pattern = "{ $.delivery.providerResponse = \"Blocked as spam*\" }"
    }
    opted-out = {
      metric  = "OptedOut"
      pattern = "{ ($.delivery.providerResponse = \"*opted out*\") || ($.delivery.providerResponse = \"Phone has blocked SMS*\") }"
    }
    unreachable = {
      metric  = "Unreachable"
      pattern = "{ ($.delivery.providerResponse = \"*unreachable*\") || ($.delivery.providerResponse = \"Unknown error attempting to reach phone*\") }"
    }
    price = {
      metric  = "PriceExceeded"
      pattern = "{ $.delivery.providerResponse = \"This delivery would exceed max price*\" }"
    }
  }
}

resource "aws_iam_role" "delivery_status" {
  count = var.delivery_status_logging ? 1 : 0

  name                 = "${var.name}-delivery-status-${local.region}"
  path                 = var.path
  permissions_boundary = var.permissions_boundary_arn
  tags                 = local.tags

  assume_role_policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "SnsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "sns.amazonaws.com" }
      Action    = "sts:AssumeRole"
      # AWS's pages do not promise that SNS sends the key here.
      Condition = { StringEqualsIfExists = { "aws:SourceAccount" = local.account } }
    }]
  })
}

resource "aws_iam_role_policy" "delivery_status" {
  count = var.delivery_status_logging ? 1 : 0

  name = "write-delivery-status"
  role = aws_iam_role.delivery_status[0].name

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid      = "WriteDeliveryStatus"
      Effect   = "Allow"
      Action   = ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"]
      Resource = flatten([for arn in local.log_group_arns : [arn, "${arn}:*"]])
    }]
  })
}

resource "aws_cloudwatch_log_group" "delivery_status" {
  #checkov:skip=CKV_AWS_158:CloudWatch Logs encrypts them with a key of its own. Who wants another key makes the groups with it and sets create_delivery_log_groups to false.
  #checkov:skip=CKV_AWS_338:The records hold phone numbers: they are kept as short as the account's owner wants, by delivery_log_retention_days.
  for_each = var.delivery_status_logging && var.create_delivery_log_groups ? local.log_groups : {}

  name              = each.value
  retention_in_days = var.delivery_log_retention_days
  tags              = local.tags

  # They are the only record of what became of messages. AWS does not know it, so that after an import a plan shows it as a
  # change, of the state alone. It must not stand in ignore_changes for that: the state would keep false, and a destroy
  # go by the state (tried with Terraform 1.11.4 and provider 5.100.0: the log group was deleted).
  skip_destroy = var.keep_delivery_logs

  lifecycle {
    # Where the place is known only after apply, so is the name, and a group that is imported in the same plan would be
    # replaced: deleted with its records. A group never changes its name; in another region it is another group.
    ignore_changes = [name]
  }
}

resource "aws_cloudwatch_log_metric_filter" "failure" {
  for_each = var.delivery_status_logging ? local.failure_classes : {}

  name           = "${var.name}-${each.key}"
  log_group_name = local.log_groups.failure
  pattern        = each.value.pattern

  metric_transformation {
    namespace = "SMS/${var.name}"
    name      = each.value.metric
    value     = "1"
  }

  depends_on = [aws_cloudwatch_log_group.delivery_status]
}

resource "aws_sns_sms_preferences" "this" {
  count = var.manage_sms_preferences ? 1 : 0

  default_sms_type                      = var.default_sms_type
  default_sender_id                     = var.default_sender_id
  monthly_spend_limit                   = var.monthly_spend_limit_usd
  usage_report_s3_bucket                = var.usage_report_bucket
  delivery_status_iam_role_arn          = one(aws_iam_role.delivery_status[*].arn)
  delivery_status_success_sampling_rate = var.delivery_status_logging ? tostring(var.delivery_status_sampling_percent) : null

  # SNS writes with the role as soon as it is named.
  depends_on = [aws_iam_role_policy.delivery_status, aws_cloudwatch_log_group.delivery_status]
}

check "region_sends_sms" {
  assert {
    condition = contains([
      "af-south-1", "ap-east-2", "ap-northeast-1", "ap-northeast-2", "ap-northeast-3", "ap-south-1", "ap-south-2",
      "ap-southeast-1", "ap-southeast-2", "ap-southeast-3", "ap-southeast-4", "ap-southeast-6", "ca-central-1",
      "ca-west-1", "eu-central-1", "eu-central-2", "eu-north-1", "eu-south-1", "eu-south-2", "eu-west-1", "eu-west-2",
      "eu-west-3", "eusc-de-east-1", "il-central-1", "me-central-1", "me-south-1", "mx-central-1", "sa-east-1",
      "us-east-1", "us-east-2", "us-gov-east-1", "us-gov-west-1", "us-west-1", "us-west-2",
    ], local.region)
    error_message = "SNS is not known to send SMS from ${local.region}: there, it refuses a good phone number with the words for a bad one. Use another region, unless AWS has added this one since."
  }
}
