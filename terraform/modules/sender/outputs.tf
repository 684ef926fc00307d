output "sender_policy_arn" {
  description = "ARN of the policy that lets its holder send SMS and read what became of them."
  value       = aws_iam_policy.sender.arn
}

output "sender_policy_json" {
  description = "The document of that policy, canonical JSON."
  value       = aws_iam_policy.sender.policy
}

output "user_name" {
  description = "Name of the sender's user; null without create_user."
  value       = one(aws_iam_user.sender[*].name)
}

output "user_arn" {
  description = "ARN of the sender's user; null without create_user."
  value       = one(aws_iam_user.sender[*].arn)
}

output "access_key_id" {
  description = "Id of the user's access key; null without create_access_key."
  value       = one(aws_iam_access_key.sender[*].id)
}

output "secret_access_key" {
  description = "Secret of the user's access key; null without create_access_key. It is in the state as well."
  value       = one(aws_iam_access_key.sender[*].secret)
  sensitive   = true
}

output "workload_role_arn" {
  description = "ARN of the role for keyless senders; null without workload_role."
  value       = one(aws_iam_role.workload[*].arn)
}

output "workload_instance_profile_name" {
  description = "Name of the instance profile that hands that role to EC2 instances; null unless workload_role names the service ec2."
  value       = one(aws_iam_instance_profile.workload[*].name)
}
