//! A proxy that knows every host, and leads to one place: what it is asked for is noted.

use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::time::Duration;

/// A proxy of this test's own, as long as the process.
pub(crate) struct Proxy {
    /// `HOST:PORT` of it.
    pub(crate) place: String,
    asked: Receiver<String>,
}

impl Proxy {
    /// Starts one that leads to `target`, whatever host it is asked for.
    pub(crate) fn to(target: &str) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let place = listener.local_addr().unwrap().to_string();
        let (ask, asked) = channel();
        let target = target.to_owned();
        std::thread::spawn(move || {
            for stream in listener.incoming().map_while(Result::ok) {
                let (ask, target) = (ask.clone(), target.clone());
                std::thread::spawn(move || lead(stream, &target, &ask));
            }
        });
        Self { place, asked }
    }

    /// The head of the next request to it.
    pub(crate) fn next(&self) -> String {
        self.asked.recv_timeout(Duration::from_secs(30)).expect("the proxy is asked")
    }

    /// Whether nobody has asked it.
    pub(crate) fn is_unused(&self) -> bool {
        self.asked.try_recv().is_err()
    }
}

fn lead(stream: TcpStream, target: &str, ask: &Sender<String>) {
    let mut reader = BufReader::new(stream.try_clone().unwrap());
    let mut head = String::new();
    while reader.read_line(&mut head).is_ok_and(|read| read > 2) {}
    let mut there = TcpStream::connect(target).unwrap();
    let mut here = stream;
    if head.starts_with("CONNECT ") {
        here.write_all(b"HTTP/1.1 200 Connection established\r\n\r\n").unwrap();
    } else {
        // One request a connection: what follows would come with a head of its own.
        there.write_all(head.replacen("\r\n", "\r\nConnection: close\r\n", 1).as_bytes()).unwrap();
    }
    drop(ask.send(head));
    let mut back = there.try_clone().unwrap();
    let copying = std::thread::spawn(move || copy(&mut back, &mut here));
    copy(&mut reader, &mut there);
    drop(copying.join());
}

fn copy(from: &mut impl Read, to: &mut TcpStream) {
    let mut piece = [0; 4096];
    while let Ok(read @ 1..) = from.read(&mut piece) {
        if to.write_all(&piece[..read]).is_err() {
            break;
        }
    }
    drop(to.shutdown(std::net::Shutdown::Write));
}
