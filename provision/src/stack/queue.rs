//! The queue for many agents, and the one for what no agent could settle.

use serde_json::{Value, json};

use super::{Site, resource};
use crate::resource::{Id, Kind, Resource};

const VISIBILITY_SECONDS: u32 = 60;
/// Far above what an SMS takes, and what Terraform's provider sets where nobody says otherwise.
const MAX_MESSAGE_BYTES: u32 = 262_144;
const DAY_SECONDS: u32 = 86_400;
/// A message that was taken so often is poison.
const MAX_RECEIVES: u32 = 20;

pub(super) fn resources(site: &Site<'_>) -> Vec<Resource> {
    let (names, wanted) = (site.names, site.account.queue);
    let arn = |name: &str| site.place.arn("sqs", name);
    let dead = site.tagged(
        wanted,
        [
            ("visibility_seconds", json!(VISIBILITY_SECONDS)),
            ("delay_seconds", json!(0)),
            ("receive_wait_seconds", json!(0)),
            ("retention_seconds", json!(14 * DAY_SECONDS)),
            ("max_message_bytes", json!(MAX_MESSAGE_BYTES)),
            ("sqs_managed_sse", json!(true)),
            ("kms_key_id", Value::Null),
            ("redrive_policy", Value::Null),
            ("policy", policy(&arn(&names.dead_letters))),
        ],
    );
    let queue = site.tagged(
        wanted,
        [
            ("visibility_seconds", json!(VISIBILITY_SECONDS)),
            ("delay_seconds", json!(0)),
            ("receive_wait_seconds", json!(0)),
            ("retention_seconds", json!(4 * DAY_SECONDS)),
            ("max_message_bytes", json!(MAX_MESSAGE_BYTES)),
            ("sqs_managed_sse", json!(true)),
            ("kms_key_id", Value::Null),
            (
                "redrive_policy",
                json!({ "deadLetterTargetArn": arn(&names.dead_letters), "maxReceiveCount": MAX_RECEIVES }),
            ),
            ("policy", policy(&arn(&names.queue))),
        ],
    );
    vec![
        resource(Kind::SqsQueue, &names.dead_letters, dead, &[]),
        resource(Kind::SqsQueue, &names.queue, queue, &[Id::new(Kind::SqsQueue, &names.dead_letters)]),
    ]
}

/// Who may use it is said by the users' and roles' own policies; nobody may without TLS.
fn policy(arn: &str) -> Value {
    json!({
        "Version": "2012-10-17",
        "Statement": [{
            "Sid": "OnlyOverTls",
            "Effect": "Deny",
            "Principal": "*",
            "Action": "sqs:*",
            "Resource": arn,
            "Condition": { "Bool": { "aws:SecureTransport": "false" } },
        }],
    })
}
