//! Identifiers that no name gives: AWS makes them up.

use crate::aws::{CallError, Session, call, pages};

/// What SNS has instead of an ARN while nobody has confirmed.
const PENDING: &str = "PendingConfirmation";

/// The e-mail addresses on a topic, each with its subscription's ARN; none while it is pending.
///
/// # Errors
/// The call.
pub async fn subscriptions(session: &Session, topic_arn: &str) -> Result<Vec<(String, Option<String>)>, CallError> {
    let send = |token| session.sns.list_subscriptions_by_topic().topic_arn(topic_arn).set_next_token(token).send();
    let pages = pages("sns:ListSubscriptionsByTopic", &"the alarm topic", send, |page| page.next_token()).await?;
    let all = pages.into_iter().flat_map(|page| page.subscriptions.unwrap_or_default());
    let named = all.filter_map(|one| Some((one.endpoint?, one.subscription_arn.filter(|arn| arn != PENDING))));
    Ok(named.collect())
}

/// A queue's URL.
///
/// # Errors
/// The call.
pub async fn queue_url(session: &Session, name: &str) -> Result<String, CallError> {
    let got = call("sqs:GetQueueUrl", &name, || session.sqs.get_queue_url().queue_name(name).send()).await?;
    got.queue_url.ok_or_else(|| {
        CallError::other("sqs:GetQueueUrl", name, "the answer has no URL; is aws.endpoint_url an AWS endpoint?")
    })
}
