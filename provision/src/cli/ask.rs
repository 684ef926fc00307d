//! The arguments of the commands that ask about the account and act on it beside `apply`.

use clap::{Args, ValueEnum};

use super::Given;

/// `policy`.
#[derive(Clone, Debug, Args)]
pub struct Policy {
    #[command(flatten)]
    pub(super) given: Given,
    /// Whose policy
    #[arg(value_name = "POLICY")]
    pub whose: Whose,
}

/// The policies that can be printed.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Whose {
    /// The sender's: it sends SMS to phone numbers, reads what became of them, and nothing else
    Sender,
    /// Of whoever runs this program: exactly what its commands call
    Operator,
    /// Of the role with which SNS writes delivery status
    DeliveryStatus,
}
