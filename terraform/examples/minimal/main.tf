# Everything as it is by default: a user without a key, the SMS attributes with delivery logging, alarms that nobody is
# subscribed to yet.

provider "aws" {
  region = "us-east-1"
}

module "sms" {
  source = "../.."
}
