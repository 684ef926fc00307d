//! The door over real sockets, with a scripted room behind it.

mod crowd;
mod gates;
mod history;
mod limits;
mod protocols;
mod sends;
mod stop;
mod traces;
mod unread;

use std::collections::VecDeque;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;
use serde_json::Value;
use sms_config::Listen;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::sync::{Notify, oneshot};
use tokio::task::JoinHandle;

use super::message::tests::message;
use super::*;
use crate::admission::{Batch, Batched, Submission, Submitted};
use crate::carrier::simulator::Simulator;
use crate::clock::{SystemClock, ThisMachine};
use crate::message::{Message, MessageId, PhoneNumber, Status};
use crate::outbox::{Canceled, Cursor, Filter, Page};

/// What the room behind the door does with a send.
#[allow(clippy::large_enum_variant, reason = "a handful of them in a test")]
pub(super) enum Reply {
    Submitted(Box<Submitted>),
    Refused(Problem),
    Panic,
    Wait(Arc<Notify>),
}

/// The room behind the door: answers as it was told to and keeps what it was asked.
#[derive(Default)]
pub(super) struct Room {
    pub(super) replies: Mutex<VecDeque<Reply>>,
    pub(super) submissions: Mutex<Vec<Submission>>,
    pub(super) batches: Mutex<Vec<Batch>>,
    pub(super) pages: Mutex<Vec<(Filter, Option<Cursor>, usize)>>,
    pub(super) stopping: AtomicBool,
    pub(super) missing: Mutex<Option<Problem>>,
    pub(super) arrived: Notify,
}

impl Room {
    pub(super) fn script(&self, reply: Reply) {
        self.replies.lock().unwrap().push_back(reply);
    }

    /// The next send is answered so.
    pub(super) fn answer(&self, message: Message, replayed: bool) {
        self.script(Reply::Submitted(Box::new(Submitted { message, replayed })));
    }

    pub(super) fn asked(&self) -> usize {
        self.submissions.lock().unwrap().len()
    }
}

pub(super) fn sent() -> Submitted {
    let message = Message { status: Status::Sent, provider_id: Some("sns-1".to_owned()), attempts: 1, ..message() };
    Submitted { message, replayed: false }
}

impl Intake for Room {
    fn submit(&self, submission: Submission) -> BoxFuture<'static, Result<Submitted, Problem>> {
        self.submissions.lock().unwrap().push(submission);
        self.arrived.notify_one();
        let reply = self.replies.lock().unwrap().pop_front().unwrap_or_else(|| Reply::Submitted(Box::new(sent())));
        async move {
            match reply {
                Reply::Submitted(submitted) => Ok(*submitted),
                Reply::Refused(problem) => Err(problem),
                Reply::Panic => panic!("as it was told to"),
                Reply::Wait(until) => {
                    until.notified().await;
                    Ok(sent())
                }
            }
        }
        .boxed()
    }

    /// All that could be read are accepted; a batch with a key is a replay.
    fn submit_batch(&self, batch: Batch) -> BoxFuture<'static, Result<Batched, Problem>> {
        self.batches.lock().unwrap().push(batch.clone());
        let results = batch.items.into_iter().map(|item| item.map(|_| message())).collect();
        async move { Ok(Batched { results, replayed: batch.key.is_some() }) }.boxed()
    }

    /// The one known message was sent already.
    fn cancel(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Canceled>, Problem>> {
        async move { Ok((id == message().id).then(|| Canceled::TooLate(sent().message))) }.boxed()
    }

    fn page(&self, filter: Filter, before: Option<Cursor>, limit: usize) -> BoxFuture<'static, Result<Page, Problem>> {
        self.pages.lock().unwrap().push((filter, before, limit));
        async { Ok(Page { messages: vec![message()], next: "000000000000002a".parse().ok() }) }.boxed()
    }

    fn preview(&self, _: PhoneNumber) -> BoxFuture<'static, (bool, Vec<Problem>)> {
        async { (true, vec![Problem::new(Code::PhoneNumberUnassigned, "As far as is known.")]) }.boxed()
    }

    fn message(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Message>, Problem>> {
        let known = message();
        async move { Ok((known.id == id).then_some(known)) }.boxed()
    }

    fn opted_out(&self, to: PhoneNumber) -> BoxFuture<'static, Result<bool, Problem>> {
        async move { Ok(to.as_str() == "+15005550002") }.boxed()
    }

    fn ready(&self) -> BoxFuture<'static, Result<(), Problem>> {
        let missing = self.missing.lock().unwrap().clone();
        async move { missing.map_or(Ok(()), Err) }.boxed()
    }

    fn trouble(&self) -> Option<String> {
        None
    }

    fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::Relaxed)
    }
}

/// An agent's door that is open.
pub(super) struct House {
    pub(super) room: Arc<Room>,
    pub(super) api: Arc<Api>,
    pub(super) port: u16,
    close: Option<oneshot::Sender<()>>,
    served: JoinHandle<()>,
    folder: tempfile::TempDir,
    pub(super) simulator: Option<Simulator>,
}

/// How long a test's house waits for what is in flight when it closes.
pub(super) const GRACE: Duration = Duration::from_secs(5);

impl House {
    /// Lets everybody in; has phones.
    pub(super) fn open() -> Self {
        Self::with(None, true)
    }

    pub(super) fn with(token: Option<&str>, phones: bool) -> Self {
        Self::limited(token, phones, Limits { connections: 1024, beyond: 64 })
    }

    pub(super) fn limited(token: Option<&str>, phones: bool, limits: Limits) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let token = token.map(|token| {
            let path = folder.path().join("token");
            std::fs::write(&path, token).unwrap();
            Token::open(&path, false).unwrap()
        });
        let room = Arc::new(Room::default());
        let settings = sms_config::Simulator { latency: Duration::ZERO, delivery_delay: Duration::ZERO, keep: 100 };
        let clock = Arc::new(SystemClock::first(Arc::new(ThisMachine)));
        let simulator = phones.then(|| Simulator::open(settings, folder.path(), clock).unwrap());
        let api = Api::new(Parts {
            intake: Arc::<Room>::clone(&room),
            phone: simulator.as_ref().map(Simulator::phone),
            token,
            fingerprints: Fingerprints::open(&folder.path().join("fingerprint-key"), false).unwrap(),
            wait: Duration::from_secs(10),
            takes_sends: true,
            default_type: SmsType::Transactional,
            addresses: Vec::new(),
        });
        let tcp = Listener::bind(&Listen::Tcp("127.0.0.1:0".parse().unwrap()), 0o600).unwrap();
        let unix = Listener::bind(&Listen::Unix(folder.path().join("agent.sock")), 0o600).unwrap();
        let port = tcp.local.port.unwrap();
        let (close, closed) = oneshot::channel();
        let served = tokio::spawn(run(vec![tcp, unix], Arc::clone(&api), limits, closed.map(drop), GRACE));
        Self { room, api, port, close: Some(close), served, folder, simulator }
    }

    pub(super) async fn connect(&self) -> TcpStream {
        TcpStream::connect(("127.0.0.1", self.port)).await.unwrap()
    }

    pub(super) fn socket(&self) -> std::path::PathBuf {
        self.folder.path().join("agent.sock")
    }

    /// Tells the door to close, and when it has.
    pub(super) fn close(&mut self) -> &mut JoinHandle<()> {
        drop(self.close.take());
        &mut self.served
    }

    /// One request on a connection of its own.
    pub(super) async fn ask(&self, request: &str) -> Reading {
        ask(&mut self.connect().await, request).await
    }

    /// One request without a body.
    pub(super) async fn get(&self, path: &str) -> Reading {
        self.ask(&format!("GET {path} HTTP/1.1\r\nHost: agent\r\n\r\n")).await
    }

    /// One send, with header lines of one's own.
    pub(super) async fn post(&self, headers: &str, body: &str) -> Reading {
        self.ask(&post("/v1/messages", headers, body)).await
    }
}

pub(super) const GOOD: &str = r#"{"to":"+12065550100","body":"hello"}"#;

pub(super) fn post(path: &str, headers: &str, body: &str) -> String {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nHost: agent\r\nContent-Type: application/json\r\n{headers}Content-Length: {length}\r\n\r\n{body}"
    )
}

/// An answer as it came over the wire.
#[derive(Debug)]
pub(super) struct Reading {
    pub(super) status: u16,
    head: String,
    pub(super) body: String,
}

impl Reading {
    pub(super) fn header(&self, name: &str) -> Option<&str> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        lines.filter(|(given, _)| given.eq_ignore_ascii_case(name)).map(|(_, value)| value).next()
    }

    /// The names of all headers, sorted.
    pub(super) fn headers(&self) -> Vec<String> {
        let lines = self.head.lines().filter_map(|line| line.split_once(": "));
        let mut names: Vec<_> = lines.map(|(name, _)| name.to_lowercase()).collect();
        names.sort();
        names
    }

    pub(super) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap()
    }

    /// Status, code and parameter of a problem.
    pub(super) fn problem(&self) -> (u16, String, Option<String>) {
        assert_eq!(self.header("content-type"), Some("application/problem+json"), "{self:?}");
        let json = self.json();
        assert_eq!(json["status"], self.status, "{json}");
        for member in ["detail", "hint"] {
            let words = json[member].as_str().unwrap();
            let begins = words.starts_with(|first: char| first.is_uppercase() || first == '`');
            assert!(begins && words.ends_with('.'), "{json}");
        }
        assert_eq!(json["retryable"].as_bool().unwrap(), self.header("retry-after").is_some(), "{json}");
        (self.status, json["code"].as_str().unwrap().to_owned(), json["parameter"].as_str().map(str::to_owned))
    }
}

pub(super) async fn ask(connection: &mut (impl AsyncRead + AsyncWrite + Unpin), request: &str) -> Reading {
    connection.write_all(request.as_bytes()).await.unwrap();
    read(connection, request.starts_with("HEAD")).await
}

/// Reads one answer.
pub(super) async fn read(connection: &mut (impl AsyncRead + Unpin), without_body: bool) -> Reading {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        head.push(connection.read_u8().await.unwrap());
    }
    let head = String::from_utf8(head).unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    let mut reading = Reading { status, head, body: String::new() };
    let length = reading.header("content-length").unwrap().parse().unwrap();
    let mut body = vec![0; if without_body { 0 } else { length }];
    connection.read_exact(&mut body).await.unwrap();
    reading.body = String::from_utf8(body).unwrap();
    reading
}

/// Whether the other side ends the connection without another byte.
pub(super) async fn is_closed(connection: &mut (impl AsyncRead + Unpin)) -> bool {
    matches!(
        connection.read_u8().await.map_err(|error| error.kind()),
        Err(std::io::ErrorKind::UnexpectedEof | std::io::ErrorKind::ConnectionReset)
    )
}
