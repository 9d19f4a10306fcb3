//! What the node counts, for metrics: read at scrape time, so that nothing is paid for per frame.

use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use cause::{Cause, EventKind};
use serde::Serialize;

use crate::hub::Hub;
use crate::hub::feed::ViewerKind;

/// Upper bounds of the admission histogram, microseconds.
pub const LATENCY_BOUNDS_US: [u64; 12] =
    [250, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

/// What viewers of one kind have done since the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct PlayCounters {
    /// How they watch.
    pub kind: ViewerKind,
    /// Viewers now.
    pub viewers: usize,
    /// Viewers since the start, those of now included.
    pub joined: u64,
    /// Media bytes sent to viewers.
    pub bytes_out: u64,
    /// Frames that viewers missed because they were too slow.
    pub skipped: u64,
}

/// Viewers by kind, as they come and go.
#[derive(Debug, Default)]
pub(crate) struct Played([PlayedKind; ViewerKind::ALL.len()]);

#[derive(Debug, Default)]
struct PlayedKind {
    now: AtomicUsize,
    joined: AtomicU64,
    bytes_left: AtomicU64,
    skipped: AtomicU64,
}

impl Played {
    pub(crate) fn came(&self, kind: ViewerKind) {
        if let Some(of) = self.of(kind) {
            of.now.fetch_add(1, Ordering::Relaxed);
            of.joined.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// A viewer left that was sent so many bytes.
    pub(crate) fn left(&self, kind: ViewerKind, bytes_out: u64) {
        if let Some(of) = self.of(kind) {
            of.now.fetch_sub(1, Ordering::Relaxed);
            of.bytes_left.fetch_add(bytes_out, Ordering::Relaxed);
        }
    }

    pub(crate) fn skipped(&self, kind: ViewerKind, frames: u64) {
        if let Some(of) = self.of(kind) {
            of.skipped.fetch_add(frames, Ordering::Relaxed);
        }
    }

    /// Viewers of all kinds now.
    pub(crate) fn viewers(&self) -> usize {
        self.0.iter().map(|of| of.now.load(Ordering::Relaxed)).sum()
    }

    /// The counts; `sent` says what was sent to the viewers of now.
    pub(crate) fn read(&self, sent: impl Fn(ViewerKind) -> u64) -> Vec<PlayCounters> {
        let of = |kind| {
            self.of(kind).map(|of| PlayCounters {
                kind,
                viewers: of.now.load(Ordering::Relaxed),
                joined: of.joined.load(Ordering::Relaxed),
                bytes_out: of.bytes_left.load(Ordering::Relaxed) + sent(kind),
                skipped: of.skipped.load(Ordering::Relaxed),
            })
        };
        ViewerKind::ALL.into_iter().filter_map(of).collect()
    }

    fn of(&self, kind: ViewerKind) -> Option<&PlayedKind> {
        ViewerKind::ALL.iter().position(|k| *k == kind).and_then(|index| self.0.get(index))
    }
}

/// Running counts.
#[derive(Debug)]
pub(crate) struct Counters {
    ended: [AtomicU64; Cause::ALL.len()],
    events: [AtomicU64; EventKind::ALL.len()],
    admitted: AtomicU64,
    accepted: AtomicU64,
    overloaded: AtomicU64,
    admission: [AtomicU64; LATENCY_BOUNDS_US.len() + 1],
    admission_sum_us: AtomicU64,
}

/// The counts at one moment.
#[derive(Clone, Debug, Serialize)]
pub struct LiveCounters {
    /// Pushes that are live or wait as backups.
    pub pushes_live: usize,
    /// Connections that are open.
    pub connections: usize,
    /// Connections accepted since the start.
    pub accepted: u64,
    /// Connections turned away because of a limit.
    pub overloaded: u64,
    /// Pushes that went live since the start.
    pub admitted: u64,
    /// Ended pushes by cause, refusals included, folded or not; causes that never happened are left out.
    pub ended: Vec<(Cause, u64)>,
    /// Events of pushes by type; types that never happened are left out.
    pub events: Vec<(EventKind, u64)>,
    /// Time from publish to `Publish.Start`: cumulative counts up to each of [`LATENCY_BOUNDS_US`], then all.
    pub admission_buckets: Vec<u64>,
    /// Sum of those times, microseconds.
    pub admission_sum_us: u64,
    /// What viewers of each kind have done.
    pub played: Vec<PlayCounters>,
    /// Bytes held for viewers.
    pub media_held: usize,
    /// Bytes held in segments and parts of HLS.
    pub hls_held: usize,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            ended: std::array::from_fn(|_| AtomicU64::new(0)),
            events: std::array::from_fn(|_| AtomicU64::new(0)),
            admitted: AtomicU64::new(0),
            accepted: AtomicU64::new(0),
            overloaded: AtomicU64::new(0),
            admission: std::array::from_fn(|_| AtomicU64::new(0)),
            admission_sum_us: AtomicU64::new(0),
        }
    }
}

impl Counters {
    pub(crate) fn accepted(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn overloaded(&self) {
        self.overloaded.fetch_add(1, Ordering::Relaxed);
    }

    pub(crate) fn admitted(&self, took: Duration) {
        self.admitted.fetch_add(1, Ordering::Relaxed);
        let us = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        let bucket =
            LATENCY_BOUNDS_US.iter().position(|bound| us <= *bound).unwrap_or(LATENCY_BOUNDS_US.len());
        if let Some(count) = self.admission.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.admission_sum_us.fetch_add(us, Ordering::Relaxed);
    }

    pub(crate) fn ended(&self, cause: Cause) {
        if let Some(count) = Cause::ALL.iter().position(|c| *c == cause).and_then(|i| self.ended.get(i)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    pub(crate) fn events(&self, kind: EventKind, count: u32) {
        if let Some(counter) = self.events.get(kind.index()) {
            counter.fetch_add(u64::from(count), Ordering::Relaxed);
        }
    }

    pub(crate) fn read(&self, hub: &Hub, connections: usize) -> LiveCounters {
        let mut seen = 0;
        LiveCounters {
            pushes_live: hub.len(),
            connections,
            accepted: self.accepted.load(Ordering::Relaxed),
            overloaded: self.overloaded.load(Ordering::Relaxed),
            admitted: self.admitted.load(Ordering::Relaxed),
            ended: Cause::ALL
                .iter()
                .zip(&self.ended)
                .map(|(cause, count)| (*cause, count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            events: EventKind::ALL
                .iter()
                .zip(&self.events)
                .map(|(kind, count)| (*kind, count.load(Ordering::Relaxed)))
                .filter(|(_, count)| *count > 0)
                .collect(),
            admission_buckets: self
                .admission
                .iter()
                .map(|count| {
                    seen += count.load(Ordering::Relaxed);
                    seen
                })
                .collect(),
            admission_sum_us: self.admission_sum_us.load(Ordering::Relaxed),
            played: hub.played(),
            media_held: hub.media_held(),
            hls_held: 0,
        }
    }
}
