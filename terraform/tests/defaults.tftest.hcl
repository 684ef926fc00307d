# What the defaults make, and what each switch adds or leaves out. No account is needed.

mock_provider "aws" {
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
  # The provider checks the form of an ARN that it is handed.
  mock_resource "aws_iam_policy" {
    defaults = { arn = "arn:aws:iam::123456789012:policy/sms/made" }
  }
  mock_resource "aws_iam_role" {
    defaults = { arn = "arn:aws:iam::123456789012:role/sms/made" }
  }
  mock_resource "aws_sns_topic" {
    defaults = { arn = "arn:aws:sns:us-east-1:123456789012:made" }
  }
  mock_resource "aws_sqs_queue" {
    defaults = { arn = "arn:aws:sqs:us-east-1:123456789012:made", url = "https://sqs.us-east-1.amazonaws.com/123456789012/made" }
  }
}

run "by_default_there_is_a_user_without_a_key_and_no_role_of_its_own" {
  assert {
    condition     = output.user_name == "sms-sender-us-east-1" && output.access_key_id == null && output.secret_access_key == null
    error_message = "The default is a user without a key."
  }
  assert {
    condition     = output.workload_role_arn == null && output.workload_instance_profile_name == null
    error_message = "Nobody asked for a role."
  }
}

run "by_default_there_are_delivery_logs_and_alarms_and_no_queue" {
  assert {
    condition     = output.delivery_log_group_names.failure == "sns/us-east-1/123456789012/DirectPublishToPhoneNumber/Failure"
    error_message = "SNS decides the names of the log groups."
  }
  assert {
    condition     = tolist(output.alarm_names) == tolist(["sms-failures", "sms-quota-exhausted", "sms-spend-100", "sms-spend-80"])
    error_message = "Those are the alarms of the defaults."
  }
  assert {
    condition     = output.queue_url == null && output.dead_letter_queue_arn == null
    error_message = "Nobody asked for a queue."
  }
  assert {
    condition     = output.agent_environment == { SMS_AGENT__CARRIER = "sns", SMS_AWS__REGION = "us-east-1" }
    error_message = "The agent needs the carrier and the region."
  }
}

run "by_default_the_sender_may_send_read_and_follow_and_nothing_else" {
  assert {
    condition     = jsondecode(output.sender_policy_json).Statement[*].Sid == ["SendSms", "NoTopicsOrEndpoints", "ReadSms", "SmsVoiceThroughSns", "ReadDeliveryStatus"]
    error_message = "Those are the statements of the sender without a queue."
  }
}

run "a_queue_brings_its_alarms_and_the_permission_to_use_it" {
  variables {
    queue = true
  }
  assert {
    condition     = contains(output.alarm_names, "sms-queue-age") && contains(output.alarm_names, "sms-dead-letters")
    error_message = "A queue is watched."
  }
  assert {
    condition     = jsondecode(output.sender_policy_json).Statement[5].Resource == "arn:aws:sqs:us-east-1:123456789012:sms-outbox"
    error_message = "The sender may use this queue and no other."
  }
  assert {
    condition     = output.agent_environment.SMS_AGENT__QUEUE == "sqs" && output.agent_environment.SMS_AGENT__QUEUE_URL == output.queue_url
    error_message = "The agent is told of the queue."
  }
}

run "without_delivery_logging_nothing_of_it_is_left" {
  variables {
    delivery_status_logging = false
  }
  assert {
    condition     = output.delivery_status_role_arn == null && output.delivery_log_group_names == null && length(output.failure_metrics) == 0
    error_message = "No role, no groups, no metrics."
  }
  assert {
    condition     = !contains(output.alarm_names, "sms-quota-exhausted") && !contains(jsondecode(output.sender_policy_json).Statement[*].Sid, "ReadDeliveryStatus")
    error_message = "No alarm on a metric that is not there, no right to read a log that is not there."
  }
}

run "a_key_is_made_only_where_it_is_asked_for_and_there_is_a_user" {
  variables {
    create_access_key = true
  }
  assert {
    condition     = output.access_key_id != null && output.secret_access_key != null
    error_message = "It was asked for."
  }
}

run "there_is_no_key_without_a_user" {
  variables {
    create_user       = false
    create_access_key = true
  }
  assert {
    condition     = output.user_name == null && output.user_arn == null && output.access_key_id == null
    error_message = "Nobody is there to have a key."
  }
}
