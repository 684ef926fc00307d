//! The SQLite engine in a folder of its own, and what its tests put into it.
#![allow(dead_code, reason = "each test file uses some of it")]
#![allow(clippy::unwrap_used, reason = "a test ends where something is not as it must be")]

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use sms_agent::message::{
    Draft, IdSource, Message, MessageId, PhoneNumber, Sender, Sms, SmsType, Status, Text, Timestamp,
};
use sms_agent::outbox::sqlite::{OpenError, Options, SqliteOutbox};
use sms_agent::outbox::{Acceptance, Accepted, Claim, Cursor, Demand, Entry, Filter, Idempotency, Outbox, Outcome};

pub(crate) const NOW: Timestamp = Timestamp::from_millis(1_795_464_000_000);
pub(crate) const DAY: Duration = Duration::from_secs(86_400);
pub(crate) const KEY: Idempotency = Idempotency { key: [7; 32], fingerprint: [1; 32] };

pub(crate) struct Engine {
    pub(crate) outbox: Arc<SqliteOutbox>,
    pub(crate) folder: tempfile::TempDir,
    pub(crate) ids: IdSource,
}

impl Engine {
    pub(crate) fn new(options: Options) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let outbox = Arc::new(SqliteOutbox::open(folder.path(), options).unwrap());
        Self { outbox, folder, ids: IdSource::new() }
    }

    /// The same folder in the next process.
    pub(crate) async fn reopened(self, options: Options) -> Self {
        let Self { outbox, folder, ids } = self;
        drop(outbox);
        Self { outbox: Arc::new(reopen(folder.path(), options).await), folder, ids }
    }

    /// Has what is in the folder look as if the machine had gone down since.
    pub(crate) fn reboot(&self) {
        rebooted(self.folder.path());
    }

    pub(crate) fn entry(&self, to: &str, reference: Option<&str>) -> Entry {
        let sms = Sms {
            to: PhoneNumber::parse(to).unwrap(),
            text: Text::parse("sesame".to_owned()).unwrap(),
            kind: SmsType::Transactional,
            sender: Sender::Account,
            max_price_usd: None,
            entity_id: None,
            template_id: None,
        };
        Entry {
            id: self.ids.next(NOW),
            draft: Draft { sms, expires_in: None, reference: reference.map(str::to_owned) },
            at: NOW,
            give_up_at: NOW.plus(DAY),
            claimed: false,
            trace: None,
        }
    }

    pub(crate) async fn accept(&self, entries: Vec<Entry>, key: Option<Idempotency>) -> Accepted {
        self.outbox.accept(Acceptance { entries, refusals: Vec::new(), key, durable: false }).await.unwrap()
    }

    /// Accepts one that waits.
    pub(crate) async fn queue(&self, to: &str, reference: Option<&str>) -> MessageId {
        let entry = self.entry(to, reference);
        let id = entry.id;
        assert!(matches!(self.accept(vec![entry], None).await, Accepted::New(_)));
        id
    }

    pub(crate) async fn claim(&self, messages: usize) -> Vec<Claim> {
        self.outbox.claim(NOW.plus(DAY), Demand { messages, segments: None, to_probe: false }).await.unwrap().claims
    }

    pub(crate) async fn settle(&self, id: MessageId, outcome: Outcome) -> Option<Message> {
        self.outbox.settle(id, outcome, NOW, false).await.unwrap()
    }

    /// Accepts one and sends it.
    pub(crate) async fn send(&self, to: &str, reference: Option<&str>) -> MessageId {
        let entry = Entry { claimed: true, ..self.entry(to, reference) };
        let id = entry.id;
        self.accept(vec![entry], None).await;
        assert_eq!(self.settle(id, Outcome::Sent("sns".to_owned())).await.unwrap().status, Status::Sent);
        id
    }

    /// The ids of all pages of so many, one after the other.
    pub(crate) async fn pages(&self, filter: &Filter, limit: usize) -> Vec<Vec<MessageId>> {
        let (mut pages, mut next): (Vec<_>, Option<Cursor>) = (Vec::new(), None);
        loop {
            let page = self.outbox.page(filter.clone(), next, limit).await.unwrap();
            pages.push(page.messages.iter().map(|message| message.id).collect());
            next = page.next;
            if next.is_none() {
                return pages;
            }
        }
    }

    pub(crate) async fn forget_all(&self, now: Timestamp) {
        let mut next = None;
        while let Some(after) = self.outbox.forget(now, next).await.unwrap() {
            next = Some(after);
        }
    }

    pub(crate) async fn status(&self, id: MessageId) -> Option<Status> {
        self.outbox.message(id).await.unwrap().map(|message| message.status)
    }

    /// The messages of which that is true, as the file has them.
    pub(crate) fn ids_where(&self, condition: &str) -> BTreeSet<MessageId> {
        ids_where(self.folder.path(), condition)
    }

    /// Asks the file itself, as no door does.
    pub(crate) fn count(&self, sql: &str) -> usize {
        let connection = rusqlite::Connection::open(self.folder.path().join("outbox.db")).unwrap();
        connection.query_row(sql, (), |row| row.get::<_, u32>(0)).unwrap() as usize
    }
}

/// The last process of the folder ran in another start of the machine.
pub(crate) fn rebooted(folder: &Path) {
    let connection = rusqlite::Connection::open(folder.join("outbox.db")).unwrap();
    assert_eq!(connection.execute("UPDATE boot SET id = 'another'", ()).unwrap(), 1);
}

/// The messages of which that is true, as the file in that folder has them.
pub(crate) fn ids_where(folder: &Path, condition: &str) -> BTreeSet<MessageId> {
    let connection = rusqlite::Connection::open(folder.join("outbox.db")).unwrap();
    let mut ids = connection.prepare(&format!("SELECT id FROM message WHERE {condition}")).unwrap();
    let ids = ids.query_map((), |row| row.get(0).map(MessageId::from_bytes)).unwrap();
    ids.map(Result::unwrap).collect()
}

/// The log's keeper holds the writer, and so the file, a moment longer than the outbox.
pub(crate) async fn reopen(folder: &Path, options: Options) -> SqliteOutbox {
    loop {
        match SqliteOutbox::open(folder, options) {
            Ok(outbox) => return outbox,
            Err(OpenError::InUse { .. }) => tokio::task::yield_now().await,
            Err(error) => panic!("{error}"),
        }
    }
}
