//! The deliverer's side: which rows are due.

use model::catalog::{CallbackKind, TemplateId};
use model::{PushId, StreamKey, Timestamp};
use rusqlite::{Connection, OptionalExtension, Row, params};

use super::Notice;
use super::write::begin_id;
use crate::columns::{conversion, counter, push_id};

/// Rows that are due later than this were made before the clock was set back; they count as due.
const FAR: i64 = 2 * 3_600_000;

/// An event that waits to be delivered.
#[derive(Clone, Debug, PartialEq)]
pub struct Waiting {
    /// The delivery's id; the same at each try.
    pub id: String,
    /// Where it goes.
    pub template: TemplateId,
    /// The push it is about.
    pub push: PushId,
    /// What kind of event it is.
    pub kind: CallbackKind,
    /// Owner of the domain.
    pub account: Option<u64>,
    /// What the push was pushed to.
    pub key: StreamKey,
    /// When the event was made.
    pub created_at: Timestamp,
    /// Tries so far.
    pub attempts: u32,
    /// What it tells; `None` if the row cannot be read, and then it can only be given up.
    pub notice: Option<Notice>,
}

pub(super) fn due(
    db: &Connection,
    now: Timestamp,
    each: usize,
    held: Option<i64>,
    under_way: &dyn Fn(&str) -> bool,
) -> rusqlite::Result<Vec<Waiting>> {
    let mut found = Vec::new();
    for template in templates(db)? {
        let mut select = db.prepare_cached(
            "select id, template, push, event_type, account, domain, app, stream, created_at, attempts, body \
             from outbox o where template = ?1 and (next_at <= ?2 or next_at > ?3) and \
             not (event_type in (?4, ?6) and seq <= ?5) and not exists \
             (select 1 from outbox e where e.push = o.push and e.template = o.template and e.seq < o.seq) \
             order by next_at, seq",
        )?;
        let far = now.millis().saturating_add(FAR);
        let (begin, end) = (CallbackKind::Begin.event_type(), CallbackKind::End.event_type());
        let held = held.unwrap_or(0);
        let mut rows = select.query(params![template, now.millis(), far, end, held, begin])?;
        let mut taken = 0;
        while taken < each
            && let Some(row) = rows.next()?
        {
            if !under_way(row.get_ref(0)?.as_str().unwrap_or_default()) {
                found.push(waiting_row(row)?);
                taken += 1;
            }
        }
    }
    Ok(found)
}

fn waiting_row(row: &Row<'_>) -> rusqlite::Result<Waiting> {
    let body: String = row.get(10)?;
    let event_type: u16 = row.get(3)?;
    Ok(Waiting {
        id: row.get(0)?,
        template: row.get(1)?,
        push: push_id(row.get_ref(2)?).map_err(|e| conversion(2, e))?,
        kind: CallbackKind::of_event_type(event_type).unwrap_or(CallbackKind::Exception),
        account: row.get::<_, Option<i64>>(4)?.map(i64::cast_unsigned),
        key: StreamKey { domain: row.get(5)?, app: row.get(6)?, stream: row.get(7)? },
        created_at: Timestamp(row.get(8)?),
        attempts: row.get(9)?,
        notice: serde_json::from_str(&body).ok(),
    })
}

/// The templates that any event waits for, found by jumping from one to the next in the index.
fn templates(db: &Connection) -> rusqlite::Result<Vec<TemplateId>> {
    let mut next = db.prepare_cached("select min(template) from outbox where template > ?1")?;
    let mut found = Vec::new();
    let mut last: i64 = -1;
    while let Some(template) = next.query_row([last], |row| row.get::<_, Option<TemplateId>>(0))? {
        found.push(template);
        last = template.into();
    }
    Ok(found)
}

pub(super) fn next_due(db: &Connection, now: Timestamp) -> rusqlite::Result<Option<Timestamp>> {
    let mut first = None;
    for template in templates(db)? {
        let at: Option<i64> = db
            .prepare_cached("select min(next_at) from outbox where template = ?1 and next_at > ?2")?
            .query_row(params![template, now.millis()], |row| row.get(0))
            .optional()?
            .flatten();
        first = first.into_iter().chain(at).min();
    }
    Ok(first.map(Timestamp))
}

/// Of these pushes, those that have rows.
pub(super) fn untold(db: &Connection, pushes: &[PushId]) -> rusqlite::Result<Vec<PushId>> {
    let mut any = db.prepare_cached("select exists (select 1 from outbox)")?;
    if !any.query_row([], |row| row.get::<_, bool>(0))? {
        return Ok(Vec::new());
    }
    let mut of = db.prepare_cached("select exists (select 1 from outbox where push = ?1)")?;
    let mut found = Vec::new();
    for push in pushes {
        if of.query_row([push.as_bytes()], |row| row.get(0))? {
            found.push(*push);
        }
    }
    Ok(found)
}

/// Of these pushes, those whose beginnings wait to be told.
pub(super) fn unbegun(db: &Connection, pushes: &[PushId]) -> rusqlite::Result<Vec<PushId>> {
    let mut waits = db.prepare_cached("select exists (select 1 from outbox where id = ?1)")?;
    let mut found = Vec::new();
    for push in pushes {
        if waits.query_row([begin_id(*push)], |row| row.get(0))? {
            found.push(*push);
        }
    }
    Ok(found)
}

/// Pushes whose beginnings or ends wait to be told, in rows up to `to`.
pub(super) fn pushes_up_to(db: &Connection, to: i64) -> rusqlite::Result<Vec<PushId>> {
    let sql = "select distinct push from outbox where event_type in (?1, ?2) and seq <= ?3";
    let mut select = db.prepare_cached(sql)?;
    let (begin, end) = (CallbackKind::Begin.event_type(), CallbackKind::End.event_type());
    let mut rows = select.query(params![begin, end, to])?;
    let mut found = Vec::new();
    while let Some(row) = rows.next()? {
        found.push(push_id(row.get_ref(0)?).map_err(|e| conversion(0, e))?);
    }
    Ok(found)
}

/// The newest row; 0 where there is none.
pub(super) fn newest(db: &Connection) -> rusqlite::Result<i64> {
    db.query_row("select coalesce(max(seq), 0) from outbox", [], |row| row.get(0))
}

pub(super) fn waiting(db: &Connection) -> rusqlite::Result<Vec<(TemplateId, u64)>> {
    let mut count = db.prepare_cached("select count(*) from outbox where template = ?1")?;
    templates(db)?
        .into_iter()
        .map(|template| Ok((template, counter(count.query_row([template], |row| row.get(0))?))))
        .collect()
}
