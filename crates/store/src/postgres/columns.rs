//! A record as columns of the database, and back.

use std::net::IpAddr;

use model::{PushId, Record, Sequence, Timestamp};
use serde::de::DeserializeOwned;
use tokio_postgres::Row;
use uuid::Uuid;

use crate::columns::{Stored, counter};
use crate::reader::query::Cursor;
use crate::remote::RemoteFault;

/// The columns in the order in which [`read`] expects them, of `r` joined with its names.
pub(super) const SELECT: &str = "r.id, r.sequence, r.source, r.account, d.text, a.text, s.text, r.protocol, \
    r.client_ip, r.client_port, r.node, r.connected_at, r.published_at, r.ended_at, r.duration_ms, r.errcode, \
    r.sub_errcode, r.side, r.detail::text, r.attempts, r.last_attempt_at, r.bytes_in, r.bytes_out, r.video::text, \
    r.audio::text, r.encoder, r.stream_param, r.verdict_version, r.tie";

/// What `r` is joined with.
pub(super) const JOIN: &str = "left join domain d on d.id = r.domain_id left join app a on a.id = r.app_id \
    left join stream s on s.id = r.stream_id";

/// A record and its place in time.
pub(super) fn read(row: &Row) -> Result<(Cursor, Stored), RemoteFault> {
    let time = |index: usize| row.try_get::<_, i64>(index).map(Timestamp);
    let count = |index: usize| row.try_get::<_, i64>(index).map(counter);
    let small = |index: usize| row.try_get::<_, i32>(index).map(|n| u16::try_from(n).unwrap_or(u16::MAX));
    let ended_at = time(13)?;
    let record = Record {
        id: PushId::from_bytes(row.try_get::<_, Uuid>(0)?.into_bytes()),
        sequence: Sequence(row.try_get::<_, i64>(1)?.cast_unsigned()),
        source: row.try_get(2)?,
        account: row.try_get::<_, Option<i64>>(3)?.map(i64::cast_unsigned),
        domain: row.try_get(4)?,
        app: row.try_get(5)?,
        stream: row.try_get(6)?,
        protocol: row.try_get(7)?,
        client_ip: row.try_get::<_, IpAddr>(8)?,
        client_port: small(9)?,
        node: row.try_get(10)?,
        connected_at: time(11)?,
        published_at: row.try_get::<_, Option<i64>>(12)?.map(Timestamp),
        ended_at,
        duration_ms: count(14)?,
        errcode: small(15)?,
        sub_errcode: small(16)?,
        errmsg: String::new(),
        side: row.try_get(17)?,
        detail: json(row, 18)?,
        attempts: count(19)?,
        last_attempt_at: row.try_get::<_, Option<i64>>(20)?.map(Timestamp),
        bytes_in: count(21)?,
        bytes_out: count(22)?,
        video: json(row, 23)?,
        audio: json(row, 24)?,
        encoder: row.try_get(25)?,
        stream_param: row.try_get(26)?,
    };
    let at = Cursor { ended_at: ended_at.millis(), tie: row.try_get(28)? };
    Ok((at, Stored { record, verdict_version: small(27)?, evidence: None }))
}

/// What cannot be read is unknown.
fn json<T: DeserializeOwned>(row: &Row, index: usize) -> Result<Option<T>, RemoteFault> {
    let text: Option<String> = row.try_get(index)?;
    Ok(text.and_then(|text| serde_json::from_str(&text).ok()))
}
