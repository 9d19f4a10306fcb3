//! Refused and pre-publish ends, folded: a client that retries each second, or a scanner, makes one record and not
//! thousands. Pure: no clock, no I/O.
//!
//! An end folds into an earlier one of the same key, address and code for as long as the fold lasts, counted from the
//! earlier one. Above 20 different names a minute from one address and code, names fold too (their record names no
//! stream). Ends that never named a stream fold for an hour.
//!
//! While the journal cannot be written, ends wait here; everything equal folds then, however long it takes, and when
//! too many wait, they fold by address and code, and at last by code alone, so that what waits is bounded.

use std::collections::{HashMap, HashSet, VecDeque, hash_map};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::net::IpAddr;
use std::time::{Duration, Instant};

use model::{Code, PushId, Record, Timestamp};
use tokio::sync::OwnedSemaphorePermit;

use crate::config::IgnoreRule;
use crate::limits::{
    FOLD_UPDATE, MAX_FOLDS, MAX_NAME_COUNTS, MAX_WAITING_COARSE, MAX_WAITING_REFUSALS, NAMELESS_FOLD,
    NAMES_A_MINUTE, UNWRITABLE_FOLD,
};
use crate::row::EndRow;

/// What equal ends have in common.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(crate) enum FoldKey {
    /// The same stream key (or none), address and code.
    Exact { names: [Option<String>; 3], ip: IpAddr, code: Code },
    /// The same address and code, whatever the names.
    Address { ip: IpAddr, code: Code },
    /// The same code; only while the journal cannot be written.
    Code { code: Code },
}

/// What became of an end.
#[derive(Debug)]
pub(crate) enum Offer {
    /// It waits for the writer.
    Waits,
    /// It was counted in a record that is there already.
    Folded(EndRow),
    /// It is not worth a record.
    Ignored(EndRow),
    /// It is a new one, and needs a place in the queue first.
    NeedsPlace(EndRow),
}

/// How hard it is to take an end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Pressure {
    /// It may be sent back for a place in the queue.
    None,
    /// It is taken without a place; when too many wait, they fold by address and code.
    NoPlace,
    /// The same, and ends fold even where folding is off, since the disk takes none of them.
    Unwritable,
}

/// An end that waits for the writer.
#[derive(Debug)]
pub(crate) struct Waiting {
    pub end: EndRow,
    /// The fold it began.
    pub key: Option<FoldKey>,
    /// Given back when it is durable.
    pub _place: Option<OwnedSemaphorePermit>,
}

/// Attempts that have been added to a record since it was last written.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct FoldUpdate {
    pub id: PushId,
    pub attempts: u64,
    pub last_at: Timestamp,
    /// No more attempts will be added.
    pub finished: bool,
}

#[derive(Debug)]
struct Fold {
    id: PushId,
    began: Instant,
    lasts: Duration,
    attempts: u64,
    last_at: Timestamp,
    /// The record itself is durable.
    written: bool,
    /// As far as attempts are durable.
    attempts_written: u64,
}

impl Fold {
    fn is_over(&self, now: Instant) -> bool {
        self.written && now.saturating_duration_since(self.began) >= self.lasts
    }

    fn update(&self, finished: bool) -> FoldUpdate {
        FoldUpdate { id: self.id, attempts: self.attempts, last_at: self.last_at, finished }
    }
}

#[derive(Debug)]
struct NameCount {
    began: Instant,
    /// Hashes of the names, at most one more than the limit.
    names: HashSet<u64>,
}

/// The folds under way and the ends that wait.
#[derive(Debug)]
pub(crate) struct Refusals {
    fold: Option<Duration>,
    ignore: Vec<IgnoreRule>,
    folds: HashMap<FoldKey, Fold>,
    /// Folds that were replaced by a newer one of the same key before their last attempts were written.
    over: Vec<Fold>,
    names: HashMap<(IpAddr, Code), NameCount>,
    waiting: VecDeque<Waiting>,
    /// Ends that are not durable yet: those waiting and those the writer has taken.
    unwritten: usize,
    next_update: Option<Instant>,
}

impl Refusals {
    pub fn new(fold: Option<Duration>, ignore: Vec<IgnoreRule>) -> Self {
        Self {
            fold,
            ignore,
            folds: HashMap::new(),
            over: Vec::new(),
            names: HashMap::new(),
            waiting: VecDeque::new(),
            unwritten: 0,
            next_update: None,
        }
    }

    /// Ends that are not durable yet.
    pub fn waiting(&self) -> usize {
        self.unwritten
    }

    /// Counts `end` in an earlier one, or puts it among those that wait.
    pub fn offer(
        &mut self,
        mut end: EndRow,
        now: Instant,
        place: Option<OwnedSemaphorePermit>,
        pressure: Pressure,
    ) -> Offer {
        if self.is_ignored(&end.record) {
            return Offer::Ignored(end);
        }
        let lasts = self.lasts(&end.record, pressure);
        let crowded = place.is_none() && self.unwritten >= MAX_WAITING_REFUSALS;
        if lasts.is_none() && !crowded {
            return match (place, pressure) {
                (None, Pressure::None) => Offer::NeedsPlace(end),
                (place, _) => self.wait(end, None, place),
            };
        }
        let mut key = self.key(&end.record, now);
        if self.count(&key, &end.record, now) {
            return Offer::Folded(end);
        }
        if place.is_none() && pressure == Pressure::None {
            return Offer::NeedsPlace(end);
        }
        if crowded {
            let Some(coarse) = self.coarsen(&end.record, now) else { return Offer::Folded(end) };
            key = coarse;
        }
        if !matches!(key, FoldKey::Exact { .. }) {
            (end.record.domain, end.record.app, end.record.stream) = (None, None, None);
        }
        let began = self.begin(&key, &end.record, now, lasts.unwrap_or_default(), pressure);
        self.wait(end, began.then_some(key), place)
    }

    /// Takes up to `max` ends that wait, oldest first.
    pub fn take(&mut self, max: usize) -> Vec<Waiting> {
        let count = self.waiting.len().min(max);
        self.waiting.drain(..count).collect()
    }

    /// The records of these ends are durable.
    pub fn written(&mut self, key: Option<&FoldKey>, id: PushId) {
        self.unwritten = self.unwritten.saturating_sub(1);
        if let Some(fold) = key.and_then(|key| self.folds.get_mut(key)).filter(|fold| fold.id == id) {
            fold.written = true;
        }
    }

    /// Every two seconds, the attempts to be written. What is not confirmed comes again.
    pub fn due(&mut self, now: Instant) -> Vec<FoldUpdate> {
        if self.next_update.is_some_and(|at| now < at) {
            return Vec::new();
        }
        self.next_update = Some(now + FOLD_UPDATE);
        self.names.retain(|_, count| !count.is_past(now));
        let running = self.folds.values().filter(|fold| fold.written);
        let changed = running.filter(|fold| fold.attempts != fold.attempts_written || fold.is_over(now));
        let changed = changed.map(|fold| fold.update(fold.is_over(now)));
        changed.chain(self.over.iter().map(|fold| fold.update(true))).collect()
    }

    /// All attempts, finished: the program stops.
    pub fn finish(&mut self) -> Vec<FoldUpdate> {
        let folds = self.folds.drain().map(|(_, fold)| fold).chain(self.over.drain(..));
        folds.map(|fold| fold.update(true)).collect()
    }

    /// These attempts are durable.
    pub fn confirm(&mut self, updates: &[FoldUpdate]) {
        let updates: HashMap<PushId, &FoldUpdate> =
            updates.iter().map(|update| (update.id, update)).collect();
        self.over.retain(|fold| !updates.contains_key(&fold.id));
        self.folds.retain(|_, fold| match updates.get(&fold.id) {
            Some(update) => {
                fold.attempts_written = update.attempts;
                !update.finished
            }
            None => true,
        });
    }

    fn is_ignored(&self, record: &Record) -> bool {
        record.stream.is_none()
            && self.ignore.iter().any(|rule| match rule {
                IgnoreRule::Network(network) => network.contains(&record.client_ip.to_canonical()),
                IgnoreRule::Code(code) => *code == record.code(),
            })
    }

    /// For how long ends like this one fold; `None` if they do not.
    fn lasts(&self, record: &Record, pressure: Pressure) -> Option<Duration> {
        let fold = self.fold.or((pressure == Pressure::Unwritable).then_some(UNWRITABLE_FOLD))?;
        Some(if record.stream.is_none() { fold.max(NAMELESS_FOLD) } else { fold })
    }

    fn key(&mut self, record: &Record, now: Instant) -> FoldKey {
        let (ip, code) = (record.client_ip.to_canonical(), record.code());
        if record.stream.is_some() && self.fold.is_some() && self.names_fold(record, now) {
            return FoldKey::Address { ip, code };
        }
        FoldKey::Exact { names: names_of(record), ip, code }
    }

    /// Whether this name is one too many from its address in the minute.
    fn names_fold(&mut self, record: &Record, now: Instant) -> bool {
        let who = (record.client_ip.to_canonical(), record.code());
        if self.names.len() >= MAX_NAME_COUNTS && !self.names.contains_key(&who) {
            return true;
        }
        let fresh = || NameCount { began: now, names: HashSet::new() };
        let count = match self.names.entry(who) {
            hash_map::Entry::Vacant(entry) => entry.insert(fresh()),
            hash_map::Entry::Occupied(entry) => {
                let count = entry.into_mut();
                if count.is_past(now) {
                    *count = fresh();
                }
                count
            }
        };
        let mut hasher = DefaultHasher::new();
        names_of(record).hash(&mut hasher);
        let name = hasher.finish();
        if count.names.contains(&name) {
            return false;
        }
        let full = count.names.len() >= NAMES_A_MINUTE;
        if !full {
            count.names.insert(name);
        }
        full
    }

    /// Adds an attempt to the fold of that key; false if there is none that still lasts.
    fn count(&mut self, key: &FoldKey, record: &Record, now: Instant) -> bool {
        let Some(fold) = self.folds.get_mut(key) else { return false };
        if fold.is_over(now) {
            self.over.extend(self.folds.remove(key));
            return false;
        }
        fold.attempts = fold.attempts.saturating_add(record.attempts.max(1));
        fold.last_at = fold.last_at.max(record.last_attempt_at.unwrap_or(record.ended_at));
        true
    }

    /// The key under which an end waits although too many wait already; `None` when it was counted in one that does.
    fn coarsen(&mut self, record: &Record, now: Instant) -> Option<FoldKey> {
        let (ip, code) = (record.client_ip.to_canonical(), record.code());
        let by_address = FoldKey::Address { ip, code };
        if self.count(&by_address, record, now) {
            return None;
        }
        if self.unwritten < MAX_WAITING_REFUSALS + MAX_WAITING_COARSE {
            return Some(by_address);
        }
        let by_code = FoldKey::Code { code };
        (!self.count(&by_code, record, now)).then_some(by_code)
    }

    fn begin(
        &mut self,
        key: &FoldKey,
        record: &Record,
        now: Instant,
        lasts: Duration,
        pressure: Pressure,
    ) -> bool {
        // Under pressure folds are bounded by what may wait, and what waits only by folds.
        if self.folds.len() + self.over.len() >= MAX_FOLDS && pressure == Pressure::None {
            return false;
        }
        let attempts = record.attempts.max(1);
        let last_at = record.last_attempt_at.unwrap_or(record.ended_at);
        let fold = Fold {
            id: record.id,
            began: now,
            lasts,
            attempts,
            last_at,
            written: false,
            attempts_written: attempts,
        };
        self.folds.insert(key.clone(), fold);
        true
    }

    fn wait(&mut self, end: EndRow, key: Option<FoldKey>, place: Option<OwnedSemaphorePermit>) -> Offer {
        self.waiting.push_back(Waiting { end, key, _place: place });
        self.unwritten += 1;
        Offer::Waits
    }
}

impl NameCount {
    fn is_past(&self, now: Instant) -> bool {
        now.saturating_duration_since(self.began) >= Duration::from_secs(60)
    }
}

fn names_of(record: &Record) -> [Option<String>; 3] {
    [record.domain.clone(), record.app.clone(), record.stream.clone()]
}

#[cfg(test)]
mod tests;
