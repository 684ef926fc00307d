# Who may assume the role for keyless senders, and what is refused because strangers might.

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
}

run "ec2_gets_an_instance_profile" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    workload_role = { services = ["ec2"] }
  }
  assert {
    condition     = jsondecode(aws_iam_role.workload[0].assume_role_policy).Statement == [{ Sid = "Ec2Instances", Effect = "Allow", Principal = { Service = "ec2.amazonaws.com" }, Action = "sts:AssumeRole" }]
    error_message = "EC2 may assume it."
  }
  assert {
    condition     = aws_iam_instance_profile.workload[0].name == "sms-workload-us-east-1"
    error_message = "An instance takes a profile."
  }
}

run "ecs_may_assume_it_for_tasks_of_this_account_and_region_only" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    workload_role = { services = ["ecs-tasks"] }
  }
  assert {
    condition = jsondecode(aws_iam_role.workload[0].assume_role_policy).Statement[0].Condition == {
      ArnLike      = { "aws:SourceArn" = "arn:aws:ecs:us-east-1:123456789012:*" }
      StringEquals = { "aws:SourceAccount" = "123456789012" }
    }
    error_message = "A task of another account may not."
  }
  assert {
    condition     = length(aws_iam_instance_profile.workload) == 0
    error_message = "A task takes no profile."
  }
}

run "irsa_is_for_one_service_account" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    workload_role = {
      irsa = {
        oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF"
        namespace         = "shop"
        service_account   = "sms-agent"
      }
    }
  }
  assert {
    condition = jsondecode(aws_iam_role.workload[0].assume_role_policy).Statement[0].Condition == { StringEquals = {
      "oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF:aud" = "sts.amazonaws.com"
      "oidc.eks.us-east-1.amazonaws.com/id/0123456789ABCDEF:sub" = "system:serviceaccount:shop:sms-agent"
    } }
    error_message = "No other service account of the cluster may assume it."
  }
}

run "pod_identity_is_for_one_service_account_of_one_cluster" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    workload_role = {
      pod_identity = {
        cluster_arn     = "arn:aws:eks:us-east-1:123456789012:cluster/shop"
        namespace       = "shop"
        service_account = "sms-agent"
      }
    }
  }
  assert {
    condition     = jsondecode(aws_iam_role.workload[0].assume_role_policy).Statement[0].Action == ["sts:AssumeRole", "sts:TagSession"]
    error_message = "EKS tags the sessions of pods."
  }
  assert {
    condition = jsondecode(aws_iam_role.workload[0].assume_role_policy).Statement[0].Condition == {
      ArnEquals = { "aws:SourceArn" = "arn:aws:eks:us-east-1:123456789012:cluster/shop" }
      StringEquals = {
        "aws:RequestTag/kubernetes-namespace"       = "shop"
        "aws:RequestTag/kubernetes-service-account" = "sms-agent"
        "aws:SourceAccount"                         = "123456789012"
      }
    }
    error_message = "No other pod of the cluster may assume it."
  }
}

run "github_is_for_its_subjects_and_several_ways_go_together" {
  command = plan
  module {
    source = "./modules/sender"
  }
  variables {
    workload_role = {
      services = ["ecs-tasks", "ec2"]
      github = {
        oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com"
        subjects          = ["repo:example/shop:ref:refs/heads/main", "repo:example/shop:environment:production"]
      }
    }
  }
  assert {
    condition     = jsondecode(aws_iam_role.workload[0].assume_role_policy).Statement[*].Sid == ["Ec2Instances", "EcsTasks", "GithubActions"]
    error_message = "Each way has a statement."
  }
  assert {
    condition = jsondecode(aws_iam_role.workload[0].assume_role_policy).Statement[2].Condition == {
      StringEquals = { "token.actions.githubusercontent.com:aud" = "sts.amazonaws.com" }
      StringLike   = { "token.actions.githubusercontent.com:sub" = ["repo:example/shop:environment:production", "repo:example/shop:ref:refs/heads/main"] }
    }
    error_message = "Jobs of no other repository may assume it."
  }
}

run "nobody_is_refused" {
  command = plan
  variables {
    workload_role = {}
  }
  expect_failures = [var.workload_role]
}

run "no_service_is_refused" {
  command = plan
  variables {
    workload_role = { services = [] }
  }
  expect_failures = [var.workload_role]
}

run "another_service_is_refused" {
  command = plan
  variables {
    workload_role = { services = ["lambda"] }
  }
  expect_failures = [var.workload_role]
}

run "a_provider_that_is_none_is_refused" {
  command = plan
  variables {
    workload_role = { irsa = { oidc_provider_arn = "arn:aws:iam::123456789012:role/x", namespace = "shop", service_account = "sms-agent" } }
  }
  expect_failures = [var.workload_role]
}

run "any_namespace_is_refused" {
  command = plan
  variables {
    workload_role = { irsa = { oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/oidc.example.com", namespace = "*", service_account = "sms-agent" } }
  }
  expect_failures = [var.workload_role]
}

run "any_service_account_is_refused" {
  command = plan
  variables {
    workload_role = { pod_identity = { cluster_arn = "arn:aws:eks:us-east-1:123456789012:cluster/shop", namespace = "shop", service_account = "*" } }
  }
  expect_failures = [var.workload_role]
}

run "any_cluster_is_refused" {
  command = plan
  variables {
    workload_role = { pod_identity = { cluster_arn = "arn:aws:eks:us-east-1:123456789012:cluster/*", namespace = "shop", service_account = "sms-agent" } }
  }
  expect_failures = [var.workload_role]
}

run "any_repository_is_refused" {
  command = plan
  variables {
    workload_role = { github = { oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", subjects = ["repo:example/*:ref:refs/heads/main"] } }
  }
  expect_failures = [var.workload_role]
}

run "anybody_at_github_is_refused" {
  command = plan
  variables {
    workload_role = { github = { oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", subjects = ["*"] } }
  }
  expect_failures = [var.workload_role]
}

run "a_repository_without_a_rest_is_refused" {
  command = plan
  variables {
    workload_role = { github = { oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", subjects = ["repo:example/shop"] } }
  }
  expect_failures = [var.workload_role]
}

run "no_subject_is_refused" {
  command = plan
  variables {
    workload_role = { github = { oidc_provider_arn = "arn:aws:iam::123456789012:oidc-provider/token.actions.githubusercontent.com", subjects = [] } }
  }
  expect_failures = [var.workload_role]
}
