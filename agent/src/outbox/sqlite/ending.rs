//! What becomes of messages: back to the queue, or to an end, where their text is erased.

use rusqlite::{OptionalExtension, named_params};

use super::row;
use super::transaction::Transaction;
use crate::message::{Code, Message, MessageId, Problem, Status, Timestamp, WallTime};
use crate::outbox::{Canceled, Outcome, Swept};

/// How many messages one sweep ends at most, so that it keeps nobody waiting.
const SWEEP: u32 = 256;

pub(super) fn settle(
    transaction: &Transaction<'_>,
    id: MessageId,
    outcome: &Outcome,
    now: Timestamp,
    keep_text: bool,
) -> rusqlite::Result<Option<Message>> {
    match outcome {
        Outcome::Retry { at, problem, unknown } => retry(transaction, id, *at, problem, *unknown, now),
        Outcome::Delivered | Outcome::Undeliverable(_) => end(transaction, id, Status::Sent, outcome, now, keep_text),
        _ => end(transaction, id, Status::Sending, outcome, now, keep_text),
    }
}

fn retry(
    transaction: &Transaction<'_>,
    id: MessageId,
    at: Timestamp,
    problem: &Problem,
    unknown: bool,
    now: Timestamp,
) -> rusqlite::Result<Option<Message>> {
    let sql = concat!(
        "UPDATE message SET status = 0, due_at = :at, unknowns = unknowns + :unknown, updated_at = :now, \
         error_code = :code, error_detail = :detail, error_request_id = :request \
         WHERE id = :id AND status = 1 RETURNING ",
        row::message_columns!()
    );
    let values = named_params! {
        ":id": id, ":at": at, ":unknown": unknown, ":now": transaction.shift.shown(now), ":code": problem.code, ":detail": problem.detail,
        ":request": problem.aws_request_id,
    };
    let queued =
        transaction.prepare_cached(sql)?.query_row(values, |row| row::message(row, transaction.shift)).optional()?;
    if queued.is_some() {
        transaction.enqueued();
    }
    Ok(queued)
}

/// Ends a message that is in status `from`, and erases its text.
fn end(
    transaction: &Transaction<'_>,
    id: MessageId,
    from: Status,
    outcome: &Outcome,
    now: Timestamp,
    keep_text: bool,
) -> rusqlite::Result<Option<Message>> {
    let (status, provider_id, problem) = match outcome {
        Outcome::Sent(provider_id) => (Status::Sent, Some(provider_id), None),
        Outcome::Delivered => (Status::Delivered, None, None),
        Outcome::Failed(problem) | Outcome::Undeliverable(problem) => (Status::Failed, None, Some(problem)),
        Outcome::Expired(problem) => (Status::Expired, None, Some(problem)),
        Outcome::Unknown(problem) => (Status::Unknown, None, Some(problem)),
        Outcome::Retry { .. } => return Ok(None),
    };
    let unknown = matches!(outcome, Outcome::Unknown(_));
    let sql = concat!(
        "UPDATE message SET status = :status, due_at = NULL, words = CASE WHEN :keep THEN words END, \
         unknowns = unknowns + :unknown, provider_id = coalesce(:provider_id, provider_id), updated_at = :now, \
         error_code = :code, error_detail = :detail, error_request_id = :request \
         WHERE id = :id AND status = :from RETURNING ",
        row::message_columns!()
    );
    let values = named_params! {
        ":id": id, ":from": from, ":status": status, ":keep": keep_text, ":unknown": unknown,
        ":provider_id": provider_id, ":now": transaction.shift.shown(now),
        ":code": problem.map(|problem| problem.code),
        ":detail": problem.map(|problem| problem.detail.as_ref()),
        ":request": problem.and_then(|problem| problem.aws_request_id.as_deref()),
    };
    transaction.prepare_cached(sql)?.query_row(values, |row| row::message(row, transaction.shift)).optional()
}

pub(super) fn cancel(
    transaction: &Transaction<'_>,
    id: MessageId,
    now: Timestamp,
    keep_text: bool,
) -> rusqlite::Result<Option<Canceled>> {
    // In one statement with the condition, so that it is either canceled or claimed.
    let sql = concat!(
        "UPDATE message SET status = iif(unknowns > 0 OR doubtful, 7, 6), due_at = NULL, words = CASE WHEN :keep THEN words END, \
         updated_at = :now, error_code = iif(unknowns > 0 OR doubtful, :unknown, :canceled), \
         error_detail = iif(unknowns > 0 OR doubtful, :unknown_detail, :canceled_detail), error_request_id = NULL \
         WHERE id = :id AND status = 0 AND forwards = 0 AND receives = 0 RETURNING ",
        row::message_columns!()
    );
    let values = named_params! {
        ":id": id, ":keep": keep_text, ":now": transaction.shift.shown(now), ":unknown": Code::OutcomeUnknown, ":canceled": Code::Canceled,
        ":unknown_detail": "An attempt may have gone out; it was canceled before it was tried again.",
        ":canceled_detail": "Its sender took it back before it was published.",
    };
    if let Some(message) =
        transaction.prepare_cached(sql)?.query_row(values, |row| row::message(row, transaction.shift)).optional()?
    {
        transaction.dequeued();
        return Ok(Some(Canceled::Done(message)));
    }
    Ok(row::find(transaction, id, transaction.shift)?.map(Canceled::TooLate))
}

pub(super) fn sweep(transaction: &Transaction<'_>, now: Timestamp, keep_text: bool) -> rusqlite::Result<Swept> {
    let late: Vec<(Message, bool)> = transaction
        .prepare_cached(concat!(
            "SELECT ",
            row::message_columns!(),
            ", unknowns > 0 OR doubtful AS unknown FROM message WHERE status = 0 AND ends_at <= ?1 ORDER BY ends_at LIMIT ?2"
        ))?
        .query_map((now, SWEEP), |row| Ok((row::message(row, transaction.shift)?, row.get("unknown")?)))?
        .collect::<rusqlite::Result<_>>()?;
    let mut ended = Vec::with_capacity(late.len());
    for (message, unknown) in late {
        let id = message.id;
        let message = end(
            transaction,
            id,
            Status::Queued,
            &too_late(message, unknown, transaction.shift.shown(now)),
            now,
            keep_text,
        )?;
        message.iter().for_each(|_| transaction.dequeued());
        ended.extend(message);
    }
    let next = transaction
        .prepare_cached("SELECT min(ends_at) FROM message WHERE status = 0")?
        .query_row((), |row| row.get(0))?;
    Ok(Swept { ended, next })
}

fn too_late(message: Message, unknown: bool, now: WallTime) -> Outcome {
    if unknown {
        let detail = "An attempt may have gone out; its time ran out before it was tried again.";
        return Outcome::Unknown(Problem::new(Code::OutcomeUnknown, detail));
    }
    match message.expires_at {
        Some(expires_at) if expires_at <= now => {
            Outcome::Expired(Problem::new(Code::Expired, "Its `expires_in` ran out before it could be published."))
        }
        _ => Outcome::Failed(message.error.unwrap_or_else(|| {
            Problem::new(Code::CarrierUnavailable, "It was given up before a first attempt could be made.")
        })),
    }
}
