# Where the stack is: account, partition and region. They are read once for all modules and then kept in the state.
#
# With depends_on on the module call, Terraform defers all reads of the module whenever the other module changes. Names and
# ARNs that came straight from data sources would be unknown then, and everything would be replaced.

data "aws_caller_identity" "current" {
  count = var.place == null || var.account_id != null ? 1 : 0

  lifecycle {
    postcondition {
      condition     = var.account_id == null || self.account_id == var.account_id
      error_message = "The credentials are those of account ${self.account_id}, which is not the one that account_id names: nothing is changed. Use the credentials of the right account, or correct account_id."
    }
  }
}

data "aws_partition" "current" {
  count = var.place == null ? 1 : 0
}

data "aws_region" "current" {
  count = var.place == null ? 1 : 0
}

# It calls nothing: the provider knows them.
data "aws_default_tags" "current" {}

locals {
  # IAM compares the keys of tags without regard to case.
  keys         = concat(keys(var.tags), ["managed-by", "sms:stack"])
  default_keys = keys(data.aws_default_tags.current.tags)
  clashes = flatten([for key in local.keys : [
    for default in local.default_keys : "${key} (default_tags: ${default})" if key != default && lower(key) == lower(default)
  ]])
}

resource "terraform_data" "place" {
  count = var.place == null ? 1 : 0

  input = {
    account   = data.aws_caller_identity.current[0].account_id
    partition = data.aws_partition.current[0].partition
    region    = data.aws_region.current[0].name
  }

  lifecycle {
    # A deferred read must not change it; the postcondition tells a stack that really is somewhere else.
    ignore_changes = [input]

    postcondition {
      condition     = self.input.account == data.aws_caller_identity.current[0].account_id && self.input.region == data.aws_region.current[0].name
      error_message = "This stack is in account ${self.input.account}, region ${self.input.region}, but the provider now points to account ${data.aws_caller_identity.current[0].account_id}, region ${data.aws_region.current[0].name}: nothing is changed. Correct the provider. To move the stack, destroy it with the old provider first, or call the module a second time for the new place. To leave the old resources behind, run terraform apply -replace='module.sms.module.place.terraform_data.place[0]' (terraform state list shows the exact address)."
    }
  }
}
