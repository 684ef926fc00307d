//! ministack. With authentication on, an IAM that decides as AWS's does, by the keys that it made itself; without, an SQS
//! that is many times as fast as moto's. It knows neither SMS attributes nor opt-outs.

use super::http::get;
use super::process::Peer;

/// A server of this test's own; it ends when this is dropped.
pub(crate) struct Ministack {
    endpoint: String,
    _peer: Peer,
}

impl Ministack {
    /// Starts one with authentication on and waits until it listens (about a second).
    pub(crate) fn start() -> Self {
        Self::with_authentication("true")
    }

    /// Starts one that asks nobody who they are.
    pub(crate) fn start_open() -> Self {
        Self::with_authentication("false")
    }

    fn with_authentication(on: &str) -> Self {
        let peer = Peer::start_in(super::venv::ministack(), "ministack", include_str!("ministack.py"), &[on]);
        let endpoint = peer.await_line("an address", |line| line.starts_with("http://"));
        Self { endpoint, _peer: peer }
    }

    /// Where it listens: `http://127.0.0.1:PORT`.
    pub(crate) fn endpoint(&self) -> &str {
        &self.endpoint
    }

    /// The environment that leads any AWS SDK to it, as the root of the account 000000000000.
    pub(crate) fn environment(&self) -> [(&'static str, &str); 5] {
        [
            ("AWS_ENDPOINT_URL", &self.endpoint),
            ("AWS_REGION", "us-east-1"),
            ("AWS_ACCESS_KEY_ID", "test"),
            ("AWS_SECRET_ACCESS_KEY", "test"),
            ("AWS_EC2_METADATA_DISABLED", "true"),
        ]
    }

    /// Every SMS published so far, as ministack tells it.
    pub(crate) fn sent_sms(&self) -> serde_json::Value {
        get(&self.endpoint, "/_ministack/sns/sms-messages").json()
    }
}
