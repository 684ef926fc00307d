//! An SQS queue of moto's and the agents that share it.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

pub(crate) mod proxy;

use std::path::Path;

use serde_json::{Value, json};

use crate::peers::{Moto, post};
use crate::process::{Agent, Start};

/// A queue with a dead-letter queue, as `sms-provision` makes them but for its visibility.
pub(crate) struct Fleet {
    pub(crate) moto: Moto,
    url: String,
    dead: String,
}

impl Fleet {
    /// With messages hidden for so many seconds, and taken away after so many receives.
    pub(crate) fn new(visibility: u32, receives: u32) -> Self {
        let moto = Moto::start();
        let make = |name: &str, attributes: Value| {
            let queue = call(&moto, "CreateQueue", &json!({ "QueueName": name, "Attributes": attributes }));
            queue["QueueUrl"].as_str().unwrap().to_owned()
        };
        let dead = make("sms-outbox-dead", json!({}));
        let policy = json!({
            "deadLetterTargetArn": "arn:aws:sqs:us-east-1:123456789012:sms-outbox-dead", "maxReceiveCount": receives,
        });
        let attributes = json!({ "VisibilityTimeout": visibility.to_string(), "RedrivePolicy": policy.to_string() });
        let url = make("sms-outbox", attributes);
        Self { moto, url, dead }
    }

    /// The queue by way of another address, such as a proxy's.
    pub(crate) fn url(&self, endpoint: &str) -> String {
        self.url.replace(self.moto.endpoint(), endpoint)
    }

    /// An agent of that role on the queue, with the simulator as its carrier.
    pub(crate) fn agent(&self, role: &str) -> Start {
        self.at(Start::new(), self.moto.endpoint(), role)
    }

    /// The same in a folder that an earlier agent left.
    pub(crate) fn agent_in(&self, folder: &Path, role: &str) -> Start {
        self.at(Start::in_folder(folder), self.moto.endpoint(), role)
    }

    /// The same by way of another address.
    pub(crate) fn at(&self, start: Start, endpoint: &str, role: &str) -> Start {
        let start = self.moto.environment().into_iter().fold(start, |start, (name, value)| start.env(name, value));
        start
            .env("AWS_ENDPOINT_URL", endpoint)
            .env("SMS_AGENT__QUEUE", "sqs")
            .env("SMS_AGENT__QUEUE_URL", self.url(endpoint))
            .env("SMS_AGENT__ROLE", role)
    }

    /// Puts a text into the queue, as anybody with the right to could.
    pub(crate) fn put(&self, text: &str) {
        call(&self.moto, "SendMessage", &json!({ "QueueUrl": self.url, "MessageBody": text }));
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
        let all = call(&self.moto, "GetQueueAttributes", &json!({ "QueueUrl": url, "AttributeNames": ["All"] }));
        let number = |name: &str| all["Attributes"][name].as_str().unwrap().parse().unwrap();
        (number("ApproximateNumberOfMessages"), number("ApproximateNumberOfMessagesNotVisible"))
    }

    /// Takes one text out of the queue without deleting it, as an agent would that dies then.
    pub(crate) fn steal(&self) -> Value {
        let taken = call(
            &self.moto,
            "ReceiveMessage",
            &json!({ "QueueUrl": self.url, "MaxNumberOfMessages": 1,
            "MessageSystemAttributeNames": ["All"], "MessageAttributeNames": ["All"] }),
        );
        taken["Messages"][0].clone()
    }
}

fn call(moto: &Moto, operation: &str, body: &Value) -> Value {
    let headers = [
        ("X-Amz-Target", format!("AmazonSQS.{operation}")),
        ("Content-Type", "application/x-amz-json-1.0".to_owned()),
        ("Authorization", "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/sqs/aws4_request".to_owned()),
    ];
    let headers: Vec<_> = headers.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let answer = post(moto.endpoint(), "/", &headers, body.to_string().as_bytes());
    assert_eq!(answer.status, 200, "{operation}: {}", answer.body);
    answer.json()
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
