//! Records into the database: COPY into a table of the connection, then one statement that merges.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Clock, PushId, Record, SystemClock, Timestamp};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::link::Database;
use super::names::{self, Names};
use super::partition;
use crate::columns::{Documents, signed};
use crate::layout::Day;
use crate::reader::query::tie;
use crate::remote::RemoteFault;

/// How long a batch may take.
const LIMIT: Duration = Duration::from_secs(60);

/// A record on its way into the database.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Parcel {
    /// The record.
    pub record: Record,
    /// The version of the rules that gave its verdict.
    pub verdict_version: u16,
    /// The evidence in its stored form.
    pub evidence: Option<Vec<u8>>,
}

/// Who says so. Of two records of one push the higher one stays, whichever comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rank {
    /// Another node, which found the push's node dead: 11/0 until that node is back.
    OtherNode = 1,
    /// The journal of the push's own node.
    OwnJournal = 2,
}

/// What a connection to the database remembers between batches.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<KnownParts>);

#[derive(Debug, Default)]
struct KnownParts {
    names: Names,
    days: BTreeSet<Day>,
}

impl Known {
    fn lock(&self) -> MutexGuard<'_, KnownParts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Text without NUL, which PostgreSQL has no place for.
pub(super) fn clean(text: &str) -> Cow<'_, str> {
    match text.contains('\0') {
        true => Cow::Owned(text.replace('\0', "\u{fffd}")),
        false => Cow::Borrowed(text),
    }
}

pub(super) fn uuid(id: PushId) -> Uuid {
    Uuid::from_bytes(*id.as_bytes())
}

impl Database {
    /// Merges what this node says of pushes of others.
    pub fn put_for_others(&self, records: Vec<Record>) -> Result<(), RemoteFault> {
        let parcel = |record| Parcel { record, verdict_version: 0, evidence: None };
        self.put(records.into_iter().map(parcel).collect(), Rank::OtherNode, &Arc::default())
    }

    /// Merges records; all of them are durable when it returns, or none is. May be repeated: what is there with the same
    /// or a higher rank, and as many attempts, stays as it is.
    pub fn put(&self, parcels: Vec<Parcel>, rank: Rank, known: &Arc<Known>) -> Result<(), RemoteFault> {
        if parcels.is_empty() {
            return Ok(());
        }
        let wanted = known.lock().names.wanted(&parcels, Day::of(SystemClock.now()));
        let days: BTreeSet<Day> =
            parcels.iter().filter_map(|parcel| partition::day_of(parcel.record.id.time())).collect();
        let missing: BTreeSet<Day> = days.difference(&known.lock().days).copied().collect();
        let outcome = self.ask(LIMIT, move |client| async move {
            partition::make(&client, &missing).await?;
            names::ensure(&client, &wanted).await?;
            merge(&client, &parcels, rank).await?;
            Ok(wanted)
        });
        let mut parts = known.lock();
        match outcome {
            Ok(wanted) => {
                parts.names.learned(wanted);
                parts.days.extend(days);
                Ok(())
            }
            Err(fault) => {
                // Perhaps one of them was dropped meanwhile.
                *parts = KnownParts::default();
                Err(fault)
            }
        }
    }
}

/// A column of the table that is copied into: its name, its type, and how it becomes the column of `record`.
struct Column(&'static str, Type, &'static str);

const COLUMNS: [Column; 31] = [
    Column("id", Type::UUID, "s.id"),
    Column("rank", Type::INT2, "s.rank"),
    Column("ended_at", Type::INT8, "s.ended_at"),
    Column("tie", Type::INT8, "s.tie"),
    Column("sequence", Type::INT8, "s.sequence"),
    Column("source", Type::TEXT, "s.source"),
    Column("account", Type::INT8, "s.account"),
    // Looked up one by one: a join would read all names that there are for each batch.
    Column("domain", Type::TEXT, "(select n.id from domain n where n.text = s.domain)"),
    Column("app", Type::TEXT, "(select n.id from app n where n.text = s.app)"),
    Column("stream", Type::TEXT, "(select n.id from stream n where n.text = s.stream)"),
    Column("protocol", Type::TEXT, "s.protocol"),
    Column("client_ip", Type::INET, "s.client_ip"),
    Column("client_port", Type::INT4, "s.client_port"),
    Column("node", Type::TEXT, "s.node"),
    Column("connected_at", Type::INT8, "s.connected_at"),
    Column("published_at", Type::INT8, "s.published_at"),
    Column("duration_ms", Type::INT8, "s.duration_ms"),
    Column("errcode", Type::INT4, "s.errcode"),
    Column("sub_errcode", Type::INT4, "s.sub_errcode"),
    Column("side", Type::TEXT, "s.side"),
    Column("detail", Type::TEXT, "s.detail::json"),
    Column("attempts", Type::INT8, "s.attempts"),
    Column("last_attempt_at", Type::INT8, "s.last_attempt_at"),
    Column("bytes_in", Type::INT8, "s.bytes_in"),
    Column("bytes_out", Type::INT8, "s.bytes_out"),
    Column("video", Type::TEXT, "s.video::json"),
    Column("audio", Type::TEXT, "s.audio::json"),
    Column("encoder", Type::TEXT, "s.encoder"),
    Column("stream_param", Type::TEXT, "s.stream_param"),
    Column("verdict_version", Type::INT4, "s.verdict_version"),
    // Not a column of `record`.
    Column("evidence", Type::BYTEA, ""),
];

/// The columns that stand in `record`: names as there, and where their values come from.
fn merged() -> impl Iterator<Item = (String, &'static str)> {
    COLUMNS.iter().filter(|column| !column.2.is_empty()).map(|column| match column.0 {
        name @ ("domain" | "app" | "stream") => (format!("{name}_id"), column.2),
        name => (name.to_owned(), column.2),
    })
}

fn staging() -> String {
    let columns: Vec<String> = COLUMNS.iter().map(|column| format!("{} {}", column.0, column.1)).collect();
    // Evidence passes through as it is: most of it in the row, none of it compressed on the way.
    format!(
        "create temp table if not exists staging ({}) with (toast_tuple_target = 8160) on commit delete rows; \
         alter table staging alter column evidence set storage external",
        columns.join(", ")
    )
}

/// Rows are read in the order in which they were copied, by their ids: nodes that merge the same ones at once then wait for
/// each other in one direction only.
fn merge_records() -> String {
    let names: Vec<String> = merged().map(|(name, _)| name).collect();
    let values: Vec<&str> = merged().map(|(_, value)| value).collect();
    let sets: Vec<String> =
        names.iter().filter(|name| *name != "id").map(|name| format!("{name} = excluded.{name}")).collect();
    format!(
        "insert into record ({}) select {} from staging s \
         on conflict (id) do update set {} where excluded.rank > record.rank \
         or (excluded.rank = record.rank and excluded.attempts > record.attempts)",
        names.join(", "),
        values.join(", "),
        sets.join(", ")
    )
}

const MERGE_EVIDENCE: &str = "insert into evidence (id, body) select id, evidence from staging \
    where evidence is not null on conflict (id) do nothing";

async fn merge(client: &Client, parcels: &[Parcel], rank: Rank) -> Result<(), RemoteFault> {
    // One row of each push: a statement cannot touch a row twice.
    let newest: BTreeMap<&[u8; 16], &Parcel> =
        parcels.iter().map(|parcel| (parcel.record.id.as_bytes(), parcel)).collect();
    client.batch_execute(&staging()).await?;
    client.batch_execute("begin").await?;
    let names: Vec<&str> = COLUMNS.iter().map(|column| column.0).collect();
    let types: Vec<Type> = COLUMNS.iter().map(|column| column.1.clone()).collect();
    let copy = format!("copy staging ({}) from stdin (format binary)", names.join(", "));
    let writer = BinaryCopyInWriter::new(client.copy_in(&copy).await?, &types);
    let mut writer = std::pin::pin!(writer);
    for parcel in newest.values() {
        write(writer.as_mut(), parcel, rank).await?;
    }
    writer.finish().await?;
    client.batch_execute(&merge_records()).await?;
    client.batch_execute(MERGE_EVIDENCE).await?;
    client.batch_execute("commit").await?;
    Ok(())
}

async fn write(
    writer: std::pin::Pin<&mut BinaryCopyInWriter>,
    parcel: &Parcel,
    rank: Rank,
) -> Result<(), RemoteFault> {
    let record = &parcel.record;
    let documents = Documents::of(record);
    let text = |text: &Option<String>| text.as_deref().map(|text| clean(text).into_owned());
    let values: [&(dyn ToSql + Sync); COLUMNS.len()] = [
        &uuid(record.id),
        &(rank as i16),
        &record.ended_at.millis(),
        &tie(record.id),
        &record.id.sequence().0.cast_signed(),
        &clean(&record.source).into_owned(),
        &record.account.map(u64::cast_signed),
        &text(&record.domain),
        &text(&record.app),
        &text(&record.stream),
        &clean(&record.protocol).into_owned(),
        &record.client_ip.to_canonical(),
        &i32::from(record.client_port),
        &clean(&record.node).into_owned(),
        &record.connected_at.millis(),
        &record.published_at.map(Timestamp::millis),
        &signed(record.duration_ms),
        &i32::from(record.errcode),
        &i32::from(record.sub_errcode),
        &clean(&record.side).into_owned(),
        &documents.detail,
        &signed(record.attempts),
        &record.last_attempt_at.map(Timestamp::millis),
        &signed(record.bytes_in),
        &signed(record.bytes_out),
        &documents.video,
        &documents.audio,
        &text(&record.encoder),
        &text(&record.stream_param),
        &i32::from(parcel.verdict_version),
        &parcel.evidence,
    ];
    Ok(writer.write(&values).await?)
}
