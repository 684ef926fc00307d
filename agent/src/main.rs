//! The program: parses its arguments and hands them on.

use std::process::ExitCode;

use clap::Parser;
use sms_agent::cli::Arguments;
use sms_agent::program;

/// Fewer instructions and pages a message than the system's own.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(arguments) => ExitCode::from(u8::from(program::run(&arguments).is_err())),
        // Clap's own status for a usage error, 2, means something else here.
        Err(told) => ExitCode::from(u8::from(told.print().is_err() || told.use_stderr())),
    }
}
