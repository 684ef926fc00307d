//! The command line.

mod ask;
mod keys;
mod verify;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};

pub use ask::{
    AboutOptOuts, AboutSandbox, AddNumber, Check, Export, Exported, Listing, OneNumber, OptIn, OptOuts, Policy,
    Sandbox, Status, VerifyNumber, Whose,
};
pub use keys::{Keys, KeysCommand, List, Revoke, Rotate};
pub use verify::Verify;

/// Sets up an AWS account for sending SMS through Amazon SNS: least-privilege sender, SMS attributes, delivery-status
/// logging, alarms, dashboard. It plans before it acts, and converges.
#[derive(Debug, Parser)]
#[command(name = "sms-provision", version, arg_required_else_help = true)]
pub struct Arguments {
    #[command(flatten)]
    before: Given,
    /// What to do
    #[command(subcommand)]
    pub command: Command,
}

/// Where settings come from and which accounts are meant. It may be said before and after the command. An argument that
/// clap calls global would be read in both places too, but what came before is lost once there is one after.
#[derive(Clone, Debug, Default, Args)]
pub struct Given {
    /// Settings file; else $SMS_CONFIG, ./sms.toml, /etc/sms/sms.toml, the first that exists
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets one key, over file and environment; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// Works on the target of that name
    #[arg(long, value_name = "NAME")]
    pub target: Option<String>,
    /// Works on all targets, side by side
    #[arg(long, conflicts_with = "target")]
    pub all: bool,
    /// How many targets at once, with --all [default: 8]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=64))]
    pub parallel: Option<u16>,
}

impl Given {
    fn and(mut self, after: &Self) -> Self {
        self.config = after.config.clone().or(self.config);
        self.set.extend_from_slice(&after.set);
        self.target = after.target.clone().or(self.target);
        self.all |= after.all;
        self.parallel = after.parallel.or(self.parallel);
        self
    }
}

/// The commands.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Shows what apply would do; only reads
    Plan(Plan),
    /// Makes the account what the settings say
    Apply(Apply),
    /// Removes what is ours and puts the SMS attributes back
    Destroy(Destroy),
    /// Shows the account as it is: sandbox, spend, opt-outs, keys, drift; exit 1 where it is not what the settings say,
    /// or a permission to ask is missing
    Status(Status),
    /// Says whether an SMS to a number would arrive; exit 1 where something speaks against it,
    /// its opt-out cannot be told, or a permission to ask is missing
    Check(Check),
    /// The SMS sandbox and its numbers
    Sandbox(Sandbox),
    /// Who has opted out
    OptOuts(OptOuts),
    /// Prints a policy document; needs no credentials where account.account_id and the region are set
    Policy(Policy),
    /// Prints the same account for Terraform, which takes it over
    Export(Export),
    /// Proves that the sender may send SMS and nothing else
    Verify(Verify),
    /// The sender's access keys
    Keys(Keys),
}

/// `plan`.
#[derive(Clone, Debug, Args)]
pub struct Plan {
    #[command(flatten)]
    given: Given,
    /// For programs
    #[arg(long)]
    pub json: bool,
    /// Exit 2 where changes are pending
    #[arg(long)]
    pub detailed_exitcode: bool,
    /// Takes over what carries our names and is not ours
    #[arg(long)]
    pub adopt: bool,
}

/// `apply`.
#[derive(Clone, Debug, Args)]
pub struct Apply {
    #[command(flatten)]
    given: Given,
    /// Does not ask
    #[arg(long)]
    pub yes: bool,
    /// For programs
    #[arg(long)]
    pub json: bool,
    /// Takes over what carries our names and is not ours
    #[arg(long)]
    pub adopt: bool,
}

/// `destroy`.
#[derive(Clone, Debug, Args)]
pub struct Destroy {
    #[command(flatten)]
    given: Given,
    /// Does not ask
    #[arg(long)]
    pub yes: bool,
    /// For programs
    #[arg(long)]
    pub json: bool,
    /// Also deletes log groups that hold records
    #[arg(long)]
    pub delete_logs: bool,
}

impl Arguments {
    /// What was given in all places, in the order of the command line: the last one counts.
    pub fn given(&self) -> Given {
        let after = match &self.command {
            Command::Plan(plan) => vec![&plan.given],
            Command::Apply(apply) => vec![&apply.given],
            Command::Destroy(destroy) => vec![&destroy.given],
            Command::Status(status) => vec![&status.given],
            Command::Check(check) => vec![&check.given],
            Command::Sandbox(sandbox) => sandbox.given().to_vec(),
            Command::OptOuts(opt_outs) => opt_outs.given().to_vec(),
            Command::Policy(policy) => vec![&policy.given],
            Command::Export(export) => vec![&export.given],
            Command::Verify(verify) => vec![&verify.given],
            Command::Keys(keys) => vec![keys.given()],
        };
        after.into_iter().fold(self.before.clone(), Given::and)
    }
}

/// A usage error in words. What somebody typed, which clap quotes, may be a number in the wrong place: its digits are not
/// shown.
pub fn told(error: &clap::Error) -> String {
    error.render().to_string().split_inclusive('\n').map(masked).collect()
}

fn masked(line: &str) -> String {
    let (Some(first), Some(last)) = (line.find('\''), line.rfind('\'')) else { return line.to_owned() };
    let hidden =
        |(place, one): (usize, char)| if (first..last).contains(&place) && one.is_ascii_digit() { '•' } else { one };
    line.char_indices().map(hidden).collect()
}
