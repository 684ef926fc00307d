output "workload_role_arn" {
  description = "The task role of ECS, and the role-to-assume of GitHub Actions."
  value       = module.sms.workload_role_arn
}

output "workload_instance_profile_name" {
  description = "The instance profile of EC2."
  value       = module.sms.workload_instance_profile_name
}

output "agent_environment" {
  description = "What the agents are started with."
  value       = module.sms.agent_environment
}
