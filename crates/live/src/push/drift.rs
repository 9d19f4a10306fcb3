//! Drift: how far media time is behind wall-clock time since the first frame.

use std::time::Instant;

/// A jump beyond this is a new time line of the encoder, not lateness.
const JUMP_MS: i64 = 10_000;

/// Follows the newest media timestamp of a push.
#[derive(Debug, Default)]
pub(super) struct Drift {
    base: Option<(Instant, u32)>,
    /// Media time since the base, ms; jumps are left out.
    media_ms: i64,
    newest: u32,
}

impl Drift {
    pub(super) fn frame(&mut self, now: Instant, timestamp: u32) {
        if self.base.is_none() {
            self.base = Some((now, timestamp));
            self.newest = timestamp;
            return;
        }
        // Timestamps wrap after 49.7 days; the signed distance stays right across that.
        let step = i64::from(timestamp.wrapping_sub(self.newest).cast_signed());
        if step.abs() > JUMP_MS {
            self.newest = timestamp;
        } else if step > 0 {
            self.newest = timestamp;
            self.media_ms += step;
        }
    }

    /// Wall-clock time less media time, ms; 0 before the first frame.
    pub(super) fn lag_ms(&self, now: Instant) -> i32 {
        let Some((at, _)) = self.base else { return 0 };
        let wall = i64::try_from(now.saturating_duration_since(at).as_millis()).unwrap_or(i64::MAX);
        let lag = wall.saturating_sub(self.media_ms);
        i32::try_from(lag).unwrap_or(if lag < 0 { i32::MIN } else { i32::MAX })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use model::{Clock, SystemClock};

    use super::*;

    #[test]
    fn drift_is_wall_time_less_media_time_and_jumps_do_not_count() {
        let start = SystemClock.instant();
        let at = |ms: u64| start + Duration::from_millis(ms);
        let mut drift = Drift::default();
        drift.frame(at(0), 5_000);
        drift.frame(at(1_000), 6_000);
        assert_eq!(drift.lag_ms(at(1_000)), 0);
        drift.frame(at(2_000), 6_500);
        assert_eq!(drift.lag_ms(at(2_000)), 500);
        drift.frame(at(2_000), 6_400);
        drift.frame(at(2_000), 900_000);
        assert_eq!(drift.lag_ms(at(2_000)), 500);
        drift.frame(at(3_000), 901_000);
        assert_eq!(drift.lag_ms(at(3_000)), 500);
    }

    #[test]
    fn timestamps_that_wrap_go_on() {
        let start = SystemClock.instant();
        let mut drift = Drift::default();
        drift.frame(start, u32::MAX - 499);
        drift.frame(start + Duration::from_secs(1), 500);
        assert_eq!(drift.lag_ms(start + Duration::from_secs(1)), 0);
    }
}
