variable "role_names" {
  description = "Names of the roles, which exist."
  type        = list(string)
  default     = ["billing-app"]
  nullable    = false
}
