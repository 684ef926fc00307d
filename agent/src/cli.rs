//! The command line.

use std::path::{Path, PathBuf};

use clap::{Args, Parser, Subcommand};

const LOG: &str = "The log goes to standard error. RUST_LOG sets its level: warn, info (the default), debug, \
    sms_agent=debug,info. NO_COLOR=1 or TERM=dumb turn its colors off.";

/// A sidecar on localhost that sends SMS through Amazon SNS.
///
/// Without a command it serves until SIGTERM or SIGINT. It runs on the embedded simulator unless the settings say
/// `agent.carrier = "sns"`.
#[derive(Debug, Parser)]
#[command(name = "sms-agent", version, after_help = LOG)]
pub struct Arguments {
    #[command(flatten)]
    before: Given,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// Where settings come from, as the command line has it. It may say so before and after the command. An argument that
/// clap calls global would be read in both places too, but what came before is lost once there is one after.
#[derive(Clone, Debug, Default, Args)]
pub struct Given {
    /// Settings file; else $SMS_CONFIG, ./sms.toml, /etc/sms/sms.toml, the first that exists
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets one key, over file and environment; repeatable
    #[arg(long, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
}

/// What to do instead of serving.
#[derive(Clone, Debug, Subcommand)]
pub enum Command {
    /// Prints the effective settings and where each comes from, secrets left out
    Check(Given),
    /// Writes a consistent copy of the outbox to a new file, whether or not the agent runs
    Backup {
        /// The copy; it must not exist
        file: PathBuf,
        /// Where its settings come from
        #[command(flatten)]
        given: Given,
    },
}

impl Command {
    /// The file that a backup is to be written to.
    pub fn target(&self) -> Option<&Path> {
        match self {
            Self::Check(_) => None,
            Self::Backup { file, .. } => Some(file),
        }
    }
}

impl Arguments {
    /// Whether the settings are to be checked, and nothing is to be served.
    pub fn checks(&self) -> bool {
        matches!(self.command, Some(Command::Check(_)))
    }

    /// What was given in both places, in the order of the command line: the last one counts.
    pub fn given(&self) -> Given {
        let mut all = self.before.clone();
        if let Some(Command::Check(after) | Command::Backup { given: after, .. }) = &self.command {
            all.config = after.config.clone().or(all.config);
            all.set.extend_from_slice(&after.set);
        }
        all
    }
}
