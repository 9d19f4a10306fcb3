//! Streams of other nodes that were fetched, and how that ended.

use std::str::FromStr;

use cause::{Detail, DetailKey};
use model::catalog::AccountId;
use model::{Code, FetchEnd, FetchRecord, Timestamp};
use rusqlite::types::{FromSqlError, Value};
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params, params_from_iter};
use uuid::Uuid;

use super::event::Where;
use crate::columns::{conversion, counter, signed};
use crate::limits::{MAX_FETCH_EVENTS, MAX_PAGE};

/// Which fetches are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct FetchQuery {
    /// Of this account; `None` for all.
    pub account: Option<AccountId>,
    /// Of this domain.
    pub domain: Option<String>,
    /// Of this app.
    pub app: Option<String>,
    /// Of this stream name.
    pub stream: Option<String>,
    /// That ended at this time or after.
    pub since: Option<Timestamp>,
    /// That ended before.
    pub until: Option<Timestamp>,
    /// Only those that come after this place in the order of lists.
    pub after: Option<FetchCursor>,
    /// At most so many.
    pub limit: usize,
}

/// A place in the list of fetches, which is ordered by end, newest first. As text: milliseconds, a dot, the id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FetchCursor {
    /// The end of the last fetch before it.
    pub ended_at: Timestamp,
    /// That fetch's id.
    pub id: Uuid,
}

impl FetchCursor {
    /// The place behind a fetch.
    pub fn of(fetch: &FetchRecord) -> Self {
        Self { ended_at: fetch.ended_at, id: fetch.id }
    }
}

impl std::fmt::Display for FetchCursor {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.ended_at.millis(), self.id.simple())
    }
}

/// Text that is no place in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this is no place in a list of fetches")]
pub struct FetchCursorError;

impl FromStr for FetchCursor {
    type Err = FetchCursorError;

    fn from_str(text: &str) -> Result<Self, FetchCursorError> {
        let (at, id) = text.split_once('.').ok_or(FetchCursorError)?;
        let ended_at = Timestamp(at.parse().map_err(|_| FetchCursorError)?);
        Ok(Self { ended_at, id: Uuid::parse_str(id).map_err(|_| FetchCursorError)? })
    }
}

/// A page of fetches, newest end first.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Fetches {
    /// The fetches.
    pub fetches: Vec<FetchRecord>,
    /// The database of all nodes did not answer: these are this node's alone.
    pub here_only: bool,
}

const COLUMNS: &str = "id, account, domain, app, stream, node, owner, address, revision, since, ended_at, live_ms, \
    bytes_in, restarts, viewers, why, errcode, sub_errcode, detail, events, number";

/// Notes that a fetch runs, and what is to stand of it should the node die.
pub(super) fn begin(tx: &Transaction<'_>, fetch: &FetchRecord) -> rusqlite::Result<()> {
    let record = serde_json::to_string(fetch).unwrap_or_default();
    tx.prepare_cached("insert or replace into fetch_running (id, record) values (?1, ?2)")?
        .execute(params![fetch.id.as_bytes(), record])
        .map(drop)
}

/// Keeps how a fetch ended.
pub(super) fn end(tx: &Transaction<'_>, fetch: &FetchRecord) -> rusqlite::Result<()> {
    tx.prepare_cached("delete from fetch_running where id = ?1")?.execute([fetch.id.as_bytes()])?;
    let mut insert = tx.prepare_cached(
        "insert or ignore into fetch (id, account, domain, app, stream, node, owner, address, revision, since, ended_at, \
         live_ms, bytes_in, restarts, viewers, why, errcode, sub_errcode, detail, events) values (?1, ?2, ?3, ?4, ?5, \
         ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?20)",
    )?;
    let Documents { detail, events } = Documents::of(fetch);
    insert
        .execute(params![
            fetch.id.as_bytes(),
            fetch.account.map(u64::cast_signed),
            fetch.domain,
            fetch.app,
            fetch.stream,
            fetch.node,
            fetch.owner,
            fetch.address,
            signed(fetch.revision),
            fetch.since.millis(),
            fetch.ended_at.millis(),
            signed(fetch.live_ms),
            signed(fetch.bytes_in),
            signed(fetch.restarts),
            signed(fetch.viewers),
            fetch.why.as_str(),
            fetch.errcode,
            fetch.sub_errcode,
            detail,
            events,
        ])
        .map(drop)
}

/// The parts of a fetch that are stored as JSON.
pub(crate) struct Documents {
    pub detail: Option<String>,
    pub events: String,
}

impl Documents {
    pub fn of(fetch: &FetchRecord) -> Self {
        let newest = fetch.events.len().saturating_sub(MAX_FETCH_EVENTS);
        let events = fetch.events.get(newest..).unwrap_or_default();
        // The words of a detail depend on the reader's language and are made when it is shown.
        let detail =
            fetch.detail.clone().map(|detail| model::record::DetailRecord { text: String::new(), ..detail });
        Self {
            detail: detail.and_then(|detail| serde_json::to_string(&detail).ok()),
            events: serde_json::to_string(events).unwrap_or_else(|_| "[]".to_owned()),
        }
    }
}

/// Gives fetches that the run before left running their ends: at its last heartbeat. Gives their number.
pub(super) fn close_left(tx: &Transaction<'_>, run: &EarlierRun, now: Timestamp) -> rusqlite::Result<usize> {
    let mut select = tx.prepare("select record from fetch_running")?;
    let left: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for record in &left {
        let Ok(mut fetch) = serde_json::from_str::<FetchRecord>(record) else { continue };
        fetch.ended_at = fetch.since.max(run.last_seen.unwrap_or(fetch.since));
        if run.was_stopping {
            fetch.why = FetchEnd::Stopping;
            fetch.set_code(None);
        } else {
            let detail = Detail::new(DetailKey::RecoveredAtStart)
                .with("last_seen", fetch.ended_at.to_string())
                .with("recovered_at", now.to_string());
            fetch.detail = Some(detail.into());
        }
        end(tx, &fetch)?;
    }
    tx.execute("delete from fetch_running", [])?;
    Ok(left.len())
}

/// What the journal knows of the run before this one.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct EarlierRun {
    last_seen: Option<Timestamp>,
    was_stopping: bool,
}

impl EarlierRun {
    pub fn read(journal: &Connection) -> rusqlite::Result<Self> {
        // The newest is that of this run.
        let sql = "select heartbeat_at, stopping_at is not null from run order by id desc limit 1 offset 1";
        let run = journal.query_row(sql, [], |row| {
            Ok(Self { last_seen: Some(Timestamp(row.get(0)?)), was_stopping: row.get(1)? })
        });
        Ok(run.optional()?.unwrap_or_default())
    }
}

#[cfg(feature = "postgres")]
pub(super) fn newest(db: &Connection) -> rusqlite::Result<u64> {
    db.query_row("select coalesce(max(number), 0) from fetch", [], |row| Ok(counter(row.get(0)?)))
}

/// Fetches with higher numbers, lowest first, each with its number.
#[cfg(feature = "postgres")]
pub(super) fn after(db: &Connection, number: u64, limit: usize) -> rusqlite::Result<Vec<(u64, FetchRecord)>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.prepare(&format!("select {COLUMNS} from fetch where number > ?1 order by number limit ?2"))?
        .query_map((signed(number), limit), |found| Ok((counter(found.get(20)?), row(found)?)))?
        .collect()
}

pub(super) fn find(db: &Connection, query: &FetchQuery) -> rusqlite::Result<Vec<FetchRecord>> {
    let mut filter = Where::default();
    filter.equal("account", query.account.map(|id| Value::Integer(id.cast_signed())));
    filter.equal("domain", query.domain.clone().map(Value::Text));
    filter.equal("app", query.app.clone().map(Value::Text));
    filter.equal("stream", query.stream.clone().map(Value::Text));
    filter.compare("ended_at >=", query.since.map(|at| Value::Integer(at.millis())));
    filter.compare("ended_at <", query.until.map(|at| Value::Integer(at.millis())));
    if let Some(after) = query.after {
        let place = [Value::Integer(after.ended_at.millis()), Value::Blob(after.id.as_bytes().to_vec())];
        filter.below("ended_at, id", place);
    }
    let (filter, values) = filter.done();
    let limit = query.limit.min(MAX_PAGE);
    let sql = format!("select {COLUMNS} from fetch {filter} order by ended_at desc, id desc limit {limit}");
    db.prepare(&sql)?.query_map(params_from_iter(values), row)?.collect()
}

pub(super) fn one(db: &Connection, id: Uuid) -> rusqlite::Result<Option<FetchRecord>> {
    let sql = format!("select {COLUMNS} from fetch where id = ?1");
    db.query_row(&sql, [id.as_bytes()], row).optional()
}

fn row(row: &Row<'_>) -> rusqlite::Result<FetchRecord> {
    let count = |index: usize| row.get::<_, i64>(index).map(counter);
    let code = |index: usize| row.get::<_, Option<u16>>(index);
    let (why, detail, events): (String, Option<String>, String) = (row.get(15)?, row.get(18)?, row.get(19)?);
    let code = code(16)?.zip(code(17)?).map(|(errcode, sub)| Code::new(errcode, sub));
    Ok(FetchRecord {
        id: row.get::<_, [u8; 16]>(0).map(Uuid::from_bytes)?,
        account: row.get::<_, Option<i64>>(1)?.map(i64::cast_unsigned),
        domain: row.get(2)?,
        app: row.get(3)?,
        stream: row.get(4)?,
        node: row.get(5)?,
        owner: row.get(6)?,
        address: row.get(7)?,
        revision: count(8)?,
        since: Timestamp(row.get(9)?),
        ended_at: Timestamp(row.get(10)?),
        live_ms: count(11)?,
        bytes_in: count(12)?,
        restarts: count(13)?,
        viewers: count(14)?,
        why: FetchEnd::parse(&why).ok_or_else(|| conversion(15, FromSqlError::InvalidType))?,
        errcode: code.map(|code| code.errcode),
        sub_errcode: code.map(|code| code.sub_errcode),
        errmsg: None,
        detail: detail.and_then(|detail| serde_json::from_str(&detail).ok()),
        events: serde_json::from_str(&events).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_in_the_list_reads_back_from_its_text() {
        let cursor = FetchCursor { ended_at: Timestamp(1_795_383_346_000), id: Uuid::from_u128(7) };
        assert_eq!(cursor.to_string().parse(), Ok(cursor));
        for text in ["", "5", "5.", ".", "x.00000000000000000000000000000007", "5.7"] {
            assert_eq!(text.parse::<FetchCursor>(), Err(FetchCursorError), "{text}");
        }
    }
}
