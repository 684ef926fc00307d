//! Identifiers that no name gives: AWS makes them up.

use crate::aws::{CallError, Session, call};

/// What SNS has instead of an ARN while nobody has confirmed.
const PENDING: &str = "PendingConfirmation";

/// The e-mail addresses on a topic, each with its subscription's ARN; none while it is pending.
///
/// # Errors
/// The call.
pub async fn subscriptions(session: &Session, topic_arn: &str) -> Result<Vec<(String, Option<String>)>, CallError> {
    let (mut all, mut token) = (Vec::new(), None::<String>);
    loop {
        let page = call("sns:ListSubscriptionsByTopic", &"the alarm topic", || {
            session.sns.list_subscriptions_by_topic().topic_arn(topic_arn).set_next_token(token.clone()).send()
        })
        .await?;
        all.extend(page.subscriptions.unwrap_or_default().into_iter().filter_map(|one| {
            let arn = one.subscription_arn.filter(|arn| arn != PENDING);
            Some((one.endpoint?, arn))
        }));
        token = page.next_token.filter(|token| !token.is_empty());
        if token.is_none() {
            return Ok(all);
        }
    }
}

/// A queue's URL.
///
/// # Errors
/// The call.
pub async fn queue_url(session: &Session, name: &str) -> Result<String, CallError> {
    let got = call("sqs:GetQueueUrl", &name, || session.sqs.get_queue_url().queue_name(name).send()).await?;
    got.queue_url.ok_or_else(|| CallError::other("sqs:GetQueueUrl", name, "the answer has no URL"))
}
