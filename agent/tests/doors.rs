//! Where the program listens, whom it lets in, and what of that is in its folder.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixStream;
use std::path::Path;

use process::{Agent, Answer, Start};

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

fn with_token(agent: &Agent, token: &str) -> Answer {
    agent.request("GET", "/v1/simulator/messages", &[("Authorization", &format!("Bearer {token}"))], "")
}

#[test]
fn each_of_several_addresses_is_announced_by_a_line_of_its_own_and_serves() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent.sock");
    let listen = format!("127.0.0.1:0,unix:{}", socket.display());
    let agent = Start::in_folder(folder.path()).env("SMS_AGENT__LISTEN", listen).serve_on(2);
    let expected = format!("sms-agent listening on unix:{}", socket.display());
    assert_eq!(agent.announced, [format!("sms-agent listening on http://{}", agent.address), expected]);
    assert!(agent.address.ip().is_loopback() && agent.address.port() != 0);
    assert_eq!(mode(&socket), 0o600, "unless agent.socket_mode says otherwise");
    let health = Answer::to(UnixStream::connect(&socket).unwrap(), &Agent::written("GET", "/healthz", &[], ""));
    assert_eq!((health.status, health.body.as_str()), (200, r#"{"status":"ok"}"#));
    let json = [("Content-Type", "application/json")];
    let send = Agent::written("POST", "/v1/messages", &json, r#"{"to":"+12065550100","body":"Hello"}"#);
    assert_eq!(Answer::to(UnixStream::connect(&socket).unwrap(), &send).status, 200);
    assert_eq!(agent.phone().len(), 1, "it is one agent behind both");
    agent.terminate();
    assert_eq!(agent.wait().0.code(), Some(0));
    assert!(!socket.exists(), "the socket file goes with the agent");
}

#[test]
fn a_socket_has_the_mode_of_the_settings_and_one_that_was_left_behind_is_replaced() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent.sock");
    let start = || {
        Start::in_folder(folder.path())
            .env("SMS_AGENT__LISTEN", format!("unix:{}", socket.display()))
            .env("SMS_AGENT__SOCKET_MODE", "0660")
    };
    let agent = start().serve();
    assert_eq!(mode(&socket), 0o660);
    agent.signal("KILL");
    agent.wait();
    assert!(socket.exists(), "a killed agent cannot tidy up");
    let agent = start().serve();
    assert!(UnixStream::connect(&socket).is_ok());
    let other = tempfile::tempdir().unwrap();
    let output = Start::in_folder(other.path()).env("SMS_AGENT__LISTEN", format!("unix:{}", socket.display())).output();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("another process") && log.contains("agent.listen"), "{log}");
    drop(agent);
}

#[test]
fn an_address_that_is_taken_is_an_error_that_names_it() {
    let agent = Start::new().serve();
    let output = Start::new().env("SMS_AGENT__LISTEN", agent.address.to_string()).output();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &[][..]), "{log}");
    assert!(log.contains(&agent.address.to_string()) && log.contains("agent.listen"), "{log}");
}

#[test]
fn an_address_that_others_can_reach_is_refused_unless_that_was_meant_and_then_asks_for_the_token() {
    let remote = || Start::new().env("SMS_AGENT__LISTEN", "0.0.0.0:0");
    let output = remote().output();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(log.contains("agent.listen") && log.contains("agent.allow_remote"), "{log}");
    let output = remote().env("SMS_AGENT__ALLOW_REMOTE", "true").env("SMS_AGENT__AUTH", "off").output();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert!(log.contains("agent.auth") && log.contains("\"token\""), "{log}");
    let agent = remote().env("SMS_AGENT__ALLOW_REMOTE", "true").serve();
    assert_eq!(agent.send("+12065550100").problem(), "unauthorized");
}

#[test]
fn the_simulator_on_loopback_lets_everybody_in_and_makes_no_token() {
    for auth in ["auto", "off"] {
        let agent = Start::new().env("SMS_AGENT__AUTH", auth).serve();
        assert_eq!(agent.send("+12065550100").status, 200);
        assert!(!agent.data_dir().join("token").exists());
    }
}

#[test]
fn the_folder_and_the_token_are_made_on_the_first_start_for_their_owner_only_and_kept() {
    let folder = tempfile::tempdir().unwrap();
    let start = || Start::in_folder(folder.path()).env("SMS_AGENT__AUTH", "token");
    let agent = start().serve();
    let token = folder.path().join("data/token");
    assert_eq!((mode(&folder.path().join("data")), mode(&token)), (0o700, 0o600));
    let made = fs::read_to_string(&token).unwrap();
    assert!(made.trim().len() == 64 && made.trim().bytes().all(|digit| digit.is_ascii_hexdigit()), "256 bits");
    let refused = agent.send("+12065550100");
    assert_eq!((refused.status, refused.problem().as_str()), (401, "unauthorized"));
    assert_eq!(refused.header("www-authenticate"), Some("Bearer"));
    assert_eq!(with_token(&agent, made.trim()).status, 200);
    for open in ["/healthz", "/readyz", "/openapi.json"] {
        assert_eq!(agent.get(open).status, 200, "{open}");
    }
    drop(agent);
    let agent = start().serve();
    assert_eq!(with_token(&agent, made.trim()).status, 200);
    assert_eq!(fs::read_to_string(&token).unwrap(), made);
}

#[test]
fn a_token_in_the_query_lets_nobody_in() {
    let agent = Start::new().env("SMS_AGENT__AUTH", "token").serve();
    let token = fs::read_to_string(agent.data_dir().join("token")).unwrap();
    assert_eq!(with_token(&agent, token.trim()).status, 200);
    for name in ["token", "access_token"] {
        let answer = agent.get(&format!("/v1/simulator/messages?{name}={}", token.trim()));
        assert_eq!(answer.status, 401, "{name}");
    }
    let log = agent.whole_log();
    assert!(!log.contains(token.trim()), "{log}");
}

#[test]
fn white_space_around_the_token_does_not_count_and_a_changed_file_does() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my-token");
    fs::write(&file, "\n  first-token \r\n").unwrap();
    let agent =
        Start::in_folder(folder.path()).env("SMS_AGENT__AUTH", "token").env("SMS_AGENT__TOKEN_FILE", &file).serve();
    assert_eq!((with_token(&agent, "first-token").status, with_token(&agent, "second-token").status), (200, 401));
    fs::write(&file, "second-token\n").unwrap();
    agent.until("the new token counts", |agent| with_token(agent, "second-token").status == 200);
    assert_eq!(with_token(&agent, "first-token").status, 401);
    assert!(!folder.path().join("data/token").exists(), "nothing is made where another file was named");
}

#[test]
fn a_token_file_that_is_no_file_or_no_token_or_open_to_others_is_an_error_at_start() {
    let folder = tempfile::tempdir().unwrap();
    let (pipe, device, short) = (folder.path().join("pipe"), folder.path().join("device"), folder.path().join("short"));
    assert!(std::process::Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    std::os::unix::fs::symlink("/dev/zero", &device).unwrap();
    fs::write(&short, "x").unwrap();
    let own = folder.path().join("data/token");
    fs::create_dir(folder.path().join("data")).unwrap();
    fs::write(&own, "x".repeat(64)).unwrap();
    fs::set_permissions(&own, fs::Permissions::from_mode(0o640)).unwrap();
    for (file, told) in [
        (&pipe, "a named pipe"),
        (&device, "a device"),
        (&folder.path().to_owned(), "a directory"),
        (&short, "8 characters"),
        (&own, "chmod 600"),
    ] {
        let start = Start::in_folder(folder.path()).env("SMS_AGENT__AUTH", "token");
        let output = start.env("SMS_AGENT__TOKEN_FILE", file).output();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1), "{log}");
        assert!(log.contains(told) && log.contains(&file.display().to_string()), "{log}");
    }
}

#[test]
fn a_token_file_that_is_removed_leaves_the_token_valid_and_is_told_of_once() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("my-token");
    fs::write(&file, "first-token").unwrap();
    let agent =
        Start::in_folder(folder.path()).env("SMS_AGENT__AUTH", "token").env("SMS_AGENT__TOKEN_FILE", &file).serve();
    assert_eq!(with_token(&agent, "first-token").status, 200);
    fs::remove_file(&file).unwrap();
    // As long as it takes to look at the file three times.
    let begun = fs::metadata(folder.path()).unwrap().modified().unwrap();
    agent.until("some seconds have gone", |agent| {
        assert_eq!(with_token(agent, "first-token").status, 200);
        begun.elapsed().unwrap().as_secs() >= 3
    });
    fs::write(&file, "second-token").unwrap();
    agent.until("the new token counts", |agent| with_token(agent, "second-token").status == 200);
    assert_eq!(with_token(&agent, "first-token").status, 401);
    let log = agent.whole_log();
    assert_eq!(log.matches("agent.token_file cannot be read").count(), 1, "{log}");
}

#[test]
fn when_all_connections_are_taken_health_is_answered_and_a_send_is_told_why_not() {
    let folder = tempfile::tempdir().unwrap();
    let socket = folder.path().join("agent.sock");
    let listen = format!("127.0.0.1:0,unix:{}", socket.display());
    let start = Start::in_folder(folder.path()).env("SMS_AGENT__MAX_CONNECTIONS", "2");
    let agent = start.env("SMS_AGENT__LISTEN", listen).serve_on(2);
    let _crowd: Vec<_> = (0..30).map(|_| std::net::TcpStream::connect(agent.address).unwrap()).collect();
    for path in ["/healthz", "/readyz"] {
        assert_eq!(agent.get(path).status, 200, "{path}");
    }
    let refused = agent.send("+12065550100");
    assert_eq!((refused.problem().as_str(), refused.header("connection")), ("overloaded", Some("close")));
    let health = Agent::written("GET", "/v1/messages", &[], "");
    assert_eq!(Answer::to(UnixStream::connect(&socket).unwrap(), &health).status, 200, "the other address is not full");
    assert_eq!(agent.whole_log().matches("agent.max_connections is reached").count(), 1);
}

#[test]
fn the_limit_of_open_files_is_raised_and_fewer_connections_are_served_where_it_is_low() {
    let folder = tempfile::tempdir().unwrap();
    let agent = Start::with_open_files(folder.path(), "128:192").serve();
    let limits = fs::read_to_string(format!("/proc/{}/limits", agent.pid())).unwrap_or_default();
    let files = limits.lines().find(|line| line.starts_with("Max open files")).unwrap();
    assert_eq!(files.split_whitespace().nth(3), Some("192"), "{files}");
    let _crowd: Vec<_> = (0..250).map(|_| std::net::TcpStream::connect(agent.address).unwrap()).collect();
    assert_eq!(agent.get("/healthz").status, 200);
    let log = agent.whole_log();
    assert!(log.contains("limit of 192 open files") && log.contains("agent.max_connections"), "{log}");
    assert!(!log.contains("cannot accept connections"), "{log}");
}

#[test]
fn a_token_file_that_is_empty_is_an_error_at_start() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("token"), " \n").unwrap();
    let output = Start::in_folder(folder.path())
        .env("SMS_AGENT__AUTH", "token")
        .env("SMS_AGENT__TOKEN_FILE", folder.path().join("token"))
        .output();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(log.contains("is empty"), "{log}");
}
