//! How messages come out: the oldest transactional first, and no more of them than the pace allows.

use rusqlite::{Connection, OptionalExtension};

use super::transaction::Transaction;
use super::{horizon, row};
use crate::message::{MessageId, Timestamp};
use crate::outbox::{Claim, Claims, Demand, Rest};

/// How far a claim reaches.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub(super) enum Reach {
    /// To the horizon: the claim need not wait for the disk.
    Horizon,
    /// As far as it is asked to: the claim waits for the disk, and moves the horizon on.
    All,
}

/// The messages, and how many more wait within the horizon then.
pub(super) fn claim(
    transaction: &Transaction<'_>,
    now: Timestamp,
    demand: Demand,
    reach: Reach,
) -> rusqlite::Result<(Claims, u64)> {
    let claims = take_due(transaction, now, demand, reach)?;
    if reach == Reach::All && claims.rest == Rest::More && !demand.to_probe {
        transaction.horizon.set(horizon::moved(transaction, now)?);
    }
    Ok((claims, transaction.horizon.get().left()))
}

fn take_due(transaction: &Transaction<'_>, now: Timestamp, demand: Demand, reach: Reach) -> rusqlite::Result<Claims> {
    if demand.to_probe
        && let Some((seq, segments)) = probe(transaction, now)?
    {
        let fits = demand.segments.is_none_or(|mut allowance| allowance.take(segments));
        return Ok(if fits {
            Claims { claims: vec![take(transaction, seq, now)?], rest: Rest::More }
        } else {
            Claims { claims: Vec::new(), rest: Rest::Paced(segments) }
        });
    }
    let mut allowance = demand.segments;
    let mut claims = Vec::new();
    for lane in [0_u8, 1] {
        let mut due = transaction.prepare_cached(
            "SELECT due_at, seq, segments FROM message WHERE status = 0 AND lane = ?1 AND due_at <= ?2 \
             ORDER BY due_at, seq LIMIT ?3",
        )?;
        let room = i64::try_from(demand.messages - claims.len()).unwrap_or(i64::MAX);
        let due: Vec<(i64, i64, u32)> =
            due.query_map((lane, now, room), |row| row.try_into())?.collect::<rusqlite::Result<_>>()?;
        for (due_at, seq, segments) in due {
            let horizon = transaction.horizon.get();
            let is_covered = horizon.covers(lane, due_at, seq);
            if reach == Reach::Horizon && !is_covered {
                return Ok(Claims { claims, rest: Rest::More });
            }
            if let Some(allowance) = &mut allowance
                && !allowance.take(segments)
            {
                return Ok(Claims { claims, rest: Rest::Paced(segments) });
            }
            if is_covered {
                transaction.horizon.set(horizon.passed());
            }
            claims.push(take(transaction, seq, now)?);
        }
        if claims.len() == demand.messages {
            return Ok(Claims { claims, rest: Rest::More });
        }
    }
    let next = transaction
        .prepare_cached(
            "SELECT min(due_at) FROM (SELECT min(due_at) AS due_at FROM message WHERE status = 0 AND lane = 0 \
             UNION ALL SELECT min(due_at) FROM message WHERE status = 0 AND lane = 1)",
        )?
        .query_row((), |row| row.get(0))?;
    Ok(Claims { claims, rest: Rest::Idle(next) })
}

/// The first that is due and tells something new: the calls of those whose last one brought no answer may hang again, and
/// so may those to the same numbers, while others are answered.
fn probe(connection: &Connection, now: Timestamp) -> rusqlite::Result<Option<(i64, u32)>> {
    connection
        .prepare_cached(
            "SELECT seq, segments FROM message WHERE status = 0 AND due_at <= ?1 AND unknowns = 0 \
             AND recipient NOT IN (SELECT recipient FROM message WHERE status = 0 AND unknowns > 0) \
             ORDER BY lane, due_at, seq LIMIT 1",
        )?
        .query_row([now], |row| row.try_into())
        .optional()
}

/// The same of a few messages that are named.
pub(super) fn claim_among(
    transaction: &Transaction<'_>,
    ids: &[MessageId],
    now: Timestamp,
    demand: Demand,
) -> rusqlite::Result<Claims> {
    // In the order in which they leave: lane, then what came first.
    let mut queued = Vec::new();
    for id in ids {
        let row: Option<(u32, i64, i64, u32)> = transaction
            .prepare_cached(
                "SELECT lane, due_at, seq, segments FROM message WHERE id = ?1 AND status = 0 AND due_at IS NOT NULL",
            )?
            .query_row([id], |row| row.try_into())
            .optional()?;
        queued.extend(row);
    }
    queued.sort_unstable();
    let (due, later): (Vec<_>, Vec<_>) = queued.into_iter().partition(|(_, due_at, ..)| *due_at <= now.as_millis());
    let mut allowance = demand.segments;
    let mut claims = Vec::new();
    for (_, _, seq, segments) in due {
        if claims.len() == demand.messages {
            return Ok(Claims { claims, rest: Rest::More });
        }
        if let Some(allowance) = &mut allowance
            && !allowance.take(segments)
        {
            return Ok(Claims { claims, rest: Rest::Paced(segments) });
        }
        claims.push(take(transaction, seq, now)?);
    }
    let next = later.iter().map(|(_, due_at, ..)| Timestamp::from_millis(*due_at)).min();
    Ok(Claims { claims, rest: Rest::Idle(next) })
}

fn take(transaction: &Transaction<'_>, seq: i64, now: Timestamp) -> rusqlite::Result<Claim> {
    let sql = concat!(
        "UPDATE message SET status = 1, due_at = NULL, attempts = attempts + 1, \
         possible_duplicate = unknowns > 0 OR doubtful, \
         updated_at = ?2 WHERE seq = ?1 RETURNING ",
        row::claim_columns!()
    );
    let claim = transaction.prepare_cached(sql)?.query_row((seq, transaction.shift.shown(now)), row::claim)?;
    transaction.dequeued();
    Ok(claim)
}
