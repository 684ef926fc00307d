# The role of senders without a long-lived key, and who may assume it.

locals {
  services     = try(var.workload_role.services, [])
  irsa         = try(var.workload_role.irsa, null)
  pod_identity = try(var.workload_role.pod_identity, null)
  github       = try(var.workload_role.github, null)

  irsa_issuer   = try(split(":oidc-provider/", local.irsa.oidc_provider_arn)[1], "")
  github_issuer = try(split(":oidc-provider/", local.github.oidc_provider_arn)[1], "")

  trust = concat(
    [for service in local.services : {
      Sid       = "Ec2Instances"
      Effect    = "Allow"
      Principal = { Service = "ec2.amazonaws.com" }
      Action    = "sts:AssumeRole"
    } if service == "ec2"],
    # ECS tells for whom it asks; without the conditions a task of another account could have the role named to ECS.
    [for service in local.services : {
      Sid       = "EcsTasks"
      Effect    = "Allow"
      Principal = { Service = "ecs-tasks.amazonaws.com" }
      Action    = "sts:AssumeRole"
      Condition = {
        ArnLike      = { "aws:SourceArn" = "arn:${local.partition}:ecs:${local.region}:${local.account}:*" }
        StringEquals = { "aws:SourceAccount" = local.account }
      }
    } if service == "ecs-tasks"],
    [for irsa in [local.irsa] : {
      Sid       = "KubernetesServiceAccount"
      Effect    = "Allow"
      Principal = { Federated = irsa.oidc_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = { StringEquals = {
        "${local.irsa_issuer}:aud" = "sts.amazonaws.com"
        "${local.irsa_issuer}:sub" = "system:serviceaccount:${irsa.namespace}:${irsa.service_account}"
      } }
    } if irsa != null],
    [for pod in [local.pod_identity] : {
      Sid       = "EksPodIdentity"
      Effect    = "Allow"
      Principal = { Service = "pods.eks.amazonaws.com" }
      Action    = ["sts:AssumeRole", "sts:TagSession"]
      Condition = {
        ArnEquals = { "aws:SourceArn" = pod.cluster_arn }
        StringEquals = {
          "aws:RequestTag/kubernetes-namespace"       = pod.namespace
          "aws:RequestTag/kubernetes-service-account" = pod.service_account
          "aws:SourceAccount"                         = local.account
        }
      }
    } if pod != null],
    [for github in [local.github] : {
      Sid       = "GithubActions"
      Effect    = "Allow"
      Principal = { Federated = github.oidc_provider_arn }
      Action    = "sts:AssumeRoleWithWebIdentity"
      Condition = {
        StringEquals = { "${local.github_issuer}:aud" = "sts.amazonaws.com" }
        StringLike   = { "${local.github_issuer}:sub" = sort(github.subjects) }
      }
    } if github != null],
  )
}

resource "aws_iam_role" "workload" {
  count = var.workload_role == null ? 0 : 1

  name                 = "${var.name}-workload-${local.region}"
  path                 = var.path
  permissions_boundary = var.permissions_boundary_arn
  assume_role_policy   = jsonencode({ Version = "2012-10-17", Statement = local.trust })
  tags                 = local.tags
}

resource "aws_iam_role_policy_attachment" "workload" {
  count = var.workload_role == null ? 0 : 1

  role       = aws_iam_role.workload[0].name
  policy_arn = aws_iam_policy.sender.arn
}

resource "aws_iam_instance_profile" "workload" {
  count = contains(local.services, "ec2") ? 1 : 0

  name = aws_iam_role.workload[0].name
  path = var.path
  role = aws_iam_role.workload[0].name
  tags = local.tags
}
