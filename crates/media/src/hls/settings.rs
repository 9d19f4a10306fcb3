//! How a live stream is cut.

use std::time::Duration;

/// How a live stream is cut, and how much of it is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// How long a part should play; the frame rate decides how near it comes.
    pub part: Duration,
    /// Segments end at the first key frame from here on.
    pub segment: Duration,
    /// Bytes kept of a stream, in all its segments and parts.
    pub max_bytes: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Self { part: Duration::from_millis(300), segment: Duration::from_secs(2), max_bytes: 64 << 20 }
    }
}

impl Settings {
    pub(super) fn part_us(&self) -> i64 {
        micros(self.part)
    }

    pub(super) fn segment_us(&self) -> i64 {
        micros(self.segment)
    }

    /// Bytes of a segment from which on it ends without waiting for a key frame, so that a window has several.
    pub(super) fn max_segment_bytes(&self) -> usize {
        (self.max_bytes / 4).max(1)
    }
}

fn micros(duration: Duration) -> i64 {
    // Settings beyond an hour make no sense, and would only strain the arithmetic.
    i64::try_from(duration.as_micros()).unwrap_or(i64::MAX).clamp(1, 3_600_000_000)
}
