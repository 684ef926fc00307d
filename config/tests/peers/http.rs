//! The least HTTP that reads back from a peer: one blocking request a connection, HTTP/1.0, so that nothing is chunked.

use std::io::{BufRead, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// What a peer answered.
pub(crate) struct Answer {
    /// The status code.
    pub(crate) status: u16,
    /// The body, as text.
    pub(crate) body: String,
}

impl Answer {
    /// The body as JSON.
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.body).expect("a peer answers in JSON")
    }
}

/// GET; `base` is `http://HOST:PORT`.
pub(crate) fn get(base: &str, path: &str) -> Answer {
    get_with(base, path, &[])
}

/// GET with those headers.
pub(crate) fn get_with(base: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
    request(base, &format!("GET {path} HTTP/1.0"), headers, b"")
}

/// POST of a body with those headers.
pub(crate) fn post(base: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    request(base, &format!("POST {path} HTTP/1.0"), headers, body)
}

fn request(base: &str, line: &str, headers: &[(&str, &str)], body: &[u8]) -> Answer {
    let host = base.strip_prefix("http://").expect("a peer speaks plain HTTP");
    let mut stream = TcpStream::connect(host).expect("the peer listens");
    stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
    let mut head = format!("{line}\r\nHost: {host}\r\nContent-Length: {}\r\n", body.len());
    for (name, value) in headers {
        head.push_str(&format!("{name}: {value}\r\n"));
    }
    stream.write_all(format!("{head}\r\n").as_bytes()).unwrap();
    stream.write_all(body).unwrap();

    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("a peer answers in UTF-8");
    let (head, body) = answer.split_once("\r\n\r\n").expect("a peer answers in HTTP");
    let status = head.split(' ').nth(1).and_then(|word| word.parse().ok()).expect("a peer answers with a status");
    Answer { status, body: body.to_owned() }
}

/// Head and body of the next message of HTTP/1.1 with a content length, as SDKs and peers write them; nothing where there
/// is none any more.
pub(crate) fn read_message(from: &mut impl BufRead) -> std::io::Result<Option<(Vec<u8>, Vec<u8>)>> {
    let (mut head, mut length) = (Vec::new(), 0);
    loop {
        let start = head.len();
        if from.read_until(b'\n', &mut head)? == 0 {
            return Ok(None);
        }
        let line = String::from_utf8_lossy(&head[start..]).trim().to_ascii_lowercase();
        if let Some(value) = line.strip_prefix("content-length:") {
            length = value.trim().parse().unwrap();
        }
        if line.is_empty() {
            break;
        }
    }
    let mut body = vec![0; length];
    from.read_exact(&mut body)?;
    Ok(Some((head, body)))
}
