# Who is told of what: the alarm topic, its subscribers, the alarms.

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

  topic_arn = "arn:${local.partition}:sns:${local.region}:${local.account}:${var.name}-alarms"

  # Of direct SMS these two carry this dimension and no other.
  outcomes = {
    failed    = "NumberOfNotificationsFailed"
    delivered = "NumberOfNotificationsDelivered"
  }
}

resource "aws_sns_topic" "alarms" {
  #checkov:skip=CKV_AWS_26:Alarms hold no secret, and CloudWatch cannot publish to a topic under the key that AWS manages; a key of one's own would cost and need a policy.
  name = "${var.name}-alarms"
  tags = local.tags

  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Sid       = "CloudWatchAlarmsOfThisAccount"
      Effect    = "Allow"
      Principal = { Service = "cloudwatch.amazonaws.com" }
      Action    = "sns:Publish"
      Resource  = local.topic_arn
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:cloudwatch:${local.region}:${local.account}:alarm:*" }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    }]
  })

  lifecycle {
    precondition {
      condition     = length(setintersection(var.alarm_emails, concat(keys(var.alarm_subscribers), values(var.alarm_subscribers)))) == 0
      error_message = "An address may be in one of alarm_emails and alarm_subscribers only, and no key of alarm_subscribers may be in alarm_emails: take it out of one of them."
    }
  }
}

resource "aws_sns_topic_subscription" "email" {
  for_each = merge({ for email in var.alarm_emails : email => email }, var.alarm_subscribers)

  topic_arn = aws_sns_topic.alarms.arn
  protocol  = "email"
  endpoint  = each.value

  lifecycle {
    # They are for HTTP and stand in the state alone: after an import their defaults would show as changes.
    ignore_changes = [confirmation_timeout_in_minutes, endpoint_auto_confirms]
  }
}

resource "aws_cloudwatch_metric_alarm" "spend" {
  for_each = toset([for percent in var.spend_alarm_percents : tostring(percent)])

  alarm_name        = "${var.name}-spend-${each.value}"
  alarm_description = "SMS spend of this month has reached ${each.value} % of the limit of ${var.monthly_spend_limit_usd} USD."

  # It has no dimensions, whatever AWS's table of them says.
  namespace           = "AWS/SNS"
  metric_name         = "SMSMonthToDateSpentUSD"
  statistic           = "Maximum"
  period              = 300
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.monthly_spend_limit_usd * tonumber(each.value) / 100
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "failures" {
  alarm_name          = "${var.name}-failures"
  alarm_description   = "${var.failure_alarm_percent} % or more of the SMS of 15 minutes were not delivered."
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = var.failure_alarm_percent
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = local.tags

  dynamic "metric_query" {
    for_each = local.outcomes

    content {
      id          = metric_query.key
      return_data = false

      metric {
        namespace   = "AWS/SNS"
        metric_name = metric_query.value
        dimensions  = { PhoneNumber = "PhoneNumberDirect" }
        stat        = "Sum"
        period      = 900
      }
    }
  }

  metric_query {
    id          = "rate"
    label       = "Failed, percent"
    expression  = "IF(FILL(failed, 0) + FILL(delivered, 0) >= 20, 100 * FILL(failed, 0) / (FILL(failed, 0) + FILL(delivered, 0)), 0)"
    return_data = true
  }
}

resource "aws_cloudwatch_metric_alarm" "quota_exhausted" {
  count = var.delivery_status_logging ? 1 : 0

  alarm_name          = "${var.name}-quota-exhausted"
  alarm_description   = "SNS drops SMS: the monthly spend limit or the account's quota is used up."
  namespace           = "SMS/${var.name}"
  metric_name         = "QuotaExhausted"
  statistic           = "Sum"
  period              = 300
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "queue_age" {
  count = var.queue ? 1 : 0

  alarm_name          = "${var.name}-queue-age"
  alarm_description   = "The oldest SMS in the queue has waited for 15 minutes: no agent takes from it, or SNS refuses."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateAgeOfOldestMessage"
  dimensions          = { QueueName = "${var.name}-outbox" }
  statistic           = "Maximum"
  period              = 300
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 900
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = local.tags
}

resource "aws_cloudwatch_metric_alarm" "dead_letters" {
  count = var.queue ? 1 : 0

  alarm_name          = "${var.name}-dead-letters"
  alarm_description   = "An SMS is in the dead-letter queue: it was taken 20 times and never settled, or cannot be read."
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  dimensions          = { QueueName = "${var.name}-outbox-dead" }
  statistic           = "Maximum"
  period              = 300
  comparison_operator = "GreaterThanOrEqualToThreshold"
  threshold           = 1
  evaluation_periods  = 1
  treat_missing_data  = "notBreaching"
  alarm_actions       = [aws_sns_topic.alarms.arn]
  tags                = local.tags
}

check "spend_alarm_before_the_limit" {
  assert {
    condition     = length(var.spend_alarm_percents) == 0 || anytrue([for percent in var.spend_alarm_percents : percent < 100])
    error_message = "No spend alarm comes before the limit: at 100 % SNS already drops messages. Add a lower percentage to spend_alarm_percents."
  }
}
