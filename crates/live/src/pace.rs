//! Takes more messages together the more of them come.
//!
//! Pushes send one small message after another, and each wakes the thread that waits for sockets: at many pushes, waking
//! up costs more than what is done then. Where reads come fast a thread therefore rests for a moment before it waits
//! again, and finds several sockets ready at once, as network cards do with their interrupts. Where reads are few nothing
//! is delayed, so that one push alone meets no rest at all.

use std::cell::{Cell, RefCell};
use std::time::{Duration, Instant};

use model::{Clock, SystemClock};

/// Reads a millisecond from which on a thread rests; about 50 pushes.
const FAST: f64 = 4.0;
/// How long. Nothing to a viewer, for whom frames are merged over far more, and to timers that tick once a second.
const REST: Duration = Duration::from_millis(1);
/// Over about this time the rate is taken, ms.
const MEMORY_MS: f64 = 20.0;

thread_local! {
    static READS: Cell<u32> = const { Cell::new(0) };
    static PACE: RefCell<Pace> = const { RefCell::new(Pace { since: None, rate: 0.0 }) };
}

/// Notes that a socket was read from on this thread.
pub(crate) fn note_read() {
    READS.set(READS.get().saturating_add(1));
}

/// To be called by each worker thread of the runtime when it is about to wait for sockets
/// (`tokio::runtime::Builder::on_thread_park`).
pub fn before_park() {
    let rest = PACE.with_borrow_mut(|pace| pace.rests(SystemClock.instant(), READS.take()));
    if rest {
        std::thread::sleep(REST);
    }
}

/// How fast reads come on one thread.
#[derive(Debug)]
struct Pace {
    since: Option<Instant>,
    /// Reads a millisecond.
    rate: f64,
}

impl Pace {
    /// Takes in the reads since it was asked last; says whether they come fast.
    fn rests(&mut self, now: Instant, reads: u32) -> bool {
        let since = self.since.replace(now).unwrap_or(now);
        let span_ms = now.saturating_duration_since(since).as_secs_f64() * 1000.0;
        // Of what came in a span, as much counts as the span is of the memory; of the past, what is left.
        let share = (span_ms / MEMORY_MS).min(1.0);
        let gained =
            if span_ms < MEMORY_MS { f64::from(reads) / MEMORY_MS } else { f64::from(reads) / span_ms };
        self.rate = self.rate * (1.0 - share) + gained;
        self.rate >= FAST
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether it rests after so many waits, each of which brought so many reads after so many microseconds.
    fn rests_after(pace: &mut Pace, now: &mut Instant, waits: u32, reads: u32, apart_us: u64) -> bool {
        let mut rests = false;
        for _ in 0..waits {
            *now += Duration::from_micros(apart_us);
            rests = pace.rests(*now, reads);
        }
        rests
    }

    #[test]
    fn a_thread_rests_while_reads_come_fast_and_no_longer() {
        let (mut pace, mut now) = (Pace { since: None, rate: 0.0 }, SystemClock.instant());
        assert!(!pace.rests(now, 1));
        assert!(!rests_after(&mut pace, &mut now, 1000, 1, 500), "2 reads a millisecond");
        assert!(rests_after(&mut pace, &mut now, 1000, 1, 70), "14 reads a millisecond, one by one");
        assert!(rests_after(&mut pace, &mut now, 100, 14, 1000), "the same, taken together");
        assert!(!rests_after(&mut pace, &mut now, 1, 3, 100_000), "the pushes have gone");
    }
}
