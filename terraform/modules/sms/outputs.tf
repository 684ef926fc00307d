output "delivery_status_role_arn" {
  description = "ARN of the role with which SNS writes the delivery log; null without delivery_status_logging."
  value       = one(aws_iam_role.delivery_status[*].arn)
}

output "delivery_log_group_names" {
  description = "Names of the two log groups that SNS writes to, by \"success\" and \"failure\"; null without delivery_status_logging."
  value       = var.delivery_status_logging ? local.log_groups : null
}

output "failure_metrics" {
  description = "The metrics that count failures by their class, as namespace and name; empty without delivery_status_logging."
  value       = { for class, filter in aws_cloudwatch_log_metric_filter.failure : class => { namespace = filter.metric_transformation[0].namespace, name = filter.metric_transformation[0].name } }
}
