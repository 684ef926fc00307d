//! `verify`: whether the sender may do what it should, and no more.

use clap::Args;

use super::Given;

/// `verify`.
#[derive(Clone, Debug, Args)]
pub struct Verify {
    #[command(flatten)]
    pub(super) given: Given,
    /// For programs
    #[arg(long)]
    pub json: bool,
    /// Also sends one real SMS with the key of the credentials file
    #[arg(long, requires = "to")]
    pub live: bool,
    /// Where that SMS goes, in E.164: + and digits
    #[arg(long, value_name = "NUMBER", requires = "live")]
    pub to: Option<String>,
    /// Does not ask before it sends
    #[arg(long, requires = "live")]
    pub yes: bool,
}
