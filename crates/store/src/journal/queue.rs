//! What waits for the journal's writer: operations in the order in which they were asked for.

use std::collections::VecDeque;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, mpsc};
use std::time::Duration;

use model::Record;
use tokio::sync::{OwnedSemaphorePermit, oneshot};

use super::Import;
use super::shipping::Shipped;
use crate::catalog::Change;
use crate::error::{JournalError, StoreError};
use crate::outbox::{PushReport, Settled};
use crate::row::{EndRow, Inherited, OpenRow, PushCounters};
use crate::store::Recovery;

/// Answers a caller that blocks until its operation is durable.
pub(crate) type Reply<T> = mpsc::SyncSender<Result<T, StoreError>>;

/// One operation.
pub(crate) enum Op {
    /// A push is about to go live.
    Open { row: Arc<OpenRow>, counters: Arc<PushCounters>, answer: oneshot::Sender<Result<(), JournalError>> },
    /// A live push ended. The place is given back once its record is durable.
    Close { end: Box<EndRow>, place: OwnedSemaphorePermit },
    /// A push was refused after its open row had been asked for; its end goes the way of refusals.
    Forget { record: Box<Record>, place: OwnedSemaphorePermit },
    /// Something was noticed of a live push.
    Report { report: Box<PushReport> },
    /// Something is told of a push that runs elsewhere.
    Import { import: Import, answer: oneshot::Sender<Result<(), StoreError>> },
    /// What is told of pushes in the place of a node that is lost.
    Inherit { pushes: Vec<Inherited>, answer: oneshot::Sender<Result<(), StoreError>> },
    /// A try to deliver an event has an outcome.
    Settle { settled: Settled, answer: oneshot::Sender<u64> },
    /// The rows stand in record files now.
    Filed { seqs: Vec<i64>, done: Reply<()> },
    /// The database of all nodes has records, or has said who it is.
    #[cfg_attr(not(feature = "postgres"), expect(dead_code, reason = "only made where there is a shipper"))]
    Shipped { shipped: Shipped, done: Reply<()> },
    /// The catalog changes.
    Catalog { change: Box<Change>, answer: Reply<u64> },
    /// Pushes that earlier runs left open get their ends.
    Recover { answer: Reply<Recovery> },
    /// An orderly stop began.
    Stopping { answer: Reply<()> },
    /// The store shuts down; this is the last operation.
    Shutdown { answer: Reply<()> },
}

#[derive(Default)]
struct State {
    ops: VecDeque<Op>,
    closed: bool,
    nudged: bool,
    /// The writer sleeps. While it works nobody needs to wake it, which would be a system call each time.
    waits: bool,
}

/// The queue. Its lock is held for a push or a take only, never while anything is written.
#[derive(Default)]
pub(crate) struct Queue {
    state: Mutex<State>,
    wake: Condvar,
}

impl Queue {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an operation; false, and the operation is gone, once the queue is closed.
    pub fn push(&self, op: Op) -> bool {
        let mut state = self.state();
        if state.closed {
            return false;
        }
        state.closed = matches!(op, Op::Shutdown { .. });
        state.ops.push_back(op);
        self.wake_writer(state);
        true
    }

    /// Wakes the writer for something that is not in the queue.
    pub fn nudge(&self) {
        let mut state = self.state();
        state.nudged = true;
        self.wake_writer(state);
    }

    fn wake_writer(&self, mut state: MutexGuard<'_, State>) {
        let waits = std::mem::take(&mut state.waits);
        drop(state);
        if waits {
            self.wake.notify_one();
        }
    }

    /// Takes up to `max` operations, waiting up to `wait` for the first one or for a nudge.
    pub fn take(&self, max: usize, wait: Duration) -> Vec<Op> {
        let idle = |state: &mut State| {
            state.waits = state.ops.is_empty() && !state.nudged;
            state.waits
        };
        let (mut state, _) =
            self.wake.wait_timeout_while(self.state(), wait, idle).unwrap_or_else(PoisonError::into_inner);
        state.waits = false;
        state.nudged = false;
        let count = state.ops.len().min(max);
        state.ops.drain(..count).collect()
    }

    pub fn close(&self) {
        self.state().closed = true;
    }

    pub fn len(&self) -> usize {
        self.state().ops.len()
    }
}
