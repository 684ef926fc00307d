//! The door as the API sees it: what each knock leads to, and messages that say of their next attempt what is known.

use std::sync::atomic::Ordering;

use futures_util::FutureExt;
use futures_util::future::BoxFuture;

use super::door::Door;
use super::{Batch, Batched, Intake, Submission, Submitted};
use crate::message::{Message, MessageId, PhoneNumber, Problem};
use crate::outbox::{Canceled, Cursor, Filter, Page, endings};

impl Door {
    /// Takes the time of the next attempt away where it is none: of a message that waits for its turn, for the pace or for
    /// a carrier that lets nobody in, the outbox knows since when it could have left, and nobody knows when it will.
    fn see_to(&self, message: &mut Message) {
        let now = self.0.rooms.clock.wall();
        message.next_attempt_at = message.next_attempt_at.filter(|at| message.attempts > 0 && *at > now);
    }
}

impl Intake for Door {
    fn submit(&self, submission: Submission) -> BoxFuture<'static, Result<Submitted, Problem>> {
        let door = self.clone();
        async move {
            let mut submitted = door.clone().send(submission).await?;
            door.see_to(&mut submitted.message);
            Ok(submitted)
        }
        .boxed()
    }

    fn submit_batch(&self, batch: Batch) -> BoxFuture<'static, Result<Batched, Problem>> {
        let door = self.clone();
        async move {
            let mut batched = door.clone().send_batch(batch).await?;
            batched.results.iter_mut().flatten().for_each(|message| door.see_to(message));
            Ok(batched)
        }
        .boxed()
    }

    fn cancel(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Canceled>, Problem>> {
        let door = self.clone();
        async move {
            let rooms = &door.0.rooms;
            let canceled = rooms.outbox.cancel(id, rooms.clock.now()).await?;
            if let Some(Canceled::Done(message)) = &canceled {
                endings::tell_of(message);
                rooms.dispatcher.canceled(message);
            }
            Ok(canceled)
        }
        .boxed()
    }

    fn page(&self, filter: Filter, before: Option<Cursor>, limit: usize) -> BoxFuture<'static, Result<Page, Problem>> {
        let door = self.clone();
        async move {
            let mut page = door.0.rooms.outbox.page(filter, before, limit).await?;
            page.messages.iter_mut().for_each(|message| door.see_to(message));
            Ok(page)
        }
        .boxed()
    }

    fn preview(&self, to: PhoneNumber) -> BoxFuture<'static, (bool, Vec<Problem>)> {
        self.clone().look_ahead(to).boxed()
    }

    fn message(&self, id: MessageId) -> BoxFuture<'static, Result<Option<Message>, Problem>> {
        let door = self.clone();
        async move {
            let mut found = door.0.rooms.outbox.message(id).await?;
            found.iter_mut().for_each(|message| door.see_to(message));
            Ok(found)
        }
        .boxed()
    }

    fn opted_out(&self, to: PhoneNumber) -> BoxFuture<'static, Result<bool, Problem>> {
        let door = self.clone();
        async move { door.0.rooms.carrier.opted_out(&to).await }.boxed()
    }

    fn ready(&self) -> BoxFuture<'static, Result<(), Problem>> {
        let door = self.clone();
        async move {
            let rooms = &door.0.rooms;
            if let Some(problem) = rooms.dispatcher.obstacle() {
                return Err(problem);
            }
            rooms.carrier.ready().await?;
            rooms.outbox.probe().await
        }
        .boxed()
    }

    fn trouble(&self) -> Option<String> {
        self.0.rooms.outbox.trouble()
    }

    fn is_stopping(&self) -> bool {
        self.0.stopping.load(Ordering::Relaxed)
    }
}
