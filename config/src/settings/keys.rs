//! The table of all settings: one line a key, in the order of `sms.example.toml`.
//!
//! Everything else reads it: how text is understood, what an error says is allowed, what `check` prints, and the test
//! that holds the example file to it. A key that is not here does not exist.

use std::time::Duration;

use super::form;
use super::kind::Kind::{self, Flag, Number, Numbers, OneOf, Span, Tags, Text, Texts, Word};

/// One setting.
pub(super) struct Key {
    /// Section, dot, key.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    pub(super) default: Default,
}

/// What a key that nobody sets is worth. The texts are TOML.
pub(super) enum Default {
    /// Always this.
    Is(&'static str),
    /// Worked out from other keys or the environment.
    Computed,
    /// Nothing; an empty string says so too.
    Unset,
}
use Default::{Computed, Is, Unset};

impl Key {
    /// The section, and the key within it.
    pub(super) fn parts(&self) -> (&'static str, &'static str) {
        self.name.split_once('.').unwrap_or(("", self.name))
    }

    /// Whether an empty string leaves it unset.
    pub(super) fn can_be_unset(&self) -> bool {
        !matches!(self.default, Is(_))
    }

    /// Whether `check` must not show it.
    pub(super) fn is_secret(&self) -> bool {
        self.name.ends_with(".external_id")
    }
}

const fn key(name: &'static str, kind: Kind, default: Default) -> Key {
    Key { name, kind, default }
}

const fn secs(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

const fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

const DAY: u64 = 24 * 60 * 60;
const PERCENT: Kind = Number { min: 1, max: 100 };

/// The retentions that CloudWatch Logs knows (`PutRetentionPolicy`).
const RETENTIONS: &[u32] =
    &[1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653];

/// Every key that the file, the environment and `--set` know.
pub(super) static KEYS: &[Key] = &[
    key("agent.listen", Texts(form::LISTEN), Is(r#"["127.0.0.1:7670"]"#)),
    key("agent.allow_remote", Flag, Is("false")),
    key("agent.socket_mode", Text(form::SOCKET_MODE), Is(r#""0600""#)),
    key("agent.max_connections", Number { min: 1, max: 1_000_000 }, Is("1024")),
    key("agent.data_dir", Text(form::PATH), Computed),
    key("agent.carrier", Word(&["simulator", "sns"]), Is(r#""simulator""#)),
    key("agent.auth", Word(&["auto", "token", "off"]), Is(r#""auto""#)),
    key("agent.token_file", Text(form::PATH), Computed),
    key("agent.wait", Span { min: secs(0), max: secs(600) }, Is(r#""10s""#)),
    key("agent.default_type", Word(&["transactional", "promotional"]), Is(r#""transactional""#)),
    key("agent.numbers", Word(&["possible", "assigned"]), Is(r#""possible""#)),
    key("agent.shutdown_timeout", Span { min: secs(0), max: secs(600) }, Is(r#""20s""#)),
    key("agent.queue", Word(&["sqlite", "sqs"]), Is(r#""sqlite""#)),
    key("agent.queue_url", Text(form::QUEUE_URL), Unset),
    key("agent.role", Word(&["both", "accept", "dispatch"]), Is(r#""both""#)),
    key("outbox.keep_text", Flag, Is("false")),
    key("outbox.keep_days", Number { min: 1, max: 3650 }, Is("30")),
    key("outbox.idempotency_ttl", Span { min: millis(100), max: secs(30 * DAY) }, Is(r#""24h""#)),
    key("outbox.max_queued", Number { min: 1, max: 100_000_000 }, Is("100000")),
    key("dispatch.segments_per_second", Number { min: 0, max: 100_000 }, Computed),
    key("dispatch.concurrency", Number { min: 1, max: 1024 }, Is("64")),
    key("dispatch.attempt_timeout", Span { min: millis(10), max: secs(300) }, Is(r#""5s""#)),
    key("dispatch.max_attempts", Number { min: 0, max: 1_000_000 }, Is("0")),
    key("dispatch.give_up_after", Span { min: millis(100), max: secs(30 * DAY) }, Is(r#""24h""#)),
    key("dispatch.on_unknown", Word(&["resend", "hold"]), Is(r#""resend""#)),
    key("dispatch.max_resends", Number { min: 0, max: 100 }, Is("2")),
    key("simulator.latency", Span { min: secs(0), max: secs(600) }, Is(r#""0s""#)),
    key("simulator.delivery_delay", Span { min: secs(0), max: secs(DAY) }, Is(r#""1s""#)),
    key("simulator.keep", Number { min: 1, max: 1_000_000 }, Is("10000")),
    key("aws.region", Text(form::REGION), Unset),
    key("aws.profile", Text(form::ANY), Unset),
    key("aws.endpoint_url", Text(form::URL), Unset),
    key("aws.role_arn", Text(form::ROLE_ARN), Unset),
    key("aws.external_id", Text(form::EXTERNAL_ID), Unset),
    key("account.name", Text(form::STACK_NAME), Is(r#""sms""#)),
    key("account.account_id", Text(form::ACCOUNT_ID), Unset),
    key("account.path", Text(form::IAM_PATH), Is(r#""/sms/""#)),
    key("account.permissions_boundary_arn", Text(form::POLICY_ARN), Unset),
    key("account.create_user", Flag, Is("true")),
    key("account.create_access_key", Flag, Is("true")),
    key("account.credentials_file", Text(form::PATH), Computed),
    key("account.sender_role_names", Texts(form::ROLE_NAME), Is("[]")),
    key("account.manage_sms_preferences", Flag, Is("true")),
    key("account.default_sms_type", Word(&["Transactional", "Promotional"]), Is(r#""Transactional""#)),
    key("account.default_sender_id", Text(form::SENDER_ID), Unset),
    key("account.monthly_spend_limit_usd", Number { min: 1, max: 1_000_000 }, Is("1")),
    key("account.usage_report_bucket", Text(form::BUCKET), Unset),
    key("account.delivery_status_logging", Flag, Is("true")),
    key("account.delivery_status_sampling_percent", Number { min: 0, max: 100 }, Is("100")),
    key("account.create_delivery_log_groups", Flag, Is("true")),
    key("account.delivery_log_retention_days", OneOf(RETENTIONS), Is("30")),
    key("account.alarm_emails", Texts(form::EMAIL), Is("[]")),
    key("account.spend_alarm_percents", Numbers { min: 1, max: 100 }, Is("[80, 100]")),
    key("account.failure_alarm_percent", PERCENT, Is("10")),
    key("account.queue", Flag, Is("false")),
    key("account.tags", Tags, Is("{}")),
];

/// The keys of one of `[[targets]]`, beside its `account`.
pub(super) static TARGET_KEYS: &[Key] = &[
    key("targets.name", Text(form::TARGET_NAME), Unset),
    key("targets.region", Text(form::REGION), Unset),
    key("targets.profile", Text(form::ANY), Unset),
    key("targets.role_arn", Text(form::ROLE_ARN), Unset),
    key("targets.external_id", Text(form::EXTERNAL_ID), Unset),
    key("targets.account_id", Text(form::ACCOUNT_ID), Unset),
];

/// The keys whose names begin with `prefix`.
pub(super) fn under(prefix: &'static str) -> impl Iterator<Item = &'static Key> + Clone {
    KEYS.iter().chain(TARGET_KEYS).filter(move |key| key.parts().0 == prefix)
}

/// The name among `known` that `name` was probably meant to be: at most a third of its letters away.
pub(super) fn nearest<'a>(name: &str, known: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = known.map(|other| (distance(name, other), other)).min_by_key(|(distance, _)| *distance);
    near.filter(|(distance, other)| *distance <= other.chars().count().div_ceil(3)).map(|(_, other)| other)
}

/// How many letters must be put in, taken out or changed (Levenshtein).
fn distance(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (index, a) in one.chars().enumerate() {
        let mut left = index + 1;
        let mut diagonal = std::mem::replace(&mut row[0], left);
        for (above, b) in row.iter_mut().skip(1).zip(other.chars()) {
            left = (diagonal + usize::from(a != b)).min(left + 1).min(*above + 1);
            diagonal = std::mem::replace(above, left);
        }
    }
    row.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_of_the_pen_finds_the_key_and_a_stranger_none() {
        let known = || ["carrier", "listen", "wait"].into_iter();
        assert_eq!(nearest("carier", known()), Some("carrier"));
        assert_eq!(nearest("lisetn", known()), Some("listen"));
        assert_eq!(nearest("AKIAIOSFODNN7EXAMPLE", known()), None);
        assert_eq!([distance("", "abc"), distance("abc", ""), distance("kitten", "sitting")], [3, 3, 3]);
    }

    #[test]
    fn no_key_stands_twice_and_keys_of_a_section_stand_together() {
        let sections: Vec<_> = KEYS.iter().map(|key| key.parts().0).collect();
        let mut runs = sections.clone();
        runs.dedup();
        assert_eq!(runs, ["agent", "outbox", "dispatch", "simulator", "aws", "account"]);
        let names: std::collections::HashSet<_> = KEYS.iter().map(|key| key.name).collect();
        assert_eq!(names.len(), KEYS.len());
    }
}
