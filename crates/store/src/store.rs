//! The store as a whole: opening, recovery, orderly stop.

use std::sync::{Arc, mpsc};
use std::thread::JoinHandle;
use std::{fmt, thread};

use model::Clock;

use crate::catalog::CatalogStore;
use crate::config::StoreConfig;
use crate::error::StoreError;
use crate::filing::Filer;
use crate::history::History;
use crate::history::keeper::Keeper;
use crate::journal::queue::{Op, Reply};
use crate::journal::writer::Writer;
use crate::journal::{Journal, Shared};
use crate::layout;
use crate::lock::DataLock;
use crate::outbox::Outbox;
use crate::reader::Reader;
use crate::remote::{Database, OtherNodes, Remote};

/// What earlier runs had left open in the journal, by the end it was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Recovery {
    /// 11/0: the node died.
    pub died: u64,
    /// 9/0: the node was being stopped.
    pub stopped: u64,
    /// 36/0: the journal row could not be read.
    pub unreadable: u64,
}

/// The store. One per data folder; dropping it stops it as [`Store::shutdown`] does.
pub struct Store {
    shared: Arc<Shared>,
    reader: Reader,
    everywhere: Option<Database>,
    writer: Option<JoinHandle<()>>,
    filer: Option<JoinHandle<()>>,
    keeper: Option<JoinHandle<()>>,
    shipper: Option<JoinHandle<()>>,
    // Last: the lock is given back when the threads have ended.
    _lock: DataLock,
}

impl fmt::Debug for Store {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Store").field("dir", &self.shared.config.dir).finish_non_exhaustive()
    }
}

impl Store {
    /// Opens the store: migrates, writes this run's row, starts the threads. On a full disk it opens too, but
    /// [`Journal::writable`] is false until there is room.
    ///
    /// # Errors
    /// [`StoreError`] when a file cannot be used for a reason that waiting does not mend: it is broken, of a newer
    /// version, or not ours to write.
    pub fn open(lock: DataLock, config: StoreConfig, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        layout::make_dir(&layout::records_dir(&config.dir))?;
        let everywhere = config.remote.as_ref().map(Remote::database).transpose()?;
        let shared = Arc::new(Shared::new(config, clock));
        let reader = Reader::beside(&shared, everywhere.clone());
        let writer = Writer::open(Arc::clone(&shared))?;
        let writer = spawn("journal", move || writer.run())?;
        let filer = Filer::new(Arc::clone(&shared));
        let filer = spawn("filing", move || filer.run())?;
        let keeper = match shared.history.receiver() {
            Some(entries) => {
                let mut keeper = Keeper::new(Arc::clone(&shared));
                keeper.take_over();
                Some(spawn("history", move || keeper.run(entries))?)
            }
            None => None,
        };
        let shipper = ship(&shared, everywhere.as_ref())?;
        let (writer, filer) = (Some(writer), Some(filer));
        Ok(Self { shared, reader, everywhere, writer, filer, keeper, shipper, _lock: lock })
    }

    /// Gives the pushes that earlier runs left open their ends: 11/0, or 9/0 where that run was being stopped, at that
    /// run's last heartbeat, with counters at most five seconds older. Rows that cannot be read become 36/0.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] when the disk does not take it; it is then done as soon as it does.
    pub fn recover(&self) -> Result<Recovery, StoreError> {
        let recovery = self.ask(|answer| Op::Recover { answer })?;
        if self.everywhere.is_some() {
            let left = self.outbox().newest()?;
            self.shared.earlier.hold(left, self.shared.clock.instant());
            self.shared.shipping.nudge();
        }
        Ok(recovery)
    }

    /// The live path's side.
    pub fn journal(&self) -> Journal {
        Journal::new(Arc::clone(&self.shared))
    }

    /// Queries.
    pub fn reader(&self) -> Reader {
        self.reader.clone()
    }

    /// The catalog.
    pub fn catalog(&self) -> CatalogStore {
        CatalogStore::new(Arc::clone(&self.shared))
    }

    /// Events that are to be told to others.
    pub fn outbox(&self) -> Outbox {
        Outbox::new(Arc::clone(&self.shared))
    }

    /// What was told to others, and what happened to pushes while they were live.
    pub fn history(&self) -> History {
        History::new(self.shared.config.dir.clone(), self.everywhere.clone())
    }

    /// Where this node can say what became of others; `None` where there is no database of all nodes.
    pub fn other_nodes(&self) -> Option<OtherNodes> {
        self.everywhere.clone().map(OtherNodes::new)
    }

    /// An orderly stop began: whatever is still open from now on, even after a kill, is 9/0. Durable when it returns;
    /// where the disk does not take it, that is logged, and written as soon as it does.
    pub fn stopping(&self) {
        if let Err(error) = self.ask(|answer| Op::Stopping { answer }) {
            tracing::error!(%error, "the orderly stop could not be noted");
        }
    }

    /// Stops: everything queued is committed, what is still open is closed as 9/0, the journal is checkpointed, the
    /// threads end.
    ///
    /// # Errors
    /// [`StoreError::Unwritable`] when the disk did not take the last ends.
    pub fn shutdown(mut self) -> Result<(), StoreError> {
        self.stop()
    }

    fn stop(&mut self) -> Result<(), StoreError> {
        let Some(writer) = self.writer.take() else { return Ok(()) };
        let outcome = self.ask(|answer| Op::Shutdown { answer });
        // The filer and the shipper see the closed queue and end by themselves.
        let threads = [Some(writer), self.filer.take(), self.shipper.take(), self.keeper.take()];
        for thread in threads.into_iter().flatten() {
            if thread.thread().name() == Some("history") {
                self.shared.history.stop();
            }
            let name = thread.thread().name().unwrap_or_default().to_owned();
            if thread.join().is_err() {
                tracing::error!(name, "a thread of the store had failed");
            }
        }
        outcome
    }

    fn ask<T>(&self, op: impl FnOnce(Reply<T>) -> Op) -> Result<T, StoreError> {
        let (answer, answered) = mpsc::sync_channel(1);
        if !self.shared.queue.push(op(answer)) {
            return Err(StoreError::Closed);
        }
        answered.recv().map_err(|_| StoreError::Closed)?
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        if let Err(error) = self.stop() {
            tracing::error!(%error, "the store could not be stopped cleanly");
        }
    }
}

/// Starts the shipper where there is a database of all nodes.
#[cfg(feature = "postgres")]
fn ship(shared: &Arc<Shared>, database: Option<&Database>) -> Result<Option<JoinHandle<()>>, StoreError> {
    let Some(database) = database else { return Ok(None) };
    let shipper = crate::postgres::shipper::Shipper::new(Arc::clone(shared), database.clone());
    spawn("shipping", move || shipper.run()).map(Some)
}

#[cfg(not(feature = "postgres"))]
fn ship(_: &Arc<Shared>, database: Option<&Database>) -> Result<Option<JoinHandle<()>>, StoreError> {
    match database {
        Some(database) => match *database {},
        None => Ok(None),
    }
}

fn spawn(name: &str, work: impl FnOnce() + Send + 'static) -> Result<JoinHandle<()>, StoreError> {
    thread::Builder::new().name(name.to_owned()).spawn(work).map_err(StoreError::Thread)
}
