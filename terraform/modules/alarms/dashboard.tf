# What is seen at a glance. jsonencode writes <, > and & in another way than others do: none of them stands here.

locals {
  chart = { type = "metric", height = 6 }
  curve = { region = local.region, view = "timeSeries" }

  published = merge(local.chart, {
    x     = 0
    y     = 0
    width = 12
    properties = merge(local.curve, {
      title   = "Published"
      stat    = "Sum"
      period  = 300
      metrics = [[{ id = "published", expression = "SEARCH('{AWS/SNS,Country,SMSType} MetricName=\"NumberOfMessagesPublished\"', 'Sum', 300)" }]]
    })
  })

  outcome = merge(local.chart, {
    x     = 12
    y     = 0
    width = 12
    properties = merge(local.curve, {
      title  = "Delivered and failed"
      stat   = "Sum"
      period = 300
      metrics = [
        ["AWS/SNS", "NumberOfNotificationsDelivered", "PhoneNumber", "PhoneNumberDirect", { label = "Delivered" }],
        ["AWS/SNS", "NumberOfNotificationsFailed", "PhoneNumber", "PhoneNumberDirect", { label = "Failed" }],
      ]
    })
  })

  reasons = merge(local.chart, {
    x     = 0
    y     = 6
    width = 12
    properties = merge(local.curve, {
      title  = "Failed, by reason"
      stat   = "Sum"
      period = 300
      metrics = [
        ["SMS/${var.name}", "QuotaExhausted", { label = "No quota left" }],
        ["SMS/${var.name}", "BlockedAsSpam", { label = "Blocked as spam" }],
        ["SMS/${var.name}", "OptedOut", { label = "Opted out" }],
        ["SMS/${var.name}", "Unreachable", { label = "Unreachable" }],
        ["SMS/${var.name}", "PriceExceeded", { label = "Over max price" }],
      ]
    })
  })

  success = merge(local.chart, {
    x     = 12
    y     = 6
    width = 12
    properties = merge(local.curve, {
      title   = "Success rate by country"
      stat    = "Average"
      period  = 3600
      metrics = [[{ id = "success", expression = "SEARCH('{AWS/SNS,Country,SMSType} MetricName=\"SMSSuccessRate\"', 'Average', 3600)" }]]
    })
  })

  spend = merge(local.chart, {
    x     = 0
    y     = 12
    width = 24
    properties = merge(local.curve, {
      title       = "Spend of this month, USD"
      stat        = "Maximum"
      period      = 3600
      metrics     = [["AWS/SNS", "SMSMonthToDateSpentUSD", { label = "Spent" }]]
      annotations = { horizontal = [{ label = "Monthly limit", value = var.monthly_spend_limit_usd }] }
    })
  })
}

resource "aws_cloudwatch_dashboard" "this" {
  dashboard_name = "${var.name}-${local.region}"
  dashboard_body = jsonencode({
    widgets = concat(
      [local.published, local.outcome],
      [for widget in [local.reasons] : widget if var.delivery_status_logging],
      [local.success, local.spend],
    )
  })
}
