//! The record file of one day, as the filing thread writes it.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use model::Timestamp;
use rusqlite::{Connection, OptionalExtension, Transaction, TransactionBehavior, params};

use crate::columns::{Address, Documents, Stored, signed};
use crate::error::StoreError;
use crate::layout::{self, Day};
use crate::limits::MAX_CACHED_NAMES;
use crate::reader::query::{TIE_BITS, tie};
use crate::schema::RECORDS;

pub(crate) struct DayFile {
    path: PathBuf,
    day: Day,
    db: Connection,
    names: Names,
}

impl DayFile {
    pub fn open(dir: &Path, day: Day) -> Result<Self, StoreError> {
        let path = layout::records_file(dir, day);
        let fresh = !path.exists();
        let db = RECORDS.open(&path)?;
        let tune = |db: &Connection| {
            db.pragma_update(None, "cache_size", -65_536)?;
            db.pragma_update(None, "wal_autocheckpoint", 4_000)
        };
        tune(&db).map_err(StoreError::db(&path))?;
        if fresh {
            layout::sync_dir(&layout::records_dir(dir))?;
        }
        Ok(Self { path, day, db, names: Names::default() })
    }

    /// Adds records; those that are there already are left alone. Durable when it returns. Gives the lowest and the
    /// highest key that was added.
    pub fn insert(&mut self, rows: &[Stored]) -> Result<Option<(i64, i64)>, StoreError> {
        let write = |db: &mut Connection, day: Day, names: &mut Names| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let mut added: Option<(i64, i64)> = None;
            for stored in rows {
                if let Some(row) = insert(&tx, day, stored, names)? {
                    let (lowest, highest) = added.unwrap_or((row, row));
                    added = Some((lowest.min(row), highest.max(row)));
                }
            }
            tx.commit().map(|()| added)
        };
        let outcome = write(&mut self.db, self.day, &mut self.names);
        if outcome.is_err() {
            // The numbers of names that were given in the transaction are void.
            self.names = Names::default();
        }
        outcome.map_err(StoreError::db(&self.path))
    }
}

/// Adds a record, and gives its key; `None` when it is there already.
fn insert(
    tx: &Transaction<'_>,
    day: Day,
    stored: &Stored,
    names: &mut Names,
) -> rusqlite::Result<Option<i64>> {
    let record = &stored.record;
    let Some(row) = free_row(tx, day, stored)? else { return Ok(None) };
    let domain = names.number(tx, Kind::Domain, record.domain.as_deref())?;
    let app = names.number(tx, Kind::App, record.app.as_deref())?;
    let stream = names.number(tx, Kind::Stream, record.stream.as_deref())?;
    tx.prepare_cached(
        "insert into record (row, sequence, domain_id, app_id, stream_id, errcode, sub_errcode, side, account, \
         client_ip) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
    )?
    .execute(params![
        row,
        record.id.sequence().0.cast_signed(),
        domain,
        app,
        stream,
        record.errcode,
        record.sub_errcode,
        record.side,
        record.account.map(u64::cast_signed),
        Address::of(record.client_ip),
    ])?;
    let documents = Documents::of(record);
    tx.prepare_cached(
        "insert into fact (row, id, source, protocol, client_port, node, connected_at, published_at, ended_at, \
         duration_ms, detail, attempts, last_attempt_at, bytes_in, bytes_out, video, audio, encoder, stream_param, \
         verdict_version, evidence_offset, evidence_length) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, \
         ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20, ?21, ?22)",
    )?
    .execute(params![
        row,
        record.id.as_bytes(),
        record.source,
        record.protocol,
        record.client_port,
        record.node,
        record.connected_at.millis(),
        record.published_at.map(Timestamp::millis),
        record.ended_at.millis(),
        signed(record.duration_ms),
        documents.detail,
        signed(record.attempts),
        record.last_attempt_at.map(Timestamp::millis),
        signed(record.bytes_in),
        signed(record.bytes_out),
        documents.video,
        documents.audio,
        record.encoder,
        record.stream_param,
        stored.verdict_version,
        stored.evidence.map(|place| signed(place.offset)),
        stored.evidence.map(|place| signed(place.length)),
    ])?;
    Ok(Some(row))
}

/// The key a record gets; `None` when it is there already.
fn free_row(tx: &Transaction<'_>, day: Day, stored: &Stored) -> rusqlite::Result<Option<i64>> {
    let record = &stored.record;
    let first = first_row(day, record.ended_at, tie(record.id));
    let mut taken = tx.prepare_cached("select id from fact where row = ?1")?;
    for row in first.. {
        let id: Option<[u8; 16]> = taken.query_row([row], |r| r.get(0)).optional()?;
        match id {
            None => return Ok(Some(row)),
            Some(id) if id == *record.id.as_bytes() => return Ok(None),
            Some(_) => {}
        }
    }
    Ok(None)
}

/// The key of a position in a day.
pub(crate) fn first_row(day: Day, at: Timestamp, tie: i64) -> i64 {
    (at.millis().saturating_sub(day.start().millis()) << TIE_BITS) | tie
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Kind {
    Domain,
    App,
    Stream,
}

impl Kind {
    fn find(self) -> &'static str {
        match self {
            Self::Domain => "select id from domain where text = ?1",
            Self::App => "select id from app where text = ?1",
            Self::Stream => "select id from stream where text = ?1",
        }
    }

    fn add(self) -> &'static str {
        match self {
            Self::Domain => "insert into domain (text) values (?1)",
            Self::App => "insert into app (text) values (?1)",
            Self::Stream => "insert into stream (text) values (?1)",
        }
    }
}

/// The day's names and their numbers, as far as they were needed lately.
#[derive(Default)]
struct Names {
    known: HashMap<Kind, HashMap<String, i64>>,
}

impl Names {
    fn number(
        &mut self,
        tx: &Transaction<'_>,
        kind: Kind,
        name: Option<&str>,
    ) -> rusqlite::Result<Option<i64>> {
        let Some(name) = name else { return Ok(None) };
        let known = self.known.entry(kind).or_default();
        if let Some(number) = known.get(name) {
            return Ok(Some(*number));
        }
        let found = tx.prepare_cached(kind.find())?.query_row([name], |row| row.get(0)).optional()?;
        let number = match found {
            Some(number) => number,
            None => add(tx, kind, name)?,
        };
        if known.len() >= MAX_CACHED_NAMES {
            known.clear();
        }
        known.insert(name.to_owned(), number);
        Ok(Some(number))
    }
}

fn add(tx: &Transaction<'_>, kind: Kind, name: &str) -> rusqlite::Result<i64> {
    tx.prepare_cached(kind.add())?.execute([name])?;
    let number = tx.last_insert_rowid();
    if kind == Kind::Stream {
        tx.prepare_cached("insert into stream_trigram (rowid, text) values (?1, ?2)")?
            .execute(params![number, name])?;
    }
    Ok(number)
}
