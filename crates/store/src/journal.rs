//! The journal as the live path sees it: a push is opened before it goes live, and closed with its end.
//!
//! | module | holds |
//! |---|---|
//! | [`queue`] | what waits for the writer |
//! | [`refusals`] | refused and pre-publish ends, folded |
//! | [`writer`] | the thread that commits |
//! | [`batch`] | what each operation writes |
//! | [`import`] | pushes that run elsewhere |
//! | [`disk`] | checkpoints, and whether the disk is full |
//! | [`shipping`] | what the database of all nodes does not have yet |
//! | [`run`] | this run's row, and what earlier runs left open |
//! | [`reserve`] | room kept back for a full disk |

pub(crate) mod batch;
mod disk;
mod import;
pub(crate) mod queue;
pub(crate) mod refusals;
pub(crate) mod reserve;
pub(crate) mod run;
pub(crate) mod shipping;
pub(crate) mod writer;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use cause::{Detail, DetailKey};
use model::{Clock, FetchRecord, Record};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore, TryAcquireError, broadcast, oneshot};

use crate::config::StoreConfig;
use crate::error::{JournalError, StoreError};
use crate::filing::Bell;
use crate::filing::changes::Changes;
use crate::history::{Entry, HistoryQueue};
use crate::layout::storable;
use crate::limits::{
    MAX_EVIDENCE, MAX_PUSHES, MAX_WAITING_EVIDENCE, MAX_WAITING_REFUSALS, MAX_WAITING_REPORTS, REFUSE_WAIT,
    TAIL,
};
use crate::outbox::{Earlier, PushReport};
use crate::remote::{ShippingFigures, ShippingStats};
use crate::row::{EndRow, Inherited, OpenRow, OwnEnd, PushCounters, own_record};
use crate::stats::{Figures, JournalStats, add};
use uuid::Uuid;

pub use import::Import;
use queue::{Op, Queue};
use refusals::{Offer, Pressure, Refusals};

/// What the handles and the threads of one store share.
pub(crate) struct Shared {
    pub config: StoreConfig,
    pub clock: Arc<dyn Clock>,
    pub queue: Queue,
    /// Wakes the filer.
    pub filing: Bell,
    /// What the filer has changed.
    pub changes: Arc<Changes>,
    /// Wakes the shipper.
    pub shipping: Bell,
    /// How far the shipper has got.
    pub shipped: ShippingFigures,
    pub figures: Figures,
    pub tail: broadcast::Sender<Arc<Record>>,
    /// Bytes of evidence between `close` and commit.
    pub waiting_evidence: AtomicUsize,
    /// Reports of live pushes that wait for the writer.
    pub waiting_reports: AtomicUsize,
    /// Told when events were put into the outbox.
    pub outbox_arrived: Notify,
    /// What earlier runs left in the outbox.
    pub earlier: Earlier,
    pub history: HistoryQueue,
    places: Arc<Semaphore>,
    refusal_places: Arc<Semaphore>,
    refusals: Mutex<Refusals>,
}

impl Shared {
    pub fn new(config: StoreConfig, clock: Arc<dyn Clock>) -> Self {
        let refusals = Refusals::new(config.fold, config.ignore.clone());
        Self {
            config,
            clock,
            queue: Queue::default(),
            filing: Bell::default(),
            changes: Arc::default(),
            shipping: Bell::default(),
            shipped: ShippingFigures::default(),
            figures: Figures::default(),
            tail: broadcast::Sender::new(TAIL),
            waiting_evidence: AtomicUsize::new(0),
            waiting_reports: AtomicUsize::new(0),
            outbox_arrived: Notify::new(),
            earlier: Earlier::default(),
            history: HistoryQueue::default(),
            places: Arc::new(Semaphore::new(MAX_PUSHES)),
            refusal_places: Arc::new(Semaphore::new(MAX_WAITING_REFUSALS)),
            refusals: Mutex::new(refusals),
        }
    }

    pub fn refusals(&self) -> MutexGuard<'_, Refusals> {
        self.refusals.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn writable(&self) -> bool {
        self.figures.writable.load(Ordering::Acquire)
    }

    /// Why the last write failed.
    pub fn unwritable(&self) -> JournalError {
        if self.figures.disk_full.load(Ordering::Acquire) {
            JournalError::DiskFull
        } else {
            JournalError::Unwritable
        }
    }

    /// Brings an end into storable form, and takes its evidence away when more waits than memory should hold.
    fn admit(&self, mut end: EndRow) -> EndRow {
        end.record.ended_at = storable(end.record.ended_at);
        let size = end.evidence.len();
        let waiting = self.waiting_evidence.fetch_add(size, Ordering::Relaxed);
        if size > MAX_EVIDENCE || waiting.saturating_add(size) > MAX_WAITING_EVIDENCE {
            self.waiting_evidence.fetch_sub(size, Ordering::Relaxed);
            end.evidence = Vec::new();
            add(&self.figures.evidence_thinned, 1);
        }
        end
    }

    /// The end is written, or folded away: its evidence waits no longer.
    pub fn release(&self, evidence: usize) {
        self.waiting_evidence.fetch_sub(evidence, Ordering::Relaxed);
    }

    fn count_folded(&self, end: &EndRow) {
        self.release(end.evidence.len());
        add(&self.figures.folded, 1);
    }

    /// Offers an end to the folds, which count it or put it among those that wait. Gives it back when it is a new one
    /// that needs a place first; under pressure none is needed.
    fn offer(&self, end: EndRow, place: Option<OwnedSemaphorePermit>, pressure: Pressure) -> Option<EndRow> {
        let pressure = if self.writable() { pressure } else { Pressure::Unwritable };
        let offer = self.refusals().offer(end, self.clock.instant(), place, pressure);
        match offer {
            Offer::Waits => self.queue.nudge(),
            Offer::Folded(end) => self.count_folded(&end),
            Offer::Ignored(end) => {
                self.release(end.evidence.len());
                add(&self.figures.ignored, 1);
            }
            Offer::NeedsPlace(end) => return Some(end),
        }
        None
    }
}

/// The journal. Cheap to clone.
#[derive(Clone)]
pub struct Journal {
    shared: Arc<Shared>,
}

impl Journal {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared }
    }

    /// Whether pushes can be recorded now, without asking for anything.
    ///
    /// # Errors
    /// Why they cannot.
    pub fn ready(&self) -> Result<(), JournalError> {
        if self.shared.writable() { Ok(()) } else { Err(self.shared.unwritable()) }
    }

    /// Asks for the open row of a push that is about to go live, and reserves the place for its end. The push may be
    /// told that it is live once [`OpenPush::durable`] has resolved.
    ///
    /// # Errors
    /// [`JournalError`]: the push may not go live (18/103).
    pub fn open(&self, row: OpenRow) -> Result<OpenPush, JournalError> {
        self.ready()?;
        let place = Arc::clone(&self.shared.places).try_acquire_owned().map_err(|error| match error {
            TryAcquireError::NoPermits => JournalError::Full,
            TryAcquireError::Closed => JournalError::Closed,
        })?;
        let counters = Arc::new(PushCounters::default());
        let (answer, durable) = oneshot::channel();
        let row = Arc::new(row);
        let op = Op::Open { row: Arc::clone(&row), counters: Arc::clone(&counters), answer };
        if !self.shared.queue.push(op) {
            return Err(JournalError::Closed);
        }
        let held = Held { row, place };
        Ok(OpenPush {
            shared: Arc::clone(&self.shared),
            held: Some(held),
            counters,
            durable: Durable::Awaited(durable),
        })
    }

    /// Records an end that was refused, or came before publish. Folds it with equal ones; waits for a place in the
    /// queue for two seconds at most (after that it folds more coarsely); never fails.
    pub async fn refuse(&self, end: EndRow) {
        let Some(end) = self.shared.offer(self.shared.admit(end), None, Pressure::None) else { return };
        let place = Arc::clone(&self.shared.refusal_places).acquire_owned();
        let place = tokio::time::timeout(REFUSE_WAIT, place).await.ok().and_then(Result::ok);
        // With a place, or under pressure, an offer is always taken.
        let _ = self.shared.offer(end, place, Pressure::NoPlace);
    }

    /// Whether pushes can be recorded: false from a failed batch until one has succeeded (and, after a full disk,
    /// until there is room for the reserve again). Admission answers 18/103 meanwhile.
    pub fn writable(&self) -> bool {
        self.shared.writable()
    }

    /// What the journal counts about itself.
    pub fn stats(&self) -> JournalStats {
        let figures = &self.shared.figures;
        let read = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
        JournalStats {
            queue: self.shared.queue.len(),
            waiting_refusals: self.shared.refusals().waiting(),
            open: MAX_PUSHES.saturating_sub(self.shared.places.available_permits()),
            writable: self.shared.writable(),
            commits: read(&figures.commits),
            failed_batches: read(&figures.failed_batches),
            commit_latency: figures.commit_latency.read(),
            records: figures.records().clone(),
            folded: read(&figures.folded),
            ignored: read(&figures.ignored),
            evidence_thinned: read(&figures.evidence_thinned),
            unstorable: read(&figures.unstorable),
            filed: read(&figures.filed),
            history_left_out: self.shared.history.left_out() + read(&figures.reports_left_out),
        }
    }

    /// The id of this node.
    pub fn node(&self) -> Uuid {
        self.shared.config.node_id
    }

    /// How far records have been shipped to the database of all nodes; `None` where there is none.
    pub fn shipping(&self) -> Option<ShippingStats> {
        self.shared.config.remote.as_ref().map(|_| self.shared.shipped.lock().clone())
    }

    /// Takes over what is told of a push that runs elsewhere; durable when it resolves.
    ///
    /// # Errors
    /// [`StoreError`] when the disk does not take it: whoever told it has to tell it again.
    pub async fn import(&self, import: Import) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        if !self.shared.queue.push(Op::Import { import, answer }) {
            return Err(StoreError::Closed);
        }
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Tells the ends of another node's pushes in its place, and their beginnings where those are owed, to whom rules name:
    /// that node is lost. The deliveries have the ids that they would have there. Durable when it resolves.
    ///
    /// # Errors
    /// [`StoreError`] when the disk does not take it.
    pub async fn inherit(&self, pushes: Vec<Inherited>) -> Result<(), StoreError> {
        let (answer, answered) = oneshot::channel();
        if !self.shared.queue.push(Op::Inherit { pushes, answer }) {
            return Err(StoreError::Closed);
        }
        answered.await.map_err(|_| StoreError::Closed)?
    }

    /// Reports what was noticed of a live push within an interval: it is kept in the history, and told to whom a rule
    /// names. Never waits; when too much waits it is left out, and counted.
    pub fn report(&self, report: PushReport) {
        let waiting = &self.shared.waiting_reports;
        if waiting.fetch_add(1, Ordering::Relaxed) >= MAX_WAITING_REPORTS {
            waiting.fetch_sub(1, Ordering::Relaxed);
            add(&self.shared.figures.reports_left_out, 1);
        } else if !self.shared.queue.push(Op::Report { report: Box::new(report) }) {
            waiting.fetch_sub(1, Ordering::Relaxed);
        }
    }

    /// Notes in the history that a stream of another node is fetched; `fetch` is what is to stand of it should this node
    /// die meanwhile. Never waits; when too much waits it is left out, and counted.
    pub fn fetch_begins(&self, fetch: FetchRecord) {
        self.shared.history.keep(Entry::FetchBegins(Box::new(fetch)));
    }

    /// Keeps in the history how a fetch ended. Never waits; when too much waits it is left out, and counted.
    pub fn fetch_ended(&self, fetch: FetchRecord) {
        self.shared.history.keep(Entry::FetchEnded(Box::new(fetch)));
    }

    /// Each record from now on, once it is durable. A subscriber that falls more than 1024 behind misses some and is
    /// told how many.
    pub fn subscribe(&self) -> broadcast::Receiver<Arc<Record>> {
        self.shared.tail.subscribe()
    }
}

struct Held {
    row: Arc<OpenRow>,
    place: OwnedSemaphorePermit,
}

enum Durable {
    Awaited(oneshot::Receiver<Result<(), JournalError>>),
    Known(Result<(), JournalError>),
}

/// A push that stands open in the journal, and the reserved place for its end. Dropped unclosed it ends as 5/0.
#[must_use = "a push that is not closed ends as 5/0"]
pub struct OpenPush {
    shared: Arc<Shared>,
    held: Option<Held>,
    counters: Arc<PushCounters>,
    durable: Durable,
}

impl OpenPush {
    /// Resolves once the open row is on the disk.
    ///
    /// # Errors
    /// [`JournalError`] when it could not be written, or not within `limit`: the caller refuses the push with 18/103
    /// and calls [`OpenPush::abandon`].
    pub async fn durable(&mut self, limit: Duration) -> Result<(), JournalError> {
        let outcome = match &mut self.durable {
            Durable::Known(outcome) => return *outcome,
            Durable::Awaited(answer) => match tokio::time::timeout(limit, answer).await {
                Ok(Ok(outcome)) => outcome,
                Ok(Err(_)) => Err(JournalError::Closed),
                Err(_) => return Err(JournalError::Timeout),
            },
        };
        self.durable = Durable::Known(outcome);
        outcome
    }

    /// The counters that the journal's writer reads while the push is live.
    pub fn counters(&self) -> &Arc<PushCounters> {
        &self.counters
    }

    /// Ends the push. Never waits, never fails. The record's id is the push's, whatever `end` says.
    pub fn close(mut self, mut end: EndRow) {
        if let Some(Held { row, place }) = self.held.take() {
            end.record.id = row.id;
            end.record.sequence = row.id.sequence();
            self.submit(end, place);
        }
    }

    /// Ends a push that was refused after all: it never was live, and its end is that of a refusal (and folds).
    pub fn abandon(mut self, mut end: EndRow) {
        if let Some(Held { row, place }) = self.held.take() {
            end.record.id = row.id;
            end.record.sequence = row.id.sequence();
            // The end first: whatever commits the removal of the open row then finds it waiting.
            let record = Box::new(end.record.clone());
            let _ = self.shared.offer(self.shared.admit(end), None, Pressure::NoPlace);
            self.shared.queue.push(Op::Forget { record, place });
        }
    }

    fn submit(&self, end: EndRow, place: OwnedSemaphorePermit) {
        let end = Box::new(self.shared.admit(end));
        let (id, code) = (end.record.id, end.record.code());
        if !self.shared.queue.push(Op::Close { end, place }) {
            tracing::info!(%id, %code, "a push ended after the journal was closed; it was recorded as 9/0");
        }
    }
}

impl Drop for OpenPush {
    fn drop(&mut self) {
        let Some(Held { row, place }) = self.held.take() else { return };
        tracing::error!(id = %row.id, "a push was dropped without an end: recorded as 5/0");
        let now = self.shared.clock.now();
        let node = &self.shared.config.node_label;
        let mut record = own_record(&row, node, OwnEnd::TaskFailed, now, self.counters.read());
        record.detail = Some(Detail::new(DetailKey::DroppedUnclosed).into());
        self.submit(EndRow { record, evidence: Vec::new(), verdict_version: 0 }, place);
    }
}
