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
