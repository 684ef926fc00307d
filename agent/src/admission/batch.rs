//! The way of a batch through the rooms: one step into the outbox, each message on its own merits.

use std::time::Duration;

use tokio::sync::oneshot;
use tracing::Instrument;

use super::door::{Door, gone, lost, refused};
use super::{Batch, Batched};
use crate::message::{Draft, Message, MessageId, Problem};
use crate::outbox::{Acceptance, Accepted, Entry, Refusal};

impl Door {
    pub(super) async fn send_batch(self, batch: Batch) -> Result<Batched, Problem> {
        let rooms = &self.0.rooms;
        if let Some(key) = batch.key
            && let Some(earlier) = rooms.outbox.replay(key, rooms.clock.now()).await?
        {
            return self.repeat(earlier).await;
        }
        let (mut drafts, mut refusals) = (Vec::new(), Vec::new());
        for (position, item) in batch.items.into_iter().enumerate() {
            match item.and_then(|draft| self.objection(&draft.sms.to).map_or(Ok(draft), Err)) {
                Ok(draft) => drafts.push(draft),
                Err(problem) => refusals.push(Refusal { position, problem }),
            }
        }
        if drafts.is_empty() {
            return Ok(Batched { results: in_order(Vec::new(), refusals), replayed: false });
        }
        let entries = self.entries(drafts, batch.trace.as_deref());
        let acceptance = Acceptance { entries, refusals: refusals.clone(), key: batch.key, durable: true };
        match self.take_in_all(acceptance).await? {
            Accepted::New(messages) => {
                let messages = messages.into_iter().map(Ok).collect();
                Ok(Batched { results: in_order(messages, refusals), replayed: false })
            }
            // The same key raced us there, or there is no room.
            earlier => self.repeat(earlier).await,
        }
    }

    fn entries(&self, drafts: Vec<Draft>, trace: Option<&str>) -> Vec<Entry> {
        let now = self.0.rooms.clock.now();
        let give_up_at = now.plus(self.0.rooms.give_up_after);
        let entry = |draft| Entry {
            id: self.0.ids.next(now),
            draft,
            at: now,
            give_up_at,
            claimed: false,
            trace: trace.map(str::to_owned),
        };
        drafts.into_iter().map(entry).collect()
    }

    /// Takes the messages into the outbox and tells the dispatcher. A task of its own, since a sender that hangs up
    /// between the two must not leave them lying there.
    async fn take_in_all(&self, acceptance: Acceptance) -> Result<Accepted, Problem> {
        let door = self.clone();
        let messages = i64::try_from(acceptance.entries.len()).unwrap_or(i64::MAX);
        let accepting = tracing::info_span!(target: "sms_agent::trace", "accept batch", sms.messages = messages);
        let (reply, answer) = oneshot::channel();
        tokio::spawn(async move {
            let ends = acceptance.entries.iter().map(|entry| {
                let seconds = entry.draft.expires_in.map(|seconds| Duration::from_secs(seconds.into()));
                seconds.map_or(entry.give_up_at, |seconds| entry.at.plus(seconds).min(entry.give_up_at))
            });
            let first_end = ends.min();
            let accepted = door.0.rooms.outbox.accept(acceptance).instrument(accepting).await;
            if let (Ok(Accepted::New(_)), Some(first_end)) = (&accepted, first_end) {
                door.0.rooms.dispatcher.queued(first_end);
            }
            // It may have hung up.
            drop(reply.send(accepted));
        });
        answer.await.unwrap_or_else(|_| Err(lost()))
    }

    /// Answers for an earlier batch with the same key: its messages as they are now, the refused ones as they were.
    async fn repeat(&self, earlier: Accepted) -> Result<Batched, Problem> {
        let Accepted::Replay(ids, refusals) = earlier else { return Err(refused(&earlier)) };
        let outbox = &self.0.rooms.outbox;
        let mut messages = Vec::with_capacity(ids.len());
        for id in ids {
            messages.push(self.as_it_is_now(id).await?);
        }
        outbox.sync().await?;
        Ok(Batched { results: in_order(messages, refusals), replayed: true })
    }

    async fn as_it_is_now(&self, id: MessageId) -> Result<Result<Message, Problem>, Problem> {
        Ok(self.0.rooms.outbox.message(id).await?.ok_or_else(gone))
    }
}

/// Puts what was accepted, in order, into the places that the refused ones leave.
fn in_order(messages: Vec<Result<Message, Problem>>, refusals: Vec<Refusal>) -> Vec<Result<Message, Problem>> {
    let mut results = messages;
    for Refusal { position, problem } in refusals {
        // Rising, so that everything before it stands already.
        results.insert(position.min(results.len()), Err(problem));
    }
    results
}
