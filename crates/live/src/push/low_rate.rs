//! The video frame rate over spans of five seconds, for the event that it is low.

use std::time::{Duration, Instant};

const SPAN: Duration = Duration::from_secs(5);

/// Where the span began: when, and how many frames there had been.
#[derive(Debug, Default)]
pub(super) struct LowRate {
    began: Option<(Instant, u64)>,
}

impl LowRate {
    /// Frames a second by wall time, at the end of each span in which there were any: a span without is a gap, and that
    /// is another event.
    pub(super) fn look(&mut self, now: Instant, frames: u64) -> Option<f64> {
        let (at, before) = *self.began.get_or_insert((now, frames));
        let span = now.saturating_duration_since(at);
        if span < SPAN {
            return None;
        }
        self.began = Some((now, frames));
        // A codec change starts the count anew.
        let count = u32::try_from(frames.checked_sub(before)?).ok().filter(|count| *count > 0)?;
        Some(f64::from(count) / span.as_secs_f64())
    }
}
