output "user_name" {
  description = "The user that sends: give it a key by sms-provision keys rotate, or create_access_key."
  value       = module.sms.user_name
}

output "alarm_topic_arn" {
  description = "Subscribe to it what should hear the alarms."
  value       = module.sms.alarm_topic_arn
}
