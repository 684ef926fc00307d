//! A stand between an agent and SQS that can be cut, or can spoil some calls.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::{Arc, Mutex, Weak};

use serde_json::{Value, json};

use crate::peers::post;

/// What becomes of the calls that pass.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Mood {
    /// They pass.
    Open,
    /// Nobody answers: open connections are cut, and new ones closed before a request is read.
    Cut,
    /// A send arrives, and its answer does not.
    Mute,
    /// Of what is sent, texts with the word `stumble` are refused and the others taken.
    Picky,
    /// Nothing can be hidden from the others any longer.
    Bare,
    /// Nothing can be deleted.
    Sticky,
    /// Nobody may send.
    Sealed,
}

/// The stand; it ends with its process.
pub(crate) struct Proxy {
    address: SocketAddr,
    mood: Arc<Mutex<Mood>>,
    seen: Arc<Mutex<Vec<String>>>,
    open: Arc<Mutex<Vec<Weak<TcpStream>>>>,
}

impl Proxy {
    /// In front of that address, open.
    pub(crate) fn new(upstream: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let (mood, seen) = (Arc::new(Mutex::new(Mood::Open)), Arc::<Mutex<Vec<String>>>::default());
        let open = Arc::<Mutex<Vec<Weak<TcpStream>>>>::default();
        let (upstream, moods, calls) = (upstream.to_owned(), Arc::clone(&mood), Arc::clone(&seen));
        let opened = Arc::clone(&open);
        std::thread::spawn(move || {
            for connection in listener.incoming().map_while(Result::ok) {
                let connection = Arc::new(connection);
                let mut open = opened.lock().unwrap();
                open.retain(|one| one.strong_count() > 0);
                open.push(Arc::downgrade(&connection));
                drop(open);
                let (upstream, moods, calls) = (upstream.clone(), Arc::clone(&moods), Arc::clone(&calls));
                // Whoever is at the other end may be killed at any moment.
                std::thread::spawn(move || drop(pass(&connection, &upstream, &moods, &calls)));
            }
        });
        Self { address, mood, seen, open }
    }

    pub(crate) fn endpoint(&self) -> String {
        format!("http://{}", self.address)
    }

    pub(crate) fn set(&self, mood: Mood) {
        *self.mood.lock().unwrap() = mood;
        if mood == Mood::Cut {
            let open = std::mem::take(&mut *self.open.lock().unwrap());
            // One that has ended meanwhile is as good as cut.
            open.iter().filter_map(Weak::upgrade).for_each(|one| drop(one.shutdown(Shutdown::Both)));
        }
    }

    /// How many calls of that operation came so far.
    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.seen.lock().unwrap().iter().filter(|seen| seen.as_str() == operation).count()
    }
}

fn pass(
    connection: &TcpStream,
    upstream: &str,
    mood: &Mutex<Mood>,
    seen: &Mutex<Vec<String>>,
) -> Result<(), std::io::Error> {
    let now = || *mood.lock().unwrap();
    if now() == Mood::Cut {
        return Ok(());
    }
    let mut reader = BufReader::new(connection);
    let (mut headers, mut length) = (Vec::new(), 0);
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line)? == 0 {
            return Ok(());
        }
        let Some((name, value)) = line.trim_end().split_once(": ") else {
            if line.trim_end().is_empty() {
                break;
            }
            continue;
        };
        if name.eq_ignore_ascii_case("content-length") {
            length = value.parse().unwrap();
        } else if !name.eq_ignore_ascii_case("host") {
            headers.push((name.to_owned(), value.to_owned()));
        }
    }
    let mut body = vec![0; length];
    reader.read_exact(&mut body)?;
    let target = headers.iter().find(|(name, _)| name.eq_ignore_ascii_case("x-amz-target"));
    let operation = target.and_then(|(_, value)| value.rsplit('.').next()).unwrap_or_default().to_owned();
    seen.lock().unwrap().push(operation.clone());
    if now() == Mood::Sealed && operation == "SendMessageBatch" {
        return answer_with(connection, 403, &json!({ "__type": "com.amazonaws.sqs#AccessDenied", "message": "No." }));
    }
    let (body, failed) =
        if now() == Mood::Picky && operation == "SendMessageBatch" { sift(&body) } else { (body, vec![]) };
    let spoilt = match now() {
        Mood::Bare => "ChangeMessageVisibilityBatch",
        Mood::Sticky => "DeleteMessageBatch",
        _ => "none",
    };
    if operation == spoilt {
        return Ok(());
    }
    let headers: Vec<_> = headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
    let mut answer = json!({});
    let mut status = 200;
    if body.len() > 2 {
        let told = post(upstream, "/", &headers, &body);
        status = told.status;
        answer = serde_json::from_str(&told.body).unwrap_or_default();
    }
    // An outage ends what is under way.
    if now() == Mood::Cut || (now() == Mood::Mute && operation == "SendMessageBatch") {
        return Ok(());
    }
    if !failed.is_empty() {
        answer["Failed"] = Value::Array(failed);
    }
    answer_with(connection, status, &answer)
}

fn answer_with(mut connection: &TcpStream, status: u16, answer: &Value) -> Result<(), std::io::Error> {
    let text = answer.to_string();
    let head = format!("HTTP/1.1 {status} X\r\nContent-Type: application/x-amz-json-1.0\r\nConnection: close\r\n");
    write!(connection, "{head}Content-Length: {}\r\n\r\n{text}", text.len())
}

/// What is left of a batch, and what SQS would say of the rest.
fn sift(body: &[u8]) -> (Vec<u8>, Vec<Value>) {
    let mut request: Value = serde_json::from_slice(body).unwrap();
    let stumbles = |entry: &Value| entry["MessageBody"].as_str().unwrap().contains("stumble");
    let entries = request["Entries"].as_array().unwrap().clone();
    let (bad, good): (Vec<_>, Vec<_>) = entries.into_iter().partition(stumbles);
    let refused = |entry: &Value| json!({ "Id": entry["Id"], "SenderFault": false, "Code": "InternalError" });
    let failed = bad.iter().map(refused).collect();
    if good.is_empty() {
        return (Vec::new(), failed);
    }
    request["Entries"] = Value::Array(good);
    (request.to_string().into_bytes(), failed)
}
