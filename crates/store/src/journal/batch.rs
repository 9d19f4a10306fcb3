//! What each operation writes. All of it may be written again: a batch that failed, or whose outcome nobody knows, is
//! repeated as a whole.

use std::collections::HashMap;

use model::{PushId, Record, Timestamp};
use rusqlite::{Transaction, params};

use super::queue::Op;
use super::refusals::FoldUpdate;
use crate::columns::{Address, Documents, signed};
use crate::error::{is_disk_error, lost};
use crate::evidence::Place;
use crate::outbox::write::{Sender, settle};
use crate::reader::query::tie;
use crate::row::{Counted, EndRow, OpenRow};
use crate::store::Recovery;

/// What a batch gave, to be told once it is durable.
#[derive(Default)]
pub(crate) struct Outcome {
    pub counters: Vec<(PushId, Counted)>,
    pub changed: Vec<u64>,
    pub recovery: Recovery,
    pub recovered: Vec<Record>,
    pub settled: Vec<u64>,
    pub unstorable: u64,
    pub bytes: u64,
}

/// A batch being written.
pub(crate) struct Batch<'a> {
    tx: &'a Transaction<'a>,
    run: i64,
    places: &'a HashMap<PushId, Place>,
    pub outbox: Sender<'a>,
    pub outcome: Outcome,
}

impl<'a> Batch<'a> {
    pub fn new(outbox: Sender<'a>, run: i64, places: &'a HashMap<PushId, Place>) -> Self {
        Self { tx: outbox.tx, run, places, outbox, outcome: Outcome::default() }
    }

    fn place(&self, end: &EndRow) -> Option<Place> {
        self.places.get(&end.record.id).copied()
    }

    /// Writes a row. One that the database would never take may not hold up all others.
    fn row(
        &mut self,
        id: PushId,
        write: impl FnOnce(&mut Self) -> rusqlite::Result<()>,
    ) -> rusqlite::Result<()> {
        self.outcome.bytes += 2_000;
        match write(self) {
            Err(error) if !is_disk_error(&error) => {
                tracing::error!("{}", lost(id, &error));
                self.outcome.unstorable += 1;
                Ok(())
            }
            other => other,
        }
    }

    /// Writes what an operation asks for.
    pub fn op(&mut self, op: &Op) -> rusqlite::Result<()> {
        match op {
            Op::Open { row, .. } => self.row(row.id, |b| {
                open_push(b.tx, b.run, row)?;
                b.outbox.began(row)
            }),
            Op::Close { end, .. } => self.row(end.record.id, |b| {
                let kept = b.outbox.kept(end.record.id)?;
                close_push(b.tx, end, b.place(end))?;
                b.outbox.ended(&end.record, kept)
            }),
            Op::Forget { record, .. } => self.row(record.id, |b| {
                let kept = b.outbox.kept(record.id)?;
                forget_push(b.tx, record.id)?;
                b.outbox.abandoned(record, kept)
            }),
            Op::Report { report } => self.row(report.push, |b| b.outbox.reported(report)),
            Op::Import { import, .. } => {
                let record = super::import::write(self.tx, import)?;
                self.outcome.recovered.extend(record);
                Ok(())
            }
            Op::Inherit { pushes, .. } => {
                pushes.iter().try_for_each(|push| self.row(push.record.id, |b| b.outbox.inherited(push)))
            }
            Op::Settle { settled, .. } => {
                let gone = settle(self.tx, settled)?;
                self.outcome.settled.push(gone);
                Ok(())
            }
            Op::Filed { seqs, .. } => remove_filed(self.tx, seqs),
            Op::Shipped { shipped, .. } => super::shipping::apply(self.tx, shipped),
            Op::Catalog { change, .. } => {
                let rows = change.apply(self.tx)?;
                self.outbox.rules_changed()?;
                self.outcome.changed.push(rows);
                Ok(())
            }
            // These concern the batch as a whole.
            Op::Recover { .. } | Op::Stopping { .. } | Op::Shutdown { .. } => Ok(()),
        }
    }

    /// A refused or pre-publish end; `folding` while equal ones may be added to it.
    pub fn refused(&mut self, end: &EndRow, folding: bool) -> rusqlite::Result<()> {
        self.row(end.record.id, |b| {
            insert_end(b.tx, end, b.place(end), folding)?;
            b.outbox.refused(&end.record)
        })
    }

    /// Attempts that were added to a record.
    pub fn fold(&mut self, update: &FoldUpdate) -> rusqlite::Result<()> {
        self.row(update.id, |b| update_fold(b.tx, update))
    }
}

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
