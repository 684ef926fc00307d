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

variable "account_id" {
  description = "The only account that may be touched: with the credentials of another one, the plan fails before anything is changed. Null is any account."
  type        = string
  default     = null

  validation {
    condition     = var.account_id == null || can(regex("^[0-9]{12}$", var.account_id))
    error_message = "account_id must be the 12 digits of an account id, as text in quotes."
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

variable "manage_sms_preferences" {
  description = "Whether the SMS attributes, one set for the whole account and region, are managed. DANGER in an account that sends already: the provider can neither import them nor look before it writes, so the first apply puts monthly_spend_limit_usd and the rest over what is there; and a destroy, or a later change to false, blanks all six attributes, also those that were never set here. The README says how to keep them."
  type        = bool
  default     = true
  nullable    = false
}

variable "default_sms_type" {
  description = "The type that SNS gives to a message that names none."
  type        = string
  default     = "Transactional"
  nullable    = false

  validation {
    condition     = contains(["Transactional", "Promotional"], var.default_sms_type)
    error_message = "default_sms_type must be \"Transactional\" or \"Promotional\"."
  }
}

variable "default_sender_id" {
  description = "The sender that SNS shows where a country allows it and a message names none. Null is not written; one that somebody else has set shows up as a change."
  type        = string
  default     = null

  validation {
    condition     = var.default_sender_id == null || (can(regex("^[A-Za-z0-9]{1,11}$", var.default_sender_id)) && can(regex("[A-Za-z]", var.default_sender_id)))
    error_message = "default_sender_id must be 1 to 11 letters and digits, at least one of them a letter."
  }
}

variable "monthly_spend_limit_usd" {
  description = "Whole US dollars a month, after which SNS sends no more. AWS refuses more than its own quota for the account, which is 1 at first. The spend alarms are percentages of it, also where manage_sms_preferences is false."
  type        = number
  default     = 1
  nullable    = false

  validation {
    condition     = var.monthly_spend_limit_usd >= 1 && var.monthly_spend_limit_usd <= 1000000 && floor(var.monthly_spend_limit_usd) == var.monthly_spend_limit_usd
    error_message = "monthly_spend_limit_usd must be a whole number, 1 to 1000000."
  }
}

variable "usage_report_bucket" {
  description = "The bucket to which SNS writes its daily usage report: in the same region, with a policy that lets SNS write, list and locate it. Null is not written; one that somebody else has set shows up as a change."
  type        = string
  default     = null

  validation {
    condition     = var.usage_report_bucket == null || can(regex("^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$", var.usage_report_bucket))
    error_message = "usage_report_bucket must be the name of a bucket, 3 to 63 lower-case letters, digits, dots or hyphens."
  }
}

variable "delivery_status_logging" {
  description = "Whether SNS logs what became of each message: the role, the log groups, the metric filters and the quota alarm. Where manage_sms_preferences is false, the role is made and whoever manages the attributes has to name it there."
  type        = bool
  default     = true
  nullable    = false
}

variable "delivery_status_sampling_percent" {
  description = "The percentage of successes that is logged; 0 logs failures only. Failures are always logged."
  type        = number
  default     = 100
  nullable    = false

  validation {
    condition     = var.delivery_status_sampling_percent >= 0 && var.delivery_status_sampling_percent <= 100 && floor(var.delivery_status_sampling_percent) == var.delivery_status_sampling_percent
    error_message = "delivery_status_sampling_percent must be a whole number, 0 to 100."
  }
}

variable "create_delivery_log_groups" {
  description = "Whether this stack makes the two log groups before SNS does, and sets their retention. Groups that exist already are taken over by an import block (see the README). Set it to false where another stack of the same region has them: with false they must exist, since the metric filters are put on one of them."
  type        = bool
  default     = true
  nullable    = false
}

variable "keep_delivery_logs" {
  description = "Whether the two log groups stay, with their records, when the stack is destroyed or delivery_status_logging turns false. With false they are deleted; apply that before the destroy. In Terraform only."
  type        = bool
  default     = true
  nullable    = false
}

variable "existing_log_group_names" {
  description = "Names of log groups that exist in the region, whether or not they have to do with SMS, as the data source aws_cloudwatch_log_groups lists them. The output log_groups_to_import picks those that an import block should take over. In Terraform only."
  type        = set(string)
  default     = []
  nullable    = false
}

variable "delivery_log_retention_days" {
  description = "Days for which delivery logs are kept. They hold phone numbers."
  type        = number
  default     = 30
  nullable    = false

  validation {
    condition     = contains([1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653], var.delivery_log_retention_days)
    error_message = "delivery_log_retention_days must be one of 1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653."
  }
}

variable "alarm_emails" {
  description = "Who is told of alarms. AWS asks each to confirm; until then a subscription is pending, and Terraform cannot delete it."
  type        = list(string)
  default     = []
  nullable    = false

  validation {
    condition     = alltrue([for email in var.alarm_emails : can(regex("^[^@\\s\\pZ\\p{Cc}<>,;\"]+@[\\pL\\pN-]+(\\.[\\pL\\pN-]+)+$", email)) && length(email) <= 254]) && length(distinct(var.alarm_emails)) == length(var.alarm_emails)
    error_message = "alarm_emails must be a list without repeats, each an e-mail address."
  }
}

variable "alarm_subscribers" {
  description = "The same as alarm_emails, for addresses that are known only after apply or are sensitive: a map from keys of your choice, known at plan, to addresses. An address may be in one of the two only. In Terraform only."
  type        = map(string)
  default     = {}
  nullable    = false

  validation {
    condition     = alltrue([for email in values(var.alarm_subscribers) : can(regex("^[^@\\s\\pZ\\p{Cc}<>,;\"]+@[\\pL\\pN-]+(\\.[\\pL\\pN-]+)+$", email)) && length(email) <= 254]) && length(distinct(values(var.alarm_subscribers))) == length(var.alarm_subscribers)
    error_message = "alarm_subscribers must be a map without repeats, each value an e-mail address."
  }
}

variable "spend_alarm_percents" {
  description = "One alarm at each of these percentages of the monthly limit."
  type        = list(number)
  default     = [80, 100]
  nullable    = false

  validation {
    condition     = alltrue([for percent in var.spend_alarm_percents : percent >= 1 && percent <= 100 && floor(percent) == percent]) && length(distinct(var.spend_alarm_percents)) == length(var.spend_alarm_percents)
    error_message = "spend_alarm_percents must be a list without repeats, each a whole number, 1 to 100."
  }
}

variable "failure_alarm_percent" {
  description = "An alarm when this percentage of the messages of 15 minutes failed, once they are 20 or more."
  type        = number
  default     = 10
  nullable    = false

  validation {
    condition     = var.failure_alarm_percent >= 1 && var.failure_alarm_percent <= 100 && floor(var.failure_alarm_percent) == var.failure_alarm_percent
    error_message = "failure_alarm_percent must be a whole number, 1 to 100."
  }
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
