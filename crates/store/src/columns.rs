//! A record as columns, and back.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use model::record::DetailRecord;
use model::{PushId, Record, Sequence, Timestamp};
use rusqlite::Row;
use rusqlite::types::{FromSqlError, ToSqlOutput, Type, ValueRef};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::evidence::Place;

/// A record with what the store keeps beside it.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Stored {
    pub record: Record,
    pub verdict_version: u16,
    pub evidence: Option<Place>,
}

/// The columns of a record in the order in which [`read`] expects them; names instead of their numbers.
pub(crate) const ENDED_COLUMNS: &str = "id, sequence, source, account, domain, app, stream, protocol, client_ip, \
    client_port, node, connected_at, published_at, ended_at, duration_ms, errcode, sub_errcode, side, detail, attempts, \
    last_attempt_at, bytes_in, bytes_out, video, audio, encoder, stream_param, verdict_version, evidence_offset, \
    evidence_length";

/// How many those are: where the first column behind them stands.
pub(crate) const ENDED_COUNT: usize = 30;

/// Reads a record from the columns of [`ENDED_COLUMNS`]. Optional columns that cannot be read are taken as unknown;
/// `check` names them.
pub(crate) fn read(row: &Row<'_>) -> rusqlite::Result<Stored> {
    let code = |index: usize| row.get::<_, i64>(index).map(|n| u16::try_from(n).unwrap_or(u16::MAX));
    let time = |index: usize| row.get::<_, i64>(index).map(Timestamp);
    let count = |index: usize| row.get::<_, i64>(index).map(counter);
    let offset = row.get::<_, Option<i64>>(28)?.map(counter);
    let length = row.get::<_, Option<i64>>(29)?.map(counter);
    let record = Record {
        id: push_id(row.get_ref(0)?).map_err(|e| conversion(0, e))?,
        sequence: Sequence(row.get::<_, i64>(1)?.cast_unsigned()),
        source: row.get(2)?,
        account: row.get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
        domain: row.get(4)?,
        app: row.get(5)?,
        stream: row.get(6)?,
        protocol: row.get(7)?,
        client_ip: address(row.get_ref(8)?).map_err(|e| conversion(8, e))?,
        client_port: row.get(9)?,
        node: row.get(10)?,
        connected_at: time(11)?,
        published_at: row.get::<_, Option<i64>>(12)?.map(Timestamp),
        ended_at: time(13)?,
        duration_ms: count(14)?,
        errcode: code(15)?,
        sub_errcode: code(16)?,
        errmsg: String::new(),
        side: row.get(17)?,
        detail: json(row, 18)?,
        attempts: count(19)?,
        last_attempt_at: row.get::<_, Option<i64>>(20)?.map(Timestamp),
        bytes_in: count(21)?,
        bytes_out: count(22)?,
        video: json(row, 23)?,
        audio: json(row, 24)?,
        encoder: row.get(25)?,
        stream_param: row.get(26)?,
    };
    let evidence = offset.zip(length).map(|(offset, length)| Place { offset, length });
    let verdict_version = code(27)?;
    Ok(Stored { record, verdict_version, evidence })
}

fn json<T: DeserializeOwned>(row: &Row<'_>, index: usize) -> rusqlite::Result<Option<T>> {
    let text = row.get_ref(index)?.as_str_or_null().map_err(|e| conversion(index, e))?;
    Ok(text.and_then(|text| serde_json::from_str(text).ok()))
}

fn text<T: Serialize>(part: &Option<T>) -> Option<String> {
    part.as_ref().and_then(|part| serde_json::to_string(part).ok())
}

/// An unsigned counter in SQLite's signed column; beyond 63 bits it stays at the end.
pub(crate) fn signed(n: u64) -> i64 {
    i64::try_from(n).unwrap_or(i64::MAX)
}

pub(crate) fn counter(n: i64) -> u64 {
    u64::try_from(n).unwrap_or(0)
}

/// An address as it is stored: 4 or 16 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Address {
    V4([u8; 4]),
    V6([u8; 16]),
}

impl Address {
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(ip.octets()),
            IpAddr::V6(ip) => Self::V6(ip.octets()),
        }
    }

    pub fn bytes(&self) -> &[u8] {
        match self {
            Self::V4(bytes) => bytes,
            Self::V6(bytes) => bytes,
        }
    }
}

impl rusqlite::ToSql for Address {
    fn to_sql(&self) -> rusqlite::Result<ToSqlOutput<'_>> {
        Ok(ToSqlOutput::Borrowed(ValueRef::Blob(self.bytes())))
    }
}

pub(crate) fn address(value: ValueRef<'_>) -> Result<IpAddr, FromSqlError> {
    let bytes = value.as_blob()?;
    if let Ok(v4) = <[u8; 4]>::try_from(bytes) {
        return Ok(Ipv4Addr::from(v4).into());
    }
    let v6 = <[u8; 16]>::try_from(bytes)
        .map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 16, blob_size: bytes.len() })?;
    Ok(Ipv6Addr::from(v6).into())
}

pub(crate) fn push_id(value: ValueRef<'_>) -> Result<PushId, FromSqlError> {
    let bytes = value.as_blob()?;
    <[u8; 16]>::try_from(bytes)
        .map(PushId::from_bytes)
        .map_err(|_| FromSqlError::InvalidBlobSize { expected_size: 16, blob_size: bytes.len() })
}

pub(crate) fn conversion(index: usize, error: FromSqlError) -> rusqlite::Error {
    rusqlite::Error::FromSqlConversionFailure(index, Type::Blob, Box::new(error))
}

/// The parts of a record that are stored as JSON.
pub(crate) struct Documents {
    pub detail: Option<String>,
    pub video: Option<String>,
    pub audio: Option<String>,
}

impl Documents {
    pub fn of(record: &Record) -> Self {
        // The words of a detail depend on the reader's language and are made when it is shown.
        let detail = record.detail.as_ref().map(|d| DetailRecord { text: String::new(), ..d.clone() });
        Self { detail: text(&detail), video: text(&record.video), audio: text(&record.audio) }
    }
}
