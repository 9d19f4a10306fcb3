//! From the journal into the record files of their days, and out of the house when they are old.
//!
//! Filing copies first and deletes second. The key in the record file follows from the record, so that what a crash
//! leaves in both is copied once more without effect. It rests while the journal cannot be written, since the room that
//! is left then belongs to the journal.

pub(crate) mod changes;
mod day_file;
mod import;
mod retention;

use std::collections::BTreeMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError, mpsc};
use std::time::Duration;

use rusqlite::{Connection, params};

use crate::columns::{self, ENDED_COLUMNS, Stored};
use crate::error::StoreError;
use crate::journal::Shared;
use crate::journal::queue::Op;
use crate::layout::{self, Day};
use crate::limits::{FILE_EVERY, FILE_ROWS, HEARTBEAT, MAX_OPEN_DAYS};
use crate::schema::JOURNAL;
pub(crate) use day_file::DayFile;
pub(crate) use day_file::first_row;
pub use import::import;
use retention::Retention;

/// How long filing rests after an error.
const REST: Duration = Duration::from_secs(5);

#[derive(Default)]
struct Rung {
    nudged: bool,
    closed: bool,
}

/// Wakes the filing thread, and ends it.
#[derive(Default)]
pub(crate) struct Bell {
    state: Mutex<Rung>,
    wake: Condvar,
}

impl Bell {
    pub fn nudge(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).nudged = true;
        self.wake.notify_one();
    }

    pub fn close(&self) {
        self.state.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
        self.wake.notify_one();
    }

    /// Sleeps until closed, until `limit` has passed, or, where that wakes, until nudged; false when closed.
    pub fn sleep(&self, limit: Duration, nudges_wake: bool) -> bool {
        let guard = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let woken = |state: &Rung| state.closed || (nudges_wake && state.nudged);
        let (mut state, _) = self
            .wake
            .wait_timeout_while(guard, limit, |state| !woken(state))
            .unwrap_or_else(PoisonError::into_inner);
        state.nudged = false;
        !state.closed
    }
}

/// The filing thread.
pub(crate) struct Filer {
    shared: Arc<Shared>,
    journal: Option<Connection>,
    days: BTreeMap<Day, DayFile>,
    retention: Retention,
}

impl Filer {
    pub fn new(shared: Arc<Shared>) -> Self {
        let retention = Retention::new(&shared.config, &*shared.clock);
        Self { shared, journal: None, days: BTreeMap::new(), retention }
    }

    /// Works until the store shuts down.
    pub fn run(mut self) {
        let bell = Arc::clone(&self.shared);
        let mut more = true;
        loop {
            let awake = if more {
                bell.filing.sleep(FILE_EVERY, false)
            } else {
                bell.filing.sleep(HEARTBEAT * 10, true) && bell.filing.sleep(FILE_EVERY, false)
            };
            if !awake {
                break;
            }
            if self.shared.writable() {
                match self.file_all() {
                    Ok(waits) => more = waits,
                    Err(StoreError::Closed) => break,
                    Err(error) => {
                        tracing::warn!(%error, "records could not be filed; they stay in the journal meanwhile");
                        self.journal = None;
                        self.days.clear();
                        more = true;
                        if !bell.filing.sleep(REST, false) {
                            break;
                        }
                    }
                }
            }
            let Self { shared, journal, days, retention } = &mut self;
            let mut gone = false;
            retention.run(&shared.config, &*shared.clock, |day| {
                let goes = match journal {
                    Some(journal) => !is_unshipped(journal, day).unwrap_or(true),
                    None => shared.config.remote.is_none(),
                };
                if goes {
                    days.remove(&day);
                    shared.changes.anything(day);
                    gone = true;
                }
                goes
            });
            if gone {
                shared.changes.of_files();
            }
        }
    }

    /// Files what there is; true if it may be worth coming back soon.
    fn file_all(&mut self) -> Result<bool, StoreError> {
        let mut filed = false;
        loop {
            let rows = self.next_rows()?;
            if rows.is_empty() {
                return Ok(filed);
            }
            filed = true;
            let full = rows.len() >= FILE_ROWS;
            self.file(rows)?;
            if !full {
                return Ok(true);
            }
        }
    }

    fn next_rows(&mut self) -> Result<Vec<(i64, Stored)>, StoreError> {
        let path = layout::journal_file(&self.shared.config.dir);
        let db = match &mut self.journal {
            Some(db) => db,
            none => none.insert(JOURNAL.open_read_only(&path)?),
        };
        let sql = format!(
            "select {ENDED_COLUMNS}, seq from ended where folding = 0 order by seq limit {FILE_ROWS}"
        );
        let read = |db: &Connection| -> rusqlite::Result<Vec<(i64, Stored)>> {
            let mut select = db.prepare_cached(&sql)?;
            let mut rows = select.query([])?;
            let mut found = Vec::new();
            while let Some(row) = rows.next()? {
                let seq: i64 = row.get(columns::ENDED_COUNT)?;
                match columns::read(row) {
                    Ok(stored) => found.push((seq, stored)),
                    // It stays where it is, and `check` names it.
                    Err(error) => tracing::error!(seq, %error, "an end in the journal cannot be read"),
                }
            }
            Ok(found)
        };
        read(db).map_err(StoreError::db(path))
    }

    fn file(&mut self, rows: Vec<(i64, Stored)>) -> Result<(), StoreError> {
        let mut seqs = Vec::with_capacity(rows.len());
        let mut by_day: BTreeMap<Day, Vec<Stored>> = BTreeMap::new();
        for (seq, stored) in rows {
            seqs.push(seq);
            by_day.entry(Day::of(stored.record.ended_at)).or_default().push(stored);
        }
        for (day, rows) in by_day {
            let outcome = self.day(day)?.insert(&rows);
            match outcome {
                Ok(None) => {}
                Ok(Some((lowest, highest))) => self.shared.changes.added(day, lowest, highest),
                // Whether it was committed is not known.
                Err(_) => self.shared.changes.anything(day),
            }
            outcome?;
        }
        while self.days.len() > MAX_OPEN_DAYS {
            self.days.pop_first();
        }
        let (done, answered) = mpsc::sync_channel(1);
        if !self.shared.queue.push(Op::Filed { seqs, done }) {
            return Err(StoreError::Closed);
        }
        answered.recv().map_err(|_| StoreError::Closed)?
    }

    fn day(&mut self, day: Day) -> Result<&mut DayFile, StoreError> {
        use std::collections::btree_map::Entry;
        match self.days.entry(day) {
            Entry::Occupied(entry) => Ok(entry.into_mut()),
            Entry::Vacant(entry) => {
                let file = DayFile::open(&self.shared.config.dir, day)?;
                self.shared.changes.of_files();
                Ok(entry.insert(file))
            }
        }
    }
}

/// Whether the database of all nodes does not have all records of the day yet.
fn is_unshipped(journal: &Connection, day: Day) -> rusqlite::Result<bool> {
    journal
        .prepare_cached(
            "select exists (select 1 from unshipped where ended_at >= ?1 and ended_at < ?2) or exists \
             (select 1 from backfill where day = ?3)",
        )?
        .query_row(params![day.start().millis(), day.end().millis(), day.number()], |row| row.get(0))
}
