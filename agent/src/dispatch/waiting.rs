//! Who waits for the outcome of which message.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use crate::message::{Message, MessageId};

/// The senders that wait, by message. Several may wait for one: repetitions under one idempotency key do.
#[derive(Clone)]
pub(crate) struct Waiting(Arc<Places>);

struct Places {
    taken: Mutex<HashMap<MessageId, Vec<oneshot::Sender<Message>>>>,
    /// Told when the last place is given up.
    empty: Arc<Notify>,
}

/// One sender's place. Dropping it gives the place up.
pub struct Watch {
    id: MessageId,
    outcome: oneshot::Receiver<Message>,
    waiting: Waiting,
}

impl Waiting {
    /// Nobody waits yet; `empty` hears it whenever nobody does any more.
    pub(super) fn new(empty: Arc<Notify>) -> Self {
        Self(Arc::new(Places { taken: Mutex::default(), empty }))
    }

    /// Takes a place. To be done before the message can have an outcome, or before its record is looked at.
    pub(super) fn watch(&self, id: MessageId) -> Watch {
        let (tell, outcome) = oneshot::channel();
        self.lock().entry(id).or_default().push(tell);
        Watch { id, outcome, waiting: self.clone() }
    }

    /// Tells all who wait for this message what became of it, if it is settled.
    pub(super) fn tell(&self, message: &Message) {
        if !message.status.is_settled() {
            return;
        }
        let senders = {
            let mut taken = self.lock();
            let senders = taken.remove(&message.id);
            self.left(&taken);
            senders
        };
        for sender in senders.into_iter().flatten() {
            // It may have hung up.
            drop(sender.send(message.clone()));
        }
    }

    /// Lets everybody go: there is no outcome to come, as far as this process is concerned.
    pub(super) fn release(&self) {
        let mut taken = self.lock();
        taken.clear();
        self.left(&taken);
    }

    /// Lets those go that wait for other messages than these.
    pub(super) fn release_all_but(&self, is_one: impl Fn(MessageId) -> bool) {
        let mut taken = self.lock();
        taken.retain(|id, _| is_one(*id));
        self.left(&taken);
    }

    /// The messages that somebody waits for.
    pub(super) fn awaited(&self) -> Vec<MessageId> {
        self.lock().keys().copied().collect()
    }

    /// Whether nobody waits.
    pub(super) fn is_empty(&self) -> bool {
        self.lock().is_empty()
    }

    fn left(&self, taken: &HashMap<MessageId, Vec<oneshot::Sender<Message>>>) {
        if taken.is_empty() {
            self.0.empty.notify_waiters();
        }
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<MessageId, Vec<oneshot::Sender<Message>>>> {
        self.0.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Watch {
    /// The settled message, or `None` if this process will not settle it. Cancel safe.
    pub async fn outcome(&mut self) -> Option<Message> {
        (&mut self.outcome).await.ok()
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        self.outcome.close();
        let mut waiting = self.waiting.lock();
        if let Some(senders) = waiting.get_mut(&self.id) {
            senders.retain(|sender| !sender.is_closed());
            if senders.is_empty() {
                waiting.remove(&self.id);
                self.waiting.left(&waiting);
            }
        }
    }
}
