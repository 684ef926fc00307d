//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand};

/// A sidecar on localhost that sends SMS through Amazon SNS.
///
/// Without a command it serves until SIGTERM or SIGINT. It runs on the embedded simulator unless the settings say
/// `agent.carrier = "sns"`.
#[derive(Debug, Parser)]
#[command(name = "sms-agent", version)]
pub struct Arguments {
    /// Settings file; else $SMS_CONFIG, ./sms.toml, /etc/sms/sms.toml, the first that exists
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// Sets one key, over file and environment; repeatable
    #[arg(long, global = true, value_name = "KEY=VALUE")]
    pub set: Vec<String>,
    /// What to do
    #[command(subcommand)]
    pub command: Option<Command>,
}

/// What to do instead of serving.
#[derive(Clone, Copy, Debug, Subcommand)]
pub enum Command {
    /// Prints the effective settings and where each comes from, secrets left out
    Check,
}
