//! What the node counts, for metrics: read at scrape time, so that nothing is paid for per frame.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use cause::Cause;
use serde::Serialize;

/// Upper bounds of the admission histogram, microseconds.
pub const LATENCY_BOUNDS_US: [u64; 12] =
    [250, 500, 1_000, 2_000, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 1_000_000, 5_000_000];

/// Running counts.
#[derive(Debug)]
pub(crate) struct Counters {
    ended: [AtomicU64; Cause::ALL.len()],
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
    /// Time from publish to `Publish.Start`: cumulative counts up to each of [`LATENCY_BOUNDS_US`], then all.
    pub admission_buckets: Vec<u64>,
    /// Sum of those times, microseconds.
    pub admission_sum_us: u64,
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            ended: std::array::from_fn(|_| AtomicU64::new(0)),
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

    pub(crate) fn read(&self, pushes_live: usize, connections: usize) -> LiveCounters {
        let mut seen = 0;
        LiveCounters {
            pushes_live,
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
            admission_buckets: self
                .admission
                .iter()
                .map(|count| {
                    seen += count.load(Ordering::Relaxed);
                    seen
                })
                .collect(),
            admission_sum_us: self.admission_sum_us.load(Ordering::Relaxed),
        }
    }
}
