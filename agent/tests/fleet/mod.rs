//! An SQS queue and the agents that share it.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

pub(crate) mod proxy;

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use serde_json::{Value, json};

use crate::peers::{Ministack, Moto, post};
use crate::process::{Agent, Start};

/// Where another SQS than the tests' own listens (`http://127.0.0.1:PORT`), to run these tests against that one.
const ELSEWHERE: &str = "SMS_FLEET_SQS";

const REGION: &str = "us-east-1";

/// Queues made by this process so far: all of them may be of one peer.
static MADE: AtomicU32 = AtomicU32::new(0);

/// A queue with a dead-letter queue, as `sms-provision` makes them but for its visibility.
pub(crate) struct Fleet {
    sqs: Sqs,
    url: String,
    dead: String,
}

struct Sqs {
    endpoint: String,
    region: &'static str,
    _peer: Peer,
}

/// What is ended with the queue.
enum Peer {
    Moto { _it: Moto },
    Ministack { _it: Ministack },
    Elsewhere,
}

impl Fleet {
    /// With messages hidden for so many seconds, and taken away after so many receives.
    pub(crate) fn new(visibility: u32, receives: u32) -> Self {
        Self::in_region(REGION, visibility, receives)
    }

    /// The same in a region that may be another than that of the agents.
    pub(crate) fn in_region(region: &'static str, visibility: u32, receives: u32) -> Self {
        Self::on(visibility, receives, region, || {
            let moto = Moto::start();
            (moto.endpoint().to_owned(), Peer::Moto { _it: moto })
        })
    }

    /// The same for thousands of messages: moto takes a fifth of a second for each of them.
    pub(crate) fn of_many(visibility: u32, receives: u32) -> Self {
        Self::on(visibility, receives, REGION, || {
            let ministack = Ministack::start_open();
            (ministack.endpoint().to_owned(), Peer::Ministack { _it: ministack })
        })
    }

    fn on(visibility: u32, receives: u32, region: &'static str, start: impl FnOnce() -> (String, Peer)) -> Self {
        let (endpoint, peer) = match std::env::var(ELSEWHERE) {
            Ok(endpoint) => (endpoint, Peer::Elsewhere),
            Err(_) => start(),
        };
        let sqs = Sqs { endpoint, region, _peer: peer };
        let name = format!("sms-{}-{}", std::process::id(), MADE.fetch_add(1, Ordering::Relaxed));
        let dead = sqs.make(&format!("{name}-dead"), &json!({}));
        let policy = json!({ "deadLetterTargetArn": sqs.attributes(&dead)["QueueArn"], "maxReceiveCount": receives });
        let attributes = json!({ "VisibilityTimeout": visibility.to_string(), "RedrivePolicy": policy.to_string() });
        let url = sqs.make(&name, &attributes);
        Self { sqs, url, dead }
    }

    /// Where SQS listens.
    pub(crate) fn endpoint(&self) -> &str {
        &self.sqs.endpoint
    }

    /// The account and the name of the queue, as its URL ends.
    pub(crate) fn path(&self) -> &str {
        self.url.split_once("://").unwrap().1.split_once('/').unwrap().1
    }

    /// An agent of that role on the queue, with the simulator as its carrier.
    pub(crate) fn agent(&self, role: &str) -> Start {
        self.at(Start::new(), self.endpoint(), role)
    }

    /// The same in a folder that an earlier agent left.
    pub(crate) fn agent_in(&self, folder: &Path, role: &str) -> Start {
        self.at(Start::in_folder(folder), self.endpoint(), role)
    }

    /// The same by way of another address, such as a proxy's.
    pub(crate) fn at(&self, start: Start, endpoint: &str, role: &str) -> Start {
        start
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("AWS_REGION", REGION)
            .env("AWS_ACCESS_KEY_ID", "testing")
            .env("AWS_SECRET_ACCESS_KEY", "testing")
            .env("AWS_EC2_METADATA_DISABLED", "true")
            .env("SMS_AGENT__QUEUE", "sqs")
            .env("SMS_AGENT__QUEUE_URL", format!("{endpoint}/{}", self.path()))
            .env("SMS_AGENT__ROLE", role)
    }

    /// An agent whose one publish goes on for longer than a stop of it may take, serving and in the middle of that.
    pub(crate) fn hanging(&self, start: Start) -> Agent {
        let start = start.env("SMS_SIMULATOR__LATENCY", "1m").env("SMS_DISPATCH__ATTEMPT_TIMEOUT", "1m");
        let start = start.env("SMS_DISPATCH__CONCURRENCY", "1").env("SMS_AGENT__SHUTDOWN_TIMEOUT", "6s");
        let agent = start.serve();
        let sending = |agent: &Agent| agent.get("/v1/messages?status=sending").json()["messages"].clone();
        agent.until("a publish hangs", |agent| sending(agent).as_array().unwrap().len() == 1);
        agent
    }

    /// Puts a text into the queue, as anybody with the right to could.
    pub(crate) fn put(&self, text: &str) {
        self.sqs.call("SendMessage", &json!({ "QueueUrl": self.url, "MessageBody": text }));
    }

    /// Messages in the queue: visible, and in somebody's hands.
    pub(crate) fn lying(&self) -> (u32, u32) {
        self.counts(&self.url)
    }

    /// Messages in the dead-letter queue.
    pub(crate) fn dead(&self) -> u32 {
        self.counts(&self.dead).0
    }

    fn counts(&self, url: &str) -> (u32, u32) {
        let all = self.sqs.attributes(url);
        let number = |name: &str| all[name].as_str().unwrap().parse().unwrap();
        (number("ApproximateNumberOfMessages"), number("ApproximateNumberOfMessagesNotVisible"))
    }

    /// Takes one text out of the queue without deleting it, as an agent would that dies then.
    pub(crate) fn steal(&self) -> Value {
        let taken = self.sqs.call(
            "ReceiveMessage",
            &json!({ "QueueUrl": self.url, "MaxNumberOfMessages": 1,
            "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"] }),
        );
        taken["Messages"][0].clone()
    }
}

impl Sqs {
    fn make(&self, name: &str, attributes: &Value) -> String {
        let queue = self.call("CreateQueue", &json!({ "QueueName": name, "Attributes": attributes }));
        queue["QueueUrl"].as_str().unwrap().to_owned()
    }

    fn attributes(&self, url: &str) -> Value {
        self.call("GetQueueAttributes", &json!({ "QueueUrl": url, "AttributeNames": ["All"] }))["Attributes"].clone()
    }

    fn call(&self, operation: &str, body: &Value) -> Value {
        let scope = format!("Credential=testing/20260101/{}/sqs/aws4_request", self.region);
        let headers = [
            ("X-Amz-Target", format!("AmazonSQS.{operation}")),
            ("Content-Type", "application/x-amz-json-1.0".to_owned()),
            ("Authorization", format!("AWS4-HMAC-SHA256 {scope}, SignedHeaders=host, Signature=0")),
        ];
        let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
        let answer = post(&self.endpoint, "/", &headers, body.to_string().as_bytes());
        assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
        serde_json::from_str(&answer.body).unwrap_or_default()
    }
}

/// Sends one and waits for no outcome; its id.
pub(crate) fn send(agent: &Agent, members: &str) -> String {
    let headers = [("Content-Type", "application/json"), ("Prefer", "respond-async")];
    let body = format!(r#"{{"to":"+12065550100","body":"sesame 424242"{members}}}"#);
    let answer = agent.request("POST", "/v1/messages", &headers, &body);
    assert_eq!(answer.status, 202, "{answer:?}");
    answer.json()["id"].as_str().unwrap().to_owned()
}

/// A message as the agent has it.
pub(crate) fn message(agent: &Agent, id: &str) -> Value {
    agent.get(&format!("/v1/messages/{id}")).json()
}

/// Hands in a batch of so many; their ids.
pub(crate) fn hand_in(agent: &Agent, messages: usize) -> Vec<String> {
    let one = r#"{"to":"+12065550100","body":"sesame"}"#;
    let answer = agent.post("/v1/messages/batch", &format!(r#"{{"messages":[{}]}}"#, vec![one; messages].join(",")));
    assert_eq!(answer.status, 200, "{answer:?}");
    let promised = |result: &Value| {
        assert_eq!(result["status"], 202, "{result}");
        result["message"]["id"].as_str().unwrap().to_owned()
    };
    answer.json()["results"].as_array().unwrap().iter().map(promised).collect()
}

/// How often each message is on a phone.
pub(crate) fn published(agents: &[&Agent]) -> HashMap<String, usize> {
    let mut times = HashMap::new();
    for sms in agents.iter().flat_map(|agent| agent.pages("/v1/simulator/messages")) {
        *times.entry(sms["id"].as_str().unwrap().to_owned()).or_default() += 1;
    }
    times
}

/// Nothing was published twice but what is said to be a possible duplicate.
pub(crate) fn assert_told(agents: &[&Agent], times: &HashMap<String, usize>) {
    let histories = agents.iter().flat_map(|agent| agent.pages("/v1/messages"));
    let told = histories.filter(|message| message["possible_duplicate"] == true);
    let told: HashSet<_> = told.map(|message| message["id"].as_str().unwrap().to_owned()).collect();
    for (id, times) in times.iter().filter(|(_, times)| **times > 1) {
        assert!(told.contains(id), "{id} was published {times} times, and nobody says so");
    }
}
