//! What the journal counts about itself.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use model::Code;

/// The journal's figures since the program started.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct JournalStats {
    /// Operations that wait for the writer.
    pub queue: usize,
    /// Refused and pre-publish ends that wait for the writer.
    pub waiting_refusals: usize,
    /// Pushes between open and the commit of their end.
    pub open: usize,
    /// Whether pushes can be recorded at the moment.
    pub writable: bool,
    /// Batches committed.
    pub commits: u64,
    /// Batches that failed; they were, or will be, written again.
    pub failed_batches: u64,
    /// How long committed batches took, from the first statement to durable.
    pub commit_latency: Latency,
    /// Records committed, by code. 0/0 stands for causes that could not be told, which are defects.
    pub records: BTreeMap<Code, u64>,
    /// Ends that were folded into a record that was there already.
    pub folded: u64,
    /// Ends left out by `[records] ignore`.
    pub ignored: u64,
    /// Records whose evidence was dropped because more came than the disk takes.
    pub evidence_thinned: u64,
    /// Rows that the database would not take for a reason other than the disk: defects, each in the log.
    pub unstorable: u64,
    /// Records moved into record files.
    pub filed: u64,
    /// Entries of the history (deliveries, events) that were left out because more came than the disk took.
    pub history_left_out: u64,
}

/// A distribution of durations.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Latency {
    /// Upper bound of each bucket and how many fell into it (not cumulative); the last bound is `Duration::MAX`.
    pub buckets: Vec<(Duration, u64)>,
    /// How many there are.
    pub count: u64,
    /// Their sum.
    pub sum: Duration,
    /// Half of them were at most this long (the bound of the bucket).
    pub p50: Duration,
    /// 99 % of them were at most this long (the bound of the bucket).
    pub p99: Duration,
}

// Bounds grow by half from 100 us to about a minute.
const BUCKETS: usize = 34;

#[derive(Debug)]
pub(crate) struct Histogram {
    buckets: [AtomicU64; BUCKETS],
    sum_us: AtomicU64,
}

impl Default for Histogram {
    fn default() -> Self {
        Self { buckets: std::array::from_fn(|_| AtomicU64::new(0)), sum_us: AtomicU64::new(0) }
    }
}

fn bounds() -> impl Iterator<Item = Duration> {
    let finite = std::iter::successors(Some(100u64), |us| Some(us.saturating_add(us / 2)));
    finite.take(BUCKETS - 1).map(Duration::from_micros).chain(std::iter::once(Duration::MAX))
}

impl Histogram {
    pub fn record(&self, took: Duration) {
        if let Some((bucket, _)) = self.buckets.iter().zip(bounds()).find(|(_, bound)| took <= *bound) {
            bucket.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_us.fetch_add(u64::try_from(took.as_micros()).unwrap_or(u64::MAX), Ordering::Relaxed);
    }

    pub fn read(&self) -> Latency {
        let buckets: Vec<_> = bounds()
            .zip(&self.buckets)
            .map(|(bound, count)| (bound, count.load(Ordering::Relaxed)))
            .collect();
        let count: u64 = buckets.iter().map(|(_, n)| n).sum();
        let quantile = |percent: u64| {
            let wanted = (count * percent).div_ceil(100);
            let mut seen = 0;
            let bucket = buckets.iter().find(|(_, n)| {
                seen += n;
                seen >= wanted
            });
            bucket.filter(|_| count > 0).map(|(bound, _)| *bound).unwrap_or_default()
        };
        let (p50, p99) = (quantile(50), quantile(99));
        Latency { count, sum: Duration::from_micros(self.sum_us.load(Ordering::Relaxed)), p50, p99, buckets }
    }
}

/// The live figures behind [`JournalStats`].
#[derive(Debug, Default)]
pub(crate) struct Figures {
    pub writable: AtomicBool,
    /// The last failure was a full disk.
    pub disk_full: AtomicBool,
    pub commits: AtomicU64,
    pub failed_batches: AtomicU64,
    pub commit_latency: Histogram,
    pub folded: AtomicU64,
    pub ignored: AtomicU64,
    pub evidence_thinned: AtomicU64,
    pub unstorable: AtomicU64,
    pub filed: AtomicU64,
    /// Events that the flap filter kept back.
    pub suppressed: AtomicU64,
    /// Reports of live pushes that found no place.
    pub reports_left_out: AtomicU64,
    records: Mutex<BTreeMap<Code, u64>>,
}

impl Figures {
    pub fn count_record(&self, code: Code) {
        *self.records().entry(code).or_default() += 1;
    }

    pub fn records(&self) -> MutexGuard<'_, BTreeMap<Code, u64>> {
        self.records.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

pub(crate) fn add(counter: &AtomicU64, n: u64) {
    counter.fetch_add(n, Ordering::Relaxed);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_bounds_of_the_buckets_they_fall_into() {
        let histogram = Histogram::default();
        assert_eq!(histogram.read().p99, Duration::ZERO);
        for _ in 0..98 {
            histogram.record(Duration::from_micros(90));
        }
        for _ in 0..2 {
            histogram.record(Duration::from_millis(40));
        }
        let latency = histogram.read();
        assert_eq!((latency.count, latency.p50), (100, Duration::from_micros(100)));
        assert!(latency.p99 >= Duration::from_millis(40) && latency.p99 < Duration::from_millis(60));
    }

    #[test]
    fn the_longest_duration_has_a_bucket_too() {
        let histogram = Histogram::default();
        histogram.record(Duration::from_secs(100_000));
        assert_eq!(histogram.read().count, 1);
    }
}
