//! Tries to deliver events.

use model::catalog::{AccountId, CallbackKind, TemplateId};
use model::{PushId, StreamKey, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Connection, Row, Transaction, params, params_from_iter};

use crate::columns::{conversion, counter, push_id, signed};
use crate::limits::MAX_PAGE;

/// One try to deliver an event. Secrets are masked by whoever makes it.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryEntry {
    /// The delivery's id; the same at each try.
    pub delivery: String,
    /// Which try it was, from 1.
    pub attempt: u32,
    /// `delivered`, `retry`, `given_up`, `test`.
    pub outcome: String,
    /// The template by which it went.
    pub template: TemplateId,
    /// The push it is about.
    pub push: PushId,
    /// What kind of event it is.
    pub kind: CallbackKind,
    /// Owner of the domain.
    pub account: Option<AccountId>,
    /// What the push was pushed to.
    pub key: StreamKey,
    /// When the event was made.
    pub event_at: Timestamp,
    /// When it was sent.
    pub sent_at: Timestamp,
    /// How long the answer, or the lack of one, took.
    pub took_ms: u64,
    /// HTTP status; `None` without an answer.
    pub status: Option<u16>,
    /// Why it was not delivered.
    pub reason: Option<String>,
    /// Where it was sent.
    pub url: String,
    /// What was sent.
    pub request: String,
    /// The beginning of what was answered.
    pub response: String,
}

/// A try as it is read back.
#[derive(Clone, Debug, PartialEq)]
pub struct DeliveryRow {
    /// Its number; later tries have higher ones.
    pub id: u64,
    /// The try.
    pub entry: DeliveryEntry,
}

/// Which tries are wanted.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct DeliveryQuery {
    /// Of this account; `None` for all.
    pub account: Option<AccountId>,
    /// Of this domain.
    pub domain: Option<String>,
    /// Of this stream name.
    pub stream: Option<String>,
    /// Of this kind of event.
    pub kind: Option<CallbackKind>,
    /// `Some(true)`: those that were delivered; `Some(false)`: those that were not.
    pub delivered: Option<bool>,
    /// Sent at or after.
    pub since: Option<Timestamp>,
    /// Sent before.
    pub until: Option<Timestamp>,
    /// Only those with a lower number.
    pub below: Option<u64>,
    /// Leaves out so many of the newest.
    pub skip: u64,
    /// At most so many.
    pub limit: usize,
}

pub(super) fn insert(tx: &Transaction<'_>, entry: &DeliveryEntry) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "insert into delivery (delivery, attempt, outcome, template, push, event_type, account, domain, app, stream, \
         event_at, sent_at, took_ms, status, reason, url, request, response) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, \
         ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18)",
    )?
    .execute(params![
        entry.delivery,
        entry.attempt,
        entry.outcome,
        entry.template,
        entry.push.as_bytes(),
        entry.kind.event_type(),
        entry.account.map(u64::cast_signed),
        entry.key.domain,
        entry.key.app,
        entry.key.stream,
        entry.event_at.millis(),
        entry.sent_at.millis(),
        signed(entry.took_ms),
        entry.status,
        entry.reason,
        entry.url,
        entry.request,
        entry.response,
    ])
    .map(drop)
}

fn filter(query: &DeliveryQuery) -> (String, Vec<Value>) {
    let mut filter = super::event::Where::default();
    filter.equal("account", query.account.map(|id| Value::Integer(id.cast_signed())));
    filter.equal("domain", query.domain.clone().map(Value::Text));
    filter.equal("stream", query.stream.clone().map(Value::Text));
    filter.equal("event_type", query.kind.map(|kind| Value::Integer(kind.event_type().into())));
    match query.delivered {
        Some(true) => filter.fixed("outcome = 'delivered'"),
        Some(false) => filter.fixed("outcome in ('retry', 'given_up')"),
        None => {}
    }
    filter.compare("sent_at >=", query.since.map(|at| Value::Integer(at.millis())));
    filter.compare("sent_at <", query.until.map(|at| Value::Integer(at.millis())));
    filter.compare("id <", query.below.map(|id| Value::Integer(signed(id))));
    filter.done()
}

pub(super) fn find(db: &Connection, query: &DeliveryQuery) -> rusqlite::Result<Vec<DeliveryRow>> {
    let (filter, values) = filter(query);
    let sql = format!(
        "select id, delivery, attempt, outcome, template, push, event_type, account, domain, app, stream, event_at, \
         sent_at, took_ms, status, reason, url, request, response from delivery {filter} \
         order by sent_at desc, id desc limit {} offset {}",
        query.limit.min(MAX_PAGE),
        query.skip
    );
    db.prepare(&sql)?.query_map(params_from_iter(values), row)?.collect()
}

pub(super) fn count(db: &Connection, query: &DeliveryQuery, at_most: u64) -> rusqlite::Result<u64> {
    let (filter, values) = filter(query);
    let sql = format!("select count(*) from (select 1 from delivery {filter} limit {at_most})");
    db.query_row(&sql, params_from_iter(values), |row| row.get(0)).map(counter)
}

fn row(row: &Row<'_>) -> rusqlite::Result<DeliveryRow> {
    let event_type: u16 = row.get(6)?;
    Ok(DeliveryRow {
        id: counter(row.get(0)?),
        entry: DeliveryEntry {
            delivery: row.get(1)?,
            attempt: row.get(2)?,
            outcome: row.get(3)?,
            template: row.get(4)?,
            push: push_id(row.get_ref(5)?).map_err(|e| conversion(5, e))?,
            kind: CallbackKind::of_event_type(event_type).unwrap_or(CallbackKind::Exception),
            account: row.get::<_, Option<i64>>(7)?.map(i64::cast_unsigned),
            key: StreamKey { domain: row.get(8)?, app: row.get(9)?, stream: row.get(10)? },
            event_at: Timestamp(row.get(11)?),
            sent_at: Timestamp(row.get(12)?),
            took_ms: counter(row.get(13)?),
            status: row.get(14)?,
            reason: row.get(15)?,
            url: row.get(16)?,
            request: row.get(17)?,
            response: row.get(18)?,
        },
    })
}
