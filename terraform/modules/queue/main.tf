# The queue that several agents share as their outbox, and where a message ends that none of them can settle.

module "place" {
  source = "../place"
  count  = var.place == null ? 1 : 0

  tags = var.tags
}

locals {
  place  = coalesce(var.place, one(module.place[*].place))
  prefix = "arn:${local.place.partition}:sqs:${local.place.region}:${local.place.account}"
  tags   = merge(var.tags, { "sms:stack" = var.name, "managed-by" = "sms" })

  # By their names, since each queue names the other.
  outbox_arn = "${local.prefix}:${var.name}-outbox"
  dead_arn   = "${local.prefix}:${var.name}-outbox-dead"

  only_over_tls = {
    for arn in [local.outbox_arn, local.dead_arn] : arn => jsonencode({
      Version = "2012-10-17"
      Statement = [{
        Sid       = "OnlyOverTls"
        Effect    = "Deny"
        Principal = "*"
        Action    = "sqs:*"
        Resource  = arn
        Condition = { Bool = { "aws:SecureTransport" = "false" } }
      }]
    })
  }
}

resource "aws_sqs_queue" "outbox_dead" {
  name                       = "${var.name}-outbox-dead"
  visibility_timeout_seconds = 60
  message_retention_seconds  = 1209600
  sqs_managed_sse_enabled    = true
  policy                     = local.only_over_tls[local.dead_arn]
  tags                       = local.tags
}

resource "aws_sqs_queue" "outbox" {
  name                       = "${var.name}-outbox"
  visibility_timeout_seconds = 60
  message_retention_seconds  = 345600
  sqs_managed_sse_enabled    = true
  policy                     = local.only_over_tls[local.outbox_arn]
  redrive_policy             = jsonencode({ deadLetterTargetArn = aws_sqs_queue.outbox_dead.arn, maxReceiveCount = 20 })
  tags                       = local.tags
}
