//! The tables, and how an older file becomes a newer one.
//!
//! `user_version` counts the migrations that a file has seen; each runs once, in a transaction of its own.

use rusqlite::{Connection, TransactionBehavior};

use super::file::Cause;

/// In order; what was once released is never changed, only followed.
const MIGRATIONS: [&str; 7] = [
    include_str!("schema/0001.sql"),
    include_str!("schema/0002.sql"),
    include_str!("schema/0003.sql"),
    include_str!("schema/0004.sql"),
    include_str!("schema/0005.sql"),
    include_str!("schema/0006.sql"),
    include_str!("schema/0007.sql"),
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
    if seen > version { Err(Cause::Newer) } else { Ok(()) }
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
    fn a_file_is_migrated_once_and_a_newer_one_is_refused() {
        let mut connection = Connection::open_in_memory().unwrap();
        migrate(&mut connection).unwrap();
        migrate(&mut connection).unwrap();
        connection.pragma_update(None, "user_version", 1_000).unwrap();
        assert!(matches!(migrate(&mut connection), Err(Cause::Newer)));
    }
}
