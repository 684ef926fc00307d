# SMS attributes, spend, sandbox and opt-outs are per region, and so is the module: one call a region, with a provider
# of its own. The name may be the same, since what all regions share carries the region in its name.

provider "aws" {
  alias  = "america"
  region = "us-east-1"
}

provider "aws" {
  alias  = "europe"
  region = "eu-west-1"
}

module "america" {
  source    = "../.."
  providers = { aws = aws.america }

  monthly_spend_limit_usd = 100
}

module "europe" {
  source    = "../.."
  providers = { aws = aws.europe }

  monthly_spend_limit_usd = 50
  default_sender_id       = "SHOP"
}
