//! Messages on their way to a queue that lies elsewhere, and those that were taken from it.
//!
//! A queued message without a due time is to be sent there, one of status [`THERE`] is there, and one that was taken is
//! like any other. The rule: a send is written down before it begins, so that a message which may be there twice says so.

use std::collections::HashSet;

use rusqlite::{Connection, OptionalExtension, named_params};

use super::writer::Transaction;
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
            ids.iter().try_for_each(|id| leave(transaction, *id, "due_at IS NULL", keep_text).map(drop))
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

    /// Leaves these to the other queue, where they are still, as far as they only wait here; answers which did.
    pub(in crate::outbox) fn let_go(
        &self,
        ids: Vec<MessageId>,
    ) -> impl Future<Output = Result<Vec<MessageId>, Problem>> + Send + use<> {
        let keep_text = self.options.keep_text;
        self.committer.run_many(ids.len(), false, move |transaction| {
            let mut gone = Vec::new();
            for id in &ids {
                if leave(transaction, *id, "due_at IS NOT NULL", keep_text)? {
                    gone.push(*id);
                }
            }
            Ok(gone)
        })
    }

    /// Makes of those that only wait here messages to be sent anew, with what is known of them by now; answers which.
    pub(in crate::outbox) fn give_back(
        &self,
        ids: Vec<MessageId>,
    ) -> impl Future<Output = Result<Vec<MessageId>, Problem>> + Send + use<> {
        self.committer.run_many(ids.len(), true, move |transaction| {
            let sql = "UPDATE message SET due_at = NULL, forwards = 0, receives = 0 \
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

/// Puts what waits here into the state in which the engine leaves it: with another queue, what the last process had in
/// hand is there, and what was not there is to be sent; without one, all of it is due here.
pub(super) fn sort(connection: &Connection, forwards: bool) -> rusqlite::Result<()> {
    let sql = if forwards {
        "UPDATE message SET status = iif(receives > 0, 8, 0), due_at = NULL WHERE status = 0 AND due_at IS NOT NULL"
    } else {
        "UPDATE message SET due_at = created_at WHERE status = 0 AND due_at IS NULL"
    };
    connection.execute(sql, ()).map(drop)
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
        ", reference, forwards"
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
                unknowns: claim.unknowns,
                created_at: claim.created_at,
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
            insert(transaction, letter)?;
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
               unknowns = max(unknowns, :unknowns), receives = :receives, updated_at = :now \
               WHERE id = :id RETURNING ends_at";
    let ends_at = transaction.prepare_cached(sql)?.query_row(
        named_params! {
            ":id": letter.id, ":now": now, ":words": letter.sms.text.as_str(), ":attempts": letter.attempts,
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
fn insert(connection: &Connection, letter: &Letter) -> rusqlite::Result<()> {
    let entry = Entry {
        id: letter.id,
        draft: Draft { sms: letter.sms.clone(), expires_in: None, reference: letter.reference.clone() },
        at: letter.created_at,
        give_up_at: letter.give_up_at,
        claimed: false,
        trace: letter.trace.clone(),
    };
    row::insert(connection, &entry, None, None)?;
    if let Some(expires_at) = letter.expires_at {
        let sql = "UPDATE message SET expires_at = ?2, ends_at = min(?2, give_up_at) WHERE id = ?1";
        connection.prepare_cached(sql)?.execute((letter.id, expires_at))?;
    }
    Ok(())
}
