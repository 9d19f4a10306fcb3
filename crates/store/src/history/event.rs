//! Abnormalities of live pushes.

use std::net::IpAddr;

use model::catalog::AccountId;
use model::{PushId, Sequence, StreamKey, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, Transaction, params, params_from_iter};

use crate::columns::{Address, address, conversion, counter, push_id, signed};
use crate::limits::MAX_PAGE;
use crate::outbox::{Occurrence, PushReport};

/// One type of abnormality of a push within an interval.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Its number; later ones are higher.
    pub id: u64,
    /// When the interval ended.
    pub at: Timestamp,
    /// Its length.
    pub interval_ms: u64,
    /// The push.
    pub push: PushId,
    /// The push's number in callbacks.
    pub sequence: Sequence,
    /// Owner of the domain.
    pub account: AccountId,
    /// What the push was pushed to.
    pub key: StreamKey,
    /// The pusher's address.
    pub client_ip: IpAddr,
    /// 1-16 as in the callback, from 100 our own.
    pub kind: u8,
    /// How often.
    pub count: u64,
    /// Some of the times, with words.
    pub occurrences: Vec<Occurrence>,
}

/// Which events are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct EventQuery {
    /// Of this account; `None` for all.
    pub account: Option<AccountId>,
    /// Of this domain.
    pub domain: Option<String>,
    /// Of this app.
    pub app: Option<String>,
    /// Of this stream name.
    pub stream: Option<String>,
    /// Of this push.
    pub push: Option<PushId>,
    /// Of this type.
    pub kind: Option<u8>,
    /// `stream` may be a part of the name, in any letter case.
    pub fuzzy: bool,
    /// At or after.
    pub since: Option<Timestamp>,
    /// Before.
    pub until: Option<Timestamp>,
    /// Only those with a lower number.
    pub below: Option<u64>,
    /// At most so many.
    pub limit: usize,
}

pub(super) fn insert(tx: &Transaction<'_>, report: &PushReport) -> rusqlite::Result<()> {
    let mut insert = tx.prepare_cached(
        "insert into event (at, interval_ms, push, sequence, account, domain, app, stream, client_ip, type, count, \
         occurrences) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12)",
    )?;
    for event in &report.events {
        insert.execute(params![
            report.at.millis(),
            signed(report.interval_ms),
            report.push.as_bytes(),
            report.push.sequence().0.cast_signed(),
            report.account.cast_signed(),
            report.key.domain,
            report.key.app,
            report.key.stream,
            Address::of(report.client_ip),
            event.kind,
            event.count,
            serde_json::to_string(&event.occurrences).unwrap_or_default(),
        ])?;
    }
    Ok(())
}

/// The abnormalities of one stream, added up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StreamEvents {
    /// The stream.
    pub key: StreamKey,
    /// How often anything was noticed.
    pub count: u64,
    /// The types that were, lowest first.
    pub kinds: Vec<u8>,
    /// When anything was noticed last.
    pub last: Timestamp,
}

const COLUMNS: &str = "id, at, interval_ms, push, sequence, account, domain, app, stream, client_ip, type, count, \
    occurrences";

#[cfg(feature = "postgres")]
pub(super) fn newest(db: &Connection) -> rusqlite::Result<u64> {
    db.query_row("select coalesce(max(id), 0) from event", [], |row| row.get(0).map(counter))
}

#[cfg(feature = "postgres")]
pub(super) fn after(db: &Connection, number: u64, limit: usize) -> rusqlite::Result<Vec<EventRow>> {
    let limit = i64::try_from(limit).unwrap_or(i64::MAX);
    db.prepare(&format!("select {COLUMNS} from event where id > ?1 order by id limit ?2"))?
        .query_map((signed(number), limit), row)?
        .collect()
}

fn filter(query: &EventQuery) -> (String, Vec<Value>) {
    let mut filter = Where::default();
    filter.equal("account", query.account.map(|id| Value::Integer(id.cast_signed())));
    filter.equal("domain", query.domain.clone().map(Value::Text));
    filter.equal("app", query.app.clone().map(Value::Text));
    match &query.stream {
        // `instr` has no wildcards that a name could bring along.
        Some(part) if query.fuzzy => {
            filter.contains("stream", part);
        }
        stream => filter.equal("stream", stream.clone().map(Value::Text)),
    }
    filter.equal("push", query.push.map(|id| Value::Blob(id.as_bytes().to_vec())));
    filter.equal("type", query.kind.map(|kind| Value::Integer(kind.into())));
    filter.compare("at >=", query.since.map(|at| Value::Integer(at.millis())));
    filter.compare("at <", query.until.map(|at| Value::Integer(at.millis())));
    filter.compare("id <", query.below.map(|id| Value::Integer(signed(id))));
    filter.done()
}

pub(super) fn find(db: &Connection, query: &EventQuery) -> rusqlite::Result<Vec<EventRow>> {
    let (filter, values) = filter(query);
    let sql =
        format!("select {COLUMNS} from event {filter} order by id desc limit {}", query.limit.min(MAX_PAGE));
    db.prepare(&sql)?.query_map(params_from_iter(values), row)?.collect()
}

pub(super) fn streams(db: &Connection, query: &EventQuery) -> rusqlite::Result<Vec<StreamEvents>> {
    let (filter, values) = filter(query);
    let sql = format!(
        "select domain, app, stream, sum(count), group_concat(distinct type), max(at) from event {filter} \
         group by domain, app, stream order by sum(count) desc, stream limit {}",
        query.limit.min(MAX_PAGE)
    );
    let row = |row: &Row<'_>| {
        let kinds: String = row.get(4)?;
        let mut kinds: Vec<u8> = kinds.split(',').filter_map(|kind| kind.parse().ok()).collect();
        kinds.sort_unstable();
        Ok(StreamEvents {
            key: StreamKey { domain: row.get(0)?, app: row.get(1)?, stream: row.get(2)? },
            count: counter(row.get(3)?),
            kinds,
            last: Timestamp(row.get(5)?),
        })
    };
    db.prepare(&sql)?.query_map(params_from_iter(values), row)?.collect()
}

fn row(row: &Row<'_>) -> rusqlite::Result<EventRow> {
    let occurrences: String = row.get(12)?;
    Ok(EventRow {
        id: counter(row.get(0)?),
        at: Timestamp(row.get(1)?),
        interval_ms: counter(row.get(2)?),
        push: push_id(row.get_ref(3)?).map_err(|e| conversion(3, e))?,
        sequence: Sequence(row.get::<_, i64>(4)?.cast_unsigned()),
        account: row.get::<_, i64>(5)?.cast_unsigned(),
        key: StreamKey { domain: row.get(6)?, app: row.get(7)?, stream: row.get(8)? },
        client_ip: address(row.get_ref(9)?).map_err(|e| conversion(9, e))?,
        kind: row.get(10)?,
        count: counter(row.get(11)?),
        occurrences: serde_json::from_str(&occurrences).unwrap_or_default(),
    })
}

/// The conditions of a query. Names of columns are our own; values are bound.
#[derive(Default)]
pub(super) struct Where {
    conditions: Vec<String>,
    values: Vec<Value>,
}

impl Where {
    pub fn equal(&mut self, column: &str, value: Option<Value>) {
        self.compare(&format!("{column} ="), value);
    }

    pub fn compare(&mut self, comparison: &str, value: Option<Value>) {
        if let Some(value) = value {
            self.values.push(value);
            self.conditions.push(format!("{comparison} ?{}", self.values.len()));
        }
    }

    /// Letter case does not count for ASCII.
    pub fn contains(&mut self, column: &str, part: &str) {
        self.values.push(Value::Text(part.to_owned()));
        self.conditions.push(format!("instr(lower({column}), lower(?{})) > 0", self.values.len()));
    }

    /// Only rows that come before these values of two columns.
    pub fn below(&mut self, columns: &str, values: [Value; 2]) {
        self.values.extend(values);
        let last = self.values.len();
        self.conditions.push(format!("({columns}) < (?{}, ?{last})", last - 1));
    }

    pub fn fixed(&mut self, condition: &str) {
        self.conditions.push(condition.to_owned());
    }

    pub fn done(self) -> (String, Vec<Value>) {
        match self.conditions.is_empty() {
            true => (String::new(), self.values),
            false => (format!("where {}", self.conditions.join(" and ")), self.values),
        }
    }
}
