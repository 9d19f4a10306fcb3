//! The thread that writes the history, and lets go of what is old.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, RecvTimeoutError};
use std::time::{Duration, Instant};

use rusqlite::{Connection, TransactionBehavior};

use super::fetch::EarlierRun;
use super::{Entry, delivery, event, fetch};
use crate::error::StoreError;
use crate::journal::Shared;
use crate::layout;
use crate::limits::{HISTORY_BATCH, HISTORY_SWEEP, MAX_DELIVERIES, MAX_EVENTS, MAX_FETCHES};
use crate::schema::{HISTORY, JOURNAL};

/// How long the keeper rests after an error.
const REST: Duration = Duration::from_secs(5);
/// Rows let go of at once, so that nobody waits long for the file.
const SWEEP_ROWS: i64 = 5_000;

pub(crate) struct Keeper {
    shared: Arc<Shared>,
    db: Option<Connection>,
    rests_until: Option<Instant>,
    next_sweep: Instant,
}

impl Keeper {
    pub fn new(shared: Arc<Shared>) -> Self {
        let next_sweep = shared.clock.instant();
        Self { shared, db: None, rests_until: None, next_sweep }
    }

    /// Brings a history that an earlier run left up to date, so that it can be read from now on, and gives the fetches
    /// that were under way their ends. The journal has this run's row by now.
    pub fn take_over(&mut self) {
        let dir = &self.shared.config.dir;
        if !layout::history_file(dir).exists() {
            return;
        }
        let path = layout::journal_file(dir);
        let run =
            JOURNAL.open_read_only(&path).and_then(|db| EarlierRun::read(&db).map_err(StoreError::db(path)));
        let run = run.unwrap_or_else(|error| {
            tracing::warn!(%error, "when the run before this one ended cannot be read");
            EarlierRun::default()
        });
        let now = self.shared.clock.now();
        let outcome = self.with(|db| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            let closed = fetch::close_left(&tx, &run, now)?;
            tx.commit()?;
            if closed > 0 {
                tracing::info!(
                    closed,
                    "streams of other nodes were being fetched when the run before this one ended"
                );
            }
            Ok(())
        });
        if let Err(error) = outcome {
            tracing::warn!(%error, "the history cannot be written");
            self.db = None;
        }
    }

    /// Works until the store shuts down.
    pub fn run(mut self, entries: Receiver<Entry>) {
        loop {
            let mut batch = Vec::new();
            let mut stops = false;
            match entries.recv_timeout(Duration::from_secs(10)) {
                Ok(Entry::Stop) | Err(RecvTimeoutError::Disconnected) => stops = true,
                Ok(entry) => batch.push(entry),
                Err(RecvTimeoutError::Timeout) => {}
            }
            while batch.len() < HISTORY_BATCH
                && let Ok(entry) = entries.try_recv()
            {
                match entry {
                    Entry::Stop => stops = true,
                    entry => batch.push(entry),
                }
            }
            self.keep(&batch);
            if stops {
                return;
            }
            self.sweep();
        }
    }

    fn keep(&mut self, batch: &[Entry]) {
        if batch.is_empty() {
            return;
        }
        if self.rests_until.is_some_and(|until| self.shared.clock.instant() < until) {
            self.shared.history.leave_out(batch.len() as u64);
            return;
        }
        let outcome = self.with(|db| {
            let tx = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
            for entry in batch {
                match entry {
                    Entry::Delivery(entry) => delivery::insert(&tx, entry)?,
                    Entry::Events(report) => event::insert(&tx, report)?,
                    Entry::FetchBegins(record) => fetch::begin(&tx, record)?,
                    Entry::FetchEnded(record) => fetch::end(&tx, record)?,
                    Entry::Stop => {}
                }
            }
            tx.commit()
        });
        if let Err(error) = outcome {
            tracing::warn!(%error, entries = batch.len(), "the history could not be written; its entries are left out");
            self.shared.history.leave_out(batch.len() as u64);
            self.db = None;
            self.rests_until = Some(self.shared.clock.instant() + REST);
        }
    }

    /// Once a minute, lets go of what is too old or too much.
    fn sweep(&mut self) {
        let now = self.shared.clock.instant();
        if now < self.next_sweep || self.rests_until.is_some_and(|until| now < until) {
            return;
        }
        self.next_sweep = now + HISTORY_SWEEP;
        let before = self.shared.clock.now().minus(self.shared.config.keep_history).millis();
        let outcome = self.with(|db| {
            let tables = [
                ("delivery", "id", "sent_at", MAX_DELIVERIES),
                ("event", "id", "at", MAX_EVENTS),
                ("fetch", "number", "ended_at", MAX_FETCHES),
            ];
            for (table, id, time, rows) in tables {
                db.execute(
                    &format!(
                        "delete from {table} where {id} in (select {id} from {table} where {time} < ?1 \
                         and {id} < (select max({id}) from {table}) order by {time} limit {SWEEP_ROWS})"
                    ),
                    [before],
                )?;
                db.execute(
                    &format!("delete from {table} where {id} <= (select max({id}) from {table}) - ?1"),
                    [rows],
                )?;
            }
            Ok(())
        });
        if let Err(error) = outcome {
            tracing::warn!(%error, "old entries of the history could not be deleted");
            self.db = None;
        }
    }

    fn with(&mut self, work: impl FnOnce(&mut Connection) -> rusqlite::Result<()>) -> Result<(), StoreError> {
        let path = layout::history_file(&self.shared.config.dir);
        let db = match &mut self.db {
            Some(db) => db,
            none => {
                let db = HISTORY.open(&path)?;
                // Nothing depends on it: what a power cut takes was only news.
                db.pragma_update(None, "synchronous", "normal").map_err(StoreError::db(&path))?;
                none.insert(db)
            }
        };
        work(db).map_err(StoreError::db(path))
    }
}
