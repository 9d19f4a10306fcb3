//! Taking a node out of service: no new pushes, those that are live are asked to go elsewhere, and what is left after a
//! while is ended. Viewers are left alone: they go with the streams they watch.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};
use tokio::task::JoinHandle;

use crate::Live;
use crate::shared::Shared;

/// How often a drain looks whether anybody is left.
const LOOK: Duration = Duration::from_millis(50);

/// How far a drain is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DrainPhase {
    /// There is none: the node takes pushes.
    Open,
    /// New pushes are refused, and those that are live may still move.
    Waiting,
    /// The time is up: what was left has been told to end.
    Ending,
    /// No push is left.
    Done,
}

impl DrainPhase {
    /// The word for it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Open => "open",
            Self::Waiting => "draining",
            Self::Ending => "ending",
            Self::Done => "drained",
        }
    }
}

/// A drain, as an operator sees it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DrainState {
    /// How far it is.
    pub phase: DrainPhase,
    /// Pushes that are live, wait as backups, or are being admitted.
    pub left: usize,
    /// Encoders that were asked to connect elsewhere.
    pub asked: usize,
    /// Pushes that were told to end because the time was up (10/0).
    pub ended: usize,
}

/// The node's drain. What admission reads of it is one flag.
#[derive(Debug, Default)]
pub(crate) struct Drain {
    on: AtomicBool,
    asked: AtomicUsize,
    run: Mutex<Run>,
}

#[derive(Debug, Default)]
struct Run {
    until: Option<Instant>,
    ended: usize,
    time_is_up: bool,
    task: Option<JoinHandle<()>>,
}

impl Drain {
    /// Why a new push cannot be taken now.
    pub(crate) fn refusal(&self) -> Option<Act> {
        self.on
            .load(Ordering::Acquire)
            .then(|| Act { code: Cause::Overload.code(), detail: Some(Detail::new(DetailKey::Drain)) })
    }

    /// Counts an encoder that was asked to connect elsewhere.
    pub(crate) fn asked(&self) {
        self.asked.fetch_add(1, Ordering::Relaxed);
    }

    fn run(&self) -> std::sync::MutexGuard<'_, Run> {
        self.run.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Live {
    /// Takes the node out of service: new pushes are refused (18/104), encoders that can are asked to connect elsewhere,
    /// and what is left after `wait` ends as 10/0. Returns at once; [`Live::drain_state`] tells how far it is. Called
    /// again, it goes on with the new `wait`, counted from now.
    pub fn drain(&self, wait: Duration) {
        begin(&self.shared, wait);
    }

    /// Takes pushes again. Those that have been asked to move may still do so. False where the node was not draining.
    pub fn cancel_drain(&self) -> bool {
        cancel(&self.shared)
    }

    /// Whether the node drains, and how far it is.
    pub fn drain_state(&self) -> DrainState {
        state(&self.shared)
    }
}

/// Begins a drain, or gives one that runs another time limit.
fn begin(shared: &Arc<Shared>, wait: Duration) {
    let drain = &shared.drain;
    let mut run = drain.run();
    run.until = shared.clock.instant().checked_add(wait);
    run.time_is_up = false;
    let new = !drain.on.swap(true, Ordering::AcqRel);
    if new {
        run.ended = 0;
        drain.asked.store(0, Ordering::Relaxed);
        // Those still being admitted are refused, or else find this when they go live.
        shared.orders.each(|slot| slot.ask_to_move());
        tracing::info!(pushes = shared.hub.len(), wait = ?wait, "draining: no new pushes are taken");
    }
    if run.task.as_ref().is_none_or(JoinHandle::is_finished) {
        run.task = Some(tokio::spawn(end_what_is_left(shared.clone())));
    }
}

/// Takes pushes again.
fn cancel(shared: &Shared) -> bool {
    let mut run = shared.drain.run();
    let was_on = shared.drain.on.swap(false, Ordering::AcqRel);
    if let Some(task) = run.task.take() {
        task.abort();
    }
    run.time_is_up = false;
    shared.orders.each(|slot| slot.let_stay());
    if was_on {
        tracing::info!("no longer draining: pushes are taken again");
    }
    was_on
}

/// How far it is.
fn state(shared: &Shared) -> DrainState {
    let left = shared.hub.len();
    let run = shared.drain.run();
    let phase = match (shared.drain.on.load(Ordering::Acquire), left, run.time_is_up) {
        (false, ..) => DrainPhase::Open,
        (true, 0, _) => DrainPhase::Done,
        (true, _, true) => DrainPhase::Ending,
        (true, _, false) => DrainPhase::Waiting,
    };
    DrainState { phase, left, asked: shared.drain.asked.load(Ordering::Relaxed), ended: run.ended }
}

async fn end_what_is_left(shared: Arc<Shared>) {
    let act = Act { code: Cause::ProxyToldToStop.code(), detail: Some(Detail::new(DetailKey::Drain)) };
    while shared.hub.len() > 0 {
        {
            let mut run = shared.drain.run();
            if run.until.is_some_and(|until| shared.clock.instant() >= until) {
                run.time_is_up = true;
                // Again each time: a push that was being admitted when the drain began is in the hub only now.
                let ended = shared.hub.order_where(|_| Some(act.clone()));
                run.ended += ended;
            }
        }
        tokio::time::sleep(LOOK).await;
    }
    tracing::info!("drained: no push is left");
}
