//! What becomes too late on the way to SNS.

use std::sync::Arc;
use std::time::Duration;

use super::peer::{Peer, Reply};
use super::{ACCEPTED, sms, sns};
use crate::carrier::{Attempt, Carrier, Deadline, Signal, Verdict};
use crate::clock::Clock;
use crate::message::{Code, IdSource, Timestamp};

/// Stands at that millisecond.
struct Standing(i64);

impl Clock for Standing {
    fn now(&self) -> Timestamp {
        Timestamp::from_millis(self.0)
    }
}

/// The look before the publish is over by then; the way to SNS may have taken long, or the machine may have slept.
#[tokio::test]
async fn what_ran_out_on_the_way_to_sns_does_not_go_out() {
    let peer = Peer::start([Reply::answer(200, ACCEPTED)]).await;
    let (sns, sms) = (sns(&peer.url).await, sms());
    let by = |now| Deadline { clock: Arc::new(Standing(now)), at: Timestamp::from_millis(1000) };
    let publish = async |deadline: &Deadline| {
        let id = IdSource::new().next(Timestamp::from_millis(1_795_464_000_000));
        let timeout = Duration::from_secs(20);
        sns.publish(Attempt { id, number: 1, sms: &sms, timeout, deadline: Some(deadline) }).await
    };
    let late = publish(&by(1000)).await.unwrap_err();
    assert_eq!((late.verdict, late.signal, late.problem.code), (Verdict::NotSent, Signal::None, Code::Expired));
    assert_eq!(peer.requests().len(), 0);
    assert!(publish(&by(999)).await.is_ok());
    assert_eq!(peer.requests().len(), 1);
}
