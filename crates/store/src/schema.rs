//! The schemas of the two kinds of database, and the runner that brings a file up to date: numbered steps, forward
//! only, all that are missing in one transaction, the version in `PRAGMA user_version`.

use std::path::Path;
use std::time::Duration;

use rusqlite::config::DbConfig;
use rusqlite::{Connection, OpenFlags, TransactionBehavior};

use crate::error::StoreError;
use crate::layout;
use crate::limits::BUSY_TIMEOUT;

/// A kind of database: its steps, the first of which makes version 1.
pub(crate) struct Schema {
    steps: &'static [&'static str],
    page_size: u32,
}

pub(crate) const JOURNAL: Schema = Schema {
    steps: &[
        include_str!("schema/journal.sql"),
        include_str!("schema/journal-2.sql"),
        include_str!("schema/journal-3.sql"),
        include_str!("schema/journal-4.sql"),
        include_str!("schema/journal-5.sql"),
    ],
    page_size: 4096,
};
pub(crate) const HISTORY: Schema = Schema {
    steps: &[include_str!("schema/history.sql"), include_str!("schema/history-2.sql")],
    page_size: 4096,
};
pub(crate) const RECORDS: Schema = Schema { steps: &[include_str!("schema/records.sql")], page_size: 8192 };

impl Schema {
    fn newest(&self) -> u32 {
        u32::try_from(self.steps.len()).unwrap_or(u32::MAX)
    }

    /// Opens the file for its one writer, making it (mode 0600) or bringing it up to date.
    pub fn open(&self, path: &Path) -> Result<Connection, StoreError> {
        // SQLite gives its WAL the mode of the database, so making the empty file first is enough.
        layout::private().open(path).map_err(StoreError::io("open", path))?;
        let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut db = Connection::open_with_flags(path, flags).map_err(StoreError::db(path))?;
        self.prepare(&db).map_err(StoreError::db(path))?;
        self.migrate(&mut db, path)?;
        Ok(db)
    }

    /// Opens the file for reading. Never migrates.
    pub fn open_read_only(&self, path: &Path) -> Result<Connection, StoreError> {
        let db = match read_only(path, false) {
            // Without permission to write into the folder SQLite cannot make its shared memory; a database without a
            // WAL can be read as it stands.
            Err(_) if wal_is_empty(path) => read_only(path, true),
            other => other,
        }
        .map_err(StoreError::db(path))?;
        let found = version(&db).map_err(StoreError::db(path))?;
        match found.cmp(&self.newest()) {
            std::cmp::Ordering::Equal => Ok(db),
            std::cmp::Ordering::Less => {
                Err(StoreError::OlderSchema { path: path.to_owned(), found, known: self.newest() })
            }
            std::cmp::Ordering::Greater => self.newer(path, found),
        }
    }

    fn newer<T>(&self, path: &Path, found: u32) -> Result<T, StoreError> {
        Err(StoreError::NewerSchema { path: path.to_owned(), found, known: self.newest() })
    }

    fn prepare(&self, db: &Connection) -> rusqlite::Result<()> {
        db.busy_timeout(BUSY_TIMEOUT)?;
        db.pragma_update(None, "page_size", self.page_size)?;
        db.pragma_update_and_check(None, "journal_mode", "wal", |_| Ok(()))?;
        db.pragma_update(None, "synchronous", "full")?;
        db.pragma_update(None, "temp_store", "memory")?;
        keep_plans(db)?;
        Ok(())
    }

    fn migrate(&self, db: &mut Connection, path: &Path) -> Result<(), StoreError> {
        let found = version(db).map_err(StoreError::db(path))?;
        if found > self.newest() {
            return self.newer(path, found);
        }
        if found == self.newest() {
            return Ok(());
        }
        self.apply(db, found).map_err(StoreError::db(path))?;
        if found > 0 {
            tracing::info!(path = %path.display(), version = self.newest(), "schema migrated");
        }
        Ok(())
    }

    /// Applies the steps that a file of this version lacks. Nobody who reads meanwhile sees a version between.
    fn apply(&self, db: &mut Connection, found: u32) -> rusqlite::Result<()> {
        let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
        for (_, step) in (1u32..).zip(self.steps).filter(|(number, _)| *number > found) {
            tx.execute_batch(step)?;
        }
        tx.pragma_update(None, "user_version", self.newest())?;
        tx.commit()
    }
}

fn version(db: &Connection) -> rusqlite::Result<u32> {
    db.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn read_only(path: &Path, immutable: bool) -> rusqlite::Result<Connection> {
    let mut flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let db = if immutable {
        flags |= OpenFlags::SQLITE_OPEN_URI;
        Connection::open_with_flags(format!("file:{}?immutable=1", escape(path)), flags)?
    } else {
        Connection::open_with_flags(path, flags)?
    };
    db.busy_timeout(Duration::from_secs(2))?;
    db.pragma_update(None, "query_only", true)?;
    keep_plans(&db)?;
    // The file is only opened now; this finds out whether it can be read at all.
    version(&db)?;
    Ok(db)
}

/// Without this a statement is parsed anew whenever it gets other values, should they ask for another plan. Ours name their
/// index, and parsing takes longer than most of them run.
fn keep_plans(db: &Connection) -> rusqlite::Result<()> {
    db.set_db_config(DbConfig::SQLITE_DBCONFIG_ENABLE_QPSG, true)?;
    db.set_prepared_statement_cache_capacity(64);
    Ok(())
}

fn escape(path: &Path) -> String {
    path.to_string_lossy().replace('%', "%25").replace('?', "%3f").replace('#', "%23")
}

fn wal_is_empty(path: &Path) -> bool {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    std::fs::metadata(wal).map_or(true, |m| m.len() == 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    const TWO: Schema =
        Schema { steps: &["create table a (x)", "alter table a add column y default 7"], page_size: 4096 };
    const ONE: Schema = Schema { steps: &["create table a (x)"], page_size: 4096 };

    #[test]
    fn every_schema_applies_to_an_empty_file_and_opens_again() {
        let dir = tempfile::tempdir().unwrap();
        for (name, schema) in [("j.db", JOURNAL), ("r.db", RECORDS), ("h.db", HISTORY)] {
            let path = dir.path().join(name);
            drop(schema.open(&path).unwrap());
            drop(schema.open(&path).unwrap());
            schema.open_read_only(&path).unwrap();
        }
    }

    #[test]
    fn an_older_file_is_migrated_and_keeps_its_rows() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        ONE.open(&path).unwrap().execute("insert into a values (3)", []).unwrap();
        assert!(matches!(TWO.open_read_only(&path), Err(StoreError::OlderSchema { found: 1, known: 2, .. })));
        let db = TWO.open(&path).unwrap();
        let row: (i64, i64) = db.query_row("select x, y from a", [], |r| Ok((r.get(0)?, r.get(1)?))).unwrap();
        assert_eq!(row, (3, 7));
    }

    #[test]
    fn a_newer_file_is_refused_untouched() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        drop(TWO.open(&path).unwrap());
        let before = std::fs::read(&path).unwrap();
        assert!(matches!(ONE.open(&path), Err(StoreError::NewerSchema { found: 2, known: 1, .. })));
        assert!(matches!(ONE.open_read_only(&path), Err(StoreError::NewerSchema { .. })));
        assert_eq!(std::fs::read(&path).unwrap(), before);
    }

    #[test]
    fn a_file_that_is_no_database_is_an_error() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("x.db");
        std::fs::write(&path, vec![b'x'; 8192]).unwrap();
        assert!(matches!(ONE.open(&path), Err(StoreError::Database { .. })));
    }
}
