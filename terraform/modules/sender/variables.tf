variable "name" {
  description = "Prefix of every name, and the value of the tag sms:stack that says whose a resource is. Two stacks in one account and region need two names. Changing it makes everything anew."
  type        = string
  default     = "sms"
  nullable    = false

  validation {
    condition     = can(regex("^[a-z][a-z0-9-]{0,29}$", var.name))
    error_message = "name must be 1 to 30 lower-case letters, digits or hyphens, a letter first."
  }
}

variable "place" {
  description = "Where the stack is: the account's 12 digits, the partition (aws, aws-cn, aws-us-gov, …) and the region. With it the module reads none of them, and keeps none of them in the state; it must match the provider. Null reads them when the stack is made and keeps them. In Terraform only."
  type = object({
    account   = string
    partition = string
    region    = string
  })
  default = null

  validation {
    condition     = var.place == null || try(can(regex("^[0-9]{12}$", var.place.account)) && can(regex("^aws[a-z-]*$", var.place.partition)) && can(regex("^[a-z]+(-[a-z]+)+-[0-9]+$", var.place.region)), false)
    error_message = "place must be an object of account (12 digits, as text in quotes), partition (such as aws) and region (such as us-east-1)."
  }
}

variable "path" {
  description = "IAM path of user, policy and roles."
  type        = string
  default     = "/sms/"
  nullable    = false

  validation {
    condition     = can(regex("^/([A-Za-z0-9_+=,.@-]+/)*$", var.path)) && length(var.path) <= 512
    error_message = "path must be an IAM path, beginning and ending with a slash."
  }
}

variable "permissions_boundary_arn" {
  description = "The permissions boundary of the user and the roles. Null is none."
  type        = string
  default     = null

  validation {
    condition     = var.permissions_boundary_arn == null || (can(regex("^arn:aws[a-z-]*:iam::([0-9]{12}|aws):policy/[A-Za-z0-9_+=,.@/-]+$", var.permissions_boundary_arn)) && length(coalesce(var.permissions_boundary_arn, "-")) <= 2048)
    error_message = "permissions_boundary_arn must be the ARN of a policy, arn:aws:iam::<account>:policy/<name>."
  }
}

variable "create_user" {
  description = "Whether there is an IAM user for the sender. False where all senders have roles: workload_role, sender_role_names."
  type        = bool
  default     = true
  nullable    = false
}

variable "create_access_key" {
  description = "Whether that user gets an access key. Its secret then stands in the Terraform state, readable by whoever reads the state; sms-provision writes it to a credentials file instead, and a role needs none."
  type        = bool
  default     = false
  nullable    = false
}

variable "sender_role_names" {
  description = "Existing roles that get the sender policy attached too. Their trust policies are left as they are."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for role in var.sender_role_names : can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", role))]) && length(distinct(var.sender_role_names)) == length(var.sender_role_names)
    error_message = "sender_role_names must be a list without repeats, each the name of a role (not its ARN or path), 1 to 64 letters, digits or any of +=,.@_-."
  }
}

variable "sender_roles" {
  description = "The same as sender_role_names, for roles whose names are known only after apply, such as those with a name_prefix: a map from keys of your choice, known at plan, to names. A role may be in one of the two only. In Terraform only."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for role in values(var.sender_roles) : can(regex("^[A-Za-z0-9_+=,.@-]{1,64}$", role))]) && length(distinct(values(var.sender_roles))) == length(var.sender_roles)
    error_message = "sender_roles must be a map without repeats, each value the name of a role (not its ARN or path), 1 to 64 letters, digits or any of +=,.@_-."
  }
}

variable "workload_role" {
  description = "A role for senders that should have no long-lived key, with the sender policy attached, and who may assume it: services of this account (\"ec2\", \"ecs-tasks\"), a Kubernetes service account by IRSA or by EKS Pod Identity, GitHub Actions jobs by their OIDC subjects (repo:OWNER/REPOSITORY:…). Several may be named together. Null is no role. In Terraform only: sms-provision has no such key."
  type = object({
    services = optional(set(string), [])
    irsa = optional(object({
      oidc_provider_arn = string
      namespace         = string
      service_account   = string
    }))
    pod_identity = optional(object({
      cluster_arn     = string
      namespace       = string
      service_account = string
    }))
    github = optional(object({
      oidc_provider_arn = string
      subjects          = set(string)
    }))
  })
  default = null

  validation {
    condition     = var.workload_role == null || try(length(var.workload_role.services) > 0 || var.workload_role.irsa != null || var.workload_role.pod_identity != null || var.workload_role.github != null, false)
    error_message = "workload_role must name at least one of services, irsa, pod_identity and github: a role that nobody may assume is of no use."
  }

  validation {
    condition     = try(alltrue([for service in var.workload_role.services : contains(["ec2", "ecs-tasks"], service)]), true)
    error_message = "workload_role.services must be any of \"ec2\" and \"ecs-tasks\"."
  }

  validation {
    condition     = alltrue([for arn in [try(var.workload_role.irsa.oidc_provider_arn, null), try(var.workload_role.github.oidc_provider_arn, null)] : can(regex("^arn:aws[a-z-]*:iam::[0-9]{12}:oidc-provider/[A-Za-z0-9.-]+(/[A-Za-z0-9._/-]+)?$", arn)) if arn != null])
    error_message = "workload_role: each oidc_provider_arn must be the ARN of an IAM OIDC provider, arn:aws:iam::<account>:oidc-provider/<issuer without https://>."
  }

  validation {
    condition     = try(var.workload_role.pod_identity.cluster_arn, null) == null || can(regex("^arn:aws[a-z-]*:eks:[a-z0-9-]+:[0-9]{12}:cluster/[A-Za-z0-9_-]+$", var.workload_role.pod_identity.cluster_arn))
    error_message = "workload_role.pod_identity.cluster_arn must be the ARN of an EKS cluster, arn:aws:eks:<region>:<account>:cluster/<name>."
  }

  validation {
    condition     = alltrue([for name in [try(var.workload_role.irsa.namespace, null), try(var.workload_role.irsa.service_account, null), try(var.workload_role.pod_identity.namespace, null), try(var.workload_role.pod_identity.service_account, null)] : can(regex("^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$", name)) if name != null])
    error_message = "workload_role: namespace and service_account must be names of Kubernetes objects, without wildcards."
  }

  validation {
    condition     = try(length(var.workload_role.github.subjects) > 0 && alltrue([for subject in var.workload_role.github.subjects : can(regex("^repo:[A-Za-z0-9_.@-]+/[A-Za-z0-9_.@-]+:.+$", subject))]), true)
    error_message = "workload_role.github.subjects must be one or more of the form repo:OWNER/REPOSITORY:ref:refs/heads/main or repo:OWNER/REPOSITORY:environment:NAME; owner and repository may hold no wildcard, or strangers could send."
  }
}

variable "delivery_status_logging" {
  description = "Whether SNS logs what became of each message: the role, the log groups, the metric filters and the quota alarm. Where manage_sms_preferences is false, the role is made and whoever manages the attributes has to name it there."
  type        = bool
  default     = true
  nullable    = false
}

variable "queue" {
  description = "Whether there are an SQS queue for the outbox and its dead-letter queue, with their alarms and the sender's permissions on them."
  type        = bool
  default     = false
  nullable    = false
}

variable "tags" {
  description = "Tags on everything that takes tags, beside sms:stack and managed-by."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = length(var.tags) <= 40 && length(distinct([for key in keys(var.tags) : lower(key)])) == length(var.tags) && alltrue([for key, value in var.tags : can(regex("^[\\pL\\pN _.:/=+@-]{1,128}$", key)) && can(regex("^[\\pL\\pN _.:/=+@-]{0,256}$", value)) && !can(regex("^(aws:|sms:|managed-by$)", lower(key)))])
    error_message = "tags must be a table of at most 40 tags: keys of 1 to 128 and values of at most 256 letters, digits, spaces or any of _.:/=+-@, all of them text; no key that begins with aws: or sms: or is managed-by, or differs from another only in case."
  }
}
