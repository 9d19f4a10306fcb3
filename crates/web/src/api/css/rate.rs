//! How often a key may call an action: so many times a second as CSS documents, with one second's worth at once.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Pairs of key and action remembered at once. Those that are at rest are forgotten when there are more.
const MAX_PAIRS: usize = 10_000;

/// The calls of the last second.
#[derive(Debug, Default)]
pub struct Rates {
    /// When the next call would be due if all came evenly.
    due: Mutex<HashMap<(String, &'static str), Instant>>,
}

impl Rates {
    /// Whether `key` may call `action` at `now`, which then counts.
    pub fn admit(&self, key: &str, action: &'static str, per_second: u32, now: Instant) -> bool {
        let step = Duration::from_secs(1) / per_second.max(1);
        let mut due = self.due.lock().unwrap_or_else(PoisonError::into_inner);
        if due.len() >= MAX_PAIRS {
            due.retain(|_, at| *at > now);
        }
        let at = due.entry((key.to_owned(), action)).or_insert(now);
        let next = (*at).max(now) + step;
        if next.saturating_duration_since(now) > Duration::from_secs(1) {
            return false;
        }
        *at = next;
        true
    }
}

#[cfg(test)]
mod tests {
    use model::clock::ManualClock;
    use model::{Clock, Timestamp};

    use super::*;

    #[test]
    fn a_second_holds_as_many_calls_as_documented() {
        let (rates, clock) = (Rates::default(), ManualClock::new(Timestamp(0)));
        let call = |key| rates.admit(key, "A", 10, clock.instant());
        assert_eq!((0..15).filter(|_| call("k")).count(), 10);
        assert!(call("other"), "keys do not use up each other's calls");
        clock.advance(Duration::from_millis(500));
        let call = |key| rates.admit(key, "A", 10, clock.instant());
        assert_eq!((0..15).filter(|_| call("k")).count(), 5);
    }
}
