output "alarm_topic_arn" {
  description = "ARN of the topic that all alarms publish to, for subscribers other than e-mail."
  value       = aws_sns_topic.alarms.arn
}

output "alarm_names" {
  description = "Names of the alarms, sorted."
  value = sort(concat(
    [for alarm in aws_cloudwatch_metric_alarm.spend : alarm.alarm_name],
    [aws_cloudwatch_metric_alarm.failures.alarm_name],
    aws_cloudwatch_metric_alarm.quota_exhausted[*].alarm_name,
    aws_cloudwatch_metric_alarm.queue_age[*].alarm_name,
    aws_cloudwatch_metric_alarm.dead_letters[*].alarm_name,
  ))
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = aws_cloudwatch_dashboard.this.dashboard_name
}
