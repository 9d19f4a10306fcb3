//! The streams that a node fetches: one pull each, begun by the first who asks, and ended when nobody watches.

use std::collections::{HashMap, VecDeque};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use model::catalog::AccountId;
use model::{Clock, FetchEnd, FetchRecord, StreamKey};
use tokio::sync::{Semaphore, watch};

use super::following::{Following, Holder, Seen};
use super::progress::{Of, Progress};
use super::status::{EndedPull, Pull, PullFigures, Sums};
use super::ticket::Used;
use super::{PullConfig, run};
use crate::relay::link::Dialer;
use crate::relay::relays::Task;
use crate::relay::{TrustError, tls};
use crate::shared::Shared;

/// From the first packet until an owner sends.
pub(super) const OPENING: Duration = Duration::from_secs(5);
/// Questions to the registry at once on behalf of viewers; others wait for their turn.
const LOOKUPS: usize = 64;
/// A stream that nobody carries is not asked for again for this long.
const ASKED_IN_VAIN: Duration = Duration::from_millis(500);
/// Streams of which it is remembered that nobody carries them.
const MISSING_AT_MOST: usize = 4_096;
/// Pulls that have ended, kept for lists.
const ENDED_KEPT: usize = 64;

/// All pulls of a node.
pub(crate) struct Pulls {
    pub(super) config: PullConfig,
    pub(super) dialer: Dialer,
    pub(super) used: Used,
    pub(super) sums: Arc<Sums>,
    pub(super) lookups: Semaphore,
    running: Mutex<HashMap<StreamKey, Arc<Entry>>>,
    missing: Mutex<HashMap<StreamKey, Instant>>,
    ended: Mutex<VecDeque<EndedPull>>,
}

/// How far the first media of a pull is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Ready {
    /// It is waited for.
    NotYet,
    /// It is there.
    There,
    /// It will not come.
    Over,
}

/// One pull.
pub(super) struct Entry {
    pub key: StreamKey,
    pub following: watch::Sender<Following>,
    pub ready: watch::Sender<Ready>,
    pub progress: Progress,
    /// Those who are about to watch.
    holds: AtomicUsize,
}

/// Keeps a pull from ending while somebody is about to watch.
#[derive(Debug)]
pub struct Hold(Arc<Entry>);

impl std::fmt::Debug for Entry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Entry").field("key", &self.key).finish_non_exhaustive()
    }
}

impl Hold {
    /// Waits until the pull's first media is there; at most so long.
    pub(super) async fn ready(&self, limit: Duration) {
        let mut ready = self.0.ready.subscribe();
        let there = ready.wait_for(|ready| *ready != Ready::NotYet);
        let _ = tokio::time::timeout(limit, there).await;
    }
}

impl Drop for Hold {
    fn drop(&mut self) {
        self.0.holds.fetch_sub(1, Ordering::AcqRel);
    }
}

impl Pulls {
    /// None run yet.
    ///
    /// # Errors
    /// Certificates that cannot be used.
    pub(crate) fn new(
        config: &PullConfig,
        clock: &Arc<dyn Clock>,
        in_cluster: bool,
    ) -> Result<Self, TrustError> {
        let tls = in_cluster.then(|| tls::connector(config.ca.as_deref())).transpose()?;
        Ok(Self {
            config: config.clone(),
            dialer: Dialer { tls, clock: clock.clone(), limit: OPENING },
            used: Used::default(),
            sums: Arc::default(),
            lookups: Semaphore::new(LOOKUPS),
            running: Mutex::default(),
            missing: Mutex::default(),
            ended: Mutex::default(),
        })
    }

    /// Holds the pull of a stream, where there is one.
    pub(super) fn hold(&self, key: &StreamKey) -> Option<Hold> {
        let running = self.lock();
        let entry = running.get(key)?.clone();
        // Within the lock, where a pull looks whether it may end.
        entry.holds.fetch_add(1, Ordering::AcqRel);
        Some(Hold(entry))
    }

    /// Begins to fetch a stream that another node carries, or joins the pull that does. `None` where nobody else carries
    /// it, or no more are fetched.
    pub(super) fn begin(&self, shared: &Arc<Shared>, key: &StreamKey, seen: Seen) -> Option<Hold> {
        let Holder::There(owner) = &seen.holder else { return None };
        let mut running = self.lock();
        if let Some(entry) = running.get(key) {
            entry.learn(seen);
            entry.holds.fetch_add(1, Ordering::AcqRel);
            return Some(Hold(entry.clone()));
        }
        if running.len() >= self.config.most {
            tracing::warn!(%key, most = self.config.most, "no more streams of other nodes are fetched");
            return None;
        }
        let of =
            Of { key: key.clone(), account: account_of(shared, key), node: shared.config.node_label.clone() };
        let progress = Progress::new(of, owner, seen.revision, self.sums.clone(), shared.clock.clone());
        let entry = Arc::new(Entry {
            key: key.clone(),
            following: watch::Sender::new(Following::new(seen)),
            ready: watch::Sender::new(Ready::NotYet),
            progress,
            holds: AtomicUsize::new(1),
        });
        running.insert(key.clone(), entry.clone());
        let place = shared.hub.enter_pull(key);
        drop(running);
        shared.journal.fetch_begins(entry.progress.as_if_died());
        let (shared, task) = (shared.clone(), Task::begin(shared));
        let hold = Hold(entry.clone());
        tokio::spawn(async move {
            run::run(&shared, entry, place).await;
            drop(task);
        });
        Some(hold)
    }

    /// A change of a lease was seen. It is news to a pull that follows it, and reason for one where viewers wait.
    pub(crate) fn learn(&self, shared: &Arc<Shared>, key: &StreamKey, seen: impl FnOnce() -> Seen) {
        let entry = self.lock().get(key).cloned();
        match entry {
            Some(entry) => entry.learn(seen()),
            None if shared.hub.is_watched_here(key) => {
                let seen = seen();
                self.found(key);
                drop(self.begin(shared, key, seen));
            }
            None => {}
        }
    }

    /// As [`Pulls::learn`], where it is known that another node carries the stream, and not which.
    pub(crate) fn look(&self, shared: &Arc<Shared>, key: &StreamKey) {
        if !shared.hub.is_watched_here(key) {
            return;
        }
        let (shared, key) = (shared.clone(), key.clone());
        tokio::spawn(async move {
            if let Some(cluster) = &shared.cluster
                && let Some(seen) = cluster.owner(&key).await
            {
                drop(shared.pulls.begin(&shared, &key, seen));
            }
        });
    }

    /// Takes a pull out of the list, unless `only_if_idle` and somebody is about to watch. False if it goes on.
    pub(super) fn leave(&self, entry: &Arc<Entry>, only_if_idle: bool) -> bool {
        let mut running = self.lock();
        if only_if_idle && entry.holds.load(Ordering::Acquire) > 0 {
            return false;
        }
        if running.get(&entry.key).is_some_and(|known| Arc::ptr_eq(known, entry)) {
            running.remove(&entry.key);
        }
        true
    }

    /// A pull has ended: it stands among the last ones. Gives its record.
    pub(super) fn ended(&self, entry: &Entry, why: FetchEnd) -> FetchRecord {
        let record = entry.progress.end(why);
        let mut ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        if ended.len() >= ENDED_KEPT {
            ended.pop_front();
        }
        ended.push_back(EndedPull { at: record.ended_at, why, pull: entry.progress.show(0) });
        record
    }

    /// Whether a stream was asked for in vain a moment ago.
    pub(super) fn is_missing(&self, key: &StreamKey, now: Instant) -> bool {
        let missing = self.missing();
        missing.get(key).is_some_and(|at| now.saturating_duration_since(*at) < ASKED_IN_VAIN)
    }

    /// Nobody carries it.
    pub(super) fn note_missing(&self, key: &StreamKey, now: Instant) {
        let mut missing = self.missing();
        if missing.len() >= MISSING_AT_MOST {
            missing.clear();
        }
        missing.insert(key.clone(), now);
    }

    fn found(&self, key: &StreamKey) {
        self.missing().remove(key);
    }

    /// The streams that are fetched.
    pub(crate) fn keys(&self) -> Vec<StreamKey> {
        self.lock().keys().cloned().collect()
    }

    /// What is fetched, by stream, and the pulls that ended last, the newest first.
    pub(crate) fn list(&self, shared: &Shared) -> (Vec<Pull>, Vec<EndedPull>) {
        let running: Vec<_> = self.lock().values().cloned().collect();
        let mut pulls: Vec<_> =
            running.iter().map(|entry| entry.progress.show(shared.hub.viewers(&entry.key).len())).collect();
        pulls.sort_by(|a, b| (&a.domain, &a.app, &a.stream).cmp(&(&b.domain, &b.app, &b.stream)));
        let ended = self.ended.lock().unwrap_or_else(PoisonError::into_inner);
        (pulls, ended.iter().rev().cloned().collect())
    }

    /// Sums since the start.
    pub(crate) fn figures(&self) -> PullFigures {
        self.sums.read(self.lock().len())
    }

    fn missing(&self) -> MutexGuard<'_, HashMap<StreamKey, Instant>> {
        self.missing.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<StreamKey, Arc<Entry>>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn account_of(shared: &Shared, key: &StreamKey) -> Option<AccountId> {
    shared.catalog.snapshot()?.domain(&key.domain).map(|domain| domain.account)
}

impl Entry {
    /// Whether somebody is about to watch.
    pub fn is_held(&self) -> bool {
        self.holds.load(Ordering::Acquire) > 0
    }

    /// Takes what was seen of the stream's lease, if it is news.
    pub fn learn(&self, seen: Seen) {
        self.following.send_if_modified(|following| following.learn(seen));
    }
}
