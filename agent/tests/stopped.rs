//! The program through an SNS that is told what to answer and when: while the program is stopped, or once nothing waits.
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

mod process;

use std::io::{Read, Write};
use std::net::TcpListener;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;

use process::{Agent, Start};
use rustls::pki_types::{PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::{ServerConfig, ServerConnection, StreamOwned};

/// Longer than anything here takes, so that a hang fails instead of hanging.
const PATIENCE: Duration = Duration::from_secs(30);

const ACCEPTED: &str = "<PublishResponse><PublishResult><MessageId>m-1</MessageId></PublishResult></PublishResponse>";
const REFUSED: &str = "<ErrorResponse><Error><Code>InvalidClientTokenId</Code></Error></ErrorResponse>";

/// What SNS does.
#[derive(Default)]
struct Told {
    /// Answers may go out.
    open: Mutex<bool>,
    opened: Condvar,
    /// The account is refused.
    refuses: AtomicBool,
}

struct Sns {
    port: u16,
    told: Arc<Told>,
    /// A form for each request that came.
    came: Receiver<String>,
    /// One for each answer that went out.
    answered: Receiver<()>,
}

impl Sns {
    fn start(tls: Option<Arc<ServerConfig>>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let told = Arc::<Told>::default();
        let ((coming, came), (answering, answered)) = (channel(), channel());
        let shared = Arc::clone(&told);
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (told, tls, coming, answering) =
                    (Arc::clone(&shared), tls.clone(), coming.clone(), answering.clone());
                std::thread::spawn(move || match tls {
                    None => serve(stream, &told, &coming, &answering),
                    Some(tls) => {
                        let connection = ServerConnection::new(tls).unwrap();
                        serve(StreamOwned::new(connection, stream), &told, &coming, &answering);
                    }
                });
            }
        });
        Self { port, told, came, answered }
    }

    fn open(&self) {
        *self.told.open.lock().unwrap() = true;
        self.told.opened.notify_all();
    }

    fn agent(&self, scheme: &str) -> Start {
        Start::new()
            .env("SMS_AGENT__CARRIER", "sns")
            .env("SMS_AGENT__AUTH", "off")
            .env("SMS_DISPATCH__SEGMENTS_PER_SECOND", "0")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("AWS_REGION", "eu-central-1")
            .env("AWS_ACCESS_KEY_ID", "AKIDTEST")
            .env("AWS_SECRET_ACCESS_KEY", "secret")
            .env("AWS_ENDPOINT_URL_SNS", format!("{scheme}://localhost:{}", self.port))
    }
}

fn serve(mut stream: impl Read + Write, told: &Told, coming: &Sender<String>, answering: &Sender<()>) {
    while let Some(form) = read(&mut stream) {
        // The test may be over.
        drop(coming.send(form));
        drop(told.opened.wait_while(told.open.lock().unwrap(), |open| !*open).unwrap());
        let (status, body) = if told.refuses.load(Ordering::SeqCst) { (403, REFUSED) } else { (200, ACCEPTED) };
        let answer = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n{body}", body.len());
        if stream.write_all(answer.as_bytes()).and_then(|()| stream.flush()).is_err() {
            return;
        }
        if answering.send(()).is_err() {
            return;
        }
    }
}

/// The body of the next request.
fn read(stream: &mut impl Read) -> Option<String> {
    let mut bytes = Vec::new();
    let mut byte = [0];
    while !bytes.ends_with(b"\r\n\r\n") {
        stream.read_exact(&mut byte).ok()?;
        bytes.push(byte[0]);
    }
    let head = String::from_utf8(bytes).ok()?.to_lowercase();
    let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse().ok()?;
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    String::from_utf8(body).ok()
}

fn send(agent: &Agent, words: &str, more: &str) -> process::Answer {
    agent.post("/v1/messages", &format!(r#"{{"to":"+12065550100","body":"{words}"{more}}}"#))
}

/// Fifty-one publishes are in flight when the agent is stopped for longer than any of them may take; SNS answers all of
/// them meanwhile.
fn nothing_goes_twice(sns: &Sns, agent: &Agent) {
    const SENDS: usize = 51;
    std::thread::scope(|scope| {
        let sends: Vec<_> = (0..SENDS).map(|n| scope.spawn(move || send(agent, &format!("text {n}"), ""))).collect();
        for _ in 0..SENDS {
            sns.came.recv_timeout(PATIENCE).unwrap();
        }
        agent.signal("STOP");
        sns.open();
        for _ in 0..SENDS {
            sns.answered.recv_timeout(PATIENCE).unwrap();
        }
        std::thread::sleep(Duration::from_millis(3500));
        agent.signal("CONT");
        for sent in sends {
            let answer = sent.join().unwrap();
            assert_eq!(answer.status, 200, "{answer:?}");
            let message = answer.json();
            assert_eq!((&message["attempts"], &message["possible_duplicate"]), (&1.into(), &false.into()));
        }
    });
    assert!(sns.came.try_recv().is_err(), "nothing was published again");
}

#[test]
fn what_sns_answered_while_the_agent_was_stopped_is_not_sent_again() {
    let sns = Sns::start(None);
    let agent = sns.agent("http").env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "3s").serve();
    nothing_goes_twice(&sns, &agent);
}

#[test]
fn what_sns_answered_over_tls_while_the_agent_was_stopped_is_not_sent_again() {
    let made = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(made.signing_key.serialize_der()));
    let tls = ServerConfig::builder_with_provider(Arc::new(rustls::crypto::ring::default_provider()))
        .with_safe_default_protocol_versions()
        .unwrap()
        .with_no_client_auth()
        .with_single_cert(vec![made.cert.der().clone()], key)
        .unwrap();
    let folder = tempfile::tempdir().unwrap();
    let trusted = folder.path().join("sns.pem");
    std::fs::write(&trusted, made.cert.pem()).unwrap();
    let sns = Sns::start(Some(Arc::new(tls)));
    let agent = sns.agent("https").env("SSL_CERT_FILE", &trusted).env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "3s").serve();
    nothing_goes_twice(&sns, &agent);
}

#[test]
fn an_agent_whose_only_message_expired_is_ready_again_once_sns_takes_the_credentials() {
    let sns = Sns::start(None);
    sns.told.refuses.store(true, Ordering::SeqCst);
    sns.open();
    let agent = sns.agent("http").serve();
    let answer = send(&agent, "code", r#","expires_in":1"#);
    assert_eq!(answer.problem(), "expired");
    assert_eq!(agent.get("/readyz").problem(), "carrier_unauthorized");
    sns.told.refuses.store(false, Ordering::SeqCst);
    agent.at_leisure("it is ready", |agent| agent.get("/readyz").status == 200);
    assert_eq!(send(&agent, "next", "").status, 200);
}

#[test]
fn a_body_that_arrived_while_the_agent_was_stopped_is_read() {
    let agent = Start::new().serve();
    let body = r#"{"to":"+12065550100","body":"Hi"}"#;
    let (begun, rest) = body.split_at(10);
    let mut stream = std::net::TcpStream::connect(agent.address).unwrap();
    let length = body.len();
    let head = format!(
        "POST /v1/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: {length}\r\n\r\n"
    );
    stream.write_all(format!("{head}{begun}").as_bytes()).unwrap();
    // Answered on another connection, so the first one is being read by then.
    assert_eq!(agent.get("/healthz").status, 200);
    agent.signal("STOP");
    stream.write_all(rest.as_bytes()).unwrap();
    // Longer than a body may take.
    std::thread::sleep(Duration::from_secs(11));
    agent.signal("CONT");
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(std::str::from_utf8(&answer).unwrap(), "HTTP/1.1 200");
}
