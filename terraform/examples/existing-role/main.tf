# Applications that have a role already get the right to send; there is no user and no key. The SMS attributes are
# somebody else's here, and stay as they are.

provider "aws" {
  region = "us-east-1"
}

module "sms" {
  source = "../.."

  create_user            = false
  sender_role_names      = var.role_names
  manage_sms_preferences = false
}
