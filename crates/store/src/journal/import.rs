//! Pushes that run elsewhere: their starts are kept until their ends are told, and make records then.

use model::{Record, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};

use super::batch::insert_end;
use crate::layout::storable;
use crate::limits::{IMPORT_OPEN, MAX_IMPORTS_OPEN};
use crate::row::EndRow;

/// What is told of a push that runs elsewhere.
#[derive(Clone, Debug, PartialEq)]
pub enum Import {
    /// It went live.
    Start {
        /// Name of the importer.
        source: String,
        /// What start and end of one push have in common there.
        key: String,
        /// When.
        at: Timestamp,
    },
    /// It ended.
    End {
        /// Name of the importer.
        source: String,
        /// What start and end of one push have in common there.
        key: String,
        /// The record as far as the end alone tells it.
        row: Box<EndRow>,
        /// Whether the record's times come from the source; else they follow from the start, where one was told.
        told_duration: bool,
    },
}

/// Writes it; gives the record of an end.
pub(super) fn write(tx: &Transaction<'_>, import: &Import) -> rusqlite::Result<Option<Record>> {
    match import {
        Import::Start { source, key, at } => {
            // Whose end was never told is forgotten at last.
            tx.prepare_cached("delete from import_open where opened_at < ?1")?
                .execute([at.minus(IMPORT_OPEN).millis()])?;
            // Some servers count their clients from 1 at each start of theirs: the newest start is the one meant.
            tx.prepare_cached(
                "insert or replace into import_open (source, key, opened_at, body) values (?1, ?2, ?3, '{}')",
            )?
            .execute(params![source, key, at.millis()])?;
            tx.prepare_cached(
                "delete from import_open where opened_at <= (select opened_at from import_open \
                 order by opened_at desc limit 1 offset ?1)",
            )?
            .execute([MAX_IMPORTS_OPEN])?;
            Ok(None)
        }
        Import::End { source, key, row, told_duration } => {
            let began: Option<i64> = tx
                .prepare_cached("select opened_at from import_open where source = ?1 and key = ?2")?
                .query_row([source, key], |row| row.get(0))
                .optional()?;
            tx.prepare_cached("delete from import_open where source = ?1 and key = ?2")?
                .execute([source, key])?;
            let mut end = EndRow::clone(row);
            end.record.ended_at = storable(end.record.ended_at);
            if let Some(began) = began.map(Timestamp).filter(|_| !told_duration) {
                let began = began.min(end.record.ended_at);
                end.record.connected_at = began;
                end.record.published_at = Some(began);
                end.record.duration_ms = end.record.ended_at.since(began);
            }
            insert_end(tx, &end, None, false)?;
            Ok(Some(end.record))
        }
    }
}

#[cfg(test)]
mod tests {
    use rusqlite::Connection;

    use super::*;
    use crate::schema::JOURNAL;

    fn journal() -> (tempfile::TempDir, Connection) {
        let dir = tempfile::tempdir().unwrap();
        let db = JOURNAL.open(&dir.path().join("journal.db")).unwrap();
        (dir, db)
    }

    fn start(key: usize, at: i64) -> Import {
        Import::Start { source: "edge".to_owned(), key: key.to_string(), at: Timestamp(at) }
    }

    fn opened(db: &Connection, key: usize) -> Option<i64> {
        let sql = "select opened_at from import_open where key = ?1";
        db.query_row(sql, [key.to_string()], |row| row.get(0)).optional().unwrap()
    }

    #[test]
    fn a_start_that_is_told_again_counts_from_then_on() {
        let (_dir, mut db) = journal();
        let tx = db.transaction().unwrap();
        write(&tx, &start(1, 5)).unwrap();
        write(&tx, &start(1, 9)).unwrap();
        tx.commit().unwrap();
        assert_eq!(opened(&db, 1), Some(9));
    }

    #[test]
    fn starts_whose_ends_never_come_are_bounded_and_the_oldest_go() {
        let (_dir, mut db) = journal();
        let most = MAX_IMPORTS_OPEN as usize;
        let tx = db.transaction().unwrap();
        for key in 0..most {
            let row = params![key.to_string(), key as i64];
            tx.execute("insert into import_open values ('edge', ?1, ?2, '{}')", row).unwrap();
        }
        write(&tx, &start(most, most as i64)).unwrap();
        tx.commit().unwrap();
        let count: i64 = db.query_row("select count(*) from import_open", [], |row| row.get(0)).unwrap();
        assert_eq!((count, opened(&db, 0), opened(&db, 1)), (MAX_IMPORTS_OPEN, None, Some(1)));
    }
}
