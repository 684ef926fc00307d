//! The real program as a process of its own, and the few words of HTTP that its tests speak.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use serde_json::Value;

/// Longer than anything here takes, so that a hang fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

/// How an agent is started.
pub(crate) struct Start {
    command: Command,
    folder: Option<tempfile::TempDir>,
    /// Nobody reads its standard error before its end.
    unread: bool,
}

/// An agent that serves. It is killed when dropped.
pub(crate) struct Agent {
    child: Child,
    /// The first TCP address; port 0 of it if there is none.
    pub(crate) address: SocketAddr,
    /// What it printed, line by line, until it served on all addresses.
    pub(crate) announced: Vec<String>,
    folder: Option<tempfile::TempDir>,
    log: JoinHandle<String>,
    /// While it is there, nobody reads standard error.
    unread: Option<mpsc::Sender<()>>,
}

/// An answer, read to its end.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) status: u16,
    head: String,
    pub(crate) body: String,
}

impl Start {
    /// The simulator on a free port, in an empty folder, with nothing of this process's environment.
    pub(crate) fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { folder: None, ..Self::in_folder(folder.path()) }.keeping(folder)
    }

    /// The same in a folder that an earlier agent left.
    pub(crate) fn in_folder(folder: &Path) -> Self {
        Self::through(Command::new(env!("CARGO_BIN_EXE_sms-agent")), folder)
    }

    /// The same, where a file that may not grow is an error of the write and not the end of the process.
    pub(crate) fn surviving_full_files(folder: &Path) -> Self {
        let mut shell = Command::new("/bin/sh");
        shell.args(["-c", r#"trap '' XFSZ; exec "$0" "$@""#, env!("CARGO_BIN_EXE_sms-agent")]);
        Self::through(shell, folder)
    }

    /// The same with these limits of open files, soft and hard.
    pub(crate) fn with_open_files(folder: &Path, limits: &str) -> Self {
        let mut prlimit = Command::new("prlimit");
        prlimit.args([&format!("--nofile={limits}"), env!("CARGO_BIN_EXE_sms-agent")]);
        Self::through(prlimit, folder)
    }

    fn through(mut command: Command, folder: &Path) -> Self {
        command.env_clear().current_dir(folder).env("SMS_AGENT__DATA_DIR", folder.join("data"));
        command.env("SMS_AGENT__LISTEN", "127.0.0.1:0");
        Self { command, folder: None, unread: false }
    }

    fn keeping(mut self, folder: tempfile::TempDir) -> Self {
        self.folder = Some(folder);
        self
    }

    pub(crate) fn env(mut self, name: &str, value: impl AsRef<std::ffi::OsStr>) -> Self {
        self.command.env(name, value);
        self
    }

    pub(crate) fn arg(mut self, argument: &str) -> Self {
        self.command.arg(argument);
        self
    }

    /// Leaves its standard error unread while it runs.
    pub(crate) fn unread(mut self) -> Self {
        self.unread = true;
        self
    }

    /// Runs it until it serves on its one address.
    pub(crate) fn serve(self) -> Agent {
        self.serve_on(1)
    }

    /// Runs it until it serves on so many addresses.
    pub(crate) fn serve_on(mut self, addresses: usize) -> Agent {
        let mut child = self.command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let mut errors = child.stderr.take().unwrap();
        let (hold, held) = mpsc::channel::<()>();
        let unread = self.unread.then_some(hold);
        let log = std::thread::spawn(move || {
            let mut log = String::new();
            // Ends once nobody holds the other end.
            assert!(held.recv().is_err());
            errors.read_to_string(&mut log).unwrap();
            log
        });
        let printed = lines(child.stdout.take().unwrap());
        let announced: Vec<_> = (0..addresses).map_while(|_| printed.recv_timeout(PATIENCE).ok()).collect();
        if announced.len() < addresses {
            child.kill().unwrap();
            panic!("the agent does not serve: {}", log.join().unwrap())
        }
        let address = announced.iter().find_map(|line| line.strip_prefix("sms-agent listening on http://"));
        let address = address.unwrap_or("127.0.0.1:0").parse().unwrap();
        Agent { child, address, announced, folder: self.folder, log, unread }
    }

    /// Runs it to its end.
    pub(crate) fn output(mut self) -> std::process::Output {
        self.command.output().unwrap()
    }
}

fn lines(stream: impl Read + Send + 'static) -> mpsc::Receiver<String> {
    let (send, receive) = mpsc::channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stream).lines().map_while(Result::ok) {
            if send.send(line).is_err() {
                return;
            }
        }
    });
    receive
}

impl Agent {
    pub(crate) fn data_dir(&self) -> PathBuf {
        self.folder.as_ref().unwrap().path().join("data")
    }

    pub(crate) fn get(&self, path: &str) -> Answer {
        self.request("GET", path, &[], "")
    }

    pub(crate) fn post(&self, path: &str, body: &str) -> Answer {
        self.request("POST", path, &[("Content-Type", "application/json")], body)
    }

    pub(crate) fn send(&self, to: &str) -> Answer {
        self.post("/v1/messages", &format!(r#"{{"to":"{to}","body":"Your code is 424242"}}"#))
    }

    pub(crate) fn request(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> Answer {
        self.raw(&Self::written(method, path, headers, body))
    }

    /// A request as it goes over the wire.
    pub(crate) fn written(method: &str, path: &str, headers: &[(&str, &str)], body: &str) -> String {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n");
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if !body.is_empty() {
            text.push_str(&format!("Content-Length: {}\r\n", body.len()));
        }
        format!("{text}\r\n{body}")
    }

    /// Writes what is given and reads one answer to the end of the connection.
    pub(crate) fn raw(&self, bytes: &str) -> Answer {
        let stream = TcpStream::connect(self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        Answer::to(stream, bytes)
    }

    /// The message once its status is one of these.
    pub(crate) fn wait_for(&self, id: &str, statuses: &[&str]) -> Value {
        let mut message = Value::Null;
        self.until(&format!("{id} is {statuses:?}"), |agent| {
            message = agent.get(&format!("/v1/messages/{id}")).json();
            statuses.contains(&message["status"].as_str().unwrap())
        });
        message
    }

    /// All messages of a list, page by page.
    pub(crate) fn pages(&self, path: &str) -> Vec<Value> {
        let (mut all, mut cursor) = (Vec::new(), String::new());
        loop {
            let page = self.get(&format!("{path}?limit=100{cursor}")).json();
            all.extend(page["messages"].as_array().unwrap().iter().cloned());
            match page["next_cursor"].as_str() {
                Some(next) => cursor = format!("&cursor={next}"),
                None => return all,
            }
        }
    }

    pub(crate) fn phone(&self) -> Vec<Value> {
        self.get("/v1/simulator/messages?limit=100").json()["messages"].as_array().unwrap().clone()
    }

    /// Asks until it is so.
    pub(crate) fn until(&self, what: &str, is_so: impl FnMut(&Self) -> bool) {
        self.within(PATIENCE, Duration::ZERO, what, is_so);
    }

    /// The same of what may take minutes, and of a peer that is slowed down by every question.
    pub(crate) fn at_leisure(&self, what: &str, is_so: impl FnMut(&Self) -> bool) {
        self.within(PATIENCE * 10, Duration::from_millis(250), what, is_so);
    }

    fn within(&self, patience: Duration, pause: Duration, what: &str, mut is_so: impl FnMut(&Self) -> bool) {
        let start = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap();
        while !is_so(self) {
            let waited = std::time::SystemTime::UNIX_EPOCH.elapsed().unwrap() - start;
            assert!(waited < patience, "waited in vain: {what}");
            std::thread::sleep(pause);
        }
    }

    /// The same agent, with the folder that it is in in its care.
    pub(crate) fn in_folder(mut self, folder: tempfile::TempDir) -> Self {
        self.folder = Some(folder);
        self
    }

    /// Asks it to stop, as an init system does.
    pub(crate) fn terminate(&self) {
        self.signal("TERM");
    }

    pub(crate) fn signal(&self, name: &str) {
        let done = Command::new("kill").args([&format!("-{name}"), &self.child.id().to_string()]).status().unwrap();
        assert!(done.success());
    }

    /// Lets no file of it grow beyond so many bytes (`unlimited`), as if the disk had no more.
    pub(crate) fn limit_files(&self, bytes: &str) {
        let pid = self.child.id().to_string();
        let limit = format!("--fsize={bytes}:unlimited");
        let done = Command::new("prlimit").args(["--pid", &pid, &limit]).status().unwrap();
        assert!(done.success());
    }

    /// Ends it without asking, at once; all that it wrote to standard error. The folder is somebody else's.
    pub(crate) fn cut_off(mut self) -> String {
        self.child.kill().unwrap();
        self.wait().1
    }

    /// Stops it in order, and returns its log to the last line: a kill may lose some that were queued.
    pub(crate) fn whole_log(self) -> String {
        self.terminate();
        self.wait().1
    }

    pub(crate) fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Ends it without asking; the folder stays.
    pub(crate) fn kill(mut self) -> tempfile::TempDir {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        self.folder.take().unwrap()
    }

    /// Its end, and all that it wrote to standard error.
    pub(crate) fn wait(mut self) -> (ExitStatus, String, Option<tempfile::TempDir>) {
        let status = self.child.wait().unwrap();
        drop(self.unread.take());
        let log = std::mem::replace(&mut self.log, std::thread::spawn(String::new));
        (status, log.join().unwrap(), self.folder.take())
    }
}

/// With a capital, or a name in code, and a full stop.
fn is_sentence(words: &str) -> bool {
    words.starts_with(|first: char| first.is_uppercase() || first == '`') && words.ends_with('.')
}

impl Drop for Agent {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

impl Answer {
    /// The one answer to what is written to that connection.
    pub(crate) fn to(mut connection: impl Read + Write, bytes: &str) -> Self {
        connection.write_all(bytes.as_bytes()).unwrap();
        let mut answer = Vec::new();
        connection.read_to_end(&mut answer).unwrap();
        Self::read(&answer)
    }

    /// The answer that these bytes are, all of them.
    pub(crate) fn read(bytes: &[u8]) -> Self {
        let text = String::from_utf8_lossy(bytes);
        let (head, body) = text.split_once("\r\n\r\n").unwrap_or_else(|| panic!("no answer: {text}"));
        let status = head.split(' ').nth(1).unwrap().parse().unwrap();
        Self { status, head: head.to_owned(), body: body.to_owned() }
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.head
            .lines()
            .skip(1)
            .filter_map(|line| line.split_once(':'))
            .find_map(|(other, value)| other.eq_ignore_ascii_case(name).then(|| value.trim()))
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|error| panic!("{error}: {self:?}"))
    }

    /// The code of a problem, after a look at all its members.
    pub(crate) fn problem(&self) -> String {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let problem = self.json();
        let code = problem["code"].as_str().unwrap().to_owned();
        assert_eq!(problem["type"], format!("urn:sms-agent:problem:{code}"));
        assert_eq!(problem["status"], self.status);
        for member in ["title", "detail", "hint"] {
            assert!(!problem[member].as_str().unwrap().is_empty(), "{problem}");
        }
        for member in ["detail", "hint"] {
            assert!(is_sentence(problem[member].as_str().unwrap()), "{problem}");
        }
        let retryable = matches!(self.status, 408 | 429 | 503);
        assert_eq!(problem["retryable"], retryable, "{problem}");
        assert_eq!(self.header("retry-after").is_some(), retryable, "{self:?}");
        code
    }
}
