//! A moto server: AWS as far as moto has it, in memory, empty at start.

use serde::Deserialize;

use super::http::{get, post};
use super::process::Peer;

/// A moto server of this test's own; it ends when this is dropped.
pub(crate) struct Moto {
    endpoint: String,
    _peer: Peer,
}

/// An SMS that was published. moto keeps no message attributes.
#[derive(Clone, Debug, Deserialize, Eq, PartialEq)]
pub(crate) struct Sms {
    /// What SNS's answer called it.
    pub(crate) message_id: String,
    /// To whom.
    pub(crate) phone_number: String,
    /// The text.
    pub(crate) message: String,
}

impl Moto {
    /// Starts one and waits until it listens (about two seconds).
    pub(crate) fn start() -> Self {
        let peer = Peer::start("moto", include_str!("moto.py"));
        let endpoint = peer.await_line("an address", |line| line.starts_with("http://"));
        Self { endpoint, _peer: peer }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The environment that leads any AWS SDK to it, and nowhere else.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "testing"),
            ("AWS_SECRET_ACCESS_KEY", "testing"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    }

    /// Every SMS published since the start or the last reset; of several the order is not told.
    pub(crate) fn sent_sms(&self) -> Vec<Sms> {
        match &self.data()["sns"]["SMS"] {
            serde_json::Value::Null => Vec::new(), // moto lists a service only once it was called
            sent => Deserialize::deserialize(sent).expect("moto lists the SMS it was given"),
        }
    }

    /// All that it holds, by service and kind.
    pub(crate) fn data(&self) -> serde_json::Value {
        get(&self.endpoint, "/moto-api/data.json").json()
    }

    /// The names of all calls so far, such as `SetSMSAttributes`, in their order.
    pub(crate) fn called(&self) -> Vec<String> {
        Deserialize::deserialize(get(&self.endpoint, "/called").json()).expect("it tells names")
    }

    /// Forgets everything.
    pub(crate) fn reset(&self) {
        assert_eq!(post(&self.endpoint, "/moto-api/reset", &[], b"").status, 200);
    }
}
