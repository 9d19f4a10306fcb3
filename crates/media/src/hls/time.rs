//! From the 32-bit milliseconds of messages to times that only go forward.

/// A step back of a track's own time beyond this is a new timeline.
const BACK_MS: i64 = 500;
/// A step forward beyond this is a new timeline.
const FORWARD_MS: i64 = 10_000;

/// Continues 32-bit timestamps beyond their 49.7 days.
#[derive(Debug, Default)]
pub(super) struct Unwrap {
    last: Option<i64>,
}

impl Unwrap {
    pub fn ms(&mut self, timestamp: u32) -> i64 {
        let ms = match self.last {
            None => i64::from(timestamp),
            Some(last) => {
                // The shorter way around the circle.
                let step = timestamp.wrapping_sub(last as u32).cast_signed();
                last.saturating_add(i64::from(step))
            }
        };
        self.last = Some(ms);
        ms
    }
}

/// Notices when a track's timestamps leave their timeline.
#[derive(Debug, Default)]
pub(super) struct Jump {
    last: Option<i64>,
}

impl Jump {
    /// Whether `ms` cannot belong to the timeline of the frames before.
    pub fn is_one(&mut self, ms: i64) -> bool {
        let step = self.last.map_or(0, |last| ms.saturating_sub(last));
        self.last = Some(ms);
        !(-BACK_MS..=FORWARD_MS).contains(&step)
    }
}

/// Counts samples of sound, because millisecond stamps would tear small holes between frames; follows the stamps when
/// both drift apart.
#[derive(Debug)]
pub(super) struct AudioClock {
    rate: i64,
    next: Option<i64>,
}

impl AudioClock {
    /// Stamps and count may differ by this much; encoders stamp frames when they come out of a queue.
    const SLACK_MS: i64 = 100;

    pub fn new(rate: u32) -> Self {
        Self { rate: i64::from(rate), next: None }
    }

    /// The decoding time, in samples, of a frame stamped `ms` that plays for `duration`; `None` when sound has run
    /// ahead of its stamps so far that the frame has to be left out.
    pub fn place(&mut self, ms: i64, duration: u32) -> Option<i64> {
        let stamped = ms.saturating_mul(self.rate) / 1000;
        let slack = Self::SLACK_MS * self.rate / 1000;
        let time = match self.next {
            Some(next) if stamped < next - slack => return None,
            Some(next) if stamped <= next + slack => next,
            _ => stamped,
        };
        self.next = Some(time.saturating_add(i64::from(duration)));
        Some(time)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn timestamps_go_on_after_49_days() {
        let mut unwrap = Unwrap::default();
        assert_eq!(unwrap.ms(u32::MAX - 10), 4_294_967_285);
        assert_eq!(unwrap.ms(29), 4_294_967_325);
        assert_eq!(unwrap.ms(u32::MAX), 4_294_967_295, "a late frame from before");
    }

    #[test]
    fn a_track_may_stumble_but_not_leap() {
        let mut jump = Jump::default();
        assert!([1000, 900, 9000].iter().all(|ms| !jump.is_one(*ms)));
        assert!(jump.is_one(1000));
        assert!(!jump.is_one(1040));
        assert!(jump.is_one(60_000));
    }

    #[test]
    fn sound_is_counted_and_not_stamped() {
        let mut clock = AudioClock::new(44_100);
        // 1024 samples are 23.2 ms; encoders write 0, 23, 46, 70.
        let times: Vec<_> = [0, 23, 46, 70].map(|ms| clock.place(ms, 1024)).into_iter().flatten().collect();
        assert_eq!(times, [0, 1024, 2048, 3072]);
        // A hole in the sound stays one.
        assert_eq!(clock.place(1000, 1024), Some(44_100));
        // Sound that comes faster than its stamps is left out until they agree again.
        assert_eq!(clock.place(500, 1024), None);
        assert_eq!(clock.place(1020, 1024), Some(45_124));
    }
}
