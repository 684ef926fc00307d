# Where a stack is, and what is refused because it is not there. No account is needed.

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
  mock_data "aws_default_tags" {
    defaults = { tags = { CostCentre = "4711" } }
  }
}

mock_provider "aws" {
  alias = "elsewhere"
  mock_data "aws_caller_identity" {
    defaults = { account_id = "123456789012" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "eu-west-1" }
  }
}

mock_provider "aws" {
  alias = "other_account"
  mock_data "aws_caller_identity" {
    defaults = { account_id = "210987654321" }
  }
  mock_data "aws_partition" {
    defaults = { partition = "aws" }
  }
  mock_data "aws_region" {
    defaults = { name = "us-east-1" }
  }
}

run "the_place_is_read_and_kept" {
  module {
    source = "./modules/place"
  }
  variables {
    account_id = "123456789012"
  }
  assert {
    condition     = output.place == { account = "123456789012", partition = "aws", region = "us-east-1" }
    error_message = "The place is that of the provider."
  }
}

run "a_stack_that_is_somewhere_else_is_not_moved_by_the_way" {
  command = plan
  module {
    source = "./modules/place"
  }
  providers = {
    aws = aws.elsewhere
  }
  expect_failures = [terraform_data.place]
}

run "a_stack_is_not_made_again_in_another_account" {
  command = plan
  module {
    source = "./modules/place"
  }
  providers = {
    aws = aws.other_account
  }
  expect_failures = [terraform_data.place]
}

run "in_another_account_nothing_is_changed" {
  command = plan
  module {
    source = "./modules/place"
  }
  variables {
    account_id = "210987654321"
  }
  expect_failures = [data.aws_caller_identity.current]
}

run "in_another_account_nothing_is_changed_where_the_place_is_given_either" {
  command = plan
  module {
    source = "./modules/place"
  }
  variables {
    account_id = "210987654321"
    place      = { account = "210987654321", partition = "aws", region = "us-east-1" }
  }
  expect_failures = [data.aws_caller_identity.current]
}

run "a_place_that_is_given_is_not_read" {
  command = plan
  variables {
    place = { account = "210987654321", partition = "aws-us-gov", region = "us-gov-west-1" }
  }
  assert {
    condition     = output.place == var.place && output.user_name == "sms-sender-us-gov-west-1" && strcontains(output.sender_policy_json, "arn:aws-us-gov:sns:*:*:*")
    error_message = "Names and ARNs are those of the place that is given."
  }
}

run "a_place_has_the_form_of_one" {
  command = plan
  variables {
    place = { account = "210987654321", partition = "aws", region = "Frankfurt" }
  }
  expect_failures = [var.place]
}

run "tags_that_differ_from_default_tags_in_case_only_are_refused" {
  command = plan
  module {
    source = "./modules/place"
  }
  variables {
    tags = { costcentre = "1" }
  }
  expect_failures = [output.place]
}

run "tags_may_repeat_a_key_of_default_tags" {
  command = plan
  module {
    source = "./modules/place"
  }
  variables {
    tags = { CostCentre = "1" }
  }
}
