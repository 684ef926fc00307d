//! An outbox belongs to one carrier, region and account: what was tried on the simulator never reaches real phones.

#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use process::{Agent, Start};

/// AWS as far as it is needed: takes every publish and says whose the credentials are.
struct Aws {
    address: String,
    published: Arc<AtomicUsize>,
    account: Arc<Mutex<String>>,
    asked: Arc<AtomicUsize>,
}

impl Aws {
    fn of(account: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let aws = Self {
            address: format!("http://{}", listener.local_addr().unwrap()),
            published: Arc::default(),
            account: Arc::new(Mutex::new(account.to_owned())),
            asked: Arc::default(),
        };
        let (published, account, asked) =
            (Arc::clone(&aws.published), Arc::clone(&aws.account), Arc::clone(&aws.asked));
        std::thread::spawn(move || {
            for mut stream in listener.incoming().map_while(Result::ok) {
                let request = request(&mut stream);
                let body = if request.contains("Action=Publish") {
                    let number = published.fetch_add(1, Ordering::SeqCst);
                    format!(
                        "<PublishResponse xmlns=\"http://sns.amazonaws.com/doc/2010-03-31/\"><PublishResult><MessageId>\
                         11111111-2222-4333-8444-{number:012}</MessageId></PublishResult><ResponseMetadata><RequestId>r\
                         </RequestId></ResponseMetadata></PublishResponse>"
                    )
                } else {
                    asked.fetch_add(1, Ordering::SeqCst);
                    let account = account.lock().unwrap().clone();
                    format!(
                        "<GetCallerIdentityResponse xmlns=\"https://sts.amazonaws.com/doc/2011-06-15/\">\
                         <GetCallerIdentityResult><Arn>arn:aws:iam::{account}:user/u</Arn><UserId>U</UserId><Account>{account}\
                         </Account></GetCallerIdentityResult><ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>\
                         </GetCallerIdentityResponse>"
                    )
                };
                let length = body.len();
                let answer = format!(
                    "HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {length}\r\nConnection: close\r\n\r\n{body}"
                );
                drop(stream.write_all(answer.as_bytes()));
            }
        });
        aws
    }

    fn published(&self) -> usize {
        self.published.load(Ordering::SeqCst)
    }

    fn on(&self, start: Start) -> Start {
        start
            .env("SMS_AGENT__CARRIER", "sns")
            .env("SMS_AGENT__AUTH", "off")
            .env("AWS_ENDPOINT_URL", &self.address)
            .env("AWS_REGION", "us-east-1")
            .env("AWS_ACCESS_KEY_ID", "AKIATEST")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_EC2_METADATA_DISABLED", "true")
    }
}

fn request(stream: &mut std::net::TcpStream) -> String {
    let (mut text, mut buffer) = (String::new(), [0; 4096]);
    loop {
        let read = stream.read(&mut buffer).unwrap_or(0);
        text.push_str(&String::from_utf8_lossy(&buffer[..read]));
        let Some((head, body)) = text.split_once("\r\n\r\n") else {
            assert!(read > 0, "the request ended: {text}");
            continue;
        };
        let length = head.lines().find_map(|line| line.to_lowercase().strip_prefix("content-length: ")?.parse().ok());
        if read == 0 || body.len() >= length.unwrap_or(0) {
            return text;
        }
    }
}

/// The error of a start that has to fail.
fn refusal(start: impl Fn() -> Start) -> String {
    let checked = String::from_utf8(start().arg("check").output().stderr).unwrap();
    let log = refusal_by(start());
    let error = |log: &str| log.lines().find(|line| line.starts_with("sms-agent: ")).map(str::to_owned);
    assert_eq!(error(&checked), error(&log), "check says what the start says");
    log
}

fn refusal_by(start: Start) -> String {
    let output = start.output();
    let log = String::from_utf8(output.stderr).unwrap();
    assert_eq!(output.status.code(), Some(1), "{log}");
    assert!(output.stdout.is_empty(), "it served");
    assert_eq!(log.lines().filter(|line| line.starts_with("sms-agent: the outbox")).count(), 1, "{log}");
    log
}

/// Makes the outbox one of a version that knew no owner.
fn forget_owner(folder: &Path) {
    let connection = rusqlite::Connection::open(folder.join("data/outbox.db")).unwrap();
    connection.execute_batch("DROP TABLE belonging; PRAGMA user_version = 6").unwrap();
    // What belongs to the owner's memory and not to a version before it.
    drop(std::fs::remove_file(folder.join("data/outbox.run")));
}

const WAITS: &str = "+15005550004";

#[test]
fn what_waits_on_the_simulator_never_goes_to_real_phones() {
    let (aws, agent) = (Aws::of("123456789012"), Start::new().env("SMS_AGENT__WAIT", "100ms").serve());
    assert_eq!(agent.send(WAITS).status, 202);
    let folder = agent.kill();
    for is_from_before in [false, true] {
        if is_from_before {
            forget_owner(folder.path());
        }
        let log = refusal(|| aws.on(Start::in_folder(folder.path())));
        for word in ["belongs to the simulator", "SNS in us-east-1", "agent.data_dir", "agent.carrier = \"simulator\""]
        {
            assert!(log.contains(word), "{word} is not in {log}");
        }
    }
    assert_eq!(aws.published(), 0);
    let agent = Start::in_folder(folder.path()).env("SMS_AGENT__WAIT", "100ms").serve();
    agent.until("it waits at the former carrier", |agent| {
        agent.get("/v1/messages").json()["messages"][0]["status"] == "queued"
    });
}

#[test]
fn a_real_message_is_not_delivered_to_the_simulator_after_a_restart() {
    let aws = Aws::of("123456789012");
    let agent = aws.on(Start::new()).serve();
    assert_eq!(agent.send("+12065550100").status, 200);
    let folder = agent.kill();
    for is_from_before in [false, true] {
        if is_from_before {
            forget_owner(folder.path());
        }
        let log = refusal(|| Start::in_folder(folder.path()));
        assert!(log.contains("belongs to SNS") && log.contains("agent.carrier = \"sns\""), "{log}");
    }
    assert!(!folder.path().join("data/simulator.db").exists());
    drop(aws.on(Start::in_folder(folder.path())).serve());
}

#[test]
fn another_region_is_refused_and_the_former_one_named() {
    let aws = Aws::of("123456789012");
    let folder = aws.on(Start::new()).serve().kill();
    let log = refusal(|| aws.on(Start::in_folder(folder.path())).env("AWS_REGION", "eu-west-1"));
    assert!(log.contains("SNS in us-east-1") && log.contains("SNS in eu-west-1"), "{log}");
    assert!(log.contains("aws.region = \"us-east-1\""), "{log}");
    drop(aws.on(Start::in_folder(folder.path())).serve());
}

#[test]
fn an_outbox_from_before_that_both_carriers_used_is_refused_until_the_trials_are_moved_away() {
    let aws = Aws::of("123456789012");
    let agent = Start::new().serve();
    assert_eq!(agent.send("+12065550100").status, 200);
    let folder = agent.kill();
    forget_owner(folder.path());
    let data = folder.path().join("data");
    let phones = ["simulator.db", "simulator.db-wal", "simulator.db-shm"];
    let move_phones = |from: &str, to: &str| {
        for name in phones {
            drop(std::fs::rename(data.join(format!("{from}{name}")), data.join(format!("{to}{name}"))));
        }
    };
    // As it went: the simulator's file lay idle while SNS took messages.
    move_phones("", "idle-");
    let connection = rusqlite::Connection::open(data.join("outbox.db")).unwrap();
    connection.execute("UPDATE message SET status = 2, id = randomblob(16)", ()).unwrap();
    drop(connection);
    move_phones("idle-", "");
    for is_sns in [true, false] {
        let start = || Start::in_folder(folder.path());
        let log = refusal(|| if is_sns { aws.on(start()) } else { start() });
        assert!(log.contains("simulator.db") && log.contains("agent.data_dir"), "{log}");
    }
    move_phones("", "idle-");
    drop(aws.on(Start::in_folder(folder.path())).serve());
    assert!(refusal(|| Start::in_folder(folder.path())).contains("belongs to SNS in us-east-1"));
}

#[test]
fn an_empty_outbox_from_before_takes_the_carrier_of_the_start() {
    let aws = Aws::of("123456789012");
    let folder = Start::new().serve().kill();
    forget_owner(folder.path());
    drop(aws.on(Start::in_folder(folder.path())).serve());
    assert!(refusal(|| Start::in_folder(folder.path())).contains("belongs to SNS in us-east-1"));
}

#[test]
fn the_credentials_of_another_account_end_the_agent_with_1_in_an_orderly_stop() {
    let aws = Aws::of("123456789012");
    let learned = |agent: &Agent| {
        let connection = rusqlite::Connection::open(agent.data_dir().join("outbox.db")).unwrap();
        connection
            .query_row("SELECT account FROM belonging", (), |row| row.get::<_, Option<String>>(0))
            .unwrap()
            .is_some()
    };
    let agent = aws.on(Start::new()).serve();
    agent.until("the account is stored", learned);
    let folder = agent.kill();
    let agent = aws.on(Start::in_folder(folder.path())).serve();
    assert_eq!(agent.send("+12065550100").status, 200, "the same account goes on");
    drop(agent);
    "210987654321".clone_into(&mut aws.account.lock().unwrap());
    let (status, log, _) = aws.on(Start::in_folder(folder.path())).serve().wait();
    assert_eq!(status.code(), Some(1), "{log}");
    assert!(log.contains("ends in 9012") && log.contains("ends in 4321") && log.contains("agent.data_dir"), "{log}");
    assert!(!log.contains("123456789012") && !log.contains("210987654321"), "{log}");
}

#[test]
fn an_account_that_nobody_names_changes_nothing() {
    let aws = Aws::of("nonsense");
    let agent = aws.on(Start::new()).serve();
    agent.until("it was asked twice", |_| aws.asked.load(Ordering::SeqCst) >= 2);
    assert_eq!(agent.send("+12065550100").status, 200);
    assert_eq!(agent.get("/readyz").status, 200);
    let log = agent.whole_log();
    assert_eq!(log.matches("which account").count(), 1, "{log}");
}
