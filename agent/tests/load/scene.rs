//! The outbox's file as a kill left it.

use std::path::Path;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags};
use sms_agent::message::MessageId;

/// The messages that the file calls `sending`. It is looked at and left as it was found, log and all: to bring it in
/// order is the next agent's work.
pub(crate) fn in_flight(file: &Path) -> Vec<String> {
    let connection = Connection::open_with_flags(file, OpenFlags::SQLITE_OPEN_READ_WRITE).unwrap();
    connection.set_db_config(DbConfig::SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, true).unwrap();
    let mut sending = connection.prepare("SELECT id FROM message WHERE status = 1").unwrap();
    let ids = sending.query_map((), |row| row.get::<_, [u8; 16]>(0)).unwrap();
    ids.map(|id| MessageId::from_bytes(id.unwrap()).to_string()).collect()
}
