//! Records into the database. What is surely new is copied straight into its table; what may be there already goes
//! through a table of the connection, and one statement that merges.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::{Clock, PushId, Record, SystemClock, Timestamp};
use tokio_postgres::Client;
use tokio_postgres::binary_copy::BinaryCopyInWriter;
use tokio_postgres::error::SqlState;
use tokio_postgres::types::{ToSql, Type};
use uuid::Uuid;

use super::link::Database;
use super::names::{self, Numbers};
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

/// The days that are known to have partitions.
#[derive(Debug, Default)]
pub(crate) struct Known(Mutex<BTreeSet<Day>>);

impl Known {
    fn lock(&self) -> MutexGuard<'_, BTreeSet<Day>> {
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
    pub fn put(&self, parcels: Arc<[Parcel]>, rank: Rank, known: &Arc<Known>) -> Result<(), RemoteFault> {
        if parcels.is_empty() {
            return Ok(());
        }
        let days: BTreeSet<Day> =
            parcels.iter().filter_map(|parcel| partition::day_of(parcel.record.id.time())).collect();
        let missing: BTreeSet<Day> = days.difference(&known.lock()).copied().collect();
        let today = Day::of(SystemClock.now());
        let outcome = self.ask(LIMIT, move |client| async move {
            partition::make(&client, &missing).await?;
            let numbers = names::numbers(&client, &parcels, today).await?;
            let load = Load::of(&parcels, rank, &numbers);
            load.put(&client).await
        });
        match outcome {
            Ok(()) => known.lock().extend(days),
            // Perhaps one of them was dropped meanwhile.
            Err(_) => known.lock().clear(),
        }
        outcome
    }
}

/// The columns of `record`, in the order in which [`Load::copy_records`] writes them. A type is that of the value that is
/// written: text goes into `json` as it is.
const COLUMNS: [(&str, Type); 30] = [
    ("id", Type::UUID),
    ("rank", Type::INT2),
    ("ended_at", Type::INT8),
    ("tie", Type::INT8),
    ("sequence", Type::INT8),
    ("source", Type::TEXT),
    ("account", Type::INT8),
    ("domain_id", Type::INT8),
    ("app_id", Type::INT8),
    ("stream_id", Type::INT8),
    ("protocol", Type::TEXT),
    ("client_ip", Type::INET),
    ("client_port", Type::INT4),
    ("node", Type::TEXT),
    ("connected_at", Type::INT8),
    ("published_at", Type::INT8),
    ("duration_ms", Type::INT8),
    ("errcode", Type::INT4),
    ("sub_errcode", Type::INT4),
    ("side", Type::TEXT),
    ("detail", Type::TEXT),
    ("attempts", Type::INT8),
    ("last_attempt_at", Type::INT8),
    ("bytes_in", Type::INT8),
    ("bytes_out", Type::INT8),
    ("video", Type::TEXT),
    ("audio", Type::TEXT),
    ("encoder", Type::TEXT),
    ("stream_param", Type::TEXT),
    ("verdict_version", Type::INT4),
];

const EVIDENCE: [Type; 2] = [Type::UUID, Type::BYTEA];

fn columns() -> String {
    COLUMNS.map(|(name, _)| name).join(", ")
}

/// The tables of a connection through which goes what may be there already. Evidence passes as it is: most of it in its
/// row, none of it compressed on the way.
const STAGING: &str = "create temp table if not exists staging (like record) on commit delete rows; \
    create temp table if not exists staging_evidence (id uuid, body bytea) with (toast_tuple_target = 8160) \
    on commit delete rows; alter table staging_evidence alter column body set storage external";

/// Rows are read in the order in which they were copied, by their ids: nodes that merge the same ones at once then wait for
/// each other in one direction only.
fn merge_records() -> String {
    let columns = columns();
    let sets: Vec<String> = COLUMNS
        .iter()
        .filter(|(name, _)| *name != "id")
        .map(|(name, _)| format!("{name} = excluded.{name}"))
        .collect();
    format!(
        "insert into record ({columns}) select {columns} from staging \
         on conflict (id) do update set {} where excluded.rank > record.rank \
         or (excluded.rank = record.rank and excluded.attempts > record.attempts)",
        sets.join(", ")
    )
}

const MERGE_EVIDENCE: &str = "insert into evidence (id, body) select id, body from staging_evidence \
    on conflict (id) do nothing";

/// Records on their way, each push once (a statement cannot touch a row twice), in the order of their ids.
struct Load<'a> {
    parcels: BTreeMap<&'a [u8; 16], &'a Parcel>,
    rank: Rank,
    numbers: &'a Numbers,
}

impl<'a> Load<'a> {
    fn of(parcels: &'a [Parcel], rank: Rank, numbers: &'a Numbers) -> Self {
        let parcels = parcels.iter().map(|parcel| (parcel.record.id.as_bytes(), parcel)).collect();
        Self { parcels, rank, numbers }
    }

    async fn put(&self, client: &Client) -> Result<(), RemoteFault> {
        // A record whose attempts rose was probably here before; others only if this batch was, or another node spoke.
        let new =
            self.rank == Rank::OwnJournal && self.parcels.values().all(|parcel| parcel.record.attempts <= 1);
        if new {
            match self.copy(client).await {
                Err(error) if error.code() == Some(&SqlState::UNIQUE_VIOLATION) => {
                    client.batch_execute("rollback").await?;
                }
                outcome => return Ok(outcome?),
            }
        }
        Ok(self.merge(client).await?)
    }

    /// Straight into the tables: fails where one is there.
    async fn copy(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        client.batch_execute("begin").await?;
        self.copy_records(client, "record").await?;
        self.copy_evidence(client, "evidence").await?;
        client.batch_execute("commit").await
    }

    async fn merge(&self, client: &Client) -> Result<(), tokio_postgres::Error> {
        client.batch_execute(STAGING).await?;
        client.batch_execute("begin").await?;
        self.copy_records(client, "staging").await?;
        self.copy_evidence(client, "staging_evidence").await?;
        client.batch_execute(&merge_records()).await?;
        client.batch_execute(MERGE_EVIDENCE).await?;
        client.batch_execute("commit").await
    }

    async fn copy_records(&self, client: &Client, table: &str) -> Result<(), tokio_postgres::Error> {
        let sink =
            client.copy_in(&format!("copy {table} ({}) from stdin (format binary)", columns())).await?;
        let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &COLUMNS.map(|(_, kind)| kind)));
        for parcel in self.parcels.values() {
            self.write(writer.as_mut(), parcel).await?;
        }
        writer.finish().await?;
        Ok(())
    }

    async fn copy_evidence(&self, client: &Client, table: &str) -> Result<(), tokio_postgres::Error> {
        let with_evidence = || {
            self.parcels.values().filter_map(|parcel| Some((parcel.record.id, parcel.evidence.as_deref()?)))
        };
        if with_evidence().next().is_none() {
            return Ok(());
        }
        let sink = client.copy_in(&format!("copy {table} (id, body) from stdin (format binary)")).await?;
        let mut writer = std::pin::pin!(BinaryCopyInWriter::new(sink, &EVIDENCE));
        for (id, evidence) in with_evidence() {
            writer.as_mut().write(&[&uuid(id), &evidence]).await?;
        }
        writer.finish().await?;
        Ok(())
    }

    async fn write(
        &self,
        writer: Pin<&mut BinaryCopyInWriter>,
        parcel: &Parcel,
    ) -> Result<(), tokio_postgres::Error> {
        let record = &parcel.record;
        let documents = Documents::of(record);
        let encoder = record.encoder.as_deref().map(clean);
        let stream_param = record.stream_param.as_deref().map(clean);
        let values: [&(dyn ToSql + Sync); COLUMNS.len()] = [
            &uuid(record.id),
            &(self.rank as i16),
            &record.ended_at.millis(),
            &tie(record.id),
            &record.id.sequence().0.cast_signed(),
            &clean(&record.source),
            &record.account.map(u64::cast_signed),
            &self.numbers.domain(record),
            &self.numbers.app(record),
            &self.numbers.stream(record),
            &clean(&record.protocol),
            &record.client_ip.to_canonical(),
            &i32::from(record.client_port),
            &clean(&record.node),
            &record.connected_at.millis(),
            &record.published_at.map(Timestamp::millis),
            &signed(record.duration_ms),
            &i32::from(record.errcode),
            &i32::from(record.sub_errcode),
            &clean(&record.side),
            &documents.detail,
            &signed(record.attempts),
            &record.last_attempt_at.map(Timestamp::millis),
            &signed(record.bytes_in),
            &signed(record.bytes_out),
            &documents.video,
            &documents.audio,
            &encoder,
            &stream_param,
            &i32::from(parcel.verdict_version),
        ];
        writer.write(&values).await
    }
}
