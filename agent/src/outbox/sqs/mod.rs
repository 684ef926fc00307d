//! The engine for many agents: an SQS queue that they share, on the base of the embedded one.
//!
//! In flow the calls of [`Outbox`]. What is accepted becomes a row here, then a message in the queue (`forwarding`); what
//! is taken from the queue becomes a row here, is published like any other, and is deleted from the queue once it is
//! settled (`taking`, `held`, `deleting`). The rules it keeps: the row first, then SQS; what this agent knows to be
//! published it publishes no second time; what another may have published is of unknown outcome. The rows are also the
//! history: of what this agent accepted or took.

mod date;
mod deleting;
mod forwarding;
mod giving_back;
mod held;
mod looking;
mod queue;
mod taking;
mod unreadable;
mod way;
mod wire;

use std::sync::Arc;
use std::time::Duration;

use futures_util::FutureExt;
use futures_util::future::{BoxFuture, join_all};
use sms_config::{AwsAccess, QueueUrl, Role};

use self::forwarding::Forwarding;
use self::giving_back::GivingBack;
use self::looking::Looking;
pub use self::queue::NoQueue;
use self::queue::Queue;
use self::taking::Taking;
use super::sqlite::SqliteOutbox;
use super::{
    Acceptance, Accepted, Canceled, Claim, Claims, Cursor, Demand, Fetched, Filter, Idempotency, Outbox, Outcome, Page,
    Swept,
};
use crate::clock::Clock;
use crate::message::{Message, MessageId, Problem, Timestamp};

/// How long an acceptance waits for SQS, once its message is on the disk.
const SENDING: Duration = Duration::from_secs(2);

/// The outbox whose queue several agents share.
pub struct SqsOutbox {
    rows: Arc<SqliteOutbox>,
    forwarding: Arc<Forwarding>,
    taking: Arc<Taking>,
    looking: Arc<Looking>,
    giving_back: GivingBack,
}

impl SqsOutbox {
    /// Whether the queue of that URL could be called; nothing is asked.
    ///
    /// # Errors
    /// [`NoQueue`].
    pub fn check(access: &AwsAccess, url: &QueueUrl) -> Result<(), NoQueue> {
        Queue::new(access, url).map(drop)
    }

    /// The queue of that URL, on the base of rows that were opened to forward. To be called inside a tokio runtime, in
    /// which it sends what waits from now on.
    ///
    /// # Errors
    /// [`NoQueue`].
    pub fn new(
        rows: Arc<SqliteOutbox>,
        access: &AwsAccess,
        url: &QueueUrl,
        role: Role,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, NoQueue> {
        let queue = Arc::new(Queue::new(access, url)?);
        let forwarding = Forwarding::new(Arc::clone(&rows), Arc::clone(&queue), Arc::clone(&clock));
        let taking = Taking::new(Arc::clone(&rows), Arc::clone(&queue), clock);
        let looking = Looking::new(Arc::clone(&queue));
        let tasks = rows.tasks();
        tasks.spawn("sending to the SQS queue", Arc::clone(&forwarding).run());
        tasks.spawn("hiding messages on the SQS queue", Arc::clone(&taking).keep_hidden());
        if role == Role::Accept {
            // Who takes from the queue sees how it is.
            tasks.spawn("the look at the SQS queue", Arc::clone(&looking).run());
        }
        let giving_back = GivingBack {
            rows: Arc::clone(&rows),
            queue,
            forwarding: Arc::clone(&forwarding),
            taking: Arc::clone(&taking),
        };
        Ok(Self { rows, forwarding, taking, looking, giving_back })
    }
}

impl Outbox for SqsOutbox {
    fn accept(&self, acceptance: Acceptance) -> BoxFuture<'static, Result<Accepted, Problem>> {
        let to_be_sent: Vec<_> =
            acceptance.entries.iter().filter(|entry| !entry.claimed).map(|entry| entry.id).collect();
        let tried: Vec<_> = to_be_sent.iter().map(|id| self.forwarding.tried(*id)).collect();
        // What goes by way of the queue is on the disk before.
        let acceptance = Acceptance { durable: acceptance.durable || !to_be_sent.is_empty(), ..acceptance };
        let accepting = self.rows.accept(acceptance);
        let forwarding = Arc::clone(&self.forwarding);
        async move {
            let accepted = accepting.await;
            if matches!(accepted, Ok(Accepted::New(_))) && !to_be_sent.is_empty() {
                forwarding.wake();
                // Longer is no use: the message is on the disk, and is sent as soon as SQS can be reached.
                drop(tokio::time::timeout(SENDING, join_all(tried)).await);
            }
            forwarding.forget(&to_be_sent);
            accepted
        }
        .boxed()
    }

    fn replay(&self, key: Idempotency, now: Timestamp) -> BoxFuture<'static, Result<Option<Accepted>, Problem>> {
        self.rows.replay(key, now)
    }

    fn claim(&self, now: Timestamp, demand: Demand) -> BoxFuture<'static, Result<Claims, Problem>> {
        let (rows, taking) = (Arc::clone(&self.rows), Arc::clone(&self.taking));
        async move {
            taking.drop_lapsed().await;
            rows.claim(now, demand).await
        }
        .boxed()
    }

    fn claim_among(
        &self,
        ids: Vec<MessageId>,
        now: Timestamp,
        demand: Demand,
    ) -> BoxFuture<'static, Result<Claims, Problem>> {
        let (rows, taking) = (Arc::clone(&self.rows), Arc::clone(&self.taking));
        async move {
            taking.drop_lapsed().await;
            rows.claim_among(ids, now, demand).await
        }
        .boxed()
    }

    fn is_shared(&self) -> bool {
        true
    }

    fn fetch(&self, most: usize) -> BoxFuture<'static, Fetched> {
        Box::pin(Arc::clone(&self.taking).fetch(most))
    }

    fn sweep(&self, now: Timestamp) -> BoxFuture<'static, Result<Swept, Problem>> {
        let (sweeping, taking) = (self.rows.sweep(now), Arc::clone(&self.taking));
        async move {
            let swept = sweeping.await?;
            swept.ended.iter().for_each(|message| taking.settled(message.id));
            Ok(swept)
        }
        .boxed()
    }

    fn settle(
        &self,
        id: MessageId,
        outcome: Outcome,
        now: Timestamp,
        durable: bool,
    ) -> BoxFuture<'static, Result<Option<Message>, Problem>> {
        let again = if let Outcome::Retry { at, .. } = &outcome { Some(*at) } else { None };
        let held = self.taking.held.has(id);
        let settling = if held {
            self.rows.settle(id, outcome, now, durable)
        } else {
            self.rows.settle_elsewhere(id, outcome, now, durable).boxed()
        };
        let (taking, forwarding) = (Arc::clone(&self.taking), Arc::clone(&self.forwarding));
        async move {
            let settled = settling.await?;
            match again {
                Some(at) if held => taking.held.rests(id, at),
                Some(_) => forwarding.wake(),
                None if settled.is_some() => taking.settled(id),
                None => {}
            }
            Ok(settled)
        }
        .boxed()
    }

    fn cancel(&self, id: MessageId, now: Timestamp) -> BoxFuture<'static, Result<Option<Canceled>, Problem>> {
        self.rows.cancel(id, now)
    }

    fn page(&self, filter: Filter, before: Option<Cursor>, limit: usize) -> BoxFuture<'static, Result<Page, Problem>> {
        self.rows.page(filter, before, limit)
    }

    fn forget(&self, now: Timestamp, after: Option<Cursor>) -> BoxFuture<'static, Result<Option<Cursor>, Problem>> {
        self.rows.forget(now, after)
    }

    fn sync(&self) -> BoxFuture<'static, Result<(), Problem>> {
        self.rows.sync()
    }

    fn message(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Message>, Problem>> {
        self.rows.message(id)
    }

    fn interrupted(&self) -> BoxFuture<'static, Result<Vec<Claim>, Problem>> {
        self.rows.interrupted()
    }

    fn probe(&self) -> BoxFuture<'static, Result<(), Problem>> {
        self.rows.probe()
    }

    fn trouble(&self) -> Option<String> {
        self.forwarding.way.trouble().or_else(|| self.looking.trouble()).or_else(|| self.taking.trouble())
    }

    fn release(&self) -> BoxFuture<'static, ()> {
        self.giving_back.clone().all().boxed()
    }
}
