//! The arguments of the commands that ask about the account and act on it beside `apply`.

use clap::{Args, Subcommand, ValueEnum};

use super::Given;

/// `status`.
#[derive(Clone, Debug, Args)]
pub struct Status {
    #[command(flatten)]
    pub(super) given: Given,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// `check`.
#[derive(Clone, Debug, Args)]
pub struct Check {
    #[command(flatten)]
    pub(super) given: Given,
    /// Whom the SMS would go to, in E.164: a plus sign and digits
    #[arg(value_name = "NUMBER")]
    pub number: String,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// A command about one number.
#[derive(Clone, Debug, Args)]
pub struct OneNumber {
    #[command(flatten)]
    pub(super) given: Given,
    /// In E.164: a plus sign and digits
    #[arg(value_name = "NUMBER")]
    pub number: String,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// A command that lists.
#[derive(Clone, Debug, Args)]
pub struct Listing {
    #[command(flatten)]
    pub(super) given: Given,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// `opt-outs`.
#[derive(Clone, Debug, Args)]
pub struct OptOuts {
    #[command(flatten)]
    pub(super) given: Given,
    /// What to do
    #[command(subcommand)]
    pub what: AboutOptOuts,
}

/// What `opt-outs` does.
#[derive(Clone, Debug, Subcommand)]
pub enum AboutOptOuts {
    /// Lists all numbers that have opted out, in full, since that is what they are asked for
    List(Listing),
    /// Says whether a number has opted out; exit 1 if it has
    Check(OneNumber),
    /// Opts a number in again, which its owner must have asked for; SNS takes it once in 30 days
    OptIn(OptIn),
}

/// `opt-outs opt-in`.
#[derive(Clone, Debug, Args)]
pub struct OptIn {
    #[command(flatten)]
    pub(super) given: Given,
    /// In E.164: a plus sign and digits
    #[arg(value_name = "NUMBER")]
    pub number: String,
    /// Does not ask
    #[arg(long)]
    pub yes: bool,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// `sandbox`.
#[derive(Clone, Debug, Args)]
pub struct Sandbox {
    #[command(flatten)]
    pub(super) given: Given,
    /// What to do
    #[command(subcommand)]
    pub what: AboutSandbox,
}

/// What `sandbox` does.
#[derive(Clone, Debug, Subcommand)]
pub enum AboutSandbox {
    /// Says whether the account is in the SMS sandbox, and lists the numbers that were added to it, in full
    Status(Listing),
    /// Has SNS send a code to a number; ten numbers at most
    Add(AddNumber),
    /// Gives back the code that the number got, after which SMS go to it
    Verify(VerifyNumber),
    /// Takes a number out, 24 hours after it was verified at the earliest
    Remove(OneNumber),
}

/// `sandbox add`.
#[derive(Clone, Debug, Args)]
pub struct AddNumber {
    #[command(flatten)]
    pub(super) given: Given,
    /// In E.164: a plus sign and digits
    #[arg(value_name = "NUMBER")]
    pub number: String,
    /// Of the message with the code [default: en-US]
    #[arg(long, value_name = "LANGUAGE", value_parser = LANGUAGES)]
    pub language: Option<String>,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// `sandbox verify`.
#[derive(Clone, Debug, Args)]
pub struct VerifyNumber {
    #[command(flatten)]
    pub(super) given: Given,
    /// In E.164: a plus sign and digits
    #[arg(value_name = "NUMBER")]
    pub number: String,
    /// The digits that it got
    #[arg(value_name = "CODE")]
    pub code: String,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// Those that SNS writes its codes in.
const LANGUAGES: [&str; 13] = [
    "de-DE", "en-GB", "en-US", "es-419", "es-ES", "fr-CA", "fr-FR", "it-IT", "ja-JP", "kr-KR", "pt-BR", "zh-CN",
    "zh-TW",
];

/// `policy`.
#[derive(Clone, Debug, Args)]
pub struct Policy {
    #[command(flatten)]
    pub(super) given: Given,
    /// Whose policy
    #[arg(value_name = "POLICY")]
    pub whose: Whose,
    /// Prints part N of a document that is too long for one policy; attach all parts. One that fits has one part
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub part: Option<u16>,
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

/// `export`.
#[derive(Clone, Debug, Args)]
pub struct Export {
    #[command(flatten)]
    pub(super) given: Given,
    /// What to print
    #[arg(value_name = "WHAT")]
    pub what: Exported,
    /// Where the module is called; empty if it is the root module
    #[arg(long, value_name = "ADDRESS", default_value = "module.sms")]
    pub module: String,
}

/// What can be exported.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub enum Exported {
    /// The settings as variables of the Terraform module; needs no credentials
    Tfvars,
    /// An import block for each resource that is there and ours
    ImportBlocks,
}

impl OptOuts {
    pub(super) fn given(&self) -> [&Given; 2] {
        let own = match &self.what {
            AboutOptOuts::List(list) => &list.given,
            AboutOptOuts::Check(check) => &check.given,
            AboutOptOuts::OptIn(opt_in) => &opt_in.given,
        };
        [&self.given, own]
    }
}

impl Sandbox {
    pub(super) fn given(&self) -> [&Given; 2] {
        let own = match &self.what {
            AboutSandbox::Status(status) => &status.given,
            AboutSandbox::Add(add) => &add.given,
            AboutSandbox::Verify(verify) => &verify.given,
            AboutSandbox::Remove(remove) => &remove.given,
        };
        [&self.given, own]
    }
}
