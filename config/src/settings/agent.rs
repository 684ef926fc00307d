//! The sections that the agent runs on: `[agent]`, `[outbox]`, `[dispatch]`, `[simulator]` and `[aws]`.

use std::num::NonZeroU32;
use std::path::{Path, PathBuf};

use super::check::{Check, expand};
use super::form;
use super::queue_url::QueueUrl;
use super::shape::{
    Agent, Aws, Carrier, Dispatch, Listen, Numbers, OnUnknown, Outbox, Queue, Role, Simulator, SmsType,
};
use super::values::Values;

/// SNS's own default quota in most regions, in segments a second.
const SNS_PACE: u32 = 20;

impl Check<'_> {
    pub(super) fn agent(&mut self) -> Agent {
        let values = self.values;
        let carrier = carrier(values);
        let listen: Vec<Listen> = values.texts("agent.listen").iter().filter_map(|one| self.listen(one)).collect();
        let data_dir = self.data_dir(carrier);
        Agent {
            require_token: self.require_token(carrier, &listen),
            listen,
            // Its form is checked: three or four octal digits.
            socket_mode: form::octal(&values.text("agent.socket_mode")).unwrap_or(0o600),
            max_connections: values.number("agent.max_connections"),
            token_file: self.path("agent.token_file").unwrap_or_else(|| data_dir.join("token")),
            data_dir,
            carrier,
            wait: values.span("agent.wait"),
            default_type: match values.text("agent.default_type").as_str() {
                "promotional" => SmsType::Promotional,
                _ => SmsType::Transactional,
            },
            numbers: match values.text("agent.numbers").as_str() {
                "assigned" => Numbers::Assigned,
                _ => Numbers::Possible,
            },
            shutdown_timeout: values.span("agent.shutdown_timeout"),
            queue: self.queue(),
        }
    }

    fn listen(&mut self, text: &str) -> Option<Listen> {
        match text.strip_prefix("unix:") {
            Some(path) => {
                let expanded = expand(path, self.home);
                if expanded.is_none() {
                    let what = "has a path that begins with ~ and there is no HOME; write the whole path";
                    self.refuse_homeless("agent.listen", what);
                }
                expanded.map(Listen::Unix)
            }
            None => text.parse().ok().map(Listen::Tcp),
        }
    }

    /// `auto` is decided here; what is reachable from elsewhere is refused unless that was meant.
    fn require_token(&mut self, carrier: Carrier, listen: &[Listen]) -> bool {
        let local = listen.iter().all(is_local);
        if self.values.texts("agent.listen").is_empty() {
            self.refuse("agent.listen", "must name at least one address");
        }
        if !local && !self.values.flag("agent.allow_remote") {
            let what = "must be loopback (127.0.0.1, [::1]) or unix:; to be reached from elsewhere, set agent.allow_remote = true";
            self.refuse("agent.listen", what);
        }
        match self.values.text("agent.auth").as_str() {
            "off" if !local => {
                let what = "may be \"off\" only where all of agent.listen is loopback or unix:; use \"token\"";
                self.refuse("agent.auth", what);
                true
            }
            "off" => false,
            "auto" => carrier == Carrier::Sns || !local,
            _ => true,
        }
    }

    /// Trials on the simulator have a folder of their own, so that they never meet what goes to real phones.
    fn data_dir(&mut self, carrier: Carrier) -> PathBuf {
        let base = |folder: &Path, within: &str| {
            let folder = folder.join(within).join("sms-agent");
            if carrier == Carrier::Simulator { folder.join("simulator") } else { folder }
        };
        let set = self.path("agent.data_dir");
        let of_user =
            || self.state_home.map(|state| base(state, "")).or_else(|| Some(base(self.home?, ".local/state")));
        set.or_else(of_user).unwrap_or_else(|| {
            let what = "must be set, since neither XDG_STATE_HOME nor HOME is an absolute path";
            self.refuse_homeless("agent.data_dir", what);
            PathBuf::new()
        })
    }

    /// A queue's URL or a role without the queue would be a mistake that nobody notices: messages would stay here.
    fn queue(&mut self) -> Queue {
        let url = self.values.find_text("agent.queue_url");
        let role = match self.values.text("agent.role").as_str() {
            "accept" => Role::Accept,
            "dispatch" => Role::Dispatch,
            _ => Role::Both,
        };
        if self.values.text("agent.queue") == "sqs" {
            if let Some(url) = url.as_deref().and_then(QueueUrl::parse) {
                return Queue::Sqs { url, role };
            }
            let what = format!("must be {}, since agent.queue is \"sqs\"", form::QUEUE_URL.allowed);
            self.refuse("agent.queue_url", what);
            // Nothing runs on what was refused.
            return Queue::Sqlite;
        }
        if url.is_some() {
            self.refuse("agent.queue_url", "is only for agent.queue = \"sqs\"");
        }
        if role != Role::Both {
            self.refuse("agent.role", "may be other than \"both\" only with agent.queue = \"sqs\"");
        }
        Queue::Sqlite
    }

    pub(super) fn aws(&mut self) -> Aws {
        let text = |key| self.values.find_text(key);
        let aws = Aws {
            region: text("aws.region"),
            profile: text("aws.profile"),
            endpoint_url: text("aws.endpoint_url"),
            role_arn: text("aws.role_arn"),
            external_id: text("aws.external_id"),
        };
        if aws.external_id.is_some() && aws.role_arn.is_none() {
            self.refuse("aws.external_id", "is only for a role; set aws.role_arn too");
        }
        aws
    }
}

pub(super) fn outbox(values: &Values) -> Outbox {
    Outbox {
        keep_text: values.flag("outbox.keep_text"),
        keep_days: values.number("outbox.keep_days"),
        idempotency_ttl: values.span("outbox.idempotency_ttl"),
        max_queued: values.number("outbox.max_queued").into(),
    }
}

pub(super) fn dispatch(values: &Values) -> Dispatch {
    let pace = values.find_number("dispatch.segments_per_second");
    Dispatch {
        segments_per_second: NonZeroU32::new(pace.unwrap_or(match carrier(values) {
            Carrier::Sns => SNS_PACE,
            Carrier::Simulator => 0,
        })),
        concurrency: values.number("dispatch.concurrency") as usize,
        attempt_timeout: values.span("dispatch.attempt_timeout"),
        max_attempts: NonZeroU32::new(values.number("dispatch.max_attempts")),
        give_up_after: values.span("dispatch.give_up_after"),
        on_unknown: match values.text("dispatch.on_unknown").as_str() {
            "hold" => OnUnknown::Hold,
            _ => OnUnknown::Resend,
        },
        max_resends: values.number("dispatch.max_resends"),
    }
}

pub(super) fn simulator(values: &Values) -> Simulator {
    Simulator {
        latency: values.span("simulator.latency"),
        delivery_delay: values.span("simulator.delivery_delay"),
        keep: values.number("simulator.keep"),
    }
}

fn carrier(values: &Values) -> Carrier {
    match values.text("agent.carrier").as_str() {
        "sns" => Carrier::Sns,
        _ => Carrier::Simulator,
    }
}

/// Whether only this machine can reach it. `::ffff:127.0.0.1` is loopback too.
fn is_local(listen: &Listen) -> bool {
    match listen {
        Listen::Tcp(address) => address.ip().to_canonical().is_loopback(),
        Listen::Unix(_) => true,
    }
}
