//! A wire between the program and moto that can be cut after a given write.

#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, clippy::expect_used, reason = "a test ends where something is not as it must be")]

use std::collections::BTreeSet;
use std::io::{BufReader, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;

use crate::peers::read_message;

/// Passes everything on until the write of a given number: moto takes that one, and nobody hears its answer, or
/// anything after it.
pub(crate) struct Wire {
    endpoint: String,
    state: Arc<State>,
}

struct State {
    peer: String,
    left: AtomicUsize,
    cut: AtomicBool,
    unheard: Unheard,
}

/// Repeated, it leaves two things under one name in moto.
const TWICE: &str = "PutMetricFilter";

/// The calls whose answers nobody hears: each ends its connection.
enum Unheard {
    None,
    /// All of that action.
    All(&'static str),
    /// The first of each action that changes something, by those that there were.
    First(Mutex<BTreeSet<String>>),
}

impl Wire {
    /// The first write is number 1.
    pub(crate) fn cut_after(endpoint: &str, write: usize) -> Self {
        Self::new(endpoint, write, Unheard::None)
    }

    /// Passes everything on but for the answers to calls of that action, each of which ends its connection.
    pub(crate) fn without_answer_to(endpoint: &str, action: &'static str) -> Self {
        Self::new(endpoint, usize::MAX, Unheard::All(action))
    }

    /// Passes everything on but for the first answer to each action that changes something.
    pub(crate) fn without_first_answers(endpoint: &str) -> Self {
        Self::new(endpoint, usize::MAX, Unheard::First(Mutex::default()))
    }

    fn new(endpoint: &str, write: usize, unheard: Unheard) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let peer = endpoint.strip_prefix("http://").unwrap().to_owned();
        let state = Arc::new(State { peer, left: AtomicUsize::new(write), cut: AtomicBool::new(false), unheard });
        let here = format!("http://{}", listener.local_addr().unwrap());
        let shared = Arc::clone(&state);
        thread::spawn(move || {
            for client in listener.incoming().map_while(Result::ok) {
                let state = Arc::clone(&shared);
                // A connection that breaks is what this is about.
                thread::spawn(move || drop(state.pass(client)));
            }
        });
        Self { endpoint: here, state }
    }

    /// What the program takes for AWS.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// Whether that write was there.
    pub(crate) fn is_cut(&self) -> bool {
        self.state.cut.load(Ordering::SeqCst)
    }
}

impl State {
    fn pass(&self, mut client: TcpStream) -> std::io::Result<()> {
        let mut peer = TcpStream::connect(&self.peer)?;
        let (mut from_client, mut from_peer) = (BufReader::new(client.try_clone()?), BufReader::new(peer.try_clone()?));
        while let Some((head, body)) = read_message(&mut from_client)? {
            if self.cut.load(Ordering::SeqCst) {
                return Ok(());
            }
            let (operation, is_write) = operation(&head, &body);
            let is_unheard = match &self.unheard {
                Unheard::None => false,
                Unheard::All(action) => operation == *action,
                Unheard::First(before) => is_write && operation != TWICE && before.lock().unwrap().insert(operation),
            };
            let is_last = is_write && self.left.fetch_sub(1, Ordering::SeqCst) == 1;
            peer.write_all(&head)?;
            peer.write_all(&body)?;
            let Some((head, body)) = read_message(&mut from_peer)? else { return Ok(()) };
            if is_last {
                self.cut.store(true, Ordering::SeqCst);
            }
            if is_unheard || self.cut.load(Ordering::SeqCst) {
                return Ok(());
            }
            client.write_all(&head)?;
            client.write_all(&body)?;
        }
        Ok(())
    }
}

/// The name of the operation, which stands in the form, in a header, or in the path; and whether it changes something.
fn operation(head: &[u8], body: &[u8]) -> (String, bool) {
    let (head, body) = (String::from_utf8_lossy(head), String::from_utf8_lossy(body));
    let in_form = || body.split('&').find_map(|pair| pair.strip_prefix("Action="));
    let in_header = || {
        let line = head.lines().find(|line| line.to_ascii_lowercase().starts_with("x-amz-target:"))?;
        line.rsplit('.').next()
    };
    let in_path = || head.lines().next()?.split(' ').nth(1)?.split("/operation/").nth(1);
    let operation = in_path().or_else(in_header).or_else(in_form).expect("every call has an operation").trim();
    let reads = ["Get", "List", "Describe", "Filter", "Check", "Simulate"];
    (operation.to_owned(), !reads.iter().any(|read| operation.starts_with(read)))
}
