output "delivery_status_role_arn" {
  description = "ARN of the role with which SNS writes the delivery log; null without delivery_status_logging."
  value       = one(aws_iam_role.delivery_status[*].arn)
}

output "delivery_log_group_names" {
  description = "Names of the two log groups that SNS writes to, by \"success\" and \"failure\"; null without delivery_status_logging."
  value       = var.delivery_status_logging ? local.log_groups : null
}

# From variables alone: an import block needs it at plan, also where the place is known only after apply.
output "log_groups_to_import" {
  description = "Those of existing_log_group_names that the stack takes over, as name by key, for the for_each of an import block; empty without delivery_status_logging or create_delivery_log_groups."
  value = {
    for name in var.existing_log_group_names : endswith(name, "/Failure") ? "failure" : "success" => name
    if var.delivery_status_logging && var.create_delivery_log_groups && can(regex("^sns/[a-z0-9-]+/[0-9]{12}/DirectPublishToPhoneNumber(/Failure)?$", name))
  }
}

output "failure_metrics" {
  description = "The metrics that count failures by their class, as namespace and name; empty without delivery_status_logging."
  value       = { for class, filter in aws_cloudwatch_log_metric_filter.failure : class => { namespace = filter.metric_transformation[0].namespace, name = filter.metric_transformation[0].name } }
}
