output "user_names" {
  description = "The user of each region."
  value       = [module.america.user_name, module.europe.user_name]
}

output "alarm_topic_arns" {
  description = "The alarm topic of each region: alarms can publish only to a topic of their own region."
  value       = [module.america.alarm_topic_arn, module.europe.alarm_topic_arn]
}
