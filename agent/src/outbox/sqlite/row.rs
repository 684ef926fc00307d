//! A message as a row, both ways.

use rusqlite::types::{FromSqlError, FromSqlResult, ToSqlOutput, ValueRef};
use rusqlite::{Connection, OptionalExtension, Row, ToSql, named_params};

use super::transaction::Transaction;
use crate::clock::Shift;
use crate::message::{
    Code, DltId, Encoding, MaxPrice, Message, MessageId, OriginationNumber, PhoneNumber, Problem, Sender, SenderId,
    Sms, SmsType, Status, Text, Timestamp, WallTime,
};
use crate::outbox::{Claim, Entry};

/// What [`message`] reads, in its order.
macro_rules! message_columns {
    () => {
        "id, status, lane, recipient, encoding, segments, sender_id, origination_number, \
    provider_id, attempts, possible_duplicate, due_at, expires_at, reference, created_at, updated_at, \
    error_code, error_detail, error_request_id"
    };
}

/// What [`claim`] reads, in its order.
macro_rules! claim_columns {
    () => {
        "id, lane, recipient, words, sender_id, origination_number, max_price_usd, entity_id, template_id, attempts, unknowns, coalesce(accepted_at, created_at), expires_at, give_up_at, trace, doubtful"
    };
}

pub(super) use {claim_columns, message_columns};

const INSERT: &str = "INSERT INTO message (id, status, lane, recipient, words, encoding, segments, sender_id, \
    origination_number, max_price_usd, entity_id, template_id, reference, trace, attempts, unknowns, \
    possible_duplicate, due_at, ends_at, created_at, updated_at, expires_at, give_up_at, idempotency_key, accepted_at) \
    VALUES (:id, :status, :lane, :recipient, :words, :encoding, :segments, :sender_id, :origination_number, \
    :max_price_usd, :entity_id, :template_id, :reference, :trace, :attempts, 0, 0, :due_at, :ends_at, :created_at, :created_at, \
    :expires_at, :give_up_at, :key, :at)";

/// Writes a new message, which is due at that time, if at any, and came under that key, if under any; answers with it.
pub(super) fn insert(
    transaction: &Transaction<'_>,
    entry: &Entry,
    due_at: Option<Timestamp>,
    key: Option<[u8; 32]>,
) -> rusqlite::Result<Message> {
    let Entry { id, draft, at, give_up_at, claimed, trace } = entry;
    let sms = &draft.sms;
    let status = if *claimed { Status::Sending } else { Status::Queued };
    let attempts = u32::from(*claimed);
    let expires_at = draft.expires_in.map(|seconds| at.plus(std::time::Duration::from_secs(seconds.into())));
    let (sender_id, origination_number) = match &sms.sender {
        Sender::Account => (None, None),
        Sender::Id(id) => (Some(id.as_str()), None),
        Sender::Number(number) => (None, Some(number.as_str())),
    };
    let shift = transaction.shift;
    let created_at = shift.shown(*at);
    transaction.prepare_cached(INSERT)?.execute(named_params! {
        ":id": id,
        ":status": status,
        ":lane": sms.kind,
        ":recipient": sms.to.as_str(),
        ":words": sms.text.as_str(),
        ":encoding": sms.text.encoding(),
        ":segments": sms.text.segments(),
        ":sender_id": sender_id,
        ":origination_number": origination_number,
        ":max_price_usd": sms.max_price_usd.as_ref().map(MaxPrice::as_str),
        ":entity_id": sms.entity_id.as_ref().map(DltId::as_str),
        ":template_id": sms.template_id.as_ref().map(DltId::as_str),
        ":reference": draft.reference,
        ":trace": trace,
        ":attempts": attempts,
        ":due_at": due_at,
        ":ends_at": expires_at.map_or(*give_up_at, |expires_at| expires_at.min(*give_up_at)),
        ":created_at": created_at,
        ":at": at,
        ":expires_at": expires_at,
        ":give_up_at": give_up_at,
        ":key": key,
    })?;
    Ok(Message {
        id: *id,
        status,
        to: sms.to.clone(),
        kind: sms.kind,
        sender: sms.sender.clone(),
        encoding: sms.text.encoding(),
        segments: sms.text.segments(),
        provider_id: None,
        attempts,
        possible_duplicate: false,
        next_attempt_at: due_at.map(|at| shift.shown(at)),
        expires_at: expires_at.map(|at| shift.shown(at)),
        reference: draft.reference.clone(),
        created_at,
        updated_at: created_at,
        error: None,
    })
}

/// The message of that name.
pub(super) fn find(connection: &Connection, id: MessageId, shift: Shift) -> rusqlite::Result<Option<Message>> {
    let sql = concat!("SELECT ", message_columns!(), " FROM message WHERE id = ?1");
    connection.prepare_cached(sql)?.query_row([id], |row| message(row, shift)).optional()
}

/// A row of [`message_columns`], its deadlines as the wall clock has them.
pub(super) fn message(row: &Row<'_>, shift: Shift) -> rusqlite::Result<Message> {
    Ok(Message {
        id: row.get(0)?,
        status: row.get(1)?,
        kind: row.get(2)?,
        to: PhoneNumber::from_stored(row.get(3)?),
        encoding: row.get(4)?,
        segments: row.get(5)?,
        sender: sender(row, 6)?,
        provider_id: row.get(8)?,
        attempts: row.get(9)?,
        possible_duplicate: row.get(10)?,
        next_attempt_at: row.get::<_, Option<_>>(11)?.map(|at| shift.shown(at)),
        expires_at: row.get::<_, Option<_>>(12)?.map(|at| shift.shown(at)),
        reference: row.get(13)?,
        created_at: row.get(14)?,
        updated_at: row.get(15)?,
        error: problem(row, 16)?,
    })
}

/// A row of [`claim_columns`].
pub(super) fn claim(row: &Row<'_>) -> rusqlite::Result<Claim> {
    Ok(Claim {
        id: row.get(0)?,
        sms: Sms {
            kind: row.get(1)?,
            to: PhoneNumber::from_stored(row.get(2)?),
            text: Text::from_stored(row.get(3)?),
            sender: sender(row, 4)?,
            max_price_usd: stored(row, 6, MaxPrice::from_stored)?,
            entity_id: stored(row, 7, DltId::from_stored)?,
            template_id: stored(row, 8, DltId::from_stored)?,
        },
        attempt: row.get(9)?,
        unknowns: row.get(10)?,
        accepted_at: row.get(11)?,
        expires_at: row.get(12)?,
        give_up_at: row.get(13)?,
        trace: row.get(14)?,
        doubtful: row.get(15)?,
    })
}

fn sender(row: &Row<'_>, index: usize) -> rusqlite::Result<Sender> {
    if let Some(id) = stored(row, index, SenderId::from_stored)? {
        return Ok(Sender::Id(id));
    }
    Ok(stored(row, index + 1, OriginationNumber::from_stored)?.map_or(Sender::Account, Sender::Number))
}

fn stored<T>(row: &Row<'_>, index: usize, from: fn(String) -> T) -> rusqlite::Result<Option<T>> {
    Ok(row.get::<_, Option<String>>(index)?.map(from))
}

fn problem(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<Problem>> {
    let Some(code) = row.get::<_, Option<Code>>(index)? else { return Ok(None) };
    let detail: Option<String> = row.get(index + 1)?;
    Ok(Some(Problem::new(code, detail.unwrap_or_default()).with_request_id(row.get(index + 2)?)))
}

impl ToSql for MessageId {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Owned(self.to_bytes().to_vec().into()))
    }
}

impl rusqlite::types::FromSql for MessageId {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        <[u8; 16]>::column_result(value).map(Self::from_bytes)
    }
}

impl ToSql for Timestamp {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_millis().into())
    }
}

impl rusqlite::types::FromSql for Timestamp {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_millis)
    }
}

impl ToSql for WallTime {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_millis().into())
    }
}

impl rusqlite::types::FromSql for WallTime {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        i64::column_result(value).map(Self::from_millis)
    }
}

impl ToSql for Code {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(self.as_str().into())
    }
}

impl rusqlite::types::FromSql for Code {
    fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
        // A word of a newer version that was rolled back: the detail still tells what happened.
        Ok(Self::parse(value.as_str()?).unwrap_or(Self::Internal))
    }
}

/// Numbers that stand in files for good: a new one may be added, none may change.
macro_rules! stored_as_number {
    ($kind:ty { $($value:path = $number:literal),+ $(,)? } $(and reads $other:literal as $meant:path)?) => {
        impl ToSql for $kind {
            fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
                let number: i64 = match self { $($value => $number),+ };
                Ok(number.into())
            }
        }
        impl rusqlite::types::FromSql for $kind {
            fn column_result(value: ValueRef<'_>) -> FromSqlResult<Self> {
                match value.as_i64()? {
                    $($number => Ok($value),)+
                    $($other => Ok($meant),)?
                    other => Err(FromSqlError::OutOfRange(other)),
                }
            }
        }
    };
}

stored_as_number!(Status {
    Status::Queued = 0,
    Status::Sending = 1,
    Status::Sent = 2,
    Status::Delivered = 3,
    Status::Failed = 4,
    Status::Expired = 5,
    Status::Canceled = 6,
    Status::Unknown = 7,
} and reads 8 as Status::Queued);
stored_as_number!(SmsType { SmsType::Transactional = 0, SmsType::Promotional = 1 });
stored_as_number!(Encoding { Encoding::Gsm7 = 0, Encoding::Ucs2 = 1 });
