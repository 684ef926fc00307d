//! What things are called: a contract with the Terraform modules, and with whoever looks for them at night.

use crate::aws::Place;

/// The names of one stack in one region. IAM and dashboards are one namespace for all regions of an account, so theirs
/// carry the region.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Names {
    /// The stack: `account.name`.
    pub stack: String,
    /// User and policy of the sender.
    pub sender: String,
    /// The role with which SNS writes delivery status.
    pub delivery_role: String,
    /// The alarm topic.
    pub topic: String,
    /// Its ARN.
    pub topic_arn: String,
    /// The dashboard.
    pub dashboard: String,
    /// The queue.
    pub queue: String,
    /// Its dead-letter queue.
    pub dead_letters: String,
    /// Where the metric filters count.
    pub namespace: String,
}

/// The name of the delivery-status role's inline policy.
pub(super) const DELIVERY_POLICY: &str = "write-delivery-status";

impl Names {
    pub(super) fn new(stack: &str, place: &Place) -> Self {
        let region = &place.region;
        let topic = format!("{stack}-alarms");
        Self {
            stack: stack.to_owned(),
            sender: format!("{stack}-sender-{region}"),
            delivery_role: format!("{stack}-delivery-status-{region}"),
            topic_arn: place.arn("sns", &topic),
            topic,
            dashboard: format!("{stack}-{region}"),
            queue: format!("{stack}-outbox"),
            dead_letters: format!("{stack}-outbox-dead"),
            namespace: format!("SMS/{stack}"),
        }
    }
}
