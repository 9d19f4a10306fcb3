//! The last minute of a live push, for those who watch it while it is live.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};

/// Seconds that are kept.
pub const TREND_SECONDS: usize = 60;

/// One second of a live push.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Second {
    /// kbit/s.
    pub kbps: u32,
    /// Video frames.
    pub fps: u32,
    /// How far the push is behind real time, ms.
    pub lag_ms: i32,
}

/// The last seconds, oldest first. Locked once a second by the push, and by pages that draw it.
#[derive(Debug, Default)]
pub struct Trend(Mutex<VecDeque<Second>>);

impl Trend {
    /// Adds a second; the oldest goes where there are [`TREND_SECONDS`].
    pub fn push(&self, second: Second) {
        let mut seconds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seconds.len() >= TREND_SECONDS {
            seconds.pop_front();
        }
        seconds.push_back(second);
    }

    /// All of them, oldest first.
    pub fn seconds(&self) -> Vec<Second> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).iter().copied().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_minute_is_kept_and_no_more() {
        let trend = Trend::default();
        for kbps in 0..100 {
            trend.push(Second { kbps, ..Second::default() });
        }
        let seconds = trend.seconds();
        assert_eq!((seconds.len(), seconds[0].kbps, seconds[59].kbps), (TREND_SECONDS, 40, 99));
    }
}
