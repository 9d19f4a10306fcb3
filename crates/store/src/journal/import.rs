//! Pushes that run elsewhere: their starts are kept until their ends are told, and make records then.

use model::{Record, Timestamp};
use rusqlite::{OptionalExtension, Transaction, params};

use super::batch::insert_end;
use crate::layout::storable;
use crate::limits::IMPORT_OPEN;
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
            tx.prepare_cached(
                "insert or ignore into import_open (source, key, opened_at, body) values (?1, ?2, ?3, '{}')",
            )?
            .execute(params![source, key, at.millis()])?;
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
