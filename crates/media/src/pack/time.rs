//! Timestamps: counters that wrap, and decoding times that stand still rather than go back.

/// Ticks of the clock that all units are timed by: that of MPEG-TS, and of every video format of RTP.
pub const TICKS_PER_SECOND: i64 = 90_000;

const TICKS_PER_MS: i64 = TICKS_PER_SECOND / 1000;
/// A step back of less than this is jitter or B-frames; a larger one is another timeline.
const JUMP: i64 = 10 * TICKS_PER_SECOND;
/// What a composition time of 24 bits can hold, in milliseconds.
const MAX_COMPOSITION: i64 = 0x7f_ffff;

/// Continues a counter that wraps: 33 bits in MPEG-TS, 32 in RTP.
#[derive(Debug, Clone, Copy)]
pub struct Unroll {
    bits: u32,
    last: Option<i64>,
}

impl Unroll {
    /// A counter of this many bits, 1 to 62; others are taken as the nearest of these.
    pub fn new(bits: u32) -> Self {
        Self { bits: bits.clamp(1, 62), last: None }
    }

    /// The value behind `raw`, taken as near to the last one as it can be. The first value stands as it is.
    pub fn unroll(&mut self, raw: u64) -> i64 {
        let span = 1i64 << self.bits;
        let raw = (raw & (span as u64 - 1)) as i64;
        let value = match self.last {
            None => raw,
            Some(last) => {
                let ahead = (raw - last).rem_euclid(span);
                let step = if ahead >= span / 2 { ahead - span } else { ahead };
                last.saturating_add(step)
            }
        };
        self.last = Some(value);
        value
    }
}

/// Keeps decoding times from going back by a little.
#[derive(Debug, Default)]
pub(super) struct Steady {
    last: Option<i64>,
}

impl Steady {
    pub fn hold(&mut self, time: i64) -> i64 {
        let held = match self.last {
            Some(last) if time < last && last.saturating_sub(time) < JUMP => last,
            _ => time,
        };
        self.last = Some(held);
        held
    }
}

/// Milliseconds as an RTMP message has them. What lies before the start is at the start.
pub(super) fn message_ms(ticks: i64) -> u32 {
    ms(ticks) as u32
}

/// Presentation time less decoding time in milliseconds, both rounded as the messages' times are.
pub(super) fn composition_ms(pts: i64, dts: i64) -> i32 {
    ms(pts).saturating_sub(ms(dts)).clamp(-MAX_COMPOSITION, MAX_COMPOSITION) as i32
}

fn ms(ticks: i64) -> i64 {
    ticks.div_euclid(TICKS_PER_MS).max(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_counter_goes_on_over_its_wrap_in_either_direction() {
        let mut rtp = Unroll::new(32);
        assert_eq!(rtp.unroll(0xffff_fff0), 0xffff_fff0);
        assert_eq!(rtp.unroll(0x10), 0x1_0000_0010);
        assert_eq!(rtp.unroll(0xffff_ffff), 0xffff_ffff);
    }

    proptest! {
        #[test]
        fn any_walk_of_steps_below_half_the_span_is_followed(
            bits in 8u32..=33,
            steps in proptest::collection::vec(-100i64..100, 1..200),
        ) {
            let mut counter = Unroll::new(bits);
            let mut value = 1i64 << 40;
            let origin = counter.unroll(value as u64) - value;
            for step in steps {
                value += step;
                prop_assert_eq!(counter.unroll(value as u64) - value, origin);
            }
        }
    }

    #[test]
    fn a_small_step_back_is_held_and_a_large_one_is_another_timeline() {
        let mut steady = Steady::default();
        assert_eq!(steady.hold(1_000_000), 1_000_000);
        assert_eq!(steady.hold(997_000), 1_000_000);
        assert_eq!(steady.hold(1_003_000), 1_003_000);
        assert_eq!(steady.hold(0), 0);
    }

    #[test]
    fn time_before_the_start_is_the_start() {
        assert_eq!(message_ms(-1), 0);
        assert_eq!(message_ms(90 * (1i64 << 32) + 90), 1);
        assert_eq!(composition_ms(180, 90), 1);
        assert_eq!(composition_ms(i64::MAX, 0), 0x7f_ffff);
    }
}
