//! The AWS side of the environment as the program meets it: values that cannot be used, proxies, programs that give keys.
#![allow(clippy::expect_used, clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

#[path = "../../config/tests/peers/mod.rs"]
mod peers;
mod process;

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{SocketAddr, TcpListener};
use std::process::Command;
use std::sync::mpsc;
use std::time::Duration;

use peers::UNUSABLE;
use process::{Agent, Answer, Start};

const MESSAGE_ID: &str = "567910cd-659e-55d4-8ccb-5aaf14679dc0";

/// What SNS, or a proxy before it, is asked: each head, and each is answered with `status`.
fn peer(status: &'static str) -> (SocketAddr, mpsc::Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (told, asked) = mpsc::channel();
    std::thread::spawn(move || {
        for stream in listener.incoming().map_while(Result::ok) {
            let (mut reader, mut writer) = (BufReader::new(stream.try_clone().unwrap()), stream);
            let mut head = String::new();
            while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse().ok());
            let mut body = vec![0; length.unwrap_or(0)];
            reader.read_exact(&mut body).unwrap();
            let answer = format!(
                "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>{MESSAGE_ID}\
                 </MessageId></PublishResult></PublishResponse>"
            );
            let length = answer.len();
            write!(writer, "HTTP/1.1 {status}\r\ncontent-length: {length}\r\nconnection: close\r\n\r\n{answer}")
                .unwrap();
            if told.send(head).is_err() {
                return;
            }
        }
    });
    (address, asked)
}

/// Waits for such a head. Other services may be asked before SNS is.
fn heard(asked: &mpsc::Receiver<String>, such: impl Fn(&str) -> bool) {
    while !such(&asked.recv_timeout(Duration::from_secs(30)).expect("it is asked so")) {}
}

/// An agent before SNS that asks nobody for a token, with a home of its own.
fn sns() -> (tempfile::TempDir, Start) {
    let home = tempfile::tempdir().unwrap();
    std::fs::create_dir(home.path().join(".aws")).unwrap();
    let start = Start::new()
        .env("HOME", home.path())
        .env("AWS_EC2_METADATA_DISABLED", "true")
        .env("SMS_AGENT__CARRIER", "sns")
        .env("SMS_AGENT__AUTH", "off");
    (home, start)
}

fn with_key(start: Start) -> Start {
    start.env("AWS_ACCESS_KEY_ID", "AKIDENVIRONMENT").env("AWS_SECRET_ACCESS_KEY", "secret")
}

fn sent(agent: &Agent) -> Answer {
    agent.send("+12065550100")
}

/// They are not ours to follow: the agent itself decides what is repeated.
#[test]
fn what_says_how_often_the_sdk_repeats_a_call_is_ignored_whatever_it_is() {
    for (variable, value) in [("AWS_MAX_ATTEMPTS", "0"), ("AWS_MAX_ATTEMPTS", "many"), ("AWS_RETRY_MODE", "legacy")] {
        let (home, start) = sns();
        std::fs::write(home.path().join(".aws/config"), "[default]\nmax_attempts = x\nretry_mode = y\n").unwrap();
        let agent = start.env("AWS_REGION", "us-east-1").env(variable, value).serve();
        assert_eq!(agent.get("/healthz").status, 200, "{variable}");
    }
}

#[test]
fn a_device_or_folder_in_the_place_of_an_aws_file_is_refused_and_the_empty_one_is_no_file() {
    for variable in ["AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"] {
        for what in ["/dev/zero", "/usr"] {
            let (_home, start) = sns();
            let output = start.env("AWS_REGION", "us-east-1").env(variable, what).output();
            let log = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.code() == Some(1) && log.contains(what), "{variable}: {log}");
        }
        let (_home, start) = sns();
        let agent = start.env("AWS_REGION", "us-east-1").env(variable, "/dev/null").serve();
        assert_eq!(agent.get("/healthz").status, 200, "{variable}");
    }
}

#[test]
fn a_value_that_cannot_be_used_stops_start_and_check_and_is_not_shown() {
    for (variable, value) in UNUSABLE {
        for check in [false, true] {
            let (_home, start) = sns();
            let start = if variable.ends_with("_REGION") { start } else { start.env("AWS_REGION", "us-east-1") };
            let start = if check { start.arg("check") } else { start };
            let output = start.env(variable, value).output();
            let log = String::from_utf8(output.stderr).unwrap();
            assert_eq!(output.status.code(), Some(1), "{variable}: {log}");
            assert!(log.contains(variable), "{variable}: {log}");
            let shown = format!("{log}{}", String::from_utf8_lossy(&output.stdout)).to_lowercase();
            assert!(!shown.contains("sesame"), "{shown}");
        }
    }
}

#[test]
fn an_empty_region_is_none_and_the_default_region_takes_its_place() {
    for region in ["", " ", "\n"] {
        let (_home, start) = sns();
        let output = start.env("AWS_REGION", region).output();
        let log = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert!(log.contains("no AWS region"), "{log}");
        let (address, asked) = peer("200 OK");
        let (_home, start) = sns();
        let start = with_key(start).env("AWS_REGION", region).env("AWS_DEFAULT_REGION", "eu-west-1");
        let agent = start.env("AWS_ENDPOINT_URL", format!("http://{address}")).serve();
        assert_eq!(sent(&agent).status, 200);
        heard(&asked, |head| head.contains("/eu-west-1/sns/"));
    }
}

#[test]
fn a_key_that_ends_in_a_line_break_as_secrets_do_signs() {
    let (address, asked) = peer("200 OK");
    let (_home, start) = sns();
    let start = start.env("AWS_ACCESS_KEY_ID", "AKIDLINE\n").env("AWS_SECRET_ACCESS_KEY", "secret\n");
    let start = start.env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL", format!("http://{address}"));
    assert_eq!(sent(&start.serve()).status, 200);
    heard(&asked, |head| head.contains("Credential=AKIDLINE/"));
}

#[test]
fn a_program_that_gives_credentials_is_asked_in_the_agents_own_build() {
    let (address, asked) = peer("200 OK");
    let (home, start) = sns();
    let json = r#"{"Version":1,"AccessKeyId":"AKIDPROGRAM","SecretAccessKey":"s","SessionToken":"t"}"#;
    let config = format!("[default]\nregion = us-east-1\n[profile sms]\ncredential_process = echo '{json}'\n");
    std::fs::write(home.path().join(".aws/config"), config).unwrap();
    let start = start.env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL", format!("http://{address}"));
    // An empty profile hides none, and the older name of the variable counts.
    let agent = start.env("AWS_PROFILE", "").env("AWS_DEFAULT_PROFILE", "sms").serve();
    assert_eq!(sent(&agent).status, 200);
    heard(&asked, |head| head.contains("Credential=AKIDPROGRAM/"));
    // In the build of the whole workspace a feature that only sms-provision asks for would be there too.
    let tree = Command::new(env!("CARGO"))
        .args(["tree", "--offline", "--locked", "-p", "sms-agent", "-e", "normal,features", "-i", "aws-config"])
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .output()
        .unwrap();
    assert!(String::from_utf8_lossy(&tree.stdout).contains("credentials-process"), "{tree:?}");
}

#[test]
fn keys_that_no_request_can_carry_are_not_sent_with_whatever_source_gives_them() {
    let (address, asked) = peer("200 OK");
    let (home, start) = sns();
    let json = r#"{"Version":1,"AccessKeyId":"AKID\\nsesame","SecretAccessKey":"s"}"#;
    std::fs::write(home.path().join(".aws/config"), format!("[default]\ncredential_process = printf '{json}'\n"))
        .unwrap();
    let start = start.env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL", format!("http://{address}"));
    let agent = start.env("SMS_AGENT__WAIT", "1s").serve();
    let answer = sent(&agent);
    assert_eq!((answer.status, answer.json()["possible_duplicate"].as_bool()), (202, Some(false)), "{answer:?}");
    let ready = agent.get("/readyz");
    assert!(ready.status == 503 && ready.body.contains("access key id") && !ready.body.contains("sesame"), "{ready:?}");
    agent.terminate();
    let (status, log, _folder) = agent.wait();
    assert!(status.success() && !log.contains("sesame") && !log.contains("panicked"), "{log}");
    assert!(asked.try_recv().is_err());
}

#[test]
fn calls_by_http_go_through_the_proxy_with_its_password_which_is_not_shown() {
    let (address, asked) = peer("200 OK");
    let (_home, start) = sns();
    let start = with_key(start).env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL", "http://sns.example.test");
    let agent = start.env("HTTP_PROXY", format!("http://user:sesame@{address}")).env("RUST_LOG", "trace").serve();
    assert_eq!(sent(&agent).json()["message_id"], MESSAGE_ID);
    let head = asked.recv().unwrap().to_lowercase();
    assert!(
        head.starts_with("post http://sns.example.test/ ") && head.contains("proxy-authorization: basic "),
        "{head}"
    );
    agent.terminate();
    let log = agent.wait().1;
    assert!(!log.contains("sesame") && !log.contains("dXNlcjpzZXNhbWU"), "{log}");
}

#[test]
fn calls_by_https_ask_the_proxy_for_a_tunnel_and_a_refusal_is_not_in_doubt() {
    let (address, asked) = peer("407 Proxy Authentication Required");
    let (_home, start) = sns();
    let start = with_key(start).env("AWS_REGION", "us-east-1").env("https_proxy", address.to_string());
    let agent = start.env("SMS_AGENT__WAIT", "1s").serve();
    let answer = sent(&agent);
    heard(&asked, |head| head.starts_with("CONNECT sns.us-east-1.amazonaws.com:443 "));
    assert_eq!((answer.status, answer.json()["possible_duplicate"].as_bool()), (202, Some(false)), "{answer:?}");
}

#[test]
fn an_endpoint_on_loopback_and_one_that_no_proxy_lists_are_called_past_the_proxy() {
    let (proxy, through) = peer("502 Bad Gateway");
    let (address, asked) = peer("200 OK");
    let (_home, start) = sns();
    let start = with_key(start).env("AWS_REGION", "us-east-1").env("AWS_ENDPOINT_URL", format!("http://{address}"));
    assert_eq!(sent(&start.env("HTTP_PROXY", format!("http://{proxy}")).serve()).status, 200);
    heard(&asked, |_| true);
    assert!(through.try_recv().is_err());
}

#[test]
fn keys_beside_a_profile_are_warned_of_once_and_the_source_is_told() {
    let (home, start) = sns();
    std::fs::write(home.path().join(".aws/credentials"), "[sms]\naws_access_key_id=A\naws_secret_access_key=s\n")
        .unwrap();
    let agent = with_key(start).env("AWS_REGION", "us-east-1").env("AWS_PROFILE", "sms").serve();
    assert_eq!(agent.get("/readyz").status, 200);
    agent.terminate();
    let log = agent.wait().1;
    assert_eq!(log.matches("SMS_AWS__PROFILE").count(), 1, "{log}");
    assert!(log.contains("environment variables AWS_ACCESS_KEY_ID") && !log.contains("AKIDENVIRONMENT"), "{log}");
}

#[test]
fn check_shows_what_of_aws_is_in_force_and_fails_where_the_start_would() {
    let (_home, start) = sns();
    let variables =
        [("AWS_REGION", "eu-west-1"), ("AWS_PROFILE", "sms"), ("AWS_ENDPOINT_URL", "http://127.0.0.1:4566")];
    let start = variables.iter().fold(start.arg("check"), |start, (name, value)| start.env(name, value));
    let output = start.output();
    let listing = String::from_utf8(output.stdout).unwrap();
    assert_eq!(output.status.code(), Some(0), "{}", String::from_utf8_lossy(&output.stderr));
    for line in [
        "aws.region = \"eu-west-1\"  # AWS_REGION",
        "aws.profile = \"sms\"  # AWS_PROFILE",
        "aws.endpoint_url = \"http://127.0.0.1:4566\"  # AWS_ENDPOINT_URL",
    ] {
        assert!(listing.lines().any(|listed| listed == line), "{listing}");
    }
    let queue = "https://queue.example.test/123456789012/q";
    for (variables, words) in [
        (&[][..], "no AWS region"),
        (&[("AWS_REGION", "us-east-1"), ("SMS_AGENT__QUEUE", "sqs"), ("SMS_AGENT__QUEUE_URL", queue)][..], "endpoint"),
        (&[("AWS_REGION", "us-east-1"), ("SMS_AGENT__DATA_DIR", "/dev/null")][..], "agent.data_dir"),
        (&[("AWS_REGION", "us-east-1"), ("OTEL_EXPORTER_OTLP_ENDPOINT", "nowhere")][..], "OTEL_EXPORTER_OTLP_ENDPOINT"),
    ] {
        for check in [false, true] {
            let (_home, start) = sns();
            let start = if check { start.arg("check") } else { start };
            let start = variables.iter().fold(start, |start, (name, value)| start.env(name, value));
            let output = start.output();
            let log = String::from_utf8(output.stderr).unwrap();
            assert!(output.status.code() == Some(1) && log.contains(words), "{check} {words}: {log}");
        }
    }
}
