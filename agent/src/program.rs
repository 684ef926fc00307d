//! What the program does with its command line, from its settings to its end.
//!
//! Whoever reads standard output and standard error, or does not, never holds it up.

use std::io::Write;
use std::time::Duration;

use sms_config::{Lines, Loaded, Sources, Telemetry};

use crate::cli::{Arguments, Command};
use crate::signals::Signals;
use crate::{app, defects};

/// What the log holds where `RUST_LOG` says nothing. Where there is no instance metadata service, the SDK prints what it met
/// as it looked for one; the error that follows says what is missing.
const LOG: &str = "info,aws_config::imds=error,aws_config::meta=error";

/// How long the last spans may take to reach their collector.
const FLUSH: Duration = Duration::from_secs(3);

/// How long the end waits for a standard error that does not take the last lines.
const LAST_LINES: Duration = Duration::from_secs(1);

type Ended = Result<(), Box<dyn std::error::Error>>;

/// Does what it is asked, and says on standard error why it could not.
///
/// # Errors
/// What it said.
pub fn run(arguments: &Arguments) -> Ended {
    let stderr = Lines::to("standard error", std::io::stderr())?;
    defects::tell_places_only(&stderr);
    let ended = with_settings(arguments, &stderr);
    if let Err(error) = &ended {
        stderr.put(format!("sms-agent: {error}\n").as_bytes());
    }
    stderr.flush(LAST_LINES);
    ended
}

fn with_settings(arguments: &Arguments, stderr: &Lines) -> Ended {
    let given = arguments.given();
    let loaded = Loaded::load(&Sources::from_process(given.config, given.set))?;
    // Not a line of the log, which may be told to say less.
    if let Some(file) = &loaded.file {
        stderr.put(format!("sms-agent: settings file {}\n", file.display()).as_bytes());
    }
    if let Some(target) = arguments.command.as_ref().and_then(Command::target) {
        return Ok(std::io::stdout().write_all(app::back_up(&loaded.settings, target)?.as_bytes())?);
    }
    if arguments.checks() {
        loaded.near_misses.iter().for_each(|miss| stderr.put(format!("sms-agent: {miss}\n").as_bytes()));
        std::io::stdout().write_all(loaded.listing().as_bytes())?;
    }
    let telemetry = Telemetry::start_on("sms-agent", LOG, stderr)?;
    if !arguments.checks() {
        loaded.near_misses.iter().for_each(|miss| tracing::warn!("{miss}"));
    }
    let stdout = Lines::to("standard output", std::io::stdout())?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        if arguments.checks() {
            return Ok(app::check(&loaded.settings).await?);
        }
        let announce = |address| stdout.put(format!("sms-agent listening on {address}\n").as_bytes());
        Signals::listen()?.run(|stop| app::run(&loaded.settings, stop, announce)).await??;
        telemetry.shutdown(FLUSH).await;
        Ok(())
    });
    // What still blocks a thread, as an fsync on a dying disk may, is not waited for.
    runtime.shutdown_background();
    ended
}
