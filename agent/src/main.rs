//! The program: parses its arguments and calls the composition root.

use std::io::Write;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use sms_agent::cli::{Arguments, Command};
use sms_agent::signals::Signals;
use sms_agent::{app, defects};
use sms_config::{Loaded, Sources, Telemetry};

/// Fewer instructions and pages a message than the system's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What the log holds where `RUST_LOG` says nothing. Where there is no instance metadata service, the SDK prints what it met
/// as it looked for one; the error that follows says what is missing.
const LOG: &str = "info,aws_config::imds=error,aws_config::meta=error";

/// How long the last spans may take to reach their collector.
const FLUSH: Duration = Duration::from_secs(3);

fn main() -> ExitCode {
    defects::tell_places_only();
    let ended = match Arguments::try_parse() {
        Ok(arguments) => run(arguments),
        // Clap's own status for a usage error, 2, means something else here.
        Err(told) => return ExitCode::from(u8::from(told.print().is_err() || told.use_stderr())),
    };
    if let Err(error) = ended {
        // With no standard error there is nobody to tell.
        drop(writeln!(std::io::stderr(), "sms-agent: {error}"));
        return ExitCode::FAILURE;
    }
    ExitCode::SUCCESS
}

fn run(arguments: Arguments) -> Result<(), Box<dyn std::error::Error>> {
    let given = arguments.given();
    let loaded = Loaded::load(&Sources::from_process(given.config, given.set))?;
    // Not a line of the log, which may be told to say less.
    if let Some(file) = &loaded.file {
        drop(writeln!(std::io::stderr(), "sms-agent: settings file {}", file.display()));
    }
    if let Some(Command::Check(_)) = arguments.command {
        return Ok(std::io::stdout().write_all(loaded.listing().as_bytes())?);
    }
    let telemetry = Telemetry::start_with("sms-agent", LOG)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let ended = runtime.block_on(async {
        let announce = |address| drop(writeln!(std::io::stdout(), "sms-agent listening on {address}"));
        Signals::listen()?.run(|stop| app::run(&loaded.settings, stop, announce)).await??;
        telemetry.shutdown(FLUSH).await;
        Ok(())
    });
    // What still blocks a thread, as an fsync on a dying disk may, is not waited for.
    runtime.shutdown_background();
    ended
}
