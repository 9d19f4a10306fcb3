//! Timestamps of a live stream: those of its push, shifted so that they go on when another push takes over.

use std::time::{Duration, Instant};

/// The step from the last frame of one push to the first of the next, at most: players whose buffer ran empty
/// meanwhile go on at once, and nobody sees a hole to wait through.
const LONGEST_STEP: Duration = Duration::from_millis(100);

/// From a push's time to the live stream's.
#[derive(Debug, Default)]
pub(super) struct Timeline {
    offset: u32,
    /// The newest timestamp given out, and when.
    last: Option<(u32, Instant)>,
    /// Where the push of now began; what it dates before that was meant for its own viewers.
    base: Option<u32>,
}

impl Timeline {
    /// Another push goes on with the stream, beginning with a frame of this timestamp.
    pub(super) fn rebase(&mut self, timestamp: u32, now: Instant) {
        let Some((last, at)) = self.last else { return };
        let step = now.saturating_duration_since(at).clamp(Duration::from_millis(1), LONGEST_STEP);
        let step = u32::try_from(step.as_millis()).unwrap_or(1);
        let base = last.wrapping_add(step);
        self.offset = base.wrapping_sub(timestamp);
        self.base = Some(base);
    }

    /// The stream's time for a push's time; `None` for a frame dated before the first one of its push.
    pub(super) fn map(&mut self, timestamp: u32, now: Instant) -> Option<u32> {
        let mapped = timestamp.wrapping_add(self.offset);
        if let Some(base) = self.base {
            if is_before(mapped, base) {
                return None;
            }
            // A push that runs for weeks comes round to its own beginning.
            if mapped.wrapping_sub(base) > 60_000 {
                self.base = None;
            }
        }
        match self.last {
            Some((last, _)) if is_before(mapped, last) => {}
            _ => self.last = Some((mapped, now)),
        }
        Some(mapped)
    }
}

/// Whether `a` is earlier than `b` on a clock that wraps.
pub(super) fn is_before(a: u32, b: u32) -> bool {
    a.wrapping_sub(b) > u32::MAX / 2
}

/// Milliseconds from `earlier` to `later`; 0 if it is not later.
pub(super) fn span(earlier: u32, later: u32) -> u32 {
    if is_before(later, earlier) { 0 } else { later.wrapping_sub(earlier) }
}
