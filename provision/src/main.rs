//! The program: parses its arguments and says how that went.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sms_config::foreign::printable;
use sms_config::{Loaded, Sources, Telemetry};
use sms_provision::cli::{self, Arguments};
use sms_provision::commands::{self, Console, Verdict};

/// How long the last spans may take to reach their collector.
const FLUSH: Duration = Duration::from_secs(3);

/// What the SDK warns of, whoever runs a command is told in other words.
const LOG: &str = "error,sms_config=info,sms_provision=info";

fn main() -> ExitCode {
    let ended = match Arguments::try_parse() {
        Ok(arguments) => run(&arguments),
        // Clap's own status for a usage error, 2, is the answer «changes are pending» here.
        Err(told) if told.use_stderr() => {
            drop(write!(std::io::stderr(), "{}", cli::told(&told)));
            return ExitCode::FAILURE;
        }
        Err(told) => return ExitCode::from(u8::from(told.print().is_err())),
    };
    match ended {
        Ok(verdict) => ExitCode::from(verdict.status()),
        Err(error) => {
            // With no standard error there is nobody to tell.
            drop(writeln!(std::io::stderr(), "sms-provision: {}", printable(&error.to_string())));
            ExitCode::FAILURE
        }
    }
}

fn run(arguments: &Arguments) -> Result<Verdict, Box<dyn std::error::Error>> {
    let given = arguments.given();
    let sources = Sources::from_process(given.config.clone(), given.set.clone()).without_agent();
    let loaded = Loaded::load(&sources)?;
    let console = Console::of_process();
    if let Some(file) = &loaded.file {
        console.remark(&format!("sms-provision: settings file {}", file.display()));
    }
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let telemetry = Telemetry::start_with("sms-provision", LOG)?;
        loaded.near_misses.iter().for_each(|miss| tracing::warn!("{miss}"));
        let ended = commands::run(arguments, &loaded.settings, &console).await;
        telemetry.shutdown(FLUSH).await;
        Ok(ended?)
    })
}
