//! Records that are still in the journal. They are few, so they are looked through newest first.

use std::collections::HashSet;

use model::{PushId, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::filter::{Filter, StreamName};
use super::query::Cursor;
use super::snapshot::Snapshot;
use super::{Found, Window};
use crate::columns::{self, ENDED_COLUMNS, Stored};

pub(crate) fn find(db: &Connection, filter: &Filter, window: &mut Window) -> rusqlite::Result<Found> {
    // One transaction: a record that is filed between being found and being read is still read.
    let tx = Snapshot::of(db)?;
    let mut found = Found::default();
    let mut select = tx.prepare_cached(
        "select ended_at, tie, seq, domain, app, stream, errcode, sub_errcode, side, account, client_ip from ended \
         where ended_at <= ?1 and (ended_at, tie) < (?1, ?2) and ended_at >= ?3 order by ended_at desc, tie desc",
    )?;
    let mut read = tx.prepare_cached(&format!("select {ENDED_COLUMNS} from ended where seq = ?1"))?;
    let Window { below, from, .. } = *window;
    let mut rows = select.query(params![below.ended_at, below.tie, from.ended_at])?;
    while let Some(row) = rows.next()? {
        let at = Cursor { ended_at: row.get(0)?, tie: row.get(1)? };
        if window.budget == 0 {
            found.stopped = Some(at);
            break;
        }
        window.budget -= 1;
        if at < from || !names_match(filter, row)? || !filter.admits(row, 6)? {
            continue;
        }
        // One that cannot be read is `check`'s matter, and may not hide the others.
        match read.query_row([row.get::<_, i64>(2)?], columns::read) {
            Ok(stored) => found.records.push((at, stored)),
            Err(error) => tracing::error!(%error, "an end in the journal cannot be read"),
        }
        if found.records.len() >= window.wanted {
            break;
        }
    }
    // What was looked at last is known; what stopped the search is the place before the next row.
    found.stopped = found.stopped.map(|at| Cursor { tie: at.tie.saturating_add(1), ..at });
    Ok(found)
}

fn names_match(filter: &Filter, row: &Row<'_>) -> rusqlite::Result<bool> {
    let is = |index: usize, wanted: &Option<String>| -> rusqlite::Result<bool> {
        let Some(wanted) = wanted else { return Ok(true) };
        Ok(row.get_ref(index)?.as_str().ok() == Some(wanted))
    };
    if !is(3, &filter.domain)? || !is(4, &filter.app)? {
        return Ok(false);
    }
    let Some(wanted) = &filter.stream else { return Ok(true) };
    let Ok(name) = row.get_ref(5)?.as_str() else { return Ok(false) };
    Ok(match wanted {
        StreamName::Is(wanted) => name == wanted,
        StreamName::Contains(part) => part.is_in(name),
    })
}

pub(crate) fn get(db: &Connection, id: PushId) -> rusqlite::Result<Option<Stored>> {
    db.prepare_cached(&format!("select {ENDED_COLUMNS} from ended where id = ?1"))?
        .query_row([id.as_bytes()], columns::read)
        .optional()
}

/// The ids of records that ended at `since` or later.
pub(crate) fn since(db: &Connection, since: Timestamp) -> rusqlite::Result<HashSet<[u8; 16]>> {
    db.prepare_cached("select id from ended where ended_at >= ?1")?
        .query_map([since.millis()], |row| row.get(0))?
        .collect()
}
