//! The program: parses its arguments and says how that went.

use std::process::ExitCode;

use clap::Parser;
use sms_provision::cli::Arguments;

fn main() -> ExitCode {
    match Arguments::try_parse() {
        Ok(Arguments {}) => ExitCode::SUCCESS,
        // Clap's own status for a usage error, 2, is the answer «changes are pending» here.
        Err(told) => ExitCode::from(u8::from(told.print().is_err() || told.use_stderr())),
    }
}
