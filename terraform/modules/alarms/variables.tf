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

variable "delivery_status_logging" {
  description = "Whether SNS logs what became of each message: the role, the log groups, the metric filters and the quota alarm. Where manage_sms_preferences is false, the role is made and whoever manages the attributes has to name it there."
  type        = bool
  default     = true
  nullable    = false
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
