//! `keys`: the sender's access keys.

use std::time::Duration;

use clap::{Args, Subcommand};

use super::Given;

/// `keys`.
#[derive(Clone, Debug, Args)]
pub struct Keys {
    #[command(subcommand)]
    pub(crate) command: KeysCommand,
}

/// What to do with them.
#[derive(Clone, Debug, Subcommand)]
pub enum KeysCommand {
    /// Shows them: which are active, when they were used, which is in the credentials file
    List(List),
    /// Puts a new key in the place of the one that there is
    Rotate(Rotate),
    /// Deletes one at once
    Revoke(Revoke),
}

/// `keys list`.
#[derive(Clone, Debug, Args)]
pub struct List {
    #[command(flatten)]
    given: Given,
    /// For programs
    #[arg(long)]
    pub json: bool,
}

/// `keys rotate`.
#[derive(Clone, Debug, Args)]
pub struct Rotate {
    #[command(flatten)]
    given: Given,
    /// How long the old key still works, counted from when the new one was made; the command waits
    #[arg(long, value_name = "DURATION", default_value = "0s", value_parser = grace)]
    pub grace: Duration,
}

/// The longest grace, 30 days: the command waits for its end.
const LONGEST: Duration = Duration::from_secs(30 * 86_400);

fn grace(text: &str) -> Result<Duration, String> {
    let grace = humantime::parse_duration(text).map_err(|error| error.to_string())?;
    if grace > LONGEST { Err("30days at most; the command waits for its end".to_owned()) } else { Ok(grace) }
}

/// `keys revoke`.
#[derive(Clone, Debug, Args)]
pub struct Revoke {
    #[command(flatten)]
    given: Given,
    /// Does not ask
    #[arg(long)]
    pub yes: bool,
    /// As keys list shows it
    #[arg(value_name = "KEY_ID")]
    pub key: String,
}

impl Keys {
    pub(super) fn given(&self) -> &Given {
        match &self.command {
            KeysCommand::List(list) => &list.given,
            KeysCommand::Rotate(rotate) => &rotate.given,
            KeysCommand::Revoke(revoke) => &revoke.given,
        }
    }
}
