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
