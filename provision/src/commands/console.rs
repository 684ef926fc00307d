//! The person, or the program, at the other end: what is said to them, and what they are asked.

use std::io::{BufRead, IsTerminal, Write};

use sms_config::foreign::printable;

use crate::render::Paint;

/// Where output goes.
#[derive(Debug)]
pub struct Console {
    terminal_in: bool,
    paint: Paint,
}

impl Console {
    /// That of this process.
    pub fn of_process() -> Self {
        let plain = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
        Self { terminal_in: std::io::stdin().is_terminal(), paint: Paint(!plain && std::io::stdout().is_terminal()) }
    }

    /// Whether to colour what is said.
    pub fn paint(&self) -> Paint {
        self.paint
    }

    /// The answer itself, on standard output.
    ///
    /// # Errors
    /// That nobody takes it.
    pub fn say(&self, text: &str) -> std::io::Result<()> {
        std::io::stdout().write_all(printable(text).as_bytes())
    }

    /// What goes on meanwhile, a line on standard error.
    pub fn remark(&self, line: &str) {
        // With no standard error there is nobody to tell.
        drop(writeln!(std::io::stderr(), "{}", printable(line)));
    }

    /// Asks for a yes on standard error. `None`: there is nobody to ask.
    pub fn ask(&self, question: &str) -> Option<bool> {
        if !self.terminal_in {
            return None;
        }
        let mut answer = String::new();
        drop(write!(std::io::stderr(), "{question} Only yes is a yes: "));
        std::io::stdin().lock().read_line(&mut answer).ok()?;
        Some(answer.trim() == "yes")
    }
}
