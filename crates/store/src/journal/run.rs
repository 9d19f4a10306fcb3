//! This run's row, and what runs left open: each open row becomes a record.

use std::collections::HashMap;
use std::sync::Arc;

use cause::{Detail, DetailKey};
use model::{Clock, PushId, Record, StreamKey, Timestamp};
use rusqlite::types::Value;
use rusqlite::{Row, Transaction, params};

use super::batch;
use crate::columns::{address, conversion, counter, push_id};
use crate::config::StoreConfig;
use crate::outbox::write::Sender;
use crate::row::{Counted, EndRow, OpenRow, OwnEnd, PushCounters, own_record};
use crate::store::Recovery;

/// Writes the row of a run that begins, and lets go of what only older ones needed.
pub(crate) fn begin(tx: &Transaction<'_>, config: &StoreConfig, now: Timestamp) -> rusqlite::Result<i64> {
    // Folds live in memory: those of earlier runs are over. Runs without open pushes are of no use after a while.
    tx.execute("update ended set folding = 0 where folding = 1", [])?;
    tx.execute(
        "delete from run where started_at < ?1 and id not in (select run from open_push)",
        [now.minus(config.keep).millis()],
    )?;
    tx.execute(
        "insert into run (node_id, node_label, version, started_at, heartbeat_at) values (?1, ?2, ?3, ?4, ?4)",
        params![config.node_id.as_bytes(), config.node_label, env!("CARGO_PKG_VERSION"), now.millis()],
    )?;
    Ok(tx.last_insert_rowid())
}

/// When the run was last alive, and whether it is being stopped.
pub(crate) fn heartbeat(
    tx: &Transaction<'_>,
    run: i64,
    now: Timestamp,
    stopping_at: Option<Timestamp>,
    stopped: bool,
) -> rusqlite::Result<()> {
    tx.prepare_cached("update run set heartbeat_at = ?2, stopping_at = ?3, stopped_at = ?4 where id = ?1")?
        .execute(params![
            run,
            now.millis(),
            stopping_at.map(Timestamp::millis),
            stopped.then_some(now.millis())
        ])
        .map(drop)
}

/// Which open rows become records.
#[derive(Clone, Copy)]
pub(crate) enum LeftOpen {
    /// Those of all runs but this one.
    ByEarlierRuns(i64),
    /// Those of this run, at this time.
    ByThisRun(i64, Timestamp),
}

/// Turns open rows into records; the records are those that were written.
pub(crate) fn close_left_open(
    outbox: &mut Sender<'_>,
    which: LeftOpen,
    live: &HashMap<PushId, Arc<PushCounters>>,
    clock: &dyn Clock,
) -> rusqlite::Result<(Recovery, Vec<Record>)> {
    let (condition, run) = match which {
        LeftOpen::ByEarlierRuns(run) => ("<>", run),
        LeftOpen::ByThisRun(run, _) => ("=", run),
    };
    let tx = outbox.tx;
    let mut select = tx.prepare(&format!(
        "select p.id, p.account, p.domain, p.app, p.stream, p.protocol, p.client_ip, p.client_port, p.connected_at, \
         p.published_at, p.encoder, p.stream_param, p.bytes_in, p.bytes_out, p.video_frames, p.audio_frames, \
         r.heartbeat_at, r.stopping_at, r.node_label from open_push p left join run r on r.id = p.run \
         where p.run {condition} ?1"
    ))?;
    let mut rows = select.query([run])?;
    let mut recovery = Recovery::default();
    let mut records = Vec::new();
    let mut keys = Vec::new();
    while let Some(row) = rows.next()? {
        let left = Left::read(row, which);
        let record = match left {
            Ok(left) => {
                let counters = live.get(&left.row.id).map_or(left.counted, |live| live.read());
                match left.end {
                    OwnEnd::NodeStopped => recovery.stopped += 1,
                    _ => recovery.died += 1,
                }
                let mut record = own_record(&left.row, &left.node, left.end, left.at, counters);
                if matches!(which, LeftOpen::ByEarlierRuns(_)) {
                    let detail = Detail::new(DetailKey::RecoveredAtStart)
                        .with("last_seen", left.at.to_string())
                        .with("recovered_at", clock.now().to_string());
                    record.detail = Some(detail.into());
                }
                record
            }
            Err(error) => {
                recovery.unreadable += 1;
                let mut record = unreadable(row, clock);
                let reason = Detail::new(DetailKey::RowError).with("reason", error.to_string());
                record.detail = Some(reason.into());
                tracing::error!(id = %record.id, %error, "a journal row cannot be read: recorded as 36/0");
                record
            }
        };
        keys.push(row.get::<_, Value>(0)?);
        records.push(record);
    }
    drop(rows);
    for (record, key) in records.iter_mut().zip(keys) {
        record.ended_at = crate::layout::storable(record.ended_at);
        let end = EndRow { record: record.clone(), evidence: Vec::new(), verdict_version: 0 };
        let kept = outbox.kept(record.id)?;
        batch::insert_end(tx, &end, None, false)?;
        tx.prepare_cached("delete from open_push where id = ?1")?.execute([key])?;
        outbox.ended(record, kept)?;
    }
    Ok((recovery, records))
}

/// An open row of a run that is over.
struct Left {
    row: OpenRow,
    counted: Counted,
    node: String,
    at: Timestamp,
    end: OwnEnd,
}

impl Left {
    fn read(row: &Row<'_>, which: LeftOpen) -> rusqlite::Result<Self> {
        let time = |index: usize| row.get::<_, i64>(index).map(Timestamp);
        let count = |index: usize| row.get::<_, i64>(index).map(counter);
        let open = OpenRow {
            id: push_id(row.get_ref(0)?).map_err(|e| conversion(0, e))?,
            account: row.get::<_, i64>(1)?.cast_unsigned(),
            key: StreamKey { domain: row.get(2)?, app: row.get(3)?, stream: row.get(4)? },
            protocol: row.get(5)?,
            client_ip: address(row.get_ref(6)?).map_err(|e| conversion(6, e))?,
            client_port: row.get(7)?,
            connected_at: time(8)?,
            published_at: time(9)?,
            encoder: row.get(10)?,
            stream_param: row.get(11)?,
            callback_param: None,
        };
        let counted = Counted {
            bytes_in: count(12)?,
            bytes_out: count(13)?,
            video_frames: count(14)?,
            audio_frames: count(15)?,
        };
        // A run whose row is gone was alive at least until the push went live.
        let seen = row.get::<_, Option<i64>>(16)?.map_or(open.published_at, Timestamp);
        let stopping = row.get::<_, Option<i64>>(17)?.is_some();
        let node = row.get::<_, Option<String>>(18)?.unwrap_or_default();
        let (at, end) = match which {
            LeftOpen::ByThisRun(_, now) => (now, OwnEnd::NodeStopped),
            LeftOpen::ByEarlierRuns(_) if stopping => (seen, OwnEnd::NodeStopped),
            LeftOpen::ByEarlierRuns(_) => (seen, OwnEnd::NodeDied),
        };
        Ok(Self { row: open, counted, node, at, end })
    }
}

/// 36/0 with whatever can still be read.
fn unreadable(row: &Row<'_>, clock: &dyn Clock) -> Record {
    fn or<T: rusqlite::types::FromSql>(row: &Row<'_>, index: usize, otherwise: T) -> T {
        row.get(index).unwrap_or(otherwise)
    }
    let id = row.get_ref(0).ok().and_then(|value| push_id(value).ok()).unwrap_or_else(|| clock.push_id());
    let client_ip = row.get_ref(6).ok().and_then(|value| address(value).ok());
    let published_at = Timestamp(or(row, 9, id.time().millis()));
    let open = OpenRow {
        id,
        account: or(row, 1, 0i64).cast_unsigned(),
        key: StreamKey {
            domain: or(row, 2, String::new()),
            app: or(row, 3, String::new()),
            stream: or(row, 4, String::new()),
        },
        protocol: or(row, 5, String::new()),
        client_ip: client_ip.unwrap_or(std::net::Ipv4Addr::UNSPECIFIED.into()),
        client_port: or(row, 7, 0),
        connected_at: Timestamp(or(row, 8, published_at.millis())),
        published_at,
        encoder: or(row, 10, None),
        stream_param: or(row, 11, None),
        callback_param: None,
    };
    let at = Timestamp(or(row, 16, published_at.millis()));
    own_record(&open, &or(row, 18, String::new()), OwnEnd::RowUnreadable, at, Counted::default())
}
