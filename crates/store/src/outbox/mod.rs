//! Events that are to be told to others: put into the journal in the transaction that opens or closes a push, and gone
//! in the one that knows the outcome.
//!
//! | module | holds |
//! |---|---|
//! | [`earlier`] | what earlier runs left, and another node may have told meanwhile |
//! | [`notice`] | what an event tells |
//! | [`write`] | the writer's side: rows come and go |
//! | [`read`] | the deliverer's side: which rows are due |

mod earlier;
mod notice;
mod read;
pub(crate) mod write;

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use model::catalog::TemplateId;
use model::{PushId, Timestamp};
use rusqlite::Connection;
use tokio::sync::{Notify, oneshot};

use crate::error::StoreError;
use crate::history::DeliveryEntry;
use crate::journal::Shared;
use crate::journal::queue::Op;
use crate::layout;
use crate::schema::JOURNAL;
pub(crate) use earlier::Earlier;
pub use notice::{Notice, Occurrence, PushReport, ReportedEvent, Seen, Told};
pub use read::Waiting;

/// What is put into the outbox.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct OutboxConfig {
    /// Whether the end of a push that was refused, and so never began, is told too.
    pub refused: bool,
    /// Interruptions after which the same stream key is live again within this time are not told; `None` tells all.
    pub flap: Option<Duration>,
}

/// What became of a try to deliver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is over: delivered, or given up.
    Done {
        /// The delivery's id.
        id: String,
    },
    /// It is tried again at this time, and nothing that follows it of the same push goes before.
    Again {
        /// The delivery's id.
        id: String,
        /// When.
        at: Timestamp,
    },
    /// The oldest events of a template are given up, so that so many stay.
    Trim {
        /// The template.
        template: TemplateId,
        /// How many stay.
        keep: u64,
    },
}

/// The deliverer's side of the outbox. Cheap to clone.
#[derive(Clone)]
pub struct Outbox {
    shared: Arc<Shared>,
    reading: Arc<Mutex<Option<Connection>>>,
}

impl Outbox {
    pub(crate) fn new(shared: Arc<Shared>) -> Self {
        Self { shared, reading: Arc::default() }
    }

    /// Told each time events were put into the outbox.
    pub fn arrived(&self) -> &Notify {
        &self.shared.outbox_arrived
    }

    /// Events that are due, at most `each` of one template, none that `under_way` names; of each push and template only
    /// the first that waits. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn due(
        &self,
        now: Timestamp,
        each: usize,
        under_way: &dyn Fn(&str) -> bool,
    ) -> Result<Vec<Waiting>, StoreError> {
        let held = self.shared.earlier.held(self.shared.clock.instant());
        self.read(|db| read::due(db, now, each, held.map(|held| held.to), under_way))
    }

    /// When the first event is due that is not due yet. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn next_due(&self, now: Timestamp) -> Result<Option<Timestamp>, StoreError> {
        let held = self.shared.earlier.held(self.shared.clock.instant());
        let next = self.read(|db| read::next_due(db, now))?;
        Ok(held.map(|held| now.plus(held.left)).into_iter().chain(next).min())
    }

    /// How many events wait for each template that any waits for. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn waiting(&self) -> Result<Vec<(TemplateId, u64)>, StoreError> {
        self.read(read::waiting)
    }

    /// Of these pushes, those about which somebody is still to be told something. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn untold(&self, pushes: &[PushId]) -> Result<Vec<PushId>, StoreError> {
        self.read(|db| read::untold(db, pushes))
    }

    /// Of these pushes, those whose beginnings are still to be told. Blocks.
    ///
    /// # Errors
    /// [`StoreError`] when the journal cannot be read.
    pub fn unbegun(&self, pushes: &[PushId]) -> Result<Vec<PushId>, StoreError> {
        self.read(|db| read::unbegun(db, pushes))
    }

    /// Keeps what became of a try; durable when it resolves, and repeated until the disk takes it. Gives the number of
    /// events that are gone by it.
    ///
    /// # Errors
    /// [`StoreError::Closed`] when the store was shut down before.
    pub async fn settle(&self, settled: Settled) -> Result<u64, StoreError> {
        let (answer, answered) = oneshot::channel();
        if !self.shared.queue.push(Op::Settle { settled, answer }) {
            return Err(StoreError::Closed);
        }
        answered.await.map_err(|_| StoreError::Closed)
    }

    /// Enters a try into the history. Does not wait; when too much waits, it is left out.
    pub fn remember(&self, entry: DeliveryEntry) {
        self.shared.history.keep(entry.into());
    }

    /// Interruptions that the flap filter has kept back, with the starts that ended them, since the program started.
    pub fn suppressed(&self) -> u64 {
        self.shared.figures.suppressed.load(Ordering::Relaxed)
    }

    /// The newest row; 0 where there is none.
    pub(crate) fn newest(&self) -> Result<i64, StoreError> {
        self.read(read::newest)
    }

    /// Pushes whose beginnings or ends wait in rows up to this one.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "asked where there is a shipper"))]
    pub(crate) fn pushes_up_to(&self, to: i64) -> Result<Vec<PushId>, StoreError> {
        self.read(|db| read::pushes_up_to(db, to))
    }

    fn read<T>(&self, work: impl FnOnce(&Connection) -> rusqlite::Result<T>) -> Result<T, StoreError> {
        let path = layout::journal_file(&self.shared.config.dir);
        let mut reading = self.reading.lock().unwrap_or_else(PoisonError::into_inner);
        let db = match reading.take() {
            Some(db) => db,
            None => JOURNAL.open_read_only(&path)?,
        };
        // After an error it is opened anew.
        let found = work(&db).map_err(StoreError::db(path))?;
        *reading = Some(db);
        Ok(found)
    }
}
