output "sender_policy_arn" {
  description = "The policy that the roles got."
  value       = module.sms.sender_policy_arn
}

output "delivery_status_role_arn" {
  description = "Whoever manages the SMS attributes names it as DeliveryStatusIAMRole."
  value       = module.sms.delivery_status_role_arn
}
