//! Messages on their way to a queue that lies elsewhere, and those that were taken from it.
//!
//! A queued message without a due time is to be sent there, one of status [`THERE`] is there, and one that was taken is
//! like any other. The rule: a send is written down before it begins, so that a message which may be there twice says so.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::transaction::Transaction;
use super::{SqliteOutbox, ending, row};
use crate::message::{Draft, Message, MessageId, Problem, Timestamp};
use crate::outbox::letter::{Delivery, Letter, Taken};
use crate::outbox::{Entry, Outcome};

/// The stored status of what is in the other queue.
const THERE: i64 = 8;

impl SqliteOutbox {
    /// Up to `most` messages that are to be sent, but for some; each is written down as begun, and on the disk.
    pub(in crate::outbox) fn pick(
        &self,
        except: HashSet<MessageId>,
        most: usize,
    ) -> impl Future<Output = Result<Vec<Letter>, Problem>> + Send + use<> {
        self.committer.run(true, move |transaction| pick(transaction, &except, most))
    }

    /// These are in the other queue now.
    pub(in crate::outbox) fn forwarded(
        &self,
        ids: Vec<MessageId>,
    ) -> impl Future<Output = Result<(), Problem>> + Send + use<> {
        let keep_text = self.options.keep_text;
        self.committer.run_many(ids.len(), false, move |transaction| {
            // It is another message of the queue than the one that was taken, if any was.
            let fresh = "UPDATE message SET receives = 0 WHERE id = ?1 AND status = 0 AND due_at IS NULL";
            ids.iter().try_for_each(|id| {
                transaction.prepare_cached(fresh)?.execute([id])?;
                leave(transaction, *id, "due_at IS NULL", keep_text).map(drop)
            })
        })
    }

    /// The last send of these has certainly not arrived.
    pub(in crate::outbox) fn not_forwarded(
        &self,
        ids: Vec<MessageId>,
    ) -> impl Future<Output = Result<(), Problem>> + Send + use<> {
        self.committer.run_many(ids.len(), false, move |transaction| {
            let sql = "UPDATE message SET forwards = max(forwards - 1, 0) WHERE id = ?1 AND status = 0";
            ids.iter().try_for_each(|id| transaction.prepare_cached(sql)?.execute([id]).map(drop))
        })
    }

    /// Writes down what was taken from the other queue; answers what each of it is here, in order.
    pub(in crate::outbox) fn take(
        &self,
        deliveries: Vec<Delivery>,
        now: Timestamp,
    ) -> impl Future<Output = Result<Vec<Taken>, Problem>> + Send + use<> {
        self.committer.run_many(deliveries.len(), false, move |transaction| {
            deliveries.iter().map(|delivery| take(transaction, delivery, now)).collect()
        })
    }

    /// Leaves these to the other queue, where they are still, as far as they only wait here, be it to be sent there anew;
    /// answers which did.
    pub(in crate::outbox) fn let_go(
        &self,
        ids: Vec<MessageId>,
    ) -> impl Future<Output = Result<Vec<MessageId>, Problem>> + Send + use<> {
        let keep_text = self.options.keep_text;
        self.committer.run_many(ids.len(), false, move |transaction| {
            let mut gone = Vec::new();
            for id in &ids {
                if leave(transaction, *id, "(due_at IS NOT NULL OR receives > 0)", keep_text)? {
                    gone.push(*id);
                }
            }
            Ok(gone)
        })
    }

    /// Makes of those that only wait here messages to be sent anew, with what is known of them by now; answers which.
    /// Until that is done they count as taken, since they are still in the other queue.
    pub(in crate::outbox) fn give_back(
        &self,
        ids: Vec<MessageId>,
    ) -> impl Future<Output = Result<Vec<MessageId>, Problem>> + Send + use<> {
        self.committer.run_many(ids.len(), true, move |transaction| {
            let sql = "UPDATE message SET due_at = NULL, forwards = 0 \
                       WHERE id = ?1 AND status = 0 AND due_at IS NOT NULL";
            let mut back = Vec::new();
            for id in &ids {
                if transaction.prepare_cached(sql)?.execute([id])? > 0 {
                    back.push(*id);
                }
            }
            Ok(back)
        })
    }

    /// Settles a message that this agent does not hold; one that is to be tried again goes to the other queue.
    pub(in crate::outbox) fn settle_elsewhere(
        &self,
        id: MessageId,
        outcome: Outcome,
        now: Timestamp,
        durable: bool,
    ) -> impl Future<Output = Result<Option<Message>, Problem>> + Send + use<> {
        let keep_text = self.options.keep_text;
        self.committer.run(durable, move |transaction| {
            let settled = ending::settle(transaction, id, &outcome, now, keep_text)?;
            if matches!(outcome, Outcome::Retry { .. }) {
                let sql = "UPDATE message SET due_at = NULL WHERE id = ?1 AND status = 0 AND receives = 0";
                let to_be_sent = transaction.prepare_cached(sql)?.execute([id])? > 0;
                if !to_be_sent {
                    leave(transaction, id, "due_at IS NOT NULL", keep_text)?;
                }
            }
            Ok(settled)
        })
    }
}

/// Puts what waits here into the state in which the engine leaves it: what the last process had in hand of another queue
/// is there still; the rest is to be sent there or, without one, due here.
pub(super) fn sort(connection: &Connection, forwards: bool) -> rusqlite::Result<()> {
    let there = "UPDATE message SET status = 8, due_at = NULL, words = NULL WHERE status = 0 AND receives > 0";
    connection.execute(there, ())?;
    let rest = if forwards {
        "UPDATE message SET due_at = NULL WHERE status = 0 AND due_at IS NOT NULL"
    } else {
        "UPDATE message SET due_at = coalesce(accepted_at, created_at) WHERE status = 0 AND due_at IS NULL"
    };
    connection.execute(rest, ()).map(drop)
}

fn pick(transaction: &Transaction<'_>, except: &HashSet<MessageId>, most: usize) -> rusqlite::Result<Vec<Letter>> {
    let looked_at = i64::try_from(most + except.len()).unwrap_or(i64::MAX);
    let waiting: Vec<(i64, MessageId)> = transaction
        .prepare_cached("SELECT seq, id FROM message WHERE status = 0 AND due_at IS NULL ORDER BY seq LIMIT ?1")?
        .query_map([looked_at], |row| Ok((row.get(0)?, row.get(1)?)))?
        .collect::<rusqlite::Result<_>>()?;
    let sql = concat!(
        "UPDATE message SET forwards = forwards + 1 WHERE seq = ?1 RETURNING ",
        row::claim_columns!(),
        ", reference, forwards, created_at"
    );
    let mut picked = Vec::new();
    for (seq, _) in waiting.iter().filter(|(_, id)| !except.contains(id)).take(most) {
        picked.push(transaction.prepare_cached(sql)?.query_row([seq], |row| {
            let claim = row::claim(row)?;
            Ok(Letter {
                id: claim.id,
                sms: claim.sms,
                reference: row.get("reference")?,
                attempts: claim.attempt,
                // Other agents know nothing of doubts.
                unknowns: claim.unknowns.max(u32::from(claim.doubtful)),
                created_at: row.get("created_at")?,
                expires_at: claim.expires_at,
                give_up_at: claim.give_up_at,
                trace: claim.trace,
                again: row.get::<_, u32>("forwards")? > 1,
            })
        })?);
    }
    Ok(picked)
}

/// What waits here is there now; its text is, too. False: it does not wait here in that way.
fn leave(transaction: &Transaction<'_>, id: MessageId, how: &str, keep_text: bool) -> rusqlite::Result<bool> {
    let sql = format!(
        "UPDATE message SET status = {THERE}, due_at = NULL, words = CASE WHEN ?2 THEN words END \
         WHERE id = ?1 AND status = 0 AND {how}"
    );
    let left = transaction.prepare_cached(&sql)?.execute((id, keep_text))? > 0;
    if left {
        transaction.dequeued();
    }
    Ok(left)
}

fn take(transaction: &Transaction<'_>, delivery: &Delivery, now: Timestamp) -> rusqlite::Result<Taken> {
    let Delivery { letter, receives } = delivery;
    let known: Option<(i64, bool, u32)> = transaction
        .prepare_cached("SELECT status, due_at IS NULL, receives FROM message WHERE id = ?1")?
        .query_row([letter.id], |row| row.try_into())
        .optional()?;
    // How often it was taken by this agent, as far as it remembers; whoever else took it may have published it.
    let ours = match known {
        None => {
            insert(transaction, letter, now)?;
            transaction.enqueued();
            0
        }
        Some((THERE, _, receives)) => {
            transaction.enqueued();
            receives
        }
        Some((0, true, receives)) => receives,
        Some((0 | 1, _, _)) => {
            let sql = "UPDATE message SET receives = ?2 WHERE id = ?1";
            transaction.prepare_cached(sql)?.execute((letter.id, receives))?;
            return Ok(Taken::InHand);
        }
        Some(_) => return Ok(Taken::Over),
    };
    let suspect = letter.again || *receives > ours + 1;
    let sql = "UPDATE message SET status = 0, due_at = :now, words = :words, attempts = max(attempts, :attempts), \
               unknowns = max(unknowns, :unknowns), receives = :receives, updated_at = :shown \
               WHERE id = :id RETURNING ends_at";
    let ends_at = transaction.prepare_cached(sql)?.query_row(
        named_params! {
            ":id": letter.id, ":now": now, ":shown": transaction.shift.shown(now), ":words": letter.sms.text.as_str(), ":attempts": letter.attempts,
            ":unknowns": letter.unknowns, ":receives": receives,
        },
        |row| row.get(0),
    )?;
    if !suspect {
        return Ok(Taken::Due(ends_at));
    }
    let sql = concat!(
        "UPDATE message SET status = 1, due_at = NULL, attempts = attempts + 1 WHERE id = ?1 RETURNING ",
        row::claim_columns!()
    );
    let claim = transaction.prepare_cached(sql)?.query_row([letter.id], row::claim)?;
    transaction.dequeued();
    Ok(Taken::Suspect(Box::new(claim)))
}

/// A message that another agent accepted.
fn insert(transaction: &Transaction<'_>, letter: &Letter, now: Timestamp) -> rusqlite::Result<()> {
    let entry = Entry {
        id: letter.id,
        draft: Draft { sms: letter.sms.clone(), expires_in: None, reference: letter.reference.clone() },
        at: now,
        give_up_at: letter.give_up_at,
        claimed: false,
        trace: letter.trace.clone(),
    };
    row::insert(transaction, &entry, None, None)?;
    let sql = "UPDATE message SET created_at = ?2 WHERE id = ?1";
    transaction.prepare_cached(sql)?.execute((letter.id, letter.created_at))?;
    if let Some(expires_at) = letter.expires_at {
        let sql = "UPDATE message SET expires_at = ?2, ends_at = min(?2, give_up_at) WHERE id = ?1";
        transaction.prepare_cached(sql)?.execute((letter.id, expires_at))?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::message::{IdSource, PhoneNumber, Sender, Sms, SmsType, Status, Text, WallTime};
    use crate::outbox::sqlite::Options;
    use crate::outbox::{Acceptance, Canceled, Demand, Outbox};

    const NOW: Timestamp = Timestamp::from_millis(1_795_464_000_000);
    const LATER: Timestamp = Timestamp::from_millis(1_795_464_060_000);

    struct Rows {
        rows: SqliteOutbox,
        folder: tempfile::TempDir,
        ids: IdSource,
    }

    impl Rows {
        fn new() -> Self {
            let folder = tempfile::tempdir().unwrap();
            let rows = Self::open(folder.path(), true).unwrap();
            Self { rows, folder, ids: IdSource::new() }
        }

        fn open(folder: &std::path::Path, forwards: bool) -> Option<SqliteOutbox> {
            SqliteOutbox::open(folder, Options { forwards, ..Options::default() }).ok()
        }

        /// The same rows in the next process.
        async fn reopened(self, forwards: bool) -> Self {
            let Self { rows, folder, ids } = self;
            drop(rows);
            // The keeper of the log holds the file a moment longer.
            loop {
                if let Some(rows) = Self::open(folder.path(), forwards) {
                    return Self { rows, folder, ids };
                }
                tokio::task::yield_now().await;
            }
        }

        async fn accept(&self) -> MessageId {
            let letter = letter(self.ids.next(NOW));
            let entry = Entry {
                id: letter.id,
                draft: Draft { sms: letter.sms, expires_in: None, reference: None },
                at: NOW,
                give_up_at: letter.give_up_at,
                claimed: false,
                trace: None,
            };
            let acceptance = Acceptance { entries: vec![entry], refusals: Vec::new(), key: None, durable: false };
            self.rows.accept(acceptance).await.unwrap();
            letter.id
        }

        async fn pick(&self) -> Vec<Letter> {
            self.rows.pick(HashSet::new(), 10).await.unwrap()
        }

        async fn take(&self, letter: Letter, receives: u32) -> Taken {
            self.rows.take(vec![Delivery { letter, receives }], NOW).await.unwrap().remove(0)
        }

        async fn claim(&self) -> usize {
            let demand = Demand { messages: 10, segments: None, to_probe: false };
            self.rows.claim(LATER, demand).await.unwrap().claims.len()
        }

        async fn cancel(&self, id: MessageId) -> bool {
            matches!(self.rows.cancel(id, NOW).await.unwrap(), Some(Canceled::Done(_)))
        }

        async fn status(&self, id: MessageId) -> Status {
            self.rows.message(id).await.unwrap().unwrap().status
        }
    }

    fn letter(id: MessageId) -> Letter {
        Letter {
            id,
            sms: Sms {
                to: PhoneNumber::parse("+12065550100").unwrap(),
                text: Text::parse("sesame".to_owned()).unwrap(),
                kind: SmsType::Transactional,
                sender: Sender::Account,
                max_price_usd: None,
                entity_id: None,
                template_id: None,
            },
            reference: None,
            attempts: 0,
            unknowns: 0,
            created_at: WallTime::from_millis(NOW.as_millis()),
            expires_at: None,
            give_up_at: NOW.plus(Duration::from_secs(86_400)),
            trace: None,
            again: false,
        }
    }

    #[tokio::test]
    async fn what_is_in_doubt_goes_to_other_agents_as_what_may_have_gone_out() {
        let rows = Rows::new();
        rows.accept().await;
        let connection = Connection::open(rows.folder.path().join("outbox.db")).unwrap();
        assert_eq!(connection.execute("UPDATE message SET doubtful = 1", ()).unwrap(), 1);
        assert_eq!(rows.pick().await[0].unknowns, 1);
    }

    #[tokio::test]
    async fn what_is_accepted_is_sent_and_not_published_here_and_says_when_it_may_be_there_twice() {
        let rows = Rows::new();
        let id = rows.accept().await;
        assert_eq!(rows.claim().await, 0);
        assert!(!rows.pick().await[0].again);
        assert!(!rows.cancel(id).await, "it may be there");
        rows.rows.not_forwarded(vec![id]).await.unwrap();
        assert!(!rows.pick().await[0].again, "it was certain that it is not");
        let picked = rows.pick().await;
        assert!(picked[0].again, "nobody knows what became of the send before");
        assert!(rows.rows.pick(HashSet::from([id]), 10).await.unwrap().is_empty());
        rows.rows.forwarded(vec![id]).await.unwrap();
        assert!(rows.pick().await.is_empty());
        assert_eq!((rows.status(id).await, rows.cancel(id).await), (Status::Queued, false));
    }

    #[tokio::test]
    async fn only_what_another_may_have_published_is_suspect() {
        let rows = Rows::new();
        let id = rows.accept().await;
        let picked = rows.pick().await.remove(0);
        rows.rows.forwarded(vec![id]).await.unwrap();
        assert!(matches!(rows.take(picked.clone(), 1).await, Taken::Due(_)));
        assert!(matches!(rows.take(picked.clone(), 2).await, Taken::InHand));
        assert_eq!(rows.rows.let_go(vec![id]).await.unwrap(), [id]);
        assert!(matches!(rows.take(picked.clone(), 3).await, Taken::Due(_)), "nobody else had it meanwhile");
        assert_eq!(rows.rows.let_go(vec![id]).await.unwrap(), [id]);
        let Taken::Suspect(claim) = rows.take(picked.clone(), 5).await else { panic!("another had it") };
        assert_eq!((claim.id, claim.attempt, claim.sms.text.as_str()), (id, 1, "sesame"));
        rows.rows.settle(id, Outcome::Sent("sns".to_owned()), NOW, false).await.unwrap();
        assert!(matches!(rows.take(picked, 6).await, Taken::Over), "it is published no second time");
        for (receives, again, suspect) in [(1, false, false), (2, false, true), (1, true, true)] {
            let stranger = Letter { again, ..letter(rows.ids.next(NOW)) };
            let taken = rows.take(stranger, receives).await;
            assert_eq!(matches!(taken, Taken::Suspect(_)), suspect, "{receives} {again}");
        }
    }

    #[tokio::test]
    async fn after_a_restart_what_was_in_hand_is_there_and_what_was_not_is_sent() {
        let rows = Rows::new();
        let (there, here) = (rows.accept().await, rows.accept().await);
        let picked = rows.pick().await.remove(0);
        rows.rows.forwarded(vec![there]).await.unwrap();
        rows.take(picked.clone(), 1).await;
        let rows = rows.reopened(true).await;
        assert_eq!((rows.claim().await, rows.pick().await.len()), (0, 1), "one is in the queue, one is not");
        assert!(matches!(rows.take(picked.clone(), 2).await, Taken::Due(_)));
        assert_eq!(rows.rows.give_back(vec![there, here]).await.unwrap(), [there]);
        assert_eq!(rows.rows.let_go(vec![there, here]).await.unwrap(), [there], "it could not be sent anew");
        assert!(matches!(rows.take(picked.clone(), 3).await, Taken::Due(_)), "it was not published here");
        assert_eq!(rows.rows.give_back(vec![there, here]).await.unwrap(), [there]);
        let rows = rows.reopened(true).await;
        assert_eq!(rows.pick().await[0].id, here, "its message is still there");
        assert!(matches!(rows.take(picked, 4).await, Taken::Due(_)));
        let rows = rows.reopened(false).await;
        assert_eq!(rows.claim().await, 1, "without another queue what had not gone there is published here");
    }

    #[tokio::test]
    async fn what_waits_here_counts_and_what_is_there_does_not() {
        let folder = tempfile::tempdir().unwrap();
        let options = Options { forwards: true, max_queued: 2, ..Options::default() };
        let rows = Rows { rows: SqliteOutbox::open(folder.path(), options).unwrap(), folder, ids: IdSource::new() };
        for _ in 0..5 {
            let (one, other) = (rows.accept().await, rows.accept().await);
            assert_eq!(rows.pick().await.len(), 2, "both were taken in");
            rows.rows.forwarded(vec![one, other]).await.unwrap();
        }
    }
}
