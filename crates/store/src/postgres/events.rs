//! Events of live pushes, into the database and out of it. How far a node's own have come stands in the database and
//! moves with them, so that none comes twice.

use std::collections::BTreeSet;
use std::net::IpAddr;
use std::time::Duration;

use model::{PushId, Sequence, StreamKey, Timestamp};
use tokio_postgres::types::ToSql;
use tokio_postgres::{Client, Row};
use uuid::Uuid;

use super::find::LIMIT;
use super::link::Database;
use super::partition;
use super::put::{clean, uuid};
use crate::columns::{counter, signed};
use crate::history::{EventQuery, EventRow, StreamEvents};
use crate::layout::Day;
use crate::limits::MAX_PAGE;
use crate::remote::RemoteFault;

/// How long a batch may take.
const PUT: Duration = Duration::from_secs(30);

impl Database {
    /// The number of the node's newest event that the database has.
    pub fn events_to(&self, node: Uuid) -> Result<u64, RemoteFault> {
        self.ask(PUT, move |client| async move {
            let row = client.query_opt("select events_to from node where id = $1", &[&node]).await?;
            Ok(row.map(|row| row.try_get(0)).transpose()?.map_or(0, counter))
        })
    }

    /// Puts a node's events into the database, in the order of their numbers, and moves its mark; `to` is the new one.
    pub fn put_events(&self, node: Uuid, events: Vec<EventRow>, to: u64) -> Result<(), RemoteFault> {
        self.ask(PUT, move |client| async move {
            let days: BTreeSet<Day> = events.iter().filter_map(|event| partition::day_of(event.at)).collect();
            partition::make(&client, &days).await?;
            client.batch_execute("begin").await?;
            for event in &events {
                insert(&client, event).await?;
            }
            client.execute("update node set events_to = $2 where id = $1", &[&node, &signed(to)]).await?;
            client.batch_execute("commit").await?;
            Ok(())
        })
    }

    /// Events of all nodes, newest first.
    pub fn events(&self, query: &EventQuery) -> Result<Vec<EventRow>, RemoteFault> {
        let query = query.clone();
        self.read(LIMIT, move |client| async move { find(&client, &query).await })
    }

    /// The streams of all nodes with the most events, most first.
    pub fn event_streams(&self, query: &EventQuery) -> Result<Vec<StreamEvents>, RemoteFault> {
        let query = query.clone();
        self.read(LIMIT, move |client| async move { streams(&client, &query).await })
    }
}

async fn insert(client: &Client, event: &EventRow) -> Result<(), RemoteFault> {
    let occurrences = serde_json::to_string(&event.occurrences).unwrap_or_else(|_| "[]".to_owned());
    client
        .execute(
            "insert into event (at, interval_ms, push, sequence, account, domain, app, stream, client_ip, type, count, \
             occurrences) values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::text::json) \
             on conflict (at, push, type) do nothing",
            &[
                &event.at.millis(),
                &signed(event.interval_ms),
                &uuid(event.push),
                &event.sequence.0.cast_signed(),
                &event.account.cast_signed(),
                &clean(&event.key.domain).into_owned(),
                &clean(&event.key.app).into_owned(),
                &clean(&event.key.stream).into_owned(),
                &event.client_ip.to_canonical(),
                &i16::from(event.kind),
                &signed(event.count),
                &occurrences,
            ],
        )
        .await?;
    Ok(())
}

type Param = Box<dyn ToSql + Sync + Send>;

/// The conditions of a query, as SQL with its parameters.
fn filter(query: &EventQuery) -> (String, Vec<Param>) {
    let mut conditions = Vec::new();
    let mut params: Vec<Param> = Vec::new();
    let mut add = |condition: &str, value: Option<Param>| {
        if let Some(value) = value {
            params.push(value);
            conditions.push(condition.replace('?', &format!("${}", params.len())));
        }
    };
    let text = |text: &Option<String>| -> Option<Param> {
        text.as_deref().map(|text| Box::new(clean(text).into_owned()) as _)
    };
    let number = |n: i64| -> Param { Box::new(n) };
    add("account = ?", query.account.map(|id| number(id.cast_signed())));
    add("domain = ?", text(&query.domain));
    add("app = ?", text(&query.app));
    let stream = if query.fuzzy { "position(lower(?) in lower(stream)) > 0" } else { "stream = ?" };
    add(stream, text(&query.stream));
    add("push = ?", query.push.map(|id| Box::new(uuid(id)) as _));
    add("type = ?", query.kind.map(|kind| Box::new(i16::from(kind)) as _));
    add("at >= ?", query.since.map(|at| number(at.millis())));
    add("at < ?", query.until.map(|at| number(at.millis())));
    add("number < ?", query.below.map(|id| number(signed(id))));
    match conditions.is_empty() {
        true => (String::new(), params),
        false => (format!("where {}", conditions.join(" and ")), params),
    }
}

async fn rows(client: &Client, sql: &str, params: &[Param]) -> Result<Vec<Row>, RemoteFault> {
    let params: Vec<&(dyn ToSql + Sync)> =
        params.iter().map(|param| &**param as &(dyn ToSql + Sync)).collect();
    Ok(client.query(sql, &params).await?)
}

async fn find(client: &Client, query: &EventQuery) -> Result<Vec<EventRow>, RemoteFault> {
    let (filter, params) = filter(query);
    let sql = format!(
        "select number, at, interval_ms, push, sequence, account, domain, app, stream, client_ip, type, count, \
         occurrences::text from event {filter} order by number desc limit {}",
        query.limit.min(MAX_PAGE)
    );
    rows(client, &sql, &params).await?.iter().map(event).collect()
}

async fn streams(client: &Client, query: &EventQuery) -> Result<Vec<StreamEvents>, RemoteFault> {
    let (filter, params) = filter(query);
    let sql = format!(
        "select domain, app, stream, sum(count)::bigint, array_agg(distinct type order by type), max(at) from event \
         {filter} group by domain, app, stream order by sum(count) desc, stream limit {}",
        query.limit.min(MAX_PAGE)
    );
    let stream = |row: &Row| {
        let kinds: Vec<i16> = row.try_get(4)?;
        Ok(StreamEvents {
            key: StreamKey { domain: row.try_get(0)?, app: row.try_get(1)?, stream: row.try_get(2)? },
            count: counter(row.try_get(3)?),
            kinds: kinds.into_iter().filter_map(|kind| u8::try_from(kind).ok()).collect(),
            last: Timestamp(row.try_get(5)?),
        })
    };
    rows(client, &sql, &params).await?.iter().map(stream).collect()
}

fn event(row: &Row) -> Result<EventRow, RemoteFault> {
    let occurrences: String = row.try_get(12)?;
    Ok(EventRow {
        id: counter(row.try_get(0)?),
        at: Timestamp(row.try_get(1)?),
        interval_ms: counter(row.try_get(2)?),
        push: PushId::from_bytes(row.try_get::<_, Uuid>(3)?.into_bytes()),
        sequence: Sequence(row.try_get::<_, i64>(4)?.cast_unsigned()),
        account: row.try_get::<_, i64>(5)?.cast_unsigned(),
        key: StreamKey { domain: row.try_get(6)?, app: row.try_get(7)?, stream: row.try_get(8)? },
        client_ip: row.try_get::<_, IpAddr>(9)?,
        kind: u8::try_from(row.try_get::<_, i16>(10)?).unwrap_or(u8::MAX),
        count: counter(row.try_get(11)?),
        occurrences: serde_json::from_str(&occurrences).unwrap_or_default(),
    })
}
