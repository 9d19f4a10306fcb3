//! What lists and metrics show of the streams that are fetched, and how pulls ended.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use cause::{Cause, Lang};
use model::{Clock, StreamKey, Timestamp};
use serde::Serialize;

use crate::relay::parting::Parting;

/// Events kept of one pull; the oldest go first.
const EVENTS: usize = 16;

/// How far a pull is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum PullState {
    /// To the owner, until it sends.
    Connecting,
    /// Media comes.
    Live,
    /// There is no owner now, or it cannot be reached; viewers wait.
    Waiting,
}

/// One thing that happened to a pull.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PullEvent {
    /// When.
    pub at: Timestamp,
    /// `live`: media comes; `owner_changed`: another node has the stream by a newer lease; `told_to_stop`: the owner ended
    /// it in words; `failed`: it ended otherwise.
    pub event: &'static str,
    /// 10/0 where the owner, or the way to it, ended what this node was passing on.
    pub code: Option<String>,
    /// In words.
    pub text: String,
}

/// A stream of another node that this one fetches.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Pull {
    /// Push domain.
    pub domain: String,
    /// App.
    pub app: String,
    /// Stream name.
    pub stream: String,
    /// The label of the node it comes from; none while there is no owner.
    pub owner: Option<String>,
    /// The revision of the lease that is followed.
    pub revision: u64,
    /// How far it is.
    pub state: PullState,
    /// Since when it is fetched.
    pub since: Timestamp,
    /// Who watches it here.
    pub viewers: usize,
    /// Bytes that came.
    pub bytes_in: u64,
    /// Connections beyond the first.
    pub restarts: u64,
    /// What happened, oldest first.
    pub events: Vec<PullEvent>,
}

/// A pull that has ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct EndedPull {
    /// When.
    pub at: Timestamp,
    /// Why: `idle`: nobody watched; `over`: the owner said that the stream has ended; `no_owner`: nobody had it for too
    /// long; `here`: a push of this node carries it; `stopping`: this node stops.
    pub why: &'static str,
    /// What it was.
    #[serde(flatten)]
    pub pull: Pull,
}

/// What pulls have done since the start.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct PullFigures {
    /// Streams that are fetched now.
    pub pulls: usize,
    /// Pulls begun.
    pub begun: u64,
    /// Bytes that came.
    pub bytes_in: u64,
    /// Connections to owners beyond the first of each pull.
    pub restarts: u64,
    /// Connections that failed, or that owners ended.
    pub failures: u64,
    /// Other nodes that were served.
    pub served: u64,
    /// Askers that were turned away: no node of this cluster, or for a lease that is not this node's.
    pub refused: u64,
}

/// Sums over all pulls of the node.
#[derive(Debug, Default)]
pub(super) struct Sums {
    pub begun: AtomicU64,
    pub bytes_in: AtomicU64,
    pub restarts: AtomicU64,
    pub failures: AtomicU64,
    pub served: AtomicU64,
    pub refused: AtomicU64,
}

impl Sums {
    pub fn read(&self, pulls: usize) -> PullFigures {
        let of = |count: &AtomicU64| count.load(Ordering::Relaxed);
        PullFigures {
            pulls,
            begun: of(&self.begun),
            bytes_in: of(&self.bytes_in),
            restarts: of(&self.restarts),
            failures: of(&self.failures),
            served: of(&self.served),
            refused: of(&self.refused),
        }
    }
}

/// One pull's own, written by its task and read by lists.
pub(super) struct Status {
    key: StreamKey,
    clock: Arc<dyn Clock>,
    since: Timestamp,
    sums: Arc<Sums>,
    bytes_in: AtomicU64,
    connects: AtomicU64,
    now: Mutex<Now>,
}

struct Now {
    state: PullState,
    owner: Option<String>,
    revision: u64,
    events: VecDeque<PullEvent>,
}

impl Status {
    pub fn new(key: StreamKey, sums: Arc<Sums>, clock: Arc<dyn Clock>) -> Self {
        sums.begun.fetch_add(1, Ordering::Relaxed);
        let now = Now { state: PullState::Connecting, owner: None, revision: 0, events: VecDeque::new() };
        Self {
            key,
            since: clock.now(),
            clock,
            sums,
            bytes_in: AtomicU64::new(0),
            connects: AtomicU64::new(0),
            now: Mutex::new(now),
        }
    }

    /// A connection to an owner is made.
    pub fn connecting(&self, owner: &str, revision: u64) {
        let mut now = self.lock();
        now.state = PullState::Connecting;
        now.owner = Some(owner.to_owned());
        now.revision = revision;
    }

    /// The owner sends.
    pub fn live(&self) {
        if self.connects.fetch_add(1, Ordering::Relaxed) > 0 {
            self.sums.restarts.fetch_add(1, Ordering::Relaxed);
        }
        let mut now = self.lock();
        now.state = PullState::Live;
        let text = now.owner.clone().unwrap_or_default();
        self.note(&mut now, "live", None, text);
    }

    /// The owner's lease has a newer revision.
    pub fn renewed(&self, revision: u64) {
        self.lock().revision = revision;
    }

    /// There is no owner to connect to.
    pub fn waiting(&self, revision: u64) {
        let mut now = self.lock();
        now.state = PullState::Waiting;
        now.owner = None;
        now.revision = revision;
    }

    /// Another node has the stream, or nobody.
    pub fn owner_changed(&self, revision: u64) {
        let mut now = self.lock();
        let was = now.owner.clone().unwrap_or_default();
        let text = format!("by revision {revision} the stream is no longer that of {was}");
        self.note(&mut now, "owner_changed", None, text);
    }

    /// A connection has ended.
    pub fn parted(&self, parting: &Parting, address: &str) {
        self.sums.failures.fetch_add(1, Ordering::Relaxed);
        let mut now = self.lock();
        now.state = PullState::Waiting;
        let event = if parting.said().is_some() { "told_to_stop" } else { "failed" };
        let text = parting.detail(address).text(Lang::En);
        self.note(&mut now, event, Some(Cause::ProxyToldToStop.code().to_string()), text);
    }

    pub fn received(&self, bytes: u64) {
        if bytes > 0 {
            self.bytes_in.fetch_add(bytes, Ordering::Relaxed);
            self.sums.bytes_in.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    pub fn show(&self, viewers: usize) -> Pull {
        let now = self.lock();
        Pull {
            domain: self.key.domain.clone(),
            app: self.key.app.clone(),
            stream: self.key.stream.clone(),
            owner: now.owner.clone(),
            revision: now.revision,
            state: now.state,
            since: self.since,
            viewers,
            bytes_in: self.bytes_in.load(Ordering::Relaxed),
            restarts: self.connects.load(Ordering::Relaxed).saturating_sub(1),
            events: now.events.iter().cloned().collect(),
        }
    }

    fn note(&self, now: &mut Now, event: &'static str, code: Option<String>, text: String) {
        // A target that is tried again and again says the same each time.
        if now.events.back().is_some_and(|last| last.event == event && last.text == text) {
            return;
        }
        if now.events.len() >= EVENTS {
            now.events.pop_front();
        }
        now.events.push_back(PullEvent { at: self.clock.now(), event, code, text });
    }

    fn lock(&self) -> MutexGuard<'_, Now> {
        self.now.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
