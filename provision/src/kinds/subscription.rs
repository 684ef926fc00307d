//! Who is told of alarms: the e-mail addresses on the alarm topic, which own nothing but their place there.

use std::sync::Arc;

use aws_sdk_sns::types::Subscription;
use serde_json::json;

use super::{Answer, Ground, ResourceKind, Update};
use crate::aws::{CallError, call_about, call_delete, pages};
use crate::resource::{Attributes, Found, Id, Kind, Resource};

pub(super) struct Subscriptions(pub(super) Arc<Ground>);

const PROTOCOL: &str = "email";
/// Instead of an ARN: nobody has followed the link in SNS's mail.
const PENDING: &str = "PendingConfirmation";
/// Instead of an ARN: SNS shows for a while what is gone.
const DELETED: &str = "Deleted";

impl Subscriptions {
    fn topic(&self) -> Id {
        Id::new(Kind::SnsTopic, &self.0.stack.names.topic)
    }

    async fn list(&self) -> Result<Vec<Subscription>, CallError> {
        let (id, arn) = (self.topic(), &self.0.stack.names.topic_arn);
        let asked = self.0.session.sns.list_subscriptions_by_topic().topic_arn(arn);
        let send = |token| asked.clone().set_next_token(token).send();
        let pages = pages("sns:ListSubscriptionsByTopic", &id, send, |page| page.next_token()).await;
        let pages = CallError::if_there(pages)?.unwrap_or_default().into_iter();
        let there = |one: &Subscription| {
            one.protocol() == Some(PROTOCOL) && one.subscription_arn().is_some_and(|arn| arn != DELETED)
        };
        Ok(pages.flat_map(|page| page.subscriptions.unwrap_or_default()).filter(there).collect())
    }
}

/// What a subscription is to the plan. One that is pending has no ARN by which it could be removed, and goes with its
/// topic.
fn found(one: &Subscription, wanted: bool, topic_goes: bool) -> Option<Found> {
    let id = Id::new(Kind::SnsSubscription, one.endpoint().unwrap_or_default());
    let mut found = Found::ours(id, Attributes::from([("protocol".to_owned(), json!(PROTOCOL))]));
    match (one.subscription_arn() == Some(PENDING), wanted, topic_goes) {
        (false, ..) => {}
        (true, true, _) => {
            found.notes.push(format!("{} gets no alarms until its owner follows the link in AWS's mail", found.id));
        }
        (true, false, false) => {
            found.keep = Some("it was never confirmed: AWS drops it in time, and cannot sooner".to_owned());
        }
        (true, false, true) => return None,
    }
    Some(found)
}

impl ResourceKind for Subscriptions {
    fn kind(&self) -> Kind {
        Kind::SnsSubscription
    }

    fn read<'a>(&'a self, candidates: &'a [&'a Resource]) -> Answer<'a, Vec<Found>> {
        Box::pin(async move {
            let list = self.list().await?;
            let topic_goes = self.0.stack.of(Kind::SnsTopic).iter().all(|topic| topic.wanted.is_none());
            let wanted = |email: &str| candidates.iter().any(|one| one.id.name == email && one.wanted.is_some());
            let found = |one: &Subscription| found(one, wanted(one.endpoint().unwrap_or_default()), topic_goes);
            Ok(list.iter().filter_map(found).collect())
        })
    }

    fn create<'a>(&'a self, id: &'a Id, _: &'a Attributes) -> Answer<'a, ()> {
        Box::pin(async move {
            let arn = &self.0.stack.names.topic_arn;
            let send = || self.0.session.sns.subscribe().topic_arn(arn).protocol(PROTOCOL).endpoint(&id.name).send();
            // The topic may have been.
            call_about("sns:Subscribe", id, send).await.map(drop)
        })
    }

    /// There is nothing about a subscription that could differ.
    fn update<'a>(&'a self, _: Update<'a>) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn delete<'a>(&'a self, found: &'a Found) -> Answer<'a, ()> {
        Box::pin(async move {
            let id = &found.id;
            for one in self.list().await?.iter().filter(|one| one.endpoint() == Some(&id.name)) {
                let arn = one.subscription_arn().filter(|arn| *arn != PENDING);
                let Some(arn) = arn else { continue };
                let send = || self.0.session.sns.unsubscribe().subscription_arn(arn).send();
                call_delete("sns:Unsubscribe", id, send).await?;
            }
            Ok(())
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn subscription(arn: &str) -> Subscription {
        Subscription::builder().protocol(PROTOCOL).endpoint("ops@example.org").subscription_arn(arn).build()
    }

    #[test]
    fn one_that_waits_for_its_owner_is_there_and_says_so() {
        let found = found(&subscription(PENDING), true, false).unwrap();
        assert_eq!(found.keep, None);
        assert!(found.notes.iter().any(|note| note.contains("ops@example.org gets no alarms until")), "{found:?}");
    }

    #[test]
    fn one_that_waits_and_is_not_wanted_stays_while_its_topic_does() {
        assert!(found(&subscription(PENDING), false, false).unwrap().keep.is_some());
        assert_eq!(found(&subscription(PENDING), false, true), None);
    }

    #[test]
    fn one_that_is_confirmed_goes_when_it_is_not_wanted() {
        let found = found(&subscription("arn:aws:sns:us-east-1:123456789012:sms-alarms:1"), false, false).unwrap();
        assert_eq!((found.keep, found.notes), (None, Vec::new()));
    }
}
