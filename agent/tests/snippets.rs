//! The snippets of `docs/snippets`, each run as its reader would run it, against an agent on the simulator that asks for
//! its token, as it does with SNS.
//!
//! A language that is not on the machine is named on standard error; `.ci/run` sees to it that all are there.

#![allow(clippy::expect_used, clippy::unwrap_used, reason = "all of this is test code, outside of test functions too")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;

use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};

/// Quotes, an accent, an emoji, a line break: what breaks a JSON string that was put together by hand.
const TEXT: &str = "Your \"table\"\nis ready \\ déjà 🎉";

#[test]
fn the_node_snippet_sends_once_and_tells_what_is_wrong() {
    runs("node", &["--version"], &["node/send.mjs"]);
}

#[test]
fn the_python_snippet_sends_once_and_tells_what_is_wrong() {
    runs("python3", &["--version"], &["python/send.py"]);
}

#[test]
fn the_go_snippet_sends_once_and_tells_what_is_wrong() {
    runs("go", &["version"], &["run", "go/send.go"]);
}

#[test]
fn the_php_snippet_sends_once_and_tells_what_is_wrong() {
    runs("php", &["--version"], &["php/send.php"]);
}

#[test]
fn the_java_snippet_sends_once_and_tells_what_is_wrong() {
    runs("java", &["--version"], &["java/Send.java"]);
}

#[test]
fn the_next_js_routes_send_and_pass_on_what_is_wrong() {
    if !is_here("node", &["--version"]) {
        return;
    }
    let agent = Agent::start("next");
    let routes = ["../../tests/next_routes.mjs"];
    let output = run(&agent, "node", &routes, &["works", TEXT]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert_eq!(agent.texts(), [TEXT, TEXT], "one through each router");

    std::fs::write(agent.data_dir.join("another"), "a token that the agent does not know").unwrap();
    let (nowhere, another) = ("http://127.0.0.1:1", agent.data_dir.join("another"));
    for (url, token_file) in [(nowhere, agent.token_file()), (&agent.address, another), (nowhere, "nothing".into())] {
        let output = with(url, &token_file, "node", &routes, &["unavailable"]);
        let log = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && log.contains("SMS not sent"), "the cause is in the server's log: {log}");
    }
}

fn runs(program: &str, probe: &[&str], snippet: &[&str]) {
    if !is_here(program, probe) {
        return;
    }
    let agent = Agent::start(program);
    for _ in 0..2 {
        let sent = run(&agent, program, snippet, &["+12065550100", TEXT, "table-17-ready"]);
        assert!(sent.status.success(), "{}", String::from_utf8_lossy(&sent.stderr));
        assert!(String::from_utf8_lossy(&sent.stdout).contains("sent"));
    }
    assert_eq!(agent.texts(), [TEXT], "the same key sends once");

    let good = ["+12065550100", TEXT, "table-18-ready"];
    let nowhere = "http://127.0.0.1:1";
    tells(&run(&agent, program, snippet, &["12065550100", TEXT, "table-18-ready"]), "invalid_phone_number");
    for few in [&good[..0], &good[..1], &good[..2]] {
        tells(&run(&agent, program, snippet, few), "usage: ");
    }
    tells(
        &with(nowhere, &agent.token_file(), program, snippet, &good),
        &format!("cannot reach the SMS agent at {nowhere}"),
    );
    tells(&with(&agent.address, Path::new("no-such-file"), program, snippet, &good), "no-such-file");
    assert_eq!(agent.texts(), [TEXT], "none of these sent anything");
}

/// In one line, without a trace of the language's own.
fn tells(output: &Output, what: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    // `go run` adds the exit status.
    let lines = told.lines().filter(|line| !line.starts_with("exit status ")).count();
    assert!(output.status.code() == Some(1) && told.contains(what) && lines == 1, "not «{what}» but: {told}");
}

fn run(agent: &Agent, program: &str, snippet: &[&str], arguments: &[&str]) -> Output {
    with(&agent.address, &agent.token_file(), program, snippet, arguments)
}

fn with(url: &str, token_file: &Path, program: &str, snippet: &[&str], arguments: &[&str]) -> Output {
    Command::new(program)
        .args(snippet)
        .args(arguments)
        .current_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/snippets"))
        .env("SMS_AGENT_URL", url)
        .env("SMS_AGENT_TOKEN_FILE", token_file)
        .output()
        .unwrap()
}

/// Whether the language is there; said past the test's capture of output, since a passing test shows none.
fn is_here(program: &str, probe: &[&str]) -> bool {
    let found = Command::new(program).args(probe).output().is_ok_and(|output| output.status.success());
    if !found {
        std::io::stderr()
            .write_all(format!("{program} is not on this machine: its snippet was not run\n").as_bytes())
            .unwrap();
    }
    found
}

/// An agent on the simulator, with a data folder of its own; it ends when this is dropped.
struct Agent {
    process: Child,
    address: String,
    data_dir: PathBuf,
}

impl Agent {
    fn start(name: &str) -> Self {
        let data_dir = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("snippets-{name}-{}", std::process::id()));
        let mut process = Command::new(env!("CARGO_BIN_EXE_sms-agent"))
            .env("SMS_AGENT__LISTEN", "127.0.0.1:0")
            .env("SMS_AGENT__DATA_DIR", &data_dir)
            .env("SMS_AGENT__AUTH", "token")
            .env("SMS_SIMULATOR__DELIVERY_DELAY", "1h") // so that a repetition finds its message as it was sent
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(process.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let address =
            line.trim().strip_prefix("sms-agent listening on ").expect("the agent tells its address").to_owned();
        Self { process, address, data_dir }
    }

    /// Made by the agent on its first start.
    fn token_file(&self) -> PathBuf {
        self.data_dir.join("token")
    }

    /// What the phones received, newest first.
    fn texts(&self) -> Vec<String> {
        let token = std::fs::read_to_string(self.token_file()).unwrap();
        let authorization = format!("Bearer {}", token.trim());
        let headers = [("Authorization", authorization.as_str())];
        let received = peers::get_with(&self.address, "/v1/simulator/messages", &headers).json();
        let texts = received["messages"].as_array().unwrap().iter().map(|message| message["body"].as_str());
        texts.map(|text| text.unwrap().to_owned()).collect()
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        let _killed = self.process.kill();
        let _ended = self.process.wait();
        let _removed = std::fs::remove_dir_all(&self.data_dir);
    }
}
