//! The tables, and how an older file becomes a newer one.
//!
//! `user_version` counts the migrations that a file has seen; each runs once, in a transaction of its own.

use rusqlite::{Connection, TransactionBehavior};

use super::file::Cause;

/// In order; what was once released is never changed, only followed.
const MIGRATIONS: [&str; 8] = [
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
    include_str!("schema/0008.sql"),
];

/// Brings the file to this program's schema.
///
/// # Errors
/// What SQLite says, or that a newer program wrote the file.
pub(super) fn migrate(connection: &mut Connection) -> Result<(), Cause> {
    let seen: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let mut version = 0;
    for migration in MIGRATIONS {
        version += 1;
        if version <= seen {
            continue;
        }
        let transaction = connection.transaction_with_behavior(TransactionBehavior::Exclusive)?;
        transaction.execute_batch(migration)?;
        transaction.pragma_update(None, "user_version", version)?;
        transaction.commit()?;
    }
    refuse_newer(connection)
}

/// Whether a newer program wrote the file.
///
/// # Errors
/// One did, or what SQLite says.
pub(super) fn refuse_newer(connection: &Connection) -> Result<(), Cause> {
    let seen: usize = connection.pragma_query_value(None, "user_version", |row| row.get::<_, u32>(0))? as usize;
    if seen > MIGRATIONS.len() { Err(Cause::Newer) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_of_an_earlier_version_becomes_one_of_this() {
        let schema = |from: usize| {
            let mut connection = Connection::open_in_memory().unwrap();
            MIGRATIONS.iter().take(from).for_each(|sql| connection.execute_batch(sql).unwrap());
            connection.pragma_update(None, "user_version", u32::try_from(from).unwrap()).unwrap();
            migrate(&mut connection).unwrap();
            let mut tables = connection.prepare("SELECT sql FROM sqlite_schema ORDER BY name").unwrap();
            let tables = tables.query_map((), |row| row.get::<_, Option<String>>(0)).unwrap();
            tables.map(Result::unwrap).collect::<Vec<_>>()
        };
        for from in 1..=MIGRATIONS.len() {
            assert_eq!(schema(from), schema(0));
        }
    }

    #[test]
    fn what_a_carrier_said_of_old_failures_is_erased_and_our_own_words_stay() {
        let mut connection = Connection::open_in_memory().unwrap();
        MIGRATIONS.iter().take(7).for_each(|sql| connection.execute_batch(sql).unwrap());
        connection.pragma_update(None, "user_version", 7).unwrap();
        for (id, code) in ["carrier_rejected", "outcome_unknown", "expired"].iter().enumerate() {
            connection
                .execute(
                    "INSERT INTO message (id, status, lane, recipient, encoding, segments, attempts, unknowns, \
                     possible_duplicate, ends_at, created_at, updated_at, give_up_at, error_code, error_detail) \
                     VALUES (?1, 4, 0, '', 0, 1, 1, 0, 0, 0, 0, 0, 0, ?2, 'sesame')",
                    (vec![u8::try_from(id).unwrap(); 16], code),
                )
                .unwrap();
        }
        migrate(&mut connection).unwrap();
        let mut details = connection.prepare("SELECT error_detail FROM message ORDER BY seq").unwrap();
        let details: Vec<String> = details.query_map((), |row| row.get(0)).unwrap().map(Result::unwrap).collect();
        let erased = "What the carrier said is no longer kept.";
        assert_eq!(details, [erased, erased, "sesame"]);
    }

    #[test]
    fn a_file_is_migrated_once_and_a_newer_one_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 1_000).unwrap();
        assert!(matches!(migrate(&mut connection), Err(Cause::Newer)));
    }
}
