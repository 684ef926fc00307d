//! One program that sends: of everything something, and it writes down what it was promised.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;

use serde_json::{Value, json};

use super::{ASYNC, Connection, JSON, Random};
use crate::process::Answer;

/// Numbers of the simulator that answer otherwise than most.
pub(crate) const REJECTED: &str = "+15005550001";
const OPTED_OUT: &str = "+15005550002";
const THROTTLED_TWICE: &str = "+15005550003";
const THROTTLED: &str = "+15005550004";
const REFUSED_ONCE: &str = "+15005550006";
const UNDELIVERABLE: &str = "+15005550007";
pub(crate) const SILENT: &str = "+15005550008";

/// What an answer said of a message.
#[derive(Clone, Debug)]
pub(crate) struct Promise {
    pub(crate) id: String,
    /// The status that it ended with, where that is known: it stays so.
    pub(crate) end: Option<String>,
}

/// A request that can be made again.
#[derive(Clone)]
struct Request {
    path: &'static str,
    key: Option<String>,
    asynchronous: bool,
    body: Value,
    /// The words by which its messages are found again, one for each.
    references: Vec<String>,
}

pub(crate) struct Sender {
    name: String,
    random: Random,
    made: u64,
    /// What it was promised, by the message's reference.
    pub(crate) promised: HashMap<String, Promise>,
    /// References of messages that it wanted back, whatever came of that.
    pub(crate) taken_back: HashSet<String>,
    /// Requests with a key that got no answer: they are made again.
    unanswered: Vec<Request>,
    /// Those that got one: they are made again at the end.
    answered: Vec<Request>,
    /// Refusals that are none of the agent's fault: their codes.
    tolerates: &'static [&'static str],
    /// References of messages that were refused so, and did not come again: they do not exist.
    pub(crate) refused: HashSet<String>,
}

impl Sender {
    pub(crate) fn new(name: String, seed: u64) -> Self {
        Self {
            name,
            random: Random(seed),
            made: 0,
            promised: HashMap::new(),
            taken_back: HashSet::new(),
            unanswered: Vec::new(),
            answered: Vec::new(),
            tolerates: &[],
            refused: HashSet::new(),
        }
    }

    /// The same, which takes problems of these codes for what they are.
    pub(crate) fn tolerating(self, tolerates: &'static [&'static str]) -> Self {
        Self { tolerates, ..self }
    }

    /// References of messages that came with a key: each names one message at most.
    pub(crate) fn keyed(&self) -> impl Iterator<Item = &String> {
        self.answered.iter().chain(&self.unanswered).flat_map(|request| &request.references)
    }

    /// Sends until the agent is gone or `more` says no.
    pub(crate) fn send_while(&mut self, address: SocketAddr, more: impl Fn() -> bool) {
        let Ok(mut connection) = Connection::open(address) else { return };
        for request in std::mem::take(&mut self.unanswered) {
            self.make(&mut connection, request);
        }
        while more() {
            let request = self.invent();
            let taken_back = self.random.below(20) == 0 && request.asynchronous && request.key.is_none();
            let reference = request.references[0].clone();
            if !self.make(&mut connection, request) {
                return;
            }
            if taken_back && !self.take_back(&mut connection, &reference) {
                return;
            }
        }
    }

    /// Makes each request with a key once more; the answers are held against the first ones.
    pub(crate) fn ask_again(&mut self, address: SocketAddr) {
        let mut connection = Connection::open(address).unwrap();
        for request in std::mem::take(&mut self.unanswered) {
            assert!(self.make(&mut connection, request), "the agent is there");
        }
        for request in std::mem::take(&mut self.answered) {
            let answer = Self::put(&mut connection, &request).unwrap();
            let nothing_stored =
                answer.json()["results"].as_array().is_some_and(|all| all.iter().all(|one| one["message"].is_null()));
            assert!(nothing_stored || answer.header("idempotency-replayed") == Some("true"), "{answer:?}");
            self.learn(&request, &answer);
            self.answered.push(request);
        }
    }

    /// False: the agent is gone.
    fn make(&mut self, connection: &mut Connection, request: Request) -> bool {
        let answer = Self::put(connection, &request);
        let heard = answer.as_ref().is_ok_and(|answer| self.learn(&request, answer));
        if request.key.is_some() {
            if heard { self.answered.push(request) } else { self.unanswered.push(request) }
        }
        answer.is_ok()
    }

    fn put(connection: &mut Connection, request: &Request) -> std::io::Result<Answer> {
        let mut headers = vec![JSON];
        headers.extend(request.key.as_deref().map(|key| ("Idempotency-Key", key)));
        headers.extend(request.asynchronous.then_some(ASYNC));
        connection.request("POST", request.path, &headers, &request.body.to_string())
    }

    /// Writes down what the answer promises. False: it refuses for now.
    fn learn(&mut self, request: &Request, answer: &Answer) -> bool {
        let json = answer.json();
        match (answer.status, json["results"].as_array()) {
            (200, Some(results)) => {
                assert_eq!(results.len(), request.references.len(), "{answer:?}");
                for (reference, result) in request.references.iter().zip(results) {
                    let good = !reference.ends_with("bad");
                    assert_eq!(result["status"] == 202, good, "{result}");
                    if good {
                        self.promise(reference, &result["message"]["id"], None);
                    }
                }
            }
            (200 | 202, None) => self.promise(&request.references[0], &json["id"], None),
            // It was accepted, and this is how it ended.
            (409 | 422 | 502, None) if json["id"].is_string() => {
                let end = match answer.problem().as_str() {
                    "expired" => "expired",
                    "canceled" => "canceled",
                    _ => "failed",
                };
                self.promise(&request.references[0], &json["id"], Some(end));
            }
            _ => {
                let code = answer.problem();
                assert!(self.tolerates.contains(&code.as_str()), "{answer:?}");
                assert!(json["id"].is_null(), "nothing was accepted: {answer:?}");
                if request.key.is_none() && code != "internal" {
                    self.refused.extend(request.references.iter().cloned());
                }
                return false;
            }
        }
        true
    }

    fn promise(&mut self, reference: &str, id: &Value, end: Option<&str>) {
        let id = id.as_str().unwrap().to_owned();
        let promise = Promise { id, end: end.map(str::to_owned) };
        let before = self.promised.insert(reference.to_owned(), promise.clone());
        assert!(before.as_ref().is_none_or(|before| before.id == promise.id), "{before:?} became {promise:?}");
    }

    /// False: the agent is gone.
    fn take_back(&mut self, connection: &mut Connection, reference: &str) -> bool {
        let Some(promise) = self.promised.get_mut(reference) else { return true };
        self.taken_back.insert(reference.to_owned());
        let Ok(answer) = connection.request("DELETE", &format!("/v1/messages/{}", promise.id), &[], "") else {
            return false;
        };
        match answer.status {
            200 => promise.end = answer.json()["status"].as_str().map(str::to_owned),
            409 => assert_eq!(answer.problem(), "not_cancelable"),
            _ => assert!(self.tolerates.contains(&answer.problem().as_str()), "{answer:?}"),
        }
        true
    }

    fn invent(&mut self) -> Request {
        let asynchronous = self.random.below(2) == 0;
        let (reference, ordinary) = (self.reference(""), self.number());
        let one = |to: &str, asynchronous| Request {
            path: "/v1/messages",
            key: None,
            asynchronous,
            body: sms(&reference, to),
            references: vec![reference.clone()],
        };
        match self.random.below(100) {
            0..50 => one(&ordinary, asynchronous),
            50..68 => Request { key: Some(format!("key {reference}")), ..one(&ordinary, asynchronous) },
            68..80 => self.batch(),
            80..84 => one(THROTTLED_TWICE, asynchronous),
            84..89 => one(REFUSED_ONCE, asynchronous),
            89..92 => one(UNDELIVERABLE, asynchronous),
            92..94 => one(SILENT, true),
            94..97 => one(REJECTED, asynchronous),
            _ => {
                let mut request = one(THROTTLED, true);
                request.body["expires_in"] = 1.into();
                request
            }
        }
    }

    fn batch(&mut self) -> Request {
        let references: Vec<_> = (0..=self.random.below(15))
            .map(|_| if self.random.below(10) == 0 { self.reference(" bad") } else { self.reference("") })
            .collect();
        let messages: Vec<_> = references
            .iter()
            .map(|reference| {
                let number = self.number();
                sms(reference, if reference.ends_with("bad") { OPTED_OUT } else { &number })
            })
            .collect();
        let key = (self.random.below(2) == 0).then(|| format!("key {}", references[0]));
        Request {
            path: "/v1/messages/batch",
            key,
            asynchronous: false,
            body: json!({ "messages": messages }),
            references,
        }
    }

    fn reference(&mut self, kind: &str) -> String {
        self.made += 1;
        format!("{} {}{kind}", self.name, self.made)
    }

    fn number(&mut self) -> String {
        format!("+1206555{:04}", self.random.below(10_000))
    }
}

fn sms(reference: &str, to: &str) -> Value {
    json!({ "to": to, "body": text(reference), "reference": reference })
}

/// The text of the message with that reference, and of no other.
pub(crate) fn text(reference: &str) -> String {
    format!("Your code is {reference}")
}
