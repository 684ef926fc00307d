//! A peer's process: what it prints flows out line by line; it ends when its standard input does.
//!
//! The input is a pipe that this process holds, so that the operating system closes it however the test ends.

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::thread;
use std::time::Duration;

use super::venv::python;

/// Longer than any peer takes on a busy machine; only a broken one waits so long.
const PATIENCE: Duration = Duration::from_secs(60);

/// A running Python program.
pub(crate) struct Peer {
    name: &'static str,
    child: Child,
    output: Arc<Output>,
}

#[derive(Default)]
struct Output {
    printed: Mutex<Printed>,
    more: Condvar,
}

#[derive(Default)]
struct Printed {
    lines: Vec<String>,
    ended: bool,
}

impl Peer {
    /// Starts a program given as source, in the virtual environment.
    ///
    /// It must end when its standard input ends; its standard error joins the test's.
    pub(crate) fn start(name: &'static str, source: &str) -> Self {
        Self::start_in(python(), name, source, &[])
    }

    /// The same in another virtual environment, with arguments.
    pub(crate) fn start_in(python: &Path, name: &'static str, source: &str, arguments: &[&str]) -> Self {
        let mut child = Command::new(python)
            .args(["-u", "-c", source])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("the Python of the virtual environment starts");
        let output = Arc::<Output>::default();
        let stdout = child.stdout.take().expect("standard output is piped");
        let reader = Arc::clone(&output);
        thread::spawn(move || reader.follow(stdout));
        Self { name, child, output }
    }

    /// All that it printed so far.
    pub(crate) fn lines(&self) -> Vec<String> {
        self.output.printed.lock().unwrap().lines.clone()
    }

    /// The first line that matches, once it is printed.
    ///
    /// # Panics
    /// If the program ends or a minute passes first.
    pub(crate) fn await_line(&self, what: &str, matches: impl Fn(&str) -> bool) -> String {
        let find = |printed: &Printed| printed.lines.iter().find(|line| matches(line)).cloned();
        let printed = self.output.printed.lock().unwrap();
        let (printed, _) = self
            .output
            .more
            .wait_timeout_while(printed, PATIENCE, |printed| !printed.ended && find(printed).is_none())
            .unwrap();
        find(&printed).unwrap_or_else(|| {
            let how = if printed.ended { "ended" } else { "waited a minute" };
            panic!("{} {how} without {what}; it printed:\n{}", self.name, printed.lines.join("\n"))
        })
    }
}

impl Drop for Peer {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ended = self.child.wait();
    }
}

impl Output {
    fn follow(&self, stdout: ChildStdout) {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            self.printed.lock().unwrap().lines.push(line);
            self.more.notify_all();
        }
        self.printed.lock().unwrap().ended = true;
        self.more.notify_all();
    }
}
