output "place" {
  description = "Where the stack is: account, partition and region."
  value = var.place != null ? var.place : {
    account   = terraform_data.place[0].input.account
    partition = terraform_data.place[0].input.partition
    region    = terraform_data.place[0].input.region
  }

  precondition {
    condition     = length(local.clashes) == 0
    error_message = "Some tags differ from the default_tags of the provider only in upper and lower case, which IAM refuses: ${join(", ", local.clashes)}. Write the keys the same way in both places, or remove one of them."
  }
}
