//! The shapes of the checked settings: what both binaries read once at start, and never ask about again.
//!
//! Every value here is of its final type, in range and consistent with the others; whoever holds a [`Settings`] has
//! nothing left to check. Defaults and meanings are documented key by key in `sms.example.toml`.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::path::PathBuf;
use std::time::Duration;

use super::account::{Account, Target};
use super::queue_url::QueueUrl;
use super::redact::{REDACTED, redact_url};

/// All sections.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The sidecar: where it listens, what it keeps, whom it lets in.
    pub agent: Agent,
    /// The durable queue and the history.
    pub outbox: Outbox,
    /// How messages leave.
    pub dispatch: Dispatch,
    /// The embedded carrier that needs no account.
    pub simulator: Simulator,
    /// Which AWS account and region, and how to get in.
    pub aws: Aws,
    /// What `sms-provision` makes of that account.
    pub account: Account,
    /// Further accounts and regions, by their distinct names.
    pub targets: Vec<Target>,
}

/// One address to listen on.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Listen {
    /// An IP literal and a port; port 0 picks a free one.
    Tcp(SocketAddr),
    /// A Unix socket.
    Unix(PathBuf),
}

/// Which carrier publishes.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Carrier {
    /// The embedded one.
    Simulator,
    /// Amazon SNS.
    Sns,
}

/// SNS's two kinds of SMS.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum SmsType {
    /// Critical messages, one-time passwords.
    Transactional,
    /// Everything else.
    Promotional,
}

/// Which numbers are accepted.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Numbers {
    /// Whatever can exist.
    Possible,
    /// Only ranges that are known to be assigned.
    Assigned,
}

/// The engine behind the outbox.
#[derive(Clone, Debug, Eq, PartialEq)]
pub enum Queue {
    /// The embedded default.
    Sqlite,
    /// An SQS queue that several agents share.
    Sqs {
        /// Its URL.
        url: QueueUrl,
        /// What this agent does with it.
        role: Role,
    },
}

/// What one of several agents on a queue does.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum Role {
    /// Accepts and publishes.
    Both,
    /// Accepts only.
    Accept,
    /// Publishes only.
    Dispatch,
}

/// What happens to a message whose publish has an unknown outcome.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub enum OnUnknown {
    /// It is published again, at most `dispatch.max_resends` times.
    Resend,
    /// It is never published again.
    Hold,
}

/// `[agent]`.
#[derive(Clone, Debug)]
pub struct Agent {
    /// Where to listen; never empty.
    pub listen: Vec<Listen>,
    /// Permission bits of a Unix socket.
    pub socket_mode: u32,
    /// Connections that each address of `listen` serves at a time.
    pub max_connections: u32,
    /// Folder of the outbox and the token.
    pub data_dir: PathBuf,
    /// Which carrier publishes.
    pub carrier: Carrier,
    /// Whether requests need the token: `agent.auth` with `auto` already decided.
    pub require_token: bool,
    /// Where the token is kept.
    pub token_file: PathBuf,
    /// How long a send waits for its outcome before it answers 202.
    pub wait: Duration,
    /// The type of a message that names none.
    pub default_type: SmsType,
    /// Which numbers are accepted.
    pub numbers: Numbers,
    /// How long a stop waits for what is in flight.
    pub shutdown_timeout: Duration,
    /// The engine behind the outbox.
    pub queue: Queue,
}

/// `[outbox]`.
#[derive(Clone, Copy, Debug)]
pub struct Outbox {
    /// Whether the text of a settled message is kept.
    pub keep_text: bool,
    /// Days of history.
    pub keep_days: u32,
    /// How long an idempotency key is remembered.
    pub idempotency_ttl: Duration,
    /// Messages that may wait before new ones are refused.
    pub max_queued: u64,
}

/// `[dispatch]`.
#[derive(Clone, Copy, Debug)]
pub struct Dispatch {
    /// Outbound pace in segments a second; `None` is no pace. The default for the carrier is already applied.
    pub segments_per_second: Option<NonZeroU32>,
    /// Publishes in flight; at least 1.
    pub concurrency: usize,
    /// How long one publish may take.
    pub attempt_timeout: Duration,
    /// Publish attempts before a message is given up; `None` is no limit.
    pub max_attempts: Option<NonZeroU32>,
    /// Time after acceptance at which a message is given up.
    pub give_up_after: Duration,
    /// What happens after an unknown outcome.
    pub on_unknown: OnUnknown,
    /// How often an unknown outcome is published again.
    pub max_resends: u32,
}

/// `[simulator]`.
#[derive(Clone, Copy, Debug)]
pub struct Simulator {
    /// How long each publish takes.
    pub latency: Duration,
    /// How long after its publish a message is reported as delivered or not.
    pub delivery_delay: Duration,
    /// How many received messages the phone keeps.
    pub keep: u32,
}

/// `[aws]`: what is `None` is left to the SDK's own chain.
#[derive(Clone, Default, Eq, PartialEq)]
pub struct Aws {
    /// Region. SMS attributes, sandbox, spend and opt-outs are all per region.
    pub region: Option<String>,
    /// Profile of the shared configuration files.
    pub profile: Option<String>,
    /// Where to send AWS calls instead of to AWS.
    pub endpoint_url: Option<String>,
    /// Role to assume.
    pub role_arn: Option<String>,
    /// The external id that the role's trust policy asks for.
    pub external_id: Option<String>,
}

impl fmt::Debug for Aws {
    /// Without the external id, and without a password that somebody put into the URL.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Aws")
            .field("region", &self.region)
            .field("profile", &self.profile)
            .field("endpoint_url", &self.endpoint_url.as_deref().map(redact_url))
            .field("role_arn", &self.role_arn)
            .field("external_id", &self.external_id.as_ref().map(|_| REDACTED))
            .finish()
    }
}
