//! What becomes of messages: back to the queue, or to an end, where their text is erased.

use rusqlite::{Connection, OptionalExtension, named_params};

use super::row;
use crate::message::{Code, Message, MessageId, Problem, Status, Timestamp};
use crate::outbox::{Outcome, Swept};

/// How many messages one sweep ends at most, so that it keeps nobody waiting.
const SWEEP: u32 = 256;

pub(super) fn settle(
    connection: &Connection,
    id: MessageId,
    outcome: &Outcome,
    now: Timestamp,
    keep_text: bool,
) -> rusqlite::Result<Option<Message>> {
    match outcome {
        Outcome::Retry { at, problem, unknown } => retry(connection, id, *at, problem, *unknown, now),
        Outcome::Delivered | Outcome::Undeliverable(_) => end(connection, id, Status::Sent, outcome, now, keep_text),
        _ => end(connection, id, Status::Sending, outcome, now, keep_text),
    }
}

fn retry(
    connection: &Connection,
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
        ":id": id, ":at": at, ":unknown": unknown, ":now": now, ":code": problem.code, ":detail": problem.detail,
        ":request": problem.aws_request_id,
    };
    connection.prepare_cached(sql)?.query_row(values, row::message).optional()
}

/// Ends a message that is in status `from`, and erases its text.
fn end(
    connection: &Connection,
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
        ":provider_id": provider_id, ":now": now,
        ":code": problem.map(|problem| problem.code),
        ":detail": problem.map(|problem| problem.detail.as_ref()),
        ":request": problem.and_then(|problem| problem.aws_request_id.as_deref()),
    };
    connection.prepare_cached(sql)?.query_row(values, row::message).optional()
}

pub(super) fn sweep(connection: &Connection, now: Timestamp, keep_text: bool) -> rusqlite::Result<Swept> {
    let late: Vec<(MessageId, Option<Timestamp>, Option<Problem>)> = connection
        .prepare_cached(concat!(
            "SELECT ",
            row::message_columns!(),
            " FROM message WHERE status = 0 AND ends_at <= ?1 ORDER BY ends_at LIMIT ?2"
        ))?
        .query_map((now, SWEEP), row::message)?
        .map(|message| message.map(|message| (message.id, message.expires_at, message.error)))
        .collect::<rusqlite::Result<_>>()?;
    let mut ended = Vec::with_capacity(late.len());
    for (id, expires_at, last) in late {
        let outcome = match expires_at {
            Some(expires_at) if expires_at <= now => {
                Outcome::Expired(Problem::new(Code::Expired, "its `expires_in` ran out before it could be published"))
            }
            _ => Outcome::Failed(last.unwrap_or_else(|| {
                Problem::new(Code::CarrierUnavailable, "it was given up before a first attempt could be made")
            })),
        };
        ended.extend(end(connection, id, Status::Queued, &outcome, now, keep_text)?);
    }
    let next = connection
        .prepare_cached("SELECT min(ends_at) FROM message WHERE status = 0")?
        .query_row((), |row| row.get(0))?;
    Ok(Swept { ended, next })
}
