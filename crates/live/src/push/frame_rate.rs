//! The frame-rate limit: the smaller of frames by wall time and frames by media time, over 10 s, so that a burst after
//! a stall is no fault and neither is a wrong clock of the encoder.

use std::time::{Duration, Instant};

use cause::evidence::Act;
use cause::{Cause, Detail, DetailKey};

const WINDOW: Duration = Duration::from_secs(10);

/// Counts frames over a window that starts anew when it is full.
#[derive(Debug)]
pub(super) struct FrameRate {
    limit: f64,
    window: Option<(Instant, u32, u32)>,
    last_timestamp: u32,
    measured: Option<f64>,
}

impl FrameRate {
    pub(super) fn new(limit: f64) -> Self {
        Self { limit, window: None, last_timestamp: 0, measured: None }
    }

    pub(super) fn frame(&mut self, now: Instant, timestamp: u32) {
        let (started, first, count) = self.window.get_or_insert((now, timestamp, 0));
        *count += 1;
        self.last_timestamp = timestamp;
        let wall = now.saturating_duration_since(*started);
        if wall >= WINDOW {
            let frames = f64::from(count.saturating_sub(1));
            let media = f64::from(timestamp.wrapping_sub(*first)) / 1000.0;
            let by_media = if media > 0.0 { frames / media } else { 0.0 };
            self.measured = Some((frames / wall.as_secs_f64()).min(by_media));
            self.window = Some((now, timestamp, 1));
        }
    }

    pub(super) fn above_limit(&self) -> Option<Act> {
        let fps = self.measured.filter(|fps| *fps > self.limit)?;
        let detail = Detail::new(DetailKey::FrameRate)
            .with("fps", (fps * 10.0).round() / 10.0)
            .with("limit", self.limit)
            .with("window_ms", 10_000);
        Some(Act { code: Cause::FrameRateLimit.code(), detail: Some(detail) })
    }
}

#[cfg(test)]
mod tests {
    use model::{Clock, SystemClock};

    use super::*;

    fn run(wall_ms: u64, media_ms: u32) -> bool {
        let start = SystemClock.instant();
        let mut rate = FrameRate::new(60.0);
        (0..1500u32).any(|i| {
            rate.frame(start + Duration::from_millis(wall_ms * u64::from(i)), media_ms * i);
            rate.above_limit().is_some()
        })
    }

    #[test]
    fn only_frames_too_many_by_both_clocks_pass_the_limit() {
        assert!(run(10, 10), "100 a second by both");
        assert!(!run(10, 40), "a burst: 100 a second by wall time, 25 by media time");
        assert!(!run(40, 10), "an encoder's clock: 25 a second by wall time");
    }
}
