//! An HTTP/1.1 server that does as it is told, the next thing with every request, and remembers what it was asked.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};

/// What SNS calls every request here.
pub(super) const REQUEST_ID: &str = "f187a3c1-376f-11df-8963-01868b7c937a";

/// What the peer does with one request.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    /// Answers.
    Answer(u16, String),
    /// Closes the connection without a word.
    Cut,
    /// Closes the connection in the middle of a good answer.
    CutWithin,
    /// Begins a good answer that is longer than any of SNS's, and keeps the connection.
    Long,
    /// Keeps the connection and says nothing.
    Hang,
    /// Writes exactly this, and closes the connection.
    Raw(Vec<u8>),
}

impl Reply {
    pub(super) fn answer(status: u16, body: &str) -> Self {
        Self::Answer(status, body.to_owned())
    }
}

/// One request as it came.
#[derive(Clone, Debug)]
pub(super) struct Request {
    pub(super) head: String,
    pub(super) body: String,
}

impl Request {
    /// The members of the form, in order.
    pub(super) fn members(&self) -> Vec<(String, String)> {
        let decode = |text: &str| percent_encoding::percent_decode_str(text).decode_utf8().unwrap().into_owned();
        let pair = |pair: &str| pair.split_once('=').map(|(name, value)| (decode(name), decode(value))).unwrap();
        self.body.split('&').map(pair).collect()
    }
}

/// Takes the message attributes out of the members: name, data type and value of each.
pub(super) fn take_attributes(members: &mut Vec<(String, String)>) -> Vec<String> {
    let (attributes, rest): (Vec<_>, Vec<_>) =
        members.drain(..).partition(|(name, _)| name.starts_with("MessageAttributes.entry."));
    *members = rest;
    let values: Vec<_> = attributes.into_iter().map(|(_, value)| value).collect();
    values.chunks(3).map(|three| three.join(" ")).collect()
}

#[derive(Default)]
struct Seen {
    requests: Vec<Request>,
    connections: usize,
    replies: VecDeque<Reply>,
}

/// The running server; it ends with the test's runtime.
pub(super) struct Peer {
    pub(super) url: String,
    seen: Arc<Mutex<Seen>>,
}

impl Peer {
    pub(super) async fn start(replies: impl IntoIterator<Item = Reply>) -> Self {
        let (listener, url) = listen().await;
        let seen = Arc::new(Mutex::new(Seen { replies: replies.into_iter().collect(), ..Seen::default() }));
        let shared = Arc::clone(&seen);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                lock(&shared).connections += 1;
                tokio::spawn(serve(stream, Arc::clone(&shared)));
            }
        });
        Self { url, seen }
    }

    /// Takes connections and never reads from them.
    pub(super) async fn silent() -> Self {
        let (listener, url) = listen().await;
        tokio::spawn(async move {
            let mut kept = Vec::new();
            while let Ok((stream, _)) = listener.accept().await {
                kept.push(stream);
            }
        });
        Self { url, seen: Arc::default() }
    }

    /// The address of nobody.
    pub(super) async fn closed() -> String {
        listen().await.1
    }

    pub(super) fn requests(&self) -> Vec<Request> {
        lock(&self.seen).requests.clone()
    }

    pub(super) fn connections(&self) -> usize {
        lock(&self.seen).connections
    }
}

async fn listen() -> (TcpListener, String) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    (listener, url)
}

fn lock(seen: &Mutex<Seen>) -> MutexGuard<'_, Seen> {
    seen.lock().unwrap()
}

async fn serve(mut stream: TcpStream, seen: Arc<Mutex<Seen>>) {
    while let Some(request) = read(&mut stream).await {
        let reply = {
            let mut seen = lock(&seen);
            seen.requests.push(request);
            seen.replies.pop_front()
        };
        let written = match reply {
            Some(Reply::Answer(status, body)) => {
                let head = format!("HTTP/1.1 {status} -\r\nx-amzn-requestid: {REQUEST_ID}\r\ncontent-type: text/xml");
                stream.write_all(format!("{head}\r\ncontent-length: {}\r\n\r\n{body}", body.len()).as_bytes()).await
            }
            Some(Reply::CutWithin) => {
                let half = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 500\r\n\r\n<PublishResponse>";
                stream.write_all(half.as_bytes()).await.unwrap();
                return;
            }
            Some(Reply::Long) => {
                let head = "HTTP/1.1 200 OK\r\ncontent-type: text/xml\r\ncontent-length: 100000000\r\n\r\n";
                stream.write_all(head.as_bytes()).await.unwrap();
                // The other end closes when it has enough.
                drop(stream.write_all(&vec![b' '; 1 << 20]).await);
                std::future::pending().await
            }
            Some(Reply::Raw(bytes)) => {
                // The other end may break off before it has all.
                drop(stream.write_all(&bytes).await);
                return;
            }
            Some(Reply::Hang) => std::future::pending().await,
            Some(Reply::Cut) | None => return,
        };
        if written.is_err() {
            return;
        }
    }
}

async fn read(stream: &mut TcpStream) -> Option<Request> {
    let mut bytes = Vec::new();
    loop {
        let end = bytes.windows(4).position(|four| four == b"\r\n\r\n").map(|at| at + 4);
        if let Some(end) = end {
            let head = String::from_utf8(bytes[..end].to_vec()).ok()?;
            let length = head.lines().find_map(|line| line.strip_prefix("content-length: "))?.parse::<usize>().ok()?;
            if bytes.len() >= end + length {
                let body = String::from_utf8(bytes[end..].to_vec()).ok()?;
                return Some(Request { head, body });
            }
        }
        if stream.read_buf(&mut bytes).await.ok()? == 0 {
            return None;
        }
    }
}
