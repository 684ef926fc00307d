//! Senders that load the real program with all there is, remember what it promised, and hold it to that.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

pub(crate) mod audit;
pub(crate) mod scene;
mod sender;

use std::io::{BufRead, BufReader, Error, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

pub(crate) use sender::Sender;

use crate::process::Answer;

pub(crate) const JSON: (&str, &str) = ("Content-Type", "application/json");
pub(crate) const ASYNC: (&str, &str) = ("Prefer", "respond-async");

/// Longer than an answer takes, so that a hang fails.
const PATIENCE: Duration = Duration::from_secs(30);

/// A connection that is kept over many requests.
pub(crate) struct Connection(BufReader<TcpStream>);

impl Connection {
    pub(crate) fn open(address: SocketAddr) -> std::io::Result<Self> {
        let stream = TcpStream::connect(address)?;
        stream.set_nodelay(true)?;
        stream.set_read_timeout(Some(PATIENCE))?;
        Ok(Self(BufReader::new(stream)))
    }

    /// One request and its whole answer. An error: the agent is gone, and whether it heard is not known.
    pub(crate) fn request(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> std::io::Result<Answer> {
        let mut text = format!("{method} {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n", body.len());
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        self.0.get_mut().write_all(format!("{text}\r\n{body}").as_bytes())?;
        self.answer().inspect_err(|error| assert_ne!(error.kind(), ErrorKind::WouldBlock, "no answer to {path}"))
    }

    fn answer(&mut self) -> std::io::Result<Answer> {
        let mut bytes = Vec::new();
        while !bytes.ends_with(b"\r\n\r\n") {
            if self.0.read_until(b'\n', &mut bytes)? == 0 {
                return Err(Error::from(ErrorKind::UnexpectedEof));
            }
        }
        let length: usize = Answer::read(&bytes).header("content-length").unwrap().parse().unwrap();
        let head = bytes.len();
        bytes.resize(head + length, 0);
        self.0.read_exact(&mut bytes[head..])?;
        Ok(Answer::read(&bytes))
    }
}

/// Random numbers that a seed brings back (SplitMix64).
pub(crate) struct Random(pub(crate) u64);

impl Random {
    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// One of 0 to `limit` - 1.
    pub(crate) fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    pub(crate) fn one_of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }
}

/// A number that the environment sets, or its default.
pub(crate) fn setting(name: &str, default: u64) -> u64 {
    std::env::var(name).map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{name} is a whole number")))
}

/// A seed: that of the environment, or another one each time.
pub(crate) fn seed(name: &str) -> u64 {
    let mut bytes = [0; 4];
    getrandom::fill(&mut bytes).unwrap();
    setting(name, u32::from_le_bytes(bytes).into())
}
