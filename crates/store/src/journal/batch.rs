//! What each operation writes. All of it may be written again: a batch that failed, or whose outcome nobody knows, is
//! repeated as a whole.

use model::{PushId, Timestamp};
use rusqlite::{Transaction, params};

use super::refusals::FoldUpdate;
use crate::columns::{Address, Documents, signed};
use crate::evidence::Place;
use crate::reader::query::tie;
use crate::row::{Counted, EndRow, OpenRow};

pub(crate) fn open_push(tx: &Transaction<'_>, run: i64, row: &OpenRow) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "insert or ignore into open_push (id, run, account, domain, app, stream, protocol, client_ip, client_port, \
         connected_at, published_at, encoder, stream_param) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
    )?
    .execute(params![
        row.id.as_bytes(),
        run,
        row.account.cast_signed(),
        row.key.domain,
        row.key.app,
        row.key.stream,
        row.protocol,
        Address::of(row.client_ip),
        row.client_port,
        row.connected_at.millis(),
        row.published_at.millis(),
        row.encoder,
        row.stream_param,
    ])
    .map(drop)
}

/// The end of a push that was live: its record comes, its open row goes.
pub(crate) fn close_push(
    tx: &Transaction<'_>,
    end: &EndRow,
    evidence: Option<Place>,
) -> rusqlite::Result<()> {
    insert_end(tx, end, evidence, false)?;
    forget_push(tx, end.record.id)
}

pub(crate) fn forget_push(tx: &Transaction<'_>, id: PushId) -> rusqlite::Result<()> {
    tx.prepare_cached("delete from open_push where id = ?1")?.execute([id.as_bytes()]).map(drop)
}

pub(crate) fn insert_end(
    tx: &Transaction<'_>,
    end: &EndRow,
    evidence: Option<Place>,
    folding: bool,
) -> rusqlite::Result<()> {
    let record = &end.record;
    let documents = Documents::of(record);
    tx.prepare_cached(
        "insert or ignore into ended (id, ended_at, tie, folding, sequence, source, account, domain, app, stream, \
         protocol, client_ip, client_port, node, connected_at, published_at, duration_ms, errcode, sub_errcode, side, \
         detail, attempts, last_attempt_at, bytes_in, bytes_out, video, audio, encoder, stream_param, verdict_version, \
         evidence_offset, evidence_length) values (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, \
         ?16, ?17, ?18, ?19, ?20, ?21, ?22, ?23, ?24, ?25, ?26, ?27, ?28, ?29, ?30, ?31, ?32)",
    )?
    .execute(params![
        record.id.as_bytes(),
        record.ended_at.millis(),
        tie(record.id),
        folding,
        record.id.sequence().0.cast_signed(),
        record.source,
        record.account.map(u64::cast_signed),
        record.domain,
        record.app,
        record.stream,
        record.protocol,
        Address::of(record.client_ip),
        record.client_port,
        record.node,
        record.connected_at.millis(),
        record.published_at.map(Timestamp::millis),
        signed(record.duration_ms),
        record.errcode,
        record.sub_errcode,
        record.side,
        documents.detail,
        signed(record.attempts),
        record.last_attempt_at.map(Timestamp::millis),
        signed(record.bytes_in),
        signed(record.bytes_out),
        documents.video,
        documents.audio,
        record.encoder,
        record.stream_param,
        end.verdict_version,
        evidence.map(|place| signed(place.offset)),
        evidence.map(|place| signed(place.length)),
    ])
    .map(drop)
}

/// Attempts of a fold. A single attempt has no last one.
pub(crate) fn update_fold(tx: &Transaction<'_>, update: &FoldUpdate) -> rusqlite::Result<()> {
    let last_at = (update.attempts > 1).then_some(update.last_at.millis());
    tx.prepare_cached("update ended set attempts = ?2, last_attempt_at = ?3, folding = ?4 where id = ?1")?
        .execute(params![update.id.as_bytes(), signed(update.attempts), last_at, !update.finished])
        .map(drop)
}

pub(crate) fn update_counters(tx: &Transaction<'_>, id: PushId, counted: Counted) -> rusqlite::Result<()> {
    tx.prepare_cached(
        "update open_push set bytes_in = ?2, bytes_out = ?3, video_frames = ?4, audio_frames = ?5 where id = ?1",
    )?
    .execute(params![
        id.as_bytes(),
        signed(counted.bytes_in),
        signed(counted.bytes_out),
        signed(counted.video_frames),
        signed(counted.audio_frames),
    ])
    .map(drop)
}

/// The rows stand in record files.
pub(crate) fn remove_filed(tx: &Transaction<'_>, seqs: &[i64]) -> rusqlite::Result<()> {
    let mut delete = tx.prepare_cached("delete from ended where seq = ?1")?;
    seqs.iter().try_for_each(|seq| delete.execute([seq]).map(drop))
}
