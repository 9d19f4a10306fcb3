//! What was told to others, what happened to pushes while they were live, and which streams of other nodes were fetched:
//! kept for some days, in a file of its own, by a thread of its own. Nothing depends on it, so a disk that does not take it holds up nobody.
//!
//! | module | holds |
//! |---|---|
//! | [`delivery`] | tries to deliver events |
//! | [`event`] | abnormalities of live pushes |
//! | [`fetch`] | streams of other nodes that were fetched |
//! | [`keeper`] | the thread that writes |

mod delivery;
mod event;
pub(crate) mod fetch;
pub(crate) mod keeper;

use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, TrySendError, sync_channel};
use std::sync::{Mutex, PoisonError};

use model::FetchRecord;
use rusqlite::Connection;
use uuid::Uuid;

use crate::error::StoreError;
use crate::layout;
use crate::limits::{MAX_PAGE, MAX_WAITING_HISTORY};
use crate::outbox::PushReport;
use crate::remote::Database;
use crate::schema::HISTORY;
pub use delivery::{DeliveryEntry, DeliveryQuery, DeliveryRow};
pub use event::{EventQuery, EventRow, StreamEvents};
pub use fetch::{FetchCursor, FetchCursorError, FetchQuery, Fetches};

/// One thing to be kept.
pub(crate) enum Entry {
    Delivery(Box<DeliveryEntry>),
    Events(Box<PushReport>),
    FetchBegins(Box<FetchRecord>),
    FetchEnded(Box<FetchRecord>),
    /// The store shuts down.
    Stop,
}

impl From<DeliveryEntry> for Entry {
    fn from(entry: DeliveryEntry) -> Self {
        Self::Delivery(Box::new(entry))
    }
}

impl From<Box<PushReport>> for Entry {
    fn from(report: Box<PushReport>) -> Self {
        Self::Events(report)
    }
}

/// What waits to be kept. Bounded: what finds no place is left out and counted.
pub(crate) struct HistoryQueue {
    sender: SyncSender<Entry>,
    receiver: Mutex<Option<Receiver<Entry>>>,
    left_out: AtomicU64,
}

impl Default for HistoryQueue {
    fn default() -> Self {
        let (sender, receiver) = sync_channel(MAX_WAITING_HISTORY);
        Self { sender, receiver: Mutex::new(Some(receiver)), left_out: AtomicU64::new(0) }
    }
}

impl HistoryQueue {
    /// Keeps an entry, or leaves it out. Never waits.
    pub fn keep(&self, entry: Entry) {
        if let Err(TrySendError::Full(_)) = self.sender.try_send(entry) {
            self.leave_out(1);
        }
    }

    pub fn leave_out(&self, count: u64) {
        self.left_out.fetch_add(count, Ordering::Relaxed);
    }

    pub fn left_out(&self) -> u64 {
        self.left_out.load(Ordering::Relaxed)
    }

    /// The keeper's end, once.
    pub fn receiver(&self) -> Option<Receiver<Entry>> {
        self.receiver.lock().unwrap_or_else(PoisonError::into_inner).take()
    }

    /// Tells the keeper to write what it has and end.
    pub fn stop(&self) {
        // Waits for a place; the keeper makes one, or is gone.
        let _ = self.sender.send(Entry::Stop);
    }
}

/// Reads the history. Cheap to clone; all calls block.
#[derive(Clone)]
pub struct History {
    dir: PathBuf,
    /// The events of all nodes.
    everywhere: Option<Database>,
}

impl History {
    pub(crate) fn new(dir: PathBuf, everywhere: Option<Database>) -> Self {
        Self { dir, everywhere }
    }

    /// Tries to deliver events, newest first.
    ///
    /// # Errors
    /// [`StoreError`] when the history cannot be read.
    pub fn deliveries(&self, query: &DeliveryQuery) -> Result<Vec<DeliveryRow>, StoreError> {
        self.read(|db| delivery::find(db, query))
    }

    /// How many tries a query would find without its bounds on the page; counts no further than `at_most`.
    ///
    /// # Errors
    /// [`StoreError`] when the history cannot be read.
    pub fn count_deliveries(&self, query: &DeliveryQuery, at_most: u64) -> Result<u64, StoreError> {
        self.read(|db| delivery::count(db, query, at_most))
    }

    /// Abnormalities of live pushes, newest first. Where there is a database of all nodes they are those of all nodes, as
    /// far as they are shipped; this node's alone while it does not answer.
    ///
    /// # Errors
    /// [`StoreError`] when the history cannot be read.
    pub fn events(&self, query: &EventQuery) -> Result<Vec<EventRow>, StoreError> {
        if let Some(Ok(events)) = self.everywhere.as_ref().map(|everywhere| everywhere.events(query)) {
            return Ok(events);
        }
        self.read(|db| event::find(db, query))
    }

    /// The streams with the most abnormalities, most first; `below` of the query is not heeded.
    ///
    /// # Errors
    /// [`StoreError`] when the history cannot be read.
    pub fn event_streams(&self, query: &EventQuery) -> Result<Vec<StreamEvents>, StoreError> {
        let query = EventQuery { below: None, ..query.clone() };
        if let Some(Ok(streams)) = self.everywhere.as_ref().map(|everywhere| everywhere.event_streams(&query))
        {
            return Ok(streams);
        }
        self.read(|db| event::streams(db, &query))
    }

    /// How fetches ended, newest first: those of all nodes where there is a database of all nodes, with those of this node
    /// that are not shipped yet; this node's alone while it does not answer.
    ///
    /// # Errors
    /// [`StoreError`] when the history cannot be read.
    pub fn fetches(&self, query: &FetchQuery) -> Result<Fetches, StoreError> {
        let mut fetches = self.read(|db| fetch::find(db, query))?;
        let theirs = self.everywhere.as_ref().map(|everywhere| everywhere.fetches(query));
        let here_only = matches!(theirs, Some(Err(_)));
        if let Some(Ok(theirs)) = theirs {
            // The first of each, so the first of both together are among them.
            fetches.extend(theirs);
            fetches.sort_by_key(|fetch| std::cmp::Reverse(FetchCursor::of(fetch)));
            fetches.dedup_by_key(|fetch| fetch.id);
            fetches.truncate(query.limit.min(MAX_PAGE));
        }
        Ok(Fetches { fetches, here_only })
    }

    /// One fetch that has ended, of this node or, where there is a database of all nodes, of another one.
    ///
    /// # Errors
    /// [`StoreError`] when the history cannot be read, or this node does not know it and the database does not answer.
    pub fn fetch(&self, id: Uuid) -> Result<Option<FetchRecord>, StoreError> {
        match (self.read(|db| fetch::one(db, id))?, &self.everywhere) {
            (None, Some(everywhere)) => Ok(everywhere.fetch(id)?),
            (found, _) => Ok(found),
        }
    }

    /// The number of this node's newest fetch; 0 when there is none.
    #[cfg(feature = "postgres")]
    pub(crate) fn newest_fetch(&self) -> Result<u64, StoreError> {
        self.read(fetch::newest)
    }

    /// This node's fetches with higher numbers, lowest first, each with its number.
    #[cfg(feature = "postgres")]
    pub(crate) fn fetches_after(
        &self,
        number: u64,
        limit: usize,
    ) -> Result<Vec<(u64, FetchRecord)>, StoreError> {
        self.read(|db| fetch::after(db, number, limit))
    }

    /// The number of this node's newest event; 0 when there is none.
    #[cfg(feature = "postgres")]
    pub(crate) fn newest_event(&self) -> Result<u64, StoreError> {
        self.read(event::newest)
    }

    /// This node's events with higher numbers, lowest first.
    #[cfg(feature = "postgres")]
    pub(crate) fn events_after(&self, number: u64, limit: usize) -> Result<Vec<EventRow>, StoreError> {
        self.read(|db| event::after(db, number, limit))
    }

    fn read<T: Default>(
        &self,
        work: impl FnOnce(&Connection) -> rusqlite::Result<T>,
    ) -> Result<T, StoreError> {
        let path = layout::history_file(&self.dir);
        // Nothing has been kept yet.
        if !path.exists() {
            return Ok(T::default());
        }
        match HISTORY.open_read_only(&path) {
            Err(StoreError::OlderSchema { found: 0, .. }) => Ok(T::default()),
            db => work(&db?).map_err(StoreError::db(path)),
        }
    }
}
