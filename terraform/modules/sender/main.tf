# Who may send: the policy of the sender, and those that have it.

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

  in_this_region = { StringEquals = { "aws:RequestedRegion" = local.region } }
  log_groups     = [for group in ["DirectPublishToPhoneNumber", "DirectPublishToPhoneNumber/Failure"] : "arn:${local.partition}:logs:${local.region}:${local.account}:log-group:sns/${local.region}/${local.account}/${group}"]

  # SNS takes the phone number itself for the resource of an SMS, so that nothing narrower than * can be allowed; what
  # is not a phone number is denied by its ARN.
  send_sms = {
    Sid       = "SendSms"
    Effect    = "Allow"
    Action    = "sns:Publish"
    Resource  = "*"
    Condition = local.in_this_region
  }
  no_topics_or_endpoints = {
    Sid      = "NoTopicsOrEndpoints"
    Effect   = "Deny"
    Action   = "sns:Publish"
    Resource = "arn:${local.partition}:sns:*:*:*"
  }
  read_sms = {
    Sid       = "ReadSms"
    Effect    = "Allow"
    Action    = ["sns:CheckIfPhoneNumberIsOptedOut", "sns:GetSMSAttributes", "sns:GetSMSSandboxAccountStatus", "sns:ListPhoneNumbersOptedOut"]
    Resource  = "*"
    Condition = local.in_this_region
  }
  # SNS hands SMS on to End User Messaging in the name of the caller.
  sms_voice_through_sns = {
    Sid       = "SmsVoiceThroughSns"
    Effect    = "Allow"
    Action    = ["sms-voice:DescribeOptedOutNumbers", "sms-voice:DescribeSpendLimits", "sms-voice:SendTextMessage"]
    Resource  = "*"
    Condition = { StringEquals = { "aws:CalledViaLast" = "sns.amazonaws.com", "aws:RequestedRegion" = local.region } }
  }
  read_delivery_status = {
    Sid      = "ReadDeliveryStatus"
    Effect   = "Allow"
    Action   = "logs:FilterLogEvents"
    Resource = flatten([for group in local.log_groups : [group, "${group}:*"]])
  }
  use_queue = {
    Sid      = "UseQueue"
    Effect   = "Allow"
    Action   = ["sqs:ChangeMessageVisibility", "sqs:DeleteMessage", "sqs:GetQueueAttributes", "sqs:ReceiveMessage", "sqs:SendMessage"]
    Resource = "arn:${local.partition}:sqs:${local.region}:${local.account}:${var.name}-outbox"
  }
}

resource "aws_iam_policy" "sender" {
  name = "${var.name}-sender-${local.region}"
  path = var.path
  tags = local.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = concat(
      [local.send_sms, local.no_topics_or_endpoints, local.read_sms, local.sms_voice_through_sns],
      [for statement in [local.read_delivery_status] : statement if var.delivery_status_logging],
      [for statement in [local.use_queue] : statement if var.queue],
    )
  })

  lifecycle {
    precondition {
      condition     = length(setintersection(var.sender_role_names, concat(keys(var.sender_roles), values(var.sender_roles)))) == 0
      error_message = "A role may be in one of sender_role_names and sender_roles only, and no key of sender_roles may be in sender_role_names: take it out of one of them."
    }

    # sms-provision keeps here what the SMS attributes were before it first changed them. The same keys of tags_all must not
    # stand here: the provider then takes tags_all for changed after each import. What it does not manage to ignore (seen
    # with 5.100.0): where one of the six is empty, a change of another tag takes all six with it.
    ignore_changes = [
      tags["sms:previous:DefaultSMSType"],
      tags["sms:previous:DefaultSenderID"],
      tags["sms:previous:DeliveryStatusIAMRole"],
      tags["sms:previous:DeliveryStatusSuccessSamplingRate"],
      tags["sms:previous:MonthlySpendLimit"],
      tags["sms:previous:UsageReportS3Bucket"],
    ]
  }
}

resource "aws_iam_user" "sender" {
  #checkov:skip=CKV_AWS_273:A program on a machine outside AWS has no other way in. Inside AWS create_user is false, and workload_role or sender_role_names take its place.
  count = var.create_user ? 1 : 0

  name                 = "${var.name}-sender-${local.region}"
  path                 = var.path
  permissions_boundary = var.permissions_boundary_arn
  force_destroy        = true # keys that were made elsewhere go with the user
  tags                 = local.tags

  lifecycle {
    ignore_changes = [
      # It stands in the state alone: after an import it would show as a change. A user that was imported therefore does
      # without it, and is not deleted before its keys are.
      force_destroy,
      # sms-provision marks by it a key whose secret it has yet to write down.
      tags["sms:key-pending"],
      tags["sms:key-retiring"],
    ]
  }
}

resource "aws_iam_user_policy_attachment" "sender" {
  #checkov:skip=CKV_AWS_40:It is the only user, and made for this one policy: a group would add a name and narrow nothing.
  count = var.create_user ? 1 : 0

  user       = aws_iam_user.sender[0].name
  policy_arn = aws_iam_policy.sender.arn
}

resource "aws_iam_access_key" "sender" {
  count = var.create_user && var.create_access_key ? 1 : 0

  user = aws_iam_user.sender[0].name
}

resource "aws_iam_role_policy_attachment" "sender" {
  for_each = merge({ for role in var.sender_role_names : role => role }, var.sender_roles)

  role       = each.value
  policy_arn = aws_iam_policy.sender.arn
}
