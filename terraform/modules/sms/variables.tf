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
