//! The command line.

use clap::Parser;

/// Sets up an AWS account for sending SMS through Amazon SNS.
///
/// This build has no commands yet: it looks at nothing and changes nothing. The agent, sms-agent, sends without it,
/// through an account that was set up in another way.
#[derive(Debug, Parser)]
#[command(name = "sms-provision", version, arg_required_else_help = true)]
pub struct Arguments {}
