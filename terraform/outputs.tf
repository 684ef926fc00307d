output "place" {
  description = "Where the stack is: account, partition and region."
  value       = module.place.place
}

output "sender_policy_arn" {
  description = "ARN of the policy that lets its holder send SMS and read what became of them."
  value       = module.sender.sender_policy_arn
}

output "sender_policy_json" {
  description = "The document of that policy, canonical JSON."
  value       = module.sender.sender_policy_json
}

output "user_name" {
  description = "Name of the sender's user; null without create_user."
  value       = module.sender.user_name
}

output "user_arn" {
  description = "ARN of the sender's user; null without create_user."
  value       = module.sender.user_arn
}

output "access_key_id" {
  description = "Id of the user's access key; null without create_access_key."
  value       = module.sender.access_key_id
}

output "secret_access_key" {
  description = "Secret of the user's access key; null without create_access_key. It is in the state as well."
  value       = module.sender.secret_access_key
  sensitive   = true
}

output "workload_role_arn" {
  description = "ARN of the role for keyless senders; null without workload_role."
  value       = module.sender.workload_role_arn
}

output "workload_instance_profile_name" {
  description = "Name of the instance profile that hands that role to EC2 instances; null unless workload_role names the service ec2."
  value       = module.sender.workload_instance_profile_name
}

output "delivery_status_role_arn" {
  description = "ARN of the role with which SNS writes the delivery log; null without delivery_status_logging."
  value       = module.sms.delivery_status_role_arn
}

output "delivery_log_group_names" {
  description = "Names of the two log groups that SNS writes to, by \"success\" and \"failure\"; null without delivery_status_logging."
  value       = module.sms.delivery_log_group_names
}

output "log_groups_to_import" {
  description = "Those of existing_log_group_names that the stack takes over, as name by key, for the for_each of an import block; empty without delivery_status_logging or create_delivery_log_groups."
  value       = module.sms.log_groups_to_import
}

output "failure_metrics" {
  description = "The metrics that count failures by their class, as namespace and name; empty without delivery_status_logging."
  value       = module.sms.failure_metrics
}

output "alarm_topic_arn" {
  description = "ARN of the topic that all alarms publish to, for subscribers other than e-mail."
  value       = module.alarms.alarm_topic_arn
}

output "alarm_names" {
  description = "Names of the alarms, sorted."
  value       = module.alarms.alarm_names
}

output "dashboard_name" {
  description = "Name of the dashboard."
  value       = module.alarms.dashboard_name
}

output "queue_url" {
  description = "URL of the queue, for agent.queue_url; null without queue."
  value       = one(module.queue[*].queue_url)
}

output "queue_arn" {
  description = "ARN of the queue; null without queue."
  value       = one(module.queue[*].queue_arn)
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue; null without queue."
  value       = one(module.queue[*].dead_letter_queue_url)
}

output "dead_letter_queue_arn" {
  description = "ARN of the dead-letter queue; null without queue."
  value       = one(module.queue[*].dead_letter_queue_arn)
}

output "agent_environment" {
  description = "Variables that let sms-agent send from this account and region; the credentials are the machine's own: a role, or the access key."
  value = merge(
    {
      SMS_AGENT__CARRIER = "sns"
      SMS_AWS__REGION    = module.place.place.region
    },
    var.queue ? { SMS_AGENT__QUEUE = "sqs", SMS_AGENT__QUEUE_URL = module.queue[0].queue_url } : {},
  )
}
