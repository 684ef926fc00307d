output "queue_url" {
  description = "URL of the queue, for agent.queue_url."
  value       = aws_sqs_queue.outbox.url
}

output "queue_arn" {
  description = "ARN of the queue."
  value       = aws_sqs_queue.outbox.arn
}

output "dead_letter_queue_url" {
  description = "URL of the dead-letter queue."
  value       = aws_sqs_queue.outbox_dead.url
}

output "dead_letter_queue_arn" {
  description = "ARN of the dead-letter queue."
  value       = aws_sqs_queue.outbox_dead.arn
}
