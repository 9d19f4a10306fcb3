//! The one thread that writes the journal. It commits at once when it was idle; what queued meanwhile is the next
//! batch, which gathers for a moment where many come at a time: a commit costs what several pushes do. A batch that failed is kept and written again; every operation is idempotent by the push's id.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use model::{PushId, Record, Timestamp};
use rusqlite::{Connection, TransactionBehavior};

use super::Shared;
use super::batch::{self, Batch, Outcome};
use super::disk::{checkpoint, disk_is_full, is_full};
use super::queue::{Op, Reply};
use super::refusals::{FoldUpdate, Waiting};
use super::reserve::Reserve;
use super::run::{self, LeftOpen};
use super::shipping;
use crate::error::{StoreError, is_disk_error};
use crate::evidence::{EvidenceFiles, Place};
use crate::layout::{self, Day};
use crate::limits::{
    CHECKPOINT_BUSY, CHECKPOINT_IDLE, COUNTER_ROUNDS, GATHER, GATHERED_FROM, HEARTBEAT, MAX_BATCH,
};
use crate::outbox::write::Sender;
use crate::row::{Counted, EndRow, PushCounters};
use crate::schema::JOURNAL;
use crate::stats::add;

/// How often the last batch is tried when the program stops and the disk does not take it.
const LAST_TRIES: u32 = 5;

pub(crate) struct Writer {
    shared: Arc<Shared>,
    /// `None` after an I/O error, until it could be opened anew.
    db: Option<Connection>,
    /// This run's row, once it could be written.
    run: Option<i64>,
    evidence: EvidenceFiles,
    reserve: Reserve,
    live: HashMap<PushId, Live>,
    /// What a failed batch left to be written again.
    kept: Work,
    stopping_at: Option<Timestamp>,
    next_beat: Instant,
    beats: u64,
    /// Recovery was asked for when the disk did not take it.
    owes_recovery: bool,
    /// About how much the WAL has grown since the last checkpoint.
    wal_bytes: u64,
    /// Pushes come and go many at a time: the next batch is left some time to gather.
    many_at_once: bool,
}

struct Live {
    counters: Arc<PushCounters>,
    written: Counted,
}

/// What one batch writes.
#[derive(Default)]
struct Work {
    ops: Vec<Op>,
    refused: Vec<Waiting>,
    folds: Vec<FoldUpdate>,
    beat: bool,
}

impl Work {
    fn is_empty(&self) -> bool {
        self.ops.is_empty() && self.refused.is_empty() && self.folds.is_empty() && !self.beat
    }
}

impl Writer {
    /// Opens the journal and begins this run. A full disk is no error: the thread goes on trying.
    pub fn open(shared: Arc<Shared>) -> Result<Self, StoreError> {
        let now = shared.clock.instant();
        let mut writer = Self {
            db: None,
            run: None,
            evidence: EvidenceFiles::new(shared.config.dir.clone()),
            reserve: Reserve::new(&shared.config.dir, shared.config.reserve_bytes),
            live: HashMap::new(),
            kept: Work::default(),
            stopping_at: None,
            next_beat: now,
            beats: 0,
            owes_recovery: false,
            wal_bytes: 0,
            many_at_once: false,
            shared,
        };
        let mut outcome = writer.ready();
        if outcome.as_ref().is_err_and(StoreError::is_disk) && writer.reserve.free() {
            outcome = writer.ready();
        }
        match outcome {
            Ok(()) => writer.reserve.restore(now),
            Err(error) if error.is_disk() && disk_is_full(&writer.shared.config.dir) => {
                writer.shared.figures.disk_full.store(true, Ordering::Release);
                tracing::error!(%error, "the disk is full: no push is admitted until there is room");
            }
            Err(error) => return Err(error),
        }
        writer.announce();
        Ok(writer)
    }

    /// Works until the store shuts down.
    pub fn run(mut self) {
        loop {
            let work = self.gather();
            if !work.is_empty()
                && let Some(last) = self.perform(work)
            {
                return self.end(last);
            }
            self.checkpoint_if_due();
        }
    }

    fn now(&self) -> Instant {
        self.shared.clock.instant()
    }

    /// Waits for work, or for the next heartbeat.
    fn gather(&mut self) -> Work {
        let failed = !self.kept.is_empty();
        // After a failure the next try comes with the heartbeat, whatever is queued meanwhile.
        let wait = self.next_beat.saturating_duration_since(self.now()).min(HEARTBEAT);
        let mut work = std::mem::take(&mut self.kept);
        if failed && !wait.is_zero() {
            std::thread::sleep(wait);
        }
        if self.many_at_once {
            std::thread::sleep(GATHER);
        }
        work.ops.extend(self.shared.queue.take(MAX_BATCH, if failed { Duration::ZERO } else { wait }));
        self.many_at_once = work.ops.len() > GATHERED_FROM;
        let now = self.now();
        if now >= self.next_beat {
            self.next_beat = now + HEARTBEAT;
            self.beats = self.beats.wrapping_add(1);
            work.beat = true;
        }
        let mut refusals = self.shared.refusals();
        // All that wait: an operation that forgets a push relies on its refusal being in the same batch or before.
        work.refused.extend(refusals.take(usize::MAX));
        if self.db.is_some() {
            work.folds = refusals.due(now);
        }
        work
    }

    /// Writes the work; gives the last operation back when it was the shutdown.
    fn perform(&mut self, mut work: Work) -> Option<Reply<()>> {
        let last = match work.ops.pop() {
            Some(Op::Shutdown { answer }) => Some(answer),
            Some(other) => {
                work.ops.push(other);
                None
            }
            None => None,
        };
        let tries = if last.is_some() { LAST_TRIES } else { 1 };
        for attempt in 1..=tries {
            match self.commit(&work) {
                Ok(outcome) => {
                    self.tell(work, outcome);
                    return last;
                }
                Err(error) => work = self.fail(work, &error),
            }
            if attempt < tries {
                std::thread::sleep(HEARTBEAT / 2);
            }
        }
        self.kept = work;
        last
    }

    /// Writes the work in one transaction.
    fn commit(&mut self, work: &Work) -> Result<Outcome, StoreError> {
        let began = self.now();
        if work.ops.iter().any(|op| matches!(op, Op::Stopping { .. })) {
            self.stopping_at.get_or_insert(self.shared.clock.now());
        }
        self.ready()?;
        let outcome = self.write(work)?;
        let figures = &self.shared.figures;
        figures.commit_latency.record(self.now().saturating_duration_since(began));
        add(&figures.commits, 1);
        add(&figures.unstorable, outcome.unstorable);
        self.wal_bytes += outcome.bytes;
        Ok(outcome)
    }

    /// Makes sure that the database is open and this run has its row.
    fn ready(&mut self) -> Result<(), StoreError> {
        let path = layout::journal_file(&self.shared.config.dir);
        if self.db.is_none() {
            let db = JOURNAL.open(&path)?;
            db.pragma_update(None, "wal_autocheckpoint", 0).map_err(StoreError::db(&path))?;
            // After a failed write nobody knows which pages of the WAL are on the disk, although they read well. A
            // checkpoint writes and syncs them all into the database itself.
            let whole = checkpoint(&db, "truncate").map_err(StoreError::db(&path))?;
            // At the start a reader may be in the way of it, and no write has failed in this run.
            if !whole && self.run.is_some() {
                return Err(StoreError::Unwritable);
            }
            layout::sync_dir(&self.shared.config.dir)?;
            self.wal_bytes = 0;
            self.db = Some(db);
        }
        if let (Some(db), None) = (&mut self.db, self.run) {
            let now = self.shared.clock.now();
            let config = &self.shared.config;
            let days = layout::record_days(&config.dir)?;
            let begin = |db: &mut Connection| {
                let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
                let run = run::begin(&tx, config, now)?;
                shipping::begin(&tx, config.remote.is_some(), &days)?;
                tx.commit().map(|()| run)
            };
            match begin(db) {
                Ok(run) => self.run = Some(run),
                Err(source) => {
                    self.db = None;
                    return Err(StoreError::Database { path, source });
                }
            }
        }
        Ok(())
    }

    fn write(&mut self, work: &Work) -> Result<Outcome, StoreError> {
        let path = layout::journal_file(&self.shared.config.dir);
        let places = self.write_evidence(work);
        let (Some(db), Some(run)) = (&mut self.db, self.run) else { return Err(StoreError::Unwritable) };
        let write = |db: &mut Connection| -> rusqlite::Result<Outcome> {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let config = &self.shared.config;
            let outbox = Sender::new(&tx, &config.outbox, &config.node_label, self.shared.clock.now())?;
            let mut batch = Batch::new(outbox, run, &places);
            for op in &work.ops {
                batch.op(op)?;
            }
            for waiting in &work.refused {
                batch.refused(&waiting.end, waiting.key.is_some())?;
            }
            for update in &work.folds {
                batch.fold(update)?;
            }
            if work.beat || self.stopping_at.is_some() {
                run::heartbeat(&tx, run, self.shared.clock.now(), self.stopping_at, false)?;
                let due = self.live.iter().filter(|(id, _)| in_round(**id, self.beats));
                for (id, live) in due {
                    let counted = live.counters.read();
                    if counted != live.written {
                        batch::update_counters(&tx, *id, counted)?;
                        batch.outcome.counters.push((*id, counted));
                    }
                }
            }
            if self.owes_recovery || work.ops.iter().any(|op| matches!(op, Op::Recover { .. })) {
                let left = LeftOpen::ByEarlierRuns(run);
                let (recovery, records) =
                    run::close_left_open(&mut batch.outbox, left, &HashMap::new(), &*self.shared.clock)?;
                batch.outcome.recovery = recovery;
                batch.outcome.recovered.extend(records);
            }
            let Batch { outbox: Sender { queued, suppressed, .. }, outcome, .. } = batch;
            tx.commit()?;
            if queued > 0 {
                self.shared.outbox_arrived.notify_one();
            }
            add(&self.shared.figures.suppressed, suppressed);
            Ok(outcome)
        };
        write(db).map_err(StoreError::db(path))
    }

    /// Evidence first, so that no record points to what is not there. Without room for it, records go on without.
    fn write_evidence(&mut self, work: &Work) -> HashMap<PushId, Place> {
        let closed = work.ops.iter().filter_map(|op| match op {
            Op::Close { end, .. } => Some(&**end),
            _ => None,
        });
        let ends = closed.chain(work.refused.iter().map(|waiting| &waiting.end));
        let ends: Vec<&EndRow> = ends.filter(|end| !end.evidence.is_empty()).collect();
        let thinned = |count: usize| add(&self.shared.figures.evidence_thinned, count as u64);
        if !self.reserve.is_held() {
            thinned(ends.len());
            return HashMap::new();
        }
        let mut places = HashMap::with_capacity(ends.len());
        let mut append = |evidence: &mut EvidenceFiles| {
            for end in &ends {
                let day = Day::of(end.record.ended_at);
                places.insert(end.record.id, evidence.append(day, end.record.id, &end.evidence)?);
            }
            evidence.sync()
        };
        if let Err(error) = append(&mut self.evidence) {
            tracing::warn!(%error, count = ends.len(), "evidence could not be written; its records are kept without it");
            self.evidence.discard();
            thinned(ends.len());
            return HashMap::new();
        }
        places
    }

    /// The work is durable: everybody who waits for it hears so.
    fn tell(&mut self, work: Work, outcome: Outcome) {
        let mut changed = outcome.changed.into_iter();
        let mut settled = outcome.settled.into_iter();
        let mut ended = 0usize;
        for op in work.ops {
            match op {
                Op::Open { row, counters, answer } => {
                    self.live.insert(row.id, Live { counters, written: Counted::default() });
                    // Whoever no longer waits gives the push up, which removes the row again.
                    let _ = answer.send(Ok(()));
                }
                Op::Close { end, place } => {
                    self.live.remove(&end.record.id);
                    self.recorded(end.record, end.evidence.len());
                    ended += 1;
                    drop(place);
                }
                Op::Forget { record, place } => {
                    self.live.remove(&record.id);
                    drop(place);
                }
                Op::Report { report } => {
                    self.shared.waiting_reports.fetch_sub(1, Ordering::Relaxed);
                    self.shared.history.keep(report.into());
                }
                Op::Import { answer, .. } | Op::Inherit { answer, .. } => {
                    let _ = answer.send(Ok(()));
                }
                Op::Settle { answer, .. } => {
                    let _ = answer.send(settled.next().unwrap_or(0));
                }
                Op::Filed { seqs, done } => {
                    add(&self.shared.figures.filed, seqs.len() as u64);
                    let _ = done.send(Ok(()));
                }
                Op::Shipped { done, .. } => {
                    let _ = done.send(Ok(()));
                }
                Op::Catalog { answer, .. } => {
                    let _ = answer.send(changed.next().ok_or(StoreError::Unwritable));
                }
                Op::Recover { answer } => {
                    let _ = answer.send(Ok(outcome.recovery));
                }
                Op::Stopping { answer } | Op::Shutdown { answer } => {
                    let _ = answer.send(Ok(()));
                }
            }
        }
        for record in outcome.recovered {
            self.recorded(record, 0);
            ended += 1;
        }
        for (id, counted) in outcome.counters {
            if let Some(live) = self.live.get_mut(&id) {
                live.written = counted;
            }
        }
        self.owes_recovery = false;
        let mut refusals = self.shared.refusals();
        refusals.confirm(&work.folds);
        for waiting in &work.refused {
            refusals.written(waiting.key.as_ref(), waiting.end.record.id);
        }
        drop(refusals);
        for Waiting { end, .. } in work.refused {
            self.recorded(end.record, end.evidence.len());
            ended += 1;
        }
        if ended > 0 || !work.folds.is_empty() {
            self.shared.shipping.nudge();
        }
        if ended > 0 {
            self.shared.filing.nudge();
        }
        self.reserve.restore(self.now());
        self.announce();
    }

    fn recorded(&self, record: Record, evidence: usize) {
        self.shared.release(evidence);
        self.shared.figures.count_record(record.code());
        // Nobody listening is no error.
        let _ = self.shared.tail.send(Arc::new(record));
    }

    /// The batch failed: who can be refused is refused, the rest is kept for the next try.
    fn fail(&mut self, mut work: Work, error: &StoreError) -> Work {
        add(&self.shared.figures.failed_batches, 1);
        let full = is_full(error);
        self.shared.figures.disk_full.store(full, Ordering::Release);
        let freed = full && self.reserve.free();
        let kept = work.ops.len() + work.refused.len();
        if self.shared.figures.writable.swap(false, Ordering::AcqRel) {
            tracing::error!(%error, kept, "the journal cannot be written: new pushes are refused until it can");
        } else {
            tracing::debug!(%error, kept, "the journal still cannot be written");
        }
        self.db = None;
        self.evidence.discard();
        work.folds.clear();
        work.beat = false;
        let mut kept = Vec::with_capacity(work.ops.len());
        for op in work.ops {
            match op {
                Op::Open { answer, .. } => {
                    let _ = answer.send(Err(self.shared.unwritable()));
                }
                Op::Catalog { answer, .. } => {
                    let _ = answer.send(Err(StoreError::Unwritable));
                }
                Op::Import { answer, .. } | Op::Inherit { answer, .. } => {
                    let _ = answer.send(Err(StoreError::Unwritable));
                }
                Op::Filed { done, .. } | Op::Shipped { done, .. } => {
                    let _ = done.send(Err(StoreError::Unwritable));
                }
                Op::Recover { answer } => {
                    self.owes_recovery = true;
                    let _ = answer.send(Err(StoreError::Unwritable));
                }
                Op::Stopping { answer } => {
                    let _ = answer.send(Err(StoreError::Unwritable));
                }
                Op::Report { report } => {
                    self.shared.waiting_reports.fetch_sub(1, Ordering::Relaxed);
                    self.shared.history.keep(report.into());
                }
                // Their callers wait, so there are no more of them than requests under way.
                Op::Settle { .. } | Op::Close { .. } | Op::Forget { .. } | Op::Shutdown { .. } => {
                    kept.push(op);
                }
            }
        }
        work.ops = kept;
        if freed {
            // There is room now; the next try need not wait.
            self.next_beat = self.now();
        }
        work
    }

    /// Admission may let pushes in while the last batch went well and the reserve is there.
    fn announce(&self) {
        let writable = self.db.is_some() && self.reserve.is_held();
        if self.shared.figures.writable.swap(writable, Ordering::AcqRel) != writable && writable {
            tracing::info!("the journal can be written");
        }
    }

    fn checkpoint_if_due(&mut self) {
        let limit = if self.shared.queue.len() == 0 { CHECKPOINT_IDLE } else { CHECKPOINT_BUSY };
        if self.wal_bytes < limit {
            return;
        }
        let Some(db) = &self.db else { return };
        match checkpoint(db, "passive") {
            Ok(_) => self.wal_bytes = 0,
            Err(error) => {
                tracing::warn!(%error, "the journal could not be checkpointed");
                if is_disk_error(&error) {
                    self.db = None;
                    self.shared.figures.writable.store(false, Ordering::Release);
                }
            }
        }
    }

    /// The last words: what is still open ends as 9/0.
    fn end(mut self, answer: Reply<()>) {
        let outcome = if self.kept.is_empty() { self.write_end() } else { Err(StoreError::Unwritable) };
        // Closed before anybody hears so.
        drop(self);
        let _ = answer.send(outcome);
    }

    fn write_end(&mut self) -> Result<(), StoreError> {
        let path = layout::journal_file(&self.shared.config.dir);
        self.ready()?;
        let now = self.shared.clock.now();
        let folds = self.shared.refusals().finish();
        let counters = self.live.iter().map(|(id, live)| (*id, Arc::clone(&live.counters))).collect();
        let (Some(db), Some(run)) = (&mut self.db, self.run) else { return Err(StoreError::Unwritable) };
        let write = |db: &mut Connection| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            folds.iter().try_for_each(|update| batch::update_fold(&tx, update))?;
            let left = LeftOpen::ByThisRun(run, now);
            let config = &self.shared.config;
            let mut outbox = Sender::new(&tx, &config.outbox, &config.node_label, now)?;
            let (closed, records) = run::close_left_open(&mut outbox, left, &counters, &*self.shared.clock)?;
            run::heartbeat(&tx, run, now, Some(self.stopping_at.unwrap_or(now)), true)?;
            tx.commit()?;
            checkpoint(db, "truncate")?;
            Ok((closed, records))
        };
        let (closed, records) = write(db).map_err(StoreError::db(path))?;
        if closed.stopped > 0 {
            tracing::info!(pushes = closed.stopped, "pushes that were still live were closed as 9/0");
        }
        records.into_iter().for_each(|record| self.recorded(record, 0));
        Ok(())
    }
}

impl Drop for Writer {
    /// However the thread ends, nobody may go on waiting for it, and no push may be let in.
    fn drop(&mut self) {
        self.shared.figures.writable.store(false, Ordering::Release);
        self.shared.queue.close();
        drop(self.shared.queue.take(usize::MAX, Duration::ZERO));
        self.shared.filing.close();
        self.shared.shipping.close();
        self.db = None;
        if std::thread::panicking() {
            tracing::error!(
                "the journal's writer has failed: no push is admitted until the program is started again"
            );
        }
    }
}

/// Spreads the pushes over the heartbeats, so that their counters are not all written in one batch.
fn in_round(id: PushId, beat: u64) -> bool {
    let last = id.as_bytes().last().copied().unwrap_or_default();
    u64::from(last) % COUNTER_ROUNDS == beat % COUNTER_ROUNDS
}
